//! ClickSend's REST API: what is wrong with a message is told inside a success.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    messages: Vec<Sms>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sms {
    to: String,
    body: String,
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
    /// What a program says of itself.
    #[serde(default)]
    source: Option<String>,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status: u16, code: &str, why: &str| {
        let body = json!({
            "http_code": status, "response_code": code, "response_msg": why, "data": null,
        });
        Refused { why: format!("{why} ({code})"), answer: json_answer(status, &body) }
    };
    let wanted = checks::basic(account::CLICKSEND_USER, account::CLICKSEND_KEY);
    if request.header("Authorization") != Some(&wanted) {
        return Err(refusal(401, "UNAUTHORIZED", "Authorization failed."));
    }
    let body: Body = read_json(request).map_err(|why| refusal(400, "BAD_REQUEST", &why))?;
    let Ok([Sms { to, body, from, source }]) = <[Sms; 1]>::try_from(body.messages) else {
        return Err(refusal(400, "BAD_REQUEST", "not exactly one message"));
    };
    if source.is_some_and(|source| source.is_empty()) {
        return Err(refusal(400, "BAD_REQUEST", "a source without a name"));
    }
    let told = |status: &str| {
        let message = json!({"to": to, "message_id": fresh_hex(), "status": status});
        let blocked = u32::from(status != "SUCCESS");
        let data = json!({
            "total_price": 0.05, "total_count": 1, "queued_count": 1 - blocked,
            "messages": [message], "blocked_count": blocked,
        });
        json_answer(
            200,
            &json!({
                "http_code": 200, "response_code": "SUCCESS",
                "response_msg": "Messages queued for delivery.", "data": data,
            }),
        )
    };
    let inside = |status: &str, why: String| Refused { why, answer: told(status) };
    if !checks::is_e164(&to) {
        return Err(inside("INVALID_RECIPIENT", format!("recipient {to:?}")));
    }
    let is_good = |from: &str| checks::is_e164(from) || checks::is_sender(from);
    if from.as_deref().is_some_and(|from| !is_good(from)) {
        return Err(inside("INVALID_SENDER_ID", format!("sender {from:?}")));
    }
    if body.is_empty() {
        return Err(inside("EMPTY_MESSAGE", "no text".to_owned()));
    }
    let answer = told("SUCCESS");
    accepted("clicksend", (&to, &body, from.as_deref()), account::CLICKSEND_USER, answer)
}
