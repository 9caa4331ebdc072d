//! The single-use code and the reference that tells one message from another.
//!
//! NIST SP 800-63B-4, 3.1.3.2 asks for at least six decimal digits from an approved random bit
//! generator, valid for at most ten minutes and accepted once. Every digit is drawn by rejection
//! from the operating system's generator, so all codes are equally likely and leading zeros stand.

use std::fmt;

use rand::{TryRng, rngs::SysRng};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The operating system gave no random bytes; without them there is no code.
#[derive(Debug)]
pub struct NoEntropy(rand::rngs::SysError);

/// A fresh single-use code of decimal digits. It lives in this one place and is wiped on drop.
pub struct Code(Zeroizing<String>);

impl Code {
    /// Draws a code of `digits` decimal digits.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn random(digits: u8) -> Result<Self, NoEntropy> {
        let mut code = Zeroizing::new(String::with_capacity(usize::from(digits)));
        for _ in 0..digits {
            let digit = uniform(10)?;
            code.push(char::from(b'0' + digit));
        }
        Ok(Self(code))
    }

    /// The digits, to be put into the message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `typed` is this code, in a time that does not depend on how much of it is right.
    ///
    /// The length is no secret: it stands in the configuration and in every message.
    #[must_use]
    pub fn matches(&self, typed: &str) -> bool {
        self.0.as_bytes().ct_eq(typed.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// Two consonants, shown in the message and at the prompt, so that a person who has three
/// messages on the phone knows which one counts. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// No vowels, so that no reference is a word; no `Y`, which reads as one.
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

    /// Draws a reference that differs from the one of the message before.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn random(previous: Option<&Self>) -> Result<Self, NoEntropy> {
        loop {
            let letter = || uniform(20).map(|i| char::from(Self::LETTERS[usize::from(i)]));
            let fresh = Self(String::from_iter([letter()?, letter()?]));
            if previous != Some(&fresh) {
                return Ok(fresh);
            }
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operating system gave no random bytes: {}", self.0)
    }
}

impl std::error::Error for NoEntropy {}

/// A number below `bound` (at most 128), each equally likely.
fn uniform(bound: u8) -> Result<u8, NoEntropy> {
    // The largest multiple of `bound` that fits a byte: what lies above would favour low numbers.
    let fair = u8::MAX - u8::MAX % bound;
    loop {
        let mut byte = Zeroizing::new([0_u8; 1]);
        SysRng.try_fill_bytes(&mut *byte).map_err(NoEntropy)?;
        if byte[0] < fair {
            return Ok(byte[0] % bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_digits_of_the_wanted_length() {
        for digits in 6..=10 {
            let code = Code::random(digits).unwrap();
            assert_eq!(code.expose().len(), usize::from(digits));
            assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn every_digit_is_equally_likely_in_every_place() {
        let draws = 4_000_u32;
        let mut seen = [[0_u32; 10]; 6];
        for _ in 0..draws {
            let code = Code::random(6).unwrap();
            for (place, digit) in code.expose().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        // Chi-squared with 9 degrees of freedom: 45 is passed by chance once in a million.
        for (place, counts) in seen.iter().enumerate() {
            let expected = f64::from(draws) / 10.0;
            let chi: f64 =
                counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            assert!(chi < 45.0, "place {place} is biased: {counts:?}");
        }
    }

    #[test]
    fn only_the_whole_code_matches() {
        let code = Code(Zeroizing::new("004217".to_owned()));
        assert!(code.matches("004217"));
        for wrong in ["", "0", "00421", "0042170", "4217", "004218", " 004217"] {
            assert!(!code.matches(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_new_reference_is_never_the_last_one() {
        let mut last = Reference::random(None).unwrap();
        for _ in 0..2_000 {
            let next = Reference::random(Some(&last)).unwrap();
            assert_ne!(next, last);
            assert!(next.as_str().bytes().all(|b| Reference::LETTERS.contains(&b)));
            last = next;
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_code() {
        assert_eq!(format!("{:?}", Code::random(6).unwrap()), "Code(..)");
    }
}
