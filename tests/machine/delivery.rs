//! `pam-sms send --wait`: what became of a message in the end, as its provider tells it.

use crate::provider_rows::tables;
use crate::sending::{machine, run, twilio};
use crate::support::gateway::Behaviour;

#[test]
fn waiting_asks_the_provider_until_it_knows() {
    let mut asked = 0;
    for (format, table) in tables() {
        let (machine, gateway) = machine(&[table]);
        let (said, code) = run(&machine, &["send", "alice", "--wait=20s"]);
        assert_eq!(code, 0, "{format}: {said}");
        assert_eq!(gateway.refusals(), Vec::<String>::new(), "{format}");
        match gateway.requests().len() {
            1 => assert!(said.contains("this provider cannot be asked"), "{format}: {said}"),
            3 => {
                asked += 1;
                assert!(said.contains("It has arrived ("), "{format}: {said}");
            }
            other => panic!("{format}: {other} requests: {said}"),
        }
    }
    assert!(asked >= 19, "{asked}");
}

#[test]
fn waiting_ends_with_the_providers_reason_or_with_the_time() {
    let answer = |status, body: &str| Behaviour::Answer {
        status,
        content_type: "application/json",
        body: body.to_owned(),
    };
    for (bodies, wanted) in [
        (
            vec![
                r#"{"status":"sent"}"#,
                r#"{"status":"undelivered","error_code":30003,"error_message":"+4915123456723 off"}"#,
            ],
            "error: it will not arrive (undelivered, 30003, +***off)",
        ),
        (
            vec![r#"{"status":"queued"}"#; 4],
            "error: it had not arrived when the time was over (queued)",
        ),
        (
            vec!["<html>"; 4],
            "error: it had not arrived when the time was over (unknown (HTTP 200))",
        ),
    ] {
        let (machine, gateway) = machine(&[twilio()]);
        gateway.behave_once(Behaviour::Normal);
        bodies.iter().for_each(|body| gateway.behave_once(answer(200, body)));
        let begun = std::time::Instant::now();
        let (said, code) = run(&machine, &["send", "alice", "--wait=4s", "--provider", "twilio"]);
        assert_eq!(
            (said.trim_end(), code),
            (format!("twilio: took the message to *23\n{wanted}").as_str(), 1)
        );
        assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    }
    let (machine, _gateway) = machine(&[twilio()]);
    for wrong in ["--wait=0s", "--wait=1h", "--wait=x"] {
        assert_eq!(run(&machine, &["send", "alice", wrong]).1, 2, "{wrong}");
    }
}
