//! Vonage's SMS API, which answers 200 whatever happens, and its Messages API.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::form::Form;
use super::json::{json_answer, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

const FIELDS: &[&str] =
    &["api_key", "api_secret", "from", "to", "text", "type", "client-ref", "ttl"];

/// Checks a request to send by the SMS API.
pub fn judge_sms(request: &Request) -> Judged {
    let refusal = |code: u32, error: &str, why: &str| {
        let message = json!({"status": code.to_string(), "error-text": error});
        let answer = json_answer(200, &json!({"message-count": "1", "messages": [message]}));
        Refused { why: format!("{why} ({code})"), answer }
    };
    if request.method != "POST" {
        return Err(refusal(3, "Invalid method", "not a POST"));
    }
    let form = Form::read(request, FIELDS).map_err(|why| refusal(3, "Invalid parameters", &why))?;
    let field = |name| form.value(name).unwrap_or_default();
    // In the form as the pages have it, or in the header as Vonage's own SDK does.
    let by_form =
        (field("api_key"), field("api_secret")) == (account::VONAGE_KEY, account::VONAGE_SECRET);
    let by_header = request.header("Authorization")
        == Some(&checks::basic(account::VONAGE_KEY, account::VONAGE_SECRET));
    if by_form == by_header {
        return Err(refusal(4, "Bad Credentials", "wrong or no credentials"));
    }
    let (to, from, text) = (field("to"), field("from"), field("text"));
    if !checks::is_digits(to) {
        return Err(refusal(3, "Invalid to param", &format!("recipient {to:?}")));
    }
    if !checks::is_sender(from) || from.contains(' ') {
        return Err(refusal(15, "Illegal Sender Address", &format!("sender {from:?}")));
    }
    if text.is_empty() {
        return Err(refusal(2, "Missing text param", "no text"));
    }
    let unicode = match form.value("type") {
        None | Some("text") => false,
        Some("unicode") => true,
        Some(other) => return Err(refusal(3, "Invalid type", &format!("type {other:?}"))),
    };
    // The real one takes it, and what is not in the alphabet arrives as a question mark.
    checks::marked(text, unicode).map_err(|why| refusal(3, "Invalid text", &why))?;

    // One entry for each part, numbers as texts.
    let parts = checks::parts(text);
    let part = |_| {
        json!({
            "to": to, "message-id": fresh_hex(), "status": "0",
            "remaining-balance": "3.14159265", "message-price": "0.03330000", "network": "12345",
        })
    };
    let messages: Vec<_> = (0..parts).map(part).collect();
    let body = json!({"message-count": parts.to_string(), "messages": messages});
    let answer = json_answer(200, &body);
    accepted("vonage", (to, text, Some(from)), account::VONAGE_KEY, answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    channel: String,
    message_type: String,
    to: String,
    from: String,
    text: String,
}

/// Checks a request to send by the Messages API.
pub fn judge_messages(request: &Request) -> Judged {
    let refusal = |status: u16, code: &str, title: &str, why: &str| {
        let body = json!({
            "type": format!("https://developer.vonage.com/api-errors/messages#{code}"),
            "title": title, "detail": why, "instance": fresh_hex(),
        });
        Refused { why: format!("{why} ({code})"), answer: json_answer(status, &body) }
    };
    let wanted = checks::basic(account::VONAGE_KEY, account::VONAGE_SECRET);
    if request.header("Authorization") != Some(&wanted) {
        return Err(refusal(401, "unauthorized", "Unauthorized", "wrong or no credentials"));
    }
    let invalid = |why: &str| refusal(422, "1020", "Invalid params", why);
    let Messages { channel, message_type, to, from, text } =
        read_json(request).map_err(|why| invalid(&why))?;
    if channel != "sms" || message_type != "text" {
        return Err(invalid(&format!("channel {channel:?}, message_type {message_type:?}")));
    }
    if !checks::is_digits(&to) {
        return Err(invalid(&format!("recipient {to:?}")));
    }
    if !checks::is_sender(&from) {
        return Err(refusal(422, "1120", "Illegal Sender Address", &format!("sender {from:?}")));
    }
    if text.is_empty() {
        return Err(invalid("no text"));
    }
    let answer = json_answer(202, &json!({"message_uuid": fresh_hex()}));
    accepted("vonage-messages", (&to, &text, Some(&from)), account::VONAGE_KEY, answer)
}
