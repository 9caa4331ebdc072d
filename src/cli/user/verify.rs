//! A new number is shown to be the person's, and the old one is told that it no longer counts.

use crate::cli::errand::{HelperArgument, Through};
use crate::cli::office::Office;
use crate::cli::terminal::{self, complain, say};
use crate::login::answer::Answer;
use crate::login::code::{Code, Reference};
use crate::message::Values;
use crate::people::{PhoneNumber, Record};
use crate::secret::Secret;
use crate::sys;

/// Sends a code to each of these numbers and asks for it here.
///
/// # Errors
/// In words, when one is not confirmed; then nothing must be kept.
pub fn confirm(
    user: &str,
    numbers: &[&PhoneNumber],
    through: Through<'_>,
    office: &Office,
    helper: &HelperArgument,
) -> Result<(), String> {
    if !numbers.is_empty() && !terminal::is_there() {
        return Err("--verify asks for the code that was sent: run it at a terminal".to_owned());
    }
    numbers.iter().try_for_each(|number| confirm_one(user, number, through, office, helper))
}

fn confirm_one(
    user: &str,
    number: &PhoneNumber,
    through: Through<'_>,
    office: &Office,
    helper: &HelperArgument,
) -> Result<(), String> {
    let rules = &office.config.code;
    let code = Code::random(rules.digits.get()).map_err(|error| error.to_string())?;
    let reference = Reference::random(None).map_err(|error| error.to_string())?;
    let (host, lifetime) = (sys::host_name(), rules.lifetime.get());
    let text = office.sms(&Values {
        code: code.expose(),
        reference: reference.as_str(),
        host: &host,
        user,
        minutes: lifetime.as_secs().div_ceil(60),
    })?;
    helper.deliver(office, through, number, &text)?;
    // Time asleep counts, as at a login.
    let expires = sys::boot_time() + lifetime;
    say(format_args!("SMS sent to {}, reference {reference}.", number.masked()));
    let nothing_kept = |why: &str| format!("{}: {why}; nothing was changed", number.masked());
    for left in (0..rules.attempts.get()).rev() {
        let typed = terminal::ask("Code: ").map_err(|error| error.to_string())?;
        let typed = Secret::from(typed.ok_or_else(|| nothing_kept("no code was typed"))?);
        if sys::boot_time() >= expires {
            return Err(nothing_kept("the code has expired"));
        }
        match Answer::read(&typed, Some(&reference)) {
            Answer::Try(plain) if code.matches(plain.expose()) => return Ok(()),
            _ => {}
        }
        if left > 0 {
            say("Wrong code.");
        }
    }
    Err(nothing_kept("the code was wrong"))
}

/// Tells those who had the number until now, by a provider that sends texts. That it was changed does not hang
/// on it.
pub fn tell_old(user: &str, old: &Record, office: &Office, helper: &HelperArgument) {
    let host = sys::host_name();
    let text = Secret::from(format!(
        "The phone number for codes of {user} on {host} was changed. Not you? Call your \
         administrator."
    ));
    for number in &old.phones {
        match helper.deliver(office, Through::First(old.provider.as_deref()), number, &text) {
            Ok(()) => say(format_args!("{} was told.", number.masked())),
            Err(reason) => complain(format_args!("warning: the old number was not told: {reason}")),
        }
    }
}
