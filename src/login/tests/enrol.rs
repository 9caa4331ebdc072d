//! Somebody without a number gives one.

use super::*;

/// Somebody without a number, who answers this; and whether a number would be stored.
fn enrol_with(answers: &[&'static str], limits: &str) -> (Verdict, Option<String>, Script) {
    let texts = Catalogue::english();
    let limits = crate::config::source::Sources::from_text("limits", limits).parse().unwrap();
    let rules = rules(&texts, &limits);
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
    let ended = crate::login::enrol::enrol(&rules, "alice", &mut world);
    let number = ended.number.map(|number| number.as_e164().to_owned());
    (ended.verdict, number, script.into_inner())
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
