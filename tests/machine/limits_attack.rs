//! An attack: somebody has the right password and logs in again and again, from many addresses.
//!
//! First with a clock that is set by hand, ten thousand times in an hour and on for a week; then a
//! shorter one through the real libpam. What is let through is what the limits say, and the person
//! whose account it is still gets in.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use pam_sms::limits::{Barrier, Ledger};
use pam_sms::login::ports::{Clock, Limits};
use pam_sms::people::PhoneNumber;
use pam_sms::state::Places;

use crate::support::books::{Books, messages, rules};
use crate::support::machine::Machine;
use crate::support::pam::{ANY_PASSWORD, Client};

const SUCCESS: i32 = 0;
const MAXTRIES: i32 = 11;

const HOUR: Duration = Duration::from_secs(3600);
const LOGINS_IN_AN_HOUR: u32 = 10_000;

struct ByHand(Cell<Duration>);

impl Clock for ByHand {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

/// What an attacker got.
#[derive(Debug, Default, PartialEq, Eq)]
struct Loot {
    messages: usize,
    guesses: usize,
    /// Logins that were denied, by the first word of the reason.
    denied: BTreeMap<&'static str, u32>,
    /// When the last message was sent.
    last: Duration,
}

/// Logs in at an even pace for some time, and guesses up to three times where a code was sent.
fn attack(limits: &str, time: Duration, pace: Duration, guesses: bool) -> Loot {
    let folder = tempfile::tempdir().unwrap();
    let places = Places { run: folder.path().join("run"), lib: folder.path().join("lib") };
    let rules = rules(limits);
    let begun = Duration::from_secs(1_000_000);
    let clock = ByHand(Cell::new(begun));
    let number: PhoneNumber = "+4915123456723".parse().unwrap();
    let mut loot = Loot::default();
    while clock.now() < begun + time {
        let books = Ledger::new(&places, &rules, "alice", &clock);
        match books.reserve(&number) {
            Ok(_) => {
                loot.messages += 1;
                loot.last = clock.now().checked_sub(begun).unwrap();
                for _ in 0..if guesses { 3 } else { 0 } {
                    let Ok(counted) = books.count_try() else { break };
                    loot.guesses += 1;
                    books.was_wrong().unwrap();
                    if !counted.locks.is_zero() {
                        break;
                    }
                }
            }
            Err(barrier) => {
                let why = match barrier {
                    Barrier::Sends { .. } => "throttled",
                    Barrier::Locked(_) => "locked",
                    Barrier::Closed => "closed",
                    Barrier::Busy(reason)
                    | Barrier::OutOfReach(reason)
                    | Barrier::Unusable(reason) => panic!("{reason}"),
                };
                *loot.denied.entry(why).or_default() += 1;
            }
        }
        clock.0.set(clock.now() + pace);
    }
    loot
}

#[test]
fn ten_thousand_logins_in_an_hour_get_what_the_limits_say() {
    let pace = HOUR / LOGINS_IN_AN_HOUR;
    // Three guesses for each of three messages, and one for the fourth: ten, and an hour of lock.
    let loot = attack("", HOUR, pace, true);
    println!("ten thousand logins that guess: {loot:?}");
    assert_eq!((loot.messages, loot.guesses), (4, 10));
    assert_eq!(loot.denied, BTreeMap::from([("locked", 9996)]));

    // Without guesses: five messages in ten minutes, until the twenty of a day are used up.
    let loot = attack("", HOUR, pace, false);
    println!("ten thousand logins that only cost: {loot:?}");
    assert_eq!((loot.messages, loot.guesses), (20, 0));
    assert_eq!(loot.denied, BTreeMap::from([("throttled", 9980)]));
    let last = loot.last.as_secs();
    assert!((1800..1803).contains(&last), "the last five came after half an hour: {last}");

    // Other limits, the same law.
    let limits = "failures_per_user = '5/10m'\nlockout = '20m'\nsends_per_user = '3/10m'";
    let loot = attack(limits, HOUR, pace, true);
    println!("ten thousand logins against {limits:?}: {loot:?}");
    assert_eq!((loot.messages, loot.guesses), (6, 15), "two and five, every twenty minutes");
}

#[test]
fn an_attack_that_goes_on_for_days_closes_the_account_at_a_hundred_guesses() {
    let week = HOUR * 24 * 7;
    let loot = attack("", week, Duration::from_secs(60), true);
    println!("a login a minute for a week: {loot:?}");
    // NIST's hundred, and then no message either.
    assert_eq!(loot.guesses, 100);
    assert_eq!(loot.messages, 40, "four for each ten guesses");
    assert!(loot.denied["closed"] > 5000, "{loot:?}");
    // Twenty messages a day: five hours of guessing, then the rest of the day nothing.
    assert!(loot.last > HOUR * 24 && loot.last < HOUR * 48, "{:?}", loot.last);

    let loot = attack("", week, Duration::from_secs(60), false);
    println!("the same without a guess: {loot:?}");
    assert_eq!(loot.messages, 7 * 20);
}

#[test]
fn the_victim_of_an_attack_gets_in_with_a_backup_code_and_is_then_free_again() {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = '+4915123456723'\n");
    machine.pam(
        "sms",
        &format!(
            "{ANY_PASSWORD}auth requisite pam_sms.so\nauth required pam_permit.so\n\
             account required pam_sms.so\naccount required pam_permit.so\n"
        ),
    );
    let log = machine.log_of_a_crowd();
    let books = Books::new("");
    let codes = books.backup_codes("alice", 2);
    let login = |address: &str, answers: &[&str]| {
        let client = Client::new(&machine, "sms").user("alice").authtok("any").rhost(address);
        answers.iter().fold(client.flag("--acct"), |client, answer| client.answer(answer))
    };

    // Fifty addresses at once, and six logins from each.
    let attackers: Vec<_> = (1..=50)
        .map(|index| {
            let answers = ["text:12345", "text:zzzz-zzzz-zzzz-zzzz", "text:54321"];
            login(&format!("203.0.113.{index}"), &answers).times(6).spawn()
        })
        .collect();
    for attacker in attackers {
        assert_ne!(attacker.finish().result, SUCCESS, "{:#?}", log.lines());
    }
    let lines = log.ours();
    let count = |words: &[&str]| {
        lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
    };
    let (sent, guesses) = (messages().len(), count(&["event=rejected", "tries="]));
    println!(
        "300 logins over 50 addresses: {sent} messages, {guesses} guesses, {} locked, {} throttled",
        count(&["event=locked"]),
        count(&["event=throttled"])
    );
    assert_eq!(guesses, 10, "{lines:#?}");
    // At once, the fifth message may be on its way when the tenth guess locks the account.
    assert!((4..=5).contains(&sent), "{sent}");
    assert_eq!(count(&["event=error"]), 0, "{lines:#?}");
    assert_eq!(books.standing("alice").failures, (10, 10));

    // Alice: no message any more, and a way in all the same.
    let denied = login("198.51.100.7", &["empty"]).run();
    assert_eq!(denied.result, MAXTRIES);
    let prompt = denied.prompts.last().unwrap();
    assert!(prompt.contains("Locked for 60 minutes.") && prompt.contains("ackup code"), "{prompt}");
    let run = login("198.51.100.7", &[&format!("text:{}", codes[0])]).run();
    assert_eq!((run.result, run.acct), (SUCCESS, Some(SUCCESS)), "{:#?}", log.lines());
    assert_eq!(run.infos.last().unwrap(), "Backup code accepted. It will not work again. 1 left.");

    // It has shown that the account is in good hands: codes by SMS count again. What is left of the
    // five messages of ten minutes is as it was.
    let standing = books.standing("alice");
    assert_eq!((standing.failures.0, standing.failures_total.0), (0, 0));
    let again = login("198.51.100.7", &[&format!("text:{}", codes[0]), "null"]).run();
    assert_ne!(again.result, SUCCESS, "the same code twice");
    let run = login("198.51.100.7", &[&format!("text:{}", codes[1])]).run();
    assert_eq!(run.result, SUCCESS, "{:#?}", log.lines());
}
