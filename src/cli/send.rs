//! `pam-sms send`: a test message, and what each provider says to it.

use std::time::Duration;

use clap::Args;

use super::errand::{HelperArgument, advice};
use super::office::{ConfigArgument, Office};
use super::terminal::{complain, say};
use super::user::number;
use crate::gateway::report::{Answered, Delivery, End, Report};
use crate::helper::wire::Question;
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::sys;

/// Longest text, in characters: what the strictest provider takes.
const LONGEST: usize = 1600;

/// Send a test message as logins do, by the same helper and the same providers, and tell what each
/// provider answered, what that means and what to do about it. It never holds a code and counts against
/// no limit. That a provider took a message does not mean that it arrives: --wait (or --wait=5m; a minute,
/// unless said otherwise) asks the provider.
///
/// Exit codes: 0, a provider took it, and with --wait, it has arrived or the provider cannot be asked; 1,
/// none did, it will not arrive, or nobody knows; 2, the command line makes no sense.
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
    /// Ask on, where the provider can be asked, until it says whether the message has arrived.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = patience,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60s",
        conflicts_with = "dry_run"
    )]
    wait: Option<Duration>,
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
    let mut helper = arguments.helper.start(&office, provider);
    let question = match arguments.wait {
        None => Question::Probe(&number, &text),
        Some(patience) => {
            helper.timeout += patience;
            Question::Follow(&number, &text)
        }
    };
    tell(&helper.ask(question)?, &number)
}

/// How long `--wait` may last.
fn patience(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|_| "write it like 90s or 5m".to_owned())?;
    match time.as_secs() {
        1..=600 => Ok(time),
        _ => Err("must be from 1s to 10m".to_owned()),
    }
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
    let last = report.answers.last();
    match last.map(|answer| answer.result) {
        Some(Answered::Accepted) => arrival(last.and_then(|answer| answer.delivery.as_ref())),
        Some(Answered::Refused) => Err("the number takes no messages".to_owned()),
        _ => Err("no provider took the message".to_owned()),
    }
}

/// What became of a message that was taken.
fn arrival(delivery: Option<&Delivery>) -> Result<(), String> {
    let Some(Delivery { end, said }) = delivery else { return Ok(()) };
    let words = if said.is_empty() { String::new() } else { format!(" ({said})") };
    match end {
        End::Delivered => say(format_args!("It has arrived{words}.")),
        End::Unasked => say("Whether it arrives is not known: this provider cannot be asked."),
        End::Undelivered => return Err(format!("it will not arrive{words}")),
        End::Pending => return Err(format!("it had not arrived when the time was over{words}")),
    }
    Ok(())
}
