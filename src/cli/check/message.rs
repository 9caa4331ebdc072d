//! What is judged of the message itself, in every language that somebody may get it in.

use std::collections::BTreeMap;

use super::report::Report;
use super::{Case, catalogue};
use crate::cli::cost::{self, Text};
use crate::gateway::Gateway;
use crate::login::catalogue::Catalogue;
use crate::login::language::Language;
use crate::message::Name;

pub(super) fn message(case: &Case<'_>, report: &mut Report) {
    let none = BTreeMap::new();
    let languages = case.everyone.as_ref().map_or(&none, |all| &all.languages);
    let (mut texts, missing) = cost::texts(case.config, languages);
    let rules = &case.config.message;
    for (language, error) in &missing {
        // Where the configuration is only judged before it goes elsewhere, no catalogue need be here.
        if !case.arguments.offline {
            report.add(
                &catalogue::LANGUAGE,
                case.place_of(&["message", "language"]),
                error.to_string(),
                "install the package's files in /usr/share/pam-sms/languages",
            );
        }
        if *language == rules.language {
            let english = Catalogue::english();
            let template = rules.text.as_ref().unwrap_or(english.sms()).clone();
            texts.push(Text { language: Language::ENGLISH, people: 0, template });
        }
    }
    let place = || case.place_of(&["message", "text"]);
    for text in &texts {
        let counted = text.segments(case.config);
        if counted.count > 1 {
            let whose = match rules.text {
                Some(_) => String::new(),
                None => format!(" in {}", text.of_whom()),
            };
            let what = format!("a message takes {} segments{whose}", counted.count);
            report.add(
                &catalogue::MESSAGE_SEGMENTS,
                place(),
                what,
                "shorten `text` in `[message]`",
            );
        }
        if !text.template.uses(Name::Reference) {
            report.add(
                &catalogue::MESSAGE_REFERENCE,
                place(),
                "the message does not hold {reference}",
                "write {reference} before {code} in `text`",
            );
        }
        let example = text.example();
        for (provider, letter) in case.gateway.iter().flat_map(Gateway::not_in_text) {
            if example.contains(letter) {
                let what = format!(
                    "the message holds `{letter}`, which provider `{provider}` does not send as it is"
                );
                report.add(&catalogue::MESSAGE_LETTER, place(), what, "write another in `text`");
            }
        }
    }
}
