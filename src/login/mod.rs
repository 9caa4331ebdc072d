//! The second factor itself: a code is made, sent, asked for and judged.
//!
//! ```text
//! policy.rs    who is asked at all
//! mod.rs       the conversation: from one answer to the next prompt, or to the end
//! sending.rs   a message: allowed, reserved, delivered
//! judging.rs   an answer: counted, compared
//! enrol.rs     somebody without a number gives one
//! code.rs      the code and its reference     answer.rs  what was typed
//! prompt.rs    what is said                   verdict.rs how it ended
//! catalogue.rs the texts of one language      language.rs which there are
//! ports.rs     what a login needs of the world
//! ```
//!
//! This room knows no PAM, no network and no file. It sees the world through the traits of
//! [`ports`], so that every path through it can be walked by a test.

pub mod answer;
pub mod catalogue;
pub mod code;
pub mod enrol;
mod judging;
pub mod language;
pub mod policy;
pub mod ports;
pub mod prompt;
mod sending;
mod verdict;

use std::time::Duration;

use answer::Answer;
use catalogue::Catalogue;
use code::{Code, Reference};
use ports::{Clock, Delivery, Event, Host, Journal, Limits, NoAnswer};
use prompt::{Prompts, WaysOut};
pub use verdict::Verdict;

use crate::config::model::{IfUnreachable, LimitRules};
use crate::limits::{Barrier, Pending, Reservation, Try};
use crate::message::Template;
use crate::people::PhoneNumber;

/// How often an answer that is none is answered with the same question again.
const IDLE_ANSWERS: u8 = 3;
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
    /// Whether the person has to ask for the first message.
    pub ask_first: bool,
    /// Where messages may go, and how soon after one another.
    pub limits: &'a LimitRules,
    /// What happens when no provider can be reached.
    pub if_unreachable: IfUnreachable,
    /// What is said to the person.
    pub texts: &'a Catalogue,
    /// The text of a message.
    pub template: &'a Template,
    /// Whether codes are also read aloud in a call.
    pub voice: bool,
    /// The name of this machine, for the text.
    pub host_name: &'a str,
}

/// Who logs in: the name as the user database has it, and their numbers.
#[derive(Debug)]
pub struct Person<'a> {
    /// The canonical account name.
    pub user: &'a str,
    /// Whether they are always called, as on a landline.
    pub by_voice: bool,
    /// Where codes may go, the preferred phone first; none, where nobody can say, and then what helps is a
    /// backup code.
    pub phones: &'a [PhoneNumber],
    /// Whether the number is only what the person says it is, and the code shall confirm it.
    pub is_new: bool,
}

/// The world that a login happens in.
pub struct World<'a> {
    /// The person at the other end.
    pub host: &'a mut dyn Host,
    /// The way of a text to a phone.
    pub delivery: &'a mut dyn Delivery,
    /// What may be sent and tried.
    pub limits: &'a dyn Limits,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The log.
    pub journal: &'a mut dyn Journal,
}

/// How a login ended, and what has to wait until the rest of the stack has agreed.
#[derive(Debug)]
pub struct Ending {
    /// How it ended.
    pub verdict: Verdict,
    /// What is settled once the whole login has succeeded.
    pub pending: Pending,
    /// Where the code went that counted last.
    pub phone: usize,
    /// Whether the person wants to give another number, which ends this round only.
    pub wants_other_number: bool,
}

/// How a code gets to a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a message.
    Text,
    /// In a call, read aloud.
    Call,
}

/// One login on its way.
pub struct Login<'a> {
    rules: &'a Rules<'a>,
    person: &'a Person<'a>,
    world: World<'a>,
    prompts: Prompts<'a>,
    state: State,
    /// Which phone was tried last.
    phone: usize,
    /// When each phone was texted last.
    texted: Vec<Option<Duration>>,
    /// The messages of this login that count, and to which phone each went.
    reserved: Vec<(usize, Reservation)>,
    sends: u8,
    /// Wrong codes.
    wrong: Vec<Try>,
    /// Codes about which the provider that makes them was not asked.
    unasked: usize,
    /// Wrong backup codes.
    wrong_backup: u8,
    /// Answers that were none.
    idle: u8,
    reopen: bool,
    wants_other_number: bool,
}

/// What an answer can be an answer to.
enum State {
    /// Nothing was sent yet, because the person shall ask for it.
    Unsent,
    /// This code counts: it is the last one that may have reached a phone.
    Sent(Live),
    /// No code counts and none can be sent. What is left is a backup code, the other phone, or this
    /// end.
    Stuck {
        /// The end.
        verdict: Verdict,
        /// The question.
        said: String,
        /// What its last lines offer.
        ways: WaysOut,
    },
}

/// A code that was sent, and what is needed to judge an answer to it.
struct Live {
    phone: usize,
    judge: Judge,
    /// What stands in its message, if it has one: no voice reads it.
    reference: Option<Reference>,
    expires: Duration,
    via: String,
}

/// Who says whether an answer is right.
enum Judge {
    /// We do: this is the code.
    Ours(Code),
    /// The provider that the message went by made the code, and keeps it.
    Provider,
}

/// Either the next prompt or the end.
type Step = Result<String, Verdict>;

impl<'a> Login<'a> {
    /// Prepares the login of `person`.
    #[must_use]
    pub fn new(rules: &'a Rules<'a>, person: &'a Person<'a>, world: World<'a>) -> Self {
        let prompts = Prompts {
            texts: rules.texts,
            other_phone: person.phones.len() > 1,
            // A number that anybody can claim is a way to have expensive ones called.
            voice: rules.voice && !person.is_new && !person.phones.is_empty(),
            digits: rules.digits,
            confirming: person.is_new,
        };
        Self {
            rules,
            person,
            world,
            prompts,
            state: State::Unsent,
            phone: 0,
            texted: vec![None; person.phones.len()],
            reserved: Vec::new(),
            sends: 0,
            wrong: Vec::new(),
            unasked: 0,
            wrong_backup: 0,
            idle: 0,
            reopen: false,
            wants_other_number: false,
        }
    }

    /// Sends a code, asks for it, and says how that ended.
    #[must_use]
    pub fn run(mut self) -> Ending {
        let verdict = match self.converse() {
            Ok(never) => match never {},
            Err(verdict) => verdict,
        };
        let phone = self.live().map_or(self.phone, |live| live.phone);
        let pending = Pending { tries: self.wrong, reopen: self.reopen, remember: None };
        let wants_other_number = self.wants_other_number;
        Ending { verdict, pending, phone, wants_other_number }
    }

    /// The conversation, which only ends with a verdict.
    fn converse(&mut self) -> Result<std::convert::Infallible, Verdict> {
        let mut prompt = self.open()?;
        for _ in 0..PROMPTS {
            let typed = self.world.host.ask(&prompt).map_err(|none| self.unanswered(none))?;
            prompt = self.reply(&Answer::read(&typed, self.reference()))?;
        }
        Err(self.reject("too many questions"))
    }

    fn open(&mut self) -> Step {
        if self.person.phones.is_empty() {
            let said = self.rules.texts.unusable();
            return self.dead_end(said, Verdict::Unusable, WaysOut::default());
        }
        let announcement = self.prompts.announcement(self.number().ending());
        self.world.host.announce(&announcement).map_err(|none| self.unanswered(none))?;
        match self.rules.ask_first && !self.person.is_new {
            true => Ok(self.prompts.ask_first(self.number().ending())),
            false => self.send(0, self.usual_way()),
        }
    }

    fn reply(&mut self, answer: &Answer) -> Step {
        match (answer, &self.state) {
            (Answer::SshdFake, _) => Err(self.reject("refused by sshd")),
            (Answer::BackupCode(plain), _) => self.try_backup_code(plain),
            (Answer::OtherPhone, _) if !self.person.phones.is_empty() => self.send_to_other(),
            (Answer::NewNumber, _) if self.person.is_new => {
                self.wants_other_number = true;
                Err(Verdict::Rejected)
            }
            (Answer::Empty, State::Unsent) => self.send(0, self.usual_way()),
            (Answer::Call, _) if self.prompts.voice => self.call(),
            (Answer::Empty, State::Stuck { verdict, .. }) => Err(*verdict),
            (Answer::Try(typed), State::Sent(_)) => self.judge(typed),
            (Answer::NewNumber | Answer::Call, State::Sent(_)) => self.judge_nonsense(),
            (Answer::Resend, State::Sent(_)) => self.resend(),
            (Answer::Help, State::Sent(live)) => {
                let prompts = self.prompts;
                let reference = live.reference.clone();
                let has_backup = self.has_backup_codes();
                Ok(prompts.help(reference.as_ref(), has_backup))
            }
            // Whatever else it is: the question once more, a few times.
            (Answer::Empty, _) if self.idle == IDLE_ANSWERS => Err(self.reject("nothing typed")),
            _ if self.idle == IDLE_ANSWERS => Err(self.reject("no usable answer")),
            (_, state) => {
                self.idle += 1;
                Ok(match state {
                    State::Unsent => self.prompts.ask_first(self.number().ending()),
                    State::Sent(live) => self.prompts.empty(live.reference.as_ref()),
                    State::Stuck { said, .. } => said.clone(),
                })
            }
        }
    }

    /// No code can help any more: what is left is a backup code and these ways out, or the end.
    fn dead_end(&mut self, said: String, verdict: Verdict, ways: WaysOut) -> Step {
        let ways = WaysOut { backup_code: self.has_backup_codes(), ..ways };
        if !ways.backup_code && !ways.other_phone && !ways.call {
            self.farewell(said);
            return Err(verdict);
        }
        let said = self.prompts.dead_end(said, ways);
        self.state = State::Stuck { verdict, said: said.clone(), ways };
        Ok(said)
    }

    /// Whether it is worth offering a backup code. One that cannot be looked up is not offered; what
    /// is wrong is told where one is tried.
    fn has_backup_codes(&self) -> bool {
        !self.person.is_new && self.world.limits.backup_codes().is_ok_and(|left| left > 0)
    }

    /// What a limit or a lock means for this login.
    fn barred(&mut self, barrier: &Barrier) -> Step {
        let reason = barrier.to_string();
        match barrier {
            // Whatever is wrong with the counters, a backup code has its own file.
            Barrier::Busy(_) | Barrier::OutOfReach(_) | Barrier::Unusable(_) => {
                self.world.journal.record(Event::Error, &[("reason", &reason)]);
                self.dead_end(self.rules.texts.unusable(), Verdict::Unusable, WaysOut::default())
            }
            Barrier::Sends { wait, .. } => {
                self.note(Event::Throttled, &reason);
                match self.valid() {
                    Some(live) => Ok(self.prompts.no_more_for_now(*wait, live.reference.as_ref())),
                    None => self.dead_end(
                        self.rules.texts.throttled(*wait),
                        Verdict::Throttled,
                        WaysOut::default(),
                    ),
                }
            }
            Barrier::Locked(wait) => {
                self.note(Event::Locked, &reason);
                self.dead_end(self.rules.texts.locked(*wait), Verdict::Locked, WaysOut::default())
            }
            Barrier::Closed => {
                self.note(Event::Locked, &reason);
                self.dead_end(self.rules.texts.closed(), Verdict::Locked, WaysOut::default())
            }
        }
    }

    fn note(&mut self, event: Event, reason: &str) {
        let to = self.number().masked();
        self.world.journal.record(event, &[("to", &to), ("reason", reason)]);
    }

    fn reject(&mut self, reason: &str) -> Verdict {
        self.world.journal.record(Event::Rejected, &[("reason", reason)]);
        Verdict::Rejected
    }

    fn unanswered(&mut self, none: NoAnswer) -> Verdict {
        self.world.journal.record(Event::Rejected, &[("reason", none.reason)]);
        Verdict::NoConversation
    }

    fn unusable(&mut self, reason: &str) -> Verdict {
        self.world.journal.record(Event::Error, &[("reason", reason)]);
        self.farewell(self.rules.texts.unusable());
        Verdict::Unusable
    }

    fn farewell(&mut self, said: String) {
        self.world.host.farewell(said, self.rules.texts.press_enter());
    }

    /// The number that was tried last, where there are any.
    fn number(&self) -> &'a PhoneNumber {
        &self.person.phones[self.phone]
    }

    /// The code that counts, if one does.
    fn live(&self) -> Option<&Live> {
        match &self.state {
            State::Sent(live) => Some(live),
            _ => None,
        }
    }

    /// The code that counts, if there is still time to type it.
    fn valid(&self) -> Option<&Live> {
        self.live().filter(|live| self.world.clock.now() < live.expires)
    }

    fn reference(&self) -> Option<&Reference> {
        self.live().and_then(|live| live.reference.as_ref())
    }
}

#[cfg(test)]
mod tests;
