//! The helper while it waits for a gateway that says nothing: what it may do, and what ends it.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use crate::support::gateway::{Behaviour, Gateway, account};
use crate::support::log::{Log, wait_until};
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{Client, Session};
use crate::support::person::Person;
use crate::support::process::Process;

/// The helper's user, `_pam-sms`.
const HELPERS_UID: &str = "60900 60900 60900 60900";

/// What belongs to the caller under su and sudo, and what none of it may reach: whoever sets these
/// would read the message on its way, or have code of theirs loaded.
const HOSTILE: [&str; 13] = [
    "http_proxy=http://127.0.0.1:9",
    "https_proxy=http://127.0.0.1:9",
    "HTTPS_PROXY=http://127.0.0.1:9",
    "ALL_PROXY=socks5://127.0.0.1:9",
    "SSL_CERT_FILE=/run/no-such-file",
    "SSL_CERT_DIR=/run/no-such-folder",
    "LD_PRELOAD=/run/no-such-library.so",
    "LD_LIBRARY_PATH=/run/no-such-folder",
    "GCONV_PATH=/run/no-such-folder",
    "HOSTALIASES=/run/no-such-file",
    "RES_OPTIONS=timeout:30 attempts:5",
    "RUST_LOG=trace",
    "SSLKEYLOGFILE=/run/keys",
];

fn machine(timeout: &str) -> (Machine, Gateway, Log) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine.users("alice = \"+4915123456723\"\n");
    machine.config(&format!(
        "[delivery]\ntimeout='{timeout}'\nif_unreachable='allow'\n\
         [[provider]]\nkind='clickatell'\napi_key='{}'\nbase_url='{}'\n\
         ca_file='/etc/pam-sms/ca.pem'\n",
        account::CLICKATELL_KEY,
        gateway.base_url()
    ));
    let log = machine.log();
    (machine, gateway, log)
}

/// A login whose helper waits for the answer to its request.
fn waiting(machine: &Machine, gateway: &Gateway, client: Client) -> (Session, Process) {
    gateway.behave(Behaviour::Silence);
    let session = client.user("alice").answer("stdin").spawn();
    wait_until("a request", || (!gateway.requests().is_empty()).then_some(()));
    (session, Process::helper(machine))
}

#[test]
fn trap_23_a_killed_login_takes_its_helper_along() {
    for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGHUP, libc::SIGINT] {
        let (machine, gateway, _log) = machine("60s");
        let (session, helper) = waiting(&machine, &gateway, Client::new(&machine, "sms"));
        let blocked = Process::of(&session).status("SigBlk");
        assert_eq!(blocked, "0000000000000000", "signals are blocked");

        let killed = Instant::now();
        session.signal(signal);
        assert_eq!(session.killed_by(), signal);
        wait_until("the helper's end", || (!helper.runs()).then_some(()));
        // At once, and not when the helper's own time is over.
        assert!(killed.elapsed() < Duration::from_secs(5), "{signal}: {:?}", killed.elapsed());
    }
}

#[test]
fn trap_23_sshd_gives_up_on_a_login_and_nothing_of_it_is_left() {
    let (machine, gateway, _log) = machine("60s");
    machine.pam_example("sshd-password");
    gateway.behave(Behaviour::Silence);
    let sshd = machine.sshd("LoginGraceTime 3\n");
    let mut alice = Person::ssh("alice", &[]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    wait_until("a request", || (!gateway.requests().is_empty()).then_some(()));
    let helper = Process::helper(&machine);
    // sshd's patience is over long before the gateway's: it sends SIGTERM to the process that
    // waits for us, and then waits for that.
    assert_eq!(alice.gone(), 255, "{}", alice.screen());
    wait_until("the helper's end", || (!helper.runs()).then_some(()));
    drop(sshd);
    wait_until("the end of all that sshd started", || machine.processes().is_empty().then_some(()));
}

#[test]
fn a_helper_that_nobody_speaks_to_is_ended_by_its_alarm() {
    let machine = Machine::new();
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let mut helper = machine.command("/usr/libexec/pam-sms-helper");
    let mut helper = helper.stdin(OwnedFd::from(theirs)).spawn().unwrap();
    let ended = wait_until("the alarm", || helper.try_wait().unwrap());
    assert_eq!(ended.signal(), Some(libc::SIGALRM), "{ended}");
}

#[test]
fn a_helper_started_by_hand_sends_nothing_and_is_gone() {
    let machine = Machine::new();
    machine.config("");
    // Nothing on its standard input, and a pipe that is no socket of ours.
    assert!(machine.run("/usr/libexec/pam-sms-helper", &[]).status.success());
    let piped = "echo PSMS | /usr/libexec/pam-sms-helper +4915123456723 text";
    assert!(machine.run("/bin/sh", &["-c", piped]).status.success());
    assert!(!std::fs::exists("/run/pam-sms").unwrap());
}

#[test]
fn a_helper_that_is_stopped_is_killed_in_time_and_nobody_gets_in() {
    let (machine, gateway, log) = machine("2s");
    let (session, helper) = waiting(&machine, &gateway, Client::new(&machine, "sms"));
    helper.signal(libc::SIGSTOP);
    let run = session.finish();
    assert_eq!(run.result, 3, "{:?}", log.lines());
    assert!(run.elapsed < Duration::from_secs(5), "{:?}", run.elapsed);
    log.wait_for("did not answer in time and was killed");
    assert!(!helper.runs());
}

#[test]
fn a_helper_that_is_killed_while_it_waits_lets_nobody_in() {
    let (machine, gateway, log) = machine("60s");
    let (session, helper) = waiting(&machine, &gateway, Client::new(&machine, "sms"));
    helper.signal(libc::SIGKILL);
    let run = session.finish();
    assert_eq!(run.result, 3, "{:?}", log.lines());
    log.wait_for("died without an answer");
}

#[test]
fn the_helper_has_given_up_everything_it_does_not_need() {
    let (machine, gateway, _log) = machine("60s");
    machine.file("/run/secret", "", 0o600);
    // Descriptors that are not marked close-on-exec, a folder, a mask and limits of the caller's.
    let caller = "exec 7</etc/shadow 8</run/secret 9>>/run/secret; cd /tmp; umask 0; \
                  ulimit -c unlimited; exec \"$@\"";
    let client = Client::new(&machine, "sms").under(&["/bin/sh", "-c", caller, "sh"]);
    let client = client.under(&["/usr/bin/env"]).under(&HOSTILE);
    let (session, helper) = waiting(&machine, &gateway, client);

    for (row, value) in [
        ("Uid", HELPERS_UID),
        ("Gid", HELPERS_UID),
        ("Groups", ""),
        ("CapInh", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("CapEff", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
        // A filter of system calls: the jail, of which Landlock's part has no row.
        ("Seccomp", "2"),
        ("SigBlk", "0000000000000000"),
        ("Umask", "0077"),
    ] {
        assert_eq!(helper.status(row), value, "{row}");
    }
    assert_eq!(helper.owner(), 0, "it can be dumped");
    assert_eq!(helper.limits("Max core file size"), ["0", "0"]);
    assert_eq!(helper.limits("Max file size"), ["1048576", "1048576"]);
    assert_eq!(helper.environment(), ["RES_OPTIONS=timeout:1 attempts:1"]);
    assert_eq!(helper.folder().to_str(), Some("/"));

    let open = helper.descriptors();
    let standard = [(0, "socket"), (1, "/dev/null"), (2, "/dev/null")];
    assert_eq!(open[..3], standard.map(|(number, kind)| (number, kind.to_owned())));
    // The connection, and what waiting for it takes.
    let waits = ["socket", "anon_inode:[eventpoll]", "anon_inode:[eventfd]"];
    for (number, kind) in &open[3..] {
        assert!(waits.contains(&kind.as_str()), "descriptor {number} leads to {kind}");
    }
    assert!(open.iter().filter(|(_, kind)| kind == "socket").count() <= 4, "{open:?}");

    // A session of its own: the keys of su's terminal are not for it.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", helper.0)).unwrap();
    let session_id = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
    assert_eq!(session_id, helper.0.to_string());
    drop(session);
}

#[test]
fn nothing_in_the_callers_environment_moves_the_message() {
    let (machine, gateway, log) = machine("10s");
    let client = Client::new(&machine, "sms").under(&["/usr/bin/env"]).under(&HOSTILE);
    let mut session = client.user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("event=accepted to=*23 via=clickatell");
    assert!(!std::fs::exists("/run/keys").unwrap(), "the keys of TLS were written down");
}
