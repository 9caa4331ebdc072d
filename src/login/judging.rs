//! An answer is judged: counted first, then compared.

use super::ports::Event;
use super::{Login, State, Step, Verdict};
use crate::limits::{Barrier, Return};
use crate::secret::Secret;

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
        let right = live.code.matches(typed.expose());
        let tries = self.wrong.len() + 1;
        let (to, count) = (self.person.phones[live.phone].masked(), tries.to_string());
        let reference = live.reference.clone();
        let mut fields = vec![("to", to.as_str()), ("via", live.via.as_str())];
        fields.extend(reference.as_ref().map(|reference| ("ref", reference.as_str())));
        fields.push(("tries", &count));
        if right {
            self.world.journal.record(Event::Accepted, &fields);
            let returned = self.world.limits.was_right(counted);
            self.warn_of(returned);
            self.give_back_messages();
            return Err(Verdict::Accepted);
        }
        self.world.journal.record(Event::Rejected, &fields);
        self.wrong.push(counted);
        let kept = self.world.limits.was_wrong();
        self.warn_of(kept);
        if !counted.locks.is_zero() {
            return self.barred(&Barrier::Locked(counted.locks));
        }
        match usize::from(self.rules.attempts).saturating_sub(tries) {
            0 => {
                self.farewell(self.rules.texts.too_many_tries());
                Err(Verdict::TooManyTries)
            }
            left => Ok(self.prompts.wrong(left, reference.as_ref())),
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
                    State::Stuck(_, said) => self.prompts.no_backup_code_at(said),
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
