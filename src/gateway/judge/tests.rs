use super::*;
use crate::gateway::description::BUILT_IN;

/// What a built-in description makes of an answer; what is concealed shows as `#`.
fn judged(kind: &str, status: u16, body: &str) -> Attempt {
    let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == kind).unwrap();
    judged_by(&toml::from_str(text).unwrap(), status, body)
}

fn judged_by(description: &Description, status: u16, body: &str) -> Attempt {
    let answer = Answer { status, body: body.to_owned() };
    match judge(&answer, description, |said| said.replace("secret", "#")) {
        // To a login it is all the same.
        Attempt::Unusable(_, said) => Attempt::Failed(said),
        other => other,
    }
}

/// A description that only says what counts as taken, and what an error is.
fn description(rules: &str) -> Description {
    let head = "about = 'x'\n[keys]\n[request]\nmethod = 'POST'\npath = '/'\n";
    toml::from_str(&format!("{head}{rules}")).unwrap()
}

fn failed(said: &str) -> Attempt {
    Attempt::Failed(said.to_owned())
}

#[test]
fn a_message_is_taken_when_the_provider_says_so() {
    for (kind, status, body) in [
        ("twilio", 201, r#"{"sid": "SM1", "status": "queued", "error_code": null}"#),
        ("clickatell", 202, r#"{"messages": [{"accepted": true}], "error": null}"#),
        ("clickatell-platform", 202, r#"{"messages": [{"accepted": true}]}"#),
        ("clickatell-legacy", 200, "ID: 0123456789abcdef0123456789abcdef"),
        ("smsc", 200, r#"{"id": 7, "cnt": 1}"#),
    ] {
        assert_eq!(judged(kind, status, body), Attempt::Accepted, "{kind}");
    }
}

#[test]
fn what_is_not_understood_is_never_a_success() {
    let strange =
        ["", "OK", "null", "[]", "{}", "\"sid\"", "<html>", "{\"sid\": null}", "{\"sid\""];
    for (kind, text) in BUILT_IN {
        let description: Description = toml::from_str(text).unwrap();
        for &status in &description.accepted.status {
            for body in strange {
                let said = judged_by(&description, status, body);
                assert_eq!(said, failed(&format!("unknown (HTTP {status})")), "{kind} {body}");
            }
        }
    }
}

#[test]
fn only_what_http_calls_a_server_error_is_out_of_reach() {
    let rules = description(
        "[accepted]\nstatus = [200]\n[error]\ncode = ['/c']\nclass = [{ class = 'transient', code = ['7'] }]",
    );
    for status in [500, 503, 599] {
        let judged = judged_by(&rules, status, r#"{"c": 7}"#);
        assert!(matches!(judged, Attempt::OutOfReach(_)), "{status}");
    }
    for status in [202, 400, 600, 999] {
        let judged = judged_by(&rules, status, r#"{"c": 7}"#);
        assert!(matches!(judged, Attempt::Failed(_)), "{status}");
    }
}

#[test]
fn every_rule_must_hold() {
    let rules = description(
        "[accepted]\nstatus = [200, 202]\nequals = { '/ok' = true, '/n' = 1 }\n\
         none_of = { '/state' = ['failed', 'lost'] }\npresent = ['/id']\nabsent = ['/error']\n\
         text = '^.\"ok'",
    );
    let taken = r#"{"ok": true, "n": 1, "state": "queued", "id": 5, "error": null}"#;
    assert_eq!(judged_by(&rules, 200, taken), Attempt::Accepted);
    assert_eq!(judged_by(&rules, 202, taken), Attempt::Accepted);
    assert_eq!(judged_by(&rules, 201, taken), failed("unknown (HTTP 201)"));
    for (from, to) in [
        (r#""ok": true"#, r#""ok": "true""#),
        (r#""ok": true"#, r#""ok": null"#),
        (r#""n": 1"#, r#""n": 2"#),
        (r#""state": "queued""#, r#""state": "lost""#),
        (r#""id": 5"#, r#""id": null"#),
        (r#""id": 5"#, r#""ID": 5"#),
        (r#""error": null"#, r#""error": 0"#),
        (r#"{"ok""#, r#"{ "ok""#),
    ] {
        let body = taken.replace(from, to);
        assert_ne!(body, taken, "{from}");
        assert_eq!(judged_by(&rules, 200, &body), failed("unknown (HTTP 200)"), "{body}");
    }
    // A state that is missing, or no string, is none of the bad ones.
    for to in [r#""x": 1"#, r#""state": 7"#] {
        let body = taken.replace(r#""state": "queued""#, to);
        assert_eq!(judged_by(&rules, 200, &body), Attempt::Accepted, "{body}");
    }
}

#[test]
fn a_place_can_stand_for_every_element_and_a_value_be_one_of_several() {
    let rules = description(
        "[accepted]\nstatus = [200]\nequals = { '/parts/*/state' = 'ok' }\n\
         one_of = { '/group' = [1, 'one'] }",
    );
    let taken = r#"{"parts": [{"state": "ok"}, {"state": "ok"}], "group": 1}"#;
    assert_eq!(judged_by(&rules, 200, taken), Attempt::Accepted);
    let taken = taken.replace(r#""group": 1"#, r#""group": "one""#);
    assert_eq!(judged_by(&rules, 200, &taken), Attempt::Accepted);
    for (from, to) in [
        (r#""ok"},"#, r#""bad"},"#),
        (r#""ok"}]"#, r#""bad"}]"#),
        (r#""ok"}]"#, r#""ok"}, {}]"#),
        (r#"[{"state": "ok"}, {"state": "ok"}]"#, "[]"),
        (r#"[{"state": "ok"}, {"state": "ok"}]"#, r#"{"*": {"state": "ok"}}"#),
        (r#""one""#, r#""1""#),
        (r#""one""#, "null"),
        (r#""group""#, r#""troup""#),
    ] {
        let body = taken.replacen(from, to, 1);
        assert_ne!(body, taken, "{from}");
        assert_eq!(judged_by(&rules, 200, &body), failed("unknown (HTTP 200)"), "{body}");
    }
}

#[test]
fn a_row_fits_with_all_that_it_names_and_the_first_one_counts() {
    let rules = description(
        "[accepted]\nstatus = [200]\npresent = ['/id']\n[error]\ncode = ['/code']\n\
         class = [{ class = 'credit', code = ['7'], status = [403] },\n\
         { class = 'config', status = [403, 409] }, { class = 'optout', code = ['7'] }]",
    );
    for (status, body, class) in [
        (403, r#"{"code": 7}"#, "credit (HTTP 403, code 7)"),
        (403, r#"{"code": 8}"#, "config (HTTP 403, code 8)"),
        (403, "", "config (HTTP 403)"),
        (409, r#"{"code": 7}"#, "config (HTTP 409, code 7)"),
        (401, r#"{"code": 8}"#, "auth (HTTP 401, code 8)"),
    ] {
        assert_eq!(judged_by(&rules, status, body), failed(class), "{status} {body}");
    }
    let said = Attempt::Refused("optout (HTTP 400, code 7)".to_owned());
    assert_eq!(judged_by(&rules, 400, r#"{"code": 7}"#), said);
}

#[test]
fn an_error_inside_a_success_is_an_error() {
    for (kind, status, body, said) in [
        ("twilio", 201, r#"{"sid": "SM1", "status": "failed", "error_code": 30008}"#, "30008"),
        (
            "clickatell",
            207,
            r#"{"messages": [{"accepted": false, "error": {"code": 43, "description": "slow"}}]}"#,
            "throttle (HTTP 207, code 43: slow)",
        ),
        ("clickatell-legacy", 200, "ERR: 301, No credit left", "credit (HTTP 200, code 301: No"),
        ("smsc", 200, r#"{"error": "denied", "error_code": 6, "id": 1}"#, "content (HTTP 200, "),
    ] {
        match judged(kind, status, body) {
            Attempt::Failed(words) => assert!(words.contains(said), "{words}"),
            other => panic!("{kind}: {other:?}"),
        }
    }
}

#[test]
fn a_number_that_takes_nothing_ends_the_search() {
    for (kind, status, body, said) in [
        ("twilio", 400, r#"{"code": 21211}"#, "recipient (HTTP 400, code 21211)"),
        (
            "twilio",
            400,
            r#"{"code": "21610", "message": "STOP"}"#,
            "optout (HTTP 400, code 21610: STOP)",
        ),
        ("clickatell-legacy", 200, "ERR: 122, blocked", "optout (HTTP 200, code 122: blocked)"),
        ("smsc", 200, r#"{"error_code": 7}"#, "recipient (HTTP 200, code 7)"),
    ] {
        assert_eq!(judged(kind, status, body), Attempt::Refused(said.to_owned()), "{kind}");
    }
}

#[test]
fn only_a_status_of_the_500s_is_out_of_reach() {
    for status in [500, 503, 599] {
        let said = format!("transient (HTTP {status})");
        assert_eq!(judged("twilio", status, ""), Attempt::OutOfReach(said));
    }
    // Trouble that the provider is there to tell of.
    let said = failed("transient (HTTP 200, code 901: Internal error)");
    assert_eq!(judged("clickatell-legacy", 200, "ERR: 901, Internal error"), said);
    // What a code says weighs more than the status.
    let said = failed("auth (HTTP 503, code 20003)");
    assert_eq!(judged("twilio", 503, r#"{"code": 20003}"#), said);
}

#[test]
fn the_status_decides_where_no_code_is_known() {
    for (status, class) in [
        (200, "unknown"),
        (302, "unknown"),
        (400, "config"),
        (401, "auth"),
        (402, "credit"),
        (403, "auth"),
        (404, "config"),
        (429, "throttle"),
    ] {
        let said = format!("{class} (HTTP {status}, code 99999)");
        assert_eq!(judged("twilio", status, r#"{"code": 99999}"#), failed(&said));
        assert_eq!(judged("twilio", status, "?"), failed(&format!("{class} (HTTP {status})")));
    }
}

#[test]
fn code_and_words_stand_at_the_first_place_that_has_some() {
    let rules = description(
        "[accepted]\nstatus = [200]\npresent = ['/id']\n\
         [error]\ncode = ['/a', '/b/0/c']\nmessage = ['/m', '/n']\n\
         class = [{ class = 'credit', code = ['-7'] }]",
    );
    let said = |body| judged_by(&rules, 200, body);
    assert_eq!(said(r#"{"a": 1, "m": "x"}"#), failed("unknown (HTTP 200, code 1: x)"));
    let nested = r#"{"a": null, "b": [{"c": -7}], "m": {}, "n": "y"}"#;
    assert_eq!(said(nested), failed("credit (HTTP 200, code -7: y)"));
    // Neither a list nor a truth value is a code.
    assert_eq!(said(r#"{"a": [1], "m": true}"#), failed("unknown (HTTP 200)"));
}

#[test]
fn what_is_said_is_cut_and_concealed() {
    let long = format!(r#"{{"code": "secret", "message": "{}"}}"#, "ä".repeat(5000));
    let said = format!("config (HTTP 400, code #: {})", "ä".repeat(200));
    assert_eq!(judged("twilio", 400, &long), failed(&said));
    // Half a secret at the cut would be half a secret in the log.
    let long = format!(r#"{{"message": "{}secret"}}"#, "x".repeat(197));
    let said = format!("config (HTTP 400: {}#)", "x".repeat(197));
    assert_eq!(judged("twilio", 400, &long), failed(&said));
    let said = format!("credit (HTTP 200, code 301: {})", "y".repeat(200));
    let long = format!("ERR: 301, {}", "y".repeat(5000));
    assert_eq!(judged("clickatell-legacy", 200, &long), failed(&said));
    let text = "ERR: 301, the secret is out";
    let said = failed("credit (HTTP 200, code 301: the # is out)");
    assert_eq!(judged("clickatell-legacy", 200, text), said);
}

#[test]
fn an_amount_is_a_number_and_everything_else_is_an_error() {
    let balance = |kind: &str, status, body: &str| {
        let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == kind).unwrap();
        let description: Description = toml::from_str(text).unwrap();
        let answer = Answer { status, body: body.to_owned() };
        let rules = description.balance.as_ref().unwrap();
        judge_balance(&answer, rules, &description, str::to_owned)
    };
    let money = |amount: &str, currency: Option<&str>| {
        Ok(Money { amount: amount.to_owned(), currency: currency.map(str::to_owned) })
    };
    for (kind, body, wanted) in [
        ("twilio", r#"{"balance": "-0.05", "currency": "USD"}"#, money("-0.05", Some("USD"))),
        ("clickatell", r#"{"balance": 12.5, "currency": "EUR"}"#, money("12.5", Some("EUR"))),
        ("clickatell-platform", r#"{"balance": 12.5}"#, money("12.5", None)),
        ("clickatell-legacy", "Credit: 812.000", money("812.000", None)),
        ("smsc", r#"{"balance": "7", "currency": "<b>"}"#, money("7", None)),
        ("smsc", r#"{"error": "x", "error_code": 2}"#, Err(failed("auth (HTTP 200, code 2: x)"))),
        ("clickatell-legacy", "ERR: 001, no", Err(failed("auth (HTTP 200, code 001: no)"))),
        ("twilio", r#"{"balance": "much"}"#, Err(failed("unknown (HTTP 200)"))),
        ("twilio", r#"{"balance": "inf"}"#, Err(failed("unknown (HTTP 200)"))),
        ("twilio", "?", Err(failed("unknown (HTTP 200)"))),
    ] {
        assert_eq!(balance(kind, 200, body), wanted, "{kind}: {body}");
    }
    let status = balance("twilio", 201, r#"{"balance": "1"}"#);
    assert_eq!(status, Err(failed("unknown (HTTP 201)")));
}

#[test]
fn what_an_admin_has_to_put_right_is_told_from_what_may_be_about_the_number() {
    let rules = "[accepted]\nstatus=[200]\n[error]\ncode=['/c']\nclass=[\
                 {class='config', code=['a']},{class='credit', code=['b']}]";
    let description = description(rules);
    for (status, code, wanted) in [
        (400, "a", Some(Class::Config)),
        (400, "b", Some(Class::Credit)),
        (401, "x", Some(Class::Auth)),
        (402, "x", Some(Class::Credit)),
        (400, "x", None),
        (429, "x", None),
        (503, "x", None),
        (200, "", None),
    ] {
        let answer = Answer { status, body: format!("{{\"c\":\"{code}\"}}") };
        let class = match judge(&answer, &description, str::to_owned) {
            Attempt::Unusable(class, _) => Some(class),
            _ => None,
        };
        assert_eq!(class, (status != 200).then_some(wanted).flatten(), "{status} {code}");
    }
}
