//! Locks on files, and files that take the place of others.

#![allow(unsafe_code)]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Takes the only lock on `file`, which falls with its last descriptor.
///
/// # Errors
/// When another process still holds it after `patience`.
pub fn lock_exclusively(file: &File, patience: Duration) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_micros(200);
    loop {
        // SAFETY: takes the number of a descriptor that is open as long as `file` is borrowed.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => continue,
            error if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ if Instant::now() >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            _ => {}
        }
        // Asked again and again, because a lock that is waited for cannot be given up in time.
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Gives the lock on `file` back before its descriptor is closed.
#[cfg(feature = "helper")]
pub fn unlock(file: &File) {
    // SAFETY: as above. It cannot fail on a descriptor that is open.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_UN) };
}

/// How a whole file takes the place of another.
pub struct Replacement<'a> {
    /// Where it is written first: a name in the same folder that nobody reads.
    pub beside: &'a Path,
    /// Its permissions, whatever the umask says.
    pub mode: u32,
    /// Its user and group, if they are not to be those of this process.
    pub owner: Option<(u32, u32)>,
    /// Whether it must be there after a power cut.
    pub is_durable: bool,
}

/// Replaces a file at once: whoever reads it sees the old text or the new one.
///
/// # Errors
/// When it cannot be written; then the old one is still there.
pub fn replace(path: &Path, text: &str, how: &Replacement<'_>) -> io::Result<()> {
    let written = || {
        match fs::remove_file(how.beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // What a process that was killed has left.
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY)
            .open(how.beside)?;
        if let Some((user, group)) = how.owner {
            fchown(&file, Some(user), Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(how.mode))?;
        file.write_all(text.as_bytes())?;
        if how.is_durable {
            file.sync_all()?;
        }
        fs::rename(how.beside, path)?;
        match path.parent().filter(|_| how.is_durable) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    written().inspect_err(|_| {
        // A file that is half written on a full disk would keep it full.
        let _ = fs::remove_file(how.beside);
    })
}
