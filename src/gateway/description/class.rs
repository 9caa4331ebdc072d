//! What an error means, and so what is done about it.

use serde::Deserialize;

/// What an error means, which decides whether another provider can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// This number takes no messages.
    Recipient,
    /// Its owner does not want any; no way round that.
    Optout,
    /// This text, or its sender, is not taken.
    Content,
    /// The keys are wrong.
    Auth,
    /// No money left.
    Credit,
    /// It does not send to this number, country or network, or not from this account: others may.
    Route,
    /// The account is not set up for this, whoever it goes to.
    Config,
    /// Too much at once.
    Throttle,
    /// The provider has trouble of its own.
    Transient,
    /// The answer is not understood.
    Unknown,
}

impl Class {
    /// What a status means where its code says nothing.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Auth,
            402 => Self::Credit,
            429 => Self::Throttle,
            500..=599 => Self::Transient,
            400..=499 => Self::Config,
            _ => Self::Unknown,
        }
    }

    /// The word for it in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Optout => "optout",
            Self::Content => "content",
            Self::Auth => "auth",
            Self::Credit => "credit",
            Self::Route => "route",
            Self::Config => "config",
            Self::Throttle => "throttle",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
        }
    }
}
