//! What may stand in the configuration, and what holds where nothing does.
//!
//! Every value is a type that cannot be wrong once it is made, so that the file is judged in one
//! place, while the position of what is wrong is still known.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Error as _, IgnoredAny, Visitor};

use crate::login::language::Language;
use crate::login::policy::Network;
use crate::message::Template;
pub use limits::{Given, LimitRules, StoreUnreachable};

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
    /// `[policy]`
    pub policy: PolicyRules,
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
    /// Whether a person has to press Enter before a message is sent, for hosts where clients retry
    /// blindly.
    pub ask_first: bool,
}

/// `[message]`: what the SMS says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageRules {
    /// The text, with names in braces; where there is none, that of the person's language.
    pub text: Option<Template>,
    /// What people read whose record names no other.
    pub language: Language,
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
    /// The last day on which people may give their own number; afterwards they are denied.
    pub enrol_until: Option<Day>,
    /// The groups whose members may; everybody, where none is named.
    pub enrol_groups: Vec<String>,
    /// `[users.ldap]`: who is in none of these places is looked for in a directory.
    pub ldap: Option<DirectoryRules>,
}

/// `[users.ldap]`, as much of it as a login needs: who asks the directory reads and judges all of it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct DirectoryRules {
    /// Time for all servers together.
    pub timeout: Span<1, 30, 5>,
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
    /// They give a number themselves, in a login that a first factor began.
    Enrol,
}

/// `[policy]`: who is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyRules {
    /// Accounts that are asked whatever else holds.
    pub require_users: Vec<String>,
    /// Groups whose members are.
    pub require_groups: Vec<String>,
    /// Accounts that are not asked.
    pub skip_users: Vec<String>,
    /// Groups whose members are not.
    pub skip_groups: Vec<String>,
    /// Networks from which nobody is.
    pub skip_networks: Vec<Network>,
    /// How long an address needs no further code for the same account and service; zero: never.
    pub remember: Span<0, 2_592_000, 0>,
    /// Whose phone it is, by service; where nothing is said, that of the account logged in to.
    pub subject: BTreeMap<String, Subject>,
    /// To the end of this day everything is only rehearsed: logged, and nobody is asked.
    pub observe_until: Option<Day>,
}

/// `subject`: whose phone it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The account's that is logged in to.
    #[default]
    User,
    /// The caller's, as with su.
    Caller,
}

/// A day in UTC, written as in 2026-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// Today.
    #[must_use]
    pub fn today() -> Self {
        let (year, month, day) = crate::sys::today();
        Self { year, month, day }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a day: write it like 2026-12-31")?;
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.parse::<u16>().ok()
        };
        let (year, month, day) = (part(4), part(2), part(2));
        match (year, month, day, parts.next()) {
            (Some(year), Some(month @ 1..=12), Some(day @ 1..=31), None) => {
                // Both are small.
                Ok(Self { year, month: month as u8, day: day as u8 })
            }
            _ => Err(D::Error::custom(format!("`{text}` is no day: write it like 2026-12-31"))),
        }
    }
}

/// `[delivery]`: how messages are sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryRules {
    /// Time for all providers of one message together.
    pub timeout: Span<1, 60, 10>,
    /// Whether codes are also read aloud in a call, where somebody asks for it.
    pub voice: bool,
    /// What happens when no provider can be reached.
    pub if_unreachable: IfUnreachable,
    /// How long a provider whose key, money or settings are no good is asked after all others.
    pub set_aside: Span<0, 86400, 600>,
    /// The system user that the helper becomes.
    pub run_as: Option<String>,
    /// The only proxy that is ever used, `http://host:port`; who sends judges it.
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
        whole_within(deserializer, MIN, MAX).map(Self)
    }
}

/// For all limits together, as is [`span_within`]: each would be the same code once more.
fn whole_within<'de, D: Deserializer<'de>>(from: D, min: u8, max: u8) -> Result<u8, D::Error> {
    from.deserialize_i64(Bounds { min, max })
}

struct Bounds {
    min: u8,
    max: u8,
}

impl Visitor<'_> for Bounds {
    type Value = u8;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.min, self.max)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u8, E> {
        let Self { min, max } = self;
        u8::try_from(number)
            .ok()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| E::custom(format!("must be from {min} to {max}")))
    }
}

/// A text; `wanted` says how to write it where something else stands, as a number without quotes.
///
/// # Errors
/// When something else stands there.
pub fn text<'de, D: Deserializer<'de>>(from: D, wanted: &'static str) -> Result<String, D::Error> {
    from.deserialize_str(Text(wanted))
}

struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
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
        let [min, max] = [MIN, MAX].map(Duration::from_secs);
        span_within(deserializer, min, max).map(Self)
    }
}

fn span_within<'de, D: Deserializer<'de>>(
    from: D,
    min: Duration,
    max: Duration,
) -> Result<Duration, D::Error> {
    let text = text(from, "a time: write it like \"90s\" or \"5m\"")?;
    let span = humantime::parse_duration(&text).map_err(|_| {
        D::Error::custom(format!("`{text}` is no time: write it like \"90s\" or \"5m\""))
    })?;
    if (min..=max).contains(&span) {
        return Ok(span);
    }
    let [min, max] = [min, max].map(humantime::format_duration);
    Err(D::Error::custom(format!("must be from {min} to {max}")))
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

mod limits;
#[cfg(test)]
mod tests;
