//! A file in place of a phone: for trying things out without an account. Whoever can read it needs
//! no second factor, so it is root's alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::Attempt;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// Where messages go while no provider is configured.
pub const DEFAULT_PATH: &str = "/run/pam-sms/outbox";

/// Opens the outbox for appending, and makes it and its folder where they are missing.
///
/// # Errors
/// When it cannot be made, or is not a regular file of root's that others cannot touch.
pub fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new().mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    let meta = file.metadata()?;
    let folder = path.parent().map(fs::metadata).transpose()?;
    let folder_is_safe = folder.is_none_or(|folder| folder.mode() & 0o022 == 0);
    if !meta.is_file() || meta.uid() != 0 || meta.mode() & 0o077 != 0 || !folder_is_safe {
        let path = path.display();
        return Err(io::Error::other(format!(
            "must be a regular file of root's with mode 0600 in a folder that only root can write \
             to: run `rm {path}`"
        )));
    }
    Ok(file)
}

/// Appends one message as one line: when, where to, what.
#[must_use]
pub fn append(mut file: &File, to: &PhoneNumber, text: &Secret) -> Attempt {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
    let text = text.expose().escape_debug();
    let line = zeroize::Zeroizing::new(format!("{now} {} {text}\n", to.as_e164()));
    match file.write_all(line.as_bytes()) {
        Ok(()) => Attempt::Accepted,
        Err(error) => Attempt::Failed(error.to_string()),
    }
}
