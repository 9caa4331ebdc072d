//! Regular expressions in a description.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// A regular expression, compiled when the description is read.
pub struct Regex(pub regex_lite::Regex);

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Regex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        regex_lite::Regex::new(&text).map(Self).map_err(de::Error::custom)
    }
}
