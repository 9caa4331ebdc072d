//! How a login ended. What libpam is told of it stands in one table, `pam::verdict`.

/// How one login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The right code came in time.
    Accepted,
    /// A backup code was burnt.
    BackupCode,
    /// A code was accepted from here not long ago.
    Remembered,
    /// This service is not one of `services=`, or the policy spares this person.
    Skipped,
    /// A rehearsal: nobody is asked before the day that `observe_until` names.
    Observed,
    /// No number is stored and `unenrolled = "skip"`.
    UnenrolledSkipped,
    /// No number is stored, and none may be given here.
    UnenrolledDenied,
    /// Wrong, expired or given up; or the host does not want this person in.
    Rejected,
    /// The number takes no messages, or must not.
    Refused,
    /// As many wrong codes as one login may have.
    TooManyTries,
    /// As many wrong codes as the account may have.
    Locked,
    /// As many messages as may be sent.
    Throttled,
    /// No message could be sent, or no provider could say whether the code is right that it made.
    Undeliverable,
    /// No provider could be reached, and `if_unreachable = "allow"`.
    LetInUnreached,
    /// The conversation failed, is missing, or cannot carry a code.
    NoConversation,
    /// Configuration, users, state, helper or operating system are unusable.
    Unusable,
    /// Our own code panicked.
    Panicked,
}
