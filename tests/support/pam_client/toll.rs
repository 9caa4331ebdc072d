//! What logins take, and what they leave behind.

use std::ffi::c_int;
use std::time::Duration;
use std::{fs, process};

/// What of the processor was used so far.
pub fn used(by: c_int) -> Duration {
    // SAFETY: all-zero numbers are a valid rusage, which the kernel fills.
    let used = unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        libc::getrusage(by, &raw mut used);
        used
    };
    let micros = |time: libc::timeval| {
        Duration::from_micros(u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0))
    };
    micros(used.ru_utime) + micros(used.ru_stime)
}

/// What a login may leave behind.
pub struct Left {
    pub fds: isize,
    pub threads: isize,
    pub children: isize,
    /// The soft limit of open files, which the module may have lifted.
    pub limit: isize,
}

impl Left {
    pub fn count() -> Self {
        // Counts that are to be subtracted.
        let signed = |count| isize::try_from(count).unwrap_or(isize::MAX);
        let entries = |folder| signed(fs::read_dir(folder).map_or(0, Iterator::count));
        let parent = format!("\nPPid:\t{}\n", process::id());
        // Zombies included.
        let is_child = |folder: &fs::DirEntry| {
            fs::read_to_string(folder.path().join("status"))
                .is_ok_and(|status| status.contains(&parent))
        };
        let everyone = fs::read_dir("/proc").into_iter().flatten().flatten();
        Self {
            fds: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            children: signed(everyone.filter(is_child).count()),
            limit: open_files(),
        }
    }
}

fn open_files() -> isize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid structure for the kernel to write to.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    isize::try_from(limit.rlim_cur).unwrap_or(isize::MAX)
}

/// What [`memory`] counts.
pub const MEMORY: [&str; 3] = ["memory", "mappings", "allocated"];

/// Kilobytes of memory that are this process's alone, how many mappings it has, and how many bytes of its
/// heaps are somebody's. What it has read of a library's file is shared, or would be if another had it open.
pub fn memory() -> [usize; 3] {
    // SAFETY: one takes a number, the other nothing; both lock what they look at.
    let heaps = unsafe {
        // What was given back and is kept for later is no loss.
        libc::malloc_trim(0);
        libc::mallinfo2()
    };
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let row = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let dirty = row.and_then(|row| row.split_whitespace().next()?.parse().ok());
    let mappings = fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
    [dirty.unwrap_or(usize::MAX), mappings, heaps.uordblks + heaps.hblkhd]
}

/// How many mappings are of our module: none once libpam has unloaded it.
pub fn of_our_module() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter(|line| line.ends_with("/pam_sms.so")).count()
}
