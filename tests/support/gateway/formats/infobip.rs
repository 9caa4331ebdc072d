//! Infobip's SMS API, version 3: what is wrong with a message is told inside a success.

use serde::Deserialize;
use serde_json::json;

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, fresh_hex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    messages: Vec<Sms>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sms {
    #[serde(default, deserialize_with = "present")]
    sender: Option<String>,
    destinations: Vec<Destination>,
    content: Content,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    text: String,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let refusal = |status, code: &str, why: &str| {
        let body = json!({
            "errorCode": code, "description": why, "action": "Check the request.",
            "violations": [], "resources": [],
        });
        Refused { why: format!("{why} ({code})"), answer: json_answer(status, &body) }
    };
    if request.header("Authorization") != Some(&format!("App {}", account::INFOBIP_KEY)) {
        return Err(refusal(401, "E401", "wrong or no key"));
    }
    let invalid = |why: &str| refusal(400, "E400", why);
    let body: Body = read_json(request).map_err(|why| invalid(&why))?;
    let Ok([Sms { sender, destinations, content }]) = <[Sms; 1]>::try_from(body.messages) else {
        return Err(invalid("not exactly one message"));
    };
    let Ok([Destination { to }]) = <[Destination; 1]>::try_from(destinations) else {
        return Err(invalid("not exactly one destination"));
    };
    if content.text.is_empty() {
        return Err(invalid("no text"));
    }
    let told = |group: u32, group_name: &str, name: &str| {
        let status = json!({"groupId": group, "groupName": group_name, "id": 7, "name": name});
        let message = json!({"messageId": fresh_hex(), "status": status, "destination": to});
        json_answer(200, &json!({"bulkId": fresh_hex(), "messages": [message]}))
    };
    if !checks::is_digits(&to) {
        let answer = told(5, "REJECTED", "REJECTED_DESTINATION");
        return Err(Refused { why: format!("recipient {to:?}"), answer });
    }
    if sender.as_deref().is_some_and(|sender| !checks::is_sender(sender)) {
        let answer = told(5, "REJECTED", "REJECTED_SENDER");
        return Err(Refused { why: format!("sender {sender:?}"), answer });
    }
    let answer = told(1, "PENDING", "PENDING_ACCEPTED");
    let message = (to.as_str(), content.text.as_str(), sender.as_deref());
    accepted("infobip", message, account::INFOBIP_KEY, answer)
}
