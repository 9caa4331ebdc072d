//! A further message that could not be sent.

use super::*;

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
fn a_code_that_has_expired_is_not_called_valid_when_no_new_one_can_be_sent() {
    let script = Script {
        answers: ["+300", "r"].into(),
        sends_after_first: Some(sends(Duration::from_secs(60))),
        ..Script::default()
    };
    let (verdict, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Throttled);
    assert!(world.farewell.unwrap().starts_with("No SMS for now"));

    let script = Script {
        outcomes: [Fate::Accepted, Fate::Failed].into(),
        answers: ["+300", "r"].into(),
        ..Script::default()
    };
    let (verdict, world) = run_with(script, &["+4915123456723"], IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Undeliverable);
    assert_eq!(world.farewell.as_deref(), Some(&*Catalogue::english().no_provider()));

    let (verdict, _) =
        login(&["+300", "r", "+300", "r", "+300", "r", "+300", "r", "+300", "r", "code"]);
    assert_eq!(verdict, Verdict::Rejected);
}

#[test]
fn after_a_failed_change_of_phones_the_first_one_counts() {
    let script = Script {
        outcomes: [Fate::Accepted, Fate::Failed, Fate::Accepted].into(),
        answers: ["o", "+31", "r", "code"].into(),
        ..Script::default()
    };
    let phones = ["+4915123456723", "+4915123456789"];
    let (verdict, world) = run_with(script, &phones, IfUnreachable::Deny);
    assert_eq!(verdict, Verdict::Accepted);
    let texted: Vec<_> = world.texts.iter().map(|(phone, _)| phone.as_str()).collect();
    assert_eq!(texted, ["23", "89", "23"], "r goes to the phone whose code counts");
}
