//! playSMS's webservices, which answer 200 whatever happens.

use serde_json::json;

use super::super::account;
use super::form::Form;
use super::json::json_answer;
use super::{Judged, Refused, Request, accepted, checks, fresh_hex, serial};

const FIELDS: &[&str] =
    &["app", "op", "u", "h", "to", "msg", "from", "unicode", "nofooter", "format"];

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |code: &str, why: &str| {
        let body = json!({"status": "ERR", "error": code, "error_string": why, "timestamp": 0});
        Refused { why: format!("{why} ({code})"), answer: json_answer(200, &body) }
    };
    if request.method != "POST" {
        return Err(refusal("102", "not a POST"));
    }
    let form = Form::read(request, FIELDS).map_err(|why| refusal("102", &why))?;
    let field = |name| form.value(name).unwrap_or_default();
    let operation = (field("app"), field("op"), field("format"), field("nofooter"));
    if operation != ("ws", "pv", "json", "1") {
        return Err(refusal("102", &format!("app, op, format, nofooter are {operation:?}")));
    }
    if field("u") != account::PLAYSMS_USER || field("h") != account::PLAYSMS_TOKEN {
        return Err(refusal("100", "wrong or no credentials"));
    }
    let (to, text, from) = (field("to"), field("msg"), form.value("from"));
    if !checks::is_e164(to) || text.is_empty() {
        return Err(refusal("102", &format!("no text, or recipient {to:?}")));
    }
    if from.is_some_and(|from| !checks::is_sender(from)) {
        return Err(refusal("102", &format!("sender {from:?}")));
    }
    let unicode = match form.value("unicode") {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => return Err(refusal("102", &format!("unicode {other:?}"))),
    };
    checks::marked(text, unicode).map_err(|why| refusal("102", &why))?;
    let taken = json!({
        "status": "OK", "error": "0", "smslog_id": serial().to_string(), "queue": fresh_hex(),
        "to": to,
    });
    let answer = json_answer(200, &json!({"data": [taken], "error_string": null}));
    accepted("playsms", (to, text, from), account::PLAYSMS_USER, answer)
}
