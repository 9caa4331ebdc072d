//! Limits of resources, which under su and sudo are what the caller made of them.

#![allow(unsafe_code)]

use std::io;
use std::sync::{Mutex, PoisonError};

/// The limit of open files as it was, and for how many logins of this host it is lifted now: a host may
/// have threads that log in at once, and the first to end must not take the files of the others.
static LIFTED: Mutex<(Option<libc::rlimit>, usize)> = Mutex::new((None, 0));

/// Lifts the soft limit of open files to at least `wanted` until the guard is dropped: under su and
/// sudo it is the user who chose it.
pub fn lift_open_files(wanted: u64) -> LimitGuard {
    let mut lifted = LIFTED.lock().unwrap_or_else(PoisonError::into_inner);
    if lifted.1 == 0 {
        let before = limit_of(libc::RLIMIT_NOFILE).filter(|before| before.rlim_cur < wanted);
        lifted.0 = before.filter(|_| at_least(libc::RLIMIT_NOFILE, wanted).is_ok());
    }
    lifted.1 += 1;
    LimitGuard(())
}

/// Puts the limit of open files back when the last of them is dropped.
pub struct LimitGuard(());

impl Drop for LimitGuard {
    fn drop(&mut self) {
        let mut lifted = LIFTED.lock().unwrap_or_else(PoisonError::into_inner);
        lifted.1 -= 1;
        let before = if lifted.1 == 0 { lifted.0.take() } else { None };
        if let Some(before) = before {
            // SAFETY: the structure is valid; a failure leaves the host with more than it had.
            unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const before) };
        }
    }
}

type Resource = libc::__rlimit_resource_t;

/// What a child of ours needs, and what that is called.
const NEEDED: [(Resource, u64, &str); 7] = [
    (libc::RLIMIT_NOFILE, 64, "open files"),
    (libc::RLIMIT_NPROC, 4096, "processes"),
    (libc::RLIMIT_FSIZE, 1 << 24, "bytes in a file"),
    (libc::RLIMIT_AS, 1 << 30, "bytes of memory"),
    (libc::RLIMIT_DATA, 1 << 29, "bytes of data"),
    (libc::RLIMIT_STACK, 1 << 20, "bytes of stack"),
    (libc::RLIMIT_CPU, 60, "seconds of the processor"),
];

/// Gives this process, a child of ours, what it needs.
pub(super) fn lift_for_child() -> io::Result<()> {
    NEEDED.iter().try_for_each(|&(resource, wanted, _)| at_least(resource, wanted))
}

/// Which limit a child could not lift, where only `CAP_SYS_RESOURCE` may; in words.
pub(super) fn too_low_for_child() -> Option<String> {
    NEEDED.iter().find_map(|&(resource, wanted, what)| {
        let most = limit_of(resource)?.rlim_max;
        (most < wanted)
            .then(|| format!("the hard limit of {what} is {most}, and {wanted} are needed"))
    })
}

pub(super) fn limit_of(resource: Resource) -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid structure for the kernel to write to.
    (unsafe { libc::getrlimit(resource, &raw mut limit) } == 0).then_some(limit)
}

/// Makes sure that a limit is at least `wanted`.
fn at_least(resource: Resource, wanted: u64) -> io::Result<()> {
    let limit = limit_of(resource).ok_or_else(io::Error::last_os_error)?;
    if limit.rlim_cur >= wanted {
        return Ok(());
    }
    let lifted = libc::rlimit { rlim_cur: wanted, rlim_max: limit.rlim_max.max(wanted) };
    // SAFETY: `lifted` is a valid structure that the kernel only reads.
    match unsafe { libc::setrlimit(resource, &raw const lifted) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets this process have no more memory than that for its data, for good.
///
/// # Errors
/// When the kernel refuses.
#[cfg(feature = "ldap")]
pub fn limit_memory(bytes: u64) -> io::Result<()> {
    limit(libc::RLIMIT_DATA, bytes)
}

/// Lets this process make no file longer than that, for good.
///
/// # Errors
/// When the kernel refuses.
#[cfg(feature = "helper")]
pub fn limit_files(bytes: u64) -> io::Result<()> {
    limit(libc::RLIMIT_FSIZE, bytes)
}

#[cfg(feature = "helper")]
fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: `limit` is a valid structure that the kernel only reads.
    super::check(unsafe { libc::setrlimit(resource, &raw const limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_goes_down_with_the_last_of_several_logins() {
        let soft = || limit_of(libc::RLIMIT_NOFILE).unwrap().rlim_cur;
        let before = soft();
        // Above what is in force, so that there is something to lift; the hard limit allows it.
        let (wanted, most) = (before + 1, limit_of(libc::RLIMIT_NOFILE).unwrap().rlim_max);
        if wanted > most {
            return;
        }
        let (first, second) = (lift_open_files(wanted), lift_open_files(wanted));
        assert_eq!(soft(), wanted);
        drop(first);
        assert_eq!(soft(), wanted);
        let third = lift_open_files(wanted);
        drop(second);
        assert_eq!(soft(), wanted);
        drop(third);
        assert_eq!(soft(), before);
    }
}
