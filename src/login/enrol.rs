//! Somebody without a number gives one, and shows that it is theirs.

use super::answer::is_sshd_fake;
use super::catalogue::Text;
use super::ports::{Event, NoAnswer};
use super::{Login, Person, Rules, Verdict, World, prompt};
use crate::limits::Pending;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// How often a number is asked for in one login.
const QUESTIONS: u8 = 6;

/// How an enrolment ended.
#[derive(Debug)]
pub struct Enrolment {
    /// How the login ended.
    pub verdict: Verdict,
    /// The number that was confirmed, to be stored once the whole login has succeeded.
    pub number: Option<PhoneNumber>,
    /// What else waits for that.
    pub pending: Pending,
}

/// Asks `user` for a number and has a code confirm it.
#[must_use]
pub fn enrol(rules: &Rules<'_>, user: &str, world: &mut World<'_>) -> Enrolment {
    let mut question = rules.texts.ask_number();
    for _ in 0..QUESTIONS {
        let typed = match world.host.ask(&question) {
            Ok(typed) => typed,
            Err(NoAnswer { reason }) => return ended(world, Verdict::NoConversation, reason),
        };
        if typed.expose().trim().is_empty() {
            return ended(world, Verdict::Rejected, "gave no number");
        }
        if is_sshd_fake(typed.expose().as_bytes()) {
            return ended(world, Verdict::Rejected, "refused by sshd");
        }
        let number = match read(&typed, rules) {
            Ok(number) => number,
            Err(reason) => {
                question = rules.texts.ask_number_again(reason);
                continue;
            }
        };
        let phones = [number];
        let person = Person { user, by_voice: false, phones: &phones, is_new: true };
        let ending = Login::new(rules, &person, world.again()).run();
        if ending.wants_other_number {
            question = rules.texts.ask_number();
            continue;
        }
        let [number] = phones;
        let number = (ending.verdict == Verdict::Accepted).then_some(number);
        return Enrolment { verdict: ending.verdict, number, pending: ending.pending };
    }
    ended(world, Verdict::Rejected, "too many questions")
}

fn read(typed: &Secret, rules: &Rules<'_>) -> Result<PhoneNumber, Text> {
    let number: PhoneNumber =
        typed.expose().trim().parse().map_err(|error| prompt::about(&error))?;
    // What the configuration calls it is the admin's business.
    rules.limits.allows(&number).map_err(|_| Text::NumberElsewhere)?;
    Ok(number)
}

fn ended(world: &mut World<'_>, verdict: Verdict, reason: &str) -> Enrolment {
    world.journal.record(Event::Rejected, &[("reason", reason)]);
    Enrolment { verdict, number: None, pending: Pending::default() }
}

impl World<'_> {
    /// The same world for one round.
    fn again(&mut self) -> World<'_> {
        World {
            host: &mut *self.host,
            delivery: &mut *self.delivery,
            limits: self.limits,
            clock: self.clock,
            journal: &mut *self.journal,
        }
    }
}
