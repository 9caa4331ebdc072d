//! The users folder: one small file a person, so that a look-up costs the same for ten people and
//! for a million.
//!
//! The file of `alice` is `alice.toml` and holds `phones = ["+49..."]`. What is neither a letter, a
//! digit, `-`, `_` nor a dot within the name is percent-encoded, so that no account name leads out
//! of the folder.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::file::{self, SMALL, Trust};
use crate::config::source::{ConfigError, Sources};

/// Whether the folder is there. It must be, where the configuration names it: one that is not
/// mounted would make everybody "not enrolled".
pub fn is_there(folder: &Path, is_named: bool, trust: Trust) -> Result<bool, ConfigError> {
    match file::check_folder(folder, trust) {
        Ok(()) => Ok(true),
        Err(error) if error.is_folder_missing() && !is_named => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens the file of `user`, if there is one.
pub fn open(folder: &Path, user: &str, trust: Trust) -> Result<Option<Sources>, ConfigError> {
    let path = path_of(folder, user);
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        // Every other error is told by the attempt to read.
        _ => read(&path, trust).map(Some),
    }
}

/// Reads one file of the folder.
pub fn read(path: &Path, trust: Trust) -> Result<Sources, ConfigError> {
    Sources::single(path, SMALL, trust)
}

pub(super) fn path_of(folder: &Path, user: &str) -> PathBuf {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    // A dot at the front would hide the file.
    let (dot, rest) = user.strip_prefix('.').map_or(("", user), |rest| ("%2E", rest));
    folder.join(format!("{dot}{}.toml", utf8_percent_encode(rest, KEPT)))
}

/// The name of the person whose file this is.
#[cfg(feature = "program")]
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    percent_encoding::percent_decode_str(&stem).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let name = |user| path_of(Path::new("/d"), user).display().to_string();
        assert_eq!(name("alice"), "/d/alice.toml");
        assert_eq!(name("john.doe"), "/d/john.doe.toml");
        assert_eq!(name(".."), "/d/%2E..toml");
        assert_eq!(name("../shadow"), "/d/%2E.%2Fshadow.toml");
        assert_eq!(name("AD\\jörg x"), "/d/AD%5Cj%C3%B6rg%20x.toml");
        assert_eq!(name("%2e"), "/d/%252e.toml");
    }
}
