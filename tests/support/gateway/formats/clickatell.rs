//! Clickatell's three generations: One API, the platform's REST interface, the legacy HTTP one.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::form::Form;
use super::json::{json_answer, present, read_json};
use super::{Accepted, Answer, Judged, Message, Refused, Request, checks, fresh_hex};

/// What One API takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneApi {
    messages: Vec<OneApiMessage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneApiMessage {
    channel: String,
    to: String,
    content: String,
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
}

/// What the platform's REST interface takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Platform {
    to: Vec<String>,
    content: String,
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
}

/// Checks a request to send by One API.
pub fn judge_one_api(request: &Request) -> Judged {
    // Faults of the whole request and faults of a message are told in different places.
    let global = |status, code: u32, description: &str, why: &str| Refused {
        why: format!("{why} ({code})"),
        answer: json_answer(
            status,
            &json!({"messages": [], "error": {"code": code, "description": description}}),
        ),
    };
    let keys = [account::CLICKATELL_KEY, account::CLICKATELL_USA_KEY];
    let credentials = bare_key(request, &keys)
        .map_err(|why| global(401, 1, "Invalid or missing integration API Key", why))?;
    if request.method != "POST" {
        let description = "HTTP method is not supported on this resource";
        return Err(global(400, 42, description, "not a POST"));
    }
    let malformed = |why: &str| global(400, 21, "Payload data is malformed", why);
    let body: OneApi = read_json(request).map_err(|why| malformed(&why))?;
    let Ok([message]) = <[OneApiMessage; 1]>::try_from(body.messages) else {
        return Err(malformed("not exactly one message"));
    };

    let OneApiMessage { channel, to, content, from } = message;
    let local = |code: u32, description: &str, why: &str| {
        let error = json!({"code": code, "description": description});
        let message = json!({"apiMessageId": null, "accepted": false, "to": to, "error": error});
        Refused {
            why: format!("{why} ({code})"),
            answer: json_answer(400, &json!({"messages": [message], "error": null})),
        }
    };
    if channel != "sms" {
        let why = format!("channel {channel:?}");
        return Err(local(23, "Invalid or missing parameter: channel", &why));
    }
    if !checks::is_digits(&to) {
        let description = format!("Invalid recipient address: {to}");
        return Err(local(25, &description, &format!("recipient {to:?}")));
    }
    if content.is_empty() {
        return Err(local(23, "Invalid or missing parameter: content", "no text"));
    }
    // Only a two-way number can be given, so a name is never right.
    if let Some(from) = from.as_deref().filter(|from| !checks::is_digits(from)) {
        let description = "FROM number is not related to integration";
        return Err(local(45, description, &format!("sender {from:?}")));
    }

    let taken = json!({"apiMessageId": fresh_hex(), "accepted": true, "to": to, "error": null});
    let answer = json_answer(202, &json!({"messages": [taken], "error": null}));
    let to = format!("+{to}");
    let message = Message { format: "clickatell", to, text: content, from, credentials };
    Ok(Accepted { message, answer, once: None })
}

/// Checks a request to send by the platform's REST interface.
pub fn judge_platform(request: &Request) -> Judged {
    let refusal = |status, code: u32, error: &str, why: &str| Refused {
        why: format!("{why} ({code})"),
        answer: json_answer(
            status,
            &json!({"messages": [], "errorCode": code, "error": error, "errorDescription": error}),
        ),
    };
    let credentials = bare_key(request, &[account::CLICKATELL_KEY])
        .map_err(|why| refusal(401, 108, "Invalid or missing Integration API Key.", why))?;
    if request.method != "POST" {
        return Err(refusal(405, 101, "Invalid or missing parameters.", "not a POST"));
    }
    let Platform { to, content, from } = read_json(request)
        .map_err(|why| refusal(400, 101, "Invalid or missing parameters.", &why))?;
    let [to] = to.as_slice() else {
        return Err(refusal(400, 101, "Invalid or missing parameters.", "not one recipient"));
    };
    if content.is_empty() {
        return Err(refusal(400, 107, "Message content is empty.", "no text"));
    }
    if let Some(from) = from.as_deref().filter(|from| !checks::is_digits(from)) {
        return Err(refusal(400, 607, "Invalid FROM number.", &format!("sender {from:?}")));
    }
    if !checks::is_digits(to) {
        // Told inside a success, as faults of single messages are.
        let error = "Invalid destination address.";
        let message = json!({
            "apiMessageId": null, "accepted": false, "to": to,
            "errorCode": 105, "error": error, "errorDescription": error,
        });
        let body = json!({
            "messages": [message], "errorCode": null, "error": null, "errorDescription": null,
        });
        let why = format!("recipient {to:?} (105)");
        return Err(Refused { why, answer: json_answer(202, &body) });
    }

    let message = json!({
        "apiMessageId": fresh_hex(), "accepted": true, "to": to,
        "errorCode": null, "error": null, "errorDescription": null,
    });
    let body = json!({
        "messages": [message], "errorCode": null, "error": null, "errorDescription": null,
    });
    let format = "clickatell-platform";
    let message = Message { format, to: format!("+{to}"), text: content, from, credentials };
    Ok(Accepted { message, answer: json_answer(202, &body), once: None })
}

/// Checks a request to send by the legacy interface, which answers 200 whatever happens.
pub fn judge_legacy(request: &Request) -> Judged {
    const FIELDS: &[&str] =
        &["user", "password", "api_id", "to", "text", "from", "unicode", "mo", "concat"];
    let refusal = |code: &str, description: &str, why: &str| Refused {
        why: format!("{why} ({code})"),
        answer: Answer::new(200, "text/plain", format!("ERR: {code}, {description}")),
    };
    let parameters = |why: &str| refusal("101", "Invalid or missing parameters", why);

    if request.method != "POST" && request.method != "GET" {
        return Err(parameters("neither POST nor GET"));
    }
    let form = Form::read(request, FIELDS).map_err(|why| parameters(&why))?;
    let field = |name| form.value(name).unwrap_or_default();
    if field("user") != account::CLICKATELL_USER
        || field("password") != account::CLICKATELL_PASSWORD
    {
        return Err(refusal("001", "Authentication failed", "wrong or no credentials"));
    }
    if field("api_id") != account::CLICKATELL_API_ID {
        return Err(refusal("108", "Invalid or missing API ID", "wrong or no api_id"));
    }
    let to = field("to");
    if !checks::is_digits(to) {
        let why = format!("recipient {to:?}");
        return Err(refusal("105", "Invalid destination address", &why));
    }
    if field("text").is_empty() {
        return Err(refusal("107", "Empty message", "no text"));
    }
    let text = legacy_text(form.value("text").unwrap_or_default(), form.value("unicode"))
        .map_err(|why| refusal("116", "Invalid Unicode data", &why))?;
    let from = form.value("from");
    if from.is_some_and(|from| !checks::is_sender(from)) {
        return Err(refusal("106", "Invalid source address", &format!("sender {from:?}")));
    }
    if form.value("mo").is_some_and(|mo| mo != "1" || from.is_none()) {
        return Err(parameters("mo is not 1, or there is no sender to answer to"));
    }
    let most_parts = match form.value("concat") {
        None | Some("1") => 1,
        Some("2") => 2,
        Some("3") => 3,
        Some(_) => return Err(parameters("concat is not 1, 2 or 3")),
    };
    if checks::parts(&text) > most_parts {
        return Err(refusal("113", "Maximum message parts exceeded", "concat is too low"));
    }

    let message = Message {
        format: "clickatell-legacy",
        to: format!("+{to}"),
        text,
        from: from.map(str::to_owned),
        credentials: account::CLICKATELL_USER.to_owned(),
    };
    let answer = Answer::new(200, "text/plain", format!("ID: {}", fresh_hex()));
    Ok(Accepted { message, answer, once: None })
}

/// The text as it is, or from UTF-16 in hexadecimal where, and only where, it has to be.
fn legacy_text(given: &str, unicode: Option<&str>) -> Result<String, String> {
    let text = match unicode {
        None | Some("0") => given.to_owned(),
        Some("1") => checks::from_ucs2_hex(given)?,
        Some(other) => return Err(format!("unicode={other:?}")),
    };
    checks::marked(&text, unicode == Some("1")).map(|()| text)
}

/// The key alone in the header; whoever writes a scheme before it has not read the manual.
pub(super) fn bare_key(request: &Request, known: &[&str]) -> Result<String, &'static str> {
    let key = request.header("Authorization").ok_or("no key")?;
    if known.contains(&key) {
        Ok(key.to_owned())
    } else if known.iter().any(|known| key.ends_with(known)) {
        Err("something stands before the key")
    } else {
        Err("wrong key")
    }
}
