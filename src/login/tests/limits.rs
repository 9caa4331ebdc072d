//! What limits, locks and backup codes do to a login.

use super::*;

#[test]
fn a_try_is_counted_before_it_is_compared_and_a_message_reserved_before_it_is_sent() {
    let (_, world) = login(&["x", "code"]);
    assert_eq!(world.limits_said, ["reserve", "try", "wrong", "try", "try back"]);
    assert_eq!(world.given_back, [Return::Verified]);

    let barred = Script { sends: [sends(Duration::from_secs(420))].into(), ..Script::default() };
    let (verdict, world) = run_with(barred, &["+4915123456723"], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Throttled);
    assert!(world.texts.is_empty());
    assert!(
        world.farewell.unwrap().ends_with("Try again in 7 minutes, or call your administrator.")
    );

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
        (Fate::Refused, Some(Return::NotSent)),
        (Fate::Failed, Some(Return::NotSent)),
        (Fate::OutOfReach, Some(Return::NotSent)),
        (Fate::Misconfigured, Some(Return::NotAsked)),
        (Fate::NotStarted, Some(Return::NotAsked)),
        (Fate::HelperBroken, None),
        (Fate::Uncertain, None),
    ] {
        let script = Script { outcomes: [fate].into(), ..Script::default() };
        let (_, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
        assert_eq!(world.given_back, Vec::from_iter(given_back), "{fate:?}");
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
        ("used up", Script { sends: [sends(Duration::ZERO)].into(), ..Script::default() }),
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
        assert!(world.asked[1].starts_with("That is no backup code"), "{how}: {}", world.asked[1]);
        assert!(world.asked[1].ends_with("Backup code, or Enter to give up: "), "{how}");
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
        sends_after_first: Some(sends(Duration::from_secs(60))),
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
