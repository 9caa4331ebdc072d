//! Trap 25: PAM_SILENT, and logs that are gone, full or something else.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use crate::support::machine::Machine;
use crate::support::pam::{Client, Run};

const SUCCESS: i32 = 0;
const AUTH_ERR: i32 = 7;
const MAXTRIES: i32 = 11;

const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";
const LOG: &str = "/dev/log";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    for service in ["sms", "sshd"] {
        machine.pam(service, "auth requisite pam_sms.so debug\nauth required pam_permit.so\n");
    }
    machine
}

fn login(machine: &Machine, answer: &str) -> Run {
    Client::new(machine, "sms").user("alice").answer(answer).run()
}

#[test]
fn trap_25_silence_drops_information_and_keeps_prompts() {
    let machine = machine();
    let client = |service: &str| Client::new(&machine, service).user("alice").answer(OUTBOX);
    let loud = client("sshd").run();
    assert_eq!(loud.infos, ["A code goes to the phone ending in 23."]);
    let silent = client("sshd").flag("--silent").run();
    assert_eq!((silent.result, silent.infos), (SUCCESS, Vec::new()));
    assert_eq!(silent.prompts.len(), 1);
    assert!(silent.prompts[0].starts_with("SMS sent to the phone ending in 23.\nReference: "));

    // Last words are a message where they need no prompt.
    let client = |service: &str| Client::new(&machine, service).user("alice").answer(WRONG);
    assert_eq!(
        client("sms").run().errors,
        ["Too many wrong codes. This login ends.\nLog in again for a new code."]
    );
    let silent = client("sms").flag("--silent").run();
    assert_eq!((silent.result, silent.errors, silent.infos), (MAXTRIES, Vec::new(), Vec::new()));
    assert_eq!(silent.prompts.len(), 3);
}

/// A log whose reader has stopped reading, and which is full.
fn full_log() -> UnixDatagram {
    let reader = UnixDatagram::bind(LOG).unwrap();
    let writer = UnixDatagram::unbound().unwrap();
    writer.set_nonblocking(true).unwrap();
    writer.connect(LOG).unwrap();
    while writer.send(b"noise").is_ok() {}
    reader
}

#[test]
fn trap_25_no_log_changes_a_verdict_or_holds_up_a_login() {
    // Each makes what stands at /dev/log, and hands over what keeps it alive.
    type Make = fn() -> Option<OwnedFd>;
    let logs: [(&str, Make); 6] = [
        ("missing", || None),
        ("full", || Some(full_log().into())),
        ("nobody's any more", || {
            drop(UnixDatagram::bind(LOG).unwrap());
            None
        }),
        ("of another kind", || Some(UnixListener::bind(LOG).unwrap().into())),
        ("a file", || {
            fs::write(LOG, "").unwrap();
            None
        }),
        ("a link to itself", || {
            symlink(LOG, LOG).unwrap();
            None
        }),
    ];
    for (what, make) in logs {
        let machine = machine();
        // As many lines as one login can write.
        machine.config("[code]\nattempts = 10\n");
        let _kept = make();
        for (user, answer, result) in
            [("alice", OUTBOX, SUCCESS), ("alice", WRONG, MAXTRIES), ("bob", "null", AUTH_ERR)]
        {
            let run = Client::new(&machine, "sms").user(user).answer(answer).run();
            assert_eq!(run.result, result, "the log is {what}");
            let bound = Duration::from_secs(2);
            assert!(run.elapsed < bound, "the log is {what}: {:?}", run.elapsed);
        }
        if what == "a file" {
            assert_eq!(fs::read(LOG).unwrap(), b"", "what is no log was written to");
        }
    }
}

#[test]
fn a_log_that_comes_back_is_written_to_again() {
    let machine = machine();
    assert_eq!(login(&machine, OUTBOX).result, SUCCESS);
    let log = machine.log();
    assert_eq!(login(&machine, OUTBOX).result, SUCCESS);
    log.wait_for("event=accepted");
}
