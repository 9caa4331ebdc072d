//! What became of a message: the one word that the gateways, the helper and the login share.

/// The fate of one message after every provider that could take it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A provider took it.
    Accepted,
    /// A request went out and nobody knows whether it was taken: the code may arrive.
    Uncertain,
    /// This number takes no messages (not a number, or its owner opted out); no provider will help.
    Refused,
    /// Every provider was tried and at least one of them could be reached.
    Failed,
    /// Every provider was out of reach: could not be connected to, had no address, or answered 5xx.
    /// The only fate that `if_unreachable = "allow"` is about.
    OutOfReach,
    /// The helper found the configuration of a provider unusable.
    Misconfigured,
    /// The helper is missing or cannot be started: surely nothing was sent.
    NotStarted,
    /// The helper died, was late or talked nonsense: the message may be on its way.
    HelperBroken,
}

/// The fate of a message and what to say of it in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub fate: Fate,
    /// The name of the provider that took, or may have taken it; empty where none did.
    pub via: String,
    /// For the admin: which provider answered what. Holds no key, code or whole number.
    pub detail: String,
    /// Whether the provider made the code itself, so that only it can say which one is right.
    pub judges: bool,
}

/// What a provider says of a code that was typed, where it made the code itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It is the one.
    Right,
    /// It is not.
    Wrong,
    /// There is none to compare with any more: it has expired, or was used.
    Gone,
    /// It was tried too often: no other one can be had before its time is over.
    Spent,
    /// Nobody could say.
    Unknown,
    /// Nobody was asked: it never left this machine.
    Unasked,
}

/// A finding and what to say of it in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the code is right.
    pub finding: Finding,
    /// For the admin: the provider's words. Holds no key, code or whole number.
    pub detail: String,
}

impl Judgement {
    /// A code that nobody could judge.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self { finding: Finding::Unknown, detail: detail.into() }
    }

    /// A code that nobody was asked about.
    pub fn unasked(detail: impl Into<String>) -> Self {
        Self { finding: Finding::Unasked, detail: detail.into() }
    }
}

impl Outcome {
    /// An outcome in which no provider took the message.
    pub fn without_provider(fate: Fate, detail: impl Into<String>) -> Self {
        Self { fate, via: String::new(), detail: detail.into(), judges: false }
    }
}
