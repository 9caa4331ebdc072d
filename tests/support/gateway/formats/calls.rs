//! Calls in which a text is read aloud: Twilio's Calls resource and Infobip's voice message.
//!
//! A call is kept as a message whose text is what is read, once; that it is read twice, and alike, is
//! checked here.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::form::Form;
use super::json::{json_answer, read_json};
use super::twilio::{credentials, refusal};
use super::{Answer, JSON, Judged, Refused, Request, accepted, checks, fresh_hex};

/// Languages that Twilio reads here; the real one has more.
const TWILIO_LANGUAGES: [&str; 5] = ["de-DE", "en-US", "ar-XA", "cmn-CN", "ru-RU"];
/// And Infobip.
const INFOBIP_LANGUAGES: [&str; 4] = ["de", "en", "ar", "zh-cn"];

/// Checks a request for a call by Twilio.
pub fn judge_twilio(request: &Request) -> Judged {
    let user = credentials(request)?;
    if request.path != format!("/2010-04-01/Accounts/{}/Calls.json", account::TWILIO_SID) {
        return Err(refusal(404, 20404, "The requested resource was not found", "no such path"));
    }
    let form = Form::read(request, &["To", "From", "Timeout", "Twiml"])
        .map_err(|why| refusal(400, 20001, "Unknown parameters", &why))?;
    let value = |name: &str| form.value(name).unwrap_or_default();
    let to = value("To");
    if !checks::is_e164(to) {
        return Err(refusal(400, 21211, "Invalid 'To' Phone Number", &format!("recipient {to:?}")));
    }
    if value("From") != account::TWILIO_FROM {
        return Err(refusal(400, 21210, "'From' phone number not verified", "caller"));
    }
    if !matches!(value("Timeout").parse(), Ok(5..=600)) {
        return Err(refusal(400, 20001, "Invalid Timeout", "bad Timeout"));
    }
    let text =
        said(value("Twiml")).map_err(|why| refusal(400, 12100, "Document parse failure", &why))?;
    let sid = format!("CA{}", fresh_hex());
    let body = json!({
        "sid": sid, "account_sid": account::TWILIO_SID, "to": to, "from": account::TWILIO_FROM,
        "status": "queued", "direction": "outbound-api", "price": null,
    });
    let answer = Answer::new(201, JSON, body.to_string());
    accepted("twilio-call", (to, &text, Some(account::TWILIO_FROM)), &user, answer)
}

/// What a document reads: the same twice, after a pause and with one between, in a known language.
fn said(document: &str) -> Result<String, String> {
    // As Twilio's client writes it.
    let document = document.trim_start_matches("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let document = document.replace(" />", "/>");
    let inner = document.strip_prefix("<Response><Pause length=\"1\"/>");
    let inner = inner.and_then(|rest| rest.strip_suffix("</Response>")).ok_or("no <Response>")?;
    let (once, again) = inner.split_once("<Pause length=\"2\"/>").ok_or("no pause between")?;
    if once != again {
        return Err(format!("not the same twice: {inner}"));
    }
    let rest = once.strip_prefix("<Say language=\"").ok_or("no <Say>")?;
    let (language, rest) = rest.split_once("\">").ok_or("no language")?;
    if !TWILIO_LANGUAGES.contains(&language) {
        return Err(format!("language {language:?}"));
    }
    let text = rest.strip_suffix("</Say>").ok_or("no </Say>")?;
    if text.is_empty() || text.contains('<') {
        return Err(format!("text {text:?}"));
    }
    Ok(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spoken {
    from: String,
    to: String,
    text: String,
    language: String,
}

/// Checks a request for a call by Infobip.
pub fn judge_infobip(request: &Request) -> Judged {
    let refusal = |status, code: &str, why: &str| {
        let body = json!({"errorCode": code, "description": why});
        Refused { why: format!("{why} ({code})"), answer: json_answer(status, &body) }
    };
    if request.header("Authorization") != Some(&format!("App {}", account::INFOBIP_KEY)) {
        return Err(refusal(401, "E401", "wrong or no key"));
    }
    let invalid = |why: &str| refusal(400, "E400", why);
    let Spoken { from, to, text, language } = read_json(request).map_err(|why| invalid(&why))?;
    if !checks::is_digits(&to) || !checks::is_digits(&from) {
        return Err(invalid("a number"));
    }
    if !INFOBIP_LANGUAGES.contains(&language.as_str()) {
        return Err(invalid(&format!("language {language:?}")));
    }
    let once = text.split_once(" ;\n").filter(|(once, again)| once == again).map(|(once, _)| once);
    let once = once.filter(|once| !once.is_empty()).ok_or_else(|| invalid("not the same twice"))?;
    let status = json!({"groupId": 1, "groupName": "PENDING", "name": "PENDING_ACCEPTED"});
    let answer = json_answer(
        200,
        &json!({
            "bulkId": fresh_hex(),
            "messages": [{"to": to, "status": status, "messageId": fresh_hex()}],
        }),
    );
    accepted("infobip-call", (&to, once, Some(&from)), account::INFOBIP_KEY, answer)
}
