//! Both sets of books: the fleet's, where hosts share one, and then this host's.
//!
//! The store is asked first, since it decides; what it granted is given back there if this host refuses.

use std::iter;
use std::time::Duration;

use super::child::{Said, decide};
use super::fleet::{self, ask};
use super::ledger::{Ledger, unix_time};
use super::window::Moment;
use super::{Barrier, Pending, Reservation, Return, Try};
use crate::login::ports::Limits;
use crate::people::PhoneNumber;
use crate::secret::Secret;

impl Ledger<'_> {
    /// What the store that hosts share says to `word`; nothing where there is none, or where it is out
    /// of reach and this host counts alone.
    pub(super) fn ask_fleet(
        &self,
        number: Option<&PhoneNumber>,
        word: &str,
        moments: &mut dyn Iterator<Item = Moment>,
    ) -> Result<Option<Said>, Barrier> {
        let Some(shared) = &self.shared else { return Ok(None) };
        shared.ask(self.user, number, word, self.is_confirming, moments)
    }

    /// Says what [`Limits::reserve`] would, and reserves nothing. Without a number, whether codes by SMS
    /// are open to the account.
    ///
    /// # Errors
    /// As [`Limits::reserve`].
    pub fn would_reserve(&self, number: Option<&PhoneNumber>) -> Result<(), Barrier> {
        let said = self.ask_fleet(number, ask::WOULD, &mut iter::empty())?;
        // In a safe place, since it may have to make the key of the numbers.
        decide(&|| self.would_reserve_here(number, fleet::decides_here(said.as_ref()))).map(drop)
    }

    /// Settles what was pending until the whole login succeeded. `number` is where its code went, if there
    /// was any.
    ///
    /// # Errors
    /// When the state is unusable.
    pub fn settle(&self, pending: &Pending, number: Option<&PhoneNumber>) -> Result<(), Barrier> {
        if *pending == Pending::default() {
            return Ok(());
        }
        if pending.reopen {
            self.ask_fleet(None, ask::REOPEN, &mut iter::empty())?;
        } else {
            self.forgive(&pending.tries)?;
        }
        decide(&|| self.settle_here(pending, number)).map(drop)
    }

    /// Takes tries back in the store that hosts share, where it has any of them.
    fn forgive(&self, tries: &[Try]) -> Result<(), Barrier> {
        let mut moments = fleet::moments(tries).peekable();
        if moments.peek().is_some() {
            self.ask_fleet(None, ask::FORGIVE, &mut moments)?;
        }
        Ok(())
    }
}

impl Limits for Ledger<'_> {
    fn reserve(&self, number: &PhoneNumber) -> Result<Reservation, Barrier> {
        let said = self.ask_fleet(Some(number), ask::RESERVE, &mut iter::empty())?;
        let decides = fleet::decides_here(said.as_ref());
        let shared = said.map(|[at, ..]| at);
        match decide(&|| self.reserve_here(number, decides)) {
            Ok([at, busy, ..]) => Ok(Reservation { at, shared, host_was_busy: busy == 1 }),
            Err(barrier) => {
                // What does not leave this host counts on none.
                if let Some(at) = shared {
                    self.ask_fleet(Some(number), ask::NOT_ASKED, &mut iter::once(at))?;
                }
                Err(barrier)
            }
        }
    }

    fn give_back(
        &self,
        number: &PhoneNumber,
        message: Reservation,
        why: Return,
    ) -> Result<(), Barrier> {
        if let Some(at) = message.shared {
            let word = match why {
                Return::NotSent => ask::NOT_SENT,
                Return::NotAsked => ask::NOT_ASKED,
                Return::Verified => ask::VERIFIED,
            };
            self.ask_fleet(Some(number), word, &mut iter::once(at))?;
        }
        decide(&|| self.give_back_here(number, message.at, why)).map(drop)
    }

    fn count_try(&self) -> Result<Try, Barrier> {
        let said = self.ask_fleet(None, ask::TRY, &mut iter::empty())?;
        let decides = fleet::decides_here(said.as_ref());
        // A try that this host refuses stays counted in the store: it is rare, and errs to the safe side.
        let [at, locks, ..] = decide(&|| self.count_try_here(decides))?;
        let locks = said.map_or(locks, |[_, shared, ..]| locks.max(shared));
        let locks = Duration::from_millis(locks.unsigned_abs());
        Ok(Try { at, shared: said.map(|[at, ..]| at), locks })
    }

    /// A disk that cannot keep it locks nobody out: the counters of this boot have it.
    fn was_wrong(&self) -> Result<(), Barrier> {
        decide(&|| {
            let total = self.peek(&self.user_file())?.total;
            self.keep_total(&|kept| kept.max(total))
        })
        .map(drop)
    }

    fn give_try_back(&self, counted: Try) -> Result<(), Barrier> {
        self.forgive(&[counted])?;
        decide(&|| self.forget_tries(&mut iter::once(counted.at))).map(drop)
    }

    fn burn(&self, plain: &Secret) -> Result<Option<usize>, Barrier> {
        let burnt = decide(&|| self.burn_here(plain));
        burnt.map(|[left, hit, ..]| (hit == 1).then(|| usize::try_from(left).unwrap_or(0)))
    }

    fn backup_codes(&self) -> Result<usize, Barrier> {
        let text = self.home()?.lib.read(&self.backup_file())?;
        Ok(self.backup_codes_of(text.as_deref().map(String::as_str))?.left(unix_time()))
    }
}
