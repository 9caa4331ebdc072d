//! One provider after the other, until one takes the message.

use std::time::{Duration, Instant};

use super::provider::Provider;
use super::{Attempt, Content};
use crate::delivery::{Fate, Outcome};
use crate::people::PhoneNumber;

/// Asks one after the other until one takes the message, and tells of each as it has answered.
pub(super) fn ask_in_turn(
    route: &[&Provider],
    to: &PhoneNumber,
    content: Content<'_>,
    deadline: Instant,
    mut tell: impl FnMut(&Provider, &Attempt, Option<&str>),
) -> Outcome {
    if route.is_empty() {
        let detail = "no provider is configured for this number's country";
        return Outcome::without_provider(Fate::Failed, detail);
    }
    let mut tally = Tally::default();
    for (index, provider) in route.iter().enumerate() {
        let time = share(provider, deadline, route.len() - index);
        let (attempt, id) = match time.is_zero() {
            true => (Attempt::Failed("no time left".to_owned()), None),
            false => provider.attempt(to, content, time),
        };
        tell(provider, &attempt, id.as_deref());
        match attempt {
            Attempt::Accepted => {
                let (via, detail) = (provider.name.clone(), tally.words.join("; "));
                return Outcome { fate: Fate::Accepted, via, detail, judges: false };
            }
            Attempt::Refused(_) => {
                tally.add(provider, attempt);
                return tally.outcome(Fate::Refused);
            }
            other => tally.add(provider, other),
        }
    }
    let fate = if tally.all_out_of_reach { Fate::OutOfReach } else { Fate::Failed };
    tally.outcome(fate)
}

/// The time that a provider gets: a fair share of what is left, or less where it has a limit of its own.
pub(super) fn share(provider: &Provider, deadline: Instant, still_to_ask: usize) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    let share = left / u32::try_from(still_to_ask.max(1)).unwrap_or(1);
    provider.timeout.map_or(share, |own| share.min(own))
}

/// What has been tried so far.
struct Tally {
    words: Vec<String>,
    /// The first provider that may have taken the message.
    uncertain: Option<String>,
    all_out_of_reach: bool,
}

impl Default for Tally {
    fn default() -> Self {
        Self { words: Vec::new(), uncertain: None, all_out_of_reach: true }
    }
}

impl Tally {
    fn add(&mut self, provider: &Provider, attempt: Attempt) {
        self.all_out_of_reach &= matches!(attempt, Attempt::OutOfReach(_));
        match attempt {
            Attempt::Accepted => return,
            Attempt::Uncertain(_) => {
                self.uncertain.get_or_insert_with(|| provider.name.clone());
            }
            _ => {}
        }
        let said = attempt.words();
        self.words.push(format!("{}: {said}", provider.name));
    }

    /// A message that may be on its way outweighs what came after it.
    fn outcome(self, fate: Fate) -> Outcome {
        let detail = self.words.join("; ");
        match self.uncertain {
            Some(via) => Outcome { fate: Fate::Uncertain, via, detail, judges: false },
            None => Outcome::without_provider(fate, detail),
        }
    }
}
