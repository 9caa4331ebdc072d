use super::*;
use crate::people::directory::Lookup;

const OLD: &str = "+4915123456723";
const NEW: &str = "+4915123456789";

fn answer(phones: &[&str]) -> Answer {
    let phones = phones.iter().map(|phone| phone.parse().unwrap()).collect();
    Answer { lookup: Lookup::Found, phones, ..Answer::failed("") }
}

/// Which numbers are left of an answer, and whether they are the first.
fn left(keeping: &Keeping<'_>, phones: &[&str]) -> (Vec<String>, bool) {
    let mut answer = answer(phones);
    let gone = keeping.judge(&mut answer).unwrap();
    assert_eq!(gone + answer.phones.len(), phones.len());
    let left = answer.phones.iter().map(|phone| phone.as_e164().to_owned());
    (left.collect(), answer.is_first)
}

fn places(folder: &tempfile::TempDir) -> Places {
    Places { run: folder.path().join("run"), lib: folder.path().join("lib") }
}

#[test]
fn trap_5_the_numbers_of_the_first_login_that_came_right_count_and_later_ones_need_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(&folder);
    let keeping = |user| Keeping::of(user, Pin::First, Duration::ZERO, &places);
    let alice = keeping("alice");
    let of = |phones: &[&str]| (phones.iter().map(|phone| (*phone).to_owned()).collect(), false);
    // To be seen is not to be agreed to.
    for phone in [OLD, NEW, OLD] {
        assert_eq!(left(&alice, &[phone]), (vec![phone.to_owned()], true));
        assert!(!alice.store.path_of("ldap-alice").exists());
    }
    alice.keep(&answer(&[OLD]).phones).unwrap();
    assert_eq!(left(&alice, &[OLD]), of(&[OLD]));
    assert_eq!(left(&alice, &[NEW]), of(&[]));
    assert_eq!(left(&alice, &[NEW, OLD]), of(&[OLD]));
    // Of two first logins one was it.
    alice.keep(&answer(&[NEW]).phones).unwrap();
    assert_eq!(left(&alice, &[NEW]), of(&[]));
    // An entry that was without a number for a while is not a new person.
    assert_eq!(left(&alice, &[]), of(&[]));
    assert_eq!(left(&alice, &[NEW]), of(&[]));
    assert_eq!(alice.look(&mut answer(&[OLD, NEW])).unwrap(), answer(&[NEW]).phones);
    let approve = |phones: &[&str]| alice.approve(&answer(phones).phones).unwrap();
    assert_eq!(approve(&[NEW]), "changed: *89 is new, one that counted does no more");
    assert_eq!(approve(&[NEW]), "unchanged");
    assert_eq!(approve(&[NEW, OLD]), "changed: *23 is new");
    assert_eq!(approve(&[NEW]), "changed: one that counted does no more");
    assert_eq!(left(&alice, &[NEW, OLD]), of(&[NEW]));
    assert_eq!(left(&keeping("bob"), &[NEW]), (vec![NEW.to_owned()], true));
    // No number stands in the file, and what is damaged is no new person either.
    let path = alice.store.path_of("ldap-alice");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("151234567"), "{text}");
    for length in 0..text.len() {
        std::fs::write(&path, &text[..length]).unwrap();
        assert!(alice.judge(&mut answer(&[OLD])).is_err(), "{length} bytes");
        assert!(alice.keep(&answer(&[NEW]).phones).is_err(), "{length} bytes");
    }
    assert!(forget("alice", &places).unwrap());
    assert_eq!(left(&alice, &[NEW]), (vec![NEW.to_owned()], true));
    let free = Keeping { pin: Pin::Off, ..keeping("alice") };
    assert_eq!(left(&free, &[NEW]), of(&[NEW]));
    free.keep(&answer(&[OLD]).phones).unwrap();
    assert!(!path.exists(), "nothing is to be kept");
}

#[test]
fn where_it_is_strict_the_first_number_needs_a_word_too() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(&folder);
    let alice = Keeping::of("alice", Pin::Strict, Duration::from_secs(60), &places);
    let none = (Vec::new(), false);
    assert_eq!(left(&alice, &[OLD]), none);
    alice.keep(&answer(&[OLD]).phones).unwrap();
    alice.note(&answer(&[OLD])).unwrap();
    assert_eq!(left(&alice, &[OLD]), none);
    assert_eq!(alice.recall(&mut Answer::failed("")).unwrap(), None);
    assert_eq!(alice.approve(&answer(&[OLD]).phones).unwrap(), "changed: *23 is new");
    assert_eq!(left(&alice, &[NEW, OLD]), (vec![OLD.to_owned()], false));
    assert!(alice.recall(&mut Answer::failed("")).unwrap().is_some());
}

#[test]
fn the_last_good_answer_is_kept_as_long_as_the_configuration_says() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(&folder);
    let alice = Keeping::of("alice", Pin::First, Duration::from_secs(3600), &places);
    let recalled = || {
        let mut none = Answer::failed("");
        alice.recall(&mut none).unwrap().map(|age| (none.phones, none.language, age))
    };
    assert_eq!(recalled(), None);
    let german = Answer { language: Some("de".to_owned()), ..answer(&[OLD]) };
    alice.note(&german).unwrap();
    alice.keep(&german.phones).unwrap();
    let (phones, language, age) = recalled().unwrap();
    assert_eq!((phones, language), (german.phones.clone(), german.language.clone()));
    assert!(age < Duration::from_secs(60));
    let path = alice.store.path_of("ldap-alice");
    let text = std::fs::read_to_string(&path).unwrap();
    let seen = text.lines().nth(3).unwrap();
    let long_ago = (seen.parse::<u64>().unwrap() - 3601).to_string();
    std::fs::write(&path, text.replace(seen, &long_ago)).unwrap();
    assert_eq!(recalled(), None, "too old");
    alice.note(&german).unwrap();
    assert!(recalled().is_some(), "seen again");
    // A number that nobody agreed to is none here either, and one that is gone is gone.
    alice.note(&answer(&[NEW])).unwrap();
    assert_eq!(recalled(), None);
    alice.note(&german).unwrap();
    alice.note(&answer(&[])).unwrap();
    assert_eq!(recalled(), None);
    // Whoever turns the cache off has no numbers left here.
    alice.note(&german).unwrap();
    Keeping::of("alice", Pin::First, Duration::ZERO, &places).note(&german).unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("+49"));
}
