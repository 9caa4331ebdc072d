//! `pam-sms user set`: gives a person their number.

use clap::Args;

use super::{change, in_words, verify};
use crate::cli::errand::{HelperArgument, Through};
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
use crate::login::language::Language;
use crate::people::{MOST_PHONES, PhoneNumber, Record};

/// Give an account its phone numbers, the preferred one first; those it had are replaced.
///
/// Language and provider stay as they are unless they are given; an empty one (`--language ""`) takes
/// it away. A number that the person gave at a login is forgotten.
///
/// Examples: `pam-sms user set alice +4915123456789`, `pam-sms user set bob +447700900123 +14155550123
/// --language de --verify`, `pam-sms user set bob --provider smsc`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    name: String,
    /// Phone numbers with their country code.
    #[arg(value_name = "NUMBER")]
    numbers: Vec<String>,
    /// What the person reads, like de or pt-BR.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The provider that is tried first for this person: the `name`, else the `kind`, of its table.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Text a code to each new number and ask for it here; tell the old numbers that they were changed.
    #[arg(long)]
    verify: bool,
    /// Go on where the account or the provider is unknown.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

/// Sets.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let user = office.name(&arguments.name, arguments.force)?;
    let numbers = numbers(&arguments.numbers, &office)?;
    // Not held while a person looks for a phone: others may change other people meanwhile.
    let old = office.book()?.find(&user)?;
    let was = old.as_ref().map(|entry| &entry.record);
    let record = Record {
        phones: match was {
            _ if !numbers.is_empty() => numbers,
            Some(was) => was.phones.clone(),
            None => return Err(format!("{user} has no number yet: give one, like +4915123456789")),
        },
        language: pick(arguments.language.as_deref(), was.and_then(|was| was.language.as_deref())),
        provider: pick(arguments.provider.as_deref(), was.and_then(|was| was.provider.as_deref())),
        voice: was.is_some_and(|was| was.voice),
    };
    judge(&record, arguments, &office)?;
    let what = change(old.as_ref(), &record);
    if arguments.verify {
        let is_new = |phone: &&PhoneNumber| !was.is_some_and(|was| was.phones.contains(phone));
        let new: Vec<_> = record.phones.iter().filter(is_new).collect();
        let through = Through::First(record.provider.as_deref());
        verify::confirm(&user, &new, through, &office, &arguments.helper)?;
    }
    if what != "unchanged" {
        let book = office.book()?;
        if book.find(&user)? != old {
            return Err(format!("{user} was changed by another process meanwhile: try again"));
        }
        book.set(&[(user.clone(), record.clone())])?;
    }
    say(format_args!("{user}: {} ({what})", in_words(&record, false)));
    if let Some(was) = was.filter(|was| arguments.verify && was.phones != record.phones) {
        verify::tell_old(&user, was, &office, &arguments.helper);
    }
    Ok(())
}

/// Numbers to which the configuration lets messages go, each once.
///
/// # Errors
/// In words that do not repeat them.
pub fn numbers(typed: &[String], office: &Office) -> Result<Vec<PhoneNumber>, String> {
    if typed.len() > MOST_PHONES {
        return Err(format!("at most {MOST_PHONES} phones a person"));
    }
    let mut numbers = Vec::new();
    for (index, typed) in typed.iter().enumerate() {
        let number =
            number(typed, office).map_err(|said| format!("number {}: {said}", index + 1))?;
        if numbers.contains(&number) {
            return Err(format!("number {}: is there twice", index + 1));
        }
        numbers.push(number);
    }
    Ok(numbers)
}

/// A number to which the configuration lets messages go.
///
/// # Errors
/// In words that do not repeat it.
pub fn number(typed: &str, office: &Office) -> Result<PhoneNumber, String> {
    let number: PhoneNumber =
        typed.parse().map_err(|error: crate::people::phone::PhoneError| error.to_string())?;
    office.config.limits.allows(&number).map_err(|said| format!("no messages go there: {said}"))?;
    Ok(number)
}

fn pick(given: Option<&str>, old: Option<&str>) -> Option<String> {
    given.or(old).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn judge(record: &Record, arguments: &Arguments, office: &Office) -> Result<(), String> {
    if let Some(tag) = record.language.as_deref() {
        Language::parse(tag).map_err(|error| error.to_string())?;
    }
    let Some(name) = record.provider.as_deref() else { return Ok(()) };
    match office.gateway().and_then(|gateway| gateway.named(name).map(drop)) {
        Err(reason) if arguments.force => complain(format_args!("warning: {reason}")),
        Err(reason) => return Err(format!("{reason}; --force goes on all the same")),
        Ok(()) => {}
    }
    Ok(())
}
