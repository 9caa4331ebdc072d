//! The texts for a person: in their own language, else in that of the configuration.
//!
//! Nobody is denied for want of a translation: what is missing or broken is told in the log, and the
//! person reads English.

use std::path::Path;

use crate::audit::Audit;
use crate::config::file::{SMALL, Trust};
use crate::config::model::Config;
use crate::config::source::{ConfigError, Sources};
use crate::login::catalogue::Catalogue;
use crate::login::language::Language;
use crate::login::ports::{Event, Journal};

/// Where the catalogues are installed.
const FOLDER: &str = "/usr/share/pam-sms/languages";

/// The texts for somebody whose record names the language `tag`, if it names one.
pub fn texts(tag: Option<&str>, config: &Config, audit: &mut Audit) -> Catalogue {
    let language = match tag.map(Language::parse) {
        None => config.message.language,
        Some(Ok(language)) => language,
        Some(Err(error)) => {
            let said = format!("the person's record: {error}");
            audit.record(Event::Warning, &[("reason", &said)]);
            config.message.language
        }
    };
    load(language).unwrap_or_else(|error| {
        let said = format!("English is spoken, because of {error}");
        audit.record(Event::Warning, &[("reason", &said)]);
        Catalogue::english()
    })
}

/// Reads the catalogue of a language.
///
/// # Errors
/// When its file is missing, not to be believed, or incomplete.
pub fn load(language: Language) -> Result<Catalogue, ConfigError> {
    if language == Language::ENGLISH {
        return Ok(Catalogue::english());
    }
    let path = Path::new(FOLDER).join(format!("{}.toml", language.tag()));
    // That others can read it, of which the sources would warn, is right.
    let mut catalogue = Catalogue::read(&Sources::single(&path, SMALL, Trust::Root)?)?;
    catalogue.language = language;
    Ok(catalogue)
}
