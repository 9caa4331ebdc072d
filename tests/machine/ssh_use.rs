//! What people do with ssh besides a shell: copies, single commands, scripts.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::machine::{ALICE_PASSWORD, Machine, Sshd};
use crate::support::person::Person;

const AT: &str = "alice@127.0.0.1";

fn machine() -> (Machine, Sshd) {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam_example("sshd-password");
    // scp and sftp need it; what Debian's own sshd_config says.
    let sshd = machine.sshd("Subsystem sftp internal-sftp\n");
    (machine, sshd)
}

/// alice proves who she is: password, then the code of the newest message.
fn prove(alice: &mut Person) {
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    alice.type_line(outbox.lines().last().unwrap().split(' ').nth(2).unwrap());
}

/// Every byte there is, and enough of them that they do not fit into one packet.
fn cargo() -> Vec<u8> {
    (0..300_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

#[test]
fn scp_copies_a_file_there_and_back() {
    let (machine, _sshd) = machine();
    machine.file("/root/cargo", cargo(), 0o600);
    let there = format!("{AT}:/home/alice/cargo");
    let mut alice = Person::over_ssh("scp", &["-q"], &["/root/cargo", &there]);
    prove(&mut alice);
    assert_eq!(alice.gone(), 0, "{}", alice.screen());
    assert!(fs::read("/home/alice/cargo").unwrap() == cargo(), "other bytes arrived");

    let mut alice = Person::over_ssh("scp", &["-q"], &[&there, "/root/back"]);
    prove(&mut alice);
    assert_eq!(alice.gone(), 0, "{}", alice.screen());
    assert!(fs::read("/root/back").unwrap() == cargo(), "other bytes came back");
}

#[test]
fn sftp_copies_a_file() {
    let (machine, _sshd) = machine();
    machine.file("/root/cargo", cargo(), 0o600);
    let mut alice = Person::over_ssh("sftp", &["-q"], &[AT]);
    prove(&mut alice);
    alice.see("sftp> ");
    alice.type_line("put /root/cargo cargo");
    alice.see("sftp> ");
    alice.type_line("bye");
    assert_eq!(alice.gone(), 0, "{}", alice.screen());
    assert!(fs::read("/home/alice/cargo").unwrap() == cargo(), "other bytes arrived");
}

#[test]
fn a_single_command_runs_and_its_exit_status_comes_back() {
    let (_machine, _sshd) = machine();
    let mut alice = Person::over_ssh("ssh", &[], &[AT, "id -un; exit 42"]);
    prove(&mut alice);
    alice.see("alice\n");
    assert_eq!(alice.gone(), 42, "{}", alice.screen());
}

#[test]
fn a_script_that_cannot_answer_fails_at_once_and_sends_nothing() {
    let (_machine, _sshd) = machine();
    let started = Instant::now();
    let batch = Person::over_ssh("ssh", &["-o", "BatchMode=yes", "-n"], &[AT, "true"]);
    // And one that never says it is a script, but has no terminal: a job of cron.
    let options = ["-n", "-o", "StrictHostKeyChecking=no", AT, "true"];
    let cron = Person::root(&[&["setsid", "-w", "ssh", "-F", "/dev/null"], &options[..]].concat());
    for mut script in [batch, cron] {
        assert_eq!(script.gone(), 255, "{}", script.screen());
        assert!(script.screen().contains("Permission denied"), "{}", script.screen());
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap());
}
