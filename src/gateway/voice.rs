//! A call in which the code is read aloud: the words, in a language that the provider's voice has.

use std::time::{Duration, Instant};

use super::Attempt;
use super::http::{HttpProvider, exchange};
use super::judge::judge;
use super::variables::Variables;
use crate::authenticate::texts;
use crate::login::catalogue::Catalogue;
use crate::login::language::Language;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// What is said in a call.
pub struct Spoken {
    /// In the person's language, and its tag.
    own: (String, Secret),
    /// For voices that do not have it.
    english: Secret,
}

impl Spoken {
    /// For a code and the tag of a language. Where that has no catalogue it is English, of which the
    /// module has told the log.
    #[must_use]
    pub fn new(code: &Secret, tag: &str) -> Self {
        let english = Catalogue::english();
        let catalogue = Language::parse(tag).ok().and_then(|language| texts::load(language).ok());
        let own = catalogue.as_ref().unwrap_or(&english);
        Self {
            own: (own.language.tag().to_owned(), own.spoken(code.expose())),
            english: english.spoken(code.expose()),
        }
    }

    /// The words for people: as the person reads them.
    #[must_use]
    pub fn words(&self) -> &Secret {
        &self.own.1
    }
}

/// Whether a provider can call, with what the admin has set.
pub fn can_call(provider: &HttpProvider) -> bool {
    let parts = provider.parts();
    let voice = parts.description.voice.as_ref();
    voice.is_some_and(|voice| voice.needs.iter().all(|key| parts.values.contains_key(key)))
}

/// Calls one number within `time`. The answer says that the call was taken on, not that anybody has
/// picked up.
pub fn call(provider: &HttpProvider, to: &PhoneNumber, spoken: &Spoken, time: Duration) -> Attempt {
    let description = &provider.parts().description;
    let Some(voice) = &description.voice else {
        return Attempt::Failed("config (it cannot call)".to_owned());
    };
    let (language, text) = match voice.languages.get(&spoken.own.0) {
        Some(language) => (language.clone(), &spoken.own.1),
        None => (voice.languages.get("en").cloned().unwrap_or_default(), &spoken.english),
    };
    let values = &provider.parts().values;
    let variables = Variables::new(values, Some((to, text))).in_language(&language);
    match exchange(provider, &voice.request, &variables, Instant::now() + time) {
        Ok(answer) => judge(&answer, description, |said| variables.conceal(said)),
        Err(failed) => failed,
    }
}
