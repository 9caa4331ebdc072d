//! What a process of ours does to itself: closing, limiting, giving up root, ending.

#![allow(unsafe_code)]

use std::io;
#[cfg(any(feature = "ldap", feature = "program"))]
use std::os::fd::AsRawFd;
#[cfg(feature = "ldap")]
use std::os::fd::BorrowedFd;
use std::os::fd::RawFd;

use super::accounts::Account;
use super::resources::limit_of;
use super::{check, check_long};

/// Closes every descriptor but the standard three.
pub fn close_descriptors() {
    close_from_3(0);
}

/// Lets go of every descriptor but `line` and what the standard output goes to, which is also put in the
/// place of the standard input: for a child that must not hold the line of its parent.
///
/// # Errors
/// When the standard input is not let go of.
#[cfg(feature = "ldap")]
pub fn keep_only(line: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes numbers only; it answers with the second one, or with -1.
    check(unsafe { libc::dup2(libc::STDOUT_FILENO, libc::STDIN_FILENO) }.min(0))?;
    let line = line.as_raw_fd();
    close_between(3, line - 1, 0);
    close_between(line.max(2) + 1, RawFd::MAX, 0);
    Ok(())
}

pub(super) fn close_from_3(flags: libc::c_uint) {
    close_between(3, RawFd::MAX, flags);
}

fn close_between(first: RawFd, last: RawFd, flags: libc::c_uint) {
    // SAFETY: takes numbers; where the kernel is older than 5.11 it fails, and the loop does it. An empty
    // range fails, too, and the loop has nothing to do.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) == 0 };
    if done {
        return;
    }
    let most = limit_of(libc::RLIMIT_NOFILE).map_or(1024, |limit| limit.rlim_cur.min(65_536));
    for fd in first..RawFd::try_from(most).unwrap_or(1024).min(last.saturating_add(1)) {
        // SAFETY: takes numbers; a descriptor that is not open is an error without effect.
        unsafe {
            if flags == 0 {
                libc::close(fd);
            } else {
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
}

/// Lets the kernel end this process after `seconds`, whatever it is doing.
pub fn alarm(seconds: u32) {
    // SAFETY: takes a number; SIGALRM has its default action, which ends the process.
    unsafe { libc::alarm(seconds) };
}

/// Gives root up for good: groups, ids, capabilities; then no new privileges, no dump, no core, and
/// death with the parent.
///
/// # Errors
/// When any of it does not hold afterwards. The caller must then do nothing more.
pub fn become_unprivileged(account: &Account) -> io::Result<()> {
    let (uid, gid) = (account.uid, account.gid);
    if uid == 0 || gid == 0 {
        return Err(io::Error::other("the account is root's"));
    }
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // _LINUX_CAPABILITY_VERSION_3 and two empty rows of effective, permitted, inheritable.
    let header: [u32; 2] = [0x2008_0522, 0];
    let nothing = [0_u32; 6];
    let mut left = [u32::MAX; 6];
    // SAFETY: every pointer leads to a local of the layout that the call wants and lives until it
    // returns: capget and capset take a header of two words and two rows of three.
    unsafe {
        check(libc::setgroups(0, std::ptr::null()))?;
        check(libc::setresgid(gid, gid, gid))?;
        check(libc::setresuid(uid, uid, uid))?;
        check_long(libc::syscall(libc::SYS_capset, header.as_ptr(), nothing.as_ptr()))?;
        check_long(libc::syscall(libc::SYS_capget, header.as_ptr(), left.as_mut_ptr()))?;
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        // Both are reset by the kernel when ids change, so they come after that.
        check(libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0))?;
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0))?;
        check(libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core))?;
        if left != nothing || libc::setuid(0) == 0 || libc::geteuid() != uid {
            return Err(io::Error::other("root could not be given up"));
        }
    }
    Ok(())
}

/// Asks a process to read its configuration again.
///
/// # Errors
/// When there is no such process.
#[cfg(feature = "program")]
pub fn hang_up(pid: libc::pid_t) -> io::Result<()> {
    // SAFETY: takes numbers; a pid below 1 would mean others, and is none.
    check(if pid > 0 { unsafe { libc::kill(pid, libc::SIGHUP) } } else { -1 })
}

/// Leaves the terminal behind: what is typed or hung up there is not for this process any more.
#[cfg(feature = "program")]
pub fn leave_terminal() {
    // SAFETY: takes nothing; fails only for the leader of a group, which needs it not.
    unsafe { libc::setsid() };
}

/// From now on what would end the process at a terminal (^C, a hang-up, SIGTERM) only ends the next
/// [`wait_for_input`], so that the process can put things back first.
#[cfg(feature = "program")]
pub fn hold_interrupts() {
    extern "C" fn note(_: libc::c_int) {}
    // SAFETY: all-zero values are a sigaction without flags and a set to be emptied; the handler does
    // nothing; each pointer leads to a local that lives until its call returns.
    unsafe {
        let mut held: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut held);
        for signal in [libc::SIGINT, libc::SIGHUP, libc::SIGTERM] {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            libc::sigaddset(&raw mut held, signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &raw const held, std::ptr::null_mut());
    }
}

/// Waits until something can be read, for as long as it takes. A signal that is held comes in here, and
/// nowhere else: one that came a moment ago is not lost.
///
/// # Errors
/// `Interrupted`, when somebody wants the process to end.
#[cfg(feature = "program")]
pub fn wait_for_input(input: &impl AsRawFd) -> io::Result<()> {
    let mut wanted = libc::pollfd { fd: input.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, no time limit, and a set that is emptied; all live until the call returns.
    let ready = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::ppoll(&raw mut wanted, 1, std::ptr::null(), &raw const none)
    };
    if ready < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Ends the process at once: no destructor, no thread is waited for (a name look-up may sit in one).
pub fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process and touches nothing of it.
    unsafe { libc::_exit(code) }
}
