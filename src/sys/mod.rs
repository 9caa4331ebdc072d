//! System calls: the one room outside `pam/` in which `unsafe` may stand.
//!
//! Each function is a safe wrapper around one thing the kernel or the C library does, and says in
//! its name what that is. Nothing here decides anything about a login.
//!
//! ```text
//! mod.rs        clocks, this machine, sockets     accounts.rs   the user database
//! child.rs      processes that we start           process.rs    what a process does to itself
//! resources.rs  its limits                        files.rs      locks, files replaced
//! memory.rs     what is given back is wiped       names.rs      host names, for the helper
//! mounts.rs     mounts of our own, for the program
//! ```

#![allow(unsafe_code)]

mod accounts;
pub mod child;
mod files;
mod memory;
#[cfg(feature = "program")]
pub mod mounts;
#[cfg(feature = "helper")]
pub mod names;
mod process;
mod resources;

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::time::Duration;

pub use accounts::{Account, account, group_id, groups_of};
#[cfg(feature = "helper")]
pub use files::unlock;
pub use files::{Replacement, lock_exclusively, replace};
pub use memory::{clear_registers, give_memory_back};
#[cfg(feature = "ldap")]
pub use process::keep_only;
pub use process::{alarm, become_unprivileged, close_descriptors, exit_now};
#[cfg(feature = "program")]
pub use process::{hang_up, hold_interrupts, leave_terminal, wait_for_input};
#[cfg(feature = "helper")]
pub use resources::limit_files;
#[cfg(feature = "ldap")]
pub use resources::limit_memory;
pub use resources::{LimitGuard, lift_open_files};

/// Time since the machine was started, its sleep included.
pub fn boot_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the kernel to write to. The clock exists on every
    // kernel since 2.6.39; where the call fails, `time` stays zero and every code has expired.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// The hour of the wall clock as syslog wants it: `Nov  4 08:15:42`, in local time.
pub fn syslog_time() -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let tm = broken_down(libc::localtime_r);
    let month = usize::try_from(tm.tm_mon).ok().and_then(|i| MONTHS.get(i)).unwrap_or(&"Jan");
    format!("{month} {:2} {:02}:{:02}:{:02}", tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec)
}

fn broken_down(
    by: unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm,
) -> libc::tm {
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: `time` takes NULL; both functions write to the `tm` it is given, and an all-zero `tm`
    // is a valid one where it does not.
    unsafe {
        let now = libc::time(std::ptr::null_mut());
        by(&raw const now, parts.as_mut_ptr());
        parts.assume_init()
    }
}

/// The name under which the host program was started, without its path.
pub fn program_name() -> String {
    unsafe extern "C" {
        static program_invocation_short_name: *const libc::c_char;
    }
    // SAFETY: glibc and musl set this pointer to a NUL-terminated string before any module is
    // loaded and a program that changes it has to keep it valid.
    let name = unsafe {
        let name = program_invocation_short_name;
        if name.is_null() {
            return "pam_sms".to_owned();
        }
        CStr::from_ptr(name)
    };
    name.to_string_lossy().into_owned()
}

/// The name of this machine, or `localhost` where it has none.
pub fn host_name() -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is writable for the length given, less one byte that stays NUL.
    unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    let name = CStr::from_bytes_until_nul(&buffer).map(CStr::to_string_lossy).unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name.into_owned() }
}

/// Whether this process may do what root may.
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Whether the process was started by root, or by somebody who may now stop, starve and kill it: the
/// caller of su or sudo.
pub fn is_started_by_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getuid() == 0 }
}

/// The day of the wall clock in UTC: year, month and day, counted from 1. Local time under su and sudo
/// is what the caller says it is (`TZ`).
pub fn today() -> (u16, u8, u8) {
    let tm = broken_down(libc::gmtime_r);
    let number = |value: libc::c_int| u8::try_from(value).unwrap_or(0);
    let year = u16::try_from(tm.tm_year + 1900).unwrap_or(0);
    (year, number(tm.tm_mon + 1), number(tm.tm_mday))
}

/// Sends all of `bytes` into a socket. A peer that is gone is an error and no signal.
///
/// # Errors
/// When the peer is gone or too slow.
pub fn send_all(socket: &impl AsRawFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the descriptor is open as long as `socket` is borrowed; the length is the slice's.
        let sent = unsafe {
            libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
        };
        match usize::try_from(sent) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<()> {
    check_long(result.into())
}

fn check_long(result: libc::c_long) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
