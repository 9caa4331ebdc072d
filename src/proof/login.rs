//! What is typed at the prompt, and what one login leaves for the next.

use std::sync::LazyLock;

use super::text_of;
use crate::directory::known::Known;
use crate::gateway::aside;
use crate::limits::backup::{self, BackupCodes};
use crate::limits::record::Record;
use crate::login::answer::Answer;
use crate::login::code::Reference;
use crate::secret::Secret;

/// The one that the seeds know.
static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let drawn = std::iter::repeat_with(|| Reference::random(None).expect("random bytes"));
    drawn.into_iter().find(|one| one.as_str() == "KQ").expect("each is drawn at last")
});

/// What is typed behind the reference `KQ`, or without one: what becomes of a try is six digits only where six were typed, in whichever script
/// and however grouped, and nothing else but the reference before them.
pub fn answer(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    for reference in [None, Some(&*REFERENCE)] {
        typed_behind(reference, typed);
    }
}

fn typed_behind(reference: Option<&Reference>, typed: &str) {
    let read = Answer::read(&Secret::from(typed.to_owned()), reference);
    let digits = typed.chars().filter(|c| c.is_numeric()).count();
    let letters = typed.chars().filter(|c| c.is_alphabetic()).count();
    match read {
        Answer::Try(plain) => {
            let plain = plain.expose();
            assert!(plain.len() <= typed.len() && !plain.contains(['-', ' ']));
            if !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit()) {
                assert_eq!(digits, plain.len(), "{typed:?}");
                let before = reference.map_or(0, |one| one.as_str().len());
                assert!(letters == 0 || letters == before, "{typed:?}");
            }
            // Whoever judges it sees it as it would see itself.
            if plain.len() > 1 {
                let again = Answer::read(&Secret::from(plain.to_owned()), None);
                assert!(
                    matches!(&again, Answer::Try(one) if one.expose() == plain)
                        || matches!(again, Answer::BackupCode(_)),
                    "{typed:?} {again:?}"
                );
            }
        }
        Answer::BackupCode(code) => {
            assert_eq!(backup::plain(code.expose()).as_ref(), Some(&code));
            assert_eq!(digits + letters, backup::LENGTH, "{typed:?}");
        }
        Answer::SshdFake => assert!(typed.starts_with('\u{8}')),
        Answer::Empty => assert!(typed.trim().is_empty()),
        Answer::Resend | Answer::OtherPhone | Answer::NewNumber | Answer::Call | Answer::Help => {
            assert_eq!(typed.trim().chars().count(), 1);
        }
    }
}

/// State files of every kind: what is read is written and read again as the same, no part of it is taken
/// for a whole, and what is remembered has an end that is to come.
pub fn state(data: &[u8]) {
    const BOOT: &str = "a-boot";
    const NOW: i64 = 5_000_000;
    let Some(text) = text_of(data) else { return };
    for boot in [BOOT, "another-boot"] {
        let Ok(record) = Record::from_text(text, boot, NOW) else { continue };
        let again = record.to_text(boot);
        assert_eq!(Record::from_text(&again, boot, NOW).as_ref(), Ok(&record));
        assert!(Record::from_text(&again[..again.len() - 1], boot, NOW).is_err());
        for list in [&record.sends, &record.day, &record.requests, &record.failures] {
            assert!(list.is_sorted() && list.last().is_none_or(|last| *last <= NOW));
        }
        assert!(record.remembered.iter().all(|one| one.until > NOW));
        // Nobody is spared a code by what another boot has remembered.
        assert!(record.remembered.is_empty() || text.contains(&format!("boot {boot}\n")));
    }
    if let Ok(mut codes) = BackupCodes::from_text(text) {
        let again = codes.to_text();
        assert_eq!(BackupCodes::from_text(&again).as_ref(), Ok(&codes));
        assert!(BackupCodes::from_text(&again[..again.len() - 1]).is_err());
        let guess = Secret::from("0000000000000000".to_owned());
        assert!(!codes.burn("alice", &guess, 0), "a code that nobody was given");
        assert_eq!(codes.to_text(), again);
    }
    if let Some(known) = Known::from_text(text) {
        let again = known.to_text();
        assert_eq!(Known::from_text(&again).as_ref(), Some(&known));
        assert!(Known::from_text(&again[..again.len() - 1]).is_none());
    }
    if let Some(list) = aside::parse(text) {
        let again = aside::print(&list);
        assert_eq!(aside::parse(&again).as_ref(), Some(&list));
        assert!(list.iter().all(|one| !one.name.chars().any(char::is_control)));
    }
}
