//! Phone numbers, as they are typed and as they are dialled.
//!
//! A number that is read the wrong way sends a login code to a stranger. So nothing is guessed
//! here, neither a country nor what a bracketed zero meant: blanks and dashes are taken out, and
//! whatever else is not plainly an international number is refused, in words that say what to do.
//!
//! A number is also personal data. [`PhoneNumber`] has no `Display`, its `Debug` is masked, and no
//! [`PhoneError`] repeats what was typed, so that none of it gets into a log by an oversight.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// The fewest digits of a number. ITU-T E.164 sets no lower bound; this one is ours, and catches
/// short codes and numbers cut off while pasting.
const MIN_DIGITS: usize = 8;

/// The most digits of a number, country code included: ITU-T E.164 (11/2010).
const MAX_DIGITS: usize = 15;

/// The most digits of a [`Prefix`]: a country code, and what tells one region or network in it.
const MAX_PREFIX_DIGITS: usize = 7;

/// A number in the international form of ITU-T E.164: `+`, then 8 to 15 digits of which the first
/// is not 0. It is made by parsing only, so it is never anything else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The whole number, like `+4915123456789`.
    pub fn as_e164(&self) -> &str {
        &self.0
    }

    /// The whole number without its `+`, which is how some providers want it.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// The last two digits: enough for its owner to know the phone, and all that anybody is shown.
    pub fn ending(&self) -> &str {
        &self.0[self.0.len() - 2..]
    }

    /// The form for logs, like `*89`.
    pub fn masked(&self) -> String {
        format!("*{}", self.ending())
    }

    /// Whether the number belongs to that country, region or network.
    pub fn starts_with(&self, prefix: &Prefix) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(typed: &str) -> Result<Self, PhoneError> {
        let mut number = String::with_capacity(1 + MAX_DIGITS);
        for (at, c) in typed.char_indices() {
            match c {
                '0'..='9' => number.push(c),
                '+' if number.is_empty() => number.push(c),
                '(' => refuse_bracketed_zero(&typed[at..])?,
                c if is_separator(c) => {}
                c => return Err(PhoneError::about(c)),
            }
        }

        let Some(digits) = number.strip_prefix('+') else {
            return Err(match number.as_str() {
                "" => PhoneError::Empty,
                digits if digits.starts_with("00") => PhoneError::DoubleZero,
                _ => PhoneError::NoPlus,
            });
        };
        match digits.len() {
            _ if digits.starts_with('0') => Err(PhoneError::LeadingZero),
            count if count < MIN_DIGITS => Err(PhoneError::TooShort { count }),
            count if count > MAX_DIGITS => Err(PhoneError::TooLong { count }),
            _ => Ok(Self(number)),
        }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;

    fn try_from(typed: String) -> Result<Self, PhoneError> {
        typed.parse()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

/// Written by hand for the sake of one slip: `alice = +4915123456789` without quotes is an integer
/// to TOML, and the derived error would repeat it.
impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = PhoneNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phone number in quotes")
            }

            fn visit_str<E: de::Error>(self, typed: &str) -> Result<PhoneNumber, E> {
                typed.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<PhoneNumber, E> {
                Err(E::custom(PhoneError::NoQuotes))
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<PhoneNumber, E> {
                Err(E::custom(PhoneError::NoQuotes))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<PhoneNumber, E> {
                Err(E::custom(PhoneError::NoQuotes))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// Looks into the bracket that begins `tail`. A zero there is mostly the one dialled only inside a
/// country, but not everywhere, so it can be neither kept nor dropped.
fn refuse_bracketed_zero(tail: &str) -> Result<(), PhoneError> {
    let mut inside = tail.chars().filter(|&c| c != '(' && !is_blank(c));
    match (inside.next(), inside.next()) {
        (Some('0'), Some(')')) => Err(PhoneError::TrunkZero),
        (Some('0'), _) => Err(PhoneError::BracketedZero),
        _ => Ok(()),
    }
}

/// What people put between digits to read them better.
fn is_separator(c: char) -> bool {
    is_blank(c) || is_dash(c) || matches!(c, '.' | ')')
}

/// A space, among them the no-break and thin ones that come with pasting from a web page.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// A hyphen, a dash or a minus sign.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}')
}

/// Why something is no [`PhoneNumber`]. It holds a character or a count, never the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneError {
    /// Nothing was typed, or only separators.
    Empty,
    /// The country code is missing, or the `+` before it.
    NoPlus,
    /// `00` instead of `+`. Not every country dials that, so it is not translated.
    DoubleZero,
    /// A `0` right after the `+`.
    LeadingZero,
    /// A `(0)`.
    TrunkZero,
    /// A bracket that begins with 0 and goes on, as in `(0151)`.
    BracketedZero,
    /// A `+` anywhere but at the start.
    SecondPlus,
    /// A slash: a separator to some, two numbers in one to others.
    Slash,
    /// A `;`, with which RFC 3966 begins an extension.
    Extension,
    /// A letter.
    Letter(char),
    /// A digit that is not one of 0 to 9.
    ForeignDigit(char),
    /// A control character.
    Control(char),
    /// Any other character.
    Unexpected(char),
    /// Fewer than 8 digits.
    TooShort {
        /// How many there are.
        count: usize,
    },
    /// More than 15 digits.
    TooLong {
        /// How many there are.
        count: usize,
    },
    /// A number without quotes in a configuration file.
    NoQuotes,
}

impl PhoneError {
    /// The reason for refusing one character.
    fn about(c: char) -> Self {
        match c {
            '+' => Self::SecondPlus,
            '/' => Self::Slash,
            ';' => Self::Extension,
            c if c.is_control() => Self::Control(c),
            c if c.is_alphabetic() => Self::Letter(c),
            c if c.is_numeric() => Self::ForeignDigit(c),
            c => Self::Unexpected(c),
        }
    }
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the phone number is empty"),
            Self::NoPlus => f.write_str("write the country code first, like +49 151 23456789"),
            Self::DoubleZero => f.write_str("the number starts with 00: write + instead"),
            Self::LeadingZero => f.write_str(
                "no country code starts with 0: \
                 write the number as it is dialled from abroad, like +49 151 23456789",
            ),
            Self::TrunkZero => {
                f.write_str("leave out the (0): it is dialled only inside the country")
            }
            Self::BracketedZero => f.write_str(
                "a bracket starts with 0: \
                 write the number as it is dialled from abroad, without brackets",
            ),
            Self::SecondPlus => {
                f.write_str("the number has a + in the middle: write one number, + first")
            }
            Self::Slash => {
                f.write_str("the number holds a slash: write one number, with blanks instead")
            }
            Self::Extension => {
                f.write_str("an extension gets no SMS: leave out the ; and all that follows")
            }
            Self::Letter(c) => {
                write!(f, "the number holds the letter {}: write digits only", Shown(c))
            }
            Self::ForeignDigit(c) => {
                write!(f, "the number holds the digit {}: write digits as 0 to 9", Shown(c))
            }
            Self::Control(c) => {
                write!(f, "the number holds the control character {}: type it again", Shown(c))
            }
            Self::Unexpected(c) => {
                write!(f, "the number holds {}: write only + and digits", Shown(c))
            }
            Self::TooShort { count } => write!(
                f,
                "the number is too short: {count} digits, where {MIN_DIGITS} to {MAX_DIGITS} \
                 are needed, country code included"
            ),
            Self::TooLong { count } => write!(
                f,
                "the number is too long: {count} digits, where {MIN_DIGITS} to {MAX_DIGITS} \
                 are allowed, country code included"
            ),
            Self::NoQuotes => {
                f.write_str("put the phone number in quotes, like \"+49 151 23456789\"")
            }
        }
    }
}

impl Error for PhoneError {}

/// A character for a message that must be ASCII: terminals and logs garble the rest, and some of it
/// cannot be seen at all.
struct Shown(char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            c if c.is_ascii_graphic() => write!(f, "'{c}'"),
            c => write!(f, "U+{:04X}", u32::from(c)),
        }
    }
}

/// How the numbers of a country, a region or a network begin: `+` and 1 to 7 digits, like `+375`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(String);

impl Prefix {
    /// The prefix with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Stricter than for a number, as prefixes are written by admins only: no separators.
    fn from_str(typed: &str) -> Result<Self, PrefixError> {
        let digits = typed.strip_prefix('+').ok_or(PrefixError)?;
        let valid = (1..=MAX_PREFIX_DIGITS).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');

        if valid { Ok(Self(typed.to_owned())) } else { Err(PrefixError) }
    }
}

impl TryFrom<String> for Prefix {
    type Error = PrefixError;

    fn try_from(typed: String) -> Result<Self, PrefixError> {
        typed.parse()
    }
}

/// What was written is no [`Prefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixError;

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a prefix is + and 1 to {MAX_PREFIX_DIGITS} digits without blanks, like +49 or +1415"
        )
    }
}

impl Error for PrefixError {}

#[cfg(test)]
mod tests;
