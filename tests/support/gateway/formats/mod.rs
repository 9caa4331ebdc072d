//! The providers' interfaces: one file for each, all of one shape.
//!
//! Each checks a request from the outside in (method, credentials, content type, fields, what is
//! in them), as the providers do, and answers the first thing wrong in that provider's own
//! form. The codes are theirs; the reason in words is for the person reading a failed test.

mod balance;
mod checks;
mod clickatell;
mod custom;
mod form;
mod smsc;
mod twilio;

use std::sync::atomic::{AtomicU64, Ordering};

use super::state::Message;
use super::wire::{Answer, Request};

/// A request in order.
pub struct Accepted {
    pub message: Message,
    pub answer: Answer,
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

/// Checks a request by the rules of whoever serves its path.
pub fn judge(request: &Request) -> Judged {
    match request.path.as_str() {
        path if path.starts_with("/2010-04-01/") => twilio::judge(request),
        "/v1/message" => clickatell::judge_one_api(request),
        "/messages" => clickatell::judge_platform(request),
        "/http/sendmsg" => clickatell::judge_legacy(request),
        "/sys/send.php" => smsc::judge(request),
        "/custom/send" => custom::judge(request),
        _ => Err(Refused {
            why: "no provider has this path".to_owned(),
            answer: Answer::new(404, "text/html", "<html><h1>404 Not Found</h1></html>\n"),
        }),
    }
}

/// Answers how much money is left, by the rules of whoever serves the path; nothing where nobody does.
pub fn balance(request: &Request) -> Option<Result<Answer, Refused>> {
    balance::judge(request)
}

const JSON: &str = "application/json";

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
