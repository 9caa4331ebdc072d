//! People who are in a company's directory: the helper asks it, see the room `directory`.

use std::path::Path;

use super::{Asking, Found, PhoneNumber, Record, Unknown, enrolled};
use crate::config::model::DirectoryRules;
use crate::helper::call::Helper;
use crate::login::language::Language;
use crate::state::Places;

/// What came of looking for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// There is one entry, and at least one number in it.
    Found,
    /// There is one entry without a number.
    NoNumber,
    /// There is no such entry.
    NoEntry,
    /// No server could be asked, or had time.
    OutOfReach,
    /// Nobody can say: the configuration, a server or an entry is no good.
    Failed,
}

/// The answer of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What came of it.
    pub lookup: Lookup,
    /// The numbers, the preferred one first; some where somebody was found, and only there.
    pub phones: Vec<PhoneNumber>,
    /// Whether nobody has agreed to any of this person's numbers on this host yet; if that is why it failed,
    /// what the person gave on this host counts.
    pub is_first: bool,
    /// The tag of the language that is preferred.
    pub language: Option<String>,
    /// Which server answered and how long that took, for people.
    pub via: String,
    /// For the admin: what went wrong, or works and should be mended. Holds no password or whole number.
    pub detail: String,
}

impl Answer {
    /// That nobody can say.
    pub fn failed(detail: impl Into<String>) -> Self {
        let (phones, language, via) = (Vec::new(), None, String::new());
        let (lookup, is_first, detail) = (Lookup::Failed, false, detail.into());
        Self { lookup, phones, is_first, language, via, detail }
    }

    /// That these are the numbers.
    #[must_use]
    pub fn of(phones: Vec<PhoneNumber>) -> Self {
        Self { lookup: Lookup::Found, phones, ..Self::failed("") }
    }

    /// Whether a directory said so, and not its absence.
    #[must_use]
    pub fn is_of_directory(&self) -> bool {
        !matches!(self.lookup, Lookup::OutOfReach | Lookup::Failed)
    }

    /// Adds to what is said.
    pub fn add(&mut self, said: &str) {
        if !self.detail.is_empty() {
            self.detail.push_str("; ");
        }
        self.detail.push_str(said);
    }

    /// Makes a failure of it.
    pub fn fail(&mut self) {
        self.lookup = Lookup::Failed;
        self.phones.clear();
    }
}

/// What an account is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A login.
    Login,
    /// What a login would find. Like at a login it is noted for when there is no answer.
    Rehearsal,
    /// To be shown to an admin, also what does not count: nothing is noted.
    Look,
    /// A login came right with the numbers that go with this. Where nobody has agreed to any, later ones
    /// are measured by them; the directory is not asked.
    Keep,
    /// An admin agrees to the numbers that are there now.
    Approve,
}

/// Asks, through the helper. Numbers go with a purpose that is about some.
#[must_use]
pub fn ask(
    user: &str,
    purpose: Purpose,
    numbers: &[PhoneNumber],
    rules: &DirectoryRules,
    config: &Path,
    program: &Path,
) -> Answer {
    let (timeout, language) = (rules.timeout.get(), Language::default());
    Helper { program, config, timeout, provider: None, language }.find(user, purpose, numbers)
}

/// What the directory has of `user`; nothing also where it has something that an admin must agree to, if
/// the person gave a number on this host.
///
/// # Errors
/// When that cannot be known.
pub fn find(
    user: &str,
    rules: &DirectoryRules,
    asking: &Asking<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Found>, Unknown> {
    let answer = ask(user, asking.purpose, &[], rules, asking.config, asking.helper);
    let Answer { lookup, phones, is_first, language, detail, .. } = answer;
    if matches!(lookup, Lookup::OutOfReach | Lookup::Failed) {
        let said = format!("[users.ldap]: {detail}");
        if is_first && enrolled::find(&Places::default(), user)?.is_some() {
            warnings.push(said);
            return Ok(None);
        }
        return Err(Unknown::Directory(said));
    }
    if !detail.is_empty() {
        warnings.push(detail);
    }
    let record = Record { language, ..Record::from(phones) };
    Ok((lookup == Lookup::Found).then_some(Found { record, is_first }))
}
