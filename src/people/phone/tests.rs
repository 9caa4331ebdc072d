use super::*;

fn number(typed: &str) -> PhoneNumber {
    typed.parse().unwrap()
}

#[track_caller]
fn refused(typed: &str, reason: PhoneError) {
    assert_eq!(typed.parse::<PhoneNumber>(), Err(reason), "{typed:?}");
}

#[test]
fn what_people_type_is_normalised() {
    for typed in [
        "+4915123456789",
        " +49 151 23456789 ",
        "+49\u{a0}151\u{202f}2345\u{2009}6789",
        "+49-151-2345-6789",
        "+49\u{2011}151\u{2013}23456789",
        "+49.151.23456789",
        "+49 (151) 23456789",
        "(+49) 151 23456789",
    ] {
        assert_eq!(number(typed).as_e164(), "+4915123456789", "{typed:?}");
    }
}

#[test]
fn eight_to_fifteen_digits_are_a_number() {
    assert_eq!(number("+29012345").digits(), "29012345");
    assert_eq!(number("+123456789012345").digits(), "123456789012345");
    refused("+2901234", PhoneError::TooShort { count: 7 });
    refused("+1234567890123456", PhoneError::TooLong { count: 16 });
    refused("+", PhoneError::TooShort { count: 0 });
}

#[test]
fn nothing_typed_is_refused() {
    for typed in ["", "   ", "\u{a0}", "-"] {
        refused(typed, PhoneError::Empty);
    }
}

#[test]
fn a_missing_country_is_not_guessed() {
    refused("0151 23456789", PhoneError::NoPlus);
    refused("49 151 23456789", PhoneError::NoPlus);
    refused("0049 151 23456789", PhoneError::DoubleZero);
    refused("0 0 49 151 23456789", PhoneError::DoubleZero);
    refused("+049 151 23456789", PhoneError::LeadingZero);
    refused("+00 49 151 23456789", PhoneError::LeadingZero);
}

#[test]
fn a_zero_in_brackets_is_neither_kept_nor_dropped() {
    refused("+44 (0)20 7946 0958", PhoneError::TrunkZero);
    refused("+44(\u{a0}0 )20 7946 0958", PhoneError::TrunkZero);
    refused("+49 (0151) 23456789", PhoneError::BracketedZero);
    refused("+39 (06) 1234 5678", PhoneError::BracketedZero);
    assert_eq!(number("+39 06 1234 5678").as_e164(), "+390612345678");
}

#[test]
fn two_numbers_are_not_one() {
    refused("+49 151 23456789 +44 20 7946 0958", PhoneError::SecondPlus);
    refused("++49 151 23456789", PhoneError::SecondPlus);
    refused("49+151 23456789", PhoneError::SecondPlus);
    refused("+49 151/23456789", PhoneError::Slash);
    refused("+49 151 23456789, +44", PhoneError::Unexpected(','));
}

#[test]
fn an_extension_is_refused() {
    refused("+1 415 555 0123;ext=42", PhoneError::Extension);
    refused("+1 415 555 0123 x42", PhoneError::Letter('x'));
}

#[test]
fn other_characters_are_refused_by_their_kind() {
    refused("+1 800 FLOWERS", PhoneError::Letter('F'));
    refused("tel:+14155550123", PhoneError::Letter('t'));
    refused("+1 415 555 O123", PhoneError::Letter('O'));
    refused("+49 151 2345678\u{669}", PhoneError::ForeignDigit('\u{669}'));
    refused("+49 151 2345678\u{ff19}", PhoneError::ForeignDigit('\u{ff19}'));
    refused("+49 151 23456789\n", PhoneError::Control('\n'));
    refused("+49\t151 23456789", PhoneError::Control('\t'));
    refused("+49 151\0 23456789", PhoneError::Control('\0'));
    refused("\u{202a}+49 151 23456789", PhoneError::Unexpected('\u{202a}'));
    refused("*100#", PhoneError::Unexpected('*'));
}

#[test]
fn the_reason_says_what_to_do() {
    for (typed, reason) in [
        ("0151 23456789", "write the country code first, like +49 151 23456789"),
        ("0049 151 234567", "the number starts with 00: write + instead"),
        ("+44 (0)20 7946 0958", "leave out the (0): it is dialled only inside the country"),
        ("+1 800 FLOWERS", "the number holds the letter 'F': write digits only"),
        ("+49 151 \u{669}", "the number holds the digit U+0669: write digits as 0 to 9"),
        (
            "+49 151",
            "the number is too short: 5 digits, where 8 to 15 are needed, \
             country code included",
        ),
    ] {
        assert_eq!(typed.parse::<PhoneNumber>().unwrap_err().to_string(), reason);
    }
}

#[test]
fn people_and_logs_get_the_ending_only() {
    let number = number("+1 415 555 0123");
    assert_eq!(number.ending(), "23");
    assert_eq!(number.masked(), "*23");
    assert_eq!(format!("{number:?}"), "PhoneNumber(*23)");
}

#[test]
fn a_prefix_selects_a_country() {
    let prefix = |typed: &str| typed.parse::<Prefix>().unwrap();
    let minsk = number("+375 29 1234567");
    assert!(minsk.starts_with(&prefix("+375")));
    assert!(minsk.starts_with(&prefix("+3752912")));
    assert!(!minsk.starts_with(&prefix("+7")));
    assert_eq!(prefix("+375").as_str(), "+375");
}

#[test]
fn a_prefix_is_plus_and_up_to_seven_digits() {
    for typed in ["", "+", "49", "0049", "+0", "+12345678", "+49 151", "+4a", "+\u{664}"] {
        assert_eq!(typed.parse::<Prefix>(), Err(PrefixError), "{typed:?}");
    }
}

#[derive(Debug, Deserialize)]
struct Record {
    phone: PhoneNumber,
    countries: Vec<Prefix>,
}

#[test]
fn a_configuration_holds_numbers_and_prefixes() {
    let record: Record =
        toml::from_str("phone = '+1 415 555 0123'\ncountries = ['+1', '+375']").unwrap();
    assert_eq!(record.phone.as_e164(), "+14155550123");
    assert_eq!(record.countries.len(), 2);
}

#[test]
fn a_configuration_error_gives_the_reason_and_not_the_number() {
    let reason = |text: &str| toml::from_str::<Record>(text).unwrap_err().message().to_owned();
    assert_eq!(
        reason("phone = '4155550123'\ncountries = []"),
        "write the country code first, like +49 151 23456789"
    );
    assert_eq!(
        reason("phone = +14155550123\ncountries = []"),
        "put the phone number in quotes, like \"+49 151 23456789\""
    );
    assert_eq!(
        reason("phone = '+14155550123'\ncountries = ['49']"),
        "a prefix is + and 1 to 7 digits without blanks, like +49 or +1415"
    );
}
