//! Before anybody is asked: who it is, what the policy says, and where a code would go.

use std::cell::OnceCell;
use std::path::Path;

use super::Request;
use super::arguments::Arguments;
use super::scene::books;
use crate::audit::Audit;
use crate::config::file::Trust;
use crate::config::model::{Config, Subject};
use crate::config::source::{ConfigError, Sources};
use crate::limits::{Barrier, Visit};
use crate::login::policy::{self, Groups, Ruling, Who};
use crate::login::ports::{Event, Journal};
use crate::people::directory::Purpose;
use crate::people::{self, Asking, Found, Unknown};
use crate::sys::{self, Account};

/// What is to be done with a person.
pub enum Way {
    Skip(&'static str),
    Remembered,
    Ask(Found),
    Unenrolled,
    /// They are asked, and nobody can say where a code would go.
    Lost(String),
}

/// Why it does not get as far as that.
pub enum Stop {
    Unknown(&'static str),
    Unusable(String),
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Unusable(error.to_string())
    }
}

impl From<Unknown> for Stop {
    fn from(unknown: Unknown) -> Self {
        Self::Unusable(unknown.to_string())
    }
}

impl From<Barrier> for Stop {
    fn from(barrier: Barrier) -> Self {
        Self::Unusable(barrier.to_string())
    }
}

pub fn load(path: &Path, audit: &mut Audit) -> Result<Config, ConfigError> {
    audit.debug(&format!("reading {}", path.display()));
    let sources = Sources::load(path, Trust::Root)?;
    warn(&sources.warnings, audit);
    let config = sources.parse();
    // Keys of providers stand in what was read.
    drop(sources);
    sys::clear_registers();
    config
}

/// Who it is, whether they are asked, and where a code would go.
pub fn prepare(
    request: &Request,
    config: &Config,
    purpose: Purpose,
    audit: &mut Audit,
) -> Result<(String, Way), Stop> {
    let account = subject(request, config)?;
    audit.user = Some(account.name.clone());
    let mut warnings = Vec::new();
    let who = Who {
        user: &account.name,
        address: request.rhost.as_deref().and_then(policy::numeric),
        groups: &Membership::of(&account),
    };
    let ruling = policy::judge(&config.policy, &who, &mut warnings);
    warn(&warnings, audit);
    if let Ruling::Skip(rule) = ruling {
        return Ok((account.name, Way::Skip(rule)));
    }
    let Arguments { config: path, helper, .. } = &*request.arguments;
    let mut warnings = Vec::new();
    let asking = Asking { purpose, config: path, helper, trust: Trust::Root };
    let found = match people::look_up(&account.name, &config.users, &asking, &mut warnings) {
        Err(Unknown::Directory(reason)) => return Ok((account.name, Way::Lost(reason))),
        found => found?,
    };
    warn(&warnings, audit);
    let Some(found) = found else { return Ok((account.name, Way::Unenrolled)) };
    if ruling == Ruling::Ask {
        if let Some((visit, _)) = visit(request, config) {
            let books = books(&account.name, &config.limits, &request.arguments, audit);
            let is_remembered = books.is_remembered(&visit, &found.record.phones)?;
            drop(books);
            if is_remembered {
                return Ok((account.name, Way::Remembered));
            }
        }
    }
    Ok((account.name, Way::Ask(found)))
}

/// The account whose phone it is, as the user database spells it: sshd hands over what was typed,
/// and in a case-insensitive directory `ALICE` would otherwise be another person with no number.
fn subject(request: &Request, config: &Config) -> Result<Account, Stop> {
    let rules = &config.policy.subject;
    let family = Arguments::family(&request.service);
    let whose = rules.get(&request.service).or_else(|| rules.get(family));
    let (typed, none) = match whose.copied().unwrap_or_default() {
        Subject::User => (&request.user, "unknown user"),
        Subject::Caller => (&request.caller, "unknown caller"),
    };
    let typed = typed.as_deref().and_then(|user| std::str::from_utf8(user).ok());
    let typed = typed.filter(|user| !user.is_empty()).ok_or(Stop::Unknown(none))?;
    match sys::account(typed) {
        Ok(Some(account)) => Ok(account),
        Ok(None) => Err(Stop::Unknown(none)),
        Err(error) => Err(Stop::Unusable(format!("the user database cannot be asked: {error}"))),
    }
}

/// Whence this login comes, where a later one from there may do without a code. An address is
/// needed, and a first factor: remembering must not be all that a login is made of.
pub fn visit(request: &Request, config: &Config) -> Option<(Visit, std::time::Duration)> {
    let span = config.policy.remember.get();
    let address = request.rhost.as_deref().and_then(policy::numeric)?;
    let wanted = !span.is_zero() && request.has_first_factor;
    wanted.then(|| (Visit { service: request.service.clone(), address }, span))
}

/// The groups of an account, from the user database, which is asked for them once.
pub struct Membership<'a> {
    account: &'a Account,
    groups: OnceCell<Vec<libc::gid_t>>,
}

impl<'a> Membership<'a> {
    /// The groups of this account.
    pub fn of(account: &'a Account) -> Self {
        Self { account, groups: OnceCell::new() }
    }
}

impl Groups for Membership<'_> {
    fn hold(&self, group: &str) -> Result<Option<bool>, String> {
        let found = sys::group_id(group).map_err(|error| error.to_string())?;
        let groups = || self.groups.get_or_init(|| sys::groups_of(self.account));
        Ok(found.map(|id| groups().contains(&id)))
    }
}

fn warn(warnings: &[String], audit: &mut Audit) {
    for warning in warnings {
        audit.record(Event::Warning, &[("reason", warning)]);
    }
}
