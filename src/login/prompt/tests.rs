use unicode_width::UnicodeWidthStr;

use super::*;
use crate::login::catalogue::tests::catalogue;
use crate::login::language::Language;

/// Every text there is for one person, filled in with the longest values.
fn every_text(texts: &Catalogue) -> Vec<String> {
    let reference = Reference::random(None).unwrap();
    let long = Duration::from_secs(86_000);
    let soon = Duration::from_millis(599_001);
    let mut last_words = vec![
        texts.no_provider(),
        texts.no_more(),
        texts.throttled(long),
        texts.locked(long),
        texts.locked(Duration::from_secs(900)),
        texts.closed(),
        texts.refused("23"),
        texts.too_many_tries(),
        texts.unenrolled(),
        texts.unusable(),
        texts.spent(Duration::from_secs(600)),
        texts.not_checked(),
    ];
    for text in &mut last_words {
        *text += "\n";
        *text += texts.press_enter();
    }
    let mut all = last_words;
    all.extend([texts.backup_code_accepted(10), texts.ask_number(), texts.number_saved("23")]);
    all.extend(
        [Text::NumberCountry, Text::NumberLength, Text::NumberCharacters, Text::NumberElsewhere]
            .map(|reason| texts.ask_number_again(reason)),
    );
    all.push(texts.not_called());
    let kinds =
        [(true, false, true), (true, false, false), (false, false, true), (false, true, false)];
    for (other_phone, confirming, voice) in kinds {
        let prompts = Prompts { texts, other_phone, voice, digits: 10, confirming };
        for reference in [Some(&reference), None] {
            all.extend([
                prompts.sent("23", reference),
                prompts.resent("23", reference, true),
                prompts.resent("23", reference, false),
                prompts.uncertain(reference),
                prompts.wrong(1, reference),
                prompts.wrong(9, reference),
                prompts.empty(reference),
                prompts.too_early(soon, reference),
                prompts.no_more(reference),
                prompts.not_resent(Way::Text, reference),
                prompts.not_resent(Way::Call, reference),
                prompts.no_other_phone(reference),
                prompts.no_more_for_now(long, reference),
                prompts.no_backup_code(reference),
                prompts.help(reference, true),
                prompts.help(reference, false),
            ]);
        }
        let ways = |backup_code, other_phone| WaysOut { backup_code, other_phone, call: voice };
        all.extend([
            prompts.announcement("23"),
            prompts.called("23", true),
            prompts.called("23", false),
            prompts.call_uncertain(true),
            prompts.expired(),
            prompts.not_checked(),
            prompts.ask_first("23"),
            prompts.dead_end(texts.refused("23"), ways(true, true)),
            prompts.dead_end(texts.refused("23"), ways(false, true)),
            prompts.dead_end(texts.spent(Duration::from_secs(600)), ways(true, true)),
            prompts.no_backup_code_at(ways(true, true)),
            prompts.dead_end(texts.no_provider(), ways(false, false)),
            prompts.dead_end(texts.locked(Duration::from_secs(900)), ways(true, false)),
        ]);
    }
    all
}

/// Every language with its texts.
fn catalogues() -> impl Iterator<Item = (&'static str, Catalogue)> {
    Language::all().map(|(language, _)| (language.tag(), catalogue(language.tag()).1))
}

#[test]
fn texts_fit_every_terminal_in_every_language() {
    let mut wrong = String::new();
    for (tag, texts) in catalogues() {
        for text in every_text(&texts) {
            let mut lines = text.lines();
            let first = lines.next().unwrap();
            if first.width() > 54 {
                wrong += &format!("{tag}: {} columns: {first}\n", first.width());
            }
            for line in lines.filter(|line| line.width() > 79) {
                wrong += &format!("{tag}: {} columns: {line}\n", line.width());
            }
            if text.len() >= 512 {
                wrong += &format!("{tag}: {} bytes: {text}\n", text.len());
            }
            if text.contains(['{', '}', '|']) {
                wrong += &format!("{tag}: not filled in: {text}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_wide_and_the_combining_are_counted_as_terminals_do() {
    assert_eq!("短信".width(), 4);
    assert_eq!("e\u{301}".width(), 1);
}

#[test]
fn times_are_rounded_up_and_counted_in_their_language() {
    let reference = Reference::random(None).unwrap();
    for (tag, texts) in catalogues() {
        let prompts = Prompts {
            texts: &texts,
            other_phone: false,
            voice: false,
            digits: 6,
            confirming: false,
        };
        let wait = |ms| prompts.too_early(Duration::from_millis(ms), Some(&reference));
        let (one, many) = match tag {
            "en" => ("Please wait 1 second before", "Please wait 18 seconds before"),
            "de" => ("Bitte noch 1 Sekunde warten", "Bitte noch 18 Sekunden warten"),
            _ => ("1 ", "18"),
        };
        assert!(wait(17_001).contains(many), "{tag}: {}", wait(17_001));
        assert!(wait(400).contains(one.trim_end()), "{tag}: {}", wait(400));
    }
}
