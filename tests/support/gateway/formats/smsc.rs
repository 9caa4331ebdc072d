//! SMSC (smsc.ru, smsc.kz, smscentre.com), which answers 200 whatever happens.

use serde_json::json;

use super::super::account;
use super::form::Form;
use super::{Accepted, Answer, JSON, Judged, Message, Refused, Request, checks, serial};

const FIELDS: &[&str] =
    &["login", "psw", "apikey", "phones", "mes", "sender", "id", "cost", "fmt", "charset"];

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let parameters = |why: &str| refusal(1, "parameters error", why);
    if request.method != "POST" && request.method != "GET" {
        return Err(parameters("neither POST nor GET"));
    }
    let form = Form::read(request, FIELDS).map_err(|why| parameters(&why))?;
    let credentials = credentials(&form)?;
    if form.value("fmt") != Some("3") {
        return Err(parameters("fmt is not 3"));
    }
    // Without it the real one takes UTF-8 for windows-1251 and delivers nonsense.
    if form.value("charset") != Some("utf-8") {
        return Err(parameters("charset is not utf-8"));
    }
    let to = form.value("phones").unwrap_or_default();
    // Without the plus the real one corrects the number as it sees fit.
    if !checks::is_e164(to) {
        return Err(refusal(7, "invalid number", &format!("recipient {to:?}")));
    }
    let text = form.value("mes").unwrap_or_default();
    if text.is_empty() {
        return Err(parameters("no text"));
    }
    let from = form.value("sender");
    if from.is_some_and(|from| !checks::is_sender(from)) {
        return Err(refusal(6, "message is denied", &format!("sender {from:?}")));
    }
    // 1 asks for the price and sends nothing; 2 and 3 send and tell the price as well.
    if !matches!(form.value("cost"), None | Some("0" | "2" | "3")) {
        return Err(parameters("cost is not 0, 2 or 3"));
    }
    let id = match form.value("id").map(str::parse::<u32>) {
        None => serial(),
        Some(Ok(id @ 1..=0x7fff_ffff)) => u64::from(id),
        Some(_) => return Err(parameters("bad id")),
    };

    let message = Message {
        format: "smsc",
        to: to.to_owned(),
        text: text.to_owned(),
        from: from.map(str::to_owned),
        credentials,
    };
    let answer = Answer::new(200, JSON, json!({"id": id, "cnt": checks::parts(text)}).to_string());
    Ok(Accepted { message, answer, once: None })
}

/// Login and password, or the key; not a mixture.
pub(super) fn credentials(form: &Form) -> Result<String, Refused> {
    match (form.value("login"), form.value("psw"), form.value("apikey")) {
        (Some(account::SMSC_LOGIN), Some(account::SMSC_PASSWORD), None) => {
            Ok(account::SMSC_LOGIN.to_owned())
        }
        (None, None, Some(account::SMSC_APIKEY)) => Ok(account::SMSC_APIKEY.to_owned()),
        _ => Err(refusal(2, "authorise error", "wrong or no credentials")),
    }
}

pub(super) fn refusal(code: u32, error: &str, why: &str) -> Refused {
    let body = json!({"error": error, "error_code": code});
    Refused { why: format!("{why} ({code})"), answer: Answer::new(200, JSON, body.to_string()) }
}
