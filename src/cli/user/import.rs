//! `pam-sms user import`: many people at once, or none of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use super::set::number;
use super::{change, in_words};
use crate::cli::office::{ConfigArgument, Office};
use crate::cli::terminal::{complain, say};
use crate::login::language::Language;
use crate::people::{MOST_PHONES, PhoneNumber, Record};

/// Longest file, in bytes.
const LONGEST: u64 = 64 << 20;

/// Keep the numbers of many people, from a file with a line for each: name, number, further numbers and,
/// last, a language. A first line that begins with `name` is a header. Who is not in the file stays as
/// they are, as do language and provider of those who are, where the line names none.
///
/// Every line is reported. Where one is wrong, nothing is written.
///
/// Example: `pam-sms user import people.csv --dry-run`, with lines like `bob,+447700900123,+14155550123,de`
#[derive(Args)]
pub struct Arguments {
    /// The file: UTF-8, with commas between the fields.
    file: PathBuf,
    /// Report, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Go on where accounts are unknown.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Imports.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    // Lines are counted by their ends, and must be one byte for that.
    let text = read(&arguments.file)?.replace("\r\n", "\n");
    let book = office.book()?;
    let known = book.everyone()?;
    let (mut people, mut wrong, mut lines) = (Vec::new(), 0, BTreeMap::new());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(|error| format!("{}: {error}", arguments.file.display()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let fields: Vec<_> = row.iter().collect();
        if index == 0 && is_header(&fields) {
            say(format_args!("line {line}: a header"));
            continue;
        }
        let read = person(&fields, &office, arguments.force).and_then(|(user, mut record)| {
            if let Some(first) = lines.insert(user.clone(), line) {
                return Err(format!("{user} is on line {first} already"));
            }
            let old = known.get(&user).map(|old| &old.record);
            record.provider = old.and_then(|old| old.provider.clone());
            record.voice = old.is_some_and(|old| old.voice);
            record.language = record.language.or(old.and_then(|old| old.language.clone()));
            Ok((user, record))
        });
        match read {
            Ok((user, record)) => {
                let what = change(known.get(&user), &record);
                say(format_args!("line {line}: {user}: {} ({what})", in_words(&record, false)));
                if what != "unchanged" {
                    people.push((user, record));
                }
            }
            Err(reason) => {
                wrong += 1;
                complain(format_args!("error: line {line}: {reason}"));
            }
        }
    }
    match (wrong, arguments.dry_run) {
        (0, false) => {
            book.set(&people)?;
            let changed = if people.is_empty() { "unchanged" } else { "changed" };
            say(format_args!("{} people written ({changed})", people.len()));
            Ok(())
        }
        (0, true) => {
            say(format_args!("{} people would be written", people.len()));
            Ok(())
        }
        _ => Err(format!("{wrong} lines are wrong: nothing was written")),
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(fail)?;
    let mut text = String::new();
    let length = file.take(LONGEST + 1).read_to_string(&mut text).map_err(fail)?;
    if length as u64 > LONGEST {
        return Err(format!("{}: is longer than {} MiB", path.display(), LONGEST >> 20));
    }
    Ok(text)
}

fn is_header(fields: &[&str]) -> bool {
    let first = fields.first().copied().unwrap_or_default();
    ["name", "user", "username", "account"].iter().any(|word| first.eq_ignore_ascii_case(word))
        && fields.iter().skip(1).all(|field| !field.starts_with('+'))
}

fn person(fields: &[&str], office: &Office, force: bool) -> Result<(String, Record), String> {
    let (typed, rest) = fields.split_first().ok_or("is empty")?;
    if rest.is_empty() && typed.contains(';') {
        return Err("fields are separated by commas, not semicolons".to_owned());
    }
    // A table's columns may be empty.
    let mut rest: Vec<_> = rest.iter().copied().filter(|field| !field.is_empty()).collect();
    let is_last = |last: &&&str| last.starts_with(|c: char| c.is_alphabetic());
    let language = rest.last().filter(is_last).copied();
    rest.truncate(rest.len() - usize::from(language.is_some()));
    if let Some(tag) = language {
        Language::parse(tag).map_err(|error| error.to_string())?;
    }
    let mut phones: Vec<PhoneNumber> = Vec::new();
    for (index, typed) in rest.iter().enumerate() {
        let number =
            number(typed, office).map_err(|said| format!("number {}: {said}", index + 1))?;
        if phones.contains(&number) {
            return Err(format!("number {}: is there twice", index + 1));
        }
        phones.push(number);
    }
    match phones.len() {
        0 => return Err("there is no number".to_owned()),
        1..=MOST_PHONES => {}
        _ => return Err(format!("at most {MOST_PHONES} phones a person")),
    }
    let user = office.name(typed, force)?;
    Ok((user, Record { language: language.map(str::to_owned), ..phones.into() }))
}
