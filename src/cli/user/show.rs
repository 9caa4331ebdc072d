//! `pam-sms user show` and `pam-sms user list`.

use clap::Args;
use serde_json::{Value, json};

use super::{in_words, phones};
use crate::cli::errand::HelperArgument;
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
use crate::people::Record;
use crate::people::book::Entry;
use crate::people::directory::{Lookup, Purpose};

/// Show what is kept of an account: numbers, language, provider, and where. Exit code 1: nothing is.
///
/// Examples: `pam-sms user show alice`, `pam-sms user show alice --full --json`
#[derive(Args)]
pub struct ShowArguments {
    /// The account.
    name: String,
    #[command(flatten)]
    helper: HelperArgument,
    #[command(flatten)]
    form: Form,
}

/// Show everybody who has a number.
///
/// Examples: `pam-sms user list`, `pam-sms user list --full --json`
#[derive(Args)]
pub struct ListArguments {
    #[command(flatten)]
    form: Form,
}

#[derive(Args)]
struct Form {
    /// Whole numbers, not only their last two digits.
    #[arg(long)]
    full: bool,
    /// For scripts: JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Shows one person.
///
/// # Errors
/// In words for the terminal.
pub fn show(arguments: &ShowArguments) -> Result<(), String> {
    let form = &arguments.form;
    let office = Office::open(&form.config)?;
    let user = Office::account(&arguments.name).unwrap_or_else(|_| arguments.name.clone());
    let none = || format!("{user} has no number; `pam-sms user set {user} +...` gives one");
    let kept = office.book()?.find(&user)?.map(Origin::Kept);
    // As at a login: what people gave themselves comes after the directory, where somebody has agreed to
    // what that has.
    let origin = match kept {
        Some(Origin::Kept(entry)) if !entry.enrolled => Origin::Kept(entry),
        kept => match (directory(&office, &user, arguments)?, kept) {
            (Some((_, true)), Some(kept)) => kept,
            (Some((found, _)), _) => found,
            (None, kept) => kept.ok_or_else(none)?,
        },
    };
    let record = origin.record();
    if form.json {
        say(format_args!("{:#}", origin.as_json(&user, form.full)));
        return Ok(());
    }
    say(&user);
    say(format_args!("  phones    {}", phones(record, form.full).join(", ")));
    for (what, value) in [("language", &record.language), ("provider", &record.provider)] {
        if let Some(value) = value {
            say(format_args!("  {what}  {value}"));
        }
    }
    say(format_args!("  from      {}", origin.in_words()));
    Ok(())
}

/// Whence a record is.
enum Origin {
    /// A place of this machine's.
    Kept(Entry),
    /// The directory, by this server.
    Directory(Record, String),
}

/// What the directory has, and whether nobody has agreed to any of it; in words what is wrong with it.
fn directory(
    office: &Office,
    user: &str,
    arguments: &ShowArguments,
) -> Result<Option<(Origin, bool)>, String> {
    let answer = office.directory(user, Purpose::Look, &[], &arguments.helper.helper);
    let Some(answer) = answer else { return Ok(None) };
    if matches!(answer.lookup, Lookup::OutOfReach | Lookup::Failed) {
        return Err(format!("[users.ldap]: {}", answer.detail));
    }
    if !answer.detail.is_empty() {
        complain(format_args!("warning: {}", answer.detail));
    }
    let record = Record { language: answer.language, ..Record::from(answer.phones) };
    let found = (Origin::Directory(record, answer.via), answer.is_first);
    Ok((answer.lookup == Lookup::Found).then_some(found))
}

/// Shows everybody.
///
/// # Errors
/// In words for the terminal.
pub fn list(arguments: &ListArguments) -> Result<(), String> {
    let form = &arguments.form;
    let office = Office::open(&form.config)?;
    let all = office.book()?.everyone()?;
    if form.json {
        let all: Vec<_> = all
            .iter()
            .map(|(user, e)| as_json(user, &e.record, e.enrolled, file(e).as_deref(), form.full))
            .collect();
        say(format_args!("{:#}", Value::from(all)));
        return Ok(());
    }
    if office.config.users.ldap.is_some() {
        complain("people in the directory ([users.ldap]) are not listed");
    } else if all.is_empty() {
        say("nobody has a number");
    }
    for (user, entry) in &all {
        let note = if entry.enrolled { ", given at a login" } else { "" };
        say(format_args!("{user}: {}{note}", in_words(&entry.record, form.full)));
    }
    Ok(())
}

impl Origin {
    fn record(&self) -> &Record {
        match self {
            Self::Kept(entry) => &entry.record,
            Self::Directory(record, _) => record,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Kept(entry) => {
                file(entry).unwrap_or_else(|| "given by the person at a login".to_owned())
            }
            Self::Directory(_, via) => format!("the directory {via}"),
        }
    }

    fn as_json(&self, user: &str, full: bool) -> Value {
        match self {
            Self::Kept(entry) => {
                as_json(user, &entry.record, entry.enrolled, file(entry).as_deref(), full)
            }
            Self::Directory(record, via) => {
                let mut json = as_json(user, record, false, None, full);
                json["directory"] = Value::from(via.as_str());
                json
            }
        }
    }
}

fn file(entry: &Entry) -> Option<String> {
    (!entry.enrolled).then(|| entry.path.display().to_string())
}

fn as_json(user: &str, record: &Record, enrolled: bool, file: Option<&str>, full: bool) -> Value {
    json!({
        "user": user,
        "phones": phones(record, full),
        "language": record.language,
        "provider": record.provider,
        "enrolled": enrolled,
        "file": file,
    })
}
