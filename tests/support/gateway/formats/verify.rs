//! Twilio Verify: codes that the provider makes and judges.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::super::account;
use super::form::Form;
use super::twilio::{credentials, refusal};
use super::{Answer, JSON, Judged, Refused, Request, accepted, checks, fresh_hex, serial};

/// How often one code is sent, and how often it may be tried.
const MOST: u32 = 5;

/// A code that was sent and not yet typed.
struct Pending {
    sid: String,
    code: String,
    sends: u32,
    checks: u32,
}

/// Which codes wait, by gateway and number: all gateways of a test run are in this process.
static PENDING: Mutex<Option<HashMap<(String, String), Pending>>> = Mutex::new(None);

/// Checks a request to start a verification, or to send its code once more.
pub fn judge(request: &Request) -> Judged {
    let user = credentials(request)?;
    let form = form(request, "Verifications", &["To", "Channel", "Locale"])?;
    let (to, channel) = (recipient(&form)?, form.value("Channel").unwrap_or_default());
    if !["sms", "call"].contains(&channel) {
        return Err(refusal(400, 60200, "Invalid parameter: Channel", "channel"));
    }
    let (sid, code) = with_pending(|all| {
        let fresh = || Pending {
            sid: format!("VE{}", fresh_hex()),
            // Never one that the tests type as a wrong one.
            code: format!("{:06}", 100_000 + serial() * 7_919 % 800_000),
            sends: 0,
            checks: 0,
        };
        let pending = all.entry(key(request, to)).or_insert_with(fresh);
        pending.sends += 1;
        let is_allowed = pending.sends <= MOST;
        is_allowed.then(|| (pending.sid.clone(), pending.code.clone()))
    })
    .ok_or_else(|| refusal(429, 60203, "Max send attempts reached", "sent too often"))?;
    let answer = Answer::new(201, JSON, verification(&sid, to, "pending").to_string());
    let text = match form.value("Locale") {
        Some(locale) => format!("{locale}: your verification code is {code}"),
        None => format!("Your Acme verification code is: {code}"),
    };
    let format = if channel == "call" { "twilio-verify-call" } else { "twilio-verify" };
    accepted(format, (to, &text, None), &user, answer)
}

/// Answers whether a code is right; nothing where the path is about something else.
pub fn check(request: &Request) -> Option<Result<Answer, Refused>> {
    let is_meant = request.path.starts_with("/v2/Services/") && request.path.contains("Check");
    is_meant.then(|| compare(request))
}

fn compare(request: &Request) -> Result<Answer, Refused> {
    credentials(request)?;
    let form = form(request, "VerificationCheck", &["To", "Code"])?;
    let (to, code) = (recipient(&form)?, form.value("Code").unwrap_or_default());
    if !code.bytes().all(|byte| byte.is_ascii_digit()) || !(4..=10).contains(&code.len()) {
        return Err(refusal(400, 60200, "Invalid parameter: Code", &format!("code {code:?}")));
    }
    with_pending(|all| {
        let key = key(request, to);
        let Some(pending) = all.get_mut(&key) else {
            let message = format!("The requested resource {} was not found", request.path);
            return Err(refusal(404, 20404, &message, "no verification waits"));
        };
        pending.checks += 1;
        // It is not gone by that: until it expires nobody gets another one.
        if pending.checks > MOST {
            return Err(refusal(429, 60202, "Max check attempts reached", "tried too often"));
        }
        let is_right = pending.code == code;
        let status = if is_right { "approved" } else { "pending" };
        let answer = Answer::new(200, JSON, verification(&pending.sid, to, status).to_string());
        if is_right {
            all.remove(&key);
        }
        Ok(answer)
    })
}

fn verification(sid: &str, to: &str, status: &str) -> serde_json::Value {
    json!({
        "sid": sid, "service_sid": account::TWILIO_VERIFY, "account_sid": account::TWILIO_SID,
        "to": to, "channel": "sms", "status": status, "valid": status == "approved",
    })
}

fn form(request: &Request, resource: &str, fields: &[&str]) -> Result<Form, Refused> {
    if request.path != format!("/v2/Services/{}/{resource}", account::TWILIO_VERIFY) {
        return Err(refusal(404, 20404, "The requested resource was not found", "no such path"));
    }
    if request.method != "POST" {
        return Err(refusal(405, 20004, "Method not allowed", "not a POST"));
    }
    Form::read(request, fields).map_err(|why| refusal(400, 60200, "Invalid parameter", &why))
}

fn recipient(form: &Form) -> Result<&str, Refused> {
    let to = form.value("To").unwrap_or_default();
    match checks::is_e164(to) {
        true => Ok(to),
        false => Err(refusal(400, 60200, "Invalid parameter `To`", &format!("number {to:?}"))),
    }
}

fn key(request: &Request, to: &str) -> (String, String) {
    (request.header("Host").unwrap_or_default().to_owned(), to.to_owned())
}

fn with_pending<T>(work: impl FnOnce(&mut HashMap<(String, String), Pending>) -> T) -> T {
    // A thread that panicked left nothing half done.
    let mut all = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    work(all.get_or_insert_default())
}
