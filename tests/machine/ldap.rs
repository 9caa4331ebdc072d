//! Numbers from the real slapd.

use std::fs;
use std::time::Duration;

use crate::support::gateway::Certificate;
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
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const ALICE: &str =
    "mobile: +49 151 23456723\nmobile: +14155550189\npreferredLanguage: de, en;q=0.5";

/// A machine whose numbers are in a directory alone.
fn machine(table: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("{NO_LIMITS}{table}"));
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn login(machine: &Machine, user: &str) -> i32 {
    Client::new(machine, "sms").user(user).answer(OUTBOX).run().result
}

/// A login that is denied with this in the log, and no part of a number.
#[track_caller]
fn denied(machine: &Machine, log: &Log, user: &str, code: i32, said: &str) {
    log.clear();
    let run = Client::new(machine, "sms").user(user).answer(OUTBOX).run();
    assert_eq!(run.result, code, "{user}: {said}: {:#?}", log.lines());
    log.wait_for(said);
    assert!(log.lines().iter().all(|line| !line.contains("5123456")), "a number is in the log");
    assert!(run.elapsed < Duration::from_secs(8), "{said}: {:?}", run.elapsed);
}

#[test]
fn ssh_with_a_number_and_a_language_from_the_directory() {
    let (machine, log) = machine(LDAPS);
    machine.pam_example("sshd-password");
    let _slapd = Slapd::start(&machine, &person("alice", ALICE));
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("23");
    let outbox = || fs::read_to_string("/run/pam-sms/outbox").unwrap_or_default();
    crate::support::log::wait_until("the message", || outbox().ends_with('\n').then_some(()));
    let message = outbox();
    assert!(message.contains("+4915123456723") && message.contains("Anmeldecode"), "{message}");
    alice.type_line(message.split(' ').nth(2).unwrap());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    log.wait_for("event=accepted rhost=127.0.0.1 to=*23");
    assert!(log.lines().iter().all(|line| !line.contains("5123456")), "a number is in the log");
}

#[test]
fn start_tls_and_plain_text_on_this_machine() {
    let more = "start_tls = true\n";
    for table in [
        LDAPS.replace("ldaps://localhost", "ldap://localhost") + more,
        LDAPS.replace("ldaps://localhost", "ldap://127.0.0.1:389/"),
        LDAPS.replace("'ldaps://localhost'", "['ldaps://localhost:636']"),
    ] {
        let (machine, log) = machine(&table);
        let _slapd = Slapd::start(&machine, &person("alice", ALICE));
        assert_eq!(login(&machine, "alice"), SUCCESS, "{:#?}", log.lines());
    }
}

#[test]
fn who_is_in_a_file_is_not_looked_for_and_who_is_nowhere_is_not_enrolled() {
    let (machine, log) = machine(LDAPS);
    machine.users("alice = \"+4915123456789\"\n");
    // No directory runs.
    drop(Slapd::start(&machine, ""));
    assert_eq!(login(&machine, "alice"), SUCCESS);
    denied(
        &machine,
        &log,
        "bob",
        SERVICE_ERR,
        "event=error reason=\"[users.ldap]: ldaps://localhost",
    );
    let entries = person("bob", "") + &person("root", "mobile: 0151 23456789");
    let _slapd = Slapd::start(&machine, &entries);
    denied(&machine, &log, "bob", AUTH_ERR, "event=unenrolled then=deny");
    denied(&machine, &log, "root", SERVICE_ERR, "`mobile`: a number begins with 0: set `country`");
    denied(&machine, &log, "_pam-sms", AUTH_ERR, "event=unenrolled then=deny");

    // Somebody without an entry is not one without a number: rights or a slip may hide entries.
    machine.config(&format!("{NO_LIMITS}[users]\nunenrolled = 'skip'\n{LDAPS}"));
    assert_eq!(login(&machine, "bob"), IGNORED);
    log.wait_for("event=unenrolled then=skip");
    denied(&machine, &log, "_pam-sms", SERVICE_ERR, "no entry is of this name");
    let anonymous: Vec<_> = LDAPS.lines().filter(|line| !line.starts_with("bind_")).collect();
    machine.config(&format!("[users]\nunenrolled = 'skip'\n{}", anonymous.join("\n")));
    denied(&machine, &log, "bob", SERVICE_ERR, "event=error");
}

#[test]
fn national_forms_second_numbers_and_other_attributes() {
    let more = "attribute = ['mobile', 'telephoneNumber']\ncountry = '+49'\n";
    let (machine, log) = machine(&format!("{LDAPS}{more}"));
    let entries = person("alice", "telephoneNumber: (030) 1234567\nmobile: 0151 23456723")
        + &person("bob", "telephoneNumber: 030 1234589");
    let _slapd = Slapd::start(&machine, &entries);
    assert_eq!(login(&machine, "alice"), SUCCESS);
    log.wait_for("event=accepted to=*23");
    let mut alice = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    let prompt = alice.prompt();
    assert!(prompt.contains("o for the other phone"), "{prompt}");
    drop(alice);
    assert_eq!(login(&machine, "bob"), SUCCESS);
    log.wait_for("event=accepted to=*89");
}

#[test]
fn no_name_is_more_than_a_name() {
    let (machine, log) = machine(LDAPS);
    let long = "x".repeat(300);
    let names =
        ["*", "a*", ")(uid=*", "*)(objectClass=*", "alice)(|(uid=*)", "\\2a", long.as_str()];
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let theirs: String =
        names.iter().map(|name| format!("{name}:x:61100:61100::/:/bin/sh\n")).collect();
    machine.file("/etc/passwd", passwd + &theirs, 0o644);
    let slapd = Slapd::start(&machine, &person("alice", ALICE));
    for name in &names[..6] {
        denied(&machine, &log, name, AUTH_ERR, "event=unenrolled then=deny");
    }
    denied(&machine, &log, &long, SERVICE_ERR, "a name of 300 bytes is not asked for");
    // And the entry whose name it is, is found.
    drop(slapd);
    let _slapd = Slapd::start(&machine, &person("*", "mobile: +14155550100"));
    assert_eq!(login(&machine, "*"), SUCCESS);
    log.wait_for("event=accepted to=*00");
    denied(&machine, &log, "alice", AUTH_ERR, "event=unenrolled then=deny");
}

#[test]
fn two_entries_and_referrals_are_errors() {
    let (machine, log) = machine(LDAPS);
    let twice = person("alice", ALICE)
        + &person("alice", "mobile: +14155550100").replace("cn=alice", "cn=alice+sn=x");
    let elsewhere = "dn: ou=far,dc=example\nobjectClass: referral\nobjectClass: extensibleObject\n\
                     ou: far\nref: ldap://127.0.0.1:1/ou=far,dc=example\n\n";
    let entries = format!("{}{elsewhere}", person("bob", "mobile: +14155550123"));
    let slapd = Slapd::start(&machine, &entries);
    // Who is here is found; who is not may be where we do not go.
    assert_eq!(login(&machine, "bob"), SUCCESS);
    denied(&machine, &log, "alice", SERVICE_ERR, "refers to other servers, which is not followed");
    machine.config(&LDAPS.replace("'dc=example'", "'ou=x,ou=far,dc=example'"));
    denied(&machine, &log, "bob", SERVICE_ERR, "refers to other servers, which is not followed");
    drop(slapd);
    machine.config(LDAPS);
    let _slapd = Slapd::start(&machine, &twice);
    denied(&machine, &log, "alice", SERVICE_ERR, "several entries are of this name");
}

#[test]
fn whom_we_ask_and_as_whom_is_checked() {
    for (certificate, password, said) in [
        (Certificate::Good, "wonderland\n", "bind: it does not take our name and password"),
        (Certificate::Good, "\n", "must hold one line, and not an empty one"),
        (Certificate::OtherAuthority, "looking-glass\n", "tls: invalid peer certificate"),
        (Certificate::Expired, "looking-glass\n", "tls: invalid peer certificate"),
        (Certificate::WrongName, "looking-glass\n", "tls: invalid peer certificate"),
        (Certificate::SelfSigned, "looking-glass\n", "tls: invalid peer certificate"),
    ] {
        for start_tls in [false, true] {
            let table = match start_tls {
                true => LDAPS.replace("ldaps:", "ldap:") + "start_tls = true\n",
                false => LDAPS.to_owned(),
            };
            let (machine, log) = machine(&table);
            let _slapd = Slapd::with(&machine, &person("alice", ALICE), certificate, "");
            machine.file("/etc/pam-sms/ldap.password", password, 0o600);
            denied(&machine, &log, "alice", SERVICE_ERR, said);
            let words: Vec<_> = log.lines();
            let shows = |line: &String| line.contains("wonderland") || line.contains("looking-");
            assert!(!words.iter().any(shows), "a password is in the log: {words:#?}");
        }
    }
}

#[test]
fn a_certificate_of_ones_own_in_the_place_of_a_password() {
    let external =
        "certificate_file = '/run/ldap/certificate.pem'\nkey_file = '/run/ldap/key.pem'\n";
    let own: String = LDAPS
        .lines()
        .filter(|line| !line.starts_with("bind_"))
        .fold(String::new(), |all, line| all + line + "\n");
    let (machine, log) = machine(&format!("{own}{external}"));
    let _slapd = Slapd::with(
        &machine,
        &person("alice", ALICE),
        Certificate::Good,
        "authz-regexp \"cn=pretend gateway\" cn=pam-sms,dc=example\n",
    );
    assert_eq!(login(&machine, "alice"), SUCCESS, "{:#?}", log.lines());
}

#[test]
fn the_name_is_as_the_user_database_spells_it() {
    let (machine, log) = machine(LDAPS);
    machine.fold_names();
    let exact =
        LDAPS.to_owned() + "filter = '(&(objectClass=person)(uid:caseExactMatch:={user}))'\n";
    machine.config(&exact);
    let _slapd = Slapd::start(&machine, &person("alice", ALICE));
    assert_eq!(login(&machine, "ALICE"), SUCCESS, "{:#?}", log.lines());
    assert!(log.wait_for("event=accepted").ends_with("user=alice"));
}
