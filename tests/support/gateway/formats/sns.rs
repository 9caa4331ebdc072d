//! Amazon SNS's action Publish, by its Query API, with a signature that is worked out anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::super::account;
use super::form::Form;
use super::{Answer, Judged, Refused, Request, accepted, checks, fresh_hex};

const SMS_TYPE: &str = "AWS.SNS.SMS.SMSType";
const SENDER_ID: &str = "AWS.SNS.SMS.SenderID";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Checks a request to send.
pub fn judge(request: &Request) -> Judged {
    if request.method != "POST" {
        return Err(refusal(400, "InvalidAction", "not a POST"));
    }
    check_signature(request)?;
    let fields = fields();
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    let invalid = |what: &str, why: &str| {
        refusal(400, "InvalidParameter", &format!("Invalid parameter: {what} Reason: {why}"))
    };
    let form = Form::read(request, &fields).map_err(|why| invalid("form", &why))?;
    let is = |name: &str, wanted: &str| form.value(name) == Some(wanted);
    if !is("Action", "Publish") || !is("Version", "2010-03-31") {
        return Err(refusal(400, "InvalidAction", "neither Publish nor of 2010-03-31"));
    }
    let to = form.value("PhoneNumber").unwrap_or_default();
    if !checks::is_e164(to) {
        return Err(invalid("PhoneNumber", "is not valid to publish to"));
    }
    let text = form.value("Message").unwrap_or_default();
    if text.is_empty() || text.len() > 1600 {
        return Err(invalid("Message", "empty or too long"));
    }
    let attributes = attributes(&form).map_err(|why| invalid("MessageAttributes", &why))?;
    // A code that waits behind somebody's advertisements is none.
    if attributes.get(SMS_TYPE) != Some(&"Transactional") {
        return Err(invalid(SMS_TYPE, "not transactional"));
    }
    let from = attributes.get(SENDER_ID).copied();
    if from.is_some_and(|from| !checks::is_sender(from) || from.contains(' ')) {
        return Err(invalid(SENDER_ID, "not a sender"));
    }
    let answer = xml(
        200,
        &format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             <MessageId>{}</MessageId></PublishResult></PublishResponse>",
            fresh_hex()
        ),
    );
    accepted("aws-sns", (to, text, from), account::AWS_KEY_ID, answer)
}

/// All that may stand in the form.
fn fields() -> Vec<String> {
    let plain = ["Action", "Version", "PhoneNumber", "Message"].map(str::to_owned);
    let entries = (1..=2).flat_map(|entry| {
        ["Name", "Value.DataType", "Value.StringValue"]
            .map(|part| format!("MessageAttributes.entry.{entry}.{part}"))
    });
    plain.into_iter().chain(entries).collect()
}

fn attributes(form: &Form) -> Result<BTreeMap<&str, &str>, String> {
    let mut attributes = BTreeMap::new();
    for entry in 1..=2 {
        let part = |part: &str| form.value(&format!("MessageAttributes.entry.{entry}.{part}"));
        match (part("Name"), part("Value.DataType"), part("Value.StringValue")) {
            (None, None, None) => {}
            (Some(name @ (SMS_TYPE | SENDER_ID)), Some("String"), Some(value)) => {
                attributes.insert(name, value);
            }
            other => return Err(format!("entry {entry} is {other:?}")),
        }
    }
    Ok(attributes)
}

/// Written out from Amazon's "Create a signed AWS API request", and not taken from the library that
/// the program uses.
fn check_signature(request: &Request) -> Result<(), Refused> {
    let incomplete = |why: &str| refusal(400, "IncompleteSignature", why);
    let given = request.header("Authorization").unwrap_or_default();
    let rest = given.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("no signature"))?;
    let parts: BTreeMap<_, _> =
        rest.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let part = |name: &str| parts.get(name).copied().ok_or_else(|| incomplete(name));
    let (credential, signed, signature) =
        (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let time = request.header("X-Amz-Date").ok_or_else(|| incomplete("no X-Amz-Date"))?;
    let day = time.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/sns/aws4_request", account::AWS_REGION);
    if credential != format!("{}/{scope}", account::AWS_KEY_ID) {
        let why = format!("key or scope {credential}");
        return Err(refusal(403, "InvalidClientTokenId", &why));
    }
    // What decides where the request goes, what it is and for whom has to be covered.
    for needed in ["content-type", "host", "x-amz-date", "x-amz-security-token"] {
        if request.header(needed).is_some() && !signed.split(';').any(|name| name == needed) {
            return Err(incomplete(&format!("{needed} is not signed")));
        }
    }
    if request.header("X-Amz-Security-Token").is_some_and(|token| token != account::AWS_TOKEN) {
        return Err(refusal(403, "InvalidClientTokenId", "another session token"));
    }
    let headers = signed.split(';').map(|name| {
        let value = request.header(name).unwrap_or_default().trim();
        format!("{name}:{value}\n")
    });
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{signed}\n{}",
        request.method,
        request.path,
        request.query.as_deref().unwrap_or_default(),
        headers.collect::<String>(),
        hex(&Sha256::digest(&request.body)),
    );
    let digest = hex(&Sha256::digest(&canonical));
    let wanted = format!("{ALGORITHM}\n{time}\n{scope}\n{digest}");
    let secret = format!("AWS4{}", account::AWS_SECRET);
    let key = [day, account::AWS_REGION, "sns", "aws4_request", &wanted]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    if hex(&key) != signature {
        return Err(refusal(403, "SignatureDoesNotMatch", "the signature does not match"));
    }
    Ok(())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn refusal(status: u16, code: &str, why: &str) -> Refused {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n  <Error>\n    \
         <Type>Sender</Type>\n    <Code>{code}</Code>\n    <Message>{why}</Message>\n  </Error>\n  \
         <RequestId>{}</RequestId>\n</ErrorResponse>\n",
        fresh_hex()
    );
    Refused { why: format!("{why} ({code})"), answer: xml(status, &body) }
}

fn xml(status: u16, body: &str) -> Answer {
    Answer::new(status, "text/xml", body)
}
