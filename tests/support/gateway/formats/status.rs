//! What became of a message: how each provider is asked, and how it says it.
//!
//! Only a message that was taken here has a state. It is on its way when it is asked after first, and has
//! arrived at the next question.

use serde_json::{Value, json};

use super::super::account::*;
use super::form::Form;
use super::{Answer, JSON, Refused, Request, checks, smsc, twilio};

/// A question about a message.
pub struct Asked<'a> {
    /// What the provider calls it.
    pub id: String,
    /// Whether the question is in order.
    known: bool,
    /// The answer while it is on its way, and when it has arrived.
    answers: fn(bool) -> Value,
    request: &'a Request,
}

impl Asked<'_> {
    /// The answer; `is_ours` says whether such a message was taken here.
    pub fn answer(&self, is_ours: bool, has_arrived: bool) -> Result<Answer, Refused> {
        let refusal = |status, why: &str| Refused {
            why: format!("{} {}: {why}", self.request.method, self.request.path),
            answer: Answer::new(status, JSON, json!({"message": why}).to_string()),
        };
        if !self.known {
            return Err(refusal(401, "a state is asked for with wrong credentials"));
        }
        if !is_ours {
            return Err(refusal(404, "no such message"));
        }
        Ok(Answer::new(200, JSON, (self.answers)(has_arrived).to_string()))
    }
}

/// The question that a request is; nothing where it is about something else.
pub fn read(request: &Request) -> Option<Asked<'_>> {
    let header = request.header("Authorization").unwrap_or_default();
    let asked =
        |id: &str, known, answers| Some(Asked { id: id.to_owned(), known, answers, request });
    if request.path == "/sys/status.php" {
        let form =
            Form::read(request, &["login", "psw", "apikey", "phone", "id", "charset", "fmt"]);
        let form = form.ok()?;
        let known = smsc::credentials(&form).is_ok()
            && form.value("fmt") == Some("3")
            && form.value("phone").is_some_and(checks::is_e164);
        return asked(
            form.value("id")?,
            known,
            |done| json!({"status": i32::from(done), "err": 0}),
        );
    }
    if request.path == "/index.php" {
        let form = Form::read(request, &["app", "op", "u", "h", "queue", "format"]).ok()?;
        let value = |name| form.value(name).unwrap_or_default();
        let known = (value("app"), value("op"), value("format")) == ("ws", "ds", "json")
            && (value("u"), value("h")) == (PLAYSMS_USER, PLAYSMS_TOKEN);
        return asked(
            form.value("queue")?,
            known,
            |done| json!({"data": [{"status": if done { "3" } else { "0" }}]}),
        );
    }
    if request.method != "GET" || !request.body.is_empty() {
        return None;
    }
    if request.path == "/v2/reports/records" {
        return reports(request);
    }
    if request.path == "/sms/3/reports" {
        let id = request.query.as_deref()?.strip_prefix("messageId=")?;
        return asked(id, header == format!("App {INFOBIP_KEY}"), |done| match done {
            true => {
                json!({"results": [{"status": {"groupName": "DELIVERED", "name": "DELIVERED_TO_HANDSET"}}]})
            }
            false => {
                json!({"results": [{"status": {"groupName": "PENDING", "name": "PENDING_ACCEPTED"}}]})
            }
        });
    }
    let path = request.path.as_str();
    let between = |before: &str, after: &str| {
        let id = path.strip_prefix(before)?.strip_suffix(after)?;
        (!id.is_empty() && !id.contains('/') && request.query.is_none()).then_some(id)
    };
    let basic = |user, secret| header == checks::basic(user, secret);
    if let Some(id) = between(&format!("/2010-04-01/Accounts/{TWILIO_SID}/Messages/"), ".json") {
        return asked(
            id,
            twilio::credentials(request).is_ok(),
            |done| json!({"status": if done { "delivered" } else { "sent" }, "error_code": null}),
        );
    }
    if let Some(id) = between(&format!("/v1/Account/{PLIVO_ID}/Message/"), "/") {
        return asked(
            id,
            basic(PLIVO_ID, PLIVO_TOKEN),
            |done| json!({"message_state": if done { "delivered" } else { "queued" }}),
        );
    }
    if let Some(id) = between("/xms/v1/plan%207f%2F41/batches/", "/delivery_report") {
        return asked(id, header == format!("Bearer {SINCH_TOKEN}"), |done| {
            let (state, code) = if done { ("Delivered", 0) } else { ("Dispatched", 401) };
            json!({"type": "delivery_report_sms", "statuses": [{"code": code, "status": state}]})
        });
    }
    if let Some(id) = between("/v1/sms/messages/", "") {
        return asked(
            id,
            header == format!("Bearer {BIRD_KEY}"),
            |done| json!({"id": "x", "status": if done { "delivered" } else { "sent" }}),
        );
    }
    if let Some(id) = between("/v3/sms/receipts/", "") {
        return asked(id, basic(CLICKSEND_USER, CLICKSEND_KEY), |done| {
            let (code, text) = if done {
                ("201", "Success: Message received on handset.")
            } else {
                ("200", "Sent")
            };
            json!({"http_code": 200, "data": {"status_code": code, "status_text": text}})
        });
    }
    if let Some(id) = between("/v2/messages/", "") {
        return asked(
            id,
            header == format!("Bearer {TELNYX_KEY}"),
            |done| json!({"data": {"to": [{"status": if done { "delivered" } else { "sending" }}]}}),
        );
    }
    if let Some(id) = between("/v1/messages/", "") {
        return asked(
            id,
            basic(BULKSMS_ID, BULKSMS_SECRET),
            |done| json!({"status": {"type": if done { "DELIVERED" } else { "SENT" }}}),
        );
    }
    if let Some(id) = between("/v1/message/", "") {
        return asked(
            id,
            header == CLICKATELL_KEY,
            |done| json!({"sms": {"status": if done { "DEVICE_ACK" } else { "QUEUED" }}}),
        );
    }
    let android = between("/3rdparty/v1/messages/", "");
    let local = between("/messages/", "").filter(|_| header.starts_with("Basic "));
    if let Some(id) = android.or(local) {
        return asked(
            id,
            basic(ANDROID_USER, ANDROID_PASSWORD),
            |done| json!({"id": "x", "state": if done { "Delivered" } else { "Sent" }}),
        );
    }
    let id = between("/messages/", "")?;
    asked(id, header == format!("AccessKey {MESSAGEBIRD_KEY}"), |done| {
        let state = if done { "delivered" } else { "sent" };
        json!({"recipients": {"items": [{"status": state}]}})
    })
}

/// Vonage's Reports API, about a message of either of its interfaces.
fn reports(request: &Request) -> Option<Asked<'_>> {
    let known = request.header("Authorization") == Some(&checks::basic(VONAGE_KEY, VONAGE_SECRET));
    let query = request.query.as_deref()?;
    let of = |product: &str| {
        query.strip_prefix(&format!(
            "account_id={VONAGE_KEY}&product={product}&direction=outbound&id="
        ))
    };
    let id = of("SMS").or_else(|| of("MESSAGES"))?.to_owned();
    let answers = |done| match done {
        true => {
            json!({"records": [{"status": "delivered", "error_code": "0", "error_code_description": "Delivered"}]})
        }
        // It knows a message only after a while.
        false => json!({"request_status": "SUCCESS", "items_count": 0, "records": []}),
    };
    Some(Asked { id, known, answers, request })
}
