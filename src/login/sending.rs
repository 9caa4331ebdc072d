//! A message on its way out: may it be sent, is there one left, did it leave?

use super::code::{Code, NoEntropy, Reference};
use super::ports::Event;
use super::prompt::WaysOut;
use super::{Judge, Live, Login, State, Step, Verdict, Way};
use crate::config::model::IfUnreachable;
use crate::delivery::{Fate, Outcome};
use crate::limits::Return;
use crate::message::Values;
use crate::secret::Secret;

/// How many messages one login may cause, the first included.
pub(super) const SENDS: u8 = 5;

impl Login<'_> {
    /// `r`: another code to the same phone. It gives no tries back.
    pub(super) fn resend(&mut self) -> Step {
        self.send_unless_too_early(self.current(), self.usual_way())
    }

    /// `v`: another code to the same phone, read aloud in a call. It counts as a message.
    pub(super) fn call(&mut self) -> Step {
        self.send_unless_too_early(self.current(), Way::Call)
    }

    /// `o`: a code to the next phone. The clock between two messages runs for each phone alone, so
    /// that somebody whose first phone is dead does not have to wait.
    pub(super) fn send_to_other(&mut self) -> Step {
        let other = (self.current() + 1) % self.person.phones.len();
        match &self.state {
            _ if other != self.current() => self.send_unless_too_early(other, self.usual_way()),
            State::Unsent => Ok(self.prompts.ask_first(self.number().ending())),
            State::Sent(live) => Ok(self.prompts.no_other_phone(live.reference.as_ref())),
            State::Stuck { verdict, .. } => Err(*verdict),
        }
    }

    /// How this person gets codes where they have not just asked for a call.
    pub(super) fn usual_way(&self) -> Way {
        if self.prompts.voice && self.person.by_voice { Way::Call } else { Way::Text }
    }

    /// The phone of the code that counts, else the one that was tried last.
    fn current(&self) -> usize {
        self.live().map_or(self.phone, |live| live.phone)
    }

    fn send_unless_too_early(&mut self, phone: usize, way: Way) -> Step {
        let State::Sent(live) = &self.state else {
            return match self.sends {
                0..SENDS => self.send(phone, way),
                _ => Err(self.reject("too many messages in one login")),
            };
        };
        if self.sends >= SENDS {
            return match self.valid() {
                Some(live) => Ok(self.prompts.no_more(live.reference.as_ref())),
                None => {
                    self.dead_end(self.rules.texts.no_more(), Verdict::Rejected, WaysOut::default())
                }
            };
        }
        let age = self.texted[phone].map(|at| self.world.clock.now().saturating_sub(at));
        match age.and_then(|age| self.rules.limits.resend_after.get().checked_sub(age)) {
            Some(wait) if !wait.is_zero() => {
                Ok(self.prompts.too_early(wait, live.reference.as_ref()))
            }
            _ => self.send(phone, way),
        }
    }

    /// Makes a code and has it delivered. The code before it counts until this one may have arrived.
    pub(super) fn send(&mut self, phone: usize, way: Way) -> Step {
        self.phone = phone;
        self.sends += 1;
        if let Err(reason) = self.rules.limits.allows(self.number()) {
            self.note(Event::Undeliverable, &reason);
            return self.refused(way, false);
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
        let sent_at = self.world.clock.now();
        let outcome = match way {
            Way::Text => {
                let text = self.text(&code, &reference);
                self.world.delivery.deliver(self.number(), &text)
            }
            Way::Call => self.world.delivery.call(self.number(), &code),
        };
        // A provider that makes its own codes sends them in its own words.
        let reference = (way == Way::Text && !outcome.judges).then_some(reference);
        self.texted[phone] = Some(self.world.clock.now());

        let first = !matches!(self.state, State::Sent(_));
        let event = match (outcome.fate, first) {
            (Fate::Accepted, true) => Event::Sent,
            (Fate::Accepted, false) => Event::Resent,
            (Fate::Uncertain, _) => Event::Uncertain,
            // Only what surely was not sent is given back.
            (Fate::HelperBroken, _) => return self.undelivered(&outcome, way),
            _ => {
                let is_ours = matches!(outcome.fate, Fate::Misconfigured | Fate::NotStarted);
                let why = if is_ours { Return::NotAsked } else { Return::NotSent };
                let back = self.world.limits.give_back(self.number(), reservation, why);
                self.warn_of(back);
                return self.undelivered(&outcome, way);
            }
        };
        self.reserved.push((phone, reservation));
        self.journal_delivery(event, &outcome, way, reference.as_ref());
        if event != Event::Uncertain && !outcome.detail.is_empty() {
            // It went out, but not by the provider that should have taken it.
            self.note(Event::Warning, &outcome.detail);
        }
        let ending = self.number().ending();
        let named = reference.as_ref();
        let replaces = !first && !self.still_holds(phone, &outcome);
        let prompt = match (way, event) {
            (Way::Call, Event::Uncertain) => self.prompts.call_uncertain(replaces),
            (Way::Call, _) => self.prompts.called(ending, replaces),
            (_, Event::Sent) => self.prompts.sent(ending, named),
            (_, Event::Resent) => self.prompts.resent(ending, named, replaces),
            _ => self.prompts.uncertain(named),
        };
        let expires = sent_at + self.rules.lifetime;
        let judge = if outcome.judges { Judge::Provider } else { Judge::Ours(code) };
        self.state = State::Sent(Live { phone, judge, reference, expires, via: outcome.via });
        Ok(prompt)
    }

    /// Whether the code that counted until now does so still: a provider that makes the codes has one for
    /// a number at a time, and sends it again.
    fn still_holds(&self, phone: usize, outcome: &Outcome) -> bool {
        let is_theirs = |live: &Live| matches!(live.judge, Judge::Provider);
        let is_same = |live: &Live| live.phone == phone && live.via == outcome.via;
        outcome.judges && self.live().is_some_and(|live| is_theirs(live) && is_same(live))
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

    /// No message left, and no call was made. An earlier code stays good while it lasts.
    fn undelivered(&mut self, outcome: &Outcome, way: Way) -> Step {
        let is_ours =
            matches!(outcome.fate, Fate::Misconfigured | Fate::NotStarted | Fate::HelperBroken);
        let event = if is_ours { Event::Error } else { Event::Undeliverable };
        if let Some(live) = self.valid() {
            let prompt = self.prompts.not_resent(way, live.reference.as_ref());
            self.journal_delivery(event, outcome, way, None);
            return Ok(prompt);
        }
        let open =
            outcome.fate == Fate::OutOfReach && self.rules.if_unreachable == IfUnreachable::Allow;
        // Nobody enrols a number that no code has ever reached. A call asks only those who can call,
        // and whoever was sent a code a moment ago can be sent one: that is no outage.
        if open && !self.person.is_new && way == Way::Text && self.reserved.is_empty() {
            self.journal_delivery(Event::FailOpen, outcome, way, None);
            return Err(Verdict::LetInUnreached);
        }
        self.journal_delivery(event, outcome, way, None);
        let texts = self.rules.texts;
        let said = if way == Way::Call { texts.not_called() } else { texts.no_provider() };
        match outcome.fate {
            Fate::Refused => self.refused(way, true),
            _ if is_ours => self.dead_end(said, Verdict::Unusable, WaysOut::default()),
            _ => {
                let ways = WaysOut { call: self.can_call_after(way), ..WaysOut::default() };
                self.dead_end(said, Verdict::Undeliverable, ways)
            }
        }
    }

    /// The number takes no messages, or must not; a second phone may, or a call to this one if it
    /// `may_be_called`.
    fn refused(&mut self, way: Way, may_be_called: bool) -> Step {
        if let Some(live) = self.valid() {
            return Ok(self.prompts.not_resent(way, live.reference.as_ref()));
        }
        let said = match way {
            Way::Text => self.rules.texts.refused(self.number().ending()),
            Way::Call => self.rules.texts.not_called(),
        };
        let ways = WaysOut {
            other_phone: self.prompts.other_phone && self.sends < SENDS,
            call: may_be_called && self.can_call_after(way),
            ..WaysOut::default()
        };
        self.dead_end(said, Verdict::Refused, ways)
    }

    /// Whether it is worth offering a call where this way came to nothing.
    fn can_call_after(&self, way: Way) -> bool {
        self.prompts.voice && way == Way::Text && self.sends < SENDS
    }

    fn journal_delivery(
        &mut self,
        event: Event,
        outcome: &Outcome,
        way: Way,
        reference: Option<&Reference>,
    ) {
        let to = self.number().masked();
        let fields = [
            ("to", to.as_str()),
            ("via", outcome.via.as_str()),
            ("way", if way == Way::Call { "call" } else { "" }),
            ("ref", reference.map_or("", Reference::as_str)),
            ("reason", outcome.detail.as_str()),
        ];
        let told: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.world.journal.record(event, &told);
    }
}
