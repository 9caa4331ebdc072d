//! What libpam is told: the one table of return codes.

use pamsm::PamError;

use crate::login::Verdict;

/// The PAM return code of a verdict. An error is never `IGNORE`, and `SUCCESS` has one row.
#[must_use]
pub fn code(verdict: Verdict) -> PamError {
    match verdict {
        Verdict::Accepted => PamError::SUCCESS,
        Verdict::Skipped | Verdict::UnenrolledSkipped | Verdict::LetInUnreached => PamError::IGNORE,
        Verdict::Rejected | Verdict::Refused | Verdict::UnenrolledDenied => PamError::AUTH_ERR,
        Verdict::TooManyTries => PamError::MAXTRIES,
        Verdict::Undeliverable => PamError::AUTHINFO_UNAVAIL,
        Verdict::NoConversation => PamError::CONV_ERR,
        Verdict::Unusable => PamError::SERVICE_ERR,
        Verdict::Panicked => PamError::ABORT,
    }
}
