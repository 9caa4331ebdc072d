//! System calls: the one folder outside `pam/` in which `unsafe` may stand.
//!
//! Each function is a safe wrapper around one thing the kernel or the C library does, and says in
//! its name what that is. Nothing here decides anything about a login.
//!
//! ```text
//! mod.rs    clocks, names, the user database, processes, limits, giving root up
//! names.rs  host names, for the helper: the module never looks one up
//! ```

#![allow(unsafe_code)]

#[cfg(feature = "helper")]
pub mod names;

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

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
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: `time` takes NULL; `localtime_r` writes to the `tm` it is given, and an all-zero `tm`
    // is a valid one where it does not.
    let tm = unsafe {
        let now = libc::time(std::ptr::null_mut());
        libc::localtime_r(&raw const now, parts.as_mut_ptr());
        parts.assume_init()
    };
    let month = usize::try_from(tm.tm_mon).ok().and_then(|i| MONTHS.get(i)).unwrap_or(&"Jan");
    format!("{month} {:2} {:02}:{:02}:{:02}", tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec)
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

/// A row of the user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as the database spells it, whatever it was asked for.
    pub name: String,
    /// The user's number.
    pub uid: libc::uid_t,
    /// The number of the user's own group.
    pub gid: libc::gid_t,
}

/// Looks `name` up in the user database (NSS).
///
/// # Errors
/// When the database could not be asked; "no such user" is `Ok(None)`.
pub fn account(name: &str) -> io::Result<Option<Account>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let mut buffer = vec![0_u8; 1024];
    loop {
        let mut row = MaybeUninit::<libc::passwd>::uninit();
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are valid for the call, and the length is the buffer's.
        let code = unsafe {
            libc::getpwnam_r(
                name.as_ptr(),
                row.as_mut_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                &raw mut found,
            )
        };
        match code {
            libc::ERANGE if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            // What getpwnam(3) lists as "the given name was not found" in some implementations.
            0 | libc::ENOENT | libc::ESRCH if found.is_null() => return Ok(None),
            0 => {
                // SAFETY: `found` is not null, so it points to `row`, which the call has filled;
                // its name is a string inside `buffer`, which is still there.
                let (row, name) = unsafe {
                    let row = row.assume_init();
                    (row, CStr::from_ptr(row.pw_name).to_string_lossy().into_owned())
                };
                return Ok(Some(Account { name, uid: row.pw_uid, gid: row.pw_gid }));
            }
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// Whether this process may do what root may.
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
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

/// Lifts the soft limit of open files to at least `wanted` until the guard is dropped: under su and
/// sudo it is the user who chose it.
pub fn lift_open_files(wanted: u64) -> LimitGuard {
    let before = limit_of(libc::RLIMIT_NOFILE);
    let lifted = at_least(libc::RLIMIT_NOFILE, wanted).is_ok();
    LimitGuard(before.filter(|_| lifted))
}

/// Puts the limit of open files back when it is dropped.
pub struct LimitGuard(Option<libc::rlimit>);

impl Drop for LimitGuard {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            // SAFETY: the structure is valid; a failure leaves the host with more than it had.
            unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const before) };
        }
    }
}

/// A child that can be killed without any chance of hitting another process.
pub struct Process {
    child: Child,
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
        // SAFETY: the call takes numbers only; a descriptor it returns is ours alone.
        let pidfd = unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, child.id(), 0);
            RawFd::try_from(fd).ok().filter(|&fd| fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
        };
        Ok(Self { child, pidfd })
    }

    /// Kills the child if it still runs, and reaps it unless the host did or does not want to.
    pub fn end(mut self) {
        match &self.pidfd {
            Some(pidfd) => {
                // SAFETY: the descriptor is open; NULL stands for the plain form of the signal.
                unsafe {
                    libc::syscall(
                        libc::SYS_pidfd_send_signal,
                        pidfd.as_raw_fd(),
                        libc::SIGKILL,
                        std::ptr::null::<libc::siginfo_t>(),
                        0,
                    )
                };
            }
            // Where the kernel gave no handle: the child cannot be another's, it is not reaped yet.
            None => drop(self.child.kill()),
        }
        // ECHILD: the host ignores SIGCHLD, or has a handler that took ours along.
        let _ = self.child.wait();
    }
}

/// Runs in the child between fork and exec.
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

type Resource = libc::__rlimit_resource_t;

fn limit_of(resource: Resource) -> Option<libc::rlimit> {
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
