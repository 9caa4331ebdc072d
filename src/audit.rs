//! The log: one line for each outcome, in a form that people can read and programs can rely on.
//!
//! ```text
//! pam_sms(sshd:auth): event=accepted rhost=203.0.113.9 to=*23 via=twilio ref=KQ tries=1 user=alice
//! ```
//!
//! Lines are logfmt. Whatever holds more than harmless characters is quoted, and what the client
//! chose comes last, so that a user called `x rhost=10.0.0.1` cannot forge a field. A code, a key or
//! a whole number never gets here. The log is written to through a datagram socket of our own with
//! a short time limit: a log that is full or gone delays nobody and changes no verdict.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use syslog::{Facility, LogFormat, Logger, Severity};

use crate::login::ports::{Event, Journal};
use crate::sys;

/// Where syslog listens.
const SOCKET: &str = "/dev/log";
/// How long one line may wait for a log that is full.
const PATIENCE: Duration = Duration::from_millis(200);
/// And how long once `PATIENCE` was in vain for as many lines as this: a login with many wrong codes
/// writes many lines, and must not wait for all of them.
const LITTLE_PATIENCE: Duration = Duration::from_millis(1);
const LOST_LINES: u8 = 4;
/// Longest value in one line, in characters.
const LONGEST: usize = 600;

/// The log of one login.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// The PAM service that asks.
    pub service: String,
    /// Where the client is, as the host program says.
    pub rhost: Option<String>,
    /// Who logs in, once that is known.
    pub user: Option<String>,
    /// Whether lines for debugging are wanted.
    pub debug: bool,
    /// How many lines could not be written.
    pub(crate) lost: Cell<u8>,
}

impl Audit {
    /// A line that is only wanted with the argument `debug`.
    pub fn debug(&self, what: &str) {
        if self.debug {
            self.write(Severity::LOG_DEBUG, "debug", &[("what", what)]);
        }
    }

    fn write(&self, severity: Severity, event: &str, fields: &[(&str, &str)]) {
        let line = self.line(event, fields);
        let lost = self.lost.get();
        let patience = if lost < LOST_LINES { PATIENCE } else { LITTLE_PATIENCE };
        // A log that cannot be written to changes no verdict.
        if send(severity, &line, patience).is_err() {
            self.lost.set(lost.saturating_add(1));
        }
    }

    fn line(&self, event: &str, fields: &[(&str, &str)]) -> String {
        let mut line = format!("pam_sms({}:auth): event={event}", Value(&self.service));
        let rhost = self.rhost.as_deref().map(|rhost| ("rhost", rhost));
        let user = self.user.as_deref().map(|user| ("user", user));
        for (name, value) in rhost.into_iter().chain(fields.iter().copied()).chain(user) {
            // Writing to a String cannot fail.
            let _ = write!(line, " {name}={}", Value(value));
        }
        line
    }
}

impl Journal for Audit {
    fn record(&mut self, event: Event, fields: &[(&str, &str)]) {
        let (severity, name) = match event {
            Event::Sent => (Severity::LOG_INFO, "sent"),
            Event::Resent => (Severity::LOG_INFO, "resent"),
            Event::Uncertain => (Severity::LOG_WARNING, "uncertain"),
            Event::Undeliverable => (Severity::LOG_WARNING, "undeliverable"),
            Event::Accepted => (Severity::LOG_INFO, "accepted"),
            Event::Rejected => (Severity::LOG_NOTICE, "rejected"),
            Event::Expired => (Severity::LOG_NOTICE, "expired"),
            Event::Throttled => (Severity::LOG_NOTICE, "throttled"),
            Event::Locked => (Severity::LOG_WARNING, "locked"),
            Event::BackupCode => (Severity::LOG_NOTICE, "backup-code"),
            Event::Enrolled => (Severity::LOG_NOTICE, "enrolled"),
            Event::Remembered => (Severity::LOG_INFO, "remembered"),
            Event::Observed => (Severity::LOG_INFO, "observed"),
            Event::FailOpen => (Severity::LOG_WARNING, "failopen"),
            Event::Skipped => (Severity::LOG_INFO, "skipped"),
            Event::Unenrolled => (Severity::LOG_NOTICE, "unenrolled"),
            Event::Warning => (Severity::LOG_WARNING, "warning"),
            Event::Error => (Severity::LOG_ERR, "error"),
        };
        self.write(severity, name, fields);
    }
}

fn send(severity: Severity, line: &str, patience: Duration) -> syslog::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(patience))?;
    socket.connect(SOCKET)?;
    let mut logger = Logger::new(Datagram(socket), Tagged);
    match severity {
        Severity::LOG_ERR => logger.err(line),
        Severity::LOG_WARNING => logger.warning(line),
        Severity::LOG_NOTICE => logger.notice(line),
        Severity::LOG_DEBUG => logger.debug(line),
        _ => logger.info(line),
    }
}

/// The traditional local form, `<priority>time tag[pid]: text`, in local time: the crate's own
/// formatter stamps UTC, which local syslog daemons take for local time.
struct Tagged;

impl<T: fmt::Display> LogFormat<T> for Tagged {
    fn format<W: Write>(&self, w: &mut W, severity: Severity, message: T) -> syslog::Result<()> {
        let priority = Facility::LOG_AUTHPRIV as u32 | severity as u32;
        let (time, tag) = (sys::syslog_time(), sys::program_name());
        // In one write, because one write is one datagram.
        let line = format!("<{priority}>{time} {tag}[{}]: {message}", std::process::id());
        w.write_all(line.as_bytes()).map_err(syslog::Error::Write)
    }
}

struct Datagram(UnixDatagram);

impl Write for Datagram {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as logfmt writes it: bare where it is harmless, else quoted and escaped.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b"_.:@+*-".contains(&b);
        if !self.0.is_empty() && self.0.len() <= LONGEST && self.0.bytes().all(harmless) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars().take(LONGEST) {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() => f.write_char(c)?,
                // Control characters, direction marks and the like.
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        if self.0.chars().nth(LONGEST).is_some() {
            f.write_str("...")?;
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(user: &str, fields: &[(&str, &str)]) -> String {
        let audit = Audit {
            service: "sshd".to_owned(),
            rhost: Some("203.0.113.9".to_owned()),
            user: Some(user.to_owned()),
            ..Audit::default()
        };
        audit.line("accepted", fields)
    }

    #[test]
    fn a_line_is_logfmt_with_the_clients_choice_last() {
        assert_eq!(
            line("alice", &[("to", "*23"), ("via", "twilio"), ("ref", "KQ"), ("tries", "1")]),
            "pam_sms(sshd:auth): event=accepted rhost=203.0.113.9 to=*23 via=twilio ref=KQ \
             tries=1 user=alice"
        );
    }

    #[test]
    fn no_name_forges_a_field_or_a_line() {
        let said = line("x rhost=10.0.0.1", &[]);
        assert!(said.ends_with(" user=\"x rhost=10.0.0.1\""), "{said}");
        let said = line("x\nNov 24 sshd: event=accepted \"\\\u{1b}[2J\u{202e}", &[]);
        assert!(
            said.ends_with(
                " user=\"x\\u{a}Nov 24 sshd: event=accepted \\\"\\\\\\u{1b}[2J\\u{202e}\""
            ),
            "{said}"
        );
        assert!(line("", &[]).ends_with(" user=\"\""));
    }

    #[test]
    fn a_line_has_an_end() {
        let said = line(&"a".repeat(100_000), &[]);
        assert!(said.len() < LONGEST + 200, "{} bytes", said.len());
    }

    #[test]
    fn the_priority_is_authpriv() {
        let mut out = Vec::new();
        Tagged.format(&mut out, Severity::LOG_NOTICE, "text").unwrap();
        let out = String::from_utf8(out).unwrap();
        // LOG_AUTHPRIV is facility 10, LOG_NOTICE severity 5.
        assert!(out.starts_with("<85>"), "{out}");
        assert!(out.ends_with("]: text"), "{out}");
    }
}
