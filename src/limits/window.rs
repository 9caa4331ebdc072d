//! Sliding windows: "at most five in any ten minutes", and when the next one fits.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use crate::config::model::text;

/// The most events that one window counts; each of them is a number in a file.
const MOST: usize = 10_000;
/// The longest window.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A time in milliseconds after the machine was started; before it where an event is older.
pub type Moment = i64;

/// A [`Duration`] in the unit of a [`Moment`].
#[must_use]
pub fn millis(span: Duration) -> Moment {
    Moment::try_from(span.as_millis()).unwrap_or(Moment::MAX / 4)
}

/// At most `count` events in any `span`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub count: usize,
    /// In any stretch of this length.
    pub span: Duration,
}

impl Window {
    /// How long until one more event fits behind `events`, which are in order; zero if it does now.
    #[must_use]
    pub fn wait(self, events: &[Moment], now: Moment) -> Duration {
        let Some(index) = events.len().checked_sub(self.count) else { return Duration::ZERO };
        // Once this one has left the window, no more than `count - 1` are in it.
        span_between(now, events[index] + millis(self.span))
    }

    /// How long an account with these `failures` stays locked: as soon as `count` of them have come
    /// within `span`, for at least `lockout` after the last, and never shorter than the window says.
    #[must_use]
    pub fn lock(self, failures: &[Moment], lockout: Duration, now: Moment) -> Duration {
        let Some(index) = failures.len().checked_sub(self.count) else { return Duration::ZERO };
        let (first, last) = (failures[index], failures[failures.len() - 1]);
        if last - first >= millis(self.span) {
            return Duration::ZERO;
        }
        span_between(now, (last + millis(lockout)).max(first + millis(self.span)))
    }

    /// Drops what no longer counts, so that no list grows.
    pub fn forget(self, events: &mut Vec<Moment>, also: Duration, now: Moment) {
        events.retain(|&event| now - event < millis(self.span + also));
        let surplus = events.len().saturating_sub(self.count);
        events.drain(..surplus);
    }
}

fn span_between(from: Moment, to: Moment) -> Duration {
    Duration::from_millis(u64::try_from(to - from).unwrap_or(0))
}

impl std::str::FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_window =
            || format!("`{text}` is no limit: write it like \"5/10m\", five in ten minutes");
        let (count, span) = text.split_once('/').ok_or_else(no_window)?;
        let count: usize = count.trim().parse().map_err(|_| no_window())?;
        let span = humantime::parse_duration(span.trim()).map_err(|_| no_window())?;
        if !(1..=MOST).contains(&count) {
            return Err(format!("`{text}`: the number must be from 1 to {MOST}"));
        }
        if span < Duration::from_secs(1) || span > LONGEST {
            return Err(format!("`{text}`: the time must be from 1s to 7days"));
        }
        Ok(Self { count, span })
    }
}

/// A [`Window`] from the configuration, `COUNT` in `SECONDS` where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const COUNT: usize, const SECONDS: u64>(Window);

impl<const COUNT: usize, const SECONDS: u64> Limit<COUNT, SECONDS> {
    /// The window.
    #[must_use]
    pub fn get(self) -> Window {
        self.0
    }
}

impl<const COUNT: usize, const SECONDS: u64> Default for Limit<COUNT, SECONDS> {
    fn default() -> Self {
        Self(Window { count: COUNT, span: Duration::from_secs(SECONDS) })
    }
}

impl<'de, const COUNT: usize, const SECONDS: u64> Deserialize<'de> for Limit<COUNT, SECONDS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a limit: write it like \"5/10m\"")?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Moment = 60_000;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_window_is_written_in_plain_words() {
        assert_eq!(window("5/10m"), Window { count: 5, span: seconds(600) });
        assert_eq!(window("300 / 1h"), Window { count: 300, span: seconds(3600) });
        for wrong in
            ["", "5", "5/", "/10m", "0/10m", "10001/1h", "-1/1h", "5/0s", "5/8days", "x/1h"]
        {
            let said = wrong.parse::<Window>().unwrap_err();
            assert!(said.contains(&format!("`{wrong}`")), "{said}");
        }
    }

    #[test]
    fn one_more_fits_when_the_oldest_that_counts_has_left() {
        let five = window("5/10m");
        let events = [0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE];
        assert_eq!(five.wait(&events[..4], 4 * MINUTE), Duration::ZERO);
        assert_eq!(five.wait(&events, 4 * MINUTE), seconds(6 * 60));
        assert_eq!(five.wait(&events, 10 * MINUTE - 1), Duration::from_millis(1));
        assert_eq!(five.wait(&events, 10 * MINUTE), Duration::ZERO);
    }

    #[test]
    fn a_limit_that_was_lowered_counts_the_newest() {
        let events = [0, MINUTE, 2 * MINUTE, 3 * MINUTE];
        assert_eq!(window("2/10m").wait(&events, 3 * MINUTE), seconds(9 * 60));
    }

    #[test]
    fn in_any_stretch_there_are_never_more_than_the_limit() {
        let three = window("3/10s");
        let (mut let_in, mut kept) = (Vec::new(), Vec::new());
        for now in (0..200_000).step_by(137) {
            if three.wait(&kept, now).is_zero() {
                let_in.push(now);
                kept.push(now);
            }
            three.forget(&mut kept, Duration::ZERO, now);
        }
        for (index, &first) in let_in.iter().enumerate() {
            let within = let_in[index..].iter().filter(|&&event| event - first < 10_000).count();
            assert!(within <= 3, "{within} within ten seconds after {first}");
        }
        assert!(let_in.len() > 55, "only {} were let in", let_in.len());
    }

    #[test]
    fn a_lock_lasts_the_lockout_and_no_shorter_than_the_window() {
        let ten = window("3/1h");
        let quick = [0, 1000, 2000];
        assert_eq!(ten.lock(&quick[..2], seconds(900), 2000), Duration::ZERO);
        assert_eq!(ten.lock(&quick, seconds(900), 2000), seconds(3598));
        let slow = [0, 30 * MINUTE, 59 * MINUTE];
        assert_eq!(ten.lock(&slow, seconds(900), 59 * MINUTE), seconds(900));
        assert_eq!(ten.lock(&slow, seconds(900), 74 * MINUTE), Duration::ZERO);
        let apart = [0, 30 * MINUTE, 60 * MINUTE];
        assert_eq!(ten.lock(&apart, seconds(900), 60 * MINUTE), Duration::ZERO);
    }
}
