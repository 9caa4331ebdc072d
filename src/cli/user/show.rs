//! `pam-sms user show` and `pam-sms user list`.

use clap::Args;
use serde_json::{Value, json};

use super::{in_words, phones};
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::say;
use crate::people::book::Entry;

/// Show what is kept of an account: numbers, language, provider, and where. Exit code 1: nothing is.
///
/// Examples: `pam-sms user show alice`, `pam-sms user show alice --full --json`
#[derive(Args)]
pub struct ShowArguments {
    /// The account.
    name: String,
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
    let entry = office.book()?.find(&user)?.ok_or_else(none)?;
    if form.json {
        say(format_args!("{:#}", as_json(&user, &entry, form.full)));
        return Ok(());
    }
    say(&user);
    say(format_args!("  phones    {}", phones(&entry.record, form.full).join(", ")));
    for (what, value) in
        [("language", &entry.record.language), ("provider", &entry.record.provider)]
    {
        if let Some(value) = value {
            say(format_args!("  {what}  {value}"));
        }
    }
    say(format_args!("  from      {}", origin(&entry)));
    Ok(())
}

/// Shows everybody.
///
/// # Errors
/// In words for the terminal.
pub fn list(arguments: &ListArguments) -> Result<(), String> {
    let form = &arguments.form;
    let all = Office::open(&form.config)?.book()?.everyone()?;
    if form.json {
        let all: Vec<_> = all.iter().map(|(user, e)| as_json(user, e, form.full)).collect();
        say(format_args!("{:#}", Value::from(all)));
        return Ok(());
    }
    if all.is_empty() {
        say("nobody has a number");
    }
    for (user, entry) in &all {
        let note = if entry.enrolled { ", given at a login" } else { "" };
        say(format_args!("{user}: {}{note}", in_words(&entry.record, form.full)));
    }
    Ok(())
}

fn origin(entry: &Entry) -> String {
    match entry.enrolled {
        true => "given by the person at a login".to_owned(),
        false => entry.path.display().to_string(),
    }
}

fn as_json(user: &str, entry: &Entry, full: bool) -> Value {
    json!({
        "user": user,
        "phones": phones(&entry.record, full),
        "language": entry.record.language,
        "provider": entry.record.provider,
        "enrolled": entry.enrolled,
        "file": (!entry.enrolled).then(|| entry.path.display().to_string()),
    })
}
