//! `pam-sms unlock`: forgets what counts against an account, or against the machine.

use clap::Args;

use super::office::{ConfigArgument, Office};
use super::terminal::{self, complain};

/// Open an account for codes by SMS again: what was sent and what was typed wrong is forgotten, as is
/// what is remembered of its visits. Numbers and backup codes stay.
///
/// Also mends state that is damaged. Says `changed` or `unchanged`.
///
/// Examples: `pam-sms unlock alice`, `pam-sms unlock --host`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    #[arg(required_unless_present = "host")]
    user: Option<String>,
    /// Forget what this machine has sent altogether.
    #[arg(long)]
    host: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Unlocks.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    if let Some(typed) = &arguments.user {
        // State of an account that is gone can be cleared, too.
        let user = Office::account(typed).unwrap_or_else(|_| typed.clone());
        // Who has no readable number can still be unlocked.
        let phones = office.phones(&user).unwrap_or_else(|error| {
            complain(format_args!(
                "warning: the limits of {user}'s numbers stay as they are: {error}"
            ));
            Vec::new()
        });
        let unlocked = office.books(&user).unlock(&phones);
        say(&user, unlocked.map_err(|barrier| barrier.to_string())?);
    }
    if arguments.host {
        let unlocked = office.books("").unlock_host();
        say("this machine", unlocked.map_err(|barrier| barrier.to_string())?);
    }
    Ok(())
}

fn say(what: &str, changed: bool) {
    match changed {
        true => terminal::say(format_args!(
            "{what}: unlocked, what counted against it is forgotten (changed)"
        )),
        false => terminal::say(format_args!("{what}: nothing counted against it (unchanged)")),
    }
}
