//! Numbers, and who has them.

use ldap3::SearchEntry;

use super::{holds_no_number, text_of};
use crate::config::source::Sources;
use crate::directory::entry::judge;
use crate::directory::rules::Rules;
use crate::people::directory::Lookup;
use crate::people::edit::{UsersFile, own_file};
use crate::people::{MOST_PHONES, PhoneNumber, Prefix, Record, file};

fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A number that is read is the one that was typed, digit by digit; one that is refused is not told.
pub fn phone(data: &[u8]) {
    let Some(typed) = text_of(data) else { return };
    match typed.parse::<PhoneNumber>() {
        Ok(number) => {
            assert!(is_e164(number.as_e164()));
            assert_eq!(number.digits(), digits(typed));
            assert_eq!(number.as_e164().parse::<PhoneNumber>().as_ref(), Ok(&number));
            assert_eq!(number.masked().len(), 3);
            holds_no_number(&format!("{number:?}"));
        }
        Err(error) => holds_no_number(&error.to_string()),
    }
    if let Ok(prefix) = typed.parse::<Prefix>() {
        assert_eq!(prefix.as_str().parse::<Prefix>().as_ref(), Ok(&prefix));
    }
}

/// A users file: no error tells a number; a record that is written is the record that is read, and
/// writing it changes nobody else's.
pub fn users(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let sources = Sources::from_text("users.toml", text);
    let Ok(merged) = sources.merged().map_err(|error| holds_no_number(&error.to_string())) else {
        return;
    };
    let names: Vec<_> = merged.keys().map(|name| name.get_ref().to_string()).collect();
    let mut records = Vec::new();
    for name in &names {
        match file::find(&sources, name) {
            Ok(record) => records.push((name, record.expect("a name that stands in the file"))),
            Err(error) => holds_no_number(&error.to_string()),
        }
    }
    for (_, record) in &records {
        assert!((1..=MOST_PHONES).contains(&record.phones.len()));
        assert!(record.phones.iter().all(|phone| is_e164(phone.as_e164())));
    }
    // Whether anybody is enrolled must not hang on how the file is read.
    if records.len() == names.len() {
        let all = file::all(&sources).expect("all of them can be read one by one");
        assert_eq!(all.len(), names.len());
    }
    if let Some((first, record)) = records.first() {
        written(text, first, record, &records);
    }
}

fn written(text: &str, user: &str, record: &Record, records: &[(&String, Record)]) {
    let mut edited = UsersFile::parse(text).expect("both readers of TOML agree");
    edited.set(user, record);
    let after = Sources::from_text("users.toml", &edited.text());
    for (name, record) in records {
        assert_eq!(file::find(&after, name).ok().flatten().as_ref(), Some(record), "{name}");
    }
    assert!(edited.remove(user));
    let after = Sources::from_text("users.toml", &edited.text());
    for (name, record) in records {
        let wanted = (name.as_str() != user).then_some(record);
        assert_eq!(file::find(&after, name).expect("still TOML").as_ref(), wanted, "{name}");
    }
    let own = own_file("", record).expect("an empty file is TOML");
    assert_eq!(Sources::from_text("own.toml", &own).parse().ok().as_ref(), Some(record));
}

/// An entry of a directory: `attribute: value` in each line, and `country: +49` for the rule.
pub fn entry(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let mut rules =
        "url = 'ldaps://a'\nbase = 'dc=a'\nattribute = ['mobile', 'pager']\n".to_owned();
    let mut entry =
        SearchEntry { dn: String::new(), attrs: Default::default(), bin_attrs: Default::default() };
    for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
        if name == "country" && value.parse::<Prefix>().is_ok() && !rules.contains("country") {
            rules.push_str(&format!("country = '{value}'\n"));
        } else {
            entry.attrs.entry(name.to_owned()).or_default().push(value.to_owned());
        }
    }
    let rules: Rules = Sources::from_text("x", &rules).parse().expect("rules of our own");
    let answer = judge(&entry, &rules);
    let values = || entry.attrs.values().flatten();
    assert!(answer.phones.len() <= MOST_PHONES);
    for (index, phone) in answer.phones.iter().enumerate() {
        assert!(is_e164(phone.as_e164()));
        assert!(!answer.phones[..index].contains(phone));
        // Nothing is added but a country, and nothing left out but zeros.
        let is_written = |value: &String| {
            let written = digits(value);
            phone.digits().ends_with(written.trim_start_matches('0')) && !written.is_empty()
        };
        assert!(values().any(is_written), "a number from nowhere");
    }
    assert_eq!(answer.lookup == Lookup::Found, !answer.phones.is_empty());
    assert!(matches!(answer.lookup, Lookup::Found | Lookup::NoNumber | Lookup::Failed));
    holds_no_number(&answer.detail);
    if let Some(language) = &answer.language {
        assert!(language.len() <= 64);
        assert!(language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }
    let filter = rules.filter_for(text);
    assert!(ldap3::parse_filter(&filter).is_ok(), "a name that is more than a name: {filter}");
    assert_eq!(filter.matches('(').count(), rules.filter.matches('(').count());
}
