//! People without a number give one themselves, and people without a phone use a backup code.

use std::fs;

use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{ANY_PASSWORD, Client, Run};
use crate::support::person::Person;

const SUCCESS: i32 = 0;
const AUTH_ERR: i32 = 7;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const ACCOUNT: &str = "account required pam_sms.so\naccount required pam_permit.so\n";

fn machine(users_table: &str) -> Machine {
    let machine = Machine::new();
    machine.config(&format!("[users]\nunenrolled = 'enrol'\n{users_table}\n"));
    machine.pam(
        "sms",
        &format!("{ANY_PASSWORD}auth requisite pam_sms.so\nauth required pam_permit.so\n{ACCOUNT}"),
    );
    machine
}

/// bob logs in with a password, and answers prompts so.
fn bob(machine: &Machine, answers: &[&str]) -> Run {
    let client = Client::new(machine, "sms").user("bob").authtok("marmalade").flag("--acct");
    answers.iter().fold(client, |client, answer| client.answer(answer)).run()
}

#[test]
fn ssh_asks_for_a_number_once() {
    let machine = machine("");
    machine.pam_example("sshd-password");
    let log = machine.log();
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("No phone number is stored for this account.");
    alice.see("Mobile number with country code, like +49 151 23456789: ");
    alice.type_line("0151 23456789");
    alice.see("write the country code first");
    alice.see("like +49 151 23456789: ");
    alice.type_line("+49 (151) 234-567-89");
    alice.see("Code to confirm this number, or n to change it: ");
    alice.type_line(&code());
    alice.see("Number ending in 89 saved.");
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    log.wait_for("event=enrolled rhost=127.0.0.1 to=*89 user=alice");

    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 89.");
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
}

fn code() -> String {
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    outbox.lines().last().unwrap().split(' ').nth(2).unwrap().to_owned()
}

#[test]
fn trap_2_a_number_is_stored_only_when_the_whole_login_succeeded() {
    let machine = machine("");
    let log = machine.log();
    let number = "text:+4915123456789";
    // The code is right, the password was not.
    machine.pam(
        "sms",
        &format!("auth required pam_deny.so\n{ANY_PASSWORD}auth required pam_sms.so\n{ACCOUNT}"),
    );
    assert_ne!(bob(&machine, &[number, OUTBOX]).result, SUCCESS);
    log.wait_for("event=accepted");
    assert!(!fs::exists("/var/lib/pam-sms/enrolled-bob.state").unwrap());

    // Without our account line there is nowhere to store it from, so nobody is asked.
    machine.pam("sms", &format!("{ANY_PASSWORD}auth requisite pam_sms.so\n"));
    let run = bob(&machine, &[number, OUTBOX]);
    assert_eq!(run.result, AUTH_ERR);
    log.wait_for("has no `account required pam_sms.so` that every login passes");

    // Without a first factor anybody could give a number.
    machine.pam("sms", &format!("auth requisite pam_sms.so\n{ACCOUNT}"));
    let run = bob(&machine, &[number, OUTBOX]);
    assert_eq!(run.result, AUTH_ERR);
    log.wait_for("no password or key is known to have come before");
    assert_eq!(log.ours().iter().filter(|line| line.contains("event=sent")).count(), 1);
}

#[test]
fn what_waits_for_the_account_phase_is_nobody_elses() {
    let machine = machine("");
    let log = machine.log();
    let enrols = || {
        let client = Client::new(&machine, "sms").user("bob").authtok("marmalade").flag("--acct");
        client.answer("text:+4915123456789").answer(OUTBOX)
    };
    assert_eq!(enrols().user_at_acct("alice").run().result, SUCCESS);
    log.wait_for("event=accepted");
    for name in ["alice", "bob"] {
        assert!(!fs::exists(format!("/var/lib/pam-sms/enrolled-{name}.state")).unwrap(), "{name}");
    }
    assert_eq!(enrols().user_at_acct("bob").run().result, SUCCESS);
    assert!(fs::exists("/var/lib/pam-sms/enrolled-bob.state").unwrap());
}

#[test]
fn who_may_not_enrol_is_denied() {
    let machine = machine("enrol_until = 2001-12-31");
    let log = machine.log();
    assert_eq!(bob(&machine, &["null"]).result, AUTH_ERR);
    log.wait_for("event=unenrolled then=deny reason=\"enrol_until is over\" user=bob");
    machine.config("[users]\nunenrolled = 'enrol'\nenrol_groups = ['sudo']\n");
    assert_eq!(bob(&machine, &["null"]).result, AUTH_ERR);
    log.wait_for("reason=\"is in none of enrol_groups\" user=bob");
    machine.config("[users]\nunenrolled = 'enrol'\nenrol_groups = ['sudo', 'bob']\n");
    assert_eq!(bob(&machine, &["text:+4915123456789", OUTBOX]).result, SUCCESS);
    // The number is there, and is not asked for again nor replaced.
    let stored = fs::read_to_string("/var/lib/pam-sms/enrolled-bob.state").unwrap();
    assert_eq!(stored, "phones = [\"+4915123456789\"]\n");
    let run = bob(&machine, &[OUTBOX]);
    assert_eq!((run.result, run.prompts.len()), (SUCCESS, 2), "{:?}", run.prompts);
}

#[test]
fn a_number_that_cannot_be_stored_lets_nobody_in() {
    let machine = machine("");
    let log = machine.log();
    machine.file("/var/lib/pam-sms", "not a folder", 0o600);
    let run = bob(&machine, &["text:+4915123456789", OUTBOX]);
    assert_ne!(run.result, SUCCESS, "{run:?}");
    log.wait_for("/var/lib/pam-sms");
}

/// The first code that the program prints.
fn new_code(machine: &Machine, arguments: &[&str]) -> String {
    let run = machine.run("/usr/sbin/pam-sms", &[&["backup-codes", "alice"], arguments].concat());
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8(run.stdout).unwrap();
    let code = said.lines().find(|line| line.trim().len() == 19 && line.contains('-'));
    code.unwrap_or_else(|| panic!("no code in {said}")).trim().to_owned()
}

#[test]
fn trap_16_a_backup_code_opens_what_is_locked_and_only_once() {
    let machine = Machine::new();
    machine.config("[limits]\nfailures_total = 3\n");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam_example("sshd-password");
    let log = machine.log();
    let _sshd = machine.sshd("");
    let code = new_code(&machine, &[]);
    // Three wrong codes close the account.
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    Client::new(&machine, "sms").user("alice").answer("text:000").run();

    let command = ["-o", "RemoteCommand=echo in-as-$(id -un)"];
    let mut alice = Person::ssh("alice", &command);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("Too many wrong codes. SMS codes are switched off.");
    alice.see("Backup code, or Enter to give up: ");
    alice.type_line(&code);
    alice.see("Backup code accepted. It will not work again. 9 left.");
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    log.wait_for("event=backup-code rhost=127.0.0.1 left=9 user=alice");

    // It has opened the account, and is used up.
    let mut alice = Person::ssh("alice", &command);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.");
    alice.see("or ? for help: ");
    alice.type_line(&code);
    alice.see("That is no backup code, or it was used before.");
    // ssh throws away what was typed before its prompt is there.
    alice.see("or ? for help: ");
    alice.interrupt_ssh();
    alice.gone();
    let plain = code.replace('-', "");
    assert!(log.lines().iter().all(|line| !line.contains(&code) && !line.contains(&plain)));
}

#[test]
fn status_unlock_and_backup_codes_tell_what_they_changed() {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let run = |arguments: &[&str]| {
        let run = machine.run("/usr/sbin/pam-sms", arguments);
        let said = String::from_utf8(run.stdout).unwrap() + &String::from_utf8_lossy(&run.stderr);
        (run.status.code().unwrap(), said)
    };
    assert_eq!(
        run(&["status"]).1,
        "nobody was asked for a code since the machine was started\n\
         a message takes at most 1 segment in en\n"
    );
    for _ in 0..4 {
        Client::new(&machine, "sms").user("alice").answer("text:000").run();
    }
    let (code, said) = run(&["status", "alice"]);
    assert_eq!(code, 0, "{said}");
    for line in [
        "codes by SMS  locked for 60 minutes after wrong codes; `pam-sms unlock alice` opens them",
        "phones        *23",
        "messages      4 of 5 in 10 minutes, 4 of 20 in 24 hours",
        "wrong codes   10 of 10 in 60 minutes, 10 of 100 altogether",
        "backup codes  0 left",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let (_, json) = run(&["status", "--json"]);
    for part in ["\"user\": \"alice\"", "\"state\": \"locked\"", "\"*23\""] {
        assert!(json.contains(part), "{part}\n{json}");
    }
    let log = "x pam_sms(sms:auth): event=sent to=*23\nx pam_sms(sms:auth): event=resent to=*23\n\
               x pam_sms(sms:auth): event=sent to=*23\nx pam_sms(sms:auth): event=locked to=*23\n";
    machine.file("/var/log/auth.log", log, 0o640);
    assert!(run(&["status"]).1.contains("a login takes 1.50 messages (3 in 2, by the log)\n"));
    let costs = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&run(words).1).unwrap()["costs"].take()
    };
    let wanted = serde_json::json!({
        "log": { "messages": 3, "logins": 2, "messages_per_login": 1.5 },
        "messages": [{ "language": "en", "records": 0, "segments": 1 }],
    });
    assert_eq!(costs(&["status", "--json"]), wanted);
    assert_eq!(costs(&["status", "alice", "--json"]), serde_json::Value::Null);
    // A log that somebody has made a pipe of holds nobody up.
    fs::remove_file("/var/log/auth.log").unwrap();
    assert!(machine.run("/usr/bin/mkfifo", &["/var/log/auth.log"]).status.success());
    let (code, said) = run(&["status"]);
    assert!(said.contains("warning: /var/log/auth.log: is no regular file\n"), "{said}");
    assert!(code == 0 && said.contains("a message takes at most 1 segment in en"), "{said}");
    assert_eq!(run(&["metrics"]), (1, "error: /var/log/auth.log: is no regular file\n".to_owned()));
    fs::remove_file("/var/log/auth.log").unwrap();
    // Nor does a journal that has no end.
    let endless = "#!/bin/sh\nexec /usr/bin/yes 'x pam_sms(sms:auth): event=sent to=*23'\n";
    machine.file("/usr/bin/journalctl", endless, 0o755);
    assert!(run(&["status"]).1.contains("a login takes 1.00 messages ("));
    machine.file("/var/log/auth.log", log, 0o640);
    let (code, said) = run(&["metrics", "--out", "/var/lib/pam_sms.prom"]);
    assert_eq!(code, 0, "{said}");
    let metrics = fs::read_to_string("/var/lib/pam_sms.prom").unwrap();
    for line in [
        "pam_sms_events_total{event=\"locked\",service=\"sms\"} 1",
        "pam_sms_accounts_locked 1",
        "pam_sms_messages_24h 4",
        // The stack of this test has nothing before the code.
        "pam_sms_check_findings{severity=\"error\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(run(&["unlock", "alice"]).1.contains("(changed)"));
    assert!(run(&["unlock", "alice"]).1.contains("(unchanged)"));
    assert!(run(&["status", "alice"]).1.contains("codes by SMS  open"));

    new_code(&machine, &["--count", "1", "--expires", "24h"]);
    new_code(&machine, &["--count", "2"]);
    assert!(run(&["status", "alice"]).1.contains("backup codes  3 left"));
    assert!(
        run(&["backup-codes", "alice", "--revoke-all"])
            .1
            .contains("3 backup codes revoked (changed)")
    );
    assert!(run(&["backup-codes", "alice", "--revoke-all"]).1.contains("(unchanged)"));

    let (code, said) = run(&["status", "nobody-here"]);
    assert_eq!(
        (code, said.as_str()),
        (1, "error: there is no account `nobody-here` on this machine\n")
    );
    assert_eq!(run(&["unlock"]).0, 2);
}

#[test]
fn ask_first_waits_for_enter() {
    let machine = Machine::new();
    machine.config("[code]\nask_first = true\n");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam_example("sshd-password");
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("Enter sends a code to the phone ending in 23: ");
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap());
    alice.type_line("");
    alice.see("or ? for help: ");
    alice.type_line(&code());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
}
