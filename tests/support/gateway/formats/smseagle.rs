//! An SMSEagle box by JSON-RPC, which answers 200 whatever happens.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::account;
use super::json::{json_answer, present, read_json};
use super::{Judged, Refused, Request, accepted, checks, serial};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    method: String,
    params: Parameters,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    access_token: String,
    to: String,
    message: String,
    responsetype: String,
    highpriority: u8,
    #[serde(default, deserialize_with = "present")]
    unicode: Option<u8>,
}

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    let told = |result: Value| json_answer(200, &json!({"result": result}));
    let refusal = |words: &str, why: &str| Refused {
        why: format!("{why} ({words})"),
        answer: told(json!({"status": "error", "error_text": words})),
    };
    let wrong = |why: &str| refusal("Wrong parameters", why);
    let Body { method, params } = read_json(request).map_err(|why| wrong(&why))?;
    if params.access_token != account::SMSEAGLE_TOKEN {
        return Err(refusal("Invalid login or password", "wrong or no token"));
    }
    let form = (method.as_str(), params.responsetype.as_str(), params.highpriority);
    if form != ("sms.send_sms", "extended", 1) {
        return Err(wrong(&format!("method, responsetype, highpriority are {form:?}")));
    }
    if !checks::is_digits(&params.to) || params.message.is_empty() {
        return Err(wrong(&format!("no text, or recipient {:?}", params.to)));
    }
    let unicode = match params.unicode {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => return Err(wrong(&format!("unicode {other}"))),
    };
    checks::marked(&params.message, unicode).map_err(|why| wrong(&why))?;
    let answer = told(json!({"message_id": serial().to_string(), "status": "ok"}));
    let token = account::SMSEAGLE_TOKEN;
    accepted("smseagle", (&params.to, &params.message, None), token, answer)
}
