//! What may be sent and tried, across logins, processes and reconnections.
//!
//! ```text
//! window.rs   "5/10m": when the next one fits
//! record.rs   what one state file holds
//! backup.rs   codes for a person whose phone is dead
//! child.rs    where they are kept, when the process is its caller's
//! shelf.rs    a folder of this host's, or a store that hosts share
//! files.rs    which file there holds what
//! ledger.rs   the books of one account: every decision, each under its lock
//! both.rs     what a login asks: of the fleet's books, then of this host's
//! fleet.rs    the same decision of a store that hosts share, asked of the helper
//! redis.rs    that store, at the helper's end
//! standing.rs the same for the admin: how it stands, unlock, new backup codes
//! destinations.rs  where messages may go at all
//! ```
//!
//! A message is reserved before it is sent and a try is counted before it is compared, each under the
//! lock of its file, so that parallel logins share what there is. No two locks are ever held at once;
//! what one file granted is given back if the next one refuses; so there is no order of locks to keep,
//! and the account's own file comes first, since most refusals are its own. Counters of this boot stand in
//! `/run/pam-sms`, which a full disk does not touch; what must outlast it in `/var/lib/pam-sms`.

pub mod backup;
pub mod record;
pub mod window;

mod both;
pub mod child;
mod destinations;
mod files;
pub mod fleet;
mod ledger;
#[cfg(feature = "redis")]
pub mod redis;
pub mod shelf;
#[cfg(feature = "program")]
mod standing;

use std::fmt;
use std::time::Duration;

pub use ledger::{BOOT_ID, Ledger};
#[cfg(feature = "program")]
pub use standing::Standing;
use window::Moment;

/// What stands between a person and a code by SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barrier {
    /// As many messages as may be sent.
    Sends {
        /// Another may be sent after this time.
        wait: Duration,
        /// By which limit.
        limit: SendLimit,
    },
    /// Too many wrong codes; another may be tried after this time.
    Locked(Duration),
    /// Too many wrong codes since the account was last known to be in good hands.
    Closed,
    /// Another process holds the lock and does not give it back.
    Busy(String),
    /// The store that hosts share gives no answer; why, for the admin.
    OutOfReach(String),
    /// The state cannot be used; what to do about it, for the admin.
    Unusable(String),
}

/// The limits of messages, by the names that the configuration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendLimit {
    /// `sends_per_user`
    User,
    /// `sends_per_user_day`
    Day,
    /// `requests_per_user`
    Requests,
    /// `sends_per_number`
    Number,
    /// `sends_per_host`
    Host,
}

impl SendLimit {
    const ALL: [Self; 5] = [Self::User, Self::Day, Self::Requests, Self::Number, Self::Host];

    /// The name that the configuration uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "sends_per_user",
            Self::Day => "sends_per_user_day",
            Self::Requests => "requests_per_user",
            Self::Number => "sends_per_number",
            Self::Host => "sends_per_host",
        }
    }
}

/// One message that was reserved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reservation {
    at: Moment,
    /// When it was in the store that hosts share, where that has it.
    shared: Option<Moment>,
    /// Whether the machine's own counter was busy, and does not have it.
    pub host_was_busy: bool,
}

/// Why a reservation is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// No provider took the message; its request counts.
    NotSent,
    /// No provider was asked to: there was no request either.
    NotAsked,
    /// Its code was typed: it was no spam. The long window keeps it.
    Verified,
}

/// One try that was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Try {
    at: Moment,
    /// When it was in the store that hosts share, where that has it.
    shared: Option<Moment>,
    /// How long the account is locked if this try was wrong; zero if it is not.
    pub locks: Duration,
}

/// What is done about the account only once the whole login has succeeded.
///
/// The code alone proves too little: where the password's line is `required`, a wrong password gets
/// as far as the prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// Wrong tries of this login, which were its owner's typing errors.
    pub tries: Vec<Try>,
    /// Whether a backup code has shown that the account is in good hands.
    pub reopen: bool,
    /// The login to remember.
    pub remember: Option<(Visit, Duration)>,
}

/// Whence somebody logs in to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The PAM service.
    pub service: String,
    /// The client's address.
    pub address: std::net::IpAddr,
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sends { wait, limit } => {
                let host = if *limit == SendLimit::Host { " --host" } else { "" };
                let (name, wait) = (limit.name(), in_words(*wait));
                write!(f, "[limits] {name} is reached, for {wait}; `pam-sms unlock{host}` frees it")
            }
            Self::Locked(wait) => write!(f, "wrong codes, locked for {}", in_words(*wait)),
            Self::Closed => f.write_str("wrong codes, closed until `pam-sms unlock`"),
            Self::OutOfReach(reason) => {
                write!(f, "the store of the limits is out of reach: {reason}")
            }
            Self::Busy(reason) | Self::Unusable(reason) => f.write_str(reason),
        }
    }
}

/// What a time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Second,
    Minute,
    Hour,
}

/// A time in the unit that people would take, rounded up.
#[must_use]
pub fn rounded(span: Duration) -> (u64, Unit) {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    match seconds {
        0..=90 => (seconds, Unit::Second),
        91..=5400 => (seconds.div_ceil(60), Unit::Minute),
        _ => (seconds.div_ceil(3600), Unit::Hour),
    }
}

/// A time as admins read it: `30 seconds`, `15 minutes`, `3 hours`.
#[must_use]
pub fn in_words(span: Duration) -> String {
    let (count, unit) = rounded(span);
    let unit = match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests;
