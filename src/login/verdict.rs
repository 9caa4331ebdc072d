//! How a login ended. What libpam is told of it stands in one table, `pam::verdict`.

/// How one login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The right code came in time.
    Accepted,
    /// This service is not one of `services=`.
    Skipped,
    /// No number is stored and `unenrolled = "skip"`.
    UnenrolledSkipped,
    /// No number is stored and `unenrolled = "deny"`.
    UnenrolledDenied,
    /// Wrong, expired or given up; or the host does not want this person in.
    Rejected,
    /// The number takes no messages.
    Refused,
    /// As many wrong codes as one login may have.
    TooManyTries,
    /// No message could be sent.
    Undeliverable,
    /// No provider could be reached, and `if_unreachable = "allow"`.
    LetInUnreached,
    /// The conversation failed, is missing, or cannot carry a code.
    NoConversation,
    /// Configuration, users, helper or operating system are unusable.
    Unusable,
    /// Our own code panicked.
    Panicked,
}
