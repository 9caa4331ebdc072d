//! SMS Gateway for Android: its server, and the phone itself, which differ in the path.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, read_json};
use super::{Judged, Refused, Request, accepted, checks};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Body {
    id: String,
    phone_numbers: Vec<String>,
    text_message: TextMessage,
    priority: i8,
    /// What the SDK always says, and is so without it.
    #[serde(default = "yes")]
    with_delivery_report: bool,
    #[serde(default)]
    is_encrypted: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextMessage {
    text: String,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, why: &str| Refused {
        why: why.to_owned(),
        answer: json_answer(status, &json!({"message": why})),
    };
    let wanted = checks::basic(account::ANDROID_USER, account::ANDROID_PASSWORD);
    if request.header("Authorization") != Some(&wanted) {
        return Err(refusal(401, "Unauthorized"));
    }
    let Body {
        id,
        phone_numbers,
        text_message: TextMessage { text },
        priority,
        with_delivery_report,
        is_encrypted,
    } = read_json(request).map_err(|why| refusal(400, &why))?;
    let Ok([to]) = <[String; 1]>::try_from(phone_numbers) else {
        return Err(refusal(400, "not exactly one number"));
    };
    if !checks::is_e164(&to) {
        return Err(refusal(400, &format!("invalid phone number: {to}")));
    }
    if text.is_empty() || priority < 100 {
        return Err(refusal(400, &format!("no text, or one that waits: priority {priority}")));
    }
    if is_encrypted || !with_delivery_report {
        return Err(refusal(400, "encrypted, or without a report"));
    }
    if !(16..=36).contains(&id.len()) {
        return Err(refusal(400, &format!("an id of {} letters", id.len())));
    }
    let recipients = json!([{"phoneNumber": to, "state": "Pending"}]);
    let taken = json!({"id": id, "state": "Pending", "recipients": recipients});
    let answer = json_answer(202, &taken);
    let taken = accepted("android-sms-gateway", (&to, &text, None), account::ANDROID_USER, answer)?;
    Ok(taken.once(id, json_answer(409, &json!({"message": "duplicate id"}))))
}
