//! What a message costs: its segments, by language.

use std::collections::BTreeMap;

use crate::authenticate::texts::load;
use crate::config::model::Config;
use crate::config::source::ConfigError;
use crate::login::language::Language;
use crate::message::segments::Segments;
use crate::message::{Template, Values};
use crate::sys;

/// The longest account name that useradd(8) makes, in letters.
const LONGEST_USER: usize = 32;

/// The message in one language.
pub struct Text {
    /// The language; where the configuration has a text of its own, it is the same in all.
    pub language: Language,
    /// How many people have this language in their records.
    pub people: usize,
    /// The text.
    pub template: Template,
}

impl Text {
    /// The language's tag, and how many have it.
    #[must_use]
    pub fn of_whom(&self) -> String {
        let tag = self.language.tag();
        match self.people {
            0 => tag.to_owned(),
            1 => format!("{tag} (1 record)"),
            many => format!("{tag} ({many} records)"),
        }
    }

    /// What it takes at most, on this machine.
    #[must_use]
    pub fn segments(&self, config: &Config) -> Segments {
        let digits = config.code.digits.get().into();
        self.template.worst_case(digits, &sys::host_name(), &"w".repeat(LONGEST_USER))
    }

    /// An example of it.
    #[must_use]
    pub fn example(&self) -> String {
        let values = Values { code: "000000", reference: "KQ", host: "", user: "", minutes: 5 };
        self.template.render(&values).to_string()
    }
}

/// All texts that somebody may get: in the configuration's language, and in those that records name;
/// beside that, the languages whose texts cannot be read.
#[must_use]
pub fn texts(
    config: &Config,
    of_records: &BTreeMap<&'static str, usize>,
) -> (Vec<Text>, Vec<(Language, ConfigError)>) {
    let mut languages = vec![config.message.language];
    let named = Language::all().map(|(language, _)| language);
    languages.extend(named.filter(|language| {
        of_records.contains_key(language.tag()) && *language != config.message.language
    }));
    let (mut texts, mut missing) = (Vec::new(), Vec::new());
    for language in languages {
        let people = of_records.get(language.tag()).copied().unwrap_or(0);
        let template = match &config.message.text {
            // One for all; that a catalogue is missing matters all the same, for the prompts.
            Some(own) => load(language).map(|_| own.clone()),
            None => load(language).map(|texts| texts.sms().clone()),
        };
        match template {
            Ok(template) => texts.push(Text { language, people, template }),
            Err(error) => missing.push((language, error)),
        }
    }
    if config.message.text.is_some() {
        texts.truncate(1);
    }
    (texts, missing)
}
