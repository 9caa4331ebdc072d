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
    let wanted = ["reserve", "try", "check", "wrong", "try", "check", "try back"];
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
    let texts = Catalogue::english();
    for (finding, wanted, last_words) in [
        (Unknown, Verdict::Undeliverable, texts.not_checked()),
        (Gone, Verdict::TooManyTries, texts.too_many_tries()),
    ] {
        let (verdict, world) = run(&three, &[finding, finding, finding, Right]);
        assert_eq!(verdict, wanted, "{finding:?}");
        assert_eq!(world.farewell, Some(last_words));
        assert_eq!(world.checked.len(), 3);
        assert_eq!(world.limits_said.iter().filter(|said| **said == "wrong").count(), 3);
    }
    let (_, world) = run(&three, &[Unknown, Gone, Right]);
    assert!(world.asked[1].starts_with("The code could not be checked. Type it again.\n"));
    assert!(world.asked[2].starts_with("That code has expired. Type r for a new one.\n"));
    assert_eq!(world.events, ["Sent", "Error", "Expired", "Accepted"]);
    // Nor does a helper that says nothing at all let anybody in.
    assert_eq!(run(&three, &[]).0, Verdict::Undeliverable);
}

#[test]
fn what_nobody_was_asked_gives_its_try_back_but_not_in_this_login() {
    use Finding::{Right, Unasked, Wrong};
    let codes = ["111111", "111111", "111111", "111111"];
    let (verdict, world) = run(&codes, &[Unasked, Unasked, Unasked, Right]);
    assert_eq!((verdict, world.checked.len()), (Verdict::Undeliverable, 3));
    let tries = ["try", "check", "try back"];
    assert_eq!(world.limits_said, [&["reserve"], &tries[..], &tries, &tries].concat());
    assert!(world.asked[1].starts_with("The code could not be checked. Type it again.\n"));
    let said = world.farewell.unwrap();
    assert!(said.starts_with("The SMS login is out of order.\n"), "{said}");
    // A guess that was made is kept, whatever comes before and after it.
    let (verdict, world) = run(&codes, &[Unasked, Wrong, Wrong, Right]);
    assert_eq!(verdict, Verdict::TooManyTries);
    assert_eq!(world.farewell, Some(Catalogue::english().too_many_tries()));
    assert_eq!(world.limits_said.iter().filter(|said| **said == "wrong").count(), 2);
    assert!(world.asked[2].starts_with("Wrong code. One try left"), "{}", world.asked[2]);
    // The try that would lock locks nobody where no guess was made.
    let lasts = Script { locks: true, ..script(&["111111", "111111"], &[Unasked, Right]) };
    assert_eq!(run_with(lasts, &PHONES[..1], IfUnreachable::Deny).0, Verdict::Accepted);
}

#[test]
fn after_the_providers_own_limit_of_tries_no_new_code_is_promised() {
    use Finding::{Right, Spent};
    let with_backup = Script { backup_codes: 1, ..script(&["111111", "r", ""], &[Spent]) };
    let (verdict, world) = run_with(with_backup, &PHONES[..1], IfUnreachable::Deny);
    assert_eq!((verdict, world.texts.len()), (Verdict::TooManyTries, 1));
    let said = "Too many wrong codes. Locked for 10 minutes.\n\
                Try again later or call your administrator.\nBackup code, or Enter to give up: ";
    assert_eq!(world.asked[1..], [said, said]);
    assert_eq!(world.events, ["Sent", "Rejected"]);
    // The other phone has another code; without one, and without backup codes, that was all.
    let other = script(&["111111", "o", "222222"], &[Spent, Right]);
    let (verdict, world) = run_with(other, &PHONES, IfUnreachable::Deny);
    assert_eq!((verdict, &*world.checked[1]), (Verdict::Accepted, "89 222222 test"));
    let (verdict, world) = run(&["111111", "111111"], &[Spent, Right]);
    assert_eq!((verdict, world.asked.len()), (Verdict::TooManyTries, 1));
    assert!(world.farewell.unwrap().ends_with("Try again later or call your administrator."));
}

#[test]
fn only_a_code_that_no_longer_works_is_said_to_be_none() {
    const NONE: &str = "Earlier codes no longer work.";
    // One number has one code of the provider's at a time; another number has another.
    for (answers, is_said) in [(["+31", "r", "111111"], false), (["+31", "o", "111111"], true)] {
        let (verdict, world) =
            run_with(script(&answers, &[Finding::Right]), &PHONES, IfUnreachable::Deny);
        assert_eq!(verdict, Verdict::Accepted);
        let said = &world.asked[1];
        assert!(said.starts_with("New SMS sent to") && said.contains(NONE) == is_said, "{said}");
    }
    let called =
        Script { voice: (true, false), ..script(&["+31", "v", "1111"], &[Finding::Right]) };
    let (_, world) = run_with(called, &PHONES[..1], IfUnreachable::Deny);
    assert!(world.asked[1].starts_with("The phone ending in 23 should ring now.\nv: "));
    let (_, world) = login(&["+31", "r", "code"]);
    assert!(world.asked[1].contains(NONE), "{}", world.asked[1]);
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
