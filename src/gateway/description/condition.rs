//! When a part of a description applies.

use serde::Deserialize;
use serde::de::Deserializer;

/// When a field is sent, an address or a path taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The text fits the GSM alphabet.
    Gsm7,
    /// It does not.
    Ucs2,
    /// The text takes more than one segment.
    Long,
    /// The admin has set this key.
    Key(String),
    /// The admin has set this key to this value, one of those that the key may have.
    Is(String, String),
}

impl Condition {
    /// Whether it holds, as far as the admin's keys say; what depends on a text does not.
    pub fn holds_for_keys<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> bool {
        match self {
            Self::Key(key) => value(key).is_some(),
            Self::Is(key, wanted) => value(key) == Some(wanted),
            Self::Gsm7 | Self::Ucs2 | Self::Long => false,
        }
    }

    /// The key that it asks for.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) | Self::Is(key, _) => Some(key),
            Self::Gsm7 | Self::Ucs2 | Self::Long => None,
        }
    }
}

impl From<&str> for Condition {
    fn from(text: &str) -> Self {
        match text {
            "gsm7" => Self::Gsm7,
            "ucs2" => Self::Ucs2,
            "long" => Self::Long,
            other => match other.split_once('=') {
                Some((key, value)) => Self::Is(key.to_owned(), value.to_owned()),
                None => Self::Key(other.to_owned()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_its_value_decides() {
        let value = |name: &str| (name == "mode").then_some("local");
        for (condition, holds) in [
            ("mode", true),
            ("mode=local", true),
            ("mode=cloud", false),
            ("mode=", false),
            ("from", false),
            ("from=local", false),
            ("ucs2", false),
        ] {
            assert_eq!(Condition::from(condition).holds_for_keys(value), holds, "{condition}");
        }
    }
}
