//! Plivo's Message API, whose errors are words alone.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default, deserialize_with = "present")]
    src: Option<String>,
    #[serde(default, deserialize_with = "present")]
    powerpack_uuid: Option<String>,
    dst: String,
    text: String,
    r#type: String,
    /// What Plivo's own SDK always says, as it is without it.
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    log: Option<String>,
    #[serde(default)]
    trackable: bool,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, why: &str| {
        let answer = json_answer(status, &json!({"api_id": fresh_hex(), "error": why}));
        Refused { why: why.to_owned(), answer }
    };
    let wanted = checks::basic(account::PLIVO_ID, account::PLIVO_TOKEN);
    if request.header("Authorization") != Some(&wanted) {
        return Err(refusal(401, "authentication failed"));
    }
    if request.path != format!("/v1/Account/{}/Message/", account::PLIVO_ID) {
        return Err(refusal(404, &format!("no such resource: {}", request.path)));
    }
    let body: Body = read_json(request).map_err(|why| refusal(400, &why))?;
    let sender = match (&body.src, &body.powerpack_uuid) {
        (Some(src), None) if src == account::PLIVO_FROM => src,
        (None, Some(powerpack)) if powerpack == account::PLIVO_POWERPACK => powerpack,
        other => return Err(refusal(400, &format!("sender {other:?}"))),
    };
    if !checks::is_e164(&body.dst) {
        return Err(refusal(400, &format!("dst {:?} is no number", body.dst)));
    }
    let usual = |given: &Option<String>, usual| given.as_deref().is_none_or(|it| it == usual);
    if !usual(&body.method, "POST") || !usual(&body.log, "true") || body.trackable {
        return Err(refusal(400, "method, log or trackable"));
    }
    if body.text.is_empty() || body.r#type != "sms" {
        return Err(refusal(400, &format!("no text, or type {:?}", body.r#type)));
    }
    let taken = json!({
        "message": "message(s) queued", "message_uuid": [fresh_hex()], "api_id": fresh_hex(),
    });
    let message = (body.dst.as_str(), body.text.as_str(), Some(sender.as_str()));
    accepted("plivo", message, account::PLIVO_ID, json_answer(202, &taken))
}
