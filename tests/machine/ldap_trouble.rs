//! Directories that are slow, gone, or come back.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::support::log::{Log, wait_until};
use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::Client;
use crate::support::process::Process;
use crate::support::slapd::{LDAPS, Slapd, person};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const MOBILE: &str = "mobile: +49 151 23456723";

fn machine(table: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("{NO_LIMITS}{table}"));
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn alice(machine: &Machine) -> (i32, Duration) {
    let run = Client::new(machine, "sms").user("alice").answer(OUTBOX).run();
    (run.result, run.elapsed)
}

#[test]
fn the_next_server_is_asked_and_the_deadline_holds() {
    let two = "['ldap://127.0.0.1:1389', 'ldaps://localhost']";
    let table = LDAPS.replace("'ldaps://localhost'", two) + "timeout = '2s'\n";
    let (machine, log) = machine(&table);
    let slapd = Slapd::start(&machine, &person("alice", MOBILE));
    // Nobody is at the first.
    let (result, elapsed) = alice(&machine);
    assert_eq!(result, SUCCESS, "{:#?}", log.lines());
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    log.wait_for("event=warning reason=\"ldap://127.0.0.1:1389: connect: Connection refused");
    // It takes connections and never says a word.
    log.clear();
    let _silent = TcpListener::bind("127.0.0.1:1389").unwrap();
    let (result, elapsed) = alice(&machine);
    assert_eq!(result, SUCCESS, "{:#?}", log.lines());
    assert!(
        elapsed > Duration::from_millis(900) && elapsed < Duration::from_secs(2),
        "{elapsed:?}"
    );
    log.wait_for("ldap://127.0.0.1:1389: does not answer in time");
    // Neither answers.
    drop(slapd);
    let _other = TcpListener::bind("127.0.0.1:636").unwrap();
    let (result, elapsed) = alice(&machine);
    assert_eq!(result, SERVICE_ERR, "{:#?}", log.lines());
    assert!(elapsed < Duration::from_millis(2_500), "{elapsed:?}");
    log.wait_for("ldaps://localhost: does not answer in time");
}

#[test]
fn a_directory_is_killed_and_comes_back_in_the_middle_of_logins() {
    let (machine, log) = machine(LDAPS);
    let mut slapd = Slapd::start(&machine, &person("alice", MOBILE));
    for _ in 0..3 {
        let crowd: Vec<_> = (0..6)
            .map(|_| Client::new(&machine, "sms").user("alice").answer(OUTBOX).spawn())
            .collect();
        slapd.kill();
        for client in crowd {
            let result = client.finish().result;
            // Never "not enrolled": what was lost on the way is an error.
            assert!([SUCCESS, SERVICE_ERR].contains(&result), "{result}: {:#?}", log.lines());
        }
        assert_eq!(alice(&machine).0, SERVICE_ERR);
        slapd.start_again(&machine);
        assert_eq!(alice(&machine).0, SUCCESS, "{:#?}", log.lines());
    }
    assert!(!log.lines().iter().any(|line| line.contains("event=unenrolled")));
}

#[test]
fn who_speaks_to_a_directory_is_not_root() {
    let (machine, _log) = machine(LDAPS);
    drop(Slapd::start(&machine, ""));
    let silent = TcpListener::bind("127.0.0.1:636").unwrap();
    let login = Client::new(&machine, "sms").user("alice").answer(OUTBOX).spawn();
    let line = silent.accept().unwrap();
    let helpers = || {
        let all = machine.processes().into_iter();
        let ours = all.filter(|(_, line)| line.trim_end() == "/usr/libexec/pam-sms-helper");
        ours.map(|(pid, _)| Process(pid)).collect::<Vec<_>>()
    };
    // Nor does it hold the line that its parent answers on: the module would wait for it, too.
    let held: Vec<_> = helpers().into_iter().map(Process::sockets).collect();
    let is_shared = |socket: &String| held.iter().all(|one| one.contains(socket));
    assert!(held.len() == 2 && held.iter().all(|one| one.len() >= 2), "{held:?}");
    assert!(!held[0].iter().any(is_shared), "{held:?}");
    let mut uids: Vec<_> = helpers().into_iter().map(|helper| helper.status("Uid")).collect();
    uids.sort();
    assert_eq!(uids, ["0 0 0 0", "60900 60900 60900 60900"]);
    for helper in helpers().iter().filter(|helper| helper.status("Uid") != "0 0 0 0") {
        for row in ["CapPrm", "CapEff"] {
            assert_eq!(helper.status(row), "0000000000000000", "{row}");
        }
        assert_eq!(helper.status("NoNewPrivs"), "1");
        assert_eq!(helper.status("Seccomp"), "2", "it is in no jail");
        let theirs =
            helper.descriptors().into_iter().filter(|(_, what)| what.contains(".password"));
        assert_eq!(theirs.count(), 0);
    }
    drop((line, silent));
    assert_eq!(login.finish().result, SERVICE_ERR);
    wait_until("the helpers to be gone", || helpers().is_empty().then_some(()));
}

#[test]
fn a_server_that_talks_nonsense_or_without_end_is_an_error_in_time() {
    let table = LDAPS.replace("ldaps://localhost", "ldap://127.0.0.1:1389") + "timeout = '3s'\n";
    let (machine, log) = machine(&table);
    drop(Slapd::start(&machine, ""));
    let endless: &[u8] = b"0\x84\x7f\xff\xff\xff\x02\x01\x01";
    for (nonsense, is_endless) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], false),
        (b"0\x00", false),
        (b"0\x05\x02\x01\x01\xa0\x00", false),
        (b"0\x0c\x02\x01\x01a\x07\x0a\x01\x00\x04\x00\x04\x00", true),
        (&[0x30, 0x80].repeat(20_000), false),
        (endless, true),
    ] {
        let server = TcpListener::bind("127.0.0.1:1389").unwrap();
        let bytes = nonsense.to_vec();
        // The others are seen to be nonsense before that.
        let bytes_of_one_answer = nonsense == endless;
        let talk = thread::spawn(move || {
            let (mut line, _) = server.accept().unwrap();
            let _ = line.write_all(&bytes);
            while is_endless && line.write_all(&[0; 65_536]).is_ok() {}
        });
        log.clear();
        let (result, elapsed) = alice(&machine);
        assert_eq!(result, SERVICE_ERR, "{nonsense:?}: {:#?}", log.lines());
        assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
        log.wait_for("event=error reason=\"[users.ldap]: ");
        if bytes_of_one_answer {
            log.wait_for("ldap://127.0.0.1:1389: says more than anybody's entry can hold");
            assert!(elapsed < Duration::from_secs(2), "{elapsed:?}: it was listened to");
        }
        talk.join().unwrap();
    }
}

#[test]
fn of_an_answer_no_more_is_taken_in_than_a_person_can_need() {
    let (machine, log) = machine(&format!("{LDAPS}cache = '1d'\n"));
    let numbers = |count: usize| -> String {
        (0..count).map(|n| format!("mobile: +49151{n:08}\n")).collect()
    };
    let slapd = Slapd::start(&machine, &person("alice", numbers(5_000).trim_end()));
    assert_eq!(alice(&machine).0, SUCCESS, "{:#?}", log.lines());
    log.wait_for("only 4 numbers count");
    // It is told good-bye, and not only hung up on.
    log.wait_for("UNBIND");
    drop(slapd);
    let _slapd = Slapd::start(&machine, &person("alice", numbers(20_000).trim_end()));
    log.clear();
    // It was asked, so the last good answer is not taken for its own.
    let (result, elapsed) = alice(&machine);
    assert_eq!(result, SERVICE_ERR, "{:#?}", log.lines());
    log.wait_for("ldaps://localhost: says more than anybody's entry can hold");
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}
