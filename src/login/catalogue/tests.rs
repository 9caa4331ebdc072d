//! Every catalogue is held to the English one, and to what terminals and phones can show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::login::language::Language;
use crate::message::segments::Alphabet;

/// Texts that ask: a blank stands between them and what is typed.
const QUESTIONS: [&str; 11] = [
    "ask",
    "ask_or_other",
    "ask_or_n",
    "ask_after_help",
    "ask_first",
    "ask_first_or_other",
    "ask_number",
    "give_up_backup",
    "give_up_other",
    "give_up_both",
    "press_enter",
];

/// What can be typed, and the texts that must say so.
const KEYS: [(&str, char); 14] = [
    ("ask", 'r'),
    ("ask", '?'),
    ("ask_or_other", 'r'),
    ("ask_or_other", 'o'),
    ("ask_or_other", '?'),
    ("ask_or_n", 'n'),
    ("ask_first_or_other", 'o'),
    ("give_up_other", 'o'),
    ("give_up_both", 'o'),
    ("expired", 'r'),
    ("no_more_for_now", 'r'),
    ("help", 'r'),
    ("help_other", 'o'),
    ("not_yours_n", 'n'),
];

const RIGHT_TO_LEFT: [&str; 3] = ["ar", "fa", "he"];

pub(in crate::login) fn path_of(tag: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/login/languages/{tag}.toml"))
}

fn file(tag: &str) -> BTreeMap<String, String> {
    toml::from_str(&std::fs::read_to_string(path_of(tag)).unwrap()).unwrap()
}

/// Every language with its texts by name.
fn all() -> impl Iterator<Item = (&'static str, BTreeMap<String, String>)> {
    Language::all().map(|(language, _)| (language.tag(), file(language.tag())))
}

fn names_in(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
}

#[test]
fn every_catalogue_is_listed_and_every_listed_one_is_there() {
    let folder = path_of("en");
    let files = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let files: BTreeSet<_> = files.map(|file| file.unwrap().file_name()).collect();
    let listed = Language::all().map(|(language, _)| format!("{}.toml", language.tag()).into());
    assert_eq!(files, listed.collect());
}

#[test]
fn every_catalogue_has_the_texts_and_values_of_the_english_one() {
    let english = file("en");
    let names: BTreeSet<&str> = Text::NAMES.split_ascii_whitespace().collect();
    assert_eq!(names, english.keys().map(String::as_str).collect());
    for (tag, texts) in all() {
        assert!(texts.keys().eq(english.keys()), "{tag}: {:?}", {
            let (a, b): (BTreeSet<_>, BTreeSet<_>) =
                (texts.keys().collect(), english.keys().collect());
            a.symmetric_difference(&b).map(ToString::to_string).collect::<Vec<_>>()
        });
        for (name, text) in &texts {
            assert_eq!(names_in(text), names_in(&english[name]), "{tag}: {name}");
            assert_eq!(text.ends_with(' '), QUESTIONS.contains(&name.as_str()), "{tag}: {name}");
            assert!(text.lines().all(|line| !line.is_empty()), "{tag}: {name}");
        }
        for form in ["seconds", "minutes", "hours"] {
            let forms = texts[form].split('|').count();
            assert!(forms <= 2 && texts[form].ends_with(|c: char| c != ' '), "{tag}: {form}");
        }
    }
}

#[test]
fn every_catalogue_says_what_can_be_typed() {
    for (tag, texts) in all() {
        for (name, key) in KEYS {
            let text = &texts[name];
            let stands_alone = text.match_indices(key).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + 1..].chars().next();
                let is_letter = |c: char| c.is_ascii_alphanumeric();
                !before.is_some_and(is_letter) && !after.is_some_and(is_letter)
            });
            assert!(stands_alone, "{tag}: {name} does not name {key}: {text}");
        }
    }
}

#[test]
fn nothing_in_a_catalogue_is_a_command_to_a_terminal() {
    for (tag, texts) in all() {
        for (name, text) in &texts {
            let is_bad = |c: char| {
                let is_bidi_control = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
                    | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                (c.is_control() && c != '\n') || is_bidi_control
            };
            assert!(!text.contains(is_bad), "{tag}: {name}: {text:?}");
            assert!(tag != "en" || text.is_ascii(), "{name}: {text:?}");
        }
    }
}

#[test]
fn from_right_to_left_numbers_and_references_stand_alone() {
    for (tag, texts) in all().filter(|(tag, _)| RIGHT_TO_LEFT.contains(tag)) {
        for (name, text) in texts {
            for line in text.lines() {
                let stands_alone = ["ending", "reference", "code", "host"]
                    .iter()
                    .all(|value| !line.contains(&format!("{{{value}}}")) || line.is_ascii());
                assert!(
                    stands_alone
                        && (!line.contains('+') || line.is_ascii() || !line.contains("49")),
                    "{tag}: {name}: {line}"
                );
            }
        }
    }
}

#[test]
fn every_default_message_is_one_segment_and_is_on_the_page() {
    let mut table = String::new();
    for (language, name) in Language::all() {
        let path = path_of(language.tag());
        let texts = Sources::from_text("x", &std::fs::read_to_string(path).unwrap());
        let cost = Catalogue::read(&texts).unwrap().sms().worst_case(6, &"h".repeat(20), "");
        assert_eq!(cost.count, 1, "{}: {cost:?}", language.tag());
        let alphabet = match cost.alphabet {
            Alphabet::Gsm7 => "GSM-7",
            Alphabet::Ucs2 => "UCS-2",
        };
        let longest = (20..250).take_while(|&length| {
            let host = "h".repeat(length);
            let texts =
                Sources::from_text("x", &std::fs::read_to_string(path_of(language.tag())).unwrap());
            Catalogue::read(&texts).unwrap().sms().worst_case(6, &host, "").count == 1
        });
        let row = [
            language.tag(),
            name,
            alphabet,
            &cost.units.to_string(),
            &longest.last().unwrap().to_string(),
        ]
        .join(" | ");
        table += &format!("| {row} |\n");
    }
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/languages.md"))
            .unwrap_or_default();
    assert!(page.contains(&table), "docs/languages.md should have:\n{table}");
}

#[test]
fn a_catalogue_that_cannot_be_right_is_refused() {
    let refused = |from: &str, to: &str| {
        assert!(ENGLISH.contains(from), "{from}");
        Catalogue::read(&Sources::from_text("x.toml", &ENGLISH.replace(from, to)))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused("\nempty =", "\nemtpy ="), "x.toml: there is no text `empty`");
    assert_eq!(refused("Nothing was", "Nothing\\u001b[2J"), "x.toml: there is no text `empty`");
    assert_eq!(refused("{reference}-{code} is", "is"), "x.toml: the text must hold {code}");
    assert!(refused("\nempty = \"", "\nempty = ").starts_with("x.toml:"));
}
