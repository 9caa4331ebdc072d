//! What an entry says of a person: numbers, as they are dialled from abroad, and the language.

use ldap3::SearchEntry;

use super::Rules;
use crate::people::directory::{Answer, Lookup};
use crate::people::{MOST_PHONES, PhoneNumber, Prefix};

/// More bytes in one value are no number and no language.
const LONGEST_VALUE: usize = 64;

/// The answer that an entry is. A value that is no number is told without itself; an entry of nothing
/// but such values is an error: it must not look like one without a number.
pub fn judge(entry: &SearchEntry, rules: &Rules) -> Answer {
    let (mut phones, mut said): (Vec<PhoneNumber>, Vec<String>) = (Vec::new(), Vec::new());
    for attribute in rules.attribute.all() {
        for value in values(entry, attribute) {
            match number(value, rules.country.as_ref()) {
                Ok(phone) if phones.contains(&phone) => {}
                Ok(_) if phones.len() == MOST_PHONES => {
                    said.push(format!("`{attribute}`: only {MOST_PHONES} numbers count"));
                    break;
                }
                Ok(phone) => phones.push(phone),
                Err(reason) => said.push(format!("`{attribute}`: {reason}")),
            }
        }
    }
    // Its values are no text at all.
    let is_odd = |name: &str| entry.bin_attrs.keys().any(|known| known.eq_ignore_ascii_case(name));
    said.extend(
        rules.attribute.all().iter().filter(|name| is_odd(name)).map(|n| format!("`{n}`: no text")),
    );
    let lookup = match (phones.is_empty(), said.is_empty()) {
        (false, _) => Lookup::Found,
        (true, true) => Lookup::NoNumber,
        (true, false) => Lookup::Failed,
    };
    let language = values(entry, &rules.language_attribute).next().and_then(language);
    let language = language.filter(|_| lookup == Lookup::Found);
    Answer { phones, language, lookup, ..Answer::failed(said.join("; ")) }
}

/// The values of an attribute, in the server's order. Servers spell names as they like, and put options
/// like `;lang-de` behind them, which make other values of it.
fn values<'e>(entry: &'e SearchEntry, name: &str) -> impl Iterator<Item = &'e str> {
    let named = entry.attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    named.into_iter().flat_map(|(_, values)| values.iter().map(String::as_str))
}

/// A number in the international form. Only two things are guessed, and those only where the admin has
/// named the country: `00` stands for `+`, and `0` for the country.
///
/// # Errors
/// In words that do not repeat it.
fn number(written: &str, country: Option<&Prefix>) -> Result<PhoneNumber, String> {
    let written = written.trim();
    if written.len() > LONGEST_VALUE {
        return Err("the value is too long for a number".to_owned());
    }
    let from_abroad = country.and_then(|country| {
        // A bracket around an area code, as in (0151), goes with its zero.
        let rest = written.strip_prefix('(').unwrap_or(written).strip_prefix('0')?;
        Some(match rest.strip_prefix('0') {
            Some(rest) => format!("+{rest}"),
            None => format!("{}{rest}", country.as_str()),
        })
    });
    from_abroad.as_deref().unwrap_or(written).parse().map_err(
        |error: crate::people::phone::PhoneError| match country {
            None if written.starts_with('0') => {
                "a number begins with 0: set `country`, or write it with +".to_owned()
            }
            _ => error.to_string(),
        },
    )
}

/// The tag of the language that is preferred: the attribute has the form of HTTP's Accept-Language
/// (RFC 2798, 2.7), like `de, en;q=0.8`.
fn language(value: &str) -> Option<String> {
    let weight = |part: &str| {
        let q = part.split(';').skip(1).find_map(|word| word.trim().strip_prefix("q="));
        q.map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())
    };
    let mut best: Option<(f32, &str)> = None;
    for part in value.split(',') {
        let tag = part.split(';').next().unwrap_or_default().trim();
        let Some(weight) = weight(part).filter(|_| is_tag(tag)) else { continue };
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, tag));
        }
    }
    best.map(|(_, tag)| tag.to_owned())
}

fn is_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= LONGEST_VALUE
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Sources;

    fn rules(more: &str) -> Rules {
        let text = format!("url = 'ldaps://a'\nbase = 'dc=a'\n{more}");
        Sources::from_text("x", &text).parse().unwrap()
    }

    fn entry(attributes: &[(&str, &[&str])]) -> SearchEntry {
        let owned = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
        let attrs = attributes.iter().map(|(name, values)| ((*name).to_owned(), owned(values)));
        SearchEntry { dn: String::new(), attrs: attrs.collect(), bin_attrs: Default::default() }
    }

    #[test]
    fn national_forms_need_a_country_and_nothing_else_is_guessed() {
        let german: Prefix = "+49".parse().unwrap();
        for (written, wanted) in [
            ("+49 151 23456789", Some("+4915123456789")),
            (" +4915123456789 ", Some("+4915123456789")),
            ("0049 151 23456789", Some("+4915123456789")),
            ("0151 / 23456789", None),
            ("0151-234 567 89", Some("+4915123456789")),
            ("(0151) 23456789", Some("+4915123456789")),
            ("(0) 151 23456789", Some("+4915123456789")),
            ("+49 (0) 151 23456789", None),
            ("151 23456789", None),
            ("00 0151 23456789", None),
            ("0", None),
            ("", None),
            ("+1 415 555 0123", Some("+14155550123")),
            ("0151 23456789 x 12", None),
        ] {
            let read = number(written, Some(&german)).ok();
            assert_eq!(read.as_ref().map(PhoneNumber::as_e164), wanted, "{written}");
        }
        for written in ["0171 98765432", "004917198765432", "171 98765432"] {
            let said = number(written, None).unwrap_err();
            assert!(!said.contains("98765"), "{said}");
        }
        assert!(number(&"+4915123456789".repeat(9), None).is_err());
    }

    #[test]
    fn numbers_come_in_the_order_of_the_attributes_each_once_and_not_too_many() {
        let rules = rules("attribute = ['mobile', 'telephoneNumber']\ncountry = '+49'");
        let alice = entry(&[
            ("telephonenumber", &["030 1234567", "0151 23456789"]),
            ("Mobile", &["+4915123456789", "+4915123456700"]),
            ("preferredLanguage", &["en;q=0.5, de-CH, fr;q=0.1"]),
        ]);
        let answer = judge(&alice, &rules);
        let phones: Vec<_> = answer.phones.iter().map(PhoneNumber::as_e164).collect();
        assert_eq!(phones, ["+4915123456789", "+4915123456700", "+49301234567"]);
        assert_eq!((answer.lookup, answer.language.as_deref()), (Lookup::Found, Some("de-CH")));
        let many: Vec<_> = (10..30).map(|n| format!("+491512345{n}00")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let answer = judge(&entry(&[("mobile", &many)]), &rules);
        assert_eq!(answer.phones.len(), MOST_PHONES);
        assert!(answer.detail.contains("only 4 numbers count"), "{}", answer.detail);
    }

    #[test]
    fn an_entry_without_a_number_is_one_thing_and_one_with_a_broken_number_another() {
        let rules = rules("");
        assert_eq!(judge(&entry(&[]), &rules).lookup, Lookup::NoNumber);
        assert_eq!(judge(&entry(&[("mobile", &[])]), &rules).lookup, Lookup::NoNumber);
        assert_eq!(judge(&entry(&[("mobile;lang-de", &["+4915123456789"])]), &rules).phones, []);
        let broken = judge(&entry(&[("mobile", &["0151 23456789"])]), &rules);
        assert_eq!(broken.lookup, Lookup::Failed);
        assert!(broken.detail.contains("set `country`"), "{}", broken.detail);
        // One good number is enough, and the rest is told.
        let half = judge(&entry(&[("mobile", &["0151 23456789", "+14155550123"])]), &rules);
        assert_eq!((half.lookup, half.phones.len()), (Lookup::Found, 1));
        assert!(!half.detail.is_empty() && !half.detail.contains("23456789"), "{}", half.detail);
    }

    #[test]
    fn the_preferred_language_is_the_one_of_most_weight() {
        for (value, wanted) in [
            ("de", Some("de")),
            ("en;q=0.3, pt-BR;q=0.9", Some("pt-BR")),
            ("de, en", Some("de")),
            ("*, de;q=0.1", Some("de")),
            ("de;q=x", None),
            ("../../etc", None),
            ("", None),
        ] {
            assert_eq!(language(value).as_deref(), wanted, "{value}");
        }
    }
}
