//! `pam-sms user`: who has which number.
//!
//! ```text
//! set.rs     one person          verify.rs  by a code to the new number
//! remove.rs  everything of one   import.rs  many people from a CSV file
//! show.rs    one, or all of them  approve.rs  new numbers of a directory
//! ```

mod approve;
mod import;
mod remove;
mod set;
mod show;
pub mod verify;

use clap::{Args, Subcommand};

pub use set::number;

use crate::people::{PhoneNumber, Record};

/// Who has which number: set, remove, show, list, import and approve.
///
/// They stand in users.toml beside the configuration, or one file a person in users.d where
/// `[users] directory` names it or users.toml is not there. Comments and order stay, logins see the old
/// file or the new one. Numbers are shown as *23 unless --full is given. Says `changed` or `unchanged`.
///
/// Exit codes: 0, it went well, also where nothing had to be changed; 1, it did not; 2, the command line
/// makes no sense.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Set(set::Arguments),
    Remove(remove::Arguments),
    Show(show::ShowArguments),
    List(show::ListArguments),
    Import(import::Arguments),
    Approve(approve::Arguments),
}

/// Does it.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    match &arguments.command {
        Command::Set(arguments) => set::run(arguments),
        Command::Remove(arguments) => remove::run(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::List(arguments) => show::list(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Approve(arguments) => approve::run(arguments),
    }
}

/// A record's numbers as they are shown.
fn phones(record: &Record, full: bool) -> Vec<String> {
    let shown = |p: &PhoneNumber| if full { p.as_e164().to_owned() } else { p.masked() };
    record.phones.iter().map(shown).collect()
}

/// A record in a few words: `*23, *89, language de, provider smsc`.
fn in_words(record: &Record, full: bool) -> String {
    let mut words = phones(record, full);
    words.extend(record.language.as_ref().map(|language| format!("language {language}")));
    words.extend(record.provider.as_ref().map(|provider| format!("provider {provider}")));
    words.extend(record.voice.then(|| "voice".to_owned()));
    words.join(", ")
}

/// What keeping a record changes.
fn change(old: Option<&crate::people::book::Entry>, new: &Record) -> &'static str {
    match old {
        // A number that somebody gave themselves becomes the admin's word.
        Some(entry) if entry.record == *new && !entry.enrolled => "unchanged",
        Some(_) => "changed",
        None => "added",
    }
}
