use super::*;
use crate::gateway::description::BUILT_IN;
use crate::gateway::http::{HttpProvider, Parts};

const KEY: &str = "k9%2F+Tz&b1 éQ==";

/// What is left of a provider's words, with [`KEY`] and a short word among the keys.
fn concealed(said: &str) -> String {
    let keys = [("token", KEY), ("from", "ACME"), ("short", "of")]
        .map(|(name, value)| (name.to_owned(), Secret::from(value.to_owned())));
    let (keys, text) = (BTreeMap::from(keys), Secret::from("KQ-004217".to_owned()));
    let to = "+4915123456723".parse().unwrap();
    Variables::new(&keys, Some((&to, &text))).conceal(said)
}

/// Where a built-in provider is with these keys.
fn base(kind: &str, keys: &[(&str, &str)]) -> Result<String, String> {
    provider(kind, keys, None).map(|provider| provider.base().to_string())
}

fn provider(
    kind: &str,
    keys: &[(&str, &str)],
    base_url: Option<&str>,
) -> Result<HttpProvider, String> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == kind).unwrap();
    let value = |value: &str| Secret::from(value.to_owned());
    HttpProvider::new(Parts {
        description: toml::from_str(text).unwrap(),
        values: keys.iter().map(|(name, set)| ((*name).to_owned(), value(set))).collect(),
        base_url: base_url.map(str::to_owned),
        allow_http: false,
        authorities: None,
        proxy: None,
    })
}

#[test]
fn vonage_is_asked_after_messages_elsewhere_unless_an_admin_says_where() {
    for (base_url, wanted) in [
        (None, "https://api.nexmo.com/"),
        (Some("https://vonage.example"), "https://vonage.example/"),
    ] {
        let provider = provider("vonage", &[], base_url).unwrap();
        let rules = provider.parts().description.status.as_ref().unwrap();
        assert_eq!(provider.asked_at(rules).unwrap().as_str(), wanted);
    }
}

#[test]
fn plain_http_leads_to_this_machine_only_unless_it_is_allowed() {
    for (base_url, is_taken) in [
        ("http://gateway.example", false),
        ("http://127.0.0.1.gateway.example", false),
        ("http://10.0.0.1:8080", false),
        ("ftp://127.0.0.1", false),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("https://gateway.example", true),
    ] {
        let made = provider("vonage", &[], Some(base_url));
        assert_eq!(made.is_ok(), is_taken, "{base_url}");
    }
}

#[test]
fn keys_decide_where_a_provider_is() {
    for (kind, keys, wanted) in [
        ("twilio", [("edge", "dublin"), ("region", "ie1")], "https://api.dublin.ie1.twilio.com/"),
        ("sinch", [("region", "eu"), ("from", "A")], "https://eu.sms.api.sinch.com/"),
        ("sinch", [("api_token", "t"), ("from", "A")], "https://us.sms.api.sinch.com/"),
        ("bird", [("region", "us1"), ("from", "A")], "https://us1.platform.bird.com/"),
        (
            "android-sms-gateway",
            [("mode", "cloud"), ("username", "u")],
            "https://api.sms-gate.app/",
        ),
    ] {
        assert_eq!(base(kind, &keys).as_deref(), Ok(wanted), "{kind}");
    }
    // A phone of one's own is never looked for on somebody else's server.
    for (kind, keys) in [
        ("android-sms-gateway", [("mode", "local"), ("username", "u")]),
        ("bird", [("api_key", "k"), ("from", "A")]),
        ("infobip", [("api_key", "k"), ("from", "A")]),
    ] {
        assert_eq!(base(kind, &keys), Err("this provider needs `base_url`".to_owned()), "{kind}");
    }
    // What stands in a host name makes no other host.
    let said = base("bird", &[("region", "evil.example/")]);
    assert!(said.as_ref().is_err_and(|said| said.contains("base_url")), "{said:?}");
}

#[test]
fn keys_are_taken_out() {
    assert_eq!(concealed(&format!("bad token {KEY}, {KEY}!")), "bad token ***, ***!");
    assert_eq!(concealed("ACME may not send"), "*** may not send");
    // Too short to be a key, and too common a word to take out.
    assert_eq!(concealed("out of credit"), "out of credit");
}

#[test]
fn numbers_and_codes_are_taken_out_however_they_are_written() {
    for (said, left) in [
        ("to +4915123456723: blocked", "to +***: blocked"),
        ("(415) 555-0123 is no number", "(***is no number"),
        ("to 4915123456723", "to ***"),
        ("49.151.23456723", "***"),
        ("text: KQ-004217 is your code", "text: *** is your code"),
        ("text: KQ-004218 is your code", "text: KQ-***is your code"),
        ("004217", "***"),
        ("a 0 0 4 2 1 7 b", "a ***b"),
    ] {
        assert_eq!(concealed(said), left, "{said}");
    }
}

#[test]
fn what_cannot_be_a_number_or_a_code_stays() {
    for said in [
        "",
        "no digits",
        "error 21211",
        "10 messages in 30 seconds",
        "HTTP 400, then 500",
        "für 99 Luftballons 🎈",
    ] {
        assert_eq!(concealed(said), said);
    }
}
