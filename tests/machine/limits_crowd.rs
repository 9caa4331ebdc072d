//! Two hundred at once: what the limits allow is let through, and not one more, nor one less.

use std::time::Instant;

use crate::support::books::{Books, code_for, messages};
use crate::support::crowd;
use crate::support::log::Log;
use crate::support::machine::Machine;
use crate::support::pam::{ANY_PASSWORD, Client, Hold, Run, Session};

const SUCCESS: i32 = 0;
const MAXTRIES: i32 = 11;
const CONV_ERR: i32 = 19;

const CROWD: usize = 200;
const OURS: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";

/// Limits that nobody reaches, but for those that `but` sets.
fn limits(but: &str) -> String {
    let all = [
        ("sends_per_user", "'1000/1h'"),
        ("sends_per_number", "'1000/1h'"),
        ("sends_per_host", "'1000/1h'"),
        ("requests_per_user", "'1000/1h'"),
        ("failures_per_user", "'1000/1h'"),
        ("sends_per_user_day", "250"),
    ];
    let others = all.into_iter().filter(|(name, _)| !but.starts_with(&format!("{name} ")));
    others.fold(format!("{but}\n"), |text, (name, value)| text + &format!("{name} = {value}\n"))
}

fn machine(limits: &str) -> (Machine, Log) {
    let machine = Machine::new();
    // A crowd on a small machine takes its time.
    machine.config(&format!("[delivery]\ntimeout = '60s'\n[limits]\n{limits}"));
    machine.users("alice = '+4915123456723'\nbob = '+4915123456723'\n");
    let log = machine.log_of_a_crowd();
    (machine, log)
}

fn finish(crowd: Vec<Session>) -> Vec<Run> {
    crowd.into_iter().map(Session::finish).collect()
}

fn count_of(lines: &[String], words: &[&str]) -> usize {
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn two_hundred_who_guess_at_once_at_one_account_get_ten_guesses() {
    let limits = limits("failures_per_user = '10/1h'");
    let (machine, log) = machine(&limits);
    machine.pam("sms", OURS);
    let hold = Hold::new();
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let client = Client::new(&machine, "sms").user("alice").answer(WRONG);
            let mut session = client.hold_at_prompt(&hold).spawn();
            session.prompt();
            session
        })
        .collect();
    let released = Instant::now();
    hold.release();
    let runs = finish(crowd);
    println!("{CROWD} guessed at once in {:?}", released.elapsed());

    let lines = log.ours();
    assert!(runs.iter().all(|run| run.result == MAXTRIES), "{lines:#?}");
    // One line for each comparison.
    assert_eq!(count_of(&lines, &["event=rejected", "tries="]), 10, "{lines:#?}");
    assert_eq!(count_of(&lines, &["event=accepted"]), 0);
    let standing = Books::new(&limits).standing("alice");
    assert_eq!((standing.failures, standing.failures_total.0), ((10, 10), 10));
    // A right code is not even compared now.
    let late = Client::new(&machine, "sms").user("alice").answer("null").run();
    assert_eq!(late.result, MAXTRIES);
}

/// As many of `count` logins of alice and bob as may send do, all at once.
fn seven_may_send(count: usize, limit: &str, users: &[&str]) {
    let limits = limits(limit);
    let (machine, log) = machine(&limits);
    machine.pam("sms", &format!("{ANY_PASSWORD}{OURS}"));
    let hold = Hold::new();
    let mut crowd: Vec<_> = (0..count)
        .map(|index| {
            let client = Client::new(&machine, "sms").user(users[index % users.len()]);
            client.authtok("any").answer("null").hold_at_prompt(&hold).spawn()
        })
        .collect();
    for session in &mut crowd {
        session.prompt();
    }
    hold.release();
    let runs = finish(crowd);

    let lines = log.ours();
    let ended = |code| runs.iter().filter(|run| run.result == code).count();
    assert_eq!((ended(CONV_ERR), ended(MAXTRIES)), (7, count - 7), "{limit}: {lines:#?}");
    assert_eq!(messages().len(), 7, "{limit}");
    assert_eq!(count_of(&lines, &["event=sent"]), 7, "{limit}: {lines:#?}");
    assert_eq!(count_of(&lines, &["event=throttled"]), count - 7, "{limit}: {lines:#?}");
    // What one file granted came back where the next one refused.
    let books = Books::new(&limits);
    let sent: usize = users.iter().map(|user| books.standing(user).sends.0).sum();
    assert_eq!(sent, 7, "{limit}");
}

#[test]
fn two_hundred_who_log_in_at_once_to_one_account_get_seven_messages() {
    seven_may_send(CROWD, "sends_per_user = '7/10m'", &["alice"]);
}

#[test]
fn every_other_limit_of_messages_holds_against_a_crowd_too() {
    for (limit, users) in [
        ("sends_per_number = '7/10m'", &["alice", "bob"][..]),
        ("sends_per_host = '7/1h'", &["alice", "bob"]),
        ("requests_per_user = '7/1h'", &["alice"]),
        ("sends_per_user_day = 7", &["alice"]),
    ] {
        seven_may_send(40, limit, users);
    }
}

#[test]
fn two_hundred_people_log_in_at_once_and_nobody_waits_for_another() {
    let (machine, log) = machine("");
    machine.pam("sms", &format!("{ANY_PASSWORD}{OURS}"));
    crowd::move_in(&machine, CROWD);
    let hold = Hold::new();
    let mut everyone: Vec<_> = (0..CROWD)
        .map(|index| {
            let client = Client::new(&machine, "sms").user(&crowd::name(index)).authtok("any");
            client.answer("stdin").hold_at_prompt(&hold).spawn()
        })
        .collect();
    for session in &mut everyone {
        session.prompt();
    }
    let released = Instant::now();
    hold.release();
    for (index, session) in everyone.iter_mut().enumerate() {
        assert!(session.prompt().contains("Reference: "), "{:#?}", log.ours());
        session.answer_line(&code_for(&crowd::number(index)));
    }
    let runs = finish(everyone);
    let elapsed = released.elapsed();
    let rate = CROWD as f64 / elapsed.as_secs_f64();
    println!("{CROWD} people logged in at once in {elapsed:?}: {rate:.0} logins a second");

    let lines = log.ours();
    assert!(runs.iter().all(|run| run.result == SUCCESS), "{lines:#?}");
    assert_eq!(count_of(&lines, &["event=accepted"]), CROWD);
    assert_eq!(count_of(&lines, &["holds the lock"]), 0, "{lines:#?}");
    assert_eq!(count_of(&lines, &["event=warning"]), 0, "{lines:#?}");
}
