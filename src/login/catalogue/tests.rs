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
const KEYS: [(&str, char); 16] = [
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
    ("help_newest", 'r'),
    ("offer_call", 'v'),
    ("help_other", 'o'),
    ("not_yours_n", 'n'),
];

const RIGHT_TO_LEFT: [&str; 3] = ["ar", "fa", "he"];

/// The text of a catalogue, and what the module makes of it.
pub(in crate::login) fn catalogue(tag: &str) -> (String, Catalogue) {
    let text = std::fs::read_to_string(folder().join(format!("{tag}.toml"))).unwrap();
    let catalogue = Catalogue::read(&Sources::from_text(tag, &text)).unwrap();
    (text, catalogue)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/login/languages")
}

fn file(tag: &str) -> BTreeMap<String, String> {
    toml::from_str(&catalogue(tag).0).unwrap()
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
    let files = std::fs::read_dir(folder()).unwrap();
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
        let found: BTreeSet<&str> = texts.keys().map(String::as_str).collect();
        assert!(found == names, "{tag}: {:?}", found.symmetric_difference(&names));
        for (name, text) in &texts {
            assert_eq!(names_in(text), names_in(&english[name]), "{tag}: {name}");
            assert_eq!(text.ends_with(' '), QUESTIONS.contains(&name.as_str()), "{tag}: {name}");
            assert!(text.lines().all(|line| !line.is_empty()), "{tag}: {name}");
        }
        for form in ["seconds", "minutes", "hours"] {
            assert!(texts[form].split('|').count() <= 2, "{tag}: {form}");
        }
    }
}

#[test]
fn the_compiler_reads_the_english_catalogue_as_toml_is_read() {
    let (_, read) = catalogue("en");
    assert_eq!(read.texts, original::ENGLISH);
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
                let values = ["{ending}", "{reference}", "{code}", "{host}", "+49"];
                let stands_alone =
                    line.is_ascii() || !values.iter().any(|value| line.contains(value));
                assert!(stands_alone, "{tag}: {name}: {line}");
            }
        }
    }
}

#[test]
fn every_default_message_is_one_segment_and_is_on_the_page() {
    let mut table = String::new();
    for (language, name) in Language::all() {
        let (_, texts) = catalogue(language.tag());
        let cost = |host: usize| texts.sms().worst_case(6, &"h".repeat(host), "");
        assert_eq!(cost(20).count, 1, "{}: {:?}", language.tag(), cost(20));
        let alphabet = match cost(20).alphabet {
            Alphabet::Gsm7 => "GSM-7",
            Alphabet::Ucs2 => "UCS-2",
        };
        let longest = (20..160).take_while(|&host| cost(host).count == 1).last().unwrap();
        let (first, rest) = name.split_at(1);
        table += &format!(
            "| `{}` | {}{rest} | {alphabet} | {} | {longest} |\n",
            language.tag(),
            first.to_uppercase(),
            cost(20).units
        );
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/languages.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&table), "docs/languages.md should have:\n{table}");
}

#[test]
fn a_catalogue_that_cannot_be_right_is_refused() {
    let (english, _) = catalogue("en");
    let refused = |from: &str, to: &str| {
        assert!(english.contains(from), "{from}");
        Catalogue::read(&Sources::from_text("x.toml", &english.replace(from, to)))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused("\nempty =", "\nemtpy ="), "x.toml: there is no text `empty`");
    assert_eq!(refused("Nothing was", "Nothing\\u001b[2J"), "x.toml: there is no text `empty`");
    assert_eq!(refused("{reference}-{code} is", "is"), "x.toml: the text must hold {code}");
    assert!(refused("\nempty = \"", "\nempty = ").starts_with("x.toml:"));
}
