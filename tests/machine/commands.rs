//! What holds for every command of `pam-sms`: who may, without a configuration, into a closed pipe.

use std::fs;
use std::process::Stdio;

use crate::support::machine::Machine;

const PROGRAM: &str = "/usr/sbin/pam-sms";
const USERS: &str = "/etc/pam-sms/users.toml";
const WRITTEN: &str = "alice = \"+4915123456723\"\nbob = \"+4915123456701\" # on call\n";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.config("");
    machine.users(WRITTEN);
    machine
}

/// What a command said on both outputs, and its exit code.
fn run(machine: &Machine, words: &[&str]) -> (String, i32) {
    let run = machine.run(PROGRAM, words);
    let said = [run.stdout, run.stderr].concat();
    (String::from_utf8(said).unwrap(), run.status.code().unwrap())
}

#[test]
fn every_command_says_what_it_does_with_an_example() {
    let machine = machine();
    let (said, code) = run(&machine, &["--help"]);
    assert!(said.contains("Exit codes: 0, it went well") && code == 0, "{said}");
    for words in [
        &["check"][..],
        &["status"],
        &["unlock"],
        &["backup-codes"],
        &["setup"],
        &["enable"],
        &["disable"],
        &["metrics"],
        &["user"],
        &["user", "set"],
        &["user", "remove"],
        &["user", "show"],
        &["user", "list"],
        &["user", "import"],
        &["send"],
        &["providers"],
        &["balance"],
        &["try"],
    ] {
        let (said, code) = run(&machine, &[words, &["--help"]].concat());
        assert_eq!(code, 0, "{words:?}");
        let example = format!("`pam-sms {}", words.join(" "));
        assert!(said.contains(&example) || words == ["user"], "{example}: {said}");
        let (said, code) = run(&machine, &[words, &["--nonsense"]].concat());
        assert!(said.starts_with("error: ") && code == 2, "{words:?}: {said}");
    }
}

#[test]
fn who_is_not_root_or_has_no_configuration_is_told_and_a_closed_pipe_is_no_panic() {
    let machine = machine();
    let commands: [&[&str]; 13] = [
        &["user", "list"],
        &["user", "show", "alice"],
        &["user", "set", "alice", "+4915123456789"],
        &["user", "remove", "alice"],
        &["user", "import", "/etc/passwd"],
        &["send", "alice"],
        &["balance"],
        &["try", "alice"],
        &["backup-codes", "alice"],
        &["status"],
        &["unlock", "alice"],
        &["metrics"],
        &["enable", "sshd", "--yes"],
    ];
    for words in commands {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM];
        let run = machine.run("/usr/bin/setpriv", &[&nobody[..], words].concat());
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(said, "error: only root may do this: run it with sudo\n", "{words:?}");
        assert_eq!(run.status.code(), Some(1));
    }
    assert_eq!(fs::read_to_string(USERS).unwrap(), WRITTEN);
    for words in [
        &["user", "list"][..],
        &["check"],
        &["status"],
        &["metrics"],
        &["enable", "sshd", "--dry-run"],
        &["disable", "--all", "--yes"],
        &["setup", "--yes"],
        &["user", "show", "bob"],
        &["providers"],
        &["providers", "smsc"],
        &["unlock", "alice"],
        &["backup-codes", "alice"],
        &["user", "set", "root", "+14155550123"],
        &["user", "set", "alice", "0"],
        &["send", "bob", "--dry-run"],
        &["balance"],
    ] {
        // The reader is gone before anything is said.
        let mut command = machine.command(PROGRAM);
        command.args(words).stdout(broken_pipe(&machine)).stderr(Stdio::piped());
        let run = command.output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(!said.contains("panic"), "{words:?}: {said}");
        assert!(matches!(run.status.code(), Some(0 | 1)), "{words:?}: {:?}", run.status);
        // And where nobody hears of errors, either.
        let mut command = machine.command(PROGRAM);
        command.args(words).stdout(Stdio::null()).stderr(broken_pipe(&machine));
        assert!(matches!(command.status().unwrap().code(), Some(0 | 1)), "{words:?}");
    }
    fs::remove_file("/etc/pam-sms/config.toml").unwrap();
    for words in commands {
        let (said, code) = run(&machine, words);
        let wanted = "error: /etc/pam-sms/config.toml: does not exist";
        assert!(said.starts_with(wanted) && code == 1, "{words:?}: {said}");
    }
}

/// A pipe that nobody reads any more.
fn broken_pipe(machine: &Machine) -> Stdio {
    let mut reader = machine.command("/bin/true").stdin(Stdio::piped()).spawn().unwrap();
    let writer = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    writer.into()
}
