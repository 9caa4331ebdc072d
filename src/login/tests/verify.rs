//! A provider that makes the codes itself, and judges them.

use super::*;

const PHONES: [&str; 2] = ["+4915123456723", "+4915123456789"];

fn script(answers: &[&'static str], judgements: &[Finding]) -> Script {
    let judgements = Some(judgements.iter().copied().collect());
    Script { judgements, answers: answers.iter().copied().collect(), ..Script::default() }
}

fn run(answers: &[&'static str], judgements: &[Finding]) -> (Verdict, Script) {
    run_with(script(answers, judgements), &PHONES[..1], IfUnreachable::Allow)
}

#[test]
fn the_provider_judges_after_the_try_was_counted() {
    let (verdict, world) = run(&["111111", "22-22 22"], &[Finding::Wrong, Finding::Right]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.checked, ["23 111111 test", "23 222222 test"]);
    let wanted = ["reserve", "try", "check", "wrong", "try", "check", "right"];
    assert_eq!(world.limits_said, wanted);
    assert_eq!(world.events, ["Sent", "Rejected", "Accepted"]);
    assert_eq!(world.given_back, [Return::Verified]);
}

#[test]
fn nothing_that_is_said_names_a_reference_and_our_own_code_is_none() {
    let (verdict, world) = run(&["", "?", "r", "code", "+31", "r", "111111"], &[Finding::Right]);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.checked, ["23 111111 test"], "what has letters is not worth asking");
    assert!(world.asked.iter().all(|prompt| !prompt.contains("eference")), "{:?}", world.asked);
    assert!(world.asked[0].starts_with("SMS sent to the phone ending in 23.\nCode, r to"));
    assert!(world.asked[1].starts_with("Nothing was typed.\nUse the newest code.\n"));
    assert!(world.asked[3].starts_with("Please wait 30 seconds"));
    assert!(world.asked[4].starts_with("Wrong code. 2 tries left.\n"));
}

#[test]
fn what_is_not_judged_is_wrong_and_costs_a_try() {
    use Finding::{Gone, Right, Unknown};
    let three = ["111111", "111111", "111111", "111111"];
    for finding in [Unknown, Gone] {
        let (verdict, world) = run(&three, &[finding, finding, finding, Right]);
        assert_eq!(verdict, Verdict::TooManyTries, "{finding:?}");
        assert_eq!(world.checked.len(), 3);
        assert_eq!(world.limits_said.iter().filter(|said| **said == "wrong").count(), 3);
    }
    let (_, world) = run(&three, &[Unknown, Gone, Right]);
    assert!(world.asked[1].starts_with("The code could not be checked. Type it again.\n"));
    assert!(world.asked[2].starts_with("That code has expired. Type r for a new one.\n"));
    assert_eq!(world.events, ["Sent", "Error", "Expired", "Accepted"]);
    // Nor does a helper that says nothing at all let anybody in.
    assert_eq!(run(&three, &[]).0, Verdict::TooManyTries);
}

#[test]
fn our_limits_hold_before_the_provider_is_asked() {
    let barred = Script {
        tries: [Barrier::Locked(Duration::from_secs(900))].into(),
        ..script(&["111111"], &[Finding::Right])
    };
    let (verdict, world) = run_with(barred, &PHONES[..1], IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Locked);
    assert!(world.checked.is_empty());
    let (verdict, world) = run(&["+300", "111111"], &[Finding::Right]);
    assert_eq!(
        verdict,
        Verdict::NoConversation,
        "our lifetime is over, whatever the provider's is"
    );
    assert!(world.checked.is_empty());
    let lasts = Script { locks: true, ..script(&["111111", "2"], &[Finding::Unknown]) };
    assert_eq!(run_with(lasts, &PHONES[..1], IfUnreachable::Allow).0, Verdict::Locked);
}

#[test]
fn the_number_of_the_code_that_counts_is_the_one_that_is_asked_about() {
    let other = script(&["o", "111111"], &[Finding::Right]);
    let (verdict, world) = run_with(other, &PHONES, IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.checked, ["89 111111 test"]);
    let outcomes = [Fate::Accepted, Fate::OutOfReach].into();
    let failed = Script { outcomes, ..script(&["o", "111111"], &[Finding::Right]) };
    let (verdict, world) = run_with(failed, &PHONES, IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.checked, ["23 111111 test"]);
}
