//! BulkSMS's JSON API.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json_behind_query};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    to: String,
    body: String,
    #[serde(default, deserialize_with = "present")]
    from: Option<String>,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status: u16, code: &str, why: &str| {
        let body = json!({
            "type": format!("https://developer.bulksms.com/json/v1/errors#{code}"),
            "title": code, "status": status, "detail": why,
        });
        Refused { why: format!("{why} ({code})"), answer: json_answer(status, &body) }
    };
    let wanted = checks::basic(account::BULKSMS_ID, account::BULKSMS_SECRET);
    if request.header("Authorization") != Some(&wanted) {
        return Err(refusal(401, "authentication-failed", "wrong or no credentials"));
    }
    let invalid = |why: &str| refusal(400, "bad-request", why);
    // Without it the real one puts a question mark where its default alphabet ends.
    let query = request.query.as_deref().unwrap_or_default();
    let number = query.strip_prefix("auto-unicode=true&deduplication-id=");
    let Some(number) = number.and_then(|number| number.parse::<i32>().ok()) else {
        return Err(invalid(&format!("query {query:?}")));
    };
    let Body { to, body, from } = read_json_behind_query(request).map_err(|why| invalid(&why))?;
    if !checks::is_e164(&to) {
        return Err(invalid(&format!("recipient {to:?}")));
    }
    // Braces would be a field to fill in.
    if body.is_empty() || body.contains('{') {
        return Err(invalid("no text, or a template"));
    }
    if from.as_deref().is_some_and(|from| !checks::is_sender(from)) {
        return Err(invalid(&format!("sender {from:?}")));
    }
    let status = json!({"id": "ACCEPTED.NULL", "type": "ACCEPTED", "subtype": null});
    let taken = json!([{"id": fresh_hex(), "type": "SENT", "status": status, "to": to}]);
    let answer = json_answer(201, &taken);
    let again = answer.clone();
    let taken = accepted("bulksms", (&to, &body, from.as_deref()), account::BULKSMS_ID, answer)?;
    Ok(taken.once(number.to_string(), again))
}
