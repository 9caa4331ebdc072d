//! What may stand in the configuration, and what holds where nothing does.
//!
//! Every value is a type that cannot be wrong once it is made, so that the file is judged in one
//! place, while the position of what is wrong is still known.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use crate::message::Template;

/// The whole configuration. `P` is what is made of the `[[provider]]` tables: nothing, in the module.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, bound = "P: Default + Deserialize<'de>")]
pub struct Config<P = Unread> {
    /// `[code]`
    pub code: CodeRules,
    /// `[message]`
    pub message: MessageRules,
    /// `[users]`
    pub users: UsersRules,
    /// `[limits]`
    pub limits: LimitRules,
    /// `[delivery]`
    pub delivery: DeliveryRules,
    /// `[[provider]]`
    pub provider: P,
}

/// A part of the configuration that is stepped over, so that no copy of it is made.
#[derive(Debug, Default)]
pub struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// `[code]`: the single-use code.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodeRules {
    /// Decimal digits of a code.
    pub digits: Whole<6, 10, 6>,
    /// How long a code is good for; ten minutes at most (NIST SP 800-63B-4, 3.1.3.2).
    pub lifetime: Span<30, 600, 300>,
    /// Wrong tries in one login.
    pub attempts: Whole<1, 10, 3>,
}

/// `[message]`: what the SMS says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageRules {
    /// The text, with names in braces.
    pub text: Template,
}

/// `[users]`: who has which number.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsersRules {
    /// One file for all. Named here it must exist; else `users.toml` beside the configuration counts.
    pub file: Option<AbsolutePath>,
    /// One small file a person. Named here it must exist; else `users.d` beside the configuration.
    pub directory: Option<AbsolutePath>,
    /// What happens to somebody without a number.
    pub unenrolled: Unenrolled,
}

/// `unenrolled`: what happens to somebody without a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unenrolled {
    /// They do not get in.
    #[default]
    Deny,
    /// This factor does not apply to them.
    Skip,
}

/// `[limits]`: how much is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// Time between two messages to one phone in one login.
    pub resend_after: Span<0, 600, 30>,
}

/// `[delivery]`: how messages are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryRules {
    /// Time for all providers of one message together.
    pub timeout: Span<1, 60, 10>,
    /// What happens when no provider can be reached.
    pub if_unreachable: IfUnreachable,
    /// The system user that the helper becomes.
    pub run_as: Option<String>,
    /// The only proxy that is ever used, `http://host:port`.
    pub proxy: Option<String>,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<AbsolutePath>,
}

/// `if_unreachable`: what happens when no provider can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfUnreachable {
    /// Nobody gets in.
    #[default]
    Deny,
    /// People get in without a code, and the log says so.
    Allow,
}

/// A whole number from `MIN` to `MAX`, `DEFAULT` where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: u8, const MAX: u8, const DEFAULT: u8>(u8);

impl<const MIN: u8, const MAX: u8, const DEFAULT: u8> Whole<MIN, MAX, DEFAULT> {
    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl<const MIN: u8, const MAX: u8, const DEFAULT: u8> Default for Whole<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const MIN: u8, const MAX: u8, const DEFAULT: u8> Deserialize<'de>
    for Whole<MIN, MAX, DEFAULT>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        u8::try_from(number)
            .ok()
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("must be from {MIN} to {MAX}")))
    }
}

/// A time from `MIN` to `MAX` seconds, written as in "90s" or "5m"; `DEFAULT` where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<const MIN: u64, const MAX: u64, const DEFAULT: u64>(Duration);

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Span<MIN, MAX, DEFAULT> {
    /// The time.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

impl<const MIN: u64, const MAX: u64, const DEFAULT: u64> Default for Span<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Self(Duration::from_secs(DEFAULT))
    }
}

impl<'de, const MIN: u64, const MAX: u64, const DEFAULT: u64> Deserialize<'de>
    for Span<MIN, MAX, DEFAULT>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text).map_err(|_| {
            serde::de::Error::custom(format!(
                "`{text}` is no time: write it like \"90s\" or \"5m\""
            ))
        })?;
        let [min, max] = [MIN, MAX].map(Duration::from_secs);
        if span < min || span > max {
            let [min, max] = [min, max].map(humantime::format_duration);
            return Err(serde::de::Error::custom(format!("must be from {min} to {max}")));
        }
        Ok(Self(span))
    }
}

/// A path that does not depend on where a program was started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PathBuf")]
pub struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &std::path::Path {
        &self.0
    }
}

impl TryFrom<PathBuf> for AbsolutePath {
    type Error = String;

    fn try_from(path: PathBuf) -> Result<Self, String> {
        if path.is_absolute() {
            Ok(Self(path))
        } else {
            Err(format!("`{}` must be a path from the root, like /etc/...", path.display()))
        }
    }
}

#[cfg(test)]
mod tests;
