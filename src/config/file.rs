//! Opening files that decide who gets in: configuration, users, secrets.
//!
//! The rules are those that other modules learned from their CVEs: no symlink is followed, nothing
//! blocks (a FIFO would), only a regular file of root's counts, one that others may write never
//! does, and no file is read without a bound. One that others may only *read* works, with a warning:
//! a forgotten mode on four hundred hosts must not be an outage.

use std::collections::BinaryHeap;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::sys;

/// Largest configuration, secret or certificate file, in bytes.
pub const SMALL: u64 = 1 << 20;
/// Largest users file, in bytes; more people belong into the folder.
pub const LARGE: u64 = 16 << 20;

/// Whose files are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Root's, as at a login.
    Root,
    /// Anyone's: a configuration that is checked before it is deployed.
    Anyone,
}

/// A file that was read: its text, wiped on drop, and what an admin should know about it.
#[derive(Debug)]
pub struct Contents {
    /// The whole text.
    pub text: Zeroizing<String>,
    /// Something that works and should be mended.
    pub warning: Option<String>,
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// When the file is missing, unreadable, too large, not UTF-8, or not to be believed.
pub fn read(path: &Path, limit: u64, trust: Trust) -> Result<Contents, FileError> {
    let fail = |problem| FileError { path: path.to_owned(), problem };
    if let (Trust::Root, Some(folder)) = (trust, path.parent()) {
        folder_is_safe(folder).map_err(fail)?;
    }
    let file = open(path).map_err(|error| fail(Problem::of_open(error)))?;
    let meta = file.metadata().map_err(|error| fail(Problem::Io(error)))?;
    let warning = is_safe(path, &meta, limit, trust).map_err(fail)?;
    let text = slurp(&file, &meta, limit).map_err(fail)?;
    Ok(Contents { text, warning })
}

/// Checks that a folder can be opened and that nobody else decides what is in it.
///
/// # Errors
/// When it is missing, no folder, or others may write to it.
pub fn check_folder(path: &Path, trust: Trust) -> Result<(), FileError> {
    let checked = match trust {
        Trust::Root => folder_is_safe(path),
        Trust::Anyone => folder_is_there(path).map(drop),
    };
    checked.map_err(|problem| FileError { path: path.to_owned(), problem })
}

/// The names in a folder that end in `.toml`, in lexical order.
///
/// # Errors
/// When the folder cannot be read or others may write to it.
pub fn list_toml(folder: &Path, trust: Trust) -> Result<Vec<PathBuf>, FileError> {
    check_folder(folder, trust)?;
    let fail = |error| FileError { path: folder.to_owned(), problem: Problem::Io(error) };
    // Sorted by a heap: the code of `sort` is 4 kB for each type.
    let mut found = BinaryHeap::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(found.into_sorted_vec())
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
        .open(path)
}

fn folder_is_safe(folder: &Path) -> Result<(), Problem> {
    const STICKY: u32 = 0o1000;
    let meta = folder_is_there(folder)?;
    if meta.uid() != 0 {
        return Err(Problem::FolderOwner(folder.to_owned(), meta.uid()));
    }
    if meta.mode() & 0o022 != 0 && meta.mode() & STICKY == 0 {
        return Err(Problem::FolderWritable(folder.to_owned(), meta.mode() & 0o7777));
    }
    Ok(())
}

fn folder_is_there(folder: &Path) -> Result<Metadata, Problem> {
    let meta = fs::metadata(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::FolderMissing(folder.to_owned()),
        _ => Problem::Io(error),
    })?;
    if !meta.is_dir() {
        return Err(Problem::NotAFolder(folder.to_owned()));
    }
    Ok(meta)
}

fn is_safe(
    path: &Path,
    meta: &Metadata,
    limit: u64,
    trust: Trust,
) -> Result<Option<String>, Problem> {
    if !meta.is_file() {
        return Err(Problem::NotRegular);
    }
    if meta.len() > limit {
        return Err(Problem::TooLarge { limit });
    }
    if trust == Trust::Anyone {
        return Ok(None);
    }
    if meta.uid() != 0 {
        return Err(Problem::Owner(meta.uid()));
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(Problem::Writable(mode));
    }
    let readable = mode & 0o004 != 0 || (mode & 0o040 != 0 && meta.gid() != 0);
    Ok(readable.then(|| {
        let path = path.display();
        format!("{path}: can be read by others (mode {mode:04o}): run `chmod 600 {path}`")
    }))
}

fn slurp(file: &File, meta: &Metadata, limit: u64) -> Result<Zeroizing<String>, Problem> {
    // One byte more than the file has, so that the buffer never moves and leaves no copy behind.
    let size = usize::try_from(meta.len()).unwrap_or(usize::MAX).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Problem::Io)?;
    if bytes.len() as u64 > limit {
        return Err(Problem::TooLarge { limit });
    }
    // One that somebody is writing: half of it must not pass for a file in which less stands.
    if bytes.len() as u64 != meta.len() {
        return Err(Problem::Changed);
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let read = Zeroizing::new(error.into_bytes());
            let line = read[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Err(Problem::NotUtf8 { line })
        }
    }
}

/// Why a file is not believed, with what to do about it.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    problem: Problem,
}

impl FileError {
    /// Whether the file itself, in a folder that is there, does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.problem, Problem::Missing)
    }

    /// Whether the folder that should hold it does not exist.
    #[must_use]
    pub fn is_folder_missing(&self) -> bool {
        matches!(self.problem, Problem::FolderMissing(_))
    }
}

#[derive(Debug)]
enum Problem {
    Missing,
    Symlink,
    NotRegular,
    Owner(u32),
    Writable(u32),
    TooLarge { limit: u64 },
    NotUtf8 { line: usize },
    Changed,
    FolderMissing(PathBuf),
    NotAFolder(PathBuf),
    FolderOwner(PathBuf, u32),
    FolderWritable(PathBuf, u32),
    Io(io::Error),
}

impl Problem {
    fn of_open(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT) => Self::Missing,
            Some(libc::ELOOP) => Self::Symlink,
            // A socket, or a device without a driver.
            Some(libc::ENXIO) => Self::NotRegular,
            _ => Self::Io(error),
        }
    }
}

/// What to do about a file or folder that is not there.
const CREATE: &str = "create it, or correct the path that names it";

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Missing => write!(f, "{path}: does not exist: {CREATE}"),
            Problem::Symlink => write!(f, "{path}: is a symlink: name the file itself"),
            Problem::NotRegular => {
                write!(f, "{path}: is not a regular file: put one in its place")
            }
            Problem::Owner(uid) => {
                write!(f, "{path}: belongs to uid {uid}: run `chown root {path}`")
            }
            Problem::Writable(mode) => {
                write!(
                    f,
                    "{path}: can be written by others (mode {mode:04o}): run `chmod 600 {path}`"
                )
            }
            Problem::TooLarge { limit } => {
                write!(f, "{path}: is larger than {limit} bytes: shorten it, or correct its path")
            }
            Problem::NotUtf8 { line } => {
                write!(f, "{path}:{line}: is not UTF-8: save it as UTF-8")
            }
            Problem::Changed => write!(f, "{path}: was changed while it was read: try again"),
            Problem::FolderMissing(folder) => {
                write!(f, "{path}: the folder {} does not exist: {CREATE}", folder.display())
            }
            Problem::NotAFolder(folder) => {
                let folder = folder.display();
                write!(f, "{path}: {folder} is not a folder: correct the path that names it")
            }
            Problem::FolderOwner(folder, uid) => {
                let folder = folder.display();
                write!(
                    f,
                    "{path}: the folder {folder} belongs to uid {uid}: run `chown root {folder}`"
                )
            }
            Problem::FolderWritable(folder, mode) => {
                let folder = folder.display();
                write!(
                    f,
                    "{path}: the folder {folder} can be written by others (mode {mode:04o}): \
                     run `chmod go-w {folder}`"
                )
            }
            Problem::Io(error)
                if error.kind() == io::ErrorKind::PermissionDenied && !sys::is_root() =>
            {
                write!(f, "{path}: {error}: run it as root")
            }
            Problem::Io(error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for FileError {}

#[cfg(test)]
mod tests;
