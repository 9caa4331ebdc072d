//! What a login needs of the world, as small traits: a conversation, a way to deliver, limits, a clock
//! and a journal. The module plugs in libpam, the helper, files, the kernel's clock and syslog; the
//! tests plug in scripts.

use std::time::Duration;

use super::code::Code;
use crate::delivery::{Judgement, Outcome};
use crate::limits::{Barrier, Reservation, Return, Try};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// The person at the other end could not be asked, or did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer {
    /// Why, for the log.
    pub reason: &'static str,
}

/// The conversation with the person who logs in.
pub trait Host {
    /// Says where a code will go, before it is sent, where saying it shows whether anyone is there.
    ///
    /// # Errors
    /// When there is no conversation, or one that cannot carry a code: then nothing is sent.
    fn announce(&mut self, text: &str) -> Result<(), NoAnswer>;

    /// Shows `prompt` and takes one line.
    ///
    /// # Errors
    /// When there is no conversation, it was cut, or the answer is NULL.
    fn ask(&mut self, prompt: &str) -> Result<Secret, NoAnswer>;

    /// Tells something good to know before the person is let in. Nobody depends on its being read.
    fn inform(&mut self, text: &str);

    /// Last words before a denial, and what asks for Enter below them where nothing is shown without a
    /// question. Nobody depends on their being read.
    fn farewell(&mut self, said: String, press_enter: &str);
}

/// The way of a code to a phone.
pub trait Delivery {
    /// Sends `text` to `number` and says what became of it. Bounded in time.
    fn deliver(&mut self, number: &PhoneNumber, text: &Secret) -> Outcome;

    /// Calls `number`, where `code` is read aloud, and says what became of that. Bounded in time.
    fn call(&mut self, number: &PhoneNumber, code: &Code) -> Outcome;

    /// Asks `provider`, which made the code for `number` itself, whether `typed` is it. Bounded in time.
    fn check(&mut self, number: &PhoneNumber, typed: &Secret, provider: &str) -> Judgement;
}

/// What may be sent and tried, across logins: the books of one account.
pub trait Limits {
    /// Reserves one message.
    ///
    /// # Errors
    /// When it must not be sent.
    fn reserve(&self, number: &PhoneNumber) -> Result<Reservation, Barrier>;

    /// Gives a message back.
    ///
    /// # Errors
    /// When that cannot be written down.
    fn give_back(
        &self,
        number: &PhoneNumber,
        message: Reservation,
        why: Return,
    ) -> Result<(), Barrier>;

    /// Counts a try, before it is compared.
    ///
    /// # Errors
    /// When nothing must be compared.
    fn count_try(&self) -> Result<Try, Barrier>;

    /// The try was wrong and is kept.
    ///
    /// # Errors
    /// When it cannot be kept beyond the next start of the machine.
    fn was_wrong(&self) -> Result<(), Barrier>;

    /// The try gives itself back: it was right, or nobody could be asked about it.
    ///
    /// # Errors
    /// When that cannot be written down.
    fn give_try_back(&self, counted: Try) -> Result<(), Barrier>;

    /// Burns a backup code, and says how many are left; nothing, where it is none.
    ///
    /// # Errors
    /// When it must not be accepted, because it could not be burnt.
    fn burn(&self, plain: &Secret) -> Result<Option<usize>, Barrier>;

    /// How many backup codes are good.
    ///
    /// # Errors
    /// When that cannot be known.
    fn backup_codes(&self) -> Result<usize, Barrier>;
}

/// A clock that goes on while the machine sleeps and that nobody can set.
pub trait Clock {
    /// Time since the machine was started.
    fn now(&self) -> Duration;
}

/// What is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A provider took the first message of this login.
    Sent,
    /// A provider took a further message of this login.
    Resent,
    /// A message may be on its way.
    Uncertain,
    /// No message could be sent.
    Undeliverable,
    /// The right code came in time.
    Accepted,
    /// A wrong code, or no usable answer.
    Rejected,
    /// A code came too late.
    Expired,
    /// No more may be sent for now.
    Throttled,
    /// No more may be tried for now.
    Locked,
    /// A backup code was burnt.
    BackupCode,
    /// Somebody gave their own number.
    Enrolled,
    /// A code was accepted from here not long ago.
    Remembered,
    /// What would have happened, while everything is only rehearsed.
    Observed,
    /// Someone was let in because no provider could be reached.
    FailOpen,
    /// The policy spares this person.
    Skipped,
    /// No number is stored for this account.
    Unenrolled,
    /// Something works that should be mended before it breaks.
    Warning,
    /// Something is broken that is ours or the admin's.
    Error,
}

/// Where events are written down.
pub trait Journal {
    /// Writes one event. A journal that cannot write changes no verdict.
    fn record(&mut self, event: Event, fields: &[(&str, &str)]);
}
