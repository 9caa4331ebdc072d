//! The providers' interfaces: one file for each, all of one shape.
//!
//! Each checks a request from the outside in (method, credentials, content type, fields, what is
//! in them), as the providers do, and answers the first thing wrong in that provider's own
//! form. The codes are theirs; the reason in words is for the person reading a failed test.

mod android;
mod balance;
mod bulksms;
mod calls;
mod checks;
mod clickatell;
mod clicksend;
mod custom;
mod form;
mod infobip;
mod jasmin;
mod json;
mod kannel;
mod messagebird;
mod playsms;
mod plivo;
mod sinch;
mod smsc;
mod smseagle;
mod sns;
mod status;
mod telnyx;
mod twilio;
mod verify;
mod vonage;

use std::sync::atomic::{AtomicU64, Ordering};

use super::state::Message;
use super::wire::{Answer, Request};

/// A request in order.
pub struct Accepted {
    pub message: Message,
    pub answer: Answer,
    /// By which a second request for the same message is known, and the answer to that.
    pub once: Option<(String, Answer)>,
}

impl Accepted {
    /// The message is taken once, however often it is asked for by this key.
    fn once(self, key: String, again: Answer) -> Self {
        Self { once: Some((key, again)), ..self }
    }
}

/// A request that is not.
pub struct Refused {
    /// In words, for the test.
    pub why: String,
    /// As the provider says it, for the program.
    pub answer: Answer,
}

/// What came of a request.
pub type Judged = Result<Accepted, Refused>;

/// Checks a request by the rules of whoever serves its path. Where several share one, the form of
/// the credentials or of the address says who is meant; a slip there is refused by somebody else.
pub fn judge(request: &Request) -> Judged {
    let scheme = request.header("Authorization").unwrap_or_default().split(' ').next();
    match request.path.as_str() {
        path if path.ends_with("/Calls.json") => calls::judge_twilio(request),
        path if path.starts_with("/v2/Services/") => verify::judge(request),
        "/tts/3/single" => calls::judge_infobip(request),
        path if path.starts_with("/2010-04-01/") => twilio::judge(request),
        path if path.starts_with("/v1/Account/") => plivo::judge(request),
        path if path.starts_with("/xms/v1/") => sinch::judge(request),
        "/v1/message" => clickatell::judge_one_api(request),
        "/messages" => match scheme {
            Some("AccessKey") => messagebird::judge_rest(request),
            Some("Basic") => android::judge(request),
            _ => clickatell::judge_platform(request),
        },
        "/3rdparty/v1/messages" => android::judge(request),
        "/v1/messages" if request.query.is_some() => bulksms::judge(request),
        "/v1/messages" => vonage::judge_messages(request),
        "/v1/sms/messages" => messagebird::judge_bird(request),
        "/v2/messages" => telnyx::judge(request),
        "/v3/sms/send" => clicksend::judge(request),
        "/sms/3/messages" => infobip::judge(request),
        "/sms/json" => vonage::judge_sms(request),
        "/cgi-bin/sendsms" => kannel::judge(request),
        "/send" => jasmin::judge(request),
        "/index.php" => playsms::judge(request),
        "/jsonrpc/sms" => smseagle::judge(request),
        "/http/sendmsg" => clickatell::judge_legacy(request),
        "/sys/send.php" => smsc::judge(request),
        "/" => sns::judge(request),
        "/custom/send" => custom::judge(request),
        _ => Err(Refused {
            why: "no provider has this path".to_owned(),
            answer: Answer::new(404, "text/html", "<html><h1>404 Not Found</h1></html>\n"),
        }),
    }
}

/// Answers a question that is no message, how much money is left or whether a code is right, by the rules
/// of whoever serves the path; nothing where nobody does.
pub fn question(request: &Request) -> Option<Result<Answer, Refused>> {
    balance::judge(request).or_else(|| verify::check(request))
}

/// The question about a message that a request is; nothing where it is about something else.
pub fn status(request: &Request) -> Option<status::Asked<'_>> {
    status::read(request)
}

const JSON: &str = "application/json";

/// A message by the interface `format` for `credentials`, and the answer to it.
fn accepted(
    format: &'static str,
    (to, text, from): (&str, &str, Option<&str>),
    credentials: &str,
    answer: Answer,
) -> Judged {
    let to = if to.starts_with('+') { to.to_owned() } else { format!("+{to}") };
    let (text, from) = (text.to_owned(), from.map(str::to_owned));
    let message = Message { format, to, text, from, credentials: credentials.to_owned() };
    Ok(Accepted { message, answer, once: None })
}

/// A number no other message of this process has.
fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// 32 hexadecimal digits that look the part and never come twice (Weyl sequences).
fn fresh_hex() -> String {
    let serial = serial();
    let high = serial.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = serial.wrapping_mul(0xd1b5_4a32_d192_ed03);
    format!("{high:016x}{low:016x}")
}
