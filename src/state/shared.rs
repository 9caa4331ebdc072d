//! A small file that stays open: root opens it, and a process that has given root up changes it.
//!
//! It is written in place, since whoever may not enter the folder cannot rename anything there. A kill
//! in between may leave half of it, so it is for what is worth a warning and no more.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use super::{Store, options};
use crate::sys;

/// Largest of these files, in bytes.
const LARGEST: usize = 16 << 10;
/// How long its lock is waited for: somebody waits for their login.
const PATIENCE: Duration = Duration::from_millis(200);

/// An open file, which is its own lock.
#[derive(Debug)]
pub struct Shared {
    file: File,
    path: PathBuf,
}

impl Store {
    /// Opens what is kept under `name` for [`Shared::update`], as root.
    ///
    /// # Errors
    /// In words, when it cannot be opened or believed.
    pub fn shared(&self, name: &str) -> Result<Shared, String> {
        self.make_folder().map_err(|error| error.to_string())?;
        let path = self.path_of(name);
        let opened = || {
            let file = options().read(true).write(true).create(true).truncate(false).open(&path)?;
            let meta = file.metadata()?;
            if meta.uid() != 0 || !meta.is_file() {
                return Err(io::Error::other("is not a regular file of root's: remove it"));
            }
            if meta.mode() & 0o7777 != 0o600 {
                file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            }
            Ok(file)
        };
        let opened = opened();
        opened.map(|file| Shared { file, path: path.clone() }).map_err(|error| said(&path, &error))
    }
}

impl Shared {
    /// What it holds.
    ///
    /// # Errors
    /// In words, when it cannot be read.
    pub fn read(&self) -> Result<String, String> {
        self.locked(|| self.text())
    }

    /// Changes what it holds, as the only one at that moment.
    ///
    /// # Errors
    /// In words, when it cannot be locked, read or written.
    pub fn update(&self, change: impl FnOnce(&str) -> String) -> Result<(), String> {
        self.locked(|| {
            let text = change(&self.text()?);
            self.file.set_len(0)?;
            self.file.write_all_at(text.as_bytes(), 0)
        })
    }

    /// Where it stands, for people.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    fn locked<T>(&self, work: impl FnOnce() -> io::Result<T>) -> Result<T, String> {
        let done = || {
            sys::lock_exclusively(&self.file, PATIENCE)?;
            let done = work();
            sys::unlock(&self.file);
            done
        };
        done().map_err(|error| said(&self.path, &error))
    }

    fn text(&self) -> io::Result<String> {
        let mut bytes = vec![0; LARGEST];
        let mut length = 0;
        loop {
            match self.file.read_at(&mut bytes[length..], length as u64)? {
                0 => break,
                more => length += more,
            }
        }
        bytes.truncate(length);
        // What is no text is nothing that was written here: its reader says that it is damaged.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn said(path: &std::path::Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => format!("{}: another process holds the lock", path.display()),
        _ => format!("{}: {error}", path.display()),
    }
}
