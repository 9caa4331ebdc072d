//! A folder of small files that several processes change at once.
//!
//! `NAME.state` holds what is kept, `NAME.lock` is the lock on it. The lock is a file of its own that
//! is never renamed nor removed, because a lock on a file that is renamed away locks nothing. A
//! change is written to `NAME.new` and renamed over the state, so that a kill at any instant leaves
//! the old state or the new one.

#[cfg(feature = "helper")]
pub mod shared;

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::config::file::{self, FileError, Trust};
use crate::sys::{self, Replacement};

/// Largest state file, in bytes: ten thousand moments and more.
const LARGEST: u64 = 256 << 10;
/// How long a lock is waited for; each is held for less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What lasts until the machine is started anew.
    pub run: PathBuf,
    /// What lasts.
    pub lib: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self { run: "/run/pam-sms".into(), lib: "/var/lib/pam-sms".into() }
    }
}

/// A lock that falls when this value does.
#[cfg(feature = "program")]
pub struct Alone(#[expect(dead_code, reason = "the lock falls with its descriptor")] File);

/// How much a change must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A process that dies.
    Process,
    /// A machine that loses power.
    Power,
}

/// One folder of state.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    durability: Durability,
}

impl Store {
    /// The store in `folder`, which is made when it is first needed.
    #[must_use]
    pub fn new(folder: &Path, durability: Durability) -> Self {
        Self { folder: folder.to_owned(), durability }
    }

    /// What is kept under `name`, without a lock: a rename shows the old state or the new one.
    ///
    /// # Errors
    /// When it is there and cannot be read or believed.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, StateError> {
        match file::read(&self.path(name, "state"), LARGEST, Trust::Root) {
            Ok(contents) => Ok(Some(contents.text)),
            Err(error) if error.is_missing() || error.is_folder_missing() => Ok(None),
            Err(error) => Err(StateError::Unsafe(error)),
        }
    }

    /// Changes what is kept under `name`, as the only one at that moment. `change` gets the text that
    /// is there and returns the one that shall be, or nothing where it shall stay as it is.
    ///
    /// # Errors
    /// When the state cannot be locked, read, believed or written; then nothing has changed.
    pub fn update<T, E: From<StateError>>(
        &self,
        name: &str,
        change: impl FnOnce(Option<&str>) -> Result<(T, Option<Zeroizing<String>>), E>,
    ) -> Result<T, E> {
        let (mut change, mut result) = (Some(change), None);
        self.replace(name, &mut |old| {
            let (done, new) = match change.take()?(old) {
                Ok((done, new)) => (Ok(done), new),
                Err(error) => (Err(error), None),
            };
            result = Some(done);
            new
        })?;
        result.expect("`replace` has called once what it was given")
    }

    /// [`Store::update`] for no type in particular: once in the module, and not once for each type.
    fn replace(
        &self,
        name: &str,
        change: &mut dyn FnMut(Option<&str>) -> Option<Zeroizing<String>>,
    ) -> Result<(), StateError> {
        self.make_folder()?;
        let _lock = self.lock(name)?;
        let old = self.read(name)?;
        match change(old.as_deref().map(String::as_str)) {
            Some(new) => self.write(name, &new),
            None => Ok(()),
        }
    }

    /// Forgets what is kept under `name`, whatever its condition. The lock stays. Says whether there
    /// was anything.
    ///
    /// # Errors
    /// When it cannot be locked or removed.
    pub fn forget(&self, name: &str) -> Result<bool, StateError> {
        self.make_folder()?;
        let _lock = self.lock(name)?;
        let path = self.path(name, "state");
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StateError::Io(path, error)),
        }
    }

    /// The same, without leaving a lock behind where nothing is kept.
    ///
    /// # Errors
    /// As [`Store::forget`].
    #[cfg(feature = "program")]
    pub fn forget_if_kept(&self, name: &str) -> Result<bool, StateError> {
        match self.path(name, "state").symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            // Every other error is told by the attempt.
            _ => self.forget(name),
        }
    }

    /// The names under which something is kept, in order.
    ///
    /// # Errors
    /// When the folder is there and cannot be read or believed.
    #[cfg(feature = "program")]
    pub fn names(&self) -> Result<Vec<String>, StateError> {
        match file::check_folder(&self.folder, Trust::Root) {
            Err(error) if error.is_folder_missing() => return Ok(Vec::new()),
            checked => checked.map_err(StateError::Unsafe)?,
        }
        let fail = |error| StateError::Io(self.folder.clone(), error);
        let mut names = std::collections::BTreeSet::new();
        for entry in fs::read_dir(&self.folder).map_err(fail)? {
            let file = entry.map_err(fail)?.file_name();
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".state")) {
                let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
                names.insert(name.into_owned());
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Takes the lock of `name` for a work of several steps, which must not touch `name` itself.
    ///
    /// # Errors
    /// When another process holds it.
    #[cfg(feature = "program")]
    pub fn alone(&self, name: &str) -> Result<Alone, StateError> {
        self.make_folder()?;
        self.lock(name).map(Alone)
    }

    /// Where the state of `name` stands, for people.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path(name, "state")
    }

    fn make_folder(&self) -> Result<(), StateError> {
        let made = DirBuilder::new().mode(0o700).create(&self.folder);
        let owned = made.and_then(|()| {
            // Explicit, since a umask of 0777 and the group of a caller of su are in force here.
            fs::set_permissions(&self.folder, Permissions::from_mode(0o700))?;
            std::os::unix::fs::chown(&self.folder, Some(0), Some(0))
        });
        match owned {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(StateError::Io(self.folder.clone(), error))
            }
            _ => file::check_folder(&self.folder, Trust::Root).map_err(StateError::Unsafe),
        }
    }

    fn lock(&self, name: &str) -> Result<File, StateError> {
        let path = self.path(name, "lock");
        let locked = || {
            let file = options().read(true).write(true).create(true).truncate(false).open(&path)?;
            let meta = file.metadata()?;
            if meta.uid() != 0 || !meta.is_file() {
                return Err(io::Error::other("is not a regular file of root's: remove it"));
            }
            // Whoever can open it can hold it; and with what a umask left, root himself may not.
            if meta.mode() & 0o7777 != 0o600 {
                file.set_permissions(Permissions::from_mode(0o600))?;
            }
            sys::lock_exclusively(&file, PATIENCE)?;
            Ok(file)
        };
        locked().map_err(|error| StateError::Io(path.clone(), error))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), StateError> {
        let (new, state) = (self.path(name, "new"), self.path(name, "state"));
        let how = Replacement {
            beside: &new,
            mode: 0o600,
            owner: Some((0, 0)),
            is_durable: self.durability == Durability::Power,
        };
        sys::replace(&state, text, &how).map_err(|error| StateError::Io(state, error))
    }

    fn path(&self, name: &str, kind: &str) -> PathBuf {
        const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
        self.folder.join(format!("{}.{kind}", utf8_percent_encode(name, KEPT)))
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY);
    options
}

/// Why state cannot be used.
#[derive(Debug)]
pub enum StateError {
    /// A file or folder is not to be believed.
    Unsafe(FileError),
    /// A file does not hold what it should, and what to do about it.
    Damaged(PathBuf, &'static str),
    /// The kernel refuses.
    Io(PathBuf, io::Error),
}

impl StateError {
    /// Whether another process did not give back a lock in time.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Io(_, error) if error.kind() == io::ErrorKind::TimedOut)
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe(error) => error.fmt(f),
            Self::Damaged(path, advice) => {
                write!(f, "{}: is damaged or of another version: {advice}", path.display())
            }
            Self::Io(path, _) if self.is_busy() => {
                write!(f, "{}: another process holds the lock", path.display())
            }
            Self::Io(path, error) if error.kind() == io::ErrorKind::StorageFull => {
                write!(f, "{}: {error}: make room there", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for StateError {}
