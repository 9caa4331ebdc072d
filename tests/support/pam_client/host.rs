//! What kind of host the client is: one with habits and limits that the module did not choose.

use std::collections::BTreeMap;
use std::ffi::{CString, c_long};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::FromRawFd;
use std::ptr;
use std::sync::{Mutex, OnceLock};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

use super::give_up;
use super::script::Script;

/// Calls that kernels and the filters of containers did not know a few years ago.
const NEW: [c_long; 9] = [
    libc::SYS_clone3,
    libc::SYS_close_range,
    libc::SYS_faccessat2,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_openat2,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rseq,
    libc::SYS_statx,
];
const TO_FORK: [c_long; 4] = [libc::SYS_clone, libc::SYS_clone3, libc::SYS_fork, libc::SYS_vfork];

/// Where lines go: standard output, or a duplicate of it above the standard descriptors.
static OUT: OnceLock<Mutex<File>> = OnceLock::new();

/// Becomes what the command line wants.
pub fn become_odd(script: &Script) {
    // SAFETY: no handler of ours is installed, only libc's own two dispositions; nothing else
    // runs yet. openlog keeps no pointer when the name is NULL.
    unsafe {
        if script.sigchld_ignore {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        }
        if script.sigpipe_default {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        }
        // The log's descriptor stays open from the first line on, and is not a module's leak.
        libc::openlog(ptr::null(), libc::LOG_NDELAY, libc::LOG_AUTHPRIV);
    }
    if let Some(folder) = &script.chroot {
        change_root(folder);
    }
    speak_elsewhere(script.close_standard);
    if let Some(count) = script.files_left {
        leave_files(count);
    }
    if let Some(kind) = &script.refuse {
        refuse(kind);
    }
}

fn change_root(folder: &CString) {
    // SAFETY: the strings end in NUL and live until the calls return.
    let done = unsafe { libc::chroot(folder.as_ptr()) == 0 && libc::chdir(c"/".as_ptr()) == 0 };
    if !done {
        give_up(&"--chroot", io::Error::last_os_error());
    }
}

/// Keeps a way to print, and closes the standard descriptors where that is wanted.
fn speak_elsewhere(close: bool) {
    // SAFETY: takes numbers; what is returned is a new descriptor that nobody else knows of.
    let out = unsafe {
        let out = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        if out < 0 {
            give_up(&"standard output", io::Error::last_os_error());
        }
        if close {
            (0..3).for_each(|fd| _ = libc::close(fd));
        }
        File::from_raw_fd(out)
    };
    // It is called once.
    let _ = OUT.set(Mutex::new(out));
}

/// Opens files for good until it can open no more than so many.
fn leave_files(count: usize) {
    let mut files: Vec<File> =
        std::iter::repeat_with(|| File::open("/dev/null")).map_while(Result::ok).collect();
    files.truncate(files.len().saturating_sub(count));
    files.into_iter().for_each(std::mem::forget);
}

/// Prints one line at once.
pub fn say(line: impl Display) {
    let Some(out) = OUT.get() else { return };
    let line = format!("{line}\n");
    let mut out = out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Who reads may be gone; the login goes on without a witness.
    let _ = out.write_all(line.as_bytes());
}

/// Takes calls away from this process and all that it starts.
fn refuse(kind: &str) {
    let (calls, errno) = match kind {
        "new" => (&NEW[..], libc::ENOSYS),
        // Of the same calls: threads cannot be made without one of the two kinds of clone.
        "new-forbidden" => (&NEW[1..], libc::EPERM),
        "exec" => (&[libc::SYS_execve, libc::SYS_execveat][..], libc::EPERM),
        "fork" => (&TO_FORK[..], libc::EPERM),
        "connect" => (&[libc::SYS_connect][..], libc::EPERM),
        "socketpair" => (&[libc::SYS_socketpair][..], libc::EPERM),
        _ => give_up(&kind, "is nothing that --refuse knows"),
    };
    let rules: BTreeMap<_, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let errno = SeccompAction::Errno(errno.unsigned_abs());
    let here = std::env::consts::ARCH.try_into();
    let filter = here.and_then(|here| SeccompFilter::new(rules, SeccompAction::Allow, errno, here));
    let filter = filter.and_then(BpfProgram::try_from).unwrap_or_else(|e| give_up(&kind, e));
    apply_filter_all_threads(&filter).unwrap_or_else(|error| give_up(&kind, error));
}
