use std::cell::Cell;
use std::collections::VecDeque;

use super::*;
use crate::delivery::{Fate, Outcome};
use crate::limits::Return;
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
    texts: Vec<(String, String)>,
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

    fn farewell(&mut self, text: &str) {
        self.0.borrow_mut().farewell = Some(text.to_owned());
    }
}

struct Post<'w>(&'w std::cell::RefCell<Script>);

impl Delivery for Post<'_> {
    fn deliver(&mut self, number: &PhoneNumber, text: &Secret) -> Outcome {
        let mut world = self.0.borrow_mut();
        world.texts.push((number.ending().to_owned(), text.expose().to_owned()));
        let fate = world.outcomes.pop_front().unwrap_or(Fate::Accepted);
        Outcome { fate, via: "test".to_owned(), detail: String::new() }
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

    fn was_right(&self, _right: Try) -> Result<(), Barrier> {
        self.0.borrow_mut().limits_said.push("right");
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
    let person = Person { user: "alice", phones: &phones, is_new: false };
    let template = Template::default();
    let limits = LimitRules::default();
    let rules = Rules { if_unreachable: open, ask_first, ..rules(&template, &limits) };
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

fn rules<'a>(template: &'a Template, limits: &'a LimitRules) -> Rules<'a> {
    Rules {
        digits: 6,
        lifetime: Duration::from_secs(300),
        attempts: 3,
        ask_first: false,
        limits,
        if_unreachable: IfUnreachable::Deny,
        template,
        host_name: "web1",
    }
}

/// Somebody without a number, who answers this; and whether a number would be stored.
fn enrol_with(answers: &[&'static str], limits: &str) -> (Verdict, Option<String>, Script) {
    let template = Template::default();
    let limits = crate::config::source::Sources::from_text("limits", limits).parse().unwrap();
    let rules = rules(&template, &limits);
    let script = Script { answers: answers.iter().copied().collect(), ..Script::default() };
    let clock = script.clock.clone();
    let script = std::cell::RefCell::new(script);
    let (mut host, mut post, mut book) = (Ears(&script), Post(&script), Book(&script));
    let mut world = World {
        host: &mut host,
        delivery: &mut post,
        limits: &Books(&script),
        clock: &clock,
        journal: &mut book,
    };
    let ended = enrol::enrol(&rules, "alice", &mut world);
    let number = ended.number.map(|number| number.as_e164().to_owned());
    (ended.verdict, number, script.into_inner())
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
    assert_eq!(world.farewell.as_deref(), Some(prompt::TOO_MANY_TRIES));
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

#[test]
fn a_failed_resend_keeps_the_code_that_was_sent() {
    let world = Script {
        outcomes: [Fate::Accepted, Fate::OutOfReach].into(),
        answers: ["+31", "r", "old"].into(),
        ..Script::default()
    };
    let (verdict, _) = run_with(world, &["+4915123456723"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Accepted);
}

#[test]
fn a_try_is_counted_before_it_is_compared_and_a_message_reserved_before_it_is_sent() {
    let (_, world) = login(&["x", "code"]);
    assert_eq!(world.limits_said, ["reserve", "try", "wrong", "try", "right"]);
    assert_eq!(world.given_back, [Return::Verified]);

    let barred =
        Script { sends: [Barrier::Sends(Duration::from_secs(420))].into(), ..Script::default() };
    let (verdict, world) = run_with(barred, &["+4915123456723"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Throttled);
    assert!(world.texts.is_empty());
    assert!(world.farewell.unwrap().ends_with("Try again in 7 minutes."));

    let barred = Script {
        tries: [Barrier::Locked(Duration::from_secs(900))].into(),
        answers: ["code", "code"].into(),
        ..Script::default()
    };
    let (verdict, world) = run_with(barred, &["+4915123456723"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Locked, "the right code is not even compared");
    assert!(world.farewell.unwrap().starts_with("Too many wrong codes. Locked for 15 minutes."));
}

#[test]
fn only_what_surely_was_not_sent_is_given_back() {
    for (fate, given_back) in [
        (Fate::Refused, true),
        (Fate::Failed, true),
        (Fate::OutOfReach, true),
        (Fate::Misconfigured, true),
        (Fate::HelperBroken, false),
        (Fate::Uncertain, false),
    ] {
        let script = Script { outcomes: [fate].into(), ..Script::default() };
        let (_, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
        let wanted: &[Return] = if given_back { &[Return::NotSent] } else { &[] };
        assert_eq!(world.given_back, wanted, "{fate:?}");
    }
}

#[test]
fn the_wrong_code_that_locks_ends_the_login_at_once() {
    let script = Script { locks: true, answers: ["x", "code"].into(), ..Script::default() };
    let (verdict, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Locked);
    assert_eq!(world.events, ["Sent", "Rejected", "Locked"]);
}

#[test]
fn trap_16_a_backup_code_is_the_way_in_wherever_sms_is_shut() {
    let lock = || Barrier::Locked(Duration::from_secs(900));
    let shut: [(&str, Script); 5] = [
        ("locked", Script { sends: [lock()].into(), ..Script::default() }),
        ("closed", Script { sends: [Barrier::Closed].into(), ..Script::default() }),
        ("used up", Script { sends: [Barrier::Sends(Duration::ZERO)].into(), ..Script::default() }),
        ("unreachable", Script { outcomes: [Fate::OutOfReach].into(), ..Script::default() }),
        ("broken", Script { outcomes: [Fate::HelperBroken].into(), ..Script::default() }),
    ];
    for (how, script) in shut {
        let script = Script {
            backup_codes: 10,
            answers: ["1111-1111-1111-1111", "000000", "0000 0000 oooo 0000"].into(),
            ..script
        };
        let (verdict, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
        assert_eq!(verdict, Verdict::BackupCode, "{how}");
        assert!(world.asked[0].ends_with("Backup code, or Enter to give up: "), "{how}");
        let told = world.told.as_deref();
        assert_eq!(told, Some("Backup code accepted. It will not work again. 9 left."), "{how}");
    }
}

#[test]
fn giving_up_at_a_dead_end_is_what_the_dead_end_was() {
    let script = Script {
        sends: [Barrier::Closed].into(),
        backup_codes: 1,
        answers: [""].into(),
        ..Script::default()
    };
    let (verdict, _) = run_with(script, &["+4915123456723"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Locked);
}

#[test]
fn a_backup_code_is_taken_at_the_usual_prompt_and_wrong_ones_end_the_login() {
    let codes = |answers: &[&'static str]| {
        let answers = answers.iter().copied().collect();
        let script = Script { backup_codes: 2, answers, ..Script::default() };
        run_with(script, &["+4915123456723"], IfUnreachable::Deny)
    };
    let (verdict, world) = codes(&["?", "0000-0000-0000-0000"]);
    assert_eq!(verdict, Verdict::BackupCode);
    assert!(world.asked[1].contains("A backup code works here, too."));
    let wrong = "1111-1111-1111-1111";
    let (verdict, world) = codes(&[wrong, wrong, wrong, "code"]);
    assert_eq!(verdict, Verdict::TooManyTries);
    assert_eq!(world.limits_said, ["reserve"], "they count as no try of a code by SMS");
}

#[test]
fn ask_first_sends_nothing_before_enter() {
    let asked = |answers: &[&'static str]| {
        let answers = answers.iter().copied().collect();
        let script = Script { backup_codes: 1, answers, ..Script::default() };
        run_by(script, &["+4915123456723"], IfUnreachable::Deny, true)
    };
    let (verdict, world) = asked(&["", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.asked[0], "Enter sends a code to the phone ending in 23: ");
    let (verdict, world) = asked(&["hunter2", "hunter2", "hunter2", "hunter2"]);
    assert_eq!(verdict, Verdict::Rejected);
    assert!(world.texts.is_empty() && world.limits_said.is_empty());
    assert_eq!(asked(&["0000-0000-0000-0000"]).0, Verdict::BackupCode);
}

#[test]
fn a_resend_that_the_limits_refuse_keeps_the_code() {
    let script = Script {
        answers: ["+31", "r", "code"].into(),
        sends_after_first: Some(Barrier::Sends(Duration::from_secs(60))),
        ..Script::default()
    };
    let (verdict, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[1].starts_with("No more SMS for now. Try r again in 60 seconds."));
}

#[test]
fn a_number_outside_the_countries_gets_nothing() {
    let (verdict, world) = run_with(Script::default(), &["+881612345678"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Refused);
    assert!(world.texts.is_empty() && world.limits_said.is_empty());
}

#[test]
fn who_has_no_number_gives_one_and_confirms_it() {
    let (verdict, number, world) = enrol_with(&["+49 151 23456789", "code"], "");
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(number.as_deref(), Some("+4915123456789"));
    assert!(world.asked[1].ends_with("Code to confirm this number, or n to change it: "));

    let (_, number, world) =
        enrol_with(&["0151 234567", "+49 151 23456789", "n", "+4915123456723", "code"], "");
    assert_eq!(number.as_deref(), Some("+4915123456723"));
    assert!(world.asked[1].contains("write the country code first"), "{}", world.asked[1]);
}

#[test]
fn a_number_that_is_not_confirmed_is_not_stored() {
    for answers in [
        &["+4915123456789", "x", "x", "x"][..],
        &["+4915123456789", "0000-0000-0000-0000", "", "", "", ""],
        &["+4915123456789"],
        &["", "+4915123456789", "code"],
        &["\u{8}\n\r", "+4915123456789", "code"],
        &["1", "2", "3", "4", "5", "6", "+4915123456789", "code"],
    ] {
        let (verdict, number, _) = enrol_with(answers, "");
        assert_ne!(verdict, Verdict::Accepted, "{answers:?}");
        assert_eq!(number, None, "{answers:?}");
    }
    let (_, number, world) = enrol_with(&["+375291234567", "code"], "countries = ['+49']");
    assert_eq!(number, None);
    assert!(world.texts.is_empty());
}
