//! The limits that hosts share, as a login asks for them.
//!
//! The same ledger keeps two sets of books: those of this host, in files, and those of the fleet, in a
//! store that only the helper talks to. The store decides; the files count along, and are what counts
//! where the store is out of reach or cannot have all of its memory (a server that was started anew, a
//! replica that took over): then no host lets through more than it would alone. What is of one host only
//! stays in its files: its own counter of messages, visits that are remembered, backup codes.

use std::cell::OnceCell;
use std::fmt::Write as _;

use super::child::{Decision, Said, decide};
use super::window::Moment;
use super::{Barrier, Try};
use crate::config::model::StoreUnreachable;
use crate::people::PhoneNumber;

/// What the store is asked. Behind the word stand 1 where the number is only what somebody says, and
/// the moments that it is about.
pub mod ask {
    /// Reserve a message: the answer is when.
    pub const RESERVE: &str = "reserve";
    /// Say what that would, and reserve nothing.
    pub const WOULD: &str = "would";
    /// Give a message back that was not sent.
    pub const NOT_SENT: &str = "not-sent";
    /// Give a message back about which no provider was asked, and its request.
    pub const NOT_ASKED: &str = "not-asked";
    /// Give a message back whose code was typed.
    pub const VERIFIED: &str = "verified";
    /// Count a try: the answer is when, and for how many milliseconds it locks if it is wrong.
    pub const TRY: &str = "try";
    /// Forget tries.
    pub const FORGIVE: &str = "forgive";
    /// A backup code has shown that the account is in good hands.
    pub const REOPEN: &str = "reopen";
    /// How the account stands: messages, messages of the day, wrong codes, wrong codes altogether.
    pub const STANDING: &str = "standing";
    /// Forget what counts against the account and the number: the answer is 1 if there was anything.
    pub const UNLOCK: &str = "unlock";
    /// Whether the store is there and fit for it: microseconds to an answer, whether it may forget when
    /// its memory is full, whether it forgets when it is started anew, how many replicas it has.
    pub const PING: &str = "ping";

    /// Where an answer says 1 if the store may have all of its memory.
    pub const IS_WHOLE: usize = 2;
}

/// A way to ask the store, about one account.
pub trait Fleet {
    /// What the store says to `what`, one of [`ask`] and what stands behind it.
    ///
    /// # Errors
    /// The barrier that it is; [`Barrier::OutOfReach`] where the store gives no answer.
    fn ask(&self, user: &str, number: Option<&PhoneNumber>, what: &str) -> Decision;

    /// Tells the log that this host counts alone.
    fn warn(&self, reason: &str);
}

/// The fleet's books of one account, at the module's end.
pub(super) struct Shared<'a> {
    fleet: Box<dyn Fleet + 'a>,
    unreachable: StoreUnreachable,
    /// Why the store gave no answer, once it did not: it is not waited for twice in a login.
    lost: OnceCell<String>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(fleet: Box<dyn Fleet + 'a>, unreachable: StoreUnreachable) -> Self {
        Self { fleet, unreachable, lost: OnceCell::new() }
    }

    /// Why the store gave no answer, if it was asked for one.
    #[cfg(feature = "program")]
    pub(super) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Asks the store, in a safe place; nothing where this host counts alone.
    pub(super) fn ask(
        &self,
        user: &str,
        number: Option<&PhoneNumber>,
        word: &str,
        is_confirming: bool,
        moments: &mut dyn Iterator<Item = Moment>,
    ) -> Result<Option<Said>, Barrier> {
        if self.lost.get().is_some() {
            return Ok(None);
        }
        let mut what = format!("{word} {}", u8::from(is_confirming));
        for moment in moments {
            // Writing to a String cannot fail.
            let _ = write!(what, " {moment}");
        }
        match decide(&|| self.fleet.ask(user, number, &what)) {
            Err(barrier @ Barrier::OutOfReach(_))
                if self.unreachable == StoreUnreachable::Local =>
            {
                let reason = barrier.to_string();
                self.fleet.warn(&format!("{reason}; this host counts alone"));
                let _ = self.lost.set(reason);
                Ok(None)
            }
            said => said.map(Some),
        }
    }
}

/// Whether this host's own books decide: where the store said nothing, or may have forgotten.
pub(super) fn decides_here(said: Option<&Said>) -> bool {
    said.is_none_or(|said| said[ask::IS_WHOLE] == 0)
}

/// The moments of tries in the store.
pub(super) fn moments(tries: &[Try]) -> impl Iterator<Item = Moment> {
    tries.iter().filter_map(|one| one.shared)
}
