//! `pam-sms user approve`: numbers of a directory are somebody's own.

use clap::Args;

use super::set::numbers;
use crate::cli::errand::HelperArgument;
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
use crate::people::PhoneNumber;
use crate::people::directory::{Lookup, Purpose};

/// Agree to numbers that a directory has of an account, in the place of those that counted.
///
/// The numbers of the first login that came right count, or none where `[users.ldap] pin = "strict"`. Later
/// ones wait for this: in many directories people may write their own entry, and so may whoever has their
/// password. Ask the person first, by another way than the phone, and give the numbers that they say; without
/// any, those count that the directory has now. Says what that changes. With `pin = false` nothing waits.
///
/// Examples: `pam-sms user approve alice +4915123456789`, `pam-sms user approve alice`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    name: String,
    /// The person's phone numbers, whether the directory has them already or not.
    #[arg(value_name = "NUMBER")]
    numbers: Vec<String>,
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
    let numbers = numbers(&arguments.numbers, &office)?;
    let answer = office.directory(&user, Purpose::Approve, &numbers, &arguments.helper.helper);
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
