//! What is kept of somebody whose number is in a directory: which numbers an admin, or the first login that
//! came right, has agreed to, and with `cache` the last good answer. One file a person in `/var/lib/pam-sms`:
//!
//! ```text
//! pam-sms-ldap 1
//! 6d1f...                      the salt of the hashes
//! 91ab... 77e0...              the numbers that count, as hashes
//! 1795000000                   when the answer came, in seconds of Unix time
//! +4915123456789 +14155550123  its numbers; none, where it is not kept
//! de                           its language
//! end
//! ```
//!
//! Why numbers need an admin's word: in many directories people may write their own entry, so whoever has
//! a password would have the second factor, too. Root keeps it, after whoever spoke to the network is gone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use super::rules::Pin;
use crate::limits::backup::{hash, hex};
use crate::people::PhoneNumber;
use crate::people::directory::Answer;
use crate::secret::Secret;
use crate::state::{Durability, Places, StateError, Store};

const HEADER: &str = "pam-sms-ldap 1";
const ADVICE: &str = "remove it, and the next number that the directory has counts";

/// What is kept of one person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    salt: String,
    pins: Vec<String>,
    seen: u64,
    phones: Vec<PhoneNumber>,
    language: String,
}

impl Known {
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let lines: Vec<_> = text.split('\n').collect();
        let [HEADER, salt, pins, seen, phones, language, "end", ""] = lines[..] else {
            return None;
        };
        let words = |line: &str| line.split_terminator(' ').map(str::to_owned).collect();
        let phones: Result<_, _> = phones.split_terminator(' ').map(str::parse).collect();
        Some(Self {
            salt: salt.to_owned(),
            pins: words(pins),
            seen: seen.parse().ok()?,
            phones: phones.ok()?,
            language: language.to_owned(),
        })
    }

    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let phones: Vec<_> = self.phones.iter().map(PhoneNumber::as_e164).collect();
        let (pins, phones) = (self.pins.join(" "), phones.join(" "));
        let Self { salt, seen, language, .. } = self;
        Zeroizing::new(format!("{HEADER}\n{salt}\n{pins}\n{seen}\n{phones}\n{language}\nend\n"))
    }
}

impl Known {
    fn read(text: Option<&str>, file: &Keeping<'_>) -> Result<Self, StateError> {
        let Some(text) = text else { return Ok(Self::default()) };
        let damaged = || StateError::Damaged(file.store.path_of(&file.name), ADVICE);
        Self::from_text(text).ok_or_else(damaged)
    }

    fn counts(&self, phone: &PhoneNumber, file: &Keeping<'_>) -> bool {
        match file.pin {
            Pin::Off => true,
            Pin::First if self.pins.is_empty() => true,
            Pin::First | Pin::Strict => self.pins.contains(&self.hash(phone, file)),
        }
    }

    fn hash(&self, phone: &PhoneNumber, file: &Keeping<'_>) -> String {
        hash(&self.salt, file.user, &Secret::from(phone.as_e164().to_owned()))
    }

    /// Takes these numbers for agreed to.
    fn pin(&mut self, phones: &[PhoneNumber], file: &Keeping<'_>) -> Result<(), StateError> {
        let mut salt = [0; 16];
        SysRng.try_fill_bytes(&mut salt).map_err(|error| {
            StateError::Io(file.store.path_of(&file.name), std::io::Error::other(error))
        })?;
        self.salt = hex(&salt);
        self.pins = phones.iter().map(|phone| self.hash(phone, file)).collect();
        Ok(())
    }

    /// Notes an answer, and says whether that changes anything.
    fn note(&mut self, answer: &Answer, file: &Keeping<'_>) -> bool {
        let Answer { phones, language, .. } = answer;
        let kept = if file.cache.is_zero() { &[][..] } else { phones };
        let language = language.as_deref().unwrap_or_default();
        // Not at each login: a write that survives a power failure takes its time.
        let is_old = !kept.is_empty() && self.age() > file.cache / 8;
        let is_other = self.phones != kept || !kept.is_empty() && self.language != language;
        if is_old || is_other {
            (self.phones, self.language) = (kept.to_vec(), language.to_owned());
            self.seen = now();
        }
        is_old || is_other
    }

    fn age(&self) -> Duration {
        Duration::from_secs(now().saturating_sub(self.seen))
    }
}

/// The file of one person, and what the configuration says about it.
pub struct Keeping<'a> {
    user: &'a str,
    name: String,
    store: Store,
    pin: Pin,
    cache: Duration,
}

impl<'a> Keeping<'a> {
    /// For `user`.
    #[must_use]
    pub fn of(user: &'a str, pin: Pin, cache: Duration, places: &Places) -> Self {
        let store = Store::new(&places.lib, Durability::Power);
        Self { user, name: name(user), store, pin, cache }
    }

    /// Notes an answer for times in which there is none.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn note(&self, answer: &Answer) -> Result<(), StateError> {
        if !self.known()?.note(answer, self) {
            return Ok(());
        }
        self.store.update(&self.name, |text| {
            let mut known = Known::read(text, self)?;
            Ok(((), known.note(answer, self).then(|| known.to_text())))
        })
    }

    /// Takes numbers out of an answer that do not count, and says how many. Where nobody has agreed to any
    /// yet, all count, and the answer says so.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn judge(&self, answer: &mut Answer) -> Result<usize, StateError> {
        let (known, all) = (self.known()?, answer.phones.len());
        answer.is_first = self.is_first(&known, answer);
        answer.phones.retain(|phone| known.counts(phone, self));
        Ok(all - answer.phones.len())
    }

    /// Takes the numbers of a login that came right for agreed to, where there are none yet.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub fn keep(&self, phones: &[PhoneNumber]) -> Result<(), StateError> {
        self.store.update(&self.name, |text| {
            let mut known = Known::read(text, self)?;
            let is_first = self.pin == Pin::First && known.pins.is_empty();
            if is_first {
                known.pin(phones, self)?;
            }
            Ok(((), is_first.then(|| known.to_text())))
        })
    }

    /// The numbers of an answer that would not count, which stay in it.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn look(&self, answer: &mut Answer) -> Result<Vec<PhoneNumber>, StateError> {
        let known = self.known()?;
        answer.is_first = self.is_first(&known, answer);
        let is_new = |phone: &&PhoneNumber| !known.counts(phone, self);
        Ok(answer.phones.iter().filter(is_new).cloned().collect())
    }

    /// Whether somebody has agreed to numbers here, and that counts.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn has_pins(&self) -> Result<bool, StateError> {
        Ok(self.pin != Pin::Off && !self.known()?.pins.is_empty())
    }

    /// Puts the last good answer, as far as its numbers count, into the place of none; says how old it is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recall(&self, answer: &mut Answer) -> Result<Option<Duration>, StateError> {
        let known = self.known()?;
        let phones: Vec<_> =
            known.phones.iter().filter(|phone| known.counts(phone, self)).cloned().collect();
        let age = known.age();
        if phones.is_empty() || age > self.cache {
            return Ok(None);
        }
        answer.phones = phones;
        answer.is_first = self.is_first(&known, answer);
        answer.language = Some(known.language).filter(|tag| !tag.is_empty());
        Ok(Some(age))
    }

    /// Takes these numbers for agreed to, on an admin's word, in the place of those that were. Says what
    /// that changes, in words.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub fn approve(&self, phones: &[PhoneNumber]) -> Result<String, StateError> {
        self.store.update(&self.name, |text| {
            // What is damaged is replaced.
            let mut known = Known::read(text, self).unwrap_or_default();
            let hashes: Vec<_> = phones.iter().map(|phone| known.hash(phone, self)).collect();
            let is_new = |hash: &&String| !known.pins.contains(*hash);
            let new = phones.iter().zip(&hashes).filter(|(_, hash)| is_new(hash));
            let mut said: Vec<_> =
                new.map(|(phone, _)| format!("{} is new", phone.masked())).collect();
            match known.pins.iter().filter(|pin| !hashes.contains(*pin)).count() {
                0 => {}
                1 => said.push("one that counted does no more".to_owned()),
                gone => said.push(format!("{gone} that counted do no more")),
            }
            if said.is_empty() {
                return Ok(("unchanged".to_owned(), None));
            }
            known.pin(phones, self)?;
            Ok::<_, StateError>((format!("changed: {}", said.join(", ")), Some(known.to_text())))
        })
    }

    fn is_first(&self, known: &Known, answer: &Answer) -> bool {
        self.pin == Pin::First && known.pins.is_empty() && !answer.phones.is_empty()
    }

    fn known(&self) -> Result<Known, StateError> {
        let text = self.store.read(&self.name)?;
        Known::read(text.as_deref().map(String::as_str), self)
    }
}

/// Forgets all that is kept of `user`, and says whether there was anything.
///
/// # Errors
/// When it cannot be removed.
#[cfg(feature = "program")]
pub fn forget(user: &str, places: &Places) -> Result<bool, StateError> {
    Store::new(&places.lib, Durability::Power).forget_if_kept(&name(user))
}

fn name(user: &str) -> String {
    format!("ldap-{user}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
