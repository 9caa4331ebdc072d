//! The languages that people are spoken to in.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::config::model::text;
#[cfg(feature = "helper")]
use crate::config::source::nearest;

/// Every language by its tag (BCP 47), which is the name of its catalogue, and in English words, which
/// admins type who do not know the tag.
const KNOWN: &str = "\
ar arabic\n\
az azerbaijani\n\
be belarusian\n\
bg bulgarian\n\
ca catalan\n\
cs czech\n\
da danish\n\
de german\n\
el greek\n\
en english\n\
es spanish\n\
et estonian\n\
fa persian\n\
fi finnish\n\
fr french\n\
he hebrew\n\
hi hindi\n\
hr croatian\n\
hu hungarian\n\
hy armenian\n\
id indonesian\n\
it italian\n\
ja japanese\n\
ka georgian\n\
kk kazakh\n\
ko korean\n\
lt lithuanian\n\
lv latvian\n\
nb norwegian\n\
nl dutch\n\
pl polish\n\
pt portuguese\n\
pt-BR brazilian\n\
ro romanian\n\
ru russian\n\
sk slovak\n\
sl slovene\n\
sr serbian\n\
sr-Latn serbian latin\n\
sv swedish\n\
tr turkish\n\
uk ukrainian\n\
vi vietnamese\n\
zh-Hans chinese\n\
zh-Hant traditional chinese";

/// One of the languages there is a catalogue for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static str);

impl Language {
    /// The one that is always there.
    pub const ENGLISH: Self = Self("en");

    /// All of them, with what each is called.
    pub fn all() -> impl Iterator<Item = (Self, &'static str)> {
        KNOWN.lines().filter_map(|line| line.split_once(' ')).map(|(tag, name)| (Self(tag), name))
    }

    /// The tag, like `pt-BR`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.0
    }

    /// The language of a tag.
    ///
    /// # Errors
    /// When there is none, with the one that was probably meant.
    pub fn parse(tag: &str) -> Result<Self, UnknownLanguage> {
        let known = Self::all().map(|(language, _)| language).find(|known| known.0 == tag);
        known.ok_or_else(|| UnknownLanguage { typed: tag.to_owned() })
    }

    /// The module, whose size counts, leaves it at the list: `pam-sms check` is what admins run.
    #[cfg(not(feature = "helper"))]
    fn meant(_typed: &str) -> Option<Self> {
        None
    }

    /// The language somebody had in mind: as the system writes it (`de_DE.UTF-8`), or by its name.
    #[cfg(feature = "helper")]
    fn meant(typed: &str) -> Option<Self> {
        let typed = typed.to_ascii_lowercase().replace('_', "-");
        let typed = typed.split(['.', '@']).next().unwrap_or_default();
        let first = typed.split('-').next().unwrap_or_default();
        // Chinese is written in two ways, Norwegian too, and the system names neither as we do.
        let first = match (typed, first) {
            ("zh-tw" | "zh-hk" | "zh-mo", _) => "zh-hant",
            (_, "zh") => "zh-hans",
            (_, "no" | "nn") => "nb",
            _ => first,
        };
        let is = |wanted: &str| {
            Self::all().map(|(language, _)| language).find(|l| l.0.eq_ignore_ascii_case(wanted))
        };
        let named = || {
            let name = nearest(typed, Self::all().map(|(_, name)| name))?;
            Self::all().find(|(_, known)| *known == name).map(|(language, _)| language)
        };
        is(typed).or_else(|| is(first)).or_else(named)
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = text(deserializer, "a language: write it like \"de\"")?;
        Self::parse(&tag).map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// No language that there is a catalogue for.
#[derive(Debug)]
pub struct UnknownLanguage {
    typed: String,
}

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no language `{}`", self.typed)?;
        if let Some(meant) = Language::meant(&self.typed) {
            write!(f, "; did you mean `{}`?", meant.0)?;
        }
        f.write_str(" (known:")?;
        for (known, _) in Language::all() {
            f.write_str(" ")?;
            f.write_str(known.0)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for UnknownLanguage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_tag_is_a_language() {
        assert_eq!(Language::parse("de").unwrap().tag(), "de");
        for unknown in ["", "DE", "de_DE", "german", "xx", "de "] {
            assert!(Language::parse(unknown).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn the_language_that_was_meant_is_named() {
        for (typed, meant) in [
            ("DE", "de"),
            ("de_DE.UTF-8", "de"),
            ("german", "de"),
            ("Germn", "de"),
            ("pt_BR", "pt-BR"),
            ("pt_PT@euro", "pt"),
            ("zh_TW", "zh-Hant"),
            ("zh-CN", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("no", "nb"),
            ("C", ""),
            ("xx", ""),
        ] {
            let language = Language::meant(typed).map_or("", Language::tag);
            assert_eq!(language, meant, "{typed}");
        }
        let said = Language::parse("german").unwrap_err().to_string();
        assert!(said.starts_with("there is no language `german`; did you mean `de`? (known: "));
        assert!(said.ends_with(" zh-Hans zh-Hant)"), "{said}");
    }
}
