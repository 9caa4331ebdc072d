//! A directory and the admin: new numbers, outages, `check` and `user`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::support::gateway::Certificate;
use crate::support::gateway::certificates::Identity;
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine, NO_LIMITS};
use crate::support::pam::Client;
use crate::support::person::Person;
use crate::support::slapd::{LDAPS, Slapd, person};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTH_ERR: i32 = 7;
/// PAM_IGNORE of ours before a pam_permit.
const IGNORED: i32 = 0;
const PROGRAM: &str = "/usr/sbin/pam-sms";
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const STATE: &str = "/var/lib/pam-sms/ldap-alice.state";
const OLD: &str = "mobile: +4915123456723";

fn machine(table: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("{NO_LIMITS}{table}"));
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn alice(machine: &Machine) -> i32 {
    Client::new(machine, "sms").user("alice").answer(OUTBOX).run().result
}

fn changed(number: &str) -> String {
    format!("dn: cn=alice,ou=people,dc=example\nchangetype: modify\nreplace: mobile\n{number}\n")
}

/// What a command said on both outputs, and its exit code.
fn run(machine: &Machine, words: &[&str]) -> (String, i32) {
    let run = machine.run(PROGRAM, words);
    let said = [run.stdout, run.stderr].concat();
    (String::from_utf8(said).unwrap(), run.status.code().unwrap())
}

#[test]
fn trap_5_a_number_that_is_new_in_the_directory_waits_for_an_admin() {
    let (machine, log) = machine(LDAPS);
    let slapd = Slapd::start(&machine, &person("alice", OLD));
    assert_eq!(alice(&machine), SUCCESS, "{:#?}", log.lines());
    let meta = fs::metadata(STATE).unwrap();
    assert_eq!((meta.uid(), meta.permissions().mode() & 0o7777), (0, 0o600));
    assert!(!fs::read_to_string(STATE).unwrap().contains("151234567"));
    // Whoever has alice's password writes another number into her entry.
    slapd.modify(&machine, &changed("mobile: +4915123456789"));
    log.clear();
    assert_eq!(alice(&machine), SERVICE_ERR);
    let line = log.wait_for("event=error");
    assert!(line.contains("then run `pam-sms user approve alice NUMBER`"), "{line}");
    assert!(!fs::read_to_string("/run/pam-sms/outbox").unwrap().contains("+4915123456789"));
    // Beside the old one it waits, and so it does after the entry had none for a while.
    slapd.modify(&machine, &changed("mobile: +4915123456789\nmobile: +4915123456723"));
    assert_eq!(alice(&machine), SUCCESS);
    log.wait_for("event=warning reason=\"a number of alice is new in the directory");
    log.wait_for("event=accepted to=*23");
    slapd.modify(&machine, &changed(""));
    assert_eq!(alice(&machine), AUTH_ERR);
    slapd.modify(&machine, &changed("mobile: +4915123456789"));
    assert_eq!(alice(&machine), SERVICE_ERR);
    let (said, code) = run(&machine, &["user", "show", "alice"]);
    assert!(said.contains("warning: *89 is new and does not count yet"), "{said}");
    assert!(said.contains("phones    *89") && said.contains("the directory ldaps://"), "{said}");
    assert_eq!(code, 0);

    let approve = ["user", "approve", "alice"];
    let changed_to = "alice: *89 (changed: *89 is new, one that counted does no more)\n";
    assert_eq!(run(&machine, &approve), (changed_to.to_owned(), 0));
    assert_eq!(run(&machine, &approve), ("alice: *89 (unchanged)\n".to_owned(), 0));
    assert_eq!(alice(&machine), SUCCESS);
    slapd.modify(&machine, &changed(OLD));
    assert_eq!(alice(&machine), SERVICE_ERR, "the old one counts no more");
    let (said, code) = run(&machine, &["user", "approve", "bob"]);
    assert_eq!((said.as_str(), code), ("error: the directory has no entry of bob\n", 1));

    // What is damaged is no new person.
    fs::write(STATE, "pam-sms-ldap 1\n").unwrap();
    assert_eq!(alice(&machine), SERVICE_ERR);
    log.wait_for("ldap-alice.state: is damaged");
    let (said, code) = run(&machine, &["user", "remove", "alice"]);
    assert!(said.contains("erased") && said.contains("the directory's answer"), "{said}");
    assert!(said.contains("has of an account is erased there"), "{said}");
    assert_eq!((code, fs::exists(STATE).unwrap()), (0, false));
    machine.config(&format!("{LDAPS}pin = false\n"));
    assert_eq!(alice(&machine), SUCCESS);
    assert!(!fs::exists(STATE).unwrap(), "nothing is to be kept");
}

#[test]
fn who_takes_a_number_out_that_counted_here_is_not_rid_of_the_second_factor() {
    for (unenrolled, then) in [("skip", IGNORED), ("enrol", AUTH_ERR)] {
        let table = format!("[users]\nunenrolled = '{unenrolled}'\n{LDAPS}");
        let (machine, log) = machine(&table);
        let slapd = Slapd::start(&machine, &person("alice", OLD));
        assert_eq!(alice(&machine), SUCCESS, "{:#?}", log.lines());
        log.clear();
        slapd.modify(&machine, &changed(""));
        for _ in 0..2 {
            assert_eq!(alice(&machine), SERVICE_ERR, "{unenrolled}: {:#?}", log.lines());
        }
        let line = log.wait_for("event=error");
        assert!(line.contains("the entry of alice has no number any more"), "{line}");
        assert!(line.contains("run `pam-sms user remove alice`"), "{line}");
        // A number of theirs does not come into the place of it, and the old one counts as before.
        slapd.modify(&machine, &changed("mobile: +4915123456789"));
        assert_eq!(alice(&machine), SERVICE_ERR);
        slapd.modify(&machine, &changed(OLD));
        assert_eq!(alice(&machine), SUCCESS);
        slapd.modify(&machine, "dn: cn=alice,ou=people,dc=example\nchangetype: delete\n");
        assert_eq!(alice(&machine), SERVICE_ERR);
        log.wait_for("no entry is of this name");
        // Whose number is to be gone, by an admin's word.
        drop(slapd);
        let _slapd = Slapd::start(&machine, &person("alice", ""));
        assert_eq!(alice(&machine), SERVICE_ERR);
        assert_eq!(run(&machine, &["user", "remove", "alice"]).1, 0);
        assert_eq!(alice(&machine), then, "{unenrolled}: {:#?}", log.lines());
        log.wait_for("event=unenrolled then=");
    }
}

#[test]
fn under_sudo_the_numbers_are_kept_all_the_same() {
    let (machine, log) = machine(LDAPS);
    machine.pam_example("sudo");
    let _slapd = Slapd::start(&machine, &person("alice", OLD));
    let mut alice = Person::sudo(&["id", "-un"]);
    alice.see("password for alice");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    alice.type_line(outbox.split(' ').nth(2).unwrap());
    alice.see("root");
    assert_eq!(alice.gone(), 0, "{:#?}", log.lines());
    let meta = fs::metadata(STATE).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.permissions().mode() & 0o7777), (0, 0, 0o600));
}

#[test]
fn the_last_answer_counts_while_the_directory_is_out_of_reach_and_no_longer() {
    let table = format!("{NO_LIMITS}{LDAPS}cache = '1d'\n");
    let (machine, log) = machine(&format!("{LDAPS}cache = '1d'\n"));
    let mut slapd =
        Slapd::start(&machine, &person("alice", &format!("{OLD}\npreferredLanguage: de")));
    assert_eq!(alice(&machine), SUCCESS, "{:#?}", log.lines());
    slapd.kill();
    assert_eq!(alice(&machine), SUCCESS, "{:#?}", log.lines());
    let line = log.wait_for("event=warning");
    assert!(line.contains("the directory cannot be asked, its answer of "), "{line}");
    assert!(line.contains("ldaps://localhost: connect: Connection refused"), "{line}");
    // Only of whom it has answered before.
    let bob = Client::new(&machine, "sms").user("bob").answer(OUTBOX).run().result;
    assert_eq!(bob, SERVICE_ERR);
    // A day and a second later it counts no more.
    let text = fs::read_to_string(STATE).unwrap();
    let seen = text.lines().nth(3).unwrap().to_owned();
    let before = (seen.parse::<u64>().unwrap() - 86_401).to_string();
    fs::write(STATE, text.replace(&seen, &before)).unwrap();
    assert_eq!(alice(&machine), SERVICE_ERR);
    fs::write(STATE, &text).unwrap();
    // One that is not believed, or does not take our name, was not asked either.
    slapd.start_again(&machine);
    let kept = |said: &str| {
        log.clear();
        assert_eq!(alice(&machine), SUCCESS, "{said}: {:#?}", log.lines());
        let line = log.wait_for("the directory cannot be asked, its answer of ");
        assert!(line.contains("event=warning") && line.contains(said), "{line}");
    };
    machine.file("/etc/pam-sms/ldap.password", "wonderland\n", 0o600);
    kept("bind: it does not take our name and password");
    machine.file("/etc/pam-sms/ldap.password", "looking-glass\n", 0o600);
    let ca = fs::read("/etc/pam-sms/ca.pem").unwrap();
    let other = Identity::make(Certificate::OtherAuthority);
    machine.file("/etc/pam-sms/ca.pem", &other.ca_pem, 0o644);
    kept("tls: invalid peer certificate");
    machine.file("/etc/pam-sms/ca.pem", ca, 0o644);
    machine.config(&table.replace("//localhost", "//nowhere.invalid"));
    kept("address: ");
    machine.config(&table);
    // What it says of her counts, also that she is not there.
    let no_rights = table.replace("base = 'dc=example'", "base = 'dc=nothing'");
    assert_ne!(no_rights, table);
    machine.config(&no_rights);
    assert_eq!(alice(&machine), SERVICE_ERR, "{:#?}", log.lines());
    machine.config(&table);
    // Whose number was taken out of the directory is not let in by an outage.
    slapd.modify(&machine, &changed(""));
    assert_eq!(alice(&machine), AUTH_ERR);
    slapd.kill();
    assert_eq!(alice(&machine), SERVICE_ERR);
    assert!(log.lines().iter().all(|line| !line.contains("5123456")), "a number is in the log");
}

#[test]
fn check_asks_the_directory_as_a_login_would() {
    let (machine, _log) = machine(LDAPS);
    let mut slapd = Slapd::start(&machine, &person("root", OLD));
    let ids = |machine: &Machine, more: &[&str]| -> Vec<String> {
        let (said, _) = run(machine, &[&["check", "--json"], more].concat());
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let ids = findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned());
        ids.filter(|id| id.starts_with("ldap") || id == "configuration").collect()
    };
    assert_eq!(ids(&machine, &[]), ["ldap-latency"]);
    let (said, _) = run(&machine, &["check"]);
    for words in
        ["the directory has root: ", "ldaps://localhost (connected in ", "bound in ", "[ldap-"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("nobody-enrolled") && !said.contains("root-number"), "{said}");
    machine.config(&format!("{LDAPS}pin = false\nfilter = '(uid=alice)'\n"));
    assert_eq!(ids(&machine, &["--offline"]), ["configuration"]);
    let two =
        LDAPS.replace("'ldaps://localhost'", "['ldap://127.0.0.1:1389', 'ldaps://localhost']");
    machine.config(&format!("{two}pin = false\n"));
    assert_eq!(ids(&machine, &[]), ["ldap-pin", "ldap-server", "ldap-latency"]);
    for (unenrolled, found) in
        [("deny", &[][..]), ("skip", &["ldap-unenrolled"]), ("enrol", &["ldap-unenrolled"])]
    {
        machine.config(&format!("[users]\nunenrolled = '{unenrolled}'\n{LDAPS}"));
        assert_eq!(ids(&machine, &["--offline"]), found, "{unenrolled}");
    }
    let plain = LDAPS.replace("ldaps://localhost", "ldap://rabbit-hole") + "allow_plain = true\n";
    machine.config(&plain);
    assert_eq!(ids(&machine, &[]), ["ldap-plain", "ldap-latency"]);
    machine.config(LDAPS);
    slapd.kill();
    assert_eq!(ids(&machine, &[]), ["ldap"]);
    let (said, code) = run(&machine, &["user", "show", "root"]);
    assert!(said.contains("[users.ldap]: ldaps://localhost: connect") && code == 1, "{said}");
    let (said, code) = run(&machine, &["user", "list"]);
    assert_eq!(
        (said.as_str(), code),
        ("people in the directory ([users.ldap]) are not listed\n", 0)
    );
}
