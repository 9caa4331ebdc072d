//! Jasmin's HTTP API.

use super::super::account;
use super::form::Form;
use super::{Answer, Judged, Refused, Request, accepted, checks, fresh_hex};

const FIELDS: &[&str] = &["username", "password", "to", "from", "coding", "content", "hex-content"];

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, why: &str| Refused {
        why: why.to_owned(),
        answer: Answer::new(status, "text/plain", format!("Error \"{}\"", why.replace('"', "'"))),
    };
    if request.method != "POST" {
        return Err(refusal(400, "not a POST"));
    }
    let form = Form::read(request, FIELDS).map_err(|why| refusal(400, &why))?;
    let field = |name| form.value(name).unwrap_or_default();
    let user = field("username");
    if user != account::JASMIN_USER || field("password") != account::JASMIN_PASSWORD {
        return Err(refusal(403, &format!("Authentication failure for username:{user}")));
    }
    let to = field("to");
    if !checks::is_digits(to) {
        return Err(refusal(400, &format!("Argument [to] has an invalid value: [{to}].")));
    }
    let from = form.value("from");
    if from.is_some_and(|from| !checks::is_sender(from)) {
        return Err(refusal(400, &format!("Argument [from] has an invalid value: {from:?}.")));
    }
    let (plain, hex) = (form.value("content"), form.value("hex-content"));
    let (text, unicode) = match (field("coding"), plain, hex) {
        ("0", Some(text), None) => (text.to_owned(), false),
        ("8", None, Some(hex)) => {
            (checks::from_ucs2_hex(hex).map_err(|why| refusal(400, &why))?, true)
        }
        other => return Err(refusal(400, &format!("coding and content: {other:?}"))),
    };
    if text.is_empty() {
        return Err(refusal(400, "no text"));
    }
    checks::marked(&text, unicode).map_err(|why| refusal(400, &why))?;
    let answer = Answer::new(200, "text/plain", format!("Success \"{}\"", fresh_hex()));
    accepted("jasmin", (to, &text, from), user, answer)
}
