//! `pam-sms user approve`: the numbers that a directory has now are somebody's own.

use clap::Args;

use crate::cli::errand::HelperArgument;
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
use crate::people::PhoneNumber;
use crate::people::directory::{Lookup, Purpose};

/// Agree to the numbers that the directory has of an account now, in the place of those that counted.
///
/// The numbers of the first login that came right count. Later ones wait for this: in many directories
/// people may write their own entry, and so may whoever has their password. Ask the person first, by
/// another way than the phone. With `[users.ldap] pin = false` nothing waits.
///
/// Example: `pam-sms user approve alice`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    name: String,
    #[command(flatten)]
    helper: HelperArgument,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Agrees.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let user = Office::account(&arguments.name)?;
    let answer = office.directory(&user, Purpose::Approve, &arguments.helper.helper);
    let answer = answer.ok_or("there is no directory: [users.ldap] is not configured")?;
    match answer.lookup {
        Lookup::Found => {
            if !answer.detail.is_empty() {
                complain(format_args!("warning: {}", answer.detail));
            }
            let phones: Vec<_> = answer.phones.iter().map(PhoneNumber::masked).collect();
            say(format_args!("{user}: {} ({})", phones.join(", "), answer.via));
            Ok(())
        }
        Lookup::NoNumber => Err(format!("the entry of {user} has no number")),
        Lookup::NoEntry => Err(format!("the directory has no entry of {user}")),
        Lookup::OutOfReach | Lookup::Failed => Err(answer.detail),
    }
}
