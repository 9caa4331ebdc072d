//! The module under valgrind, as a long-lived host would use it: every way through a login loses no memory
//! and touches none that is not its own.

use crate::support::books::Books;
use crate::support::log::Log;
use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::{ANY_PASSWORD, Client, Run};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTH_ERR: i32 = 7;
const AUTHINFO_UNAVAIL: i32 = 9;
const MAXTRIES: i32 = 11;
const CONV_ERR: i32 = 19;

const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
/// None of libpam's results.
const COMPLAINTS: i32 = 99;
const VALGRIND: [&str; 9] = [
    "/usr/bin/valgrind",
    "--quiet",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--error-exitcode=99",
    "--child-silent-after-fork=yes",
    // libpam unloads modules at its end, and frames without names tell nothing.
    "--keep-debuginfo=yes",
    "--num-callers=30",
];

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(NO_LIMITS);
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam(
        "sms",
        &format!(
            "{ANY_PASSWORD}auth requisite pam_sms.so debug\nauth required pam_permit.so\n\
             account required pam_sms.so\naccount required pam_permit.so\n"
        ),
    );
    let log = machine.log();
    (machine, log)
}

fn client(machine: &Machine) -> Client<'_> {
    let client = Client::new(machine, "sms").under(&VALGRIND).authtok("any");
    client.rhost("203.0.113.9").flag("--acct").flag("--setcred")
}

/// So many logins under valgrind, each with this result.
#[track_caller]
fn is_clean(what: &str, log: &Log, client: Client, times: usize, result: i32) -> Run {
    let run = client.times(times).run();
    assert_ne!(run.status, Some(COMPLAINTS), "{what}: {}", run.stderr);
    assert_eq!(run.results, vec![result; times], "{what}: {}\n{:#?}", run.stderr, log.lines());
    assert_eq!(run.left, Some([0, 0, 0]), "{what}: descriptors, threads, children");
    run
}

#[test]
fn ten_logins_lose_no_memory_and_touch_none_that_is_not_theirs() {
    let (machine, log) = machine();
    // The right code, after a wrong one, an empty answer, help and a resend that is too early.
    let client = client(&machine).user("alice").answer("text:12345").answer("empty");
    let client = client.answer("text:?").answer("text:r").answer(OUTBOX);
    let run = is_clean("right", &log, client, 10, SUCCESS);
    // The password is one more.
    assert_eq!(run.prompts.len(), 60);
}

#[test]
fn no_way_to_be_denied_loses_memory() {
    type Spoil = fn(&Machine);
    let cases: [(&str, Spoil, &str, &str, i32); 7] = [
        ("wrong", |_| {}, "alice", "text:12345", MAXTRIES),
        ("nothing typed", |_| {}, "alice", "empty", AUTH_ERR),
        ("ten thousand bytes", |_| {}, "alice", "long:10000", MAXTRIES),
        ("NULL", |_| {}, "alice", "null", CONV_ERR),
        ("no number", |_| {}, "bob", "null", AUTH_ERR),
        ("provider down", provider_down, "alice", "empty", AUTHINFO_UNAVAIL),
        ("no configuration", |m| m.config("[cod]\n"), "alice", "null", SERVICE_ERR),
    ];
    for (what, spoil, user, answer, result) in cases {
        let (machine, log) = machine();
        spoil(&machine);
        is_clean(what, &log, client(&machine).user(user).answer(answer), 2, result);
    }
}

/// Nobody listens at its address, in a network that is this machine's own.
fn provider_down(machine: &Machine) {
    machine.config(&format!(
        "{NO_LIMITS}[[provider]]\nkind='twilio'\naccount_sid='AC1'\nauth_token='t'\n\
         from='+15017122661'\nbase_url='http://localhost:9'\n"
    ));
}

#[test]
fn no_other_way_in_loses_memory() {
    let (machine, log) = machine();
    let alice = || client(&machine).user("alice");

    machine.config(&format!("{NO_LIMITS}resend_after = '0s'\n"));
    let run = is_clean("resent", &log, alice().answer("text:r").answer(OUTBOX), 2, SUCCESS);
    assert!(run.prompts.iter().any(|prompt| prompt.contains("New SMS sent")), "{:?}", run.prompts);

    machine.config(&format!("{NO_LIMITS}[message]\nlanguage = 'ar'\n"));
    is_clean("in another language", &log, alice().answer(OUTBOX), 2, SUCCESS);

    for provider in [false, true] {
        // With a provider that is down it is the only way in.
        if provider {
            provider_down(&machine);
        }
        let codes = Books::new("").backup_codes("alice", 1);
        let client = alice().answer(&format!("text:{}", codes[0]));
        is_clean("backup code", &log, client, 1, SUCCESS);
    }

    let policy = "[policy]\nskip_users = ['alice']\n[users]\nunenrolled = 'skip'\n";
    machine.config(&format!("{NO_LIMITS}{policy}"));
    is_clean("skipped", &log, alice().answer("null"), 2, SUCCESS);
    is_clean("skipped, too", &log, client(&machine).user("bob").answer("null"), 2, SUCCESS);

    machine.config(&format!("{NO_LIMITS}[policy]\nremember = '1h'\n"));
    is_clean("to be remembered", &log, alice().answer(OUTBOX), 1, SUCCESS);
    is_clean("remembered", &log, alice().answer("null"), 2, SUCCESS);

    machine.config(&format!("{NO_LIMITS}[users]\nunenrolled = 'enrol'\n"));
    let bob = client(&machine).user("bob").answer("text:+4915123456789").answer(OUTBOX);
    is_clean("a number of one's own", &log, bob, 1, SUCCESS);
    let said = log.ours();
    for event in ["backup-code", "skipped", "unenrolled", "remembered", "enrolled"] {
        let told = said.iter().any(|line| line.contains(&format!("event={event} ")));
        assert!(told, "{event}: {said:#?}");
    }
}
