//! What the kernel tells of a running process: ids, limits, descriptors, memory.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use super::log::wait_until;
use super::machine::Machine;
use super::pam::Session;

/// Largest mapping that is read in one go; what a login needs is far smaller.
const LARGEST_MAPPING: u64 = 256 << 20;

/// A process as `/proc` shows it. All of it fails once the process has ended.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub i32);

impl Process {
    /// The PAM application of a login.
    pub fn of(session: &Session) -> Self {
        Self(i32::try_from(session.pid()).expect("a process id is a pid_t"))
    }

    /// The helper that runs in this machine, as soon as there is one.
    #[track_caller]
    pub fn helper(machine: &Machine) -> Self {
        wait_until("a helper", || {
            let all = machine.processes();
            // Between fork and exec it still carries the command line of its parent.
            let words = |line: &str| line.trim_end() == "/usr/libexec/pam-sms-helper";
            all.iter().find(|(_, line)| words(line)).map(|(pid, _)| Self(*pid))
        })
    }

    /// A row of `/proc/PID/status`, its blanks made one: `Uid` is `0 0 0 0`.
    #[track_caller]
    pub fn status(self, row: &str) -> String {
        let status = fs::read_to_string(self.path("status")).expect("a process that runs");
        let line = status.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(':'));
        let line = line.unwrap_or_else(|| panic!("no row {row} in\n{status}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether it still runs; a zombie does not.
    pub fn runs(self) -> bool {
        let status = fs::read_to_string(self.path("status")).unwrap_or_default();
        !status.is_empty() && !status.contains("\nState:\tZ")
    }

    /// Sends it a signal.
    #[allow(unsafe_code)]
    pub fn signal(self, signal: i32) {
        // SAFETY: kill takes no pointers. The process is a child of a child of ours, which is alive
        // and has not reaped it.
        assert_eq!(unsafe { libc::kill(self.0, signal) }, 0, "send a signal to {}", self.0);
    }

    /// The soft and the hard limit of a row of `/proc/PID/limits`.
    #[track_caller]
    pub fn limits(self, row: &str) -> Vec<String> {
        let limits = fs::read_to_string(self.path("limits")).expect("a process that runs");
        let line = limits.lines().find_map(|line| line.strip_prefix(row));
        let line = line.unwrap_or_else(|| panic!("no row {row} in\n{limits}"));
        line.split_whitespace().take(2).map(str::to_owned).collect()
    }

    /// Its environment as it was at its start, sorted.
    #[track_caller]
    pub fn environment(self) -> Vec<String> {
        let bytes = fs::read(self.path("environ")).expect("a process that runs");
        let words = bytes.split(|&byte| byte == 0).filter(|word| !word.is_empty());
        let mut words: Vec<_> = words.map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        words.sort();
        words
    }

    /// The numbers of the sockets that it holds, each of which is one of the kernel's.
    #[track_caller]
    pub fn sockets(self) -> Vec<String> {
        let folder = fs::read_dir(self.path("fd")).expect("a process that runs");
        let targets = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        let names = targets.map(|target| target.to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("socket:")).collect()
    }

    /// What its descriptors lead to, by number; sockets and the like without their own numbers.
    #[track_caller]
    pub fn descriptors(self) -> Vec<(i32, String)> {
        let folder = fs::read_dir(self.path("fd")).expect("a process that runs");
        let mut all: Vec<_> = folder
            .flatten()
            .filter_map(|entry| {
                let number = entry.file_name().to_str()?.parse().ok()?;
                let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
                // `socket:[4026]` is one of many, `anon_inode:[eventpoll]` is a kind.
                let kind = target.trim_end_matches(|c: char| c.is_ascii_digit() || c == ']');
                let kind = kind.strip_suffix(":[").map_or(target.clone(), str::to_owned);
                Some((number, kind))
            })
            .collect();
        all.sort();
        all
    }

    /// Where it stands.
    #[track_caller]
    pub fn folder(self) -> PathBuf {
        fs::read_link(self.path("cwd")).expect("a process that runs")
    }

    /// Who owns its entry in `/proc`: root, whatever its own ids, when it may not be dumped.
    #[track_caller]
    pub fn owner(self) -> u32 {
        fs::metadata(self.path("environ")).expect("a process that runs").uid()
    }

    /// Which of `needles` stand anywhere in the memory that it can write to: stacks, heaps, freed
    /// memory, the data of its libraries.
    #[track_caller]
    pub fn memory_holds(self, needles: &[&str]) -> Vec<bool> {
        let maps = fs::read_to_string(self.path("maps")).expect("a process that runs");
        let memory = File::open(self.path("mem")).expect("root may read a child's memory");
        let mut held = vec![false; needles.len()];
        let mut bytes_read = 0;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let number = |text: &str| u64::from_str_radix(text, 16).ok();
            let Some((start, end)) =
                range.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?)))
            else {
                continue;
            };
            if !rights.starts_with("rw") || end - start > LARGEST_MAPPING {
                continue;
            }
            let mut bytes = vec![0; (end - start) as usize];
            memory.read_exact_at(&mut bytes, start).unwrap_or_else(|e| panic!("{line}: {e}"));
            bytes_read += bytes.len();
            for (needle, held) in needles.iter().zip(&mut held) {
                *held |= holds(&bytes, needle.as_bytes());
            }
        }
        assert!(bytes_read > 100_000, "no memory was read");
        held
    }

    fn path(self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.0).into()
    }
}

/// Whether `part` stands in `bytes`.
pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    let (&first, rest) = part.split_first().expect("something to look for");
    let mut from = bytes;
    // Looking for one byte first is what keeps this bearable in a debug build.
    while let Some(at) = from.iter().position(|&byte| byte == first) {
        from = &from[at + 1..];
        if from.starts_with(rest) {
            return true;
        }
    }
    false
}
