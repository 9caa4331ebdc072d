//! Telnyx's messages.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
    #[serde(default, deserialize_with = "present")]
    messaging_profile_id: Option<String>,
    to: String,
    text: String,
    r#type: String,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, code: &str, why: &str| {
        let error = json!({"code": code, "title": "Refused", "detail": why});
        let answer = json_answer(status, &json!({"errors": [error]}));
        Refused { why: format!("{why} ({code})"), answer }
    };
    if request.header("Authorization") != Some(&format!("Bearer {}", account::TELNYX_KEY)) {
        return Err(refusal(401, "10009", "wrong or no key"));
    }
    let body: Body = read_json(request).map_err(|why| refusal(422, "10015", &why))?;
    if !checks::is_e164(&body.to) {
        return Err(refusal(400, "10016", &format!("recipient {:?}", body.to)));
    }
    if body.text.is_empty() || body.r#type != "SMS" {
        return Err(refusal(422, "10015", &format!("no text, or type {:?}", body.r#type)));
    }
    let profile = body.messaging_profile_id.as_deref();
    if profile.is_some_and(|profile| profile != account::TELNYX_PROFILE) {
        return Err(refusal(400, "10015", &format!("profile {profile:?}")));
    }
    let from = match body.from.as_deref() {
        Some(from) if checks::is_e164(from) => Some(from),
        // A name is the profile's to allow.
        Some(from) if checks::is_sender(from) && profile.is_some() => Some(from),
        None if profile.is_some() => profile,
        from => return Err(refusal(400, "40305", &format!("sender {from:?}"))),
    };
    let to = json!([{"phone_number": body.to, "status": "queued", "carrier": ""}]);
    let data = json!({"id": fresh_hex(), "record_type": "message", "to": to, "errors": []});
    let answer = json_answer(200, &json!({"data": data}));
    accepted("telnyx", (&body.to, &body.text, from), account::TELNYX_KEY, answer)
}
