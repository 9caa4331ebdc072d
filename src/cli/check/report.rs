//! What was found, and how it is told.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use super::catalogue::{self, Entry};
use crate::config::source::ConfigError;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody will not get in, or somebody will who must not.
    Error,
    /// It works, and is probably not what was meant.
    Warning,
    /// Good to know, and nothing to mend.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name in `docs/check.md`; it never changes.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file and line, or what else it is about.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// What to type.
    pub change: String,
}

/// All findings, in the order in which they were looked for.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds a finding. The same one twice, as through a file that several services include, is one.
    pub fn add(
        &mut self,
        entry: &'static Entry,
        place: impl Display,
        what: impl Into<String>,
        change: impl Into<String>,
    ) {
        let finding = Finding {
            id: entry.id,
            severity: entry.severity,
            place: place.to_string(),
            what: what.into(),
            why: entry.why,
            change: change.into(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Adds what a file's reader says in one line: where, what, and what to do.
    pub fn told(&mut self, entry: &'static Entry, said: &str) {
        let (said, change) = match said.rsplit_once(": ") {
            Some((said, change)) if is_change(change) => (said, change),
            _ => (said, "correct it; docs/example-config.toml explains every key"),
        };
        let (place, what) = match said.split_once(": ") {
            Some((place, what)) if place.starts_with('/') => (place, what),
            _ => ("", said),
        };
        self.add(entry, place, what, change);
    }

    /// The value, or its error reported.
    pub fn note<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.told(&catalogue::CONFIGURATION, &error.to_string())).ok()
    }

    /// How many findings are as bad as that.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The worst first, else in the order in which they were found.
    pub fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.severity);
    }

    /// One block for each finding, and a line that counts them.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for Finding { id, severity, place, what, why, change } in &self.findings {
            let colon = if place.is_empty() { "" } else { ": " };
            writeln!(out, "{}: {place}{colon}{what} [{id}]", severity.word())?;
            writeln!(out, "  why: {why}")?;
            if !change.is_empty() {
                writeln!(out, "  do:  {change}")?;
            }
        }
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        writeln!(out, "{errors} errors, {warnings} warnings")
    }

    /// The same for scripts.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let report = serde_json::json!({
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "findings": self.findings,
        });
        writeln!(out, "{report:#}")
    }
}

/// Whether this is an order, as the readers of files end their sentences with.
fn is_change(words: &str) -> bool {
    const ORDERS: [&str; 13] = [
        "run ",
        "write ",
        "name ",
        "create ",
        "correct ",
        "give ",
        "put ",
        "shorten ",
        "save ",
        "use ",
        "take ",
        "install ",
        "did you mean",
    ];
    ORDERS.iter().any(|order| words.starts_with(order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_says_is_taken_apart() {
        let mut report = Report::default();
        let entry = &catalogue::CONFIGURATION;
        report.told(entry, "/etc/x: can be read by others (mode 0644): run `chmod 600 /etc/x`");
        report.told(entry, "/etc/x:4:9: `timeout`: must be from 1s to 1m");
        report.told(entry, "nobody has a number: neither exists; write a line");
        let parts = report.findings.iter().map(|f| (f.place.as_str(), f.what.as_str()));
        assert_eq!(
            parts.collect::<Vec<_>>(),
            [
                ("/etc/x", "can be read by others (mode 0644)"),
                ("/etc/x:4:9", "`timeout`: must be from 1s to 1m"),
                ("", "nobody has a number: neither exists; write a line"),
            ]
        );
        assert_eq!(report.findings[0].change, "run `chmod 600 /etc/x`");
    }
}
