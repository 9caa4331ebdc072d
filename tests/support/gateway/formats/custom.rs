//! An interface nobody sells: what an admin may have to describe without our help.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::{Accepted, Answer, JSON, Judged, Message, Refused, Request, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    recipient: String,
    message: String,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let credentials = match request.header("X-Token") {
        Some(token) if token == account::CUSTOM_TOKEN => token.to_owned(),
        _ => return Err(refusal(401, "bad token", "wrong or no X-Token")),
    };
    if request.method != "POST" || request.query.is_some() {
        return Err(refusal(405, "bad method", "not a POST, or with a query"));
    }
    checks::content_type(request, JSON).map_err(|why| refusal(400, "bad request", &why))?;
    let Body { recipient: to, message: text } = serde_json::from_slice(&request.body)
        .map_err(|error| refusal(400, "bad request", &error.to_string()))?;
    if !checks::is_e164(&to) {
        return Err(refusal(400, "bad recipient", &format!("recipient {to:?}")));
    }
    if text.is_empty() {
        return Err(refusal(400, "bad message", "no text"));
    }
    let answer = Answer::new(200, JSON, json!({"ok": true, "ref": fresh_hex()}).to_string());
    let message = Message { format: "http", to, text, from: None, credentials };
    Ok(Accepted { message, answer, once: None })
}

fn refusal(status: u16, error: &str, why: &str) -> Refused {
    let body = json!({"ok": false, "error": error});
    Refused { why: why.to_owned(), answer: Answer::new(status, JSON, body.to_string()) }
}
