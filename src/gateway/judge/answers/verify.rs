//! What Twilio Verify answers: to the start as to a message, to the check in words of its own.

use super::*;
use crate::delivery::Finding;
use crate::gateway::judge::judge_check;

fn error(code: u32) -> String {
    format!(r#"{{"code":{code},"message":"x","status":400}}"#)
}

#[test]
fn twilio_verify_start() {
    hold(
        "twilio-verify",
        &[
            (201, r#"{"sid":"VE0a","status":"pending","valid":false}"#, "accepted"),
            (201, r#"{"sid":"VE0a","status":"canceled","valid":false}"#, "unknown"),
            (200, r#"{"sid":"VE0a","status":"pending","valid":false}"#, "unknown"),
            (400, &error(60205), "recipient"),
            (400, &error(60200), "config"),
            (404, &error(20404), "config"),
            (401, &error(20003), "auth"),
            (403, &error(60410), "route"),
            (429, &error(60203), "throttle"),
        ],
    );
}

#[test]
fn twilio_verify_check() {
    let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == "twilio-verify").unwrap();
    let description: Description = toml::from_str(text).unwrap();
    let rules = description.check.as_ref().unwrap();
    for (status, body, wanted) in [
        (200, r#"{"status":"approved","valid":true}"#, Finding::Right),
        (200, r#"{"status":"approved","valid":false}"#, Finding::Unknown),
        (200, r#"{"status":"approved","valid":"true"}"#, Finding::Unknown),
        (200, r#"{"status":"pending","valid":false}"#, Finding::Wrong),
        (200, r#"{"status":"max_attempts_reached","valid":false}"#, Finding::Unknown),
        (201, r#"{"status":"approved","valid":true}"#, Finding::Unknown),
        (404, r#"{"status":"approved","valid":true}"#, Finding::Gone),
        (404, &error(20404), Finding::Gone),
        (429, &error(60202), Finding::Spent),
        (429, &error(20429), Finding::Unknown),
        (429, "<html>", Finding::Unknown),
        (503, "", Finding::Unknown),
        (200, "", Finding::Unknown),
    ] {
        let answer = Answer { status, body: body.to_owned() };
        let judged = judge_check(&answer, rules, &description, str::to_owned);
        assert_eq!(judged.finding, wanted, "{status} {body}");
        let is_told = !matches!(wanted, Finding::Right | Finding::Wrong);
        assert_eq!(judged.detail.is_empty(), !is_told, "{status} {body}");
    }
}
