//! `pam-sms user remove`: everything that is kept of a person goes.

use clap::Args;

use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
#[cfg(feature = "ldap")]
use crate::directory::known::forget;
#[cfg(feature = "ldap")]
use crate::state::Places;

/// Erase everything that is kept of an account: its numbers, also those given at a login, its backup
/// codes, and what counts against it and its numbers. Says what there was.
///
/// What the log holds is not touched. Empty lock files stay, which hold nothing but the account's name
/// (until the machine is started anew, where they stand in /run). Where hosts share their limits and their store
/// gives no answer, what is there stays, which is said, and exit code 1.
///
/// Example: `pam-sms user remove alice`
#[derive(Args)]
pub struct Arguments {
    /// The account; also one that is no longer in the user database.
    name: String,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Removes.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    // Somebody who has left is the usual case.
    let user = Office::account(&arguments.name).unwrap_or_else(|_| arguments.name.clone());
    let book = office.book()?;
    let phones = match book.find(&user) {
        Ok(found) => found.map(|entry| entry.record.phones).unwrap_or_default(),
        // A record that cannot be read can be removed.
        Err(reason) => {
            complain(format_args!("warning: the limits of {user}'s numbers stay: {reason}"));
            Vec::new()
        }
    };
    let mut erased = book.remove(&user)?;
    // What counts against a number counts against everybody who has it.
    let own = match book.everyone() {
        Ok(others) => {
            let others: Vec<_> = others.values().flat_map(|other| &other.record.phones).collect();
            phones.into_iter().filter(|phone| !others.contains(&phone)).collect()
        }
        Err(reason) => {
            complain(format_args!("warning: the limits of {user}'s numbers stay: {reason}"));
            Vec::new()
        }
    };
    let books = office.books(&user);
    let state = books.erase(&own).map_err(|barrier| barrier.to_string())?;
    erased.extend(state.into_iter().map(str::to_owned));
    #[cfg(feature = "ldap")]
    if forget(&user, &Places::default()).map_err(|error| error.to_string())? {
        erased.push("what was kept of the directory's answer".to_owned());
    }
    if office.config.users.ldap.is_some() {
        complain("what the directory ([users.ldap]) has of an account is erased there");
    }
    match erased.is_empty() {
        true => say(format_args!("{user}: nothing is kept (unchanged)")),
        false => say(format_args!("{user}: erased {} (changed)", erased.join(", "))),
    }
    match books.without_store() {
        None => Ok(()),
        Some(reason) => Err(format!(
            "what other hosts counted of {user} stays: {reason}; remove it again later"
        )),
    }
}
