//! Which of a directory's numbers count on a host, and what makes them count.

use std::fs;
use std::net::TcpStream;

use crate::support::books::{Books, LIB};
use crate::support::log::Log;
use crate::support::machine::{Machine, NO_LIMITS, fill};
use crate::support::pam::Client;
use crate::support::slapd::{LDAPS, Slapd, person};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTH_ERR: i32 = 7;
const MAXTRIES: i32 = 11;
const CONV_ERR: i32 = 19;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const STATE: &str = "/var/lib/pam-sms/ldap-alice.state";
const GIVEN: &str = "/var/lib/pam-sms/enrolled-alice.state";
const OLD: &str = "mobile: +4915123456723";
const NEW: &str = "mobile: +4915123456789";
const AUTH: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";

fn machine(table: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("{NO_LIMITS}{table}"));
    machine.pam("sms", AUTH);
    let log = machine.log();
    (machine, log)
}

fn alice(machine: &Machine) -> i32 {
    Client::new(machine, "sms").user("alice").answer(OUTBOX).run().result
}

fn changed(number: &str) -> String {
    format!("dn: cn=alice,ou=people,dc=example\nchangetype: modify\nreplace: mobile\n{number}\n")
}

fn is_kept() -> bool {
    fs::exists(STATE).unwrap()
}

/// Whether somebody has agreed to a number.
fn is_agreed_to() -> bool {
    fs::read_to_string(STATE).is_ok_and(|text| !text.lines().nth(2).unwrap().is_empty())
}

/// Whether the number that counts now is the one with this ending.
#[track_caller]
fn counts(machine: &Machine, log: &Log, ending: &str) {
    log.clear();
    assert_eq!(alice(machine), SUCCESS, "{:#?}", log.lines());
    log.wait_for(&format!("event=accepted to=*{ending}"));
}

/// What `user approve` says of these numbers, on both outputs.
fn approve(machine: &Machine, numbers: &[&str]) -> String {
    let run = machine.run("/usr/sbin/pam-sms", &[&["user", "approve", "alice"], numbers].concat());
    String::from_utf8([run.stdout, run.stderr].concat()).unwrap()
}

#[test]
fn only_a_login_that_came_right_agrees_to_a_number() {
    let (machine, log) = machine(LDAPS);
    let entries = person("alice", OLD) + &person("root", "mobile: +14155550100");
    let slapd = Slapd::start(&machine, &entries);
    // Not a command, nor a check, nor what is only rehearsed.
    for words in [&["check"][..], &["user", "show", "alice"], &["status", "alice"]] {
        machine.run("/usr/sbin/pam-sms", words);
    }
    machine.config(&format!("[policy]\nobserve_until = 2999-12-31\n{LDAPS}cache = '1d'\n"));
    assert_eq!(alice(&machine), SUCCESS);
    log.wait_for("event=observed would=ask to=*23");
    // It is noted for when there is no answer, and that is all.
    assert!(is_kept() && !is_agreed_to() && !fs::exists(STATE.replace("alice", "root")).unwrap());
    // Nor a login with a wrong code, or without any.
    machine.config(&format!("{NO_LIMITS}{LDAPS}"));
    let client = || Client::new(&machine, "sms").user("alice");
    assert_eq!(client().answer("text:000000").run().result, MAXTRIES);
    assert_eq!(client().flag("--no-conv").run().result, CONV_ERR);
    assert!(!is_agreed_to());
    // So nobody has agreed to the number that was seen.
    slapd.modify(&machine, &changed(NEW));
    counts(&machine, &log, "89");
    assert!(is_agreed_to());
    slapd.modify(&machine, &changed(OLD));
    assert_eq!(alice(&machine), SERVICE_ERR);
    log.wait_for("then run `pam-sms user approve alice NUMBER`");
}

#[test]
fn with_an_account_line_the_whole_login_must_come_right() {
    let (machine, log) = machine(LDAPS);
    machine.pam(
        "sms",
        &format!("{AUTH}account required pam_sms.so\naccount required pam_permit.so\n"),
    );
    let _slapd = Slapd::start(&machine, &person("alice", &format!("{OLD}\n{NEW}")));
    // The right code, and a password that is wrong after all.
    assert_eq!(alice(&machine), SUCCESS);
    assert!(!is_kept());
    let whole = || Client::new(&machine, "sms").user("alice").answer(OUTBOX).flag("--acct").run();
    let run = whole();
    assert_eq!((run.result, run.acct), (SUCCESS, Some(SUCCESS)), "{:#?}", log.lines());
    // All that were there then.
    let pins = |text: &str| text.lines().nth(2).unwrap().split(' ').count();
    let kept = fs::read_to_string(STATE).unwrap();
    assert_eq!(pins(&kept), 2, "{kept}");
    log.wait_for("the directory's numbers count from now on: *23, *89");
    assert_eq!(whole().acct, Some(SUCCESS));
    assert_eq!(fs::read_to_string(STATE).unwrap(), kept);
}

#[test]
fn what_this_host_knows_comes_before_what_the_directory_has() {
    let table = format!("[users]\nunenrolled = 'enrol'\n{LDAPS}");
    let (machine, log) = machine(&table);
    let slapd = Slapd::start(&machine, &person("alice", OLD));
    // An admin's word, in the file or the folder.
    machine.users("alice = \"+14155550101\"\n");
    counts(&machine, &log, "01");
    machine.users("");
    machine.file("/etc/pam-sms/users.d/alice.toml", "phones = ['+14155550102']\n", 0o600);
    counts(&machine, &log, "02");
    fs::remove_file("/etc/pam-sms/users.d/alice.toml").unwrap();
    // Her own, given in a login, when the directory had none: who has her password writes another there.
    machine.file(GIVEN, "phones = ['+14155550103']\n", 0o600);
    counts(&machine, &log, "03");
    log.wait_for("alice gave a number at a login and the directory has another");
    let show = || {
        let run = machine.run("/usr/sbin/pam-sms", &["user", "show", "alice"]);
        String::from_utf8(run.stdout).unwrap()
    };
    assert!(show().contains("phones    *03") && !is_kept());
    // Where it is the same one, the directory's it is.
    slapd.modify(&machine, &changed("mobile: +14155550103"));
    log.clear();
    counts(&machine, &log, "03");
    assert!(!log.lines().iter().any(|line| line.contains("event=warning")));
    assert!(is_kept());
    machine.run("/usr/sbin/pam-sms", &["user", "remove", "alice"]);
    // An admin agrees to what the directory has.
    machine.file(GIVEN, "phones = ['+14155550103']\n", 0o600);
    slapd.modify(&machine, &changed(NEW));
    counts(&machine, &log, "03");
    assert!(machine.run("/usr/sbin/pam-sms", &["user", "approve", "alice"]).status.success());
    counts(&machine, &log, "89");
    assert!(show().contains("phones    *89"));
}

#[test]
fn what_was_given_here_comes_before_the_last_answer_too() {
    let table = format!("[users]\nunenrolled = 'enrol'\n{LDAPS}cache = '1d'\n");
    let (machine, log) = machine(&table);
    // Who has her password wrote it there, logs in so that it is the last answer, and cuts the line.
    let mut slapd = Slapd::start(&machine, &person("alice", NEW));
    machine.file(GIVEN, "phones = ['+14155550103']\n", 0o600);
    counts(&machine, &log, "03");
    assert!(is_kept());
    slapd.kill();
    counts(&machine, &log, "03");
    assert!(!is_agreed_to());
}

#[test]
fn a_machine_without_ports_does_not_bring_the_last_answer_back() {
    let (machine, log) = machine(&format!("{LDAPS}pin = false\ncache = '1d'\n"));
    let slapd = Slapd::start(&machine, &person("alice", OLD));
    counts(&machine, &log, "23");
    // A phone that was lost, and was taken out. Anybody with a shell can take all ports.
    slapd.modify(&machine, &changed(NEW));
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001").unwrap();
    let taken = [(); 2].map(|()| TcpStream::connect("127.0.0.1:636").unwrap());
    assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    log.wait_for("local: connect: Cannot assign requested address");
    drop(taken);
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999").unwrap();
    counts(&machine, &log, "89");
}

#[test]
fn a_disk_that_is_full_or_read_only_locks_nobody_out() {
    for cache in ["", "cache = '1d'\n"] {
        let (machine, log) = machine(&format!("{LDAPS}{cache}"));
        let slapd = Slapd::start(&machine, &person("alice", OLD));
        machine.tmpfs(LIB, "mode=0700,size=64k");
        fill(LIB);
        counts(&machine, &log, "23");
        let line = log.wait_for("event=warning");
        assert!(line.contains("No space left on device (os error 28): make room there"), "{line}");
        counts(&machine, &log, "23");
        machine.tmpfs(LIB, "mode=0700");
        counts(&machine, &log, "23");
        assert!(is_kept());
        // What was agreed to holds, and what is new cannot be kept.
        slapd.modify(&machine, &changed(&format!("{OLD}\n{NEW}")));
        machine.make_read_only(LIB);
        counts(&machine, &log, "23");
        let is_told = || log.lines().iter().any(|line| line.contains("Read-only file system"));
        assert_eq!(is_told(), !cache.is_empty());
        slapd.modify(&machine, &changed(NEW));
        assert_eq!(alice(&machine), SERVICE_ERR);
    }
}

#[test]
fn where_it_is_strict_an_admin_says_first_which_number_counts() {
    let (machine, log) = machine(&format!("{LDAPS}pin = 'strict'\n"));
    let slapd = Slapd::start(&machine, &person("alice", OLD));
    assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    log.wait_for("a number of alice is new in the directory: ask alice, then run");
    assert!(!is_kept());
    assert_eq!(approve(&machine, &[]), "alice: *23 (changed: *23 is new)\n");
    counts(&machine, &log, "23");
    slapd.modify(&machine, &changed(NEW));
    assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    let said = machine.run("/usr/sbin/pam-sms", &["check", "--offline"]).stdout;
    assert!(!String::from_utf8(said).unwrap().contains("ldap-pin"));
}

#[test]
fn where_it_is_strict_nobody_enrols_for_an_empty_entry_and_what_was_given_here_stays() {
    for unenrolled in ["skip", "enrol"] {
        let table = format!("[users]\nunenrolled = '{unenrolled}'\n{LDAPS}pin = 'strict'\n");
        let (machine, log) = machine(&table);
        let slapd = Slapd::start(&machine, &person("alice", ""));
        assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
        log.wait_for("wants an admin's word for each: ask alice, then run `pam-sms user set alice");
        machine.file(GIVEN, "phones = ['+14155550103']\n", 0o600);
        counts(&machine, &log, "03");
        slapd.modify(&machine, &changed(NEW));
        counts(&machine, &log, "03");
        log.wait_for("a number of alice is new in the directory");
        approve(&machine, &["+4915123456789"]);
        counts(&machine, &log, "89");
        // Now there is something to measure by.
        slapd.modify(&machine, &changed(OLD));
        assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    }
}

#[test]
fn numbers_that_an_admin_names_count_and_what_the_directory_has_now_does_not() {
    let (machine, log) = machine(LDAPS);
    // Somebody was there before the admin.
    let mut slapd = Slapd::start(&machine, &person("alice", NEW));
    let said = approve(&machine, &["+49 151 23456723"]);
    let wanted = "alice: *23 (changed: *23 is new)\nwarning: the directory does not have *23\n";
    assert_eq!(said, wanted);
    assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    slapd.modify(&machine, &changed(OLD));
    counts(&machine, &log, "23");
    // It need not be there, and what is no number is not repeated.
    slapd.kill();
    let said = approve(&machine, &["+4915123456723", "+4915123456789"]);
    assert!(said.contains("alice: *23, *89 (changed: *89 is new)\nwarning: ldaps://"), "{said}");
    slapd.start_again(&machine);
    slapd.modify(&machine, &changed(NEW));
    counts(&machine, &log, "89");
    for wrong in [&["015123456789"][..], &["+4915123456789", "+4915123456789"]] {
        let said = approve(&machine, wrong);
        assert!(said.starts_with("error: number ") && !said.contains("5123456"), "{said}");
    }
    counts(&machine, &log, "89");
}

#[test]
fn a_backup_code_helps_whatever_is_wrong_with_the_directory() {
    let table = format!("[users]\nunenrolled = 'skip'\n{LDAPS}");
    let (machine, log) = machine(&table);
    machine.pam(
        "sms",
        &format!("{AUTH}account required pam_sms.so\naccount required pam_permit.so\n"),
    );
    let slapd = Slapd::start(&machine, &person("alice", OLD));
    approve(&machine, &[]);
    let codes = Books::new("").backup_codes("alice", 4);
    let with = |answer: &str| {
        let client = Client::new(&machine, "sms").user("alice").flag("--acct");
        let run = client.answer(&format!("text:{answer}")).run();
        (run.result, run.acct)
    };
    let helps = |code: usize, said: &str| {
        log.clear();
        assert_eq!(with(&codes[code]), (SUCCESS, Some(SUCCESS)), "{said}: {:#?}", log.lines());
        assert!(log.wait_for("event=error").contains(said));
        log.wait_for("event=backup-code left=");
        // And only one that is good.
        assert_eq!(with(&codes[code]).0, MAXTRIES, "{said}: {:#?}", log.lines());
        assert_eq!(with("o").0, AUTH_ERR);
        assert_eq!(with("").0, SERVICE_ERR);
    };
    slapd.modify(&machine, &changed(NEW));
    helps(0, "a number of alice is new in the directory");
    slapd.modify(&machine, &changed(""));
    helps(1, "the entry of alice has no number any more");
    drop(slapd);
    helps(2, "ldaps://localhost: connect: Connection refused");
    // Who has none left, or never had any, is told that it is out of order.
    assert_eq!(with(&codes[3]).0, SUCCESS);
    let run = Client::new(&machine, "sms").user("alice").answer("text:").run();
    assert_eq!(run.result, SERVICE_ERR);
    assert!(!format!("{run:?}").contains("Backup code"), "{run:?}");
}
