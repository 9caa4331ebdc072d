//! What module and helper hear of each other.

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::holds_no_number;
use crate::delivery::{Fate, Finding};
use crate::helper::wire::{
    Errand, LONGEST, Malformed, Question, Request, decode_answer, decode_decision,
    decode_judgement, decode_outcome, decode_report, decode_request, encode_answer, encode_call,
    encode_check, encode_find, encode_judgement, encode_limits, encode_outcome, encode_question,
    encode_report, encode_request, read_frame,
};
use crate::limits::child;
use crate::people::directory::{Lookup, Purpose};

/// What the helper hears: a request that is understood is written and read again as the same.
pub fn request(data: &[u8]) {
    let frame = read_frame(data).expect("bytes can be read");
    assert!(frame.len() <= LONGEST + 1);
    match decode_request(data) {
        Ok(request) => {
            assert!(data.len() <= LONGEST);
            let again = written(&request).expect("it came in a frame");
            let provider = match request.errand {
                Errand::Find(..) => None,
                _ => request.provider.clone(),
            };
            assert_eq!(decode_request(&again), Ok(Request { provider, ..request }));
            for length in 0..again.len() {
                assert!(decode_request(&again[..length]).is_err(), "{length} bytes of it");
            }
        }
        Err(error) => holds_no_number(&error.to_string()),
    }
    // And a name arrives as it is.
    let (name, time) = (String::from_utf8_lossy(data), Duration::from_secs(1));
    if let Ok(frame) = encode_find(Path::new("/c"), time, &name, Purpose::Login, &[]) {
        let errand = Errand::Find(name.into_owned(), Purpose::Login, Vec::new());
        assert_eq!(decode_request(&frame).map(|request| request.errand), Ok(errand));
    }
}

fn written(request: &Request) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let Request { config, timeout, provider, errand } = request;
    let (timeout, provider) = (*timeout, provider.as_deref());
    let ask = |question| encode_question(config, timeout, question, provider);
    match errand {
        Errand::Send(to, text) => encode_request(config, timeout, to, text, provider),
        Errand::Call(to, code, language) => {
            encode_call(config, timeout, to, code.expose(), provider, language)
        }
        Errand::Check(to, typed) => {
            encode_check(config, timeout, to, typed, provider.unwrap_or_default())
        }
        Errand::Probe(to, text) => ask(Question::Probe(to, text)),
        Errand::Follow(to, text) => ask(Question::Follow(to, text)),
        Errand::Balance => ask(Question::Balance),
        Errand::Limits(number, what) => {
            encode_limits(config, timeout, provider.unwrap_or_default(), number.as_ref(), what)
        }
        Errand::Find(user, purpose, about) => encode_find(config, timeout, user, *purpose, about),
    }
}

/// What the module hears, which trusts the helper with nothing: a frame is of one kind at most, what is
/// understood is written and read again as the same, and the helper cannot say what is not its to say.
pub fn module_hears(data: &[u8]) {
    let outcome = decode_outcome(data);
    let judgement = decode_judgement(data);
    let answer = decode_answer(data);
    let decision = decode_decision(data);
    let report = decode_report(data);
    let understood = [
        outcome.is_ok(),
        judgement.is_ok(),
        answer.is_ok(),
        decision.is_ok(),
        report.is_ok(),
        decode_request(data).is_ok(),
    ];
    assert!(understood.iter().filter(|is| **is).count() <= 1, "{understood:?}");
    assert!(understood == [false; 6] || data.len() <= LONGEST);
    // What is cut is not said as it was.
    let is_same = |frame: Result<Zeroizing<Vec<u8>>, Malformed>| {
        let frame = frame.expect("it came in a frame");
        assert!(frame[..] == *data || frame.len() < data.len());
    };
    if let Ok(outcome) = outcome {
        // That a helper is broken, or was never started, is for the module to say.
        assert!(!matches!(outcome.fate, Fate::HelperBroken | Fate::NotStarted));
        is_same(encode_outcome(&outcome));
    }
    if let Ok(judgement) = judgement {
        assert!(judgement.finding != Finding::Right || data.contains(&b'R'));
        is_same(encode_judgement(&judgement));
    }
    if let Ok(answer) = answer {
        assert_eq!(answer.lookup == Lookup::Found, !answer.phones.is_empty());
        is_same(encode_answer(&answer));
    }
    if let Ok(text) = decision {
        let decision = child::decode(text);
        assert_eq!(child::decode(&child::encode(&decision)), decision);
        assert!(decision.is_err() || text.starts_with("ok "));
    }
    if let Ok(json) = report {
        is_same(encode_report(json));
    }
}
