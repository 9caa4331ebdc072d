//! Backup codes: a way in for somebody whose phone is dead, good once each.
//!
//! A code is eighty random bits, sixteen letters and digits of Crockford's Base32. Nobody guesses or
//! searches eighty bits, so one SHA-256 over salt, account and code keeps them as safe as a slow hash
//! would, and costs nothing at the prompt. What is kept, as text:
//!
//! ```text
//! pam-sms-backup-codes 1
//! salt 6d1f...
//! code 91ab...
//! code 77e0... 1795000000
//! end
//! ```
//!
//! The number behind a code is when it expires, in seconds of Unix time.

use std::fmt::Write as _;

use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::record::Damaged;
use crate::secret::Secret;

/// Letters and digits of one code.
pub const LENGTH: usize = 16;
/// The most codes that a person may have.
pub const MOST: usize = 100;

const HEADER: &str = "pam-sms-backup-codes 1";
/// No `i`, `l`, `o` and `u`: nobody has to know which of `0O` and `1Il` was printed.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The backup codes of one person, as hashes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BackupCodes {
    salt: String,
    codes: Vec<Kept>,
}

#[derive(Debug, PartialEq, Eq)]
struct Kept {
    hash: String,
    until: Option<u64>,
}

impl BackupCodes {
    /// Reads what [`BackupCodes::to_text`] wrote.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn from_text(text: &str) -> Result<Self, Damaged> {
        let mut lines = text.strip_suffix('\n').ok_or(Damaged)?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Damaged);
        }
        let salt = lines.next().and_then(|line| line.strip_prefix("salt ")).ok_or(Damaged)?;
        let mut kept = Self { salt: salt.to_owned(), codes: Vec::new() };
        loop {
            let line = lines.next().ok_or(Damaged)?;
            if line == "end" {
                return if lines.next().is_none() { Ok(kept) } else { Err(Damaged) };
            }
            let rest = line.strip_prefix("code ").ok_or(Damaged)?;
            let (hash, until) = match rest.split_once(' ') {
                Some((hash, until)) => (hash, Some(until.parse().map_err(|_| Damaged)?)),
                None => (rest, None),
            };
            if hash.len() != 64 {
                return Err(Damaged);
            }
            kept.codes.push(Kept { hash: hash.to_owned(), until });
        }
    }

    /// Writes the hashes down.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nsalt {}\n", self.salt);
        for Kept { hash, until } in &self.codes {
            // Writing to a String cannot fail.
            let _ = match until {
                Some(until) => writeln!(text, "code {hash} {until}"),
                None => writeln!(text, "code {hash}"),
            };
        }
        text.push_str("end\n");
        text
    }

    /// How many codes are good at `now`, in seconds of Unix time.
    #[must_use]
    pub fn left(&self, now: u64) -> usize {
        self.codes.iter().filter(|kept| kept.is_good(now)).count()
    }

    /// Drops the codes that never expire.
    pub fn drop_lasting(&mut self) {
        self.codes.retain(|kept| kept.until.is_some());
    }

    /// Drops the codes that have expired at `now`.
    pub fn drop_expired(&mut self, now: u64) {
        self.codes.retain(|kept| kept.is_good(now));
    }

    /// Burns the code that was typed, if it is one; `plain` is what [`plain`] made of it.
    pub fn burn(&mut self, user: &str, plain: &Secret, now: u64) -> bool {
        let typed = hash(&self.salt, user, plain);
        let same = |kept: &Kept| bool::from(kept.hash.as_bytes().ct_eq(typed.as_bytes()));
        match self.codes.iter().position(|kept| kept.is_good(now) && same(kept)) {
            Some(index) => {
                self.codes.remove(index);
                true
            }
            None => false,
        }
    }

    /// Adds `count` new codes, good until `until`, and returns them in the form that is printed.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn add(
        &mut self,
        user: &str,
        count: usize,
        until: Option<u64>,
    ) -> Result<Vec<Secret>, rand::rngs::SysError> {
        if self.salt.is_empty() {
            let mut salt = [0; 16];
            SysRng.try_fill_bytes(&mut salt)?;
            self.salt = hex(&salt);
        }
        let mut fresh = Vec::with_capacity(count);
        for _ in 0..count {
            let mut random = Zeroizing::new([0; LENGTH]);
            SysRng.try_fill_bytes(&mut *random)?;
            // Thirty-two letters divide what a byte can be, so each is equally likely.
            let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
            let code = Secret::from(random.iter().map(letter).collect::<String>());
            self.codes.push(Kept { hash: hash(&self.salt, user, &code), until });
            fresh.push(grouped(&code));
        }
        Ok(fresh)
    }
}

impl Kept {
    fn is_good(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The plain form of what was typed, where it has the shape of a backup code: upper and lower case
/// are one, `O` is `0`, `I` and `L` are `1`. Blanks and dashes must be gone already.
#[must_use]
pub fn plain(typed: &str) -> Option<Secret> {
    if typed.len() != LENGTH {
        return None;
    }
    let mut plain = Zeroizing::new(String::with_capacity(LENGTH));
    for c in typed.chars() {
        let c = match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if !ALPHABET.contains(&u8::try_from(c).ok()?) {
            return None;
        }
        plain.push(c);
    }
    Some(Secret::from(plain))
}

fn grouped(code: &Secret) -> Secret {
    let mut grouped = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / 4));
    for (index, c) in code.expose().chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(c);
    }
    Secret::from(grouped)
}

/// The account is part of it, so that one person's line is worth nothing in another's file.
#[must_use]
pub fn hash(salt: &str, user: &str, plain: &Secret) -> String {
    let mut digest = Sha256::new();
    for part in [salt, user, plain.expose()] {
        digest.update(part);
        digest.update([0]);
    }
    hex(&digest.finalize())
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(code: &Secret) -> Secret {
        plain(&code.expose().replace('-', "")).unwrap()
    }

    #[test]
    fn a_code_is_good_once_and_for_its_owner() {
        let mut codes = BackupCodes::default();
        let fresh = codes.add("alice", 10, None).unwrap();
        assert_eq!(codes.left(0), 10);
        assert!(!codes.burn("bob", &typed(&fresh[3]), 0), "another's");
        assert!(codes.burn("alice", &typed(&fresh[3]), 0));
        assert!(!codes.burn("alice", &typed(&fresh[3]), 0), "a second time");
        assert_eq!(codes.left(0), 9);
    }

    #[test]
    fn a_code_expires() {
        let mut codes = BackupCodes::default();
        let fresh = codes.add("alice", 1, Some(1000)).unwrap();
        assert_eq!((codes.left(999), codes.left(1000)), (1, 0));
        assert!(!codes.burn("alice", &typed(&fresh[0]), 1000));
        assert!(codes.burn("alice", &typed(&fresh[0]), 999));
    }

    #[test]
    fn codes_are_kept_as_they_were_and_never_in_the_clear() {
        let mut codes = BackupCodes::default();
        let fresh = codes.add("alice", 3, None).unwrap();
        codes.add("alice", 1, Some(7)).unwrap();
        let text = codes.to_text();
        assert_eq!(BackupCodes::from_text(&text), Ok(codes));
        assert!(fresh.iter().all(|code| !text.contains(typed(code).expose())));
        for length in 0..text.len() {
            assert_eq!(BackupCodes::from_text(&text[..length]), Err(Damaged), "{length}");
        }
    }

    #[test]
    fn a_code_may_be_typed_as_it_was_read() {
        assert_eq!(plain("O1lI0000zzzz9999").unwrap().expose(), "01110000zzzz9999");
        assert_eq!(plain("KQTM0000ZZZZ9999").unwrap().expose(), "kqtm0000zzzz9999");
        for no_code in ["", "004217", "uuuuuuuuuuuuuuuu", "0000-0000-0000-0", "ééééééééé"]
        {
            assert!(plain(no_code).is_none(), "{no_code}");
        }
    }

    #[test]
    fn fresh_codes_have_four_groups_and_differ() {
        let mut codes = BackupCodes::default();
        let fresh = codes.add("alice", 50, None).unwrap();
        for code in &fresh {
            assert_eq!(code.expose().len(), 19, "{}", code.expose());
            assert_eq!(fresh.iter().filter(|other| *other == code).count(), 1);
        }
    }
}
