//! What the module reads of a store that hosts share: that there is one, and what if it is out of reach.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

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
