use super::{segments::Alphabet, *};
use crate::login::catalogue::Catalogue;

const VALUES: Values<'_> =
    Values { code: "042917", reference: "KQ", host: "db1.example.org", user: "alice", minutes: 5 };

fn rendered(text: &str) -> String {
    Template::parse(text).unwrap().render(&VALUES).to_string()
}

fn refused(text: &str) -> String {
    Template::parse(text).unwrap_err().to_string()
}

#[test]
fn the_default_says_what_it_should() {
    let texts = Catalogue::english();
    assert_eq!(
        texts.sms().render(&VALUES).as_str(),
        "KQ-042917 is your login code for db1.example.org."
    );
}

#[test]
fn the_default_is_one_message_even_with_the_longest_values() {
    let cost = Catalogue::english().sms().worst_case(10, &"h".repeat(64), "alice");
    assert_eq!(cost, Segments { alphabet: Alphabet::Gsm7, units: 102, count: 1 });
}

#[test]
fn the_worst_case_counts_what_the_values_bring() {
    let text = Template::parse("{user}: {code} ({minutes} min)").unwrap();
    let ascii = Segments { alphabet: Alphabet::Gsm7, units: 22, count: 1 };
    assert_eq!(text.worst_case(6, "", "alice"), ascii);
    assert_eq!(text.worst_case(6, "", "zoë").alphabet, Alphabet::Ucs2);
}

#[test]
fn every_name_gets_its_value() {
    assert_eq!(
        rendered("{code} {reference} {host} {user} {minutes}"),
        "042917 KQ db1.example.org alice 5"
    );
    assert_eq!(rendered("{code}{code}"), "042917042917");
}

#[test]
fn doubled_braces_are_braces() {
    assert_eq!(rendered("{{{code}}}"), "{042917}");
    assert_eq!(rendered("}}{{code}} {code}"), "}{code} 042917");
}

#[test]
fn the_newlines_of_the_text_are_kept() {
    assert_eq!(rendered("{host}\n{code}\n"), "db1.example.org\n042917\n");
}

#[test]
fn control_characters_in_values_are_dropped() {
    let values = Values { host: "db1\r\nCode: 1", user: "\u{1b}[2J\u{85}alice\0", ..VALUES };
    let text = Template::parse("{code} {host} {user}").unwrap();
    assert_eq!(text.render(&values).as_str(), "042917 db1Code: 1 [2Jalice");
}

#[test]
fn a_value_is_never_read_as_a_template() {
    let values = Values { host: "{code}", user: "}{", ..VALUES };
    let text = Template::parse("{host} {user} {code}").unwrap();
    assert_eq!(text.render(&values).as_str(), "{code} }{ 042917");
}

#[test]
fn the_buffer_has_its_full_length_from_the_start() {
    let values = Values { host: "höst\n\n\n", ..VALUES };
    let text = Catalogue::english().sms().render(&values);
    assert_eq!(text.capacity(), text.len());
}

#[test]
fn an_empty_text_is_refused() {
    assert_eq!(refused(""), "the text is empty");
    assert_eq!(refused(" \n"), "the text is empty");
}

#[test]
fn a_text_without_the_code_is_refused() {
    assert_eq!(refused("Your code for {host}"), "the text must hold {code}");
    assert_eq!(refused("{{code}}"), "the text must hold {code}");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    assert_eq!(
        refused("Hello: {cdoe}"),
        "the text names {cdoe}, which is not known; did you mean {code}? \
         (known: {code}, {reference}, {host}, {user}, {minutes})"
    );
    assert_eq!(
        refused("{code} {weather}"),
        "the text names {weather}, which is not known \
         (known: {code}, {reference}, {host}, {user}, {minutes})"
    );
}

#[test]
fn the_nearest_name_is_the_one_somebody_had_in_mind() {
    for (typed, meant) in [
        ("Code", Name::Code),
        (" code ", Name::Code),
        ("ref", Name::Reference),
        ("refernece", Name::Reference),
        ("hostname", Name::Host),
        ("username", Name::User),
        ("minute", Name::Minutes),
        ("min", Name::Minutes),
    ] {
        assert_eq!(Name::nearest(typed), Some(meant), "{typed}");
    }
    for strange in ["", " ", "weather", "x"] {
        assert_eq!(Name::nearest(strange), None, "{strange:?}");
    }
}

#[test]
fn a_brace_without_its_other_half_is_refused_where_it_stands() {
    let unclosed = |position| Err(TemplateError::UnclosedBrace { position });
    assert_eq!(Template::parse("für {code"), unclosed(5));
    assert_eq!(Template::parse("{host {code}"), unclosed(1));
    assert_eq!(Template::parse("{code\n}"), unclosed(1));
    assert_eq!(Template::parse("{code} {"), unclosed(8));
    let stray = Err(TemplateError::StrayBrace { position: 7 });
    assert_eq!(Template::parse("{code}} now"), stray);
    assert_eq!(
        refused("{code"),
        "the { at character 1 is not closed: write {{ for a brace in the text"
    );
    assert_eq!(
        refused("code}"),
        "the } at character 5 closes nothing: write }} for a brace in the text"
    );
}

#[test]
fn a_control_character_is_refused() {
    assert_eq!(
        refused("{code}\tis it"),
        "the text holds the control character U+0009 at character 7: \
         only newlines can be sent"
    );
    assert!(Template::parse("{code}\r\n").is_err());
    assert!(Template::parse("{code}\u{9b}").is_err());
}

#[test]
fn a_configuration_error_gives_the_reason() {
    #[derive(Debug, Deserialize)]
    struct Message {
        text: Template,
    }
    let message: Message = toml::from_str("text = 'Code {code}'").unwrap();
    assert_eq!(message.text, Template::parse("Code {code}").unwrap());
    let error = toml::from_str::<Message>("text = 'Code'").unwrap_err();
    assert_eq!(error.message(), "the text must hold {code}");
}
