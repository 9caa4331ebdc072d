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

/// Every record, judged.
pub fn all(sources: &Sources) -> Result<Vec<Record>, ConfigError> {
    sources.merged()?.values().map(|value| sources.read(value)).collect()
}
