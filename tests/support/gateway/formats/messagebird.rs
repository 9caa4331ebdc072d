//! MessageBird's REST API, and Bird's newer one.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    originator: String,
    recipients: Recipients,
    body: String,
    #[serde(default, deserialize_with = "present")]
    datacoding: Option<String>,
}

/// A list, or a text with commas as MessageBird's own SDK sends it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recipients {
    List(Vec<String>),
    Text(String),
}

/// Checks a request to send by the REST API.
pub fn judge_rest(request: &Request) -> Judged {
    let refusal = |status, code: u32, parameter: &str, why: &str| {
        let error = json!({"code": code, "description": why, "parameter": parameter});
        let answer = json_answer(status, &json!({"errors": [error]}));
        Refused { why: format!("{why} ({code}, {parameter})"), answer }
    };
    if request.header("Authorization") != Some(&format!("AccessKey {}", account::MESSAGEBIRD_KEY)) {
        let why = "Request not allowed (incorrect access_key)";
        return Err(refusal(401, 2, "access_key", why));
    }
    let Rest { originator, recipients, body, datacoding } =
        read_json(request).map_err(|why| refusal(422, 10, "body", &why))?;
    let recipients = match recipients {
        Recipients::List(list) => list,
        Recipients::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    let Ok([to]) = <[String; 1]>::try_from(recipients) else {
        return Err(refusal(422, 9, "recipients", "not exactly one recipient"));
    };
    if !checks::is_digits(&to) {
        return Err(refusal(422, 9, "recipient", &format!("recipient {to:?}")));
    }
    if !checks::is_sender(&originator) {
        return Err(refusal(422, 9, "originator", &format!("sender {originator:?}")));
    }
    if body.is_empty() {
        return Err(refusal(422, 9, "body", "no text"));
    }
    let unicode = match datacoding.as_deref() {
        None | Some("plain") => false,
        Some("unicode") => true,
        Some(other) => {
            return Err(refusal(422, 10, "datacoding", &format!("datacoding {other:?}")));
        }
    };
    checks::marked(&body, unicode).map_err(|why| refusal(422, 10, "datacoding", &why))?;

    let item = json!({"recipient": 4_915_123_456_723_u64, "status": "sent"});
    let recipients = json!({"totalCount": 1, "totalSentCount": 1, "items": [item]});
    let taken = json!({"id": fresh_hex(), "direction": "mt", "recipients": recipients});
    let answer = json_answer(201, &taken);
    let key = account::MESSAGEBIRD_KEY;
    accepted("messagebird", (&to, &body, Some(&originator)), key, answer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bird {
    to: String,
    from: String,
    text: String,
    category: String,
}

/// Checks a request to send by Bird's API of 2026.
pub fn judge_bird(request: &Request) -> Judged {
    let refusal = |status, kind: &str, code: &str, why: &str| {
        let error = json!({
            "type": kind, "code": code, "name": "refused", "message": why,
            "doc_url": "https://bird.com/docs/errors", "request_id": fresh_hex(),
        });
        let answer = json_answer(status, &json!({"error": error}));
        Refused { why: format!("{why} ({kind})"), answer }
    };
    if request.header("Authorization") != Some(&format!("Bearer {}", account::BIRD_KEY)) {
        return Err(refusal(401, "auth_error", "E10001", "wrong or no key"));
    }
    let invalid = |why: &str| refusal(422, "validation_error", "E10002", why);
    let Bird { to, from, text, category } = read_json(request).map_err(|why| invalid(&why))?;
    if !checks::is_e164(&to) {
        return Err(invalid(&format!("recipient {to:?}")));
    }
    if !checks::is_e164(&from) && !checks::is_sender(&from) {
        return Err(invalid(&format!("sender {from:?}")));
    }
    if text.is_empty() || category != "authentication" {
        return Err(invalid(&format!("no text, or category {category:?}")));
    }
    let key = request.header("Idempotency-Key").unwrap_or_default();
    if key.len() < 16 {
        return Err(invalid(&format!("key {key:?}, by which nothing can be told apart")));
    }
    // As much as Bird's own SDK wants to see.
    let taken = json!({
        "id": format!("sms_{}", &fresh_hex()[..26]), "direction": "outbound", "status": "accepted",
        "to": to, "from": from, "text": text, "requested_language": null,
        "resolved_language": null, "template_id": null, "template_version_id": null,
        "template_content_hash": null, "created_at": "2026-11-24T08:15:42Z",
        "segments": {"count": checks::parts(&text), "encoding": "GSM_7BIT",
            "characters": text.chars().count()},
    });
    let answer = json_answer(202, &taken);
    let again = answer.clone();
    let taken = accepted("bird", (&to, &text, Some(&from)), account::BIRD_KEY, answer)?;
    Ok(taken.once(key.to_owned(), again))
}
