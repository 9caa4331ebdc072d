//! Hosts that share a real Redis: what is counted on one holds on the other.

use std::fs;

use crate::support::books::{code_for, messages};
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{Client, Hold, Session};
use crate::support::person::Person;
use crate::support::redis::{Meeting, PASSWORD, Redis, settings, two_hosts};

const SUCCESS: i32 = 0;
const MAXTRIES: i32 = 11;
const NUMBER: &str = "+4915123456723";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n\
                     account required pam_sms.so\naccount required pam_permit.so\n";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";
const WITHOUT_END: &str = "sends_per_user = '1000/1h'\nsends_per_number = '1000/1h'\n\
    sends_per_host = '1000/1h'\nrequests_per_user = '1000/1h'\nsends_per_user_day = 250\n";

fn set_up(machine: &Machine, store: &str, limits: &str) {
    machine.config(&format!("[delivery]\ntimeout = '60s'\n[limits]\n{store}{limits}"));
    machine.users(&format!("alice = '{NUMBER}'\n"));
    machine.pam("sms", STACK);
    machine.pam_example("sshd-password");
}

/// What the admin's program says on either output.
fn pam_sms(machine: &Machine, words: &[&str]) -> String {
    let run = machine.run("/usr/sbin/pam-sms", words);
    String::from_utf8([run.stdout, run.stderr].concat()).unwrap()
}

#[test]
fn a_login_counts_in_the_store_under_names_that_expire_and_tell_no_number() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let log = machine.log();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    assert!(pam_sms(&machine, &["status", "alice"]).contains("1 of 5 in 10 minutes"));
    session.answer_line("12345");
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());

    let keys = redis.keys();
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in &keys {
        assert!(key.starts_with("pam-sms:"), "{key}");
        let left: i64 = redis.cli(&["PTTL", key]).parse().unwrap();
        assert!(left > 0, "{key}: {left}");
        let text = redis.cli(&["GET", key]);
        assert!(!format!("{key}{text}").contains("23456723"), "{key}: {text}");
    }
    // The right code gave back its try and its message; the wrong one waits for the rest of the stack.
    let user = redis.cli(&["GET", "pam-sms:user-alice"]);
    assert!(user.contains("\nday ") && user.contains("\ntotal 1\n"), "{user}");
    assert!(!user.contains("\nsends "), "{user}");
    for line in log.ours() {
        assert!(!line.contains(PASSWORD) && !line.contains("23456723"), "{line}");
        assert!(
            line.contains("event=sent")
                || line.contains("event=rejected")
                || line.contains("event=accepted"),
            "{line}"
        );
    }
    let said = pam_sms(&machine, &["unlock", "alice"]);
    assert!(said.contains("(changed)"), "{said}");
    assert_eq!(redis.keys(), ["pam-sms:since"]);
    assert!(pam_sms(&machine, &["unlock", "alice"]).contains("(unchanged)"));
}

#[test]
fn a_right_password_line_settles_wrong_codes_in_the_store() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &[]);
    let login = |alice: &mut Person, wrong: usize| {
        alice.see("Password:");
        alice.type_line(ALICE_PASSWORD);
        for _ in 0..wrong {
            alice.see("or ? for help: ");
            alice.type_line("12345");
        }
        alice.see("or ? for help: ");
        alice.type_line(&code_for(NUMBER));
        alice.see("$ ");
    };
    login(&mut alice, 2);
    let user = redis.cli(&["GET", "pam-sms:user-alice"]);
    assert!(!user.contains("total") && !user.contains("failures"), "{user}");
}

/// alice logs in over ssh and types wrong codes until she is thrown out; returns the screen.
fn guess(tries: usize) -> String {
    let mut alice = Person::ssh("alice", &[]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    for _ in 0..tries {
        alice.see("or ? for help: ");
        alice.type_line("12345");
    }
    alice.see("Press Enter to close: ");
    alice.type_line("");
    alice.gone();
    alice.screen()
}

#[test]
fn wrong_codes_on_one_host_lock_the_account_on_the_other_until_one_of_them_unlocks_it() {
    let limits = format!("{WITHOUT_END}failures_per_user = '4/1h'\n");
    two_hosts(
        |machine, redis, meeting| {
            set_up(machine, redis.settings(), &limits);
            let _sshd = machine.sshd("");
            let said = guess(3);
            assert!(said.contains("Too many wrong codes"), "{said}");
            meeting.meet(); // The other guesses once.
            meeting.meet();
            let sent = messages().len();
            let said = guess(0);
            assert!(said.contains("Locked for"), "{said}");
            assert_eq!(messages().len(), sent, "a message was sent to a locked account");
            meeting.meet(); // The other unlocks.
            meeting.meet();
            let mut alice = Person::ssh("alice", &[]);
            alice.see("Password:");
            alice.type_line(ALICE_PASSWORD);
            alice.see("or ? for help: ");
            alice.type_line(&code_for(NUMBER));
            alice.see("$ ");
        },
        |machine, ca, meeting| {
            set_up(machine, settings(machine, ca), &limits);
            let _sshd = machine.sshd("");
            meeting.meet();
            let said = guess(1);
            assert!(said.contains("Locked for"), "{said}");
            assert!(
                fs::read_to_string("/run/pam-sms/user-alice.state").unwrap().contains("total 1\n")
            );
            meeting.meet();
            meeting.meet();
            let said = pam_sms(machine, &["status", "alice"]);
            assert!(said.contains("locked for") && said.contains("4 of 4"), "{said}");
            assert!(pam_sms(machine, &["unlock", "alice"]).contains("(changed)"));
            meeting.meet();
        },
    );
}

/// A hundred wait at their prompts, guess all at once, and are compared as often as this says.
fn crowd(machine: &Machine, log: &Log, meeting: &Meeting) -> usize {
    let hold = Hold::new();
    let crowd: Vec<_> = (0..100)
        .map(|_| {
            let client = Client::new(machine, "sms").user("alice").answer(WRONG);
            let mut session = client.hold_at_prompt(&hold).spawn();
            session.prompt();
            session
        })
        .collect();
    meeting.meet();
    hold.release();
    for run in crowd.into_iter().map(Session::finish) {
        assert_ne!(run.result, SUCCESS);
    }
    let lines = log.ours();
    assert!(!lines.iter().any(|line| line.contains("event=accepted")), "{lines:#?}");
    lines.iter().filter(|line| line.contains("event=rejected") && line.contains("tries=")).count()
}

#[test]
fn two_hundred_who_guess_at_once_on_two_hosts_get_ten_guesses_together() {
    // A crowd on a small machine takes its time, and a host must not count alone for that.
    let limits = format!("{WITHOUT_END}store_timeout = '5s'\nstore_unreachable = 'deny'\n");
    let (tell, told) = std::sync::mpsc::channel();
    let tell_too = tell.clone();
    two_hosts(
        |machine, redis, meeting| {
            set_up(machine, redis.settings(), &limits);
            let log = machine.log_of_a_crowd();
            tell.send(crowd(machine, &log, meeting)).unwrap();
            meeting.meet();
            let user = redis.cli(&["GET", "pam-sms:user-alice"]);
            assert!(user.contains("\ntotal 10\n"), "{user}");
            let late = Client::new(machine, "sms").user("alice").answer("null").run();
            assert_eq!(late.result, MAXTRIES);
        },
        |machine, ca, meeting| {
            set_up(machine, settings(machine, ca), &limits);
            let log = machine.log_of_a_crowd();
            tell_too.send(crowd(machine, &log, meeting)).unwrap();
            meeting.meet();
        },
    );
    let compared: Vec<usize> = told.try_iter().collect();
    println!("compared on each host: {compared:?}");
    assert_eq!(compared.iter().sum::<usize>(), 10, "{compared:?}");
}

#[test]
fn under_su_the_store_is_asked_too() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "[policy]\nsubject = { su = 'caller' }\n");
    machine.pam("su", &format!("{STACK}session required pam_permit.so\n"));
    let mut alice = Person::su("root");
    alice.see("or ? for help: ");
    alice.type_line("12345");
    alice.see("or ? for help: ");
    let user = redis.cli(&["GET", "pam-sms:user-alice"]);
    assert!(user.contains("\ntotal 1\n"), "{user}");
    alice.type_line(&code_for(NUMBER));
    alice.see("# ");
}
