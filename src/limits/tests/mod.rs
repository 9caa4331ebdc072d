#[cfg(feature = "redis")]
mod fleet;
mod trouble;

use std::cell::Cell;
use std::fs;

use super::*;
use crate::config::model::LimitRules;
use crate::config::source::Sources;
#[cfg(feature = "redis")]
use crate::limits::redis::tests::Memory;
use crate::login::ports::{Clock, Limits};
use crate::people::PhoneNumber;
use crate::state::Places;

struct At(Cell<u64>);

impl Clock for At {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.get())
    }
}

/// A machine with state of its own and a clock that is set by hand.
struct Machine {
    folder: tempfile::TempDir,
    places: Places,
    rules: LimitRules,
    clock: At,
    /// What it shares with others.
    #[cfg(feature = "redis")]
    store: Option<std::rc::Rc<Memory>>,
}

impl Machine {
    fn new(limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places { run: folder.path().join("run"), lib: folder.path().join("lib") };
        let rules = Sources::from_text("limits", limits).parse().unwrap();
        let clock = At(Cell::new(10_000));
        #[cfg(feature = "redis")]
        let machine = Self { folder, places, rules, clock, store: None };
        #[cfg(not(feature = "redis"))]
        let machine = Self { folder, places, rules, clock };
        machine
    }

    /// A machine that is alone, and one that shares a store: what is true of one is of the other.
    fn both(limits: &str) -> Vec<Self> {
        let alone = Self::new(limits);
        #[cfg(feature = "redis")]
        return vec![alone, Self::sharing(&Memory::new(), limits)];
        #[cfg(not(feature = "redis"))]
        return vec![alone];
    }

    /// A machine that shares `store`.
    #[cfg(feature = "redis")]
    fn sharing(store: &std::rc::Rc<Memory>, limits: &str) -> Self {
        Self { store: Some(store.clone()), ..Self::new(limits) }
    }

    fn books<'a>(&'a self, user: &'a str) -> Ledger<'a> {
        let books = Ledger::new(&self.places, &self.rules, user, &self.clock);
        #[cfg(feature = "redis")]
        let books = books.shared_by(self.store.as_ref().map(|store| store.of(&self.rules)));
        books
    }

    fn later(&self, seconds: u64) {
        self.clock.0.set(self.clock.0.get() + seconds);
        #[cfg(feature = "redis")]
        if let Some(store) = &self.store {
            store.later(wait(seconds));
        }
    }

    /// A wrong try from end to end.
    fn fail(&self, user: &str) -> Result<(), Barrier> {
        let books = self.books(user);
        books.count_try()?;
        books.was_wrong()
    }

    fn state(&self, name: &str) -> std::path::PathBuf {
        self.places.run.join(name)
    }

    /// As after a start of the machine: what is in /run is gone.
    fn reboot(&self) {
        fs::remove_dir_all(&self.places.run).unwrap();
        self.clock.0.set(30);
    }
}

fn phone() -> PhoneNumber {
    "+4915123456723".parse().unwrap()
}

fn other_phone() -> PhoneNumber {
    "+4915123456789".parse().unwrap()
}

fn wait(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn sends(limit: SendLimit, seconds: u64) -> Barrier {
    Barrier::Sends { wait: wait(seconds), limit }
}

#[test]
fn five_messages_in_ten_minutes_and_then_one_has_to_wait() {
    for machine in Machine::both("") {
        for _ in 0..5 {
            machine.books("alice").reserve(&phone()).unwrap();
            machine.later(60);
        }
        let denied = machine.books("alice").reserve(&phone()).unwrap_err();
        assert_eq!(denied, sends(SendLimit::User, 300));
        machine.later(300);
        machine.books("alice").reserve(&phone()).unwrap();
    }
}

#[test]
fn accounts_that_share_a_number_share_what_is_sent_to_it() {
    for machine in Machine::both("sends_per_number = '2/10m'") {
        machine.books("alice").reserve(&phone()).unwrap();
        machine.books("bob").reserve(&phone()).unwrap();
        let carol = machine.books("carol");
        assert_eq!(carol.reserve(&phone()), Err(sends(SendLimit::Number, 600)));
        // What the number refused was not taken from the account.
        let standing = carol.standing(&[]).unwrap();
        assert_eq!((standing.sends.0, standing.sends_today.0), (0, 0));
        carol.reserve(&other_phone()).unwrap();
    }
}

#[test]
fn the_machine_has_a_limit_of_its_own() {
    for machine in Machine::both("sends_per_host = '1/1h'") {
        machine.books("alice").reserve(&phone()).unwrap();
        let denied = machine.books("bob").reserve(&other_phone()).unwrap_err();
        assert_eq!(denied, sends(SendLimit::Host, 3600));
        assert!(machine.books("bob").unlock_host().unwrap());
        machine.books("bob").reserve(&other_phone()).unwrap();
    }
}

#[test]
fn trap_21_a_verified_login_gives_its_message_back_to_all_but_the_day() {
    for machine in Machine::both("requests_per_user = '30/10m'") {
        for login in 0..20 {
            let books = machine.books("alice");
            let message = books.reserve(&phone()).unwrap_or_else(|b| panic!("login {login}: {b}"));
            books.give_back(&phone(), message, Return::Verified).unwrap();
            machine.later(30);
        }
        let denied = machine.books("alice").reserve(&phone()).unwrap_err();
        assert_eq!(denied, sends(SendLimit::Day, 24 * 3600 - 20 * 30));
    }
}

#[test]
fn trap_21_a_refused_message_is_given_back_and_its_request_is_not() {
    for machine in Machine::both("requests_per_user = '7/1h'") {
        for _ in 0..7 {
            let books = machine.books("alice");
            let message = books.reserve(&phone()).unwrap();
            books.give_back(&phone(), message, Return::NotSent).unwrap();
        }
        assert_eq!(machine.books("alice").standing(&[]).unwrap().sends_today.0, 0);
        assert_eq!(machine.books("alice").reserve(&phone()), Err(sends(SendLimit::Requests, 3600)));
    }
}

#[test]
fn a_message_about_which_no_provider_was_asked_is_given_back_with_its_request() {
    for machine in Machine::both("requests_per_user = '7/1h'") {
        for _ in 0..20 {
            let books = machine.books("alice");
            let message = books.reserve(&phone()).unwrap();
            books.give_back(&phone(), message, Return::NotAsked).unwrap();
        }
        let standing = machine.books("alice").standing(&[]).unwrap();
        assert_eq!((standing.sends.0, standing.sends_today.0), (0, 0));
        machine.books("alice").reserve(&phone()).unwrap();
    }
}

#[test]
fn ten_wrong_codes_lock_the_account_and_nothing_else() {
    for machine in Machine::both("") {
        for _ in 0..9 {
            machine.fail("alice").unwrap();
        }
        let last = machine.books("alice").count_try().unwrap();
        assert_eq!(last.locks, wait(3600));
        for books in [machine.books("alice"), machine.books("alice")] {
            assert_eq!(books.count_try(), Err(Barrier::Locked(wait(3600))));
            assert_eq!(books.reserve(&phone()), Err(Barrier::Locked(wait(3600))));
        }
        machine.fail("bob").unwrap();
        machine.later(3600);
        machine.fail("alice").unwrap();
    }
}

#[test]
fn a_right_try_gives_back_itself_only() {
    for machine in Machine::both("") {
        for _ in 0..9 {
            machine.fail("alice").unwrap();
        }
        let books = machine.books("alice");
        let right = books.count_try().unwrap();
        books.give_try_back(right).unwrap();
        let standing = books.standing(&[]).unwrap();
        assert_eq!((standing.failures.0, standing.failures_total.0), (9, 9));
    }
}

#[test]
fn trap_2_wrong_tries_come_back_only_when_the_whole_login_succeeded() {
    for machine in Machine::both("") {
        let books = machine.books("alice");
        let wrong = books.count_try().unwrap();
        books.was_wrong().unwrap();
        let right = books.count_try().unwrap();
        books.give_try_back(right).unwrap();
        assert_eq!(books.standing(&[]).unwrap().failures_total.0, 1);
        let pending = Pending { tries: vec![wrong], ..Pending::default() };
        books.settle(&pending, Some(&phone())).unwrap();
        assert_eq!(books.standing(&[]).unwrap().failures_total.0, 0);
        machine.reboot();
        assert_eq!(machine.books("alice").standing(&[]).unwrap().failures_total.0, 0);
    }
}

#[test]
fn trap_9_a_hundred_wrong_codes_close_the_account_and_a_reboot_does_not_open_it() {
    for machine in Machine::both("failures_total = 20\nfailures_per_user = '15/1m'") {
        for _ in 0..15 {
            machine.fail("alice").unwrap();
        }
        machine.later(900);
        machine.reboot();
        for _ in 0..5 {
            machine.fail("alice").unwrap();
        }
        assert_eq!(machine.books("alice").count_try(), Err(Barrier::Closed));
        machine.reboot();
        machine.later(365 * 24 * 3600);
        assert_eq!(machine.books("alice").reserve(&phone()), Err(Barrier::Closed));
        let reopened = Pending { reopen: true, ..Pending::default() };
        machine.books("alice").settle(&reopened, Some(&phone())).unwrap();
        machine.books("alice").reserve(&phone()).unwrap();
        machine.reboot();
        machine.books("alice").reserve(&phone()).unwrap();
    }
}

#[test]
fn unlock_opens_a_closed_account_and_says_whether_it_changed_anything() {
    for machine in Machine::both("failures_total = 3") {
        for _ in 0..3 {
            machine.fail("alice").unwrap();
        }
        assert_eq!(machine.books("alice").count_try(), Err(Barrier::Closed));
        assert!(machine.books("alice").unlock(&[phone()]).unwrap());
        assert!(!machine.books("alice").unlock(&[phone()]).unwrap());
        machine.fail("alice").unwrap();
    }
}

#[test]
fn a_visit_is_remembered_for_its_service_address_and_number() {
    for machine in Machine::both("") {
        let visit = |service: &str, address: &str| Visit {
            service: service.to_owned(),
            address: address.parse().unwrap(),
        };
        let here = visit("sshd", "2001:db8::1");
        let pending = Pending { remember: Some((here.clone(), wait(3600))), ..Pending::default() };
        machine.books("alice").settle(&pending, Some(&phone())).unwrap();

        let remembered = |user, visit: &Visit, phone| {
            machine.books(user).is_remembered(visit, &[phone]).unwrap()
        };
        assert!(remembered("alice", &here, phone()));
        assert!(!remembered("alice", &here, other_phone()), "another number");
        assert!(!remembered("bob", &here, phone()), "another person");
        assert!(!remembered("alice", &visit("sudo", "2001:db8::1"), phone()), "another service");
        assert!(!remembered("alice", &visit("sshd", "2001:db8::2"), phone()), "another address");
        machine.later(3600);
        assert!(!remembered("alice", &here, phone()), "too late");
    }
}

#[test]
fn trap_16_backup_codes_are_good_once_and_while_the_account_is_locked() {
    for machine in Machine::both("failures_per_user = '3/1h'") {
        let fresh = machine.books("alice").add_backup_codes(10, None).unwrap();
        let typed = backup::plain(&fresh[0].expose().replace('-', "")).unwrap();
        for _ in 0..3 {
            machine.fail("alice").unwrap();
        }
        assert!(matches!(machine.books("alice").count_try(), Err(Barrier::Locked(_))));
        let no_code = backup::plain("0000000000000000").unwrap();
        for _ in 0..1000 {
            assert_eq!(machine.books("alice").burn(&no_code), Ok(None));
        }
        assert_eq!(machine.books("alice").burn(&typed), Ok(Some(9)));
        assert_eq!(machine.books("alice").burn(&typed), Ok(None));
        assert_eq!(machine.books("bob").burn(&typed), Ok(None));
        assert!(!machine.places.lib.join("backup-bob.state").exists());
        assert_eq!(machine.books("alice").add_backup_codes(10, None).unwrap().len(), 10);
        assert_eq!(machine.books("alice").backup_codes(), Ok(10), "new codes replace the old");
        assert_eq!(machine.books("alice").revoke_backup_codes(), Ok(10));
        assert_eq!(machine.books("alice").backup_codes(), Ok(0));
    }
}

#[test]
fn times_are_said_as_people_say_them() {
    for (millis, words) in [
        (1, "1 second"),
        (30_000, "30 seconds"),
        (90_001, "2 minutes"),
        (900_000, "15 minutes"),
        (3_600_000, "60 minutes"),
        (7_200_000, "2 hours"),
    ] {
        assert_eq!(in_words(Duration::from_millis(millis)), words);
    }
}
