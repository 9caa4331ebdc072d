//! `v`: the code comes in a call.

use super::*;

const PHONE: [&str; 1] = ["+4915123456723"];
const OFFER: &str = "\nv: a call reads the code aloud.\n";

fn script(answers: &[&'static str]) -> Script {
    let answers = answers.iter().copied().collect();
    Script { voice: (true, false), answers, ..Script::default() }
}

fn run(script: Script) -> (Verdict, Script) {
    run_with(script, &PHONE, IfUnreachable::Deny)
}

#[test]
fn v_calls_with_a_new_code_that_has_no_reference() {
    let (verdict, world) = run(script(&["+31", "v", "?", "x", "code"]));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.calls, ["23"]);
    assert!(world.asked[0].starts_with("SMS sent to") && world.asked[0].contains(OFFER));
    let said = "The phone ending in 23 should ring now.\nEarlier codes no longer work.\n";
    assert!(world.asked[1].starts_with(said), "{}", world.asked[1]);
    assert!(world.asked[2].starts_with("A code went to your phone.\n"), "{}", world.asked[2]);
    let said = "Wrong code. 2 tries left.\nUse the newest code.\n";
    assert!(world.asked[3].starts_with(said), "{}", world.asked[3]);
    assert!(world.asked[1..].iter().all(|prompt| !prompt.contains("eference")));
    assert_eq!(world.events, ["Sent", "Resent", "Rejected", "Accepted"]);
    let (verdict, _) = run(script(&["+31", "v", "old", "old", "old"]));
    assert_eq!(verdict, Verdict::TooManyTries, "the code of the message no longer counts");
}

#[test]
fn a_call_is_reserved_and_waited_for_like_a_message() {
    let (verdict, world) = run(script(&["v", "code"]));
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[1].starts_with("Please wait 30 seconds"), "{}", world.asked[1]);
    assert!(world.calls.is_empty());

    let (_, world) = run(script(&["+31", "v", "+31", "v", "+31", "r", "+31", "v", "+31", "v"]));
    assert_eq!((world.texts.len(), world.calls.len()), (5, 3));
    let reserved = world.limits_said.iter().filter(|said| **said == "reserve").count();
    assert_eq!(reserved, 5);
    assert!(world.asked[5].starts_with("No more SMS in this login.\nUse the newest code.\n"));

    let barred = Script {
        sends_after_first: Some(sends(Duration::from_secs(60))),
        ..script(&["+31", "v", "code"])
    };
    let (verdict, world) = run(barred);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.calls.is_empty());
}

#[test]
fn where_nobody_calls_v_is_a_wrong_code() {
    let (verdict, world) = login(&["v", "code"]);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(world.asked[1].starts_with("Wrong code. 2 tries left."));
    assert!(world.calls.is_empty() && !world.asked[0].contains(OFFER));
}

#[test]
fn a_number_that_takes_no_messages_may_be_called() {
    let refused = Script { outcomes: [Fate::Refused].into(), ..script(&["v", "code"]) };
    let (verdict, world) = run(refused);
    assert_eq!(verdict, Verdict::Accepted);
    let said = "No SMS can be sent to the phone ending in 23.\nCall your administrator.\n\
                v: a call reads the code aloud.\n\
                Press Enter to close: ";
    assert_eq!(world.asked[0], said);
    assert!(world.asked[1].starts_with("The phone ending in 23 should ring now.\nv: "));

    // But for one that must not be, and a call that came to nothing is not offered again.
    let (verdict, world) = run_with(script(&["v"]), &["+881612345678"], IfUnreachable::Deny);
    assert_eq!((verdict, world.asked.len()), (Verdict::Refused, 0));
    let outcomes = [Fate::Refused, Fate::Refused].into();
    let (verdict, world) = run(Script { outcomes, ..script(&["v"]) });
    assert_eq!((verdict, world.asked.len()), (Verdict::Refused, 1));
    assert!(world.farewell.unwrap().starts_with("The call could not be made.\n"));
}

#[test]
fn whoever_has_a_landline_is_always_called() {
    let landline = |answers| Script { voice: (true, true), ..script(answers) };
    let (verdict, world) = run(landline(&["+31", "r", "code"]));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.calls, ["23", "23"]);
    assert!(world.asked[0].starts_with("The phone ending in 23 should ring now.\nv: "));
    // Unless nobody calls here.
    let (_, world) = run(Script { voice: (false, true), ..script(&["code"]) });
    assert!(world.calls.is_empty());
}

#[test]
fn calls_out_of_reach_let_nobody_in() {
    for (voice, answers) in [((true, true), &[][..]), ((true, false), &["+300", "v"][..])] {
        let outcomes = match voice {
            (_, true) => vec![Fate::OutOfReach],
            _ => vec![Fate::Accepted, Fate::OutOfReach],
        };
        let script = Script { voice, outcomes: outcomes.into(), ..script(answers) };
        let (verdict, world) = run_with(script, &PHONE, IfUnreachable::Allow);
        assert_eq!(verdict, Verdict::Undeliverable);
        assert!(world.farewell.unwrap().starts_with("The call could not be made.\n"));
    }
    // Nor do messages, once one has been sent.
    let outcomes = [Fate::Accepted, Fate::OutOfReach].into();
    let answers = ["+300", "r"].into();
    let script = Script { outcomes, answers, ..Script::default() };
    let (verdict, _) = run_with(script, &PHONE, IfUnreachable::Allow);
    assert_eq!(verdict, Verdict::Undeliverable);
}

#[test]
fn a_call_that_fails_leaves_the_code_of_the_message() {
    let outcomes = [Fate::Accepted, Fate::Failed].into();
    let (verdict, world) = run(Script { outcomes, ..script(&["+31", "v", "old"]) });
    assert_eq!(verdict, Verdict::Accepted);
    let said = "The call could not be made.\nThe code with reference ";
    assert!(world.asked[1].starts_with(said), "{}", world.asked[1]);
}

#[test]
fn whoever_has_to_ask_first_may_ask_for_a_call() {
    let (verdict, world) = run_by(script(&["v", "code"]), &PHONE, IfUnreachable::Deny, true);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.calls, ["23"]);
    let said = "v: a call reads the code aloud.\nEnter sends a code to the phone ending in 23: ";
    assert_eq!(world.asked[0], said);
}

#[test]
fn a_call_that_nobody_confirmed_is_not_promised() {
    let outcomes = [Fate::Accepted, Fate::Uncertain].into();
    let (verdict, world) = run(Script { outcomes, ..script(&["+31", "v", "code"]) });
    assert_eq!((verdict, &*world.events[1]), (Verdict::Accepted, "Uncertain"));
    let said = "The call may not come: it was not confirmed.\nEarlier codes no longer work.\nv: ";
    assert!(world.asked[1].starts_with(said), "{}", world.asked[1]);
}

#[test]
fn a_wrong_backup_code_at_a_dead_end_leaves_all_its_ways_out() {
    let answers = ["0000-0000-0000-0001", "v", "code"];
    let outcomes = [Fate::Refused].into();
    let refused = Script { outcomes, backup_codes: 1, ..script(&answers) };
    let (verdict, world) = run(refused);
    assert_eq!((verdict, world.calls.len()), (Verdict::Accepted, 1));
    let ways = "v: a call reads the code aloud.\nBackup code, or Enter to give up: ";
    assert!(world.asked[0].ends_with(&format!("\n{ways}")), "{}", world.asked[0]);
    let said = format!("That is no backup code, or it was used before.\n{ways}");
    assert_eq!(world.asked[1], said);
}
