//! How much money is left: what each provider is asked, and how it says it.
//!
//! The accounts are checked as they are for messages. None of these requests may be taken for one that
//! sends, so whatever else stands in them is refused.

use serde_json::json;

use super::super::account;
use super::form::Form;
use super::{Answer, JSON, Refused, Request, clickatell, smsc, twilio};

/// What everybody has left at Twilio.
const AMOUNT: &str = "17.43";

/// Judges a question about the balance; nothing where the path is about something else.
pub fn judge(request: &Request) -> Option<Result<Answer, Refused>> {
    Some(match request.path.as_str() {
        path if path.starts_with("/2010-04-01/") && path.ends_with("/Balance.json") => {
            of_twilio(request)
        }
        "/v1/balance" => {
            of_clickatell(request, &[account::CLICKATELL_KEY, account::CLICKATELL_USA_KEY])
        }
        "/public-client/balance" => of_clickatell(request, &[account::CLICKATELL_KEY]),
        "/http/getbalance" => of_legacy(request),
        "/sys/balance.php" => of_smsc(request),
        _ => return None,
    })
}

fn of_twilio(request: &Request) -> Result<Answer, Refused> {
    twilio::credentials(request)?;
    let sid = account::TWILIO_SID;
    if request.path != format!("/2010-04-01/Accounts/{sid}/Balance.json") || !is_bare_get(request) {
        return Err(twilio::refusal(404, 20404, "The requested resource was not found", "balance"));
    }
    let body = json!({"account_sid": sid, "balance": AMOUNT, "currency": "USD"});
    Ok(Answer::new(200, JSON, body.to_string()))
}

fn of_clickatell(request: &Request, keys: &[&str]) -> Result<Answer, Refused> {
    let refusal = |status, code: u32, why: &str| {
        let body = json!({"error": {"code": code, "description": "Invalid or missing API Key"}});
        Refused { why: why.to_owned(), answer: Answer::new(status, JSON, body.to_string()) }
    };
    clickatell::bare_key(request, keys).map_err(|why| refusal(401, 1, why))?;
    if !is_bare_get(request) {
        return Err(refusal(400, 21, "not a GET by itself"));
    }
    Ok(Answer::new(200, JSON, json!({"balance": 250.5, "currency": "EUR"}).to_string()))
}

fn of_legacy(request: &Request) -> Result<Answer, Refused> {
    let refusal = |why: &str| Refused {
        why: why.to_owned(),
        answer: Answer::new(200, "text/plain", "ERR: 001, Authentication failed"),
    };
    let form = Form::read(request, &["user", "password", "api_id"]).map_err(|why| refusal(&why))?;
    let known = [
        ("user", account::CLICKATELL_USER),
        ("password", account::CLICKATELL_PASSWORD),
        ("api_id", account::CLICKATELL_API_ID),
    ];
    match known.iter().all(|(name, value)| form.value(name) == Some(value)) {
        true => Ok(Answer::new(200, "text/plain", "Credit: 812.000")),
        false => Err(refusal("wrong or no credentials")),
    }
}

fn of_smsc(request: &Request) -> Result<Answer, Refused> {
    let form = Form::read(request, &["login", "psw", "apikey", "cur", "fmt"])
        .map_err(|why| smsc::refusal(1, "parameters error", &why))?;
    smsc::credentials(&form)?;
    if form.value("fmt") != Some("3") {
        return Err(smsc::refusal(1, "parameters error", "fmt is not 3"));
    }
    let mut body = json!({"balance": "1043.20"});
    if form.value("cur") == Some("1") {
        body["currency"] = "RUR".into();
    }
    Ok(Answer::new(200, JSON, body.to_string()))
}

/// A GET with nothing in it but its headers.
fn is_bare_get(request: &Request) -> bool {
    request.method == "GET" && request.query.is_none() && request.body.is_empty()
}
