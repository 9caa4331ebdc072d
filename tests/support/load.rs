//! What many logins at once take from the machine, in figures.

use std::fmt;
use std::fs;
use std::time::Duration;

use super::machine::Machine;

/// Times in order, to be told as percentiles.
pub struct Times(Vec<Duration>);

impl Times {
    /// Of at least one.
    pub fn new(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        assert!(!times.is_empty(), "nothing was timed");
        times.sort();
        Self(times)
    }

    /// What so many of a hundred do not exceed.
    pub fn percentile(&self, of: usize) -> Duration {
        let rank = (self.0.len() * of).div_ceil(100);
        self.0[rank.saturating_sub(1)]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99, max] =
            [50, 95, 99, 100].map(|of| self.percentile(of).as_secs_f64() * 1e3);
        write!(f, "p50 {p50:.1}, p95 {p95:.1}, p99 {p99:.1}, max {max:.1} ms")
    }
}

/// What processes have at one moment.
#[derive(Debug, Default, Clone, Copy)]
pub struct Crowd {
    /// How many there are.
    pub processes: usize,
    /// How many of them are helpers.
    pub helpers: usize,
    /// Descriptors of all together.
    pub descriptors: usize,
    /// Threads of all together.
    pub threads: usize,
    /// Kilobytes that are nobody else's, all together.
    pub private: usize,
}

impl Crowd {
    /// All that runs in the machine.
    pub fn of(machine: &Machine) -> Self {
        let mut crowd = Self::default();
        for (pid, words) in machine.processes() {
            // Who ends while being looked at counts for nothing.
            let entries =
                |name| fs::read_dir(format!("/proc/{pid}/{name}")).map_or(0, Iterator::count);
            crowd.processes += 1;
            crowd.helpers += usize::from(words.starts_with("/usr/libexec/pam-sms-helper"));
            crowd.descriptors += entries("fd");
            crowd.threads += entries("task");
            crowd.private += private(pid);
        }
        crowd
    }

    /// The larger figures of both.
    pub fn or_more(self, other: Self) -> Self {
        Self {
            processes: self.processes.max(other.processes),
            helpers: self.helpers.max(other.helpers),
            descriptors: self.descriptors.max(other.descriptors),
            threads: self.threads.max(other.threads),
            private: self.private.max(other.private),
        }
    }
}

/// Kilobytes of a process that are nobody else's.
pub fn private(pid: i32) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let rows = rollup.lines().filter(|row| row.starts_with("Private_"));
    rows.filter_map(|row| row.split_whitespace().nth(1)?.parse::<usize>().ok()).sum()
}
