//! A store without a network, for what is true of every store.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::limits::fleet::Fleet;

/// What another host does between a look and a change.
type Meddling = Box<dyn Fn(&Memory)>;

/// Cells in memory, which several hosts of a test share.
pub struct Memory {
    pub texts: RefCell<BTreeMap<String, (String, Duration)>>,
    now: Cell<Moment>,
    pub since: Cell<Moment>,
    /// Whether it gives no answer.
    pub is_away: Cell<bool>,
    pub questions: RefCell<Vec<String>>,
    pub warnings: RefCell<Vec<String>>,
    pub meddling: RefCell<Vec<Meddling>>,
}

impl Memory {
    /// A store that has been there for long.
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            texts: RefCell::default(),
            // No wall clock agrees with that of a machine since its start.
            now: Cell::new(1_700_000_000_000),
            since: Cell::new(0),
            is_away: Cell::new(false),
            questions: RefCell::default(),
            warnings: RefCell::default(),
            meddling: RefCell::default(),
        })
    }

    /// A way to it, for the books of one host.
    pub fn of<'a>(self: &Rc<Self>, rules: &'a LimitRules) -> Box<dyn Fleet + 'a> {
        Box::new(Way { store: self.clone(), rules })
    }

    pub fn later(&self, span: Duration) {
        self.now.set(self.now.get() + millis(span));
    }

    /// A server that was started anew, without what the old one knew.
    pub fn start_anew(&self) {
        self.texts.borrow_mut().clear();
        self.since.set(self.now.get());
    }
}

struct Way<'a> {
    store: Rc<Memory>,
    rules: &'a LimitRules,
}

impl Fleet for Way<'_> {
    fn ask(&self, user: &str, number: Option<&PhoneNumber>, what: &str) -> Decision {
        self.store.questions.borrow_mut().push(what.to_owned());
        if self.store.is_away.get() {
            return Err(Barrier::OutOfReach("connect: no route to host".to_owned()));
        }
        answer(&*self.store, self.rules, user, number, what)
    }

    fn warn(&self, reason: &str) {
        self.store.warnings.borrow_mut().push(reason.to_owned());
    }
}

impl Cells for Memory {
    fn get(&self, name: &str) -> Result<Option<String>, Barrier> {
        Ok(self.texts.borrow().get(name).map(|(text, _)| text.clone()))
    }

    fn swap(
        &self,
        name: &str,
        old: Option<&str>,
        new: &str,
        lifetime: Duration,
    ) -> Result<Swap, Barrier> {
        let meddling = self.meddling.borrow_mut().pop();
        if let Some(meddle) = meddling {
            meddle(self);
        }
        let mut texts = self.texts.borrow_mut();
        let kept = texts.get(name).map(|(text, _)| text.clone());
        if kept.as_deref() != old {
            return Ok(Swap::Not(kept));
        }
        texts.insert(name.to_owned(), (new.to_owned(), lifetime));
        Ok(Swap::Done)
    }

    fn take(&self, name: &str) -> Result<bool, Barrier> {
        Ok(self.texts.borrow_mut().remove(name).is_some())
    }

    fn key(&self) -> &str {
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    }

    fn now(&self) -> Moment {
        self.now.get()
    }

    fn since(&self) -> Moment {
        self.since.get()
    }
}

#[test]
fn what_is_not_asked_by_a_ledger_is_not_answered() {
    let (store, rules) = (Memory::new(), LimitRules::default());
    for what in ["", "guess", "reserve 0", "not-sent 0", "forgive 0 x", "verified 0"] {
        let said = answer(&*store, &rules, "alice", None, what).unwrap_err();
        assert!(matches!(said, Barrier::Unusable(_)), "{what}: {said}");
    }
    assert!(store.texts.borrow().is_empty());
}

#[test]
fn a_key_lives_as_long_as_it_can_count_and_wrong_codes_for_long() {
    let (store, rules) = (Memory::new(), LimitRules::default());
    let number: PhoneNumber = "+4915123456723".parse().unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    answer(&*store, &rules, "alice", Some(&number), "reserve 0").unwrap();
    assert_eq!(store.texts.borrow()["user-alice"].1, day);
    for (name, (text, lifetime)) in &*store.texts.borrow() {
        assert_eq!(*lifetime, day, "{name}");
        assert!(!name.contains("23456723") && !text.contains("23456723"), "{name}: {text}");
    }
    answer(&*store, &rules, "alice", None, "try 0").unwrap();
    assert_eq!(store.texts.borrow()["user-alice"].1, LONG);
}

#[test]
fn a_change_that_another_was_faster_than_is_made_anew_from_what_is_there() {
    let store = Memory::new();
    let rules = LimitRules::default();
    for _ in 0..9 {
        answer(&*store, &rules, "alice", None, "try 0").unwrap();
    }
    // The other host takes the tenth.
    let other = rules.clone();
    store.meddling.borrow_mut().push(Box::new(move |store| {
        answer(store, &other, "alice", None, "try 0").unwrap();
    }));
    let refused = answer(&*store, &rules, "alice", None, "try 0").unwrap_err();
    assert!(matches!(refused, Barrier::Locked(_)), "{refused}");
}
