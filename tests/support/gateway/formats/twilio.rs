//! Twilio's Messages resource.

use serde_json::json;

use super::super::account;
use super::form::Form;
use super::{Accepted, Answer, JSON, Judged, Message, Refused, Request, checks, fresh_hex};

const FIELDS: &[&str] = &["To", "From", "MessagingServiceSid", "Body", "ValidityPeriod"];
const LONGEST_BODY: usize = 1600;
/// Longest time a message may be kept for delivery, in seconds.
const LONGEST_VALIDITY: u32 = 36_000;

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let credentials = credentials(request)?;
    if request.path != format!("/2010-04-01/Accounts/{}/Messages.json", account::TWILIO_SID) {
        let message = format!("The requested resource {} was not found", request.path);
        return Err(refusal(404, 20404, &message, "no such resource in this account"));
    }
    if request.method != "POST" {
        return Err(refusal(405, 20004, "Method not allowed", "not a POST"));
    }
    // The real one ignores a field it does not know. A misspelled field must not pass here.
    let form = Form::read(request, FIELDS)
        .map_err(|why| refusal(400, 20001, "Unknown parameters", &why))?;
    let validity = form.value("ValidityPeriod").map(str::parse::<u32>);
    if !matches!(validity, None | Some(Ok(1..=LONGEST_VALIDITY))) {
        return Err(refusal(400, 20001, "Invalid ValidityPeriod", "bad ValidityPeriod"));
    }
    let to = recipient(&form)?;
    let text = text(&form)?;
    let (number, service) = sender(&form)?;

    let from = number.or(service).map(str::to_owned);
    let answer = created(to, text, number, service);
    let (to, text) = (to.to_owned(), text.to_owned());
    let message = Message { format: "twilio", to, text, from, credentials };
    Ok(Accepted { message, answer, once: None })
}

/// Either the account's own pair or a key's, by RFC 7617 in UTF-8.
pub(super) fn credentials(request: &Request) -> Result<String, Refused> {
    let given = request.header("Authorization").unwrap_or_default();
    let pairs = [
        (account::TWILIO_SID, account::TWILIO_TOKEN),
        (account::TWILIO_KEY_SID, account::TWILIO_KEY_SECRET),
    ];
    let known = |(user, secret)| given == checks::basic(user, secret);
    let Some((user, _)) = pairs.into_iter().find(|&pair| known(pair)) else {
        let mut refused = refusal(401, 20003, "Authenticate", "wrong or no credentials");
        refused.answer =
            refused.answer.with_header("WWW-Authenticate", "Basic realm=\"Twilio API\"");
        return Err(refused);
    };
    Ok(user.to_owned())
}

fn recipient(form: &Form) -> Result<&str, Refused> {
    match form.value("To") {
        Some(to) if checks::is_e164(to) => Ok(to),
        None | Some("") => {
            Err(refusal(400, 21604, "A 'To' phone number is required.", "no recipient"))
        }
        Some(to) => {
            let message = format!("Invalid 'To' Phone Number: {to}");
            Err(refusal(400, 21211, &message, &format!("recipient {to:?}")))
        }
    }
}

fn text(form: &Form) -> Result<&str, Refused> {
    match form.value("Body") {
        None | Some("") => Err(refusal(400, 21602, "Message body is required.", "no text")),
        Some(text) if text.chars().count() > LONGEST_BODY => {
            let message = "The concatenated message body exceeds the 1600 character limit.";
            Err(refusal(400, 21617, message, "the text is too long"))
        }
        Some(text) => Ok(text),
    }
}

/// The number, the messaging service, or both: then the number is one of the service's.
fn sender(form: &Form) -> Result<(Option<&str>, Option<&str>), Refused> {
    let (number, service) = (form.value("From"), form.value("MessagingServiceSid"));
    if number.is_none() && service.is_none() {
        return Err(refusal(400, 21603, "A 'From' phone number is required.", "no sender"));
    }
    if let Some(number) = number.filter(|&number| number != account::TWILIO_FROM) {
        let message = format!("The 'From' phone number {number} is not a valid sender for you.");
        return Err(refusal(400, 21606, &message, &format!("sender {number:?}")));
    }
    if let Some(service) = service.filter(|&service| service != account::TWILIO_MG) {
        let message = format!("The Messaging Service Sid {service} is invalid");
        return Err(refusal(400, 21705, &message, &format!("messaging service {service:?}")));
    }
    Ok((number, service))
}

fn created(to: &str, text: &str, number: Option<&str>, service: Option<&str>) -> Answer {
    let account = account::TWILIO_SID;
    let sid = format!("SM{}", fresh_hex());
    let uri = format!("/2010-04-01/Accounts/{account}/Messages/{sid}");
    let body = json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text,
        "date_created": "Thu, 01 Jan 2026 00:00:00 +0000",
        "date_sent": null,
        "date_updated": "Thu, 01 Jan 2026 00:00:00 +0000",
        "direction": "outbound-api",
        "error_code": null,
        "error_message": null,
        "from": number,
        "messaging_service_sid": service,
        "num_media": "0",
        // A service picks the sender later, and only then is the message cut into parts.
        "num_segments": if service.is_some() { 0 } else { checks::parts(text) }.to_string(),
        "price": null,
        "price_unit": null,
        "sid": sid,
        "status": if service.is_some() { "accepted" } else { "queued" },
        "subresource_uris": { "media": format!("{uri}/Media.json") },
        "to": to,
        "uri": format!("{uri}.json"),
    });
    Answer::new(201, JSON, body.to_string())
}

pub(super) fn refusal(status: u16, code: u32, message: &str, why: &str) -> Refused {
    let body = json!({
        "code": code,
        "message": message,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        "status": status,
    });
    Refused { why: format!("{why} ({code})"), answer: Answer::new(status, JSON, body.to_string()) }
}
