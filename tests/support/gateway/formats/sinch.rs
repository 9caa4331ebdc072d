//! Sinch's batches.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Answer, JSON, Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
    to: Vec<String>,
    body: String,
    r#type: String,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, code: &str, why: &str| Refused {
        why: format!("{why} ({code})"),
        answer: json_answer(status, &json!({"code": code, "text": why})),
    };
    if request.header("Authorization") != Some(&format!("Bearer {}", account::SINCH_TOKEN)) {
        // Without a body, as its specification has it.
        let answer = Answer::new(401, JSON, "");
        return Err(Refused { why: "wrong or no token".to_owned(), answer });
    }
    // A slash in the plan must not make a segment of its own.
    let plan = request.path.strip_prefix("/xms/v1/").and_then(|rest| rest.strip_suffix("/batches"));
    let plan = plan.filter(|plan| !plan.contains('/'));
    let plan = plan.map(|plan| percent_decode_str(plan).decode_utf8_lossy().into_owned());
    if plan.as_deref() != Some(account::SINCH_PLAN) {
        return Err(refusal(404, "not_found", &format!("no such plan: {}", request.path)));
    }
    let syntax = |why: &str| refusal(400, "syntax_invalid_parameter_format", why);
    let Body { from, to, body, r#type } = read_json(request).map_err(|why| syntax(&why))?;
    let Ok([to]) = <[String; 1]>::try_from(to) else {
        return Err(syntax("not exactly one recipient"));
    };
    if !checks::is_e164(&to) {
        return Err(syntax(&format!("recipient {to:?}")));
    }
    if from.as_deref().is_some_and(|from| !checks::is_sender(from)) {
        return Err(syntax(&format!("sender {from:?}")));
    }
    if body.is_empty() || r#type != "mt_text" {
        return Err(syntax(&format!("no text, or type {type:?}")));
    }
    let taken = json!({
        "id": fresh_hex(), "to": [to.trim_start_matches('+')], "canceled": false,
        "body": body, "type": "mt_text",
    });
    let answer = json_answer(201, &taken);
    accepted("sinch", (&to, &body, from.as_deref()), account::SINCH_PLAN, answer)
}
