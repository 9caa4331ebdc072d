//! The users file: `alice = "+49..."`, one line a person.

use std::path::Path;

use super::Record;
use crate::config::file::{LARGE, Trust};
use crate::config::source::{ConfigError, Sources};

/// Opens the users file. One that is not named in the configuration may be missing.
pub fn open(path: &Path, is_named: bool, trust: Trust) -> Result<Option<Sources>, ConfigError> {
    if !is_named && !path.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    Sources::single(path, LARGE, trust).map(Some)
}

/// The record of `user`. Only this one is judged: another person's typing error locks out nobody
/// else, as long as the file is TOML.
pub fn find(sources: &Sources, user: &str) -> Result<Option<Record>, ConfigError> {
    sources.merged()?.get(user).map(|value| sources.read(value)).transpose()
}

/// Every record, judged, by name.
pub fn all(sources: &Sources) -> Result<Vec<(String, Record)>, ConfigError> {
    let merged = sources.merged()?;
    let read = |(name, value)| Ok((String::clone(name), sources.read(value)?));
    let named = merged.iter().map(|(key, value)| (key.get_ref().to_string(), value));
    named.collect::<Vec<_>>().iter().map(|(name, value)| read((name, *value))).collect()
}

/// Judges the records of these people.
#[cfg(feature = "program")]
pub fn judge(sources: &Sources, users: &[&str]) -> Result<(), ConfigError> {
    let merged = sources.merged()?;
    let theirs = users.iter().filter_map(|user| merged.get(*user));
    theirs.into_iter().try_for_each(|value| sources.read::<Record>(value).map(drop))
}
