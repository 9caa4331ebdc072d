//! Kannel's smsbox, by POST: the text is the body, everything else a header.

use super::super::account;
use super::{Answer, Judged, Refused, Request, accepted, checks, fresh_hex};

const HEADERS: [&str; 5] = ["username", "password", "to", "from", "coding"];

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, words: &str, why: &str| Refused {
        why: format!("{why} ({words})"),
        answer: Answer::new(status, "text/html", words),
    };
    let header = |name: &str| request.header(&format!("X-Kannel-{name}")).unwrap_or_default();
    if header("Username") != account::KANNEL_USER || header("Password") != account::KANNEL_PASSWORD
    {
        let words = "Authorization failed for sendsms";
        return Err(refusal(403, words, "wrong or no credentials"));
    }
    if request.method != "POST" || request.query.is_some() {
        return Err(refusal(400, "Invalid content-type", "not a POST, or with a query"));
    }
    let unknown = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    let unknown = unknown.filter_map(|name| name.strip_prefix("x-kannel-").map(str::to_owned));
    if let Some(name) = unknown.into_iter().find(|name| !HEADERS.contains(&name.as_str())) {
        return Err(refusal(400, "Invalid content-type", &format!("header {name:?}")));
    }
    // With its charset: without one the real one takes the text for ISO-8859-1.
    if request.header("Content-Type") != Some("text/plain; charset=UTF-8") {
        let given = request.header("Content-Type");
        return Err(refusal(400, "Invalid content-type", &format!("content type {given:?}")));
    }
    let to = header("To");
    if !checks::is_e164(to) {
        let words = "Missing receiver number, rejected";
        return Err(refusal(400, words, &format!("recipient {to:?}")));
    }
    let from = request.header("X-Kannel-From");
    if from.is_some_and(|from| !checks::is_sender(from)) {
        return Err(refusal(400, "Sender missing and no global set, rejected", "bad sender"));
    }
    let misformed = |why: &str| refusal(400, "Coding field misformed, rejected", why);
    let text = std::str::from_utf8(&request.body).map_err(|_| misformed("not UTF-8"))?;
    if text.is_empty() {
        return Err(misformed("no text, which the real one sends"));
    }
    let unicode = match header("Coding") {
        "0" => false,
        "2" => true,
        other => return Err(misformed(&format!("coding {other:?}"))),
    };
    checks::marked(text, unicode).map_err(|why| misformed(&why))?;
    let answer = Answer::new(202, "text/html", "0: Accepted for delivery");
    let answer = answer.with_header("X-Kannel-Id", fresh_hex());
    accepted("kannel", (to, text, from), account::KANNEL_USER, answer)
}
