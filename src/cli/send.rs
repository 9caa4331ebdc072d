//! `pam-sms send`: a test message, and what each provider says to it.

use clap::Args;

use super::errand::{HelperArgument, advice};
use super::office::{ConfigArgument, Office};
use super::terminal::{complain, say};
use super::user::number;
use crate::gateway::report::{Answered, Report};
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::sys;

/// Longest text, in characters: what the strictest provider takes.
const LONGEST: usize = 1600;

/// Send a test message as logins do, by the same helper and the same providers, and tell what each
/// provider answered, what that means and what to do about it. It never holds a code and counts against
/// no limit.
///
/// Exit codes: 0, a provider took it; 1, none did, or nobody knows; 2, the command line makes no sense.
///
/// Examples: `pam-sms send alice`, `pam-sms send +4915123456789 --provider smsc --dry-run`
#[derive(Args)]
pub struct Arguments {
    /// An account, or a number with its country code.
    #[arg(value_name = "USER|+NUMBER", allow_hyphen_values = false)]
    to: String,
    /// What it says; else "Test message from pam_sms on HOST."
    #[arg(long)]
    text: Option<String>,
    /// Only this provider: the `name`, else the `kind`, of its table.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Send nothing: show the requests that could be made, with secrets masked.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

/// Sends.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let number = recipient(&arguments.to, &office)?;
    let text = text(arguments.text.as_deref())?;
    let provider = arguments.provider.as_deref();
    if arguments.dry_run {
        return outline(&number, &text, arguments, &office);
    }
    let report = arguments.helper.start(&office, provider).ask(Some((&number, &text)))?;
    tell(&report, &number)
}

fn recipient(to: &str, office: &Office) -> Result<PhoneNumber, String> {
    if to.starts_with('+') {
        return number(to, office);
    }
    let user = Office::account(to)?;
    let phones = office.phones(&user)?;
    let none = || format!("{user} has no number; `pam-sms user set {user} +...` gives one");
    let phone = phones.into_iter().next().ok_or_else(none)?;
    // As a login would.
    office.config.limits.allows(&phone).map_err(|said| format!("no messages go there: {said}"))?;
    Ok(phone)
}

fn text(given: Option<&str>) -> Result<Secret, String> {
    let text = match given {
        Some(text) => text.to_owned(),
        None => format!("Test message from pam_sms on {}.", sys::host_name()),
    };
    if text.trim().is_empty() || text.chars().count() > LONGEST {
        return Err(format!("--text must hold from 1 to {LONGEST} characters"));
    }
    Ok(Secret::from(text))
}

fn outline(
    number: &PhoneNumber,
    text: &Secret,
    arguments: &Arguments,
    office: &Office,
) -> Result<(), String> {
    let gateway = office.gateway()?;
    let requests = gateway.outline(number, text, arguments.provider.as_deref())?;
    if requests.is_empty() {
        return Err("no provider is configured for this number's country".to_owned());
    }
    // A number that was typed may be seen; one that was looked up is somebody's.
    let is_typed = arguments.to.starts_with('+');
    for (index, (provider, lines)) in requests.iter().enumerate() {
        let order = if index == 0 { "" } else { ", if those before it do not take the message" };
        say(format_args!("{provider}{order}:"));
        for line in lines {
            let line = match is_typed {
                true => line.clone(),
                false => line.replace(number.digits(), &number.masked()),
            };
            say(format_args!("    {line}"));
        }
    }
    say("Nothing was sent.");
    Ok(())
}

fn tell(report: &Report, number: &PhoneNumber) -> Result<(), String> {
    for warning in &report.warnings {
        complain(format_args!("warning: {warning}"));
    }
    if let Some(error) = &report.error {
        return Err(error.clone());
    }
    for answer in &report.answers {
        let (name, to) = (&answer.provider, number.masked());
        match answer.result {
            Answered::Accepted => say(format_args!("{name}: took the message to {to}")),
            Answered::Uncertain => say(format_args!("{name}: may have taken it: {}", answer.said)),
            Answered::Refused => say(format_args!("{name}: refuses {to}: {}", answer.said)),
            _ => say(format_args!("{name}: {}", answer.said)),
        }
        if answer.result != Answered::Accepted {
            say(format_args!("    {}", advice(answer)));
        }
    }
    match report.answers.last().map(|answer| answer.result) {
        Some(Answered::Accepted) => Ok(()),
        Some(Answered::Refused) => Err("the number takes no messages".to_owned()),
        _ => Err("no provider took the message".to_owned()),
    }
}
