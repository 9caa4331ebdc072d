//! What waits until the whole login has succeeded, and is done then.

use std::rc::Rc;

use super::OPEN_FILES;
use super::arguments::Arguments;
use super::scene::books;
use super::trial;
use crate::audit::Audit;
use crate::config::model::{Config, DirectoryRules, LimitRules};
use crate::limits::child::{DONE, decide};
use crate::limits::{Barrier, Pending};
use crate::login::Verdict;
use crate::login::catalogue::Catalogue;
use crate::login::ports::{Event, Host, Journal};
use crate::people::directory::{self, Lookup, Purpose};
use crate::people::{self, Found, PhoneNumber};
use crate::state::Places;
use crate::sys;

/// What waits for the rest of the stack: a code alone does not show that the password was right.
#[derive(Debug)]
pub struct Settlement {
    pub(super) audit: Audit,
    /// `PAM_USER` of the login.
    pub(super) typed: Option<Vec<u8>>,
    pub(super) user: String,
    pub(super) limits: LimitRules,
    pub(super) arguments: Rc<Arguments>,
    /// Where the code went.
    pub(super) number: Option<PhoneNumber>,
    pub(super) pending: Pending,
    /// What shall count in the directory from now on.
    pub(super) keeps: Option<Keeps>,
    /// Whether the number shall be stored as the person's.
    pub(super) enrols: bool,
    /// Whether it was a code by SMS that let them in.
    pub(super) by_code: bool,
    pub(super) texts: Catalogue,
}

/// Numbers of a directory by which later ones are measured.
#[derive(Debug)]
pub struct Keeps {
    phones: Vec<PhoneNumber>,
    rules: DirectoryRules,
}

impl Keeps {
    /// Those that were found for this login, where nobody has agreed to any before.
    pub(super) fn of(found: &Found, config: &Config) -> Option<Self> {
        let rules = config.users.ldap.filter(|_| found.is_first)?;
        Some(Self { phones: found.record.phones.clone(), rules })
    }

    /// Has them kept. Where they cannot be, the person has come in all the same.
    pub(super) fn keep(&self, user: &str, arguments: &Arguments, audit: &mut Audit) {
        let Arguments { config, helper, .. } = arguments;
        let answer = directory::ask(user, Purpose::Keep, &self.phones, &self.rules, config, helper);
        if answer.lookup != Lookup::Found {
            let reason = format!("[users.ldap]: the numbers are not kept: {}", answer.detail);
            audit.record(Event::Warning, &[("reason", &reason)]);
        } else if self.phones.len() > 1 {
            // A code went to one of them.
            let all: Vec<_> = self.phones.iter().map(PhoneNumber::masked).collect();
            let reason = format!("the directory's numbers count from now on: {}", all.join(", "));
            audit.record(Event::Warning, &[("reason", &reason)]);
        }
    }
}

impl Settlement {
    /// Whether it belongs to a login of `user`, as typed.
    #[must_use]
    pub fn is_of(&self, user: Option<&[u8]>) -> bool {
        self.typed.as_deref() == user
    }

    /// Whether a number shall be stored as the person's.
    #[must_use]
    pub fn enrols(&self) -> bool {
        self.enrols
    }
}

/// Does what had to wait until the whole login succeeded.
///
/// # Errors
/// When a number that somebody has confirmed cannot be stored: their next login would take any other.
pub fn settle(settlement: Settlement, host: &mut dyn Host) -> Result<(), Verdict> {
    let _lifted = sys::lift_open_files(OPEN_FILES);
    let Settlement {
        mut audit,
        user,
        limits,
        arguments,
        number,
        pending,
        keeps,
        enrols,
        by_code,
        texts,
        ..
    } = settlement;
    if let Some(keeps) = keeps {
        keeps.keep(&user, &arguments, &mut audit);
    }
    if let Err(barrier) =
        books(&user, &limits, &arguments, &audit).settle(&pending, number.as_ref())
    {
        audit.record(Event::Warning, &[("reason", &barrier.to_string())]);
    }
    if let Some(number) = number.filter(|_| enrols) {
        let kept = decide(&|| {
            people::enrolled::keep(&Places::default(), &user, &number)
                .map(|()| DONE)
                .map_err(|error| Barrier::Unusable(error.to_string()))
        });
        if let Err(barrier) = kept {
            audit.record(Event::Error, &[("reason", &barrier.to_string())]);
            return Err(Verdict::Unusable);
        }
        audit.record(Event::Enrolled, &[("to", &number.masked())]);
        host.inform(&texts.number_saved(number.ending()));
    }
    // A login that was skipped, remembered or by a backup code shows nothing of the new stack.
    if let Some(notice) = by_code.then(|| trial::notice(&audit.service)).flatten() {
        host.inform(&notice);
    }
    Ok(())
}
