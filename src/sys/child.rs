//! Starting a program from inside a host that is not ours, and ending it.
//!
//! The host may have threads, closed its standard descriptors, ignore SIGCHLD, or run with limits and
//! a real user that its caller chose. `std::process::Command` would do, but what it can do beyond
//! this (environments, search paths, pipes) is 36 kB of a module that is loaded into every login.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::process::{alarm, close_from_3, exit_now};
use super::resources::{lift_for_child, too_low_for_child};
use super::{check, check_long};

/// More bytes than that no child of ours comes back with, whoever has taken it over.
const MOST_SAID: usize = 64 << 10;

/// A child that can be killed without any chance of hitting another process. It ends with this value:
/// killed if it still runs, and reaped unless the host did or does not want to. Also when the value
/// is dropped by a panic, which must not leave the host with a child that it knows nothing of.
pub struct Child {
    pid: libc::pid_t,
    pidfd: Option<OwnedFd>,
}

impl Child {
    /// Starts `program` as a clean child: own session, default signals, root's own ids, sane limits,
    /// the root folder, one `variable` for an environment, and no descriptor but the three standard
    /// ones, of which `line` is the input.
    ///
    /// # Errors
    /// When the program cannot be started, or its limits are too low and cannot be raised.
    pub fn start(program: &Path, variable: &CStr, line: OwnedFd) -> io::Result<Self> {
        let program = CString::new(program.as_os_str().as_bytes())?;
        let null = File::options().write(true).open("/dev/null")?;
        let plan = Plan {
            program: program.as_ptr(),
            arguments: [program.as_ptr(), std::ptr::null()],
            environment: [variable.as_ptr(), std::ptr::null()],
            descriptors: [line.as_raw_fd(), null.as_raw_fd()],
            errno: AtomicI32::new(0),
        };
        let pid = plan.start()?;
        drop(line);
        match plan.errno.load(Ordering::Relaxed) {
            0 => Ok(Self::of(pid)),
            errno => {
                reap(pid);
                let error = io::Error::from_raw_os_error(errno);
                // What the kernel says of a limit is no more than that it is not permitted.
                let limit = if errno == libc::EPERM { too_low_for_child() } else { None };
                Err(limit.map_or(error, io::Error::other))
            }
        }
    }

    fn of(pid: libc::pid_t) -> Self {
        // SAFETY: the call takes numbers only; a descriptor it returns is ours alone.
        let pidfd = unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
            RawFd::try_from(fd).ok().filter(|&fd| fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
        };
        Self { pid, pidfd }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: the descriptor is open, and NULL stands for the plain form of the signal. Where the
        // kernel gave no handle, the number cannot be another's: the child is not reaped yet.
        unsafe {
            match &self.pidfd {
                Some(pidfd) => {
                    let (fd, info) = (pidfd.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
                    libc::syscall(libc::SYS_pidfd_send_signal, fd, libc::SIGKILL, info, 0);
                }
                None => _ = libc::kill(self.pid, libc::SIGKILL),
            }
        }
        reap(self.pid);
    }
}

/// Does `work` in a child that is root's alone, and returns the bytes it comes back with. `work` gets the line
/// that they go over.
///
/// In su and sudo the process belongs to whoever called it, who may stop or kill it, and who chose
/// its limits: it must not hold a lock that others wait for. The child has root's ids, a session and
/// limits of its own, and is killed after `patience`.
///
/// # Errors
/// When there is no child to be had, its limits cannot be raised, or it is late or dies.
pub fn in_child_of_root(
    patience: Duration,
    work: impl FnOnce(BorrowedFd<'_>) -> Vec<u8>,
) -> io::Result<Vec<u8>> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    // SAFETY: su and sudo have one thread, so no lock is held by another that would be missing in
    // the child. The child never returns from here: it works, answers and ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // A panic must not unwind into a second host.
            let done = catch_unwind(AssertUnwindSafe(|| {
                be_clean()?;
                // Ends by itself, too: its parent may be stopped.
                alarm(u32::try_from(patience.as_secs()).unwrap_or(u32::MAX).saturating_add(1));
                let said = work(theirs.as_fd());
                theirs.write_all(&said)
            }));
            exit_now(i32::from(!matches!(done, Ok(Ok(())))))
        }
        pid => {
            drop(theirs);
            let child = Child::of(pid);
            let said = read_until(&mut ours, Instant::now() + patience);
            drop(child);
            match said {
                Ok(said) if said.is_empty() => {
                    let limit = too_low_for_child().map(|limit| format!(": {limit}"));
                    let why = limit.unwrap_or_default();
                    Err(io::Error::other(format!("a child died at work{why}")))
                }
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
            Ok(_) if said.len() > MOST_SAID => return Err(io::ErrorKind::OutOfMemory.into()),
            Ok(count) => said.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn reap(pid: libc::pid_t) {
    // SAFETY: takes numbers, and NULL for a status that nobody wants. ECHILD: the host ignores
    // SIGCHLD, or has a handler that took ours along.
    while unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

/// What the child does before it becomes the program, prepared so that it need not allocate.
struct Plan {
    program: *const c_char,
    arguments: [*const c_char; 2],
    environment: [*const c_char; 2],
    /// The input, and the place for the output.
    descriptors: [RawFd; 2],
    /// Why the program did not start.
    errno: AtomicI32,
}

impl Plan {
    /// Carries it out in a child that borrows our memory until it is the program, and meanwhile stops
    /// this thread: to copy the memory of a host, as fork does, costs more than all that is done here.
    fn start(&self) -> io::Result<libc::pid_t> {
        /// Bytes for the child, of which it needs a few hundred.
        const STACK: usize = 32 << 10;
        let mut stack = MaybeUninit::<[u128; STACK / size_of::<u128>()]>::uninit();
        let plan: *const Self = self;
        // SAFETY: the stack grows downwards, from the end of an array that, like the plan, lives until
        // the call returns, which is when the child has left this memory: by exec or by _exit. Other
        // threads of the host go on; the child makes only plain system calls, allocates nothing, and
        // takes no lock. No handler of the host can run in it: all signals are held, until the child
        // has given each its default action.
        unsafe {
            let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
            let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            let pid = libc::clone(
                carry_out,
                stack.as_mut_ptr().add(1).cast(),
                libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
                plan.cast_mut().cast(),
            );
            let error = io::Error::last_os_error();
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
            if pid == -1 { Err(error) } else { Ok(pid) }
        }
    }
}

extern "C" fn carry_out(plan: *mut c_void) -> c_int {
    // SAFETY: `start` gave a plan, which outlives this process's stay in its memory.
    let plan = unsafe { &*plan.cast::<Plan>() };
    // A host may have closed its standard descriptors, and then these have their numbers.
    let [line, null] = plan.descriptors.map(above_standard);
    let error = prepare(line, null).err().unwrap_or_else(|| {
        // SAFETY: the strings outlive the call, and NULL ends each of the two lists.
        unsafe {
            libc::execve(plan.program, plan.arguments.as_ptr(), plan.environment.as_ptr());
        }
        io::Error::last_os_error()
    });
    plan.errno.store(error.raw_os_error().unwrap_or(libc::EIO), Ordering::Relaxed);
    exit_now(127)
}

/// A duplicate above the standard descriptors, -1 where there is none to be had.
fn above_standard(fd: RawFd) -> RawFd {
    // SAFETY: takes numbers only.
    unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) }
}

fn prepare(line: RawFd, null: RawFd) -> io::Result<()> {
    // SAFETY: each call takes numbers or pointers to locals that live until it returns; all are on
    // the list of async-signal-safe functions or plain system calls.
    unsafe {
        for (from, to) in [(line, 0), (null, 1), (null, 2)] {
            // It answers with `to`, or with -1.
            check(libc::dup2(from, to).min(0))?;
        }
        check(libc::chdir(c"/".as_ptr()))?;
    }
    be_clean()
}

/// Makes a fresh child independent of whoever called the host.
fn be_clean() -> io::Result<()> {
    // SAFETY: as in `prepare`.
    unsafe {
        // Neither slower than others nor on one busy processor only, if the caller has it so.
        let normal = libc::sched_param { sched_priority: 0 };
        libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal);
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        let everywhere = [0xff_u8; 128];
        libc::sched_setaffinity(0, everywhere.len(), everywhere.as_ptr().cast());
        // A session of its own: ^C and ^Z at the terminal of su are not for us.
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
        if libc::geteuid() == 0 {
            // Not the functions of these names: they would have all threads of the host do it, too.
            check_long(libc::syscall(libc::SYS_setresgid, 0, 0, 0))?;
            check_long(libc::syscall(libc::SYS_setresuid, 0, 0, 0))?;
        }
    }
    lift_for_child()?;
    // Marked, not closed: a child that goes on in our own code still needs its line.
    close_from_3(libc::CLOSE_RANGE_CLOEXEC);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program says on its line, to which this is said.
    fn answer(program: &str, said: &str) -> io::Result<String> {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let child = Child::start(Path::new(program), c"ONLY=this", theirs.into())?;
        ours.write_all(said.as_bytes()).unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).unwrap();
        drop(child);
        Ok(answer)
    }

    #[test]
    fn the_line_is_the_input_and_the_environment_is_ours() {
        let asked = "exec >&0; echo $ONLY; pwd; umask; ls /proc/self/fd; exit\n";
        // The last descriptor is that of the folder which is listed.
        assert_eq!(answer("/bin/sh", asked).unwrap(), "this\n/\n0077\n0\n1\n2\n3\n");
    }

    #[test]
    fn what_does_not_start_says_why() {
        let errno = |program| answer(program, "").unwrap_err().raw_os_error();
        assert_eq!(errno("/nowhere"), Some(libc::ENOENT));
        assert_eq!(errno("/dev/null"), Some(libc::EACCES));
        assert_eq!(answer("a\0b", "").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
