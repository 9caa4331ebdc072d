//! `pam-sms unlock`: forgets what counts against an account, or against the machine.

use clap::Args;

use super::office::{ConfigArgument, Office};
use super::terminal::{self, complain};

/// Open an account for codes by SMS again: what was sent and what was typed wrong is forgotten, as is
/// what is remembered of its visits. Numbers and backup codes stay.
///
/// Also mends state that is damaged. Says `changed` or `unchanged`. Where hosts share their limits it is
/// unlocked on all of them; if their store gives no answer, on this one only, which is said, and exit code 1.
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
    let mut left_elsewhere = None;
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
        let books = office.books(&user);
        let changed = books.unlock(&phones).map_err(|barrier| barrier.to_string())?;
        let here = if books.without_store().is_some() { " on this host only" } else { "" };
        say(&user, changed, here);
        left_elsewhere = books.without_store().map(|reason| {
            format!(
                "what counts against {user} on other hosts stays: {reason}; unlock it again later"
            )
        });
    }
    if arguments.host {
        let unlocked = office.books("").unlock_host();
        say("this machine", unlocked.map_err(|barrier| barrier.to_string())?, "");
    }
    left_elsewhere.map_or(Ok(()), Err)
}

fn say(what: &str, changed: bool, here: &str) {
    match changed {
        true => terminal::say(format_args!(
            "{what}: unlocked{here}, what counted against it is forgotten (changed)"
        )),
        false => {
            terminal::say(format_args!("{what}: nothing counted against it{here} (unchanged)"));
        }
    }
}
