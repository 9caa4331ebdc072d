//! People who are in a company's directory: the helper asks it, see the room `directory`.

use std::path::Path;

use super::{PhoneNumber, Record};
use crate::config::model::DirectoryRules;
use crate::config::source::ConfigError;
use crate::helper::call::Helper;
use crate::login::language::Language;

/// What came of looking for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// There is one entry, and at least one number in it.
    Found,
    /// There is one entry without a number.
    NoNumber,
    /// There is no such entry.
    NoEntry,
    /// No server could be reached, or had time.
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
        Self { lookup: Lookup::Failed, phones, language, via, detail: detail.into() }
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
    /// A login, by whose first numbers later ones are measured.
    Login,
    /// To be shown to an admin: nothing is noted.
    Look,
    /// An admin agrees to the numbers that are there now.
    Approve,
}

/// Asks, through the helper.
#[must_use]
pub fn ask(
    user: &str,
    purpose: Purpose,
    rules: &DirectoryRules,
    config: &Path,
    program: &Path,
) -> Answer {
    let (timeout, language) = (rules.timeout.get(), Language::default());
    Helper { program, config, timeout, provider: None, language }.find(user, purpose)
}

/// What the directory has of `user`, for a login.
///
/// # Errors
/// When that cannot be known.
pub fn find(
    user: &str,
    rules: &DirectoryRules,
    config: &Path,
    helper: &Path,
    warnings: &mut Vec<String>,
) -> Result<Option<Record>, ConfigError> {
    let answer = ask(user, Purpose::Login, rules, config, helper);
    let Answer { lookup, phones, language, detail, .. } = answer;
    if matches!(lookup, Lookup::OutOfReach | Lookup::Failed) {
        return Err(ConfigError::new(format!("[users.ldap]: {detail}")));
    }
    if !detail.is_empty() {
        warnings.push(detail);
    }
    Ok((lookup == Lookup::Found).then(|| Record { language, ..Record::from(phones) }))
}
