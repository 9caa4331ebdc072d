//! Processes of our own: started clean, ended for sure, and without root where they need none.

#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use super::accounts::Account;
use super::resources::{at_least, limit_of};

/// A child that can be killed without any chance of hitting another process.
pub struct Process {
    pid: libc::pid_t,
    pidfd: Option<OwnedFd>,
}

impl Process {
    /// Starts `command` as a clean child: own session, default signals, root's own ids, sane limits,
    /// no descriptor but the three standard ones.
    ///
    /// # Errors
    /// When the program cannot be started, or its limits are too low and cannot be raised.
    pub fn start(mut command: Command) -> io::Result<Self> {
        // SAFETY: `prepare_child` makes only system calls that are async-signal-safe, allocates
        // nothing and takes no lock, as is required between fork and exec.
        unsafe { command.pre_exec(prepare_child) };
        let child = command.spawn()?;
        // A pid that the kernel gave fits into the kernel's own type.
        Ok(Self::of(child.id().try_into().unwrap_or(0)))
    }

    fn of(pid: libc::pid_t) -> Self {
        // SAFETY: the call takes numbers only; a descriptor it returns is ours alone.
        let pidfd = unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
            RawFd::try_from(fd).ok().filter(|&fd| fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
        };
        Self { pid, pidfd }
    }

    /// Kills the child if it still runs, and reaps it unless the host did or does not want to.
    pub fn end(self) {
        // SAFETY: the descriptor is open; NULL stands for the plain form of the signal. Where the
        // kernel gave no descriptor the pid cannot be another's: the child is not reaped yet.
        unsafe {
            match &self.pidfd {
                Some(pidfd) => drop(libc::syscall(
                    libc::SYS_pidfd_send_signal,
                    pidfd.as_raw_fd(),
                    libc::SIGKILL,
                    std::ptr::null::<libc::siginfo_t>(),
                    0,
                )),
                None if self.pid > 0 => drop(libc::kill(self.pid, libc::SIGKILL)),
                None => {}
            }
        }
        // ECHILD: the host ignores SIGCHLD, or has a handler that took ours along.
        // SAFETY: takes numbers, and NULL for the status that nobody wants.
        while self.pid > 0
            && unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) } < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
}

/// Does `work` in a child that is root's alone, and returns the bytes it comes back with.
///
/// In su and sudo the process belongs to whoever called it, who may stop or kill it, and who chose
/// its limits: it must not hold a lock that others wait for. The child has root's ids, a session and
/// limits of its own, and is killed after `patience`.
///
/// # Errors
/// When there is no child to be had, its limits cannot be raised, or it is late or dies.
pub fn in_child_of_root(patience: Duration, work: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    // SAFETY: su and sudo have one thread, so no lock is held by another that would be missing in
    // the child. The child never returns from here: it works, answers and ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let done = prepare_child().map(|()| work()).and_then(|said| theirs.write_all(&said));
            exit_now(i32::from(done.is_err()))
        }
        pid => {
            drop(theirs);
            let child = Process::of(pid);
            let said = read_until(&mut ours, Instant::now() + patience);
            child.end();
            match said {
                Ok(said) if said.is_empty() => Err(io::Error::other("a child died at work")),
                other => other,
            }
        }
    }
}

/// Reads to the end of the stream, or to the deadline.
fn read_until(stream: &mut UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(said),
            Ok(count) => said.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes a fresh child clean: runs between fork and exec, or between fork and work.
fn prepare_child() -> io::Result<()> {
    // SAFETY: each call takes numbers or pointers to locals that live until it returns; all are on
    // the list of async-signal-safe functions or plain system calls.
    unsafe {
        // A session of its own: ^C and ^Z at the terminal of su are not for the helper.
        libc::setsid();
        libc::umask(0o077);
        for signal in 1..=libc::SIGRTMAX() {
            // Fails for SIGKILL and SIGSTOP, which have no other action.
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        // Under su and sudo the real user is the caller, who may signal what carries that number.
        if libc::geteuid() == 0 && (libc::setresgid(0, 0, 0) != 0 || libc::setresuid(0, 0, 0) != 0)
        {
            return Err(io::Error::last_os_error());
        }
    }
    at_least(libc::RLIMIT_NOFILE, 64)?;
    at_least(libc::RLIMIT_NPROC, 4096)?;
    at_least(libc::RLIMIT_FSIZE, 1 << 24)?;
    at_least(libc::RLIMIT_AS, 1 << 30)?;
    at_least(libc::RLIMIT_DATA, 1 << 29)?;
    at_least(libc::RLIMIT_STACK, 1 << 20)?;
    at_least(libc::RLIMIT_CPU, 60)?;
    // Marked, not closed: the descriptor on which std reports a failed exec is among them.
    close_from_3(libc::CLOSE_RANGE_CLOEXEC);
    Ok(())
}

/// Closes every descriptor but the standard three.
pub fn close_descriptors() {
    close_from_3(0);
}

fn close_from_3(flags: libc::c_uint) {
    // SAFETY: takes numbers; where the kernel is older than 5.11 it fails, and the loop does it.
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) == 0 };
    if done {
        return;
    }
    let most = limit_of(libc::RLIMIT_NOFILE).map_or(1024, |limit| limit.rlim_cur.min(65_536));
    for fd in 3..RawFd::try_from(most).unwrap_or(1024) {
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

fn check(result: libc::c_int) -> io::Result<()> {
    check_long(result.into())
}

fn check_long(result: libc::c_long) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends the process at once: no destructor, no thread is waited for (a name look-up may sit in one).
pub fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process and touches nothing of it.
    unsafe { libc::_exit(code) }
}
