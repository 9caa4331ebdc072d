use super::*;

#[derive(Debug, Deserialize)]
struct Row<T> {
    v: T,
}

/// The value that `text` stands for.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    let row = toml::from_str::<Row<T>>(&format!("v = {text}"));
    row.map(|row| row.v).map_err(|error| error.message().to_owned())
}

#[test]
fn a_whole_number_keeps_to_its_bounds() {
    type Digits = Whole<6, 10, 8>;
    assert_eq!(Digits::default().get(), 8);
    for number in 6..=10 {
        assert_eq!(read::<Digits>(&number.to_string()).unwrap().get(), number);
    }
    for text in ["5", "11", "0", "-6", "262", "9223372036854775807"] {
        assert_eq!(read::<Digits>(text).unwrap_err(), "must be from 6 to 10", "{text}");
    }
    for text in ["6.0", "\"6\"", "true", "[6]"] {
        assert!(read::<Digits>(text).unwrap_err().starts_with("invalid type: "), "{text}");
    }
}

#[test]
fn the_widest_whole_number_is_a_byte() {
    type Any = Whole<0, 255, 0>;
    assert_eq!(read::<Any>("255").unwrap().get(), 255);
    assert_eq!(read::<Any>("0").unwrap().get(), 0);
    assert_eq!(read::<Any>("256").unwrap_err(), "must be from 0 to 255");
}

#[test]
fn a_time_keeps_to_its_bounds() {
    type Lifetime = Span<30, 600, 300>;
    assert_eq!(Lifetime::default().get(), Duration::from_secs(300));
    for (text, seconds) in
        [("30s", 30), ("10m", 600), ("600s", 600), ("5m", 300), ("1m 30s", 90), ("2min", 120)]
    {
        let span = read::<Lifetime>(&format!("'{text}'")).unwrap();
        assert_eq!(span.get(), Duration::from_secs(seconds), "{text}");
    }
    for text in ["29s", "29999ms", "601s", "600001ms", "11m", "1h", "0s", "1y"] {
        let said = read::<Lifetime>(&format!("'{text}'")).unwrap_err();
        assert_eq!(said, "must be from 30s to 10m", "{text}");
    }
}

#[test]
fn what_is_no_time_is_told_how_to_write_one() {
    type Lifetime = Span<30, 600, 300>;
    for text in ["", "90", "soon", "-90s", "90 s x", "5 minits", "99999999999999999999s"] {
        let said = read::<Lifetime>(&format!("'{text}'")).unwrap_err();
        assert_eq!(said, format!("`{text}` is no time: write it like \"90s\" or \"5m\""));
    }
    assert!(read::<Lifetime>("90").unwrap_err().starts_with("invalid type: integer"));
}

#[test]
fn a_time_may_be_nothing_where_its_bounds_say_so() {
    type Pause = Span<0, 600, 30>;
    assert_eq!(read::<Pause>("'0s'").unwrap().get(), Duration::ZERO);
    assert_eq!(read::<Pause>("'11m'").unwrap_err(), "must be from 0s to 10m");
}

#[test]
fn a_path_begins_at_the_root() {
    let path = read::<AbsolutePath>("'/etc/pam-sms/users.toml'").unwrap();
    assert_eq!(path.as_path(), std::path::Path::new("/etc/pam-sms/users.toml"));
    for text in ["", "users.toml", "./users.toml", "../users.toml", "~/users.toml"] {
        let said = read::<AbsolutePath>(&format!("'{text}'")).unwrap_err();
        assert_eq!(said, format!("`{text}` must be a path from the root, like /etc/..."));
    }
}

#[test]
fn what_is_to_happen_is_one_of_the_words() {
    assert_eq!(read::<Unenrolled>("'skip'"), Ok(Unenrolled::Skip));
    assert_eq!(read::<IfUnreachable>("'allow'"), Ok(IfUnreachable::Allow));
    // Who gets in must not hang on how a word is spelled.
    for word in ["Skip", "ignore", ""] {
        assert!(read::<Unenrolled>(&format!("'{word}'")).is_err(), "{word}");
        assert!(read::<IfUnreachable>(&format!("'{word}'")).is_err(), "{word}");
    }
}

#[test]
fn providers_are_stepped_over_whatever_they_hold() {
    let text = "[[provider]]\nkind = 7\nanything = { at = ['all'] }\n[code]\ndigits = 7\n";
    let config: Config = toml::from_str(text).unwrap();
    assert_eq!(config.code.digits.get(), 7);
}
