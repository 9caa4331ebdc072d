//! The second factor itself: a code is made, sent, asked for and judged.
//!
//! This room knows no PAM, no network and no file. It sees the world through the traits of
//! [`ports`], so that every path through it can be walked by a test. Limits that outlive one login
//! will stand between `Login::send` and the delivery, and before `Login::judge` compares.

pub mod answer;
pub mod code;
pub mod ports;
pub mod prompt;
mod verdict;

use std::time::Duration;

use answer::Answer;
use code::{Code, NoEntropy, Reference};
use ports::{Clock, Delivery, Event, Host, Journal, NoAnswer};
use prompt::Prompts;
pub use verdict::Verdict;

use crate::config::model::IfUnreachable;
use crate::delivery::{Fate, Outcome};
use crate::message::{Template, Values};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// How often an empty answer is answered with the same question again.
const EMPTY_ANSWERS: u8 = 3;
/// How many messages one login may cause, the first included.
const SENDS: u8 = 5;
/// How often one login asks at all: a bound on what costs no try (`?`, `r` too early, expired).
const PROMPTS: u8 = 40;

/// The rules of one login, from the configuration.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Length of a code.
    pub digits: u8,
    /// How long a code is good for.
    pub lifetime: Duration,
    /// Wrong tries in one login.
    pub attempts: u8,
    /// Time between two messages to the same phone.
    pub resend_after: Duration,
    /// What happens when no provider can be reached.
    pub if_unreachable: IfUnreachable,
    /// The text of a message.
    pub template: &'a Template,
    /// The name of this machine, for the text.
    pub host_name: &'a str,
}

/// Who logs in: the name as the user database has it, and at least one number.
#[derive(Debug)]
pub struct Person<'a> {
    /// The canonical account name.
    pub user: &'a str,
    /// Where codes may go, the preferred phone first.
    pub phones: &'a [PhoneNumber],
}

/// One login on its way.
pub struct Login<'a> {
    rules: &'a Rules<'a>,
    person: &'a Person<'a>,
    host: &'a mut dyn Host,
    delivery: &'a mut dyn Delivery,
    clock: &'a dyn Clock,
    journal: &'a mut dyn Journal,
    prompts: Prompts,
    /// The code that counts: the last one that may have reached a phone.
    live: Option<Live>,
    /// Which phone was texted last.
    phone: usize,
    /// When each phone was texted last.
    texted: Vec<Option<Duration>>,
    sends: u8,
    tries: u8,
}

/// A code that was sent, and what is needed to judge an answer to it.
struct Live {
    code: Code,
    reference: Reference,
    expires: Duration,
    via: String,
}

/// Either the next prompt or the end.
type Step = Result<String, Verdict>;

impl<'a> Login<'a> {
    /// Prepares the login of `person`, who must have at least one phone.
    pub fn new(
        rules: &'a Rules<'a>,
        person: &'a Person<'a>,
        host: &'a mut dyn Host,
        delivery: &'a mut dyn Delivery,
        clock: &'a dyn Clock,
        journal: &'a mut dyn Journal,
    ) -> Self {
        let prompts = Prompts { other_phone: person.phones.len() > 1, digits: rules.digits };
        let texted = vec![None; person.phones.len()];
        Self {
            rules,
            person,
            host,
            delivery,
            clock,
            journal,
            prompts,
            live: None,
            phone: 0,
            texted,
            sends: 0,
            tries: 0,
        }
    }

    /// Sends a code, asks for it, and says how that ended.
    pub fn run(mut self) -> Verdict {
        match self.converse() {
            Ok(never) => match never {},
            Err(verdict) => verdict,
        }
    }

    /// The conversation, which only ends with a verdict.
    fn converse(&mut self) -> Result<std::convert::Infallible, Verdict> {
        let announcement = self.prompts.announcement(self.number().ending());
        self.host.announce(&announcement).map_err(|none| self.unanswered(none))?;

        let mut prompt = self.send(0)?;
        let mut empty = 0;
        for _ in 0..PROMPTS {
            let typed = self.host.ask(&prompt).map_err(|none| self.unanswered(none))?;
            let reference = self.live.as_ref().map(|live| &live.reference);
            prompt = match Answer::read(&typed, reference) {
                Answer::SshdFake => Err(self.reject("refused by sshd")),
                Answer::OtherPhone => self.send_to_other(),
                // Without a code that counts there is nothing left to answer but `o`.
                _ if self.live.is_none() => Err(self.refused()),
                Answer::Resend => self.resend(),
                Answer::Help => Ok(self.prompts.help(self.reference())),
                Answer::Empty if empty == EMPTY_ANSWERS => Err(self.reject("nothing typed")),
                Answer::Empty => {
                    empty += 1;
                    Ok(self.prompts.empty(self.reference()))
                }
                Answer::Try(typed) => self.judge(&typed),
            }?;
        }
        Err(self.reject("too many questions"))
    }

    /// Counts a try, then compares.
    fn judge(&mut self, typed: &Secret) -> Step {
        let Some(live) = &self.live else { return Err(Verdict::Rejected) };
        if self.clock.now() >= live.expires {
            self.journal.record(Event::Expired, &[("ref", live.reference.as_str())]);
            return Ok(self.prompts.expired());
        }
        // Counted first: whatever happens from here on, the try is spent.
        self.tries += 1;
        let right = live.code.matches(typed.expose());
        let fields = [
            ("to", &*self.number().masked()),
            ("via", &live.via),
            ("ref", live.reference.as_str()),
            ("tries", &self.tries.to_string()),
        ];
        if right {
            self.journal.record(Event::Accepted, &fields);
            return Err(Verdict::Accepted);
        }
        self.journal.record(Event::Rejected, &fields);
        match self.rules.attempts.saturating_sub(self.tries) {
            0 => {
                self.host.farewell(prompt::TOO_MANY_TRIES);
                Err(Verdict::TooManyTries)
            }
            left => Ok(self.prompts.wrong(left, &live.reference)),
        }
    }

    /// `r`: another code to the same phone. It gives no tries back.
    fn resend(&mut self) -> Step {
        self.send_unless_too_early(self.phone)
    }

    /// `o`: a code to the next phone. The clock between two messages runs for each phone alone, so
    /// that somebody whose first phone is dead does not have to wait.
    fn send_to_other(&mut self) -> Step {
        if self.prompts.other_phone {
            self.send_unless_too_early((self.phone + 1) % self.person.phones.len())
        } else if self.live.is_some() {
            Ok(self.prompts.no_other_phone(self.reference()))
        } else {
            Err(self.refused())
        }
    }

    fn send_unless_too_early(&mut self, phone: usize) -> Step {
        if self.live.is_none() {
            return self.send(phone);
        }
        if self.sends >= SENDS {
            return Ok(self.prompts.no_more(self.reference()));
        }
        let age = self.texted[phone].map(|at| self.clock.now().saturating_sub(at));
        match age.and_then(|age| self.rules.resend_after.checked_sub(age)) {
            Some(wait) if !wait.is_zero() => Ok(self.prompts.too_early(wait, self.reference())),
            _ => self.send(phone),
        }
    }

    /// Makes a code and has it delivered. The code before it counts until this one may have arrived.
    fn send(&mut self, phone: usize) -> Step {
        self.phone = phone;
        self.sends += 1;
        let (code, reference) = self.draw().map_err(|error| self.unusable(&error.to_string()))?;
        let text = self.text(&code, &reference);
        let sent_at = self.clock.now();
        let outcome = self.delivery.deliver(self.number(), &text);
        self.texted[phone] = Some(self.clock.now());

        let first = self.live.is_none();
        let event = match (outcome.fate, first) {
            (Fate::Accepted, true) => Event::Sent,
            (Fate::Accepted, false) => Event::Resent,
            (Fate::Uncertain, _) => Event::Uncertain,
            _ => return self.undelivered(&outcome),
        };
        self.journal_delivery(event, &outcome, reference.as_str());
        let ending = self.number().ending();
        let prompt = match event {
            Event::Sent => self.prompts.sent(ending, &reference),
            Event::Resent => self.prompts.resent(ending, &reference),
            _ => self.prompts.uncertain(&reference),
        };
        let expires = sent_at + self.rules.lifetime;
        self.live = Some(Live { code, reference, expires, via: outcome.via });
        Ok(prompt)
    }

    fn draw(&self) -> Result<(Code, Reference), NoEntropy> {
        let previous = self.live.as_ref().map(|live| &live.reference);
        Ok((Code::random(self.rules.digits)?, Reference::random(previous)?))
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

    /// No message left. An earlier code stays good; without one the login ends, except that a
    /// number which takes no messages may have a second phone beside it.
    fn undelivered(&mut self, outcome: &Outcome) -> Step {
        let open =
            outcome.fate == Fate::OutOfReach && self.rules.if_unreachable == IfUnreachable::Allow;
        if open && self.live.is_none() {
            self.journal_delivery(Event::FailOpen, outcome, "");
            return Err(Verdict::LetInUnreached);
        }
        self.journal_delivery(Event::Undeliverable, outcome, "");
        if let Some(live) = &self.live {
            return Ok(self.prompts.not_resent(&live.reference));
        }
        match outcome.fate {
            Fate::Refused if self.prompts.other_phone && self.sends < SENDS => {
                Ok(self.prompts.refused_offer_other(self.number().ending()))
            }
            Fate::Refused => Err(self.refused()),
            Fate::Misconfigured | Fate::HelperBroken => {
                self.host.farewell(prompt::NO_PROVIDER);
                Err(Verdict::Unusable)
            }
            _ => {
                self.host.farewell(prompt::NO_PROVIDER);
                Err(Verdict::Undeliverable)
            }
        }
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
        self.journal.record(event, &told);
    }

    fn refused(&mut self) -> Verdict {
        let text = prompt::refused(self.number().ending());
        self.host.farewell(&text);
        Verdict::Refused
    }

    fn reject(&mut self, reason: &str) -> Verdict {
        self.journal.record(Event::Rejected, &[("reason", reason)]);
        Verdict::Rejected
    }

    fn unanswered(&mut self, none: NoAnswer) -> Verdict {
        self.journal.record(Event::Rejected, &[("reason", none.reason)]);
        Verdict::NoConversation
    }

    fn unusable(&mut self, reason: &str) -> Verdict {
        self.journal.record(Event::Error, &[("reason", reason)]);
        self.host.farewell(prompt::UNUSABLE);
        Verdict::Unusable
    }

    fn number(&self) -> &'a PhoneNumber {
        &self.person.phones[self.phone]
    }

    /// The reference of the code that counts. Only asked for where there is one.
    fn reference(&self) -> &Reference {
        &self.live.as_ref().expect("asked for only while a code counts").reference
    }
}

#[cfg(test)]
mod tests;
