//! What became of a message in the end: asked again and again, until the provider knows.

use std::thread;
use std::time::{Duration, Instant};

use super::provider::Provider;
use super::report::{Delivery, End};
use crate::people::PhoneNumber;

/// Time between two questions: soon at first, and then so that nobody is annoyed.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// Longest time for one question.
const QUESTION: Duration = Duration::from_secs(10);

/// Asks `provider` what became of the message that it calls `id`, until it is decided or `patience` is over.
pub fn follow(
    provider: &Provider,
    to: &PhoneNumber,
    id: Option<&str>,
    patience: Duration,
) -> Delivery {
    let unasked = || Delivery { end: End::Unasked, said: String::new() };
    let Some(id) = id else { return unasked() };
    let deadline = Instant::now() + patience;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut last = Delivery { end: End::Pending, said: String::new() };
    for pause in PAUSES.into_iter().chain(std::iter::repeat(PAUSES[3])) {
        if left() <= pause {
            break;
        }
        thread::sleep(pause);
        match provider.follow(to, id, left().min(QUESTION)) {
            Ok(None) => return unasked(),
            Ok(Some(decided)) if decided.end != End::Pending => return decided,
            Ok(Some(pending)) => last = pending,
            // It may be better the next time, and a provider may not know a message at once.
            Err(attempt) => last.said = attempt.words(),
        }
    }
    last
}
