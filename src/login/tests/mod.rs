mod enrol;
mod limits;
mod trouble;
mod verify;
mod voice;

use std::cell::Cell;
use std::collections::VecDeque;

use super::*;
use crate::delivery::{Fate, Finding, Judgement, Outcome};
use crate::limits::{Return, SendLimit};
use crate::secret::Secret;

/// A world that follows a script and remembers what it saw.
#[derive(Default)]
struct Script {
    /// What the limits say to each message, and to each try; nothing more: they allow it.
    sends: VecDeque<Barrier>,
    tries: VecDeque<Barrier>,
    sends_after_first: Option<Barrier>,
    /// Whether the next wrong code locks the account.
    locks: bool,
    /// How many backup codes there are; the good one is `0000-0000-0000-0000`.
    backup_codes: usize,
    given_back: Vec<Return>,
    limits_said: Vec<&'static str>,
    told: Option<String>,
    answers: VecDeque<&'static str>,
    outcomes: VecDeque<Fate>,
    asked: Vec<String>,
    farewell: Option<String>,
    /// What was sent, and what was read in calls, and to which phone.
    texts: Vec<(String, String)>,
    /// Whether `v` calls, and whether the person is always called.
    voice: (bool, bool),
    /// What a provider says that makes its codes itself; nothing, where they are ours.
    judgements: Option<VecDeque<Finding>>,
    /// What it was asked.
    checked: Vec<String>,
    /// Which phones were called.
    calls: Vec<String>,
    events: Vec<String>,
    clock: TestClock,
    refuses_announcement: bool,
}

#[derive(Default, Clone)]
struct TestClock(std::rc::Rc<Cell<u64>>);

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.get())
    }
}

struct Ears<'w>(&'w std::cell::RefCell<Script>);

impl Host for Ears<'_> {
    fn announce(&mut self, _text: &str) -> Result<(), NoAnswer> {
        match self.0.borrow().refuses_announcement {
            true => Err(NoAnswer { reason: "a test" }),
            false => Ok(()),
        }
    }

    /// `+N` lets N seconds pass first; `code` is the last code sent, `old` the one before.
    fn ask(&mut self, prompt: &str) -> Result<Secret, NoAnswer> {
        let mut world = self.0.borrow_mut();
        world.asked.push(prompt.to_owned());
        let mut answer = world.answers.pop_front().ok_or(NoAnswer { reason: "script over" })?;
        if let Some(seconds) = answer.strip_prefix('+').filter(|rest| rest.len() < 5) {
            let now = world.clock.0.get() + seconds.parse::<u64>().unwrap();
            world.clock.0.set(now);
            answer = world.answers.pop_front().unwrap();
        }
        let sent = |back: usize| {
            let Some(index) = world.texts.len().checked_sub(back) else { return String::new() };
            let text = &world.texts[index].1;
            text.split(' ').next().unwrap().to_owned()
        };
        Ok(Secret::from(match answer {
            "code" => sent(1),
            "old" => sent(2),
            plain => plain.to_owned(),
        }))
    }

    fn inform(&mut self, text: &str) {
        self.0.borrow_mut().told = Some(text.to_owned());
    }

    fn farewell(&mut self, said: String, _press_enter: &str) {
        self.0.borrow_mut().farewell = Some(said);
    }
}

struct Post<'w>(&'w std::cell::RefCell<Script>);

impl Delivery for Post<'_> {
    fn deliver(&mut self, number: &PhoneNumber, text: &Secret) -> Outcome {
        let mut world = self.0.borrow_mut();
        world.texts.push((number.ending().to_owned(), text.expose().to_owned()));
        let fate = world.outcomes.pop_front().unwrap_or(Fate::Accepted);
        let judges = world.judgements.is_some();
        Outcome { fate, via: "test".to_owned(), detail: String::new(), judges }
    }

    fn call(&mut self, number: &PhoneNumber, code: &Code) -> Outcome {
        let outcome = self.deliver(number, &Secret::from(code.expose().to_owned()));
        self.0.borrow_mut().calls.push(number.ending().to_owned());
        outcome
    }

    fn check(&mut self, number: &PhoneNumber, typed: &Secret, provider: &str) -> Judgement {
        let mut world = self.0.borrow_mut();
        world.limits_said.push("check");
        world.checked.push(format!("{} {} {provider}", number.ending(), typed.expose()));
        let finding = world.judgements.as_mut().and_then(VecDeque::pop_front);
        Judgement { finding: finding.unwrap_or(Finding::Unknown), detail: String::new() }
    }
}

struct Book<'w>(&'w std::cell::RefCell<Script>);

impl Journal for Book<'_> {
    fn record(&mut self, event: Event, _fields: &[(&str, &str)]) {
        self.0.borrow_mut().events.push(format!("{event:?}"));
    }
}

struct Books<'w>(&'w std::cell::RefCell<Script>);

impl Limits for Books<'_> {
    fn reserve(&self, _number: &PhoneNumber) -> Result<Reservation, Barrier> {
        let mut world = self.0.borrow_mut();
        world.limits_said.push("reserve");
        if let Some(barrier) = world.sends.pop_front() {
            return Err(barrier);
        }
        let next = world.sends_after_first.take();
        world.sends.extend(next);
        Ok(Reservation::default())
    }

    fn give_back(
        &self,
        _number: &PhoneNumber,
        _message: Reservation,
        why: Return,
    ) -> Result<(), Barrier> {
        self.0.borrow_mut().given_back.push(why);
        Ok(())
    }

    fn count_try(&self) -> Result<Try, Barrier> {
        let mut world = self.0.borrow_mut();
        world.limits_said.push("try");
        let mut counted = Try::default();
        counted.locks = Duration::from_secs(if world.locks { 900 } else { 0 });
        world.tries.pop_front().map_or(Ok(counted), Err)
    }

    fn was_wrong(&self) -> Result<(), Barrier> {
        self.0.borrow_mut().limits_said.push("wrong");
        Ok(())
    }

    fn give_try_back(&self, _counted: Try) -> Result<(), Barrier> {
        self.0.borrow_mut().limits_said.push("try back");
        Ok(())
    }

    fn burn(&self, plain: &Secret) -> Result<Option<usize>, Barrier> {
        let mut world = self.0.borrow_mut();
        if world.backup_codes == 0 || plain.expose() != "0000000000000000" {
            return Ok(None);
        }
        world.backup_codes -= 1;
        Ok(Some(world.backup_codes))
    }

    fn backup_codes(&self) -> Result<usize, Barrier> {
        Ok(self.0.borrow().backup_codes)
    }
}

fn run_with(script: Script, phones: &[&str], open: IfUnreachable) -> (Verdict, Script) {
    run_by(script, phones, open, false)
}

fn run_by(
    script: Script,
    phones: &[&str],
    open: IfUnreachable,
    ask_first: bool,
) -> (Verdict, Script) {
    let phones: Vec<PhoneNumber> = phones.iter().map(|phone| phone.parse().unwrap()).collect();
    let person = Person { user: "alice", by_voice: script.voice.1, phones: &phones, is_new: false };
    let texts = Catalogue::english();
    let limits = LimitRules::default();
    let voice = script.voice.0;
    let rules = Rules { if_unreachable: open, ask_first, voice, ..rules(&texts, &limits) };
    let clock = script.clock.clone();
    let script = std::cell::RefCell::new(script);
    let (mut host, mut post, mut book) = (Ears(&script), Post(&script), Book(&script));
    let world = World {
        host: &mut host,
        delivery: &mut post,
        limits: &Books(&script),
        clock: &clock,
        journal: &mut book,
    };
    let ending = Login::new(&rules, &person, world).run();
    (ending.verdict, script.into_inner())
}

fn rules<'a>(texts: &'a Catalogue, limits: &'a LimitRules) -> Rules<'a> {
    Rules {
        digits: 6,
        lifetime: Duration::from_secs(300),
        attempts: 3,
        ask_first: false,
        limits,
        if_unreachable: IfUnreachable::Deny,
        texts,
        template: texts.sms(),
        voice: false,
        host_name: "web1",
    }
}

fn sends(wait: Duration) -> Barrier {
    Barrier::Sends { wait, limit: SendLimit::User }
}

fn login(answers: &[&'static str]) -> (Verdict, Script) {
    let world = Script { answers: answers.iter().copied().collect(), ..Script::default() };
    run_with(world, &["+4915123456723"], IfUnreachable::Deny)
}

#[test]
fn the_right_code_lets_in() {
    let (verdict, world) = login(&["code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.events, ["Sent", "Accepted"]);
    assert!(world.asked[0].starts_with("SMS sent to the phone ending in 23.\nReference: "));
}

#[test]
fn three_wrong_codes_end_the_login_and_the_right_one_comes_too_late() {
    let (verdict, world) = login(&["000000x", "1", "hello", "code"]);
    assert_eq!(verdict, Verdict::TooManyTries);
    assert!(world.asked[1].starts_with("Wrong code. 2 tries left."));
    assert!(world.asked[2].starts_with("Wrong code. One try left"));
    assert_eq!(world.farewell.as_deref(), Some(&*Catalogue::english().too_many_tries()));
}

#[test]
fn a_resend_replaces_the_code_and_gives_no_tries_back() {
    let (verdict, _) = login(&["x", "x", "+31", "r", "old"]);
    assert_eq!(verdict, Verdict::TooManyTries);
    let (verdict, world) = login(&["x", "x", "+31", "r", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.texts.len(), 2);
}

#[test]
fn a_resend_too_early_sends_nothing_and_keeps_the_code() {
    let (verdict, world) = login(&["+12", "r", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[1].starts_with("Please wait 18 seconds"), "{}", world.asked[1]);
    assert_eq!(world.texts.len(), 1);
}

#[test]
fn one_login_sends_at_most_five_messages() {
    let (verdict, world) =
        login(&["+31", "r", "+31", "r", "+31", "r", "+31", "r", "+31", "r", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.texts.len(), 5);
    assert!(world.asked[5].starts_with("No more SMS in this login."));
}

#[test]
fn a_code_expires_and_costs_no_try() {
    let (verdict, world) = login(&["+300", "code", "r", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.events, ["Sent", "Expired", "Resent", "Accepted"]);
}

#[test]
fn nothing_typed_asks_again_three_times() {
    assert_eq!(login(&["", "", "", "code"]).0, Verdict::Accepted);
    assert_eq!(login(&["", "", "", "", "code"]).0, Verdict::Rejected);
}

#[test]
fn a_cut_conversation_and_endless_questions_are_denials() {
    assert_eq!(login(&[]).0, Verdict::NoConversation);
    assert_eq!(login(&["?"; 100]).0, Verdict::Rejected);
}

#[test]
fn trap_7_sshds_fake_answer_is_a_denial_that_costs_no_try() {
    let (verdict, world) = login(&["\u{8}\n", "code"]);
    assert_eq!(verdict, Verdict::Rejected);
    assert_eq!(world.asked.len(), 1);
}

#[test]
fn trap_20_nothing_is_sent_to_a_conversation_that_cannot_answer() {
    let world = Script { refuses_announcement: true, ..Script::default() };
    let (verdict, world) = run_with(world, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::NoConversation);
    assert!(world.texts.is_empty());
}

#[test]
fn trap_1_only_out_of_reach_lets_in_and_only_where_it_is_allowed() {
    for (fate, allowed, denied) in [
        (Fate::OutOfReach, Verdict::LetInUnreached, Verdict::Undeliverable),
        (Fate::Failed, Verdict::Undeliverable, Verdict::Undeliverable),
        (Fate::Refused, Verdict::Refused, Verdict::Refused),
        (Fate::Misconfigured, Verdict::Unusable, Verdict::Unusable),
        (Fate::NotStarted, Verdict::Unusable, Verdict::Unusable),
        (Fate::HelperBroken, Verdict::Unusable, Verdict::Unusable),
    ] {
        for (open, wanted) in [(IfUnreachable::Allow, allowed), (IfUnreachable::Deny, denied)] {
            let world = Script { outcomes: [fate].into(), ..Script::default() };
            let (verdict, _) = run_with(world, &["+4915123456723"], open);
            assert_eq!(verdict, wanted, "{fate:?} {open:?}");
        }
    }
}

#[test]
fn an_uncertain_message_is_asked_for() {
    let world = Script {
        outcomes: [Fate::Uncertain].into(),
        answers: ["code"].into(),
        ..Script::default()
    };
    let (verdict, world) = run_with(world, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[0].starts_with("The SMS may be late"));
}

#[test]
fn the_other_phone_needs_no_waiting_and_saves_a_refused_number() {
    let phones = ["+4915123456723", "+4915123456789"];
    let world = Script { answers: ["o", "code"].into(), ..Script::default() };
    let (verdict, world) = run_with(world, &phones, IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.texts[1].0, "89");

    let world = Script {
        outcomes: [Fate::Refused].into(),
        answers: ["o", "code"].into(),
        ..Script::default()
    };
    let (verdict, world) = run_with(world, &phones, IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[0].starts_with("No SMS can be sent to the phone ending in 23."));
}
