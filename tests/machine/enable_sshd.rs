//! `pam-sms enable sshd`: what is sshd's own in it.

use std::fs;
use std::path::Path;

use super::enable::{code, fails, machine, snapshot, succeeds};
use crate::support::machine::Machine;
use crate::support::person::Person;

#[test]
fn with_keys_a_key_stands_before_the_code() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    let key = machine.ssh_key("alice");
    // Trap 13: root's key and code would be asked for, and refused all the same.
    let config = fs::read_to_string("/etc/ssh/sshd_config").unwrap();
    let prohibits = config.replace("PermitRootLogin no", "PermitRootLogin prohibit-password");
    machine.file("/etc/ssh/sshd_config", prohibits, 0o644);
    let told = fails(&machine, &["enable", "sshd", "--keys", "--yes"]);
    assert!(told.contains("`PermitRootLogin prohibit-password`, which refuses the code"), "{told}");
    machine.file("/etc/ssh/sshd_config", config, 0o644);

    succeeds(&machine, &["enable", "sshd", "--keys", "--yes", "--no-rollback"]);
    let methods = "PreferredAuthentications=publickey,keyboard-interactive";
    let mut alice = Person::ssh(
        "alice",
        &["-i", &key, "-o", methods, "-o", "RemoteCommand=echo in-as-$(id -un)"],
    );
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    // Out again while another service stays: the password is back, and no phone alone lets in.
    succeeds(&machine, &["enable", "sudo", "--yes", "--no-rollback"]);
    succeeds(&machine, &["disable", "sshd", "--yes"]);
    let own = Path::new("/etc/pam.d/sshd");
    assert_eq!(fs::read_to_string(own).unwrap(), before[own]);
    succeeds(&machine, &["disable", "sudo", "--yes"]);
    assert_eq!(snapshot(), before);
}

/// Trap 14: being spared the code is no help where sshd wants the prompt for it.
#[test]
fn trap_14_programs_that_are_spared_get_in_by_their_key_without_a_prompt() {
    let (machine, _sshd) = machine();
    machine.config("[policy]\nskip_users = ['alice']\n");
    succeeds(&machine, &["enable", "sshd", "--keys", "--yes", "--no-rollback"]);
    let key = machine.ssh_key("alice");
    let batch = [
        "-i",
        &key,
        "-o",
        "BatchMode=yes",
        "-o",
        "PreferredAuthentications=publickey,keyboard-interactive",
    ];
    let log_in = || {
        let mut alice = Person::over_ssh("ssh", &batch, &["alice@127.0.0.1", "id", "-un"]);
        let status = alice.gone();
        (status, alice.screen())
    };
    let (status, screen) = log_in();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("\nalice") || screen.starts_with("alice"), "{screen}");

    // Spared no longer: sshd's file is out of date, and is written anew.
    machine.config("[policy]\nskip_users = ['alice']\nrequire_users = ['alice']\n");
    let said = fails(&machine, &["check"]);
    assert!(said.contains("[sshd-spares]"), "{said}");
    let said = succeeds(&machine, &["enable", "sshd", "--keys", "--yes", "--no-rollback"]);
    assert!(said.contains("sshd: asks for codes (changed)"), "{said}");
    assert!(!succeeds(&machine, &["check"]).contains("[sshd-spares]"));
    assert_eq!(log_in().0, 255);
    let said = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(said.contains("`pam-sms disable sshd` first"), "{said}");
}

#[test]
fn an_sshd_that_cannot_be_told_is_not_taken_for_told() {
    let machine = Machine::new();
    machine.file("/usr/sbin/cron", "", 0o755);
    fs::create_dir_all("/etc/cron.d").unwrap();
    fs::create_dir_all("/etc/ssh/sshd_config.d").unwrap();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    let _sshd = machine.sshd("PermitRootLogin no\nPidFile none\n");
    let before = snapshot();
    let said = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(said.contains("it cannot be told to read its configuration"), "{said}");
    assert_eq!(snapshot(), before);
    // A number that is another program's by now.
    let config = fs::read_to_string("/etc/ssh/sshd_config").unwrap();
    let config = config.replace("PidFile none", "PidFile /run/other.pid");
    machine.file("/etc/ssh/sshd_config", config, 0o644);
    machine.file("/run/other.pid", std::process::id().to_string(), 0o644);
    let said = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(said.contains("it cannot be told to read its configuration"), "{said}");
    assert_eq!(snapshot(), before);
}
