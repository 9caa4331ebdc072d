//! What libpam is told: the one table of return codes.

use pamsm::PamError;

use crate::login::Verdict;

/// The PAM return code of a verdict. An error is never `IGNORE`, and `SUCCESS` needs a code.
#[must_use]
pub fn code(verdict: Verdict) -> PamError {
    match verdict {
        Verdict::Accepted | Verdict::BackupCode | Verdict::Remembered => PamError::SUCCESS,
        Verdict::Skipped
        | Verdict::Observed
        | Verdict::UnenrolledSkipped
        | Verdict::LetInUnreached => PamError::IGNORE,
        Verdict::Rejected | Verdict::Refused | Verdict::UnenrolledDenied => PamError::AUTH_ERR,
        Verdict::TooManyTries | Verdict::Locked | Verdict::Throttled => PamError::MAXTRIES,
        Verdict::Undeliverable => PamError::AUTHINFO_UNAVAIL,
        Verdict::NoConversation => PamError::CONV_ERR,
        Verdict::Unusable => PamError::SERVICE_ERR,
        Verdict::Panicked => PamError::ABORT,
    }
}
