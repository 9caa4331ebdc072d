//! Namespaces: how a thread leaves the host and comes back, and the system calls for it.

#![allow(unsafe_code)]

use std::ffi::{CString, c_int, c_ulong};
use std::fs::{self, File};
use std::marker::PhantomData;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, io, process, ptr, thread};

use super::super::log::PATIENCE;

/// The namespaces a machine has of its own, as `/proc` calls them.
const NAMESPACES: [(&str, c_int); 3] =
    [("mnt", libc::CLONE_NEWNS), ("net", libc::CLONE_NEWNET), ("uts", libc::CLONE_NEWUTS)];

/// The way back to the namespaces this thread came from.
///
/// It is taken when dropped, for `--test-threads=1`: then libtest runs all tests on one thread,
/// and the next machine must not be built inside this one.
pub struct Home {
    doors: Vec<(File, c_int)>,
    folder: PathBuf,
    /// The mount namespace of the machine, which tells its inhabitants from everyone else.
    machine: PathBuf,
    /// Belongs to the thread that left.
    _not_send: PhantomData<*const ()>,
}

impl Home {
    /// Takes this thread out of the host's namespaces.
    pub fn leave() -> Self {
        let doors = NAMESPACES.map(|(name, kind)| {
            let door = File::open(format!("/proc/thread-self/ns/{name}"));
            (door.expect("open a namespace of this thread"), kind)
        });
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
            // Under nohup, or behind a shell's `&`, they are ignored, and so they would be in all that
            // a test starts.
            // SAFETY: takes numbers; the default action needs no code of ours, and what is no
            // SIG_IGN is put back as it was found.
            unsafe {
                let before = libc::signal(signal, libc::SIG_DFL);
                if before != libc::SIG_IGN && before != libc::SIG_ERR {
                    libc::signal(signal, before);
                }
            }
        }
        let folder = env::current_dir().expect("a current folder");
        let host = mounts_of("thread-self").expect("this thread's mount namespace");
        let kinds = NAMESPACES.iter().fold(libc::CLONE_FS, |kinds, (_, kind)| kinds | kind);
        // SAFETY: unshare takes no pointers; it changes nothing but what this thread sees.
        let left = unsafe { libc::unshare(kinds) };
        check("leave the host's namespaces (needs root)", left);
        let machine = mounts_of("thread-self").expect("this thread's mount namespace");
        assert_ne!(machine, host, "still on the host");
        Self { doors: doors.into(), folder, machine, _not_send: PhantomData }
    }

    /// The processes that live in the machine. The test process counts as the host's, even when
    /// its main thread is the one that lives here.
    pub fn inhabitants(&self) -> Vec<i32> {
        let everyone = fs::read_dir("/proc").expect("read /proc").flatten();
        let pids = everyone.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let me = i32::try_from(process::id()).expect("a process id is a pid_t");
        pids.filter(|&pid: &i32| {
            // Who is gone or a zombie has no namespace any more.
            pid != me && mounts_of(&pid.to_string()).is_some_and(|mounts| mounts == self.machine)
        })
        .collect()
    }

    /// Kills all that runs in the machine, sessions of sshd that have left its process group
    /// included, and waits until nothing is left.
    pub fn end_all(&self) {
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            let alive = self.inhabitants();
            if alive.is_empty() || Instant::now() > patience_ends {
                return;
            }
            for pid in alive {
                // SAFETY: kill takes no pointers. The process is in a namespace that only our
                // descendants can be in.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
            // They are nobody's to wait for: init reaps them.
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A thread that shares its root folder with others may not change namespaces.
        // SAFETY: unshare takes no pointers.
        unsafe { libc::unshare(libc::CLONE_FS) };
        for (door, kind) in &self.doors {
            // SAFETY: setns takes no pointers, and the descriptor is open as long as `self` is.
            unsafe { libc::setns(door.as_raw_fd(), *kind) };
        }
        let _ = env::set_current_dir(&self.folder);
    }
}

/// Mounts, with `options` as mount(8) takes them after `-o`.
#[track_caller]
pub fn mount(source: &str, target: &str, kind: &str, flags: c_ulong, options: &str) {
    let what = format!("mount {source} at {target}");
    let [source, target, kind, options] = [source, target, kind, options].map(c_string);
    let data = if options.is_empty() { ptr::null() } else { options.as_ptr() };
    // SAFETY: all strings end in NUL and live until mount returns; it copies what it keeps.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.cast()) };
    check(&what, result);
}

/// Makes a character device that everyone may use.
#[track_caller]
pub fn device(path: &str, major: u32, minor: u32) {
    let name = c_string(path);
    // SAFETY: the strings end in NUL and live until the calls return.
    let result = unsafe {
        let made = libc::mknod(name.as_ptr(), libc::S_IFCHR, libc::makedev(major, minor));
        // mknod's mode is cut by the umask.
        if made == 0 { libc::chmod(name.as_ptr(), 0o666) } else { made }
    };
    check(path, result);
}

/// Gives the machine a host name.
pub fn name_the_host(name: &str) {
    // SAFETY: the pointer and the length are those of one string, which sethostname copies.
    let result = unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) };
    check("set the host name", result);
}

/// Which mount namespace a process (or `thread-self`) is in.
fn mounts_of(process: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/ns/mnt")).ok()
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("no NUL in a path")
}

#[track_caller]
fn check(what: &str, result: c_int) {
    assert_eq!(result, 0, "{what}: {}", io::Error::last_os_error());
}
