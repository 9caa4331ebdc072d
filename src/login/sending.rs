//! A message on its way out: may it be sent, is there one left, did it leave?

use super::code::{Code, NoEntropy, Reference};
use super::ports::Event;
use super::{Live, Login, State, Step, Verdict};
use crate::config::model::IfUnreachable;
use crate::delivery::{Fate, Outcome};
use crate::limits::Return;
use crate::message::Values;
use crate::secret::Secret;

/// How many messages one login may cause, the first included.
const SENDS: u8 = 5;

impl Login<'_> {
    /// `r`: another code to the same phone. It gives no tries back.
    pub(super) fn resend(&mut self) -> Step {
        self.send_unless_too_early(self.current())
    }

    /// `o`: a code to the next phone. The clock between two messages runs for each phone alone, so
    /// that somebody whose first phone is dead does not have to wait.
    pub(super) fn send_to_other(&mut self) -> Step {
        let other = (self.current() + 1) % self.person.phones.len();
        match &self.state {
            _ if other != self.current() => self.send_unless_too_early(other),
            State::Unsent => Ok(self.prompts.ask_first(self.number().ending())),
            State::Sent(live) => Ok(self.prompts.no_other_phone(&live.reference)),
            State::Stuck(verdict, _) => Err(*verdict),
        }
    }

    /// The phone of the code that counts, else the one that was tried last.
    fn current(&self) -> usize {
        self.live().map_or(self.phone, |live| live.phone)
    }

    fn send_unless_too_early(&mut self, phone: usize) -> Step {
        let State::Sent(live) = &self.state else {
            return match self.sends {
                0..SENDS => self.send(phone),
                _ => Err(self.reject("too many messages in one login")),
            };
        };
        if self.sends >= SENDS {
            return match self.valid() {
                Some(live) => Ok(self.prompts.no_more(&live.reference)),
                None => self.dead_end(self.rules.texts.no_more(), Verdict::Rejected, false),
            };
        }
        let age = self.texted[phone].map(|at| self.world.clock.now().saturating_sub(at));
        match age.and_then(|age| self.rules.limits.resend_after.get().checked_sub(age)) {
            Some(wait) if !wait.is_zero() => Ok(self.prompts.too_early(wait, &live.reference)),
            _ => self.send(phone),
        }
    }

    /// Makes a code and has it delivered. The code before it counts until this one may have arrived.
    pub(super) fn send(&mut self, phone: usize) -> Step {
        self.phone = phone;
        self.sends += 1;
        if let Err(reason) = self.rules.limits.allows(self.number()) {
            self.note(Event::Undeliverable, &reason);
            return self.refused();
        }
        // Before anything is sent, and before there is anything to wipe.
        let reservation = match self.world.limits.reserve(self.number()) {
            Ok(reservation) => reservation,
            Err(barrier) => return self.barred(&barrier),
        };
        if reservation.host_was_busy {
            self.note(
                Event::Warning,
                "the lock on host.state is held: this message is not counted there",
            );
        }
        let (code, reference) = self.draw().map_err(|error| self.unusable(&error.to_string()))?;
        let text = self.text(&code, &reference);
        let sent_at = self.world.clock.now();
        let outcome = self.world.delivery.deliver(self.number(), &text);
        self.texted[phone] = Some(self.world.clock.now());

        let first = !matches!(self.state, State::Sent(_));
        let event = match (outcome.fate, first) {
            (Fate::Accepted, true) => Event::Sent,
            (Fate::Accepted, false) => Event::Resent,
            (Fate::Uncertain, _) => Event::Uncertain,
            // Only what surely was not sent is given back.
            (Fate::HelperBroken, _) => return self.undelivered(&outcome),
            _ => {
                let back = self.world.limits.give_back(self.number(), reservation, Return::NotSent);
                self.warn_of(back);
                return self.undelivered(&outcome);
            }
        };
        self.reserved.push((phone, reservation));
        self.journal_delivery(event, &outcome, reference.as_str());
        if event != Event::Uncertain && !outcome.detail.is_empty() {
            // It went out, but not by the provider that should have taken it.
            self.note(Event::Warning, &outcome.detail);
        }
        let ending = self.number().ending();
        let prompt = match event {
            Event::Sent => self.prompts.sent(ending, &reference),
            Event::Resent => self.prompts.resent(ending, &reference),
            _ => self.prompts.uncertain(&reference),
        };
        let expires = sent_at + self.rules.lifetime;
        self.state = State::Sent(Live { phone, code, reference, expires, via: outcome.via });
        Ok(prompt)
    }

    fn draw(&self) -> Result<(Code, Reference), NoEntropy> {
        Ok((Code::random(self.rules.digits)?, Reference::random(self.reference())?))
    }

    fn text(&self, code: &Code, reference: &Reference) -> Secret {
        Secret::from(self.rules.template.render(&Values {
            code: code.expose(),
            reference: reference.as_str(),
            host: self.rules.host_name,
            user: self.person.user,
            minutes: self.rules.lifetime.as_secs().div_ceil(60),
        }))
    }

    /// No message left. An earlier code stays good while it lasts.
    fn undelivered(&mut self, outcome: &Outcome) -> Step {
        let event = match outcome.fate {
            Fate::Misconfigured | Fate::NotStarted | Fate::HelperBroken => Event::Error,
            _ => Event::Undeliverable,
        };
        if let Some(live) = self.valid() {
            let prompt = self.prompts.not_resent(&live.reference);
            self.journal_delivery(event, outcome, "");
            return Ok(prompt);
        }
        let open =
            outcome.fate == Fate::OutOfReach && self.rules.if_unreachable == IfUnreachable::Allow;
        // Nobody enrols a number that no code has ever reached.
        if open && !self.person.is_new {
            self.journal_delivery(Event::FailOpen, outcome, "");
            return Err(Verdict::LetInUnreached);
        }
        self.journal_delivery(event, outcome, "");
        match outcome.fate {
            Fate::Refused => self.refused(),
            Fate::Misconfigured | Fate::NotStarted | Fate::HelperBroken => {
                self.dead_end(self.rules.texts.no_provider(), Verdict::Unusable, false)
            }
            _ => self.dead_end(self.rules.texts.no_provider(), Verdict::Undeliverable, false),
        }
    }

    /// The number takes no messages, or must not; a second phone may.
    fn refused(&mut self) -> Step {
        if let Some(live) = self.valid() {
            return Ok(self.prompts.not_resent(&live.reference));
        }
        let said = self.rules.texts.refused(self.number().ending());
        let other = self.prompts.other_phone && self.sends < SENDS;
        self.dead_end(said, Verdict::Refused, other)
    }

    fn journal_delivery(&mut self, event: Event, outcome: &Outcome, reference: &str) {
        let to = self.number().masked();
        let fields = [
            ("to", to.as_str()),
            ("via", outcome.via.as_str()),
            ("ref", reference),
            ("reason", outcome.detail.as_str()),
        ];
        let told: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.world.journal.record(event, &told);
    }
}
