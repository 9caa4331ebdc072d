//! Who has which number.
//!
//! Four places are asked in turn, the users file, the users folder, a directory (LDAP) and what people
//! gave themselves at a login; the first that knows the person has it. Not being found in a place that was read is "not enrolled"; a place that cannot be
//! read is an error, always, because a broken file must not look like an empty one.

#[cfg(feature = "program")]
pub mod book;
pub mod directory;
#[cfg(feature = "program")]
pub(crate) mod edit;
pub mod enrolled;
pub(crate) mod file;
mod folder;
#[cfg(feature = "program")]
mod names;
pub mod phone;
mod special;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use directory::Purpose;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};

#[cfg(feature = "program")]
pub use names::names;
use phone::PhoneError;
pub use phone::{PhoneNumber, Prefix};
pub use special::Special;

use crate::config::file::Trust;
use crate::config::model::{AbsolutePath, Unenrolled, UsersRules};
use crate::config::source::ConfigError;
use crate::login::language::Language;
use crate::state::Places as State;

/// What is kept of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// At least one number, the preferred one first.
    pub phones: Vec<PhoneNumber>,
    /// What they read, as a tag; where nothing is said, what the configuration says.
    pub language: Option<String>,
    /// The name of the provider that is tried first for them.
    pub provider: Option<String>,
    /// Whether they are always called, as on a landline.
    pub voice: bool,
}

impl From<Vec<PhoneNumber>> for Record {
    fn from(phones: Vec<PhoneNumber>) -> Self {
        Self { phones, language: None, provider: None, voice: false }
    }
}

/// What is known of somebody.
#[derive(Debug)]
pub struct Found {
    /// Who has which numbers.
    pub record: Record,
    /// Whether the numbers are a directory's, and nobody has agreed to any on this host yet.
    pub is_first: bool,
}

impl From<Record> for Found {
    fn from(record: Record) -> Self {
        Self { record, is_first: false }
    }
}

/// Why nobody can say who has which number.
#[derive(Debug)]
pub enum Unknown {
    /// A place on this machine cannot be read, or says something that cannot be right.
    Here(ConfigError),
    /// The directory gives no answer that counts.
    Directory(String),
}

impl From<ConfigError> for Unknown {
    fn from(error: ConfigError) -> Self {
        Self::Here(error)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(error) => error.fmt(f),
            Self::Directory(reason) => f.write_str(reason),
        }
    }
}

/// By whom somebody is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// What for.
    pub purpose: Purpose,
    /// The configuration, beside which numbers may stand.
    pub config: &'a Path,
    /// The program that asks the directory.
    pub helper: &'a Path,
    /// Whose files are believed.
    pub trust: Trust,
}

/// Looks up `user`, a canonical account name; nothing, where the person is not enrolled. What works and
/// should be mended goes to `warnings`.
///
/// # Errors
/// When a place that should be asked cannot be read, or says something that cannot be right.
pub fn look_up(
    user: &str,
    rules: &UsersRules,
    asking: &Asking<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Found>, Unknown> {
    let trust = asking.trust;
    let places = Places::of(rules, asking.config);
    let mut asked = false;
    if let Some(sources) = file::open(&places.file, places.file_is_named, trust)? {
        asked = true;
        warnings.extend(sources.warnings.iter().cloned());
        if let Some(record) = file::find(&sources, user)? {
            return Ok(Some(record.into()));
        }
    }
    if folder::is_there(&places.folder, places.folder_is_named, trust)? {
        asked = true;
        if let Some(sources) = folder::open(&places.folder, user, trust)? {
            warnings.extend(sources.warnings.iter().cloned());
            return Ok(Some(sources.parse::<Record>()?.into()));
        }
    }
    if let Some(directory) = &rules.ldap {
        asked = true;
        if let Some(found) = directory::find(user, directory, asking, warnings)? {
            return Ok(first_or_given(user, found, warnings).map(Some)?);
        }
    }
    let record = enrolled::find(&State::default(), user)?;
    // Where people give their numbers themselves, no place of the admin's is needed.
    if asked || record.is_some() || rules.unenrolled == Unenrolled::Enrol {
        return Ok(record.map(Found::from));
    }
    Err(places.neither().into())
}

/// Where nobody has agreed to a directory's numbers on this host, whoever gave one here keeps it: else
/// whoever may write the entry, and knows the password, would choose another.
fn first_or_given(
    user: &str,
    found: Found,
    warnings: &mut Vec<String>,
) -> Result<Found, ConfigError> {
    let given = if found.is_first { enrolled::find(&State::default(), user)? } else { None };
    Ok(match given.filter(|given| given.phones != found.record.phones) {
        None => found,
        Some(given) => {
            warnings.push(format!(
                "{user} gave a number at a login and the directory has another: ask {user}, then run \
                 `pam-sms user approve {user} NUMBER`"
            ));
            given.into()
        }
    })
}

/// Reads every record, so that all of them are judged before anyone depends on one.
///
/// # Errors
/// As [`look_up`].
pub fn everyone(rules: &UsersRules, config: &Path, trust: Trust) -> Result<Everyone, ConfigError> {
    let places = Places::of(rules, config);
    let mut all = Everyone::default();
    let mut asked = false;
    if let Some(sources) = file::open(&places.file, places.file_is_named, trust)? {
        asked = true;
        for (_, record) in file::all(&sources)? {
            all.count(&record);
        }
        all.warnings.extend(sources.warnings);
    }
    if folder::is_there(&places.folder, places.folder_is_named, trust)? {
        asked = true;
        for path in crate::config::file::list_toml(&places.folder, trust)? {
            let sources = folder::read(&path, trust)?;
            all.count(&sources.parse()?);
            all.warnings.extend(sources.warnings);
        }
    }
    let needed = rules.unenrolled != Unenrolled::Enrol && rules.ldap.is_none();
    if asked || !needed { Ok(all) } else { Err(places.neither()) }
}

/// All records together.
#[derive(Debug, Default)]
pub struct Everyone {
    /// How many people have a number.
    pub people: usize,
    /// How many records name each language, by its tag.
    pub languages: BTreeMap<&'static str, usize>,
    /// How many records name each provider as their own.
    pub providers: BTreeMap<String, usize>,
    /// What works and should be mended.
    pub warnings: Vec<String>,
}

impl Everyone {
    fn count(&mut self, record: &Record) {
        self.people += 1;
        if let Some(provider) = &record.provider {
            *self.providers.entry(provider.clone()).or_default() += 1;
        }
        // At a login that is only a warning: nobody is locked out by a typing error in a language.
        let tag = record.language.as_deref();
        match tag.map(Language::parse) {
            None => {}
            Some(Ok(language)) => *self.languages.entry(language.tag()).or_default() += 1,
            Some(Err(error)) => self
                .warnings
                .push(format!("the record with the phone {}: {error}", record.phones[0].masked())),
        }
    }
}

/// Where numbers are kept: as configured, else beside the configuration.
struct Places {
    file: PathBuf,
    file_is_named: bool,
    folder: PathBuf,
    folder_is_named: bool,
}

impl Places {
    fn of(rules: &UsersRules, config: &Path) -> Self {
        let beside = |name| config.with_file_name(name);
        let named = |path: &Option<AbsolutePath>| path.as_ref().map(|p| p.as_path().to_owned());
        Self {
            file: named(&rules.file).unwrap_or_else(|| beside("users.toml")),
            file_is_named: rules.file.is_some(),
            folder: named(&rules.directory).unwrap_or_else(|| beside("users.d")),
            folder_is_named: rules.directory.is_some(),
        }
    }

    fn neither(&self) -> ConfigError {
        ConfigError::new(format!(
            "nobody has a number: neither {} nor {} exists; write a line like \
             `alice = \"+4915123456789\"` into the first",
            self.file.display(),
            self.folder.display()
        ))
    }
}

impl<'de> Deserialize<'de> for Record {
    /// A number by itself, or a table with several.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            phones: Vec<PhoneNumber>,
            language: Option<String>,
            provider: Option<String>,
            #[serde(default)]
            voice: bool,
        }

        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotes, or { phones = [\"+...\"] }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Record, E> {
                text.parse().map(|phone| vec![phone].into()).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, _number: i64) -> Result<Record, E> {
                // serde's own words would repeat the number.
                Err(E::custom(PhoneError::NoQuotes))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                let Table { phones, language, provider, voice } = table;
                match phones.len() {
                    0 => Err(de::Error::custom("`phones` must hold at least one number")),
                    1..=MOST_PHONES => Ok(Record { phones, language, provider, voice }),
                    _ => Err(de::Error::custom(format!("at most {MOST_PHONES} phones a person"))),
                }
            }
        }

        deserializer.deserialize_any(RecordVisitor)
    }
}

/// More would only be a way to spend more messages in one login.
pub const MOST_PHONES: usize = 4;

#[cfg(test)]
mod tests;
