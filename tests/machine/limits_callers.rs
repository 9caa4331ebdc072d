//! Traps 4 and 15: state that many processes change, and callers who own the process that does it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::books::{Books, LIB, RUN, code_for};
use crate::support::example;
use crate::support::log::{Log, wait_until};
use crate::support::machine::{BOB_PASSWORD, Machine};
use crate::support::pam::{ANY_PASSWORD, Client};
use crate::support::person::Person;
use crate::support::process::Process;

const SUCCESS: i32 = 0;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const ALICE: &str = "+4915123456723";
const BOB: &str = "+4915123456789";

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config("");
    machine.users(&format!("alice = '{ALICE}'\nbob = '{BOB}'\n"));
    machine.pam_example("su");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

#[test]
fn trap_4_two_thousand_increments_by_eight_processes_are_two_thousand() {
    const LIMITS: [&str; 5] = [
        "sends_per_user = '1000/1h'",
        "sends_per_number = '10000/1h'",
        "sends_per_host = '10000/1h'",
        "requests_per_user = '1000/1h'",
        "sends_per_user_day = 250",
    ];
    let (machine, _log) = machine();
    let users: Vec<_> = (1..=8).map(|index| format!("person{index}")).collect();
    let mut processes: Vec<_> = users
        .iter()
        .enumerate()
        .map(|(index, user)| {
            // Half of them were started by somebody else, so they keep their books in a child.
            let before: &[&str] =
                if index % 2 == 0 { &[] } else { &["/usr/bin/setpriv", "--ruid", "alice"] };
            let program = example("reserve");
            let words = [before, &[program.to_str().unwrap(), user, ALICE, "250"], &LIMITS];
            let words = words.concat();
            let mut command = machine.command(words[0]);
            let command = command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let begun = Instant::now();
    for process in &mut processes {
        drop(process.stdin.take());
    }
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "250\n", "{output:?}");
    }
    println!("2000 messages reserved by 8 processes in {:?}", begun.elapsed());

    let count = |file: &str| {
        let text = fs::read_to_string(file).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("sends ")).unwrap().to_owned();
        line.split(' ').count()
    };
    assert_eq!(count("/run/pam-sms/host.state"), 2000);
    let names = fs::read_dir(RUN).unwrap().flatten().map(|entry| entry.path());
    let numbers: Vec<_> = names
        .filter(|path| path.to_str().is_some_and(|path| path.contains("/number-")))
        .filter(|path| path.extension().is_some_and(|kind| kind == "state"))
        .collect();
    // One key was made, though eight were about to.
    let [number] = &numbers[..] else { panic!("one number, many files: {numbers:?}") };
    assert_eq!(count(number.to_str().unwrap()), 2000);
    let books = Books::new(&LIMITS.join("\n"));
    for user in users {
        assert_eq!(books.standing(&user).sends.0, 250, "{user}");
    }
    all_files_are_roots_alone();
}

/// Every file and folder of the state.
fn all_files_are_roots_alone() {
    for folder in [RUN, LIB] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let meta = fs::metadata(folder).unwrap();
        assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o700, 0, 0), "{folder}");
        for path in entries.flatten().map(|entry| entry.path()) {
            let meta = path.metadata().unwrap();
            let found = (meta.mode() & 0o7777, meta.uid(), meta.gid());
            assert_eq!(found, (0o600, 0, 0), "{path:?}");
        }
    }
}

/// What a caller may do to a process, said by the kernel: the exit status and the words of kill.
fn kill_by_alice(signal: &str, pid: i32) -> (i32, String) {
    let mut alice = Person::alice(&["sh", "-c", &format!("kill -{signal} {pid}")]);
    (alice.gone(), alice.screen())
}

/// The process with this command line whose real user is root.
fn child_of_root(machine: &Machine, words: &str) -> Process {
    wait_until("a child of root's", || {
        let all = machine.processes().into_iter().filter(|(_, line)| line.trim_end() == words);
        all.map(|(pid, _)| Process(pid)).find(|process| {
            let status = fs::read_to_string(format!("/proc/{}/status", process.0));
            status.is_ok_and(|status| status.contains("\nUid:\t0\t0\t0\t0\n"))
        })
    })
}

#[test]
fn trap_15_a_caller_of_su_can_stop_su_and_not_what_holds_the_lock() {
    let (machine, log) = machine();
    let mut alice = Person::alice(&["su", "bob"]);
    alice.see("Password:");
    let su = wait_until("su", || {
        let all = machine.processes();
        all.iter().find(|(_, line)| line.trim_end() == "su bob").map(|(pid, _)| *pid)
    });
    assert_eq!(Process(su).status("Uid"), "61001 0 0 0", "su is alice's");
    // Root's own tool holds the child up as soon as it asks for the lock, which it then gets.
    let mut tracer = machine.command("/usr/bin/strace");
    tracer.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock"]);
    tracer.args(["-e", "inject=flock:signal=STOP:when=1", "-p", &su.to_string()]);
    let mut tracer = tracer.spawn().unwrap();
    wait_until("a tracer", || (Process(su).status("TracerPid") != "0").then_some(()));
    alice.type_line(BOB_PASSWORD);
    let child = child_of_root(&machine, "su bob");
    wait_until("a child that stands still", || {
        child.status("State").starts_with(['t', 'T']).then_some(())
    });
    assert_ne!(child.0, su);
    assert_eq!(child.status("Gid"), "0 0 0 0");
    let session = |process: i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().to_owned()
    };
    assert_eq!(session(child.0), child.0.to_string(), "the terminal's keys are not for it");

    // She may stop su, which is hers, and so also its patience with the child.
    assert_eq!(kill_by_alice("STOP", su), (0, String::new()));
    for signal in ["STOP", "KILL", "TERM", "XCPU", "0"] {
        let (status, said) = kill_by_alice(signal, child.0);
        assert_ne!(status, 0, "alice may send {signal}");
        assert!(said.contains("not permitted"), "{signal}: {said}");
    }
    // Let go, the child finishes its work and the lock is free, though su stands still.
    child.signal(libc::SIGCONT);
    wait_until("the end of the child", || (!child.runs()).then_some(()));
    assert!(Process(su).status("State").starts_with(['t', 'T']), "{}", Process(su).status("State"));
    let begun = Instant::now();
    let run = Client::new(&machine, "sms").user("bob").answer(OUTBOX).run();
    assert_eq!(run.result, SUCCESS, "{:#?}", log.lines());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(log.ours().iter().all(|line| !line.contains("holds the lock")), "{:#?}", log.ours());
    // What the child reserved for su stays counted, whatever becomes of su.
    assert_eq!(Books::new("").standing("bob").sends.0, 1);
    let _ = tracer.kill();
    let _ = tracer.wait();
    assert_eq!(kill_by_alice("KILL", su).0, 0);
}

/// What a caller may set before they start su, and whether root may always undo it: a hard limit
/// is only lifted by who has CAP_SYS_RESOURCE, which a container may lack.
const HOSTILE: [(&str, bool); 7] = [
    ("umask 0777", true),
    ("umask 0777; ulimit -S -f 0; ulimit -S -n 8", true),
    ("trap '' XFSZ CHLD PIPE TERM HUP ALRM; umask 0; ulimit -S -f 0; ulimit -S -v 500000", true),
    ("ulimit -f 0", false),
    ("umask 0777; ulimit -f 0", false),
    ("umask 0777; ulimit -n 8; ulimit -u 1", false),
    ("trap '' XFSZ CHLD PIPE TERM HUP ALRM; umask 0; ulimit -f 0; ulimit -c unlimited", false),
];

#[test]
fn trap_15_what_a_caller_of_su_sets_spoils_no_file_and_leaves_no_try_uncounted() {
    for (hostile, can_be_undone) in HOSTILE {
        let (machine, log) = machine();
        let mut alice = Person::alice(&["sh", "-c", &format!("{hostile}; exec su bob")]);
        alice.see("Password:");
        alice.type_line(BOB_PASSWORD);
        // Where root may lift the limits the code is asked for; where it may not, nobody gets in.
        let asked = log.wait_for("user=bob").contains("event=sent");
        assert!(asked || !can_be_undone, "{hostile}: {:#?}", log.lines());
        if asked {
            alice.see("or ? for help: ");
            alice.type_line("12345");
            alice.see("2 tries left.");
            alice.type_line("54321");
            alice.see("One try left");
            // She goes away, as one who has run out of guesses would.
            alice.see("or ? for help: ");
            alice.type_keys("\x04");
        }
        assert_ne!(alice.gone(), 0, "{hostile}: {}", alice.screen());
        let lines = log.ours();
        let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        let standing = Books::new("").standing("bob");
        assert_eq!(standing.failures.0, count("tries="), "{hostile}: {lines:#?}");
        assert_eq!(standing.failures_total.0 as usize, count("tries="), "{hostile}: {lines:#?}");
        assert!(standing.sends.0 >= count("event=sent"), "{hostile}: {lines:#?}");
        assert_eq!(count("event=warning") + count("event=failopen"), 0, "{hostile}: {lines:#?}");
        println!("{hostile}: {}", if asked { "asked" } else { "denied" });
        all_files_are_roots_alone();

        // And those who come after get in, with the same files.
        let run = Client::new(&machine, "sms").user("bob").answer(OUTBOX).run();
        assert_eq!(run.result, SUCCESS, "{hostile}: {:#?}", log.lines());
        let mut alice = Person::alice(&["sh", "-c", &format!("{hostile}; exec su bob")]);
        alice.see("Password:");
        alice.type_line(BOB_PASSWORD);
        if asked {
            alice.see("or ? for help: ");
            alice.type_line(&code_for(BOB));
            log.wait_for("pam_sms(su:auth): event=accepted");
        }
        all_files_are_roots_alone();
    }
}

/// root's own habits may be as strange, and there is no child then.
#[test]
fn trap_15_files_are_good_whatever_the_umask_of_root() {
    for umask in ["0777", "0"] {
        let (machine, log) = machine();
        let shell = ["/bin/sh", "-c", &format!("umask {umask}; exec \"$0\" \"$@\"")];
        let client = Client::new(&machine, "sms").under(&shell).user("bob");
        let run = client.answer("text:12345").answer(OUTBOX).run();
        assert_eq!(run.result, SUCCESS, "{umask}: {:#?}", log.lines());
        all_files_are_roots_alone();
    }
}

/// alice's, as su is, and with what she may set before.
const STARVED: [&str; 3] =
    ["/bin/sh", "-c", "umask 0777; ulimit -S -f 0; exec setpriv --ruid alice \"$0\" \"$@\""];

/// The first thing that is ever kept is the key that conceals numbers, and a rehearsal needs it too.
#[test]
fn trap_15_a_rehearsal_does_its_work_where_the_caller_cannot_end_it() {
    let (machine, log) = machine();
    machine.config("[policy]\nobserve_until = 2999-12-31\n");
    let run = Client::new(&machine, "sms").under(&STARVED).user("bob").answer("null").run();
    // PAM_IGNORE of ours before a pam_permit.
    assert_eq!(run.result, SUCCESS, "{:#?}", log.lines());
    log.wait_for("event=observed would=ask to=*89 user=bob");
    assert!(fs::exists("/run/pam-sms/key.state").unwrap());
    all_files_are_roots_alone();
}

#[test]
fn trap_15_a_number_that_somebody_gives_at_a_login_is_kept_by_the_child_too() {
    let (machine, log) = machine();
    machine.config("[users]\nunenrolled = 'enrol'\n");
    machine.users(&format!("alice = '{ALICE}'\n"));
    machine.pam(
        "sms",
        &format!(
            "{ANY_PASSWORD}auth requisite pam_sms.so\nauth required pam_permit.so\n\
             account required pam_sms.so\naccount required pam_permit.so\n"
        ),
    );
    let client = Client::new(&machine, "sms").under(&STARVED).user("bob").authtok("any");
    let run = client.flag("--acct").answer(&format!("text:{BOB}")).answer(OUTBOX).run();
    assert_eq!((run.result, run.acct), (SUCCESS, Some(SUCCESS)), "{:#?}", log.lines());
    log.wait_for("event=enrolled");
    let kept = fs::read_to_string("/var/lib/pam-sms/enrolled-bob.state").unwrap();
    assert!(kept.contains(BOB), "{kept}");
    all_files_are_roots_alone();
}
