//! Locks on files.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
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
