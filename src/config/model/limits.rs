//! `[limits]`, of which the module reads about a store that hosts share only that there is one, and what
//! happens if it is out of reach.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::{Span, Whole};
use crate::limits::window::Limit;
use crate::people::{Prefix, Special};

/// `[limits]`: how much is sent and how often a code may be guessed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// Messages to one account; a verified login gives its own back.
    pub sends_per_user: Limit<5, 600>,
    /// Messages to one number, which several accounts may share.
    pub sends_per_number: Limit<5, 600>,
    /// Messages of this machine.
    pub sends_per_host: Limit<300, 3600>,
    /// Messages to one account in 24 hours, verified or not.
    pub sends_per_user_day: Whole<1, 250, 20>,
    /// Requests to providers for one account, whatever became of them.
    pub requests_per_user: Limit<30, 3600>,
    /// Wrong codes of one account; then it is locked.
    pub failures_per_user: Limit<10, 3600>,
    /// How long it is locked at least.
    pub lockout: Span<60, 86400, 900>,
    /// Wrong codes of one account that close it for codes by SMS until `pam-sms unlock` or a backup
    /// code; a hundred at most (NIST SP 800-63B-4, 3.2.2).
    pub failures_total: Whole<3, 100, 100>,
    /// Time between two messages to one phone in one login.
    pub resend_after: Span<0, 600, 30>,
    /// Where messages may go; absent: anywhere but to special numbers.
    pub countries: Option<Vec<Prefix>>,
    /// Special numbers that messages may go to all the same.
    pub special_numbers: Vec<Special>,
    /// Whether hosts share their limits in a store; where that is, only the helper reads.
    pub store: Given,
    /// Likewise.
    pub store_master: Given,
    /// Likewise.
    pub store_user: Given,
    /// Likewise.
    pub store_password_file: Given,
    /// Likewise.
    pub store_ca_file: Given,
    /// Time for one decision of the store.
    pub store_timeout: Span<1, 5, 2>,
    /// What happens when the store gives no answer.
    pub store_unreachable: StoreUnreachable,
    /// Accounts that each host counts alone, whatever becomes of the store.
    pub store_except_users: Vec<String>,
}

impl LimitRules {
    /// Whether each host counts `user` alone, though there is a store.
    #[must_use]
    pub fn excepts(&self, user: &str) -> bool {
        self.store_except_users.iter().any(|name| name == user)
    }
}

/// Whether something is said, which is stepped over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given(pub bool);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// `store_unreachable`: what happens when the store that hosts share gives no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreUnreachable {
    /// This host counts alone, as it would without a store, and the log says so.
    #[default]
    Local,
    /// Nobody gets in but by a backup code.
    Deny,
}
