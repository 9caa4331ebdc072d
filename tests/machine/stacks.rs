//! Trap 11: what the example stacks make of our answers. `ignore` in the wrong place denies
//! everyone, a failure in the wrong place lets everyone in.

use std::fs;
use std::path::Path;

use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine, NO_LIMITS};
use crate::support::pam::{Client, Run};
use crate::support::person::Person;

const SUCCESS: i32 = 0;
const PERM_DENIED: i32 = 6;
const MAXTRIES: i32 = 11;

/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";

/// Every example, the service it is for, and whether the stack asks for a password itself.
const EXAMPLES: [(&str, &str, bool); 5] = [
    ("login", "login", true),
    ("sshd-key", "sshd", false),
    ("sshd-password", "sshd", true),
    ("su", "su", true),
    ("sudo", "sudo", true),
];

/// All codes that pam_debug can answer with, success and those that count as it left out.
const FAILURES: [&str; 27] = [
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
];

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("[users]\nunenrolled = 'skip'\n{NO_LIMITS}"));
    machine.users("alice = \"+4915123456723\"\n");
    let log = machine.log();
    (machine, log)
}

/// Installs an example; pam_unix without the two seconds it waits after every denial.
fn install(machine: &Machine, example: &str, service: &str, change: impl Fn(&str) -> String) {
    machine.pam_example(example);
    let path = Path::new("/etc/pam.d").join(service);
    let stack = fs::read_to_string(path).unwrap();
    machine.pam(service, &change(&stack));
    // Wrong passwords are tried often here, and each would cost two seconds.
    let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
    if !common.contains("nodelay") {
        machine.pam("common-auth", &common.replace("pam_unix.so", "pam_unix.so nodelay"));
    }
}

/// A login by someone whose real uid is alice's: su lets root pass.
fn login(machine: &Machine, service: &str, user: &str, password: &str, answer: &str) -> Run {
    Client::new(machine, service)
        .under(&["/usr/bin/setpriv", "--ruid", "alice"])
        .user(user)
        .authtok(password)
        .answer(answer)
        .flag("--setcred")
        .run()
}

#[test]
fn no_example_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pam.d-example");
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, EXAMPLES.map(|(name, ..)| name));
}

#[test]
fn trap_11_with_any_module_in_our_place_failures_deny_and_ignore_is_neutral() {
    let (machine, _log) = machine();
    for (example, service, asks) in EXAMPLES {
        let answering = |code: &str| {
            install(&machine, example, service, |stack| {
                let ours = format!("pam_sms.so services={service}");
                assert_eq!(stack.matches(&ours).count(), 1, "{example} names us once");
                stack.replace(&ours, &format!("pam_debug.so auth={code}"))
            });
        };
        for code in FAILURES {
            answering(code);
            let run = login(&machine, service, "alice", ALICE_PASSWORD, "null");
            assert_ne!(run.result, SUCCESS, "{example} lets in after {code}");
        }
        for code in ["success", "ignore"] {
            answering(code);
            let run = login(&machine, service, "alice", ALICE_PASSWORD, "null");
            assert_eq!((run.result, run.setcred), (SUCCESS, Some(0)), "{example} after {code}");
            if asks {
                let run = login(&machine, service, "alice", "looking-glass", "null");
                assert_ne!(run.result, SUCCESS, "{example} lets in after {code}");
                assert_eq!(run.prompts.len(), 1, "{example}: {:?}", run.prompts);
            }
        }
    }
}

#[test]
fn trap_11_with_our_own_answers_too() {
    let (machine, log) = machine();
    for (example, service, _) in EXAMPLES {
        install(&machine, example, service, str::to_owned);
        let run = login(&machine, service, "alice", ALICE_PASSWORD, OUTBOX);
        assert_eq!((run.result, run.setcred), (SUCCESS, Some(0)), "{example}: {:?}", log.lines());
        let run = login(&machine, service, "alice", ALICE_PASSWORD, WRONG);
        assert_eq!(run.result, MAXTRIES, "{example}: {:?}", log.lines());
        // bob has no number, and `unenrolled = "skip"`.
        let run = login(&machine, service, "bob", "marmalade", "null");
        assert_eq!((run.result, run.setcred), (SUCCESS, Some(0)), "{example}: {:?}", log.lines());
        log.wait_for(&format!("pam_sms({service}:auth): event=unenrolled then=skip user=bob"));
    }
}

#[test]
fn trap_11_alone_in_a_stack_nobody_is_let_in_for_being_ignored() {
    let (machine, log) = machine();
    machine.pam("sms", "auth requisite pam_sms.so\n");
    assert_eq!(login(&machine, "sms", "alice", "", OUTBOX).result, SUCCESS);
    assert_eq!(login(&machine, "sms", "bob", "", "null").result, PERM_DENIED);
    log.wait_for("event=unenrolled then=skip user=bob");
    machine.pam("sms", "auth requisite pam_sms.so services=sshd\n");
    assert_eq!(login(&machine, "sms", "alice", "", OUTBOX).result, PERM_DENIED);
}

#[test]
fn trap_11_the_stack_for_keys_lets_nobody_in_without_a_key() {
    let (machine, log) = machine();
    machine.pam_example("sshd-key");
    let key = machine.ssh_key("bob");
    let _sshd = machine.sshd("AuthenticationMethods publickey,keyboard-interactive\n");
    let methods = "PreferredAuthentications=publickey,keyboard-interactive";
    let mut bob = Person::ssh("bob", &["-o", methods]);
    assert_eq!(bob.gone(), 255, "{}", bob.screen());
    assert_eq!(log.ours(), Vec::<String>::new(), "asked before there was a key");

    let shows_who = ["-i", &key, "-o", methods, "-o", "RemoteCommand=echo in-as-$(id -un)"];
    let mut bob = Person::ssh("bob", &shows_who);
    bob.see("in-as-bob");
    assert_eq!(bob.gone(), 0, "{}", bob.screen());
    log.wait_for("event=unenrolled rhost=127.0.0.1 then=skip user=bob");
}

#[test]
fn the_console_asks_for_a_code() {
    let (machine, log) = machine();
    machine.pam_example("login");
    let mut alice = Person::root(&["/bin/login", "alice"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.");
    alice.see("or ? for help: ");
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    alice.type_line(outbox.trim_end().split(' ').nth(2).unwrap());
    alice.see("$ ");
    alice.type_line("echo in-as-$(id -un)");
    alice.see("in-as-alice");
    alice.type_line("exit");
    alice.gone();
    let line = log.wait_for("event=accepted");
    assert!(line.contains("pam_sms(login:auth): event=accepted"), "{line}");
}

#[test]
fn a_wrong_password_at_the_console_sends_nothing() {
    let (machine, log) = machine();
    machine.pam_example("login");
    let mut alice = Person::root(&["/bin/login", "alice"]);
    alice.see("Password:");
    alice.type_line("looking-glass");
    alice.see("Login incorrect");
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap());
    assert_eq!(log.ours(), Vec::<String>::new());
}
