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

#[test]
fn where_nobody_can_say_which_phone_it_is_a_backup_code_helps_and_nothing_else_does() {
    const BACKUP: &str = "0000-0000-0000-0000";
    let lost = |backup_codes, voice, answers: &[&'static str]| {
        let voice = (voice, voice);
        let answers = answers.iter().copied().collect();
        let world = Script { answers, backup_codes, voice, ..Script::default() };
        let (verdict, world) = run_with(world, &[], IfUnreachable::Allow);
        assert!(world.texts.is_empty());
        (verdict, world)
    };
    for voice in [false, true] {
        let (verdict, world) = lost(2, voice, &[BACKUP]);
        assert_eq!((verdict, world.backup_codes), (Verdict::BackupCode, 1));
        assert!(world.asked[0].starts_with("The SMS login is out of order.\n"));
        assert!(world.asked[0].ends_with("\nBackup code, or Enter to give up: "));
        assert_eq!(lost(2, voice, &["o", "r", "v", "?", BACKUP]).0, Verdict::Rejected);
        for other in ["o", "r", "v", "n", "?", "123456", "1111-1111-1111-1111"] {
            let (verdict, world) = lost(2, voice, &[other, BACKUP]);
            assert_eq!(verdict, Verdict::BackupCode, "{other}: {:?}", world.asked);
        }
        assert_eq!(lost(2, voice, &["1111-1111-1111-1111"; 3]).0, Verdict::TooManyTries);
        assert_eq!(lost(2, voice, &[""]).0, Verdict::Unusable);
        let (verdict, world) = lost(0, voice, &[BACKUP]);
        assert_eq!((verdict, world.asked.len()), (Verdict::Unusable, 0));
        assert_eq!(world.farewell, Some(Catalogue::english().unusable()));
    }
}
