//! Whole logins as people see them.

use std::fs;
use std::process::Command;

use crate::support::example;
use crate::support::machine::{ALICE_PASSWORD, BOB_PASSWORD, Machine};
use crate::support::person::Person;

const USERS: &str = "alice = \"+4915123456723\"\nbob = \"+4915123456789\"\n";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.config("");
    machine.users(USERS);
    machine
}

/// The code of the last message in the outbox.
fn code() -> String {
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    let text = outbox.lines().last().unwrap().split(' ').nth(2).unwrap();
    text.to_owned()
}

#[test]
fn ssh_with_password_and_code() {
    let machine = machine();
    machine.pam_example("sshd-password");
    let log = machine.log();
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.");
    alice.see("or ? for help: ");
    alice.type_line("wrong");
    alice.see("2 tries left.");
    alice.see("or ? for help: ");
    let code = code();
    alice.type_line(&code);
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    let line = log.wait_for("event=accepted");
    assert!(line.contains("pam_sms(sshd:auth): event=accepted rhost=127.0.0.1 to=*23"), "{line}");
    let digits = &code[3..];
    assert!(log.lines().iter().all(|line| !line.contains(digits)), "the code is in the log");
    assert!(log.lines().iter().all(|line| !line.contains("5123456")), "a number is in the log");
}

#[test]
fn ssh_with_key_and_code() {
    let machine = machine();
    machine.pam_example("sshd-key");
    let key = machine.ssh_key("alice");
    let _sshd = machine.sshd("AuthenticationMethods publickey,keyboard-interactive\n");
    let mut alice = Person::ssh(
        "alice",
        &[
            "-i",
            &key,
            "-o",
            "PreferredAuthentications=publickey,keyboard-interactive",
            "-o",
            "RemoteCommand=echo in-as-$(id -un)",
        ],
    );
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
}

#[test]
fn a_wrong_password_sends_nothing() {
    let machine = machine();
    machine.pam_example("sshd-password");
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &[]);
    alice.see("Password:");
    alice.type_line("looking-glass");
    assert_ne!(alice.gone(), 0);
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap());
}

#[test]
fn sudo_and_su_ask_for_a_code() {
    let machine = machine();
    machine.pam_example("sudo");
    machine.pam_example("su");
    let mut alice = Person::sudo(&["id", "-un"]);
    alice.see("assword");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.");
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("root");
    assert_eq!(alice.gone(), 0);

    let mut alice = Person::su("bob");
    alice.see("Password:");
    alice.type_line(BOB_PASSWORD);
    alice.see("SMS sent to the phone ending in 89.");
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("$ ");
    alice.type_line("id -un");
    alice.see("bob");
    alice.type_line("exit");
    alice.gone();
}

#[test]
fn trap_20_method_password_sends_nothing() {
    let machine = machine();
    machine.pam_example("sshd-password");
    let log = machine.log();
    let _sshd = machine.sshd("PasswordAuthentication yes\n");
    let mut alice = Person::ssh("alice", &["-o", "PreferredAuthentications=password"]);
    alice.see("password:");
    alice.type_line(ALICE_PASSWORD);
    assert_ne!(alice.gone(), 0);
    log.wait_for("method `password` cannot ask");
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap());
}

#[test]
fn trap_1_no_outage_opens_su_whose_caller_could_make_one() {
    let machine = machine();
    // Nobody listens there.
    machine.config(
        "[delivery]\nif_unreachable = 'allow'\n[[provider]]\nkind = 'smsc'\nlogin = 'acme'\n\
         password = 'x'\nbase_url = 'https://127.0.0.1:1'\n",
    );
    machine.pam_example("su");
    let log = machine.log();
    let mut alice = Person::su("bob");
    alice.see("Password:");
    alice.type_line(BOB_PASSWORD);
    assert_ne!(alice.gone(), 0);
    log.wait_for("event=undeliverable to=*89");
    assert!(log.ours().iter().all(|line| !line.contains("event=failopen")), "{:?}", log.ours());
}

/// Nothing but the standard descriptors, so that su itself has just enough.
const CRAMPED: &str = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 6; exec su bob";

#[test]
fn trap_1_a_caller_who_runs_us_out_of_files_gains_nothing() {
    let machine = machine();
    machine.config("[delivery]\nif_unreachable = 'allow'\n");
    machine.pam_example("su");
    let log = machine.log();
    let mut alice = Person::alice(&["sh", "-c", CRAMPED]);
    alice.see("Password:");
    alice.type_line(BOB_PASSWORD);
    // Where root may lift the limit the code is asked for; where it may not (no CAP_SYS_RESOURCE)
    // nobody gets in. What must not happen is that it looks like an outage of the provider.
    if log.wait_for("user=bob").contains("event=sent") {
        alice.see("or ? for help: ");
        alice.type_keys("\x04");
    }
    assert_ne!(alice.gone(), 0);
    assert!(log.ours().iter().all(|line| !line.contains("event=failopen")), "{:?}", log.ours());
}

#[test]
fn the_demo_shell_takes_a_login_by_hand_and_leaves_nothing_behind() {
    let inhabitants = |machine: &std::path::PathBuf| {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let all = all.map(|entry| entry.path().join("ns/mnt"));
        all.filter(|door| fs::read_link(door).is_ok_and(|mounts| mounts == *machine)).count()
    };
    for is_patient in [true, false] {
        let mut person = Person::at(Command::new(example("demo-shell")));
        person.see("nsenter --target ");
        let pid = person.see(" --mount");
        let door = format!("/proc/{pid}/ns/mnt");
        let mounts = fs::read_link(&door).unwrap();
        // As long as it is open its number is no other machine's.
        let _door = fs::File::open(&door).unwrap();
        person.see("Password:");
        person.type_line(ALICE_PASSWORD);
        // The prompt and the phone do not wait for each other.
        let mut shown = person.see("or ? for help: ");
        if !shown.contains("is your login code") {
            shown = person.see(" is your login code");
        }
        let (_, code) = shown.split_once("On the phone:  ").unwrap();
        let code = code.split(' ').next().unwrap();
        if is_patient {
            person.type_line(code);
            person.see("$ ");
            person.type_line("echo in-as-$(id -un)");
            person.see("in-as-alice");
            person.type_line("exit");
            person.see("event=accepted");
        } else {
            assert!(inhabitants(&mounts) > 0);
            person.interrupt_ssh();
        }
        assert_eq!(person.gone(), 0, "{}", person.screen());
        assert_eq!(inhabitants(&mounts), 0);
    }
}
