//! What a look-up costs in a directory of a hundred thousand.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::Client;
use crate::support::slapd::{LDAPS, Slapd, person};

const TIMES: usize = 21;

/// The middle one of several look-ups of different people, through the real helper.
fn look_up(people: usize) -> Duration {
    let machine = Machine::new();
    machine.config(&format!("{NO_LIMITS}{LDAPS}"));
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let mut entries = String::new();
    for n in 0..people {
        entries += &person(&format!("u{n}"), &format!("mobile: +4915{n:09}"));
    }
    let mut names = String::new();
    let chosen: Vec<_> = (0..TIMES).map(|n| format!("u{}", n * people / TIMES)).collect();
    for name in &chosen {
        let _ = writeln!(names, "{name}:x:61100:61100::/:/bin/sh");
    }
    machine.file("/etc/passwd", passwd + &names, 0o644);
    let _slapd = Slapd::start(&machine, &entries);
    let mut took: Vec<_> = chosen
        .iter()
        .map(|name| {
            let begun = Instant::now();
            let run = machine.run("/usr/sbin/pam-sms", &["user", "show", name]);
            assert!(run.status.success(), "{run:?}");
            begun.elapsed()
        })
        .collect();
    took.sort();
    took[TIMES / 2]
}

#[test]
fn a_look_up_costs_the_same_among_a_hundred_and_a_hundred_thousand() {
    let (few, many) = (look_up(100), look_up(100_000));
    eprintln!(
        "100: {few:?}, 100,000: {many:?}, ratio {:.2}",
        many.as_secs_f64() / few.as_secs_f64()
    );
    assert!(many < few * 2, "{few:?} and {many:?}");
}

/// The middle one of several logins.
fn login(machine: &Machine) -> Duration {
    let mut took: Vec<_> = (0..TIMES)
        .map(|_| {
            let client = Client::new(machine, "sms").user("alice");
            let run = client.answer("outbox:/run/pam-sms/outbox").run();
            assert_eq!(run.result, 0);
            run.elapsed
        })
        .collect();
    took.sort();
    took[TIMES / 2]
}

#[test]
fn what_one_login_costs_with_a_directory() {
    let machine = Machine::new();
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let _slapd = Slapd::start(&machine, &person("alice", "mobile: +4915123456723"));
    machine.config(NO_LIMITS);
    machine.users("alice = \"+4915123456723\"\n");
    let file = login(&machine);
    machine.users("");
    for (what, table) in [
        ("ldaps", LDAPS.to_owned()),
        ("StartTLS", LDAPS.replace("ldaps:", "ldap:") + "start_tls = true\n"),
        ("plain", LDAPS.replace("ldaps:", "ldap:")),
        ("ldaps, kept", format!("{LDAPS}cache = '1d'\n")),
    ] {
        machine.config(&format!("{NO_LIMITS}{table}"));
        let directory = login(&machine);
        let ratio = directory.as_secs_f64() / file.as_secs_f64();
        eprintln!("file {file:?}, {what} {directory:?}, ratio {ratio:.2}");
        // Not a measure of this machine: only that nothing waits for a time of its own.
        assert!(directory < file + Duration::from_millis(500), "{what}: {directory:?}");
    }
}
