//! What several commands need first: the configuration, an account, its books.

use std::path::{Path, PathBuf};

use clap::Args;

use super::terminal::complain;
use crate::authenticate::BootClock;
use crate::authenticate::arguments::DEFAULT_HELPER;
use crate::authenticate::texts::load;
use crate::config::file::Trust;
use crate::config::model::Config;
use crate::config::source::Sources;
use crate::gateway::Gateway;
use crate::helper::call::Fleet;
use crate::limits::Ledger;
use crate::message::Values;
use crate::people::book::Book;
use crate::people::directory::{self, Answer, Purpose};
use crate::people::{self, Asking, PhoneNumber};
use crate::secret::Secret;
use crate::state::Places;
use crate::sys;

/// The configuration that a command works by.
#[derive(Args)]
pub struct ConfigArgument {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = crate::config::DEFAULT_PATH)]
    pub config: PathBuf,
}

/// The configuration of a machine, and its accounts.
pub struct Office {
    path: PathBuf,
    /// The configuration.
    pub config: Config,
}

impl Office {
    /// Opens the configuration, for root only: nobody else may read what it leads to.
    ///
    /// # Errors
    /// In words for the terminal.
    pub fn open(argument: &ConfigArgument) -> Result<Self, String> {
        root_only()?;
        let path = argument.config.clone();
        let config = read(&path).map_err(|error| format!("{error}; see `pam-sms check`"))?;
        Ok(Self { path, config })
    }

    /// The account's name as the user database spells it.
    ///
    /// # Errors
    /// When there is no such account, or that cannot be known.
    pub fn account(typed: &str) -> Result<String, String> {
        match sys::account(typed) {
            Ok(Some(account)) => Ok(account.name),
            Ok(None) => Err(format!("there is no account `{typed}` on this machine")),
            Err(error) => Err(format!("the user database cannot be asked: {error}")),
        }
    }

    /// The numbers of `user`; none where nobody enrolled them.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn phones(&self, user: &str) -> Result<Vec<PhoneNumber>, String> {
        let (purpose, helper) = (Purpose::Rehearsal, Path::new(DEFAULT_HELPER));
        let asking = Asking { purpose, config: &self.path, helper, trust: Trust::Root };
        people::look_up(user, &self.config.users, &asking, &mut Vec::new())
            .map(|found| found.map(|found| found.record.phones).unwrap_or_default())
            .map_err(|error| error.to_string())
    }

    /// What the directory has of `user`; nothing, where there is no directory.
    #[must_use]
    pub fn directory(
        &self,
        user: &str,
        purpose: Purpose,
        about: &[PhoneNumber],
        helper: &Path,
    ) -> Option<Answer> {
        let rules = self.config.users.ldap.as_ref()?;
        Some(directory::ask(user, purpose, about, rules, &self.path, helper))
    }

    /// The name under which something is kept of `typed`: as the user database spells it or, with
    /// `force`, as it was typed where nobody there is called so.
    ///
    /// # Errors
    /// When it is unknown and not forced.
    pub fn name(&self, typed: &str, force: bool) -> Result<String, String> {
        match Self::account(typed) {
            Err(_) if typed.is_empty() || typed.chars().any(char::is_control) => {
                Err("an account's name must not be empty or hold control characters".to_owned())
            }
            Err(reason) if force => {
                complain(format_args!("warning: {reason}"));
                Ok(typed.to_owned())
            }
            Err(reason) => Err(format!("{reason}; --force goes on all the same")),
            found => found,
        }
    }

    /// The places where numbers are kept, held for this process alone.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn book(&self) -> Result<Book, String> {
        Book::open(&self.config.users, &self.path)
    }

    /// The configuration's providers, judged and not opened.
    ///
    /// # Errors
    /// With the first that is unusable.
    pub fn gateway(&self) -> Result<Gateway, String> {
        let sources = Sources::load(&self.path, Trust::Root).map_err(|error| error.to_string())?;
        Gateway::check(&sources, &self.path, Trust::Root).map_err(|error| error.to_string())
    }

    /// Where the configuration is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A message as a login would write it, in the configuration's language.
    ///
    /// # Errors
    /// When that language is not installed.
    pub fn sms(&self, values: &Values<'_>) -> Result<Secret, String> {
        let rules = &self.config.message;
        let catalogue = load(rules.language).map_err(|error| error.to_string())?;
        let template = rules.text.as_ref().unwrap_or(catalogue.sms());
        Ok(Secret::from(template.render(values)))
    }

    /// The books of `user`, with what other hosts have counted where they share it.
    #[must_use]
    pub fn books<'a>(&'a self, user: &'a str) -> Ledger<'a> {
        let helper = Path::new(DEFAULT_HELPER);
        self.books_here(user).shown_by(Fleet::of(&self.config.limits, helper, &self.path, None))
    }

    /// The books of `user` on this host.
    #[must_use]
    pub fn books_here<'a>(&'a self, user: &'a str) -> Ledger<'a> {
        Ledger::new(&Places::default(), &self.config.limits, user, &BootClock)
    }
}

/// What changes a machine, or reads what only root may.
///
/// # Errors
/// When somebody else runs this.
pub fn root_only() -> Result<(), String> {
    match sys::is_root() {
        true => Ok(()),
        false => Err("only root may do this: run it with sudo".to_owned()),
    }
}

fn read(path: &Path) -> Result<Config, String> {
    let sources = Sources::load(path, Trust::Root).map_err(|error| error.to_string())?;
    sources.parse().map_err(|error| error.to_string())
}
