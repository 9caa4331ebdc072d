//! What providers answer, as their pages, their own clients or their software have it, and what is
//! made of it.

mod own;
mod verify;

use super::*;
use crate::gateway::description::BUILT_IN;

/// What a built-in description makes of an answer: `accepted`, or the class.
fn class(kind: &str, status: u16, body: &str) -> String {
    let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == kind).unwrap();
    let description: Description = toml::from_str(text).unwrap();
    let answer = Answer { status, body: body.to_owned() };
    match judge(&answer, &description, str::to_owned) {
        Attempt::Accepted => "accepted".to_owned(),
        Attempt::Refused(said)
        | Attempt::Failed(said)
        | Attempt::Unusable(_, said)
        | Attempt::OutOfReach(said) => said.split(' ').next().unwrap_or_default().to_owned(),
        Attempt::Uncertain(said) => panic!("an answer is never uncertain: {said}"),
    }
}

fn hold(kind: &str, answers: &[(u16, &str, &str)]) {
    for (status, body, wanted) in answers {
        assert_eq!(class(kind, *status, body), *wanted, "{kind} {status} {body}");
    }
    // A provider that is down says so by the status alone, as whatever stands before it does.
    for (status, wanted) in [(429, "throttle"), (500, "transient"), (503, "transient")] {
        let body = "<html>Please come back later</html>";
        assert_eq!(class(kind, status, body), wanted, "{kind} {status}");
    }
    assert!(answers.iter().any(|(.., wanted)| *wanted == "accepted"), "{kind}");
}

#[cfg(feature = "sns")]
#[test]
fn aws_sns() {
    let error = |code: &str, said: &str| {
        format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\n  <Error>\n    \
             <Type>Sender</Type>\n    <Code>{code}</Code>\n    <Message>{said}</Message>\n  \
             </Error>\n  <RequestId>b25f48e8</RequestId>\n</ErrorResponse>"
        )
    };
    let taken = "<PublishResponse><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0\
                 </MessageId></PublishResult></PublishResponse>";
    let number = "Invalid parameter: PhoneNumber Reason: +12 is not valid to publish to";
    hold(
        "aws-sns",
        &[
            (200, taken, "accepted"),
            (200, "<PublishResponse><MessageId></MessageId></PublishResponse>", "unknown"),
            (400, &error("InvalidParameter", number), "recipient"),
            (400, &error("InvalidParameter", "Invalid parameter: Message Reason: empty"), "config"),
            (400, &error("OptedOut", "x"), "optout"),
            (400, &error("Throttling", "Rate exceeded"), "throttle"),
            (403, &error("SignatureDoesNotMatch", "x"), "auth"),
            (400, &error("OptInRequired", "x"), "auth"),
            (403, &error("InvalidClientTokenId", "x"), "auth"),
            (500, &error("InternalError", "x"), "transient"),
        ],
    );
}

#[test]
fn vonage() {
    const TWO: &str = r#"{"message-count":"2","messages":[{"status":"0","message-id":"a"},{"status":"0","message-id":"b"}]}"#;
    let one = |code: &str| {
        format!(r#"{{"message-count":"1","messages":[{{"status":"{code}","error-text":"x"}}]}}"#)
    };
    hold("vonage", &[(200, TWO, "accepted"), (200, &one("0"), "accepted")]);
    for (codes, wanted) in [
        (vec!["7", "33"], "recipient"),
        (vec!["6", "12"], "content"),
        (vec!["4", "14", "32"], "auth"),
        (vec!["9"], "credit"),
        (vec!["2", "3", "8", "11", "15", "22", "23"], "config"),
        (vec!["29"], "route"),
        (vec!["1", "10"], "throttle"),
        (vec!["5"], "transient"),
        (vec!["99", ""], "unknown"),
    ] {
        for code in codes {
            assert_eq!(class("vonage", 200, &one(code)), wanted, "{code}");
        }
    }
    // Half a message is none, and an empty list is no success.
    assert_eq!(
        class("vonage", 200, &TWO.replacen(r#""0","message-id":"b""#, r#""9""#, 1)),
        "unknown"
    );
    assert_eq!(class("vonage", 200, r#"{"message-count":"0","messages":[]}"#), "unknown");
    // Its numbers are texts: 0 as a number is something else.
    assert_eq!(class("vonage", 200, r#"{"messages":[{"status":0}]}"#), "unknown");
}

#[test]
fn vonage_messages() {
    let problem = |anchor: &str, title: &str| {
        format!(
            r#"{{"type":"https://developer.vonage.com/api-errors{anchor}","title":"{title}","detail":"Check it.","instance":"bf0ca0bf"}}"#
        )
    };
    hold(
        "vonage-messages",
        &[
            (202, r#"{"message_uuid":"aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}"#, "accepted"),
            (202, r#"{"message_uuid":null}"#, "unknown"),
            (401, &problem("#unauthorized", "Unauthorized"), "auth"),
            (402, &problem("#low-balance", "Low balance"), "credit"),
            (422, &problem("/messages#1020", "Invalid params"), "route"),
            (422, &problem("/messages#1050", "Number barred"), "recipient"),
            (422, &problem("/messages#1070", "Partner quota exceeded"), "credit"),
            (422, &problem("/messages#1120", "Illegal Sender Address"), "config"),
            (429, &problem("/messages#1000", "Throttled"), "throttle"),
            (
                422,
                r#"{"type":"https://www.nexmo.com/messages/Errors","title":"1050","detail":"barred"}"#,
                "recipient",
            ),
        ],
    );
}

#[test]
fn messagebird_and_bird() {
    let error = |code: u32, parameter: &str| {
        format!(r#"{{"errors":[{{"code":{code},"description":"x","parameter":{parameter}}}]}}"#)
    };
    let taken = |state: &str| {
        format!(
            r#"{{"id":"49e40bae","recipients":{{"items":[{{"recipient":31612345678,"status":"{state}"}}]}}}}"#
        )
    };
    hold(
        "messagebird",
        &[
            (201, &taken("sent"), "accepted"),
            (201, &taken("delivery_failed"), "unknown"),
            (401, &error(2, r#""access_key""#), "auth"),
            (422, &error(9, r#""recipients""#), "recipient"),
            (422, &error(10, r#""recipient""#), "recipient"),
            (422, &error(9, r#""originator""#), "config"),
            (402, &error(25, "null"), "credit"),
            (404, &error(20, "null"), "route"),
            (500, &error(99, "null"), "transient"),
        ],
    );
    let error =
        |kind: &str| format!(r#"{{"error":{{"type":"{kind}","code":"E10002","message":"x"}}}}"#);
    hold(
        "bird",
        &[
            (202, r#"{"id":"sms_01k","status":"accepted"}"#, "accepted"),
            (
                202,
                r#"{"id":"sms_01k","status":"rejected","error_code":"recipient_opted_out"}"#,
                "optout",
            ),
            (
                202,
                r#"{"id":"sms_01k","status":"failed","error_code":"landline_unreachable"}"#,
                "recipient",
            ),
            (
                202,
                r#"{"id":"sms_01k","status":"failed","error_code":"insufficient_balance"}"#,
                "credit",
            ),
            (202, r#"{"id":"sms_01k","status":"new word"}"#, "unknown"),
            (401, &error("auth_error"), "auth"),
            (402, &error("billing_error"), "credit"),
            (403, &error("permission_error"), "config"),
            (422, &error("validation_error"), "route"),
            (429, &error("rate_limit_error"), "throttle"),
            (503, &error("service_unavailable_error"), "transient"),
        ],
    );
}

#[test]
fn plivo() {
    let error = |said: &str| format!(r#"{{"api_id":"e2d4","error":"{said}"}}"#);
    hold(
        "plivo",
        &[
            (
                202,
                r#"{"message":"message(s) queued","message_uuid":["db3c"],"api_id":"db34"}"#,
                "accepted",
            ),
            (
                202,
                r#"{"message":"message(s) queued","message_uuid":[],"api_id":"db34"}"#,
                "unknown",
            ),
            (202, r#"{"message_uuid":["db3c"],"error":"partly"}"#, "unknown"),
            (400, &error("dst is not a valid phone number"), "config"),
            (401, &error("authentication failed"), "auth"),
            (402, &error("insufficient balance"), "credit"),
            (403, &error("country not enabled"), "route"),
            (429, &error("too many requests"), "throttle"),
        ],
    );
}

#[test]
fn telnyx() {
    let error =
        |code: &str| format!(r#"{{"errors":[{{"code":"{code}","title":"t","detail":"d"}}]}}"#);
    let taken = |state: &str| {
        format!(r#"{{"data":{{"id":"b0c7","to":[{{"status":"{state}"}}],"errors":[]}}}}"#)
    };
    hold(
        "telnyx",
        &[
            (200, &taken("queued"), "accepted"),
            (200, &taken("sending_failed"), "unknown"),
            (400, &error("10002"), "recipient"),
            (422, &error("10016"), "recipient"),
            (403, &error("40300"), "optout"),
            (401, &error("10009"), "auth"),
            (403, &error("10010"), "config"),
            (400, &error("40305"), "config"),
            (422, &error("10015"), "config"),
            (403, &error("20100"), "credit"),
            (429, &error("10011"), "throttle"),
            (400, &error("40002"), "content"),
            (400, &error("40006"), "transient"),
        ],
    );
}

#[test]
fn infobip() {
    let status = |group: u32, name: &str| {
        format!(
            r#"{{"bulkId":"1","messages":[{{"messageId":"2","status":{{"groupId":{group},"name":"{name}","description":"x"}}}}]}}"#
        )
    };
    hold(
        "infobip",
        &[
            (200, &status(1, "PENDING_ACCEPTED"), "accepted"),
            (200, &status(0, "MESSAGE_ACCEPTED"), "accepted"),
            (200, &status(9, "SOMETHING_NEW"), "unknown"),
            (200, &status(4, "EXPIRED_EXPIRED"), "unknown"),
            (200, &status(5, "REJECTED_DESTINATION"), "recipient"),
            (200, &status(2, "UNDELIVERABLE_REJECTED_OPERATOR"), "recipient"),
            (200, &status(5, "REJECTED_DND"), "optout"),
            (200, &status(5, "REJECTED_NOT_ENOUGH_CREDITS"), "credit"),
            (200, &status(5, "REJECTED_SENDER"), "config"),
            (200, &status(5, "REJECTED_FLOODING_FILTER"), "throttle"),
            (200, &status(5, "REJECTED_SYSTEM_ERROR"), "transient"),
            (200, r#"{"bulkId":"1","messages":[]}"#, "unknown"),
            (400, r#"{"errorCode":"E400","description":"Check it.","violations":[]}"#, "config"),
            (401, r#"{"errorCode":"E401","description":"No key."}"#, "auth"),
            (
                401,
                r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"x"}}}"#,
                "auth",
            ),
        ],
    );
}

#[test]
fn sinch() {
    hold(
        "sinch",
        &[
            (
                201,
                r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["15551231234"],"canceled":false}"#,
                "accepted",
            ),
            (201, r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":[]}"#, "unknown"),
            (400, r#"{"code":"syntax_invalid_parameter_format","text":"x"}"#, "config"),
            (401, "", "auth"),
            (403, r#"{"code":"blocked_account","text":"x"}"#, "config"),
            (404, "", "config"),
        ],
    );
}

#[test]
fn clicksend() {
    let status = |word: &str| {
        format!(
            r#"{{"http_code":200,"response_code":"SUCCESS","response_msg":"Here.","data":{{"messages":[{{"message_id":"1","status":"{word}"}}]}}}}"#
        )
    };
    hold(
        "clicksend",
        &[
            (200, &status("SUCCESS"), "accepted"),
            (200, &status("SUCCESS").replacen("SUCCESS", "BAD_REQUEST", 1), "unknown"),
            (200, &status("A_NEW_WORD"), "unknown"),
            (200, &status("INVALID_RECIPIENT"), "recipient"),
            (200, &status("INSUFFICIENT_CREDIT"), "credit"),
            (200, &status("COUNTRY_NOT_ENABLED"), "route"),
            (200, &status("INVALID_SENDER_ID"), "config"),
            (200, &status("THROTTLED"), "throttle"),
            (200, &status("EMPTY_MESSAGE"), "content"),
            (401, r#"{"http_code":401,"response_code":"UNAUTHORIZED","data":null}"#, "auth"),
            (429, r#"{"http_code":429,"response_code":"TOO_MANY_REQUESTS"}"#, "throttle"),
            (500, r#"{"http_code":500,"response_code":"INTERNAL_SERVER_ERROR"}"#, "transient"),
        ],
    );
}

#[test]
fn bulksms() {
    let problem = |code: &str| {
        format!(
            r#"{{"type":"https://developer.bulksms.com/json/v1/errors#{code}","title":"t","detail":"d"}}"#
        )
    };
    hold(
        "bulksms",
        &[
            (
                201,
                r#"[{"id":"4023","status":{"id":"ACCEPTED.NULL","type":"ACCEPTED"}}]"#,
                "accepted",
            ),
            (
                201,
                r#"[{"id":"4023","status":{"id":"FAILED.NOT_SENT","type":"FAILED"}}]"#,
                "unknown",
            ),
            (400, &problem("bad-request"), "config"),
            (401, &problem("authentication-failed"), "auth"),
            (403, &problem("insufficient-credits"), "credit"),
            (403, &problem("forbidden"), "auth"),
        ],
    );
}
