//! An answer is judged: counted first, then compared.

use std::time::Duration;

use super::ports::Event;
use super::prompt::WaysOut;
use super::sending::SENDS;
use super::{Judge, Login, State, Step, Verdict};
use crate::delivery::{Finding, Judgement};
use crate::limits::{Barrier, Return};
use crate::secret::Secret;

/// How long a code of Twilio Verify is shut at most that was tried too often: until it expires.
const SPENT_FOR: Duration = Duration::from_secs(10 * 60);

impl Login<'_> {
    /// A code was typed.
    pub(super) fn judge(&mut self, typed: &Secret) -> Step {
        let State::Sent(live) = &self.state else { return Err(Verdict::Rejected) };
        if self.world.clock.now() >= live.expires {
            let reference = live.reference.as_ref().map(|reference| ("ref", reference.as_str()));
            self.world.journal.record(Event::Expired, reference.as_slice());
            return Ok(self.prompts.expired());
        }
        // Counted first: whatever happens from here on, the try is spent.
        let counted = match self.world.limits.count_try() {
            Ok(counted) => counted,
            Err(barrier) => return self.barred(&barrier),
        };
        let number = &self.person.phones[live.phone];
        let judged = match &live.judge {
            Judge::Ours(code) if code.matches(typed.expose()) => Finding::Right.into(),
            Judge::Provider if is_worth_asking(typed) => {
                self.world.delivery.check(number, typed, &live.via)
            }
            _ => Finding::Wrong.into(),
        };
        let tries = self.wrong.len() + self.unasked + 1;
        let (to, count) = (number.masked(), tries.to_string());
        let reference = live.reference.clone();
        let mut fields = vec![("to", to.as_str()), ("via", live.via.as_str())];
        fields.extend(reference.as_ref().map(|reference| ("ref", reference.as_str())));
        fields.push(("tries", &count));
        if !judged.detail.is_empty() {
            fields.push(("reason", &judged.detail));
        }
        if judged.finding == Finding::Right {
            self.world.journal.record(Event::Accepted, &fields);
            let returned = self.world.limits.give_try_back(counted);
            self.warn_of(returned);
            self.give_back_messages();
            return Err(Verdict::Accepted);
        }
        let event = match judged.finding {
            Finding::Gone => Event::Expired,
            Finding::Unknown | Finding::Unasked => Event::Error,
            _ => Event::Rejected,
        };
        self.world.journal.record(event, &fields);
        if judged.finding == Finding::Unasked {
            // No guess was made, so that an outage locks nobody out. In this login it counts all the same.
            self.unasked += 1;
            let returned = self.world.limits.give_try_back(counted);
            self.warn_of(returned);
        } else {
            // Also where an answer was lost: whoever can cut the provider off could let only the right
            // guess through, and must not get tries for the others.
            self.wrong.push(counted);
            let kept = self.world.limits.was_wrong();
            self.warn_of(kept);
            if !counted.locks.is_zero() {
                return self.barred(&Barrier::Locked(counted.locks));
            }
        }
        let left = usize::from(self.rules.attempts).saturating_sub(tries);
        match judged.finding {
            Finding::Spent => {
                let other_phone = self.prompts.other_phone && self.sends < SENDS;
                let ways = WaysOut { other_phone, ..WaysOut::default() };
                self.dead_end(self.rules.texts.spent(SPENT_FOR), Verdict::TooManyTries, ways)
            }
            Finding::Unknown | Finding::Unasked if left == 0 => {
                let said = self.rules.texts.not_checked();
                self.dead_end(said, Verdict::Undeliverable, WaysOut::default())
            }
            _ if left == 0 => {
                self.farewell(self.rules.texts.too_many_tries());
                Err(Verdict::TooManyTries)
            }
            Finding::Gone => Ok(self.prompts.expired()),
            Finding::Unknown | Finding::Unasked => Ok(self.prompts.not_checked()),
            _ => Ok(self.prompts.wrong(left, reference.as_ref())),
        }
    }

    /// Something was typed that cannot be a code; it counts like one.
    pub(super) fn judge_nonsense(&mut self) -> Step {
        self.judge(&Secret::default())
    }

    /// A backup code was typed. It is burnt before anybody is let in by it. Wrong ones are counted in
    /// this login only: eighty bits cannot be guessed, and a lock would shut out their owner.
    pub(super) fn try_backup_code(&mut self, plain: &Secret) -> Step {
        if self.person.is_new {
            return self.judge_nonsense();
        }
        match self.world.limits.burn(plain) {
            Err(barrier) => Err(self.unusable(&barrier.to_string())),
            Ok(Some(left)) => {
                self.world.journal.record(Event::BackupCode, &[("left", &left.to_string())]);
                self.world.host.inform(&self.rules.texts.backup_code_accepted(left));
                self.reopen = true;
                Err(Verdict::BackupCode)
            }
            Ok(None) => {
                self.wrong_backup += 1;
                self.reject("no such backup code");
                if self.wrong_backup >= self.rules.attempts {
                    self.farewell(self.rules.texts.too_many_tries());
                    return Err(Verdict::TooManyTries);
                }
                Ok(match &self.state {
                    State::Sent(live) => self.prompts.no_backup_code(live.reference.as_ref()),
                    State::Unsent => self.prompts.ask_first(self.number().ending()),
                    State::Stuck { ways, .. } => self.prompts.no_backup_code_at(*ways),
                })
            }
        }
    }

    /// The code was typed, so its messages were no spam.
    fn give_back_messages(&mut self) {
        for (phone, message) in std::mem::take(&mut self.reserved) {
            let number = &self.person.phones[phone];
            let returned = self.world.limits.give_back(number, message, Return::Verified);
            self.warn_of(returned);
        }
    }

    /// What could not be written down when it no longer decides anything.
    pub(super) fn warn_of(&mut self, result: Result<(), Barrier>) {
        if let Err(barrier) = result {
            self.world.journal.record(Event::Warning, &[("reason", &barrier.to_string())]);
        }
    }
}

/// What cannot be a code of any provider is wrong without one being asked, which counts too.
fn is_worth_asking(typed: &Secret) -> bool {
    let typed = typed.expose();
    (4..=10).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit())
}

impl From<Finding> for Judgement {
    fn from(finding: Finding) -> Self {
        Self { finding, detail: String::new() }
    }
}
