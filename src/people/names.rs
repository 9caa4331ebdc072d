//! Who has a number, by name: for questions about all of them.

use std::path::Path;

use percent_encoding::percent_decode_str;

use super::{Places, file, folder};
use crate::config::file::{Trust, list_toml};
use crate::config::model::UsersRules;
use crate::config::source::ConfigError;

/// The accounts in the admin's own places.
///
/// # Errors
/// When a place cannot be read.
pub fn names(rules: &UsersRules, config: &Path, trust: Trust) -> Result<Vec<String>, ConfigError> {
    let places = Places::of(rules, config);
    let mut names = Vec::new();
    if let Some(sources) = file::open(&places.file, places.file_is_named, trust)? {
        names.extend(sources.merged()?.keys().map(|name| name.get_ref().to_string()));
    }
    if folder::is_there(&places.folder, places.folder_is_named, trust)? {
        for path in list_toml(&places.folder, trust)? {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            names.extend(percent_decode_str(stem).decode_utf8().ok().map(String::from));
        }
    }
    Ok(names)
}
