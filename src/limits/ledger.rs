//! The books of one account: every decision about it, each under its lock.

use std::fs;
use std::iter;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::child::{DONE, Decision, decide};
use super::files::HOST_FILE;
use super::fleet::{Fleet, Shared};
use super::record::{Record, Remembered};
use super::shelf;
use super::window::{Moment, Window, millis};
use super::{Barrier, Pending, Return, SendLimit, Visit};
use crate::config::model::LimitRules;
#[cfg(feature = "program")]
use crate::config::model::StoreUnreachable;
use crate::login::ports::Clock;
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::state::{Durability, Places, Store};

/// The most visits that are remembered of one person; the oldest go first.
const MOST_VISITS: usize = 16;
/// Messages that may go to a number before it is known to be the person's.
const CONFIRMATIONS: Window = Window { count: 3, span: Duration::from_secs(24 * 60 * 60) };
/// Where the kernel says which boot this is.
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The books of one account.
pub struct Ledger<'a> {
    pub(super) rules: &'a LimitRules,
    pub(super) user: &'a str,
    pub(super) clock: &'a dyn Clock,
    /// Where the counters stand.
    pub(super) shelf: shelf::Any<'a>,
    /// What is this host's alone.
    pub(super) home: Option<Home>,
    /// What names this boot; nothing where the kernel does not say.
    pub(super) boot: Option<String>,
    pub(super) is_confirming: bool,
    pub(super) shared: Option<Shared<'a>>,
}

/// What is one host's alone.
pub(super) struct Home {
    /// The counter that all of its users share, and its key; lasts until it is started anew.
    pub(super) run: Store,
    /// Backup codes, and how many wrong codes there were; lasts.
    pub(super) lib: Store,
}

impl<'a> Ledger<'a> {
    /// Opens the books of `user`, a canonical account name.
    #[must_use]
    pub fn new(
        places: &Places,
        rules: &'a LimitRules,
        user: &'a str,
        clock: &'a dyn Clock,
    ) -> Self {
        let boot = fs::read_to_string(BOOT_ID).ok().map(|boot| boot.trim().to_owned());
        let boot = boot.filter(|boot| !boot.is_empty());
        let run = Store::new(&places.run, Durability::Process);
        let lib = Store::new(&places.lib, Durability::Power);
        let (shelf, home) = (shelf::folder(run.clone()), Some(Home { run, lib }));
        Self { rules, user, clock, shelf, home, boot, is_confirming: false, shared: None }
    }

    /// Opens the books of `user` in a store that hosts share, by its own clock.
    #[cfg(feature = "redis")]
    pub(super) fn in_store(
        store: &'a (impl shelf::Shelf + Clock),
        rules: &'a LimitRules,
        user: &'a str,
    ) -> Self {
        let (clock, shelf): (&dyn Clock, shelf::Any) = (store, Box::new(store));
        // A store has one clock for all, which no start of a host changes.
        let boot = Some("store".to_owned());
        let (home, is_confirming, shared) = (None, false, None);
        Self { rules, user, clock, shelf, home, boot, is_confirming, shared }
    }

    /// The same books, with what counts against the account on all hosts that share a store.
    #[must_use]
    pub fn shared_by(mut self, fleet: Option<Box<dyn Fleet + 'a>>) -> Self {
        let fleet = fleet.filter(|_| !self.rules.excepts(self.user));
        self.shared = fleet.map(|fleet| Shared::new(fleet, self.rules.store_unreachable));
        self
    }

    /// The same for an admin, who is told what this host has counted also where a login would be denied.
    #[cfg(feature = "program")]
    #[must_use]
    pub fn shown_by(mut self, fleet: Option<Box<dyn Fleet + 'a>>) -> Self {
        let fleet = fleet.filter(|_| !self.rules.excepts(self.user));
        self.shared = fleet.map(|fleet| Shared::new(fleet, StoreUnreachable::Local));
        self
    }

    /// The same books for a number that is only what somebody says: it may be a stranger's, so few
    /// messages go there, and they do not count against its owner.
    #[must_use]
    pub fn confirming(mut self) -> Self {
        self.is_confirming = true;
        self
    }

    pub(super) fn would_reserve_here(
        &self,
        number: Option<&PhoneNumber>,
        decides: bool,
    ) -> Decision {
        let user = self.peek(&self.user_file())?;
        // Only now: the store's clock is told with what is read.
        let now = self.now();
        if decides {
            self.is_open(&user, now)?;
        }
        let Some(number) = number else { return Ok(DONE) };
        if decides {
            self.may_be_sent_to(&user, now)?;
        }
        for (file, window, limit) in self.shared_files(number)? {
            if decides || file == HOST_FILE {
                fits(window, limit, &self.peek(&file)?.sends, now)?;
            }
        }
        Ok(DONE)
    }

    /// Whether this visit needs no code, because one was accepted there not long ago and went to a
    /// number that is still the person's.
    ///
    /// # Errors
    /// When the state is unusable.
    pub fn is_remembered(&self, visit: &Visit, phones: &[PhoneNumber]) -> Result<bool, Barrier> {
        let user = self.peek(&self.user_file())?;
        if user.remembered.is_empty() {
            return Ok(false);
        }
        let address = visit.address.to_string();
        // In a safe place, since it may have to make the key of the numbers.
        let is_one = decide(&|| {
            let numbers: Vec<_> =
                phones.iter().map(|phone| self.hash(phone)).collect::<Result<_, _>>()?;
            let is_one = user.remembered.iter().any(|one| {
                let number = numbers.contains(&one.number);
                one.service == visit.service && one.address == address && number
            });
            Ok([i64::from(is_one), 0, 0, 0])
        });
        is_one.map(|[is_one, ..]| is_one == 1)
    }

    /// Reserves in these books, which may refuse only if they decide; the machine's own counter always
    /// does.
    pub(super) fn reserve_here(&self, number: &PhoneNumber, decides: bool) -> Decision {
        let [now, ..] = self.change_user(&mut |user, now| {
            if decides {
                self.may_be_sent_to(user, now)?;
            }
            insert(&mut user.sends, now);
            insert(&mut user.day, now);
            insert(&mut user.requests, now);
            Ok([now, 0, 0, 0])
        })?;
        let mut granted: Vec<(String, Window)> = Vec::new();
        for (file, window, limit) in self.shared_files(number)? {
            let reserved = self.change(&file, window, &mut |record, _| {
                if decides || file == HOST_FILE {
                    fits(window, limit, &record.sends, now)?;
                }
                insert(&mut record.sends, now);
                Ok(DONE)
            });
            if file == HOST_FILE && matches!(reserved, Err(Barrier::Busy(_))) {
                // It guards what all cost together. A single process that somebody has frozen while
                // it holds this lock must not shut out everybody.
                return Ok([now, 1, 0, 0]);
            }
            if let Err(barrier) = reserved {
                for (file, window) in granted {
                    self.change(&file, window, &mut |record, _| remove(&mut record.sends, now))?;
                }
                // Not even a request was made.
                self.change_user(&mut |user, _| {
                    remove(&mut user.requests, now)?;
                    remove(&mut user.day, now)?;
                    remove(&mut user.sends, now)
                })?;
                return Err(barrier);
            }
            granted.push((file, window));
        }
        Ok([now, 0, 0, 0])
    }

    pub(super) fn give_back_here(&self, number: &PhoneNumber, at: Moment, why: Return) -> Decision {
        self.change_user(&mut |user, _| {
            if why != Return::Verified {
                remove(&mut user.day, at)?;
            }
            if why == Return::NotAsked {
                remove(&mut user.requests, at)?;
            }
            remove(&mut user.sends, at)
        })?;
        for (file, window, _) in self.shared_files(number)? {
            match self.change(&file, window, &mut |record, _| remove(&mut record.sends, at)) {
                Err(Barrier::Busy(_)) if file == HOST_FILE => {}
                other => drop(other?),
            }
        }
        Ok(DONE)
    }

    /// Counts a try in these books, which may refuse it only if they decide.
    pub(super) fn count_try_here(&self, decides: bool) -> Decision {
        let (window, lockout) = (self.rules.failures_per_user.get(), self.rules.lockout.get());
        self.change_user(&mut |user, now| {
            if decides {
                self.is_open(user, now)?;
            }
            insert(&mut user.failures, now);
            user.total = user.total.saturating_add(1);
            let locks =
                if decides { window.lock(&user.failures, lockout, now) } else { Duration::ZERO };
            Ok([now, millis(locks), 0, 0])
        })
    }

    pub(super) fn forget_tries(&self, tries: &mut dyn Iterator<Item = Moment>) -> Decision {
        let tries: Vec<Moment> = tries.collect();
        let [total, ..] = self.change_user(&mut |user, _| {
            for &one in &tries {
                remove(&mut user.failures, one)?;
                user.total = user.total.saturating_sub(1);
            }
            Ok([user.total.into(), 0, 0, 0])
        })?;
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        // Only where wrong tries were kept before is there anything to write to the disk.
        if self.kept_total()? > total {
            self.keep_total(&|_| total)?;
        }
        Ok(DONE)
    }

    pub(super) fn settle_here(&self, pending: &Pending, number: Option<&PhoneNumber>) -> Decision {
        if pending.reopen {
            self.reopen_here()?;
        } else if !pending.tries.is_empty() {
            self.forget_tries(&mut pending.tries.iter().map(|one| one.at))?;
        }
        // What has blanks in it would be read as something else.
        let plain = |visit: &Visit| {
            !visit.service.is_empty() && !visit.service.contains(char::is_whitespace)
        };
        let remember = pending.remember.as_ref().filter(|(visit, _)| plain(visit));
        if let Some(((visit, span), number)) = remember.zip(number) {
            let one = Remembered {
                until: self.now() + millis(*span),
                service: visit.service.clone(),
                address: visit.address.to_string(),
                number: self.hash(number)?,
            };
            self.change_user(&mut |user, _| {
                user.remembered
                    .retain(|kept| (&kept.service, &kept.address) != (&one.service, &one.address));
                user.remembered.push(one.clone());
                let surplus = user.remembered.len().saturating_sub(MOST_VISITS);
                user.remembered.drain(..surplus);
                Ok(DONE)
            })?;
        }
        Ok(DONE)
    }

    pub(super) fn reopen_here(&self) -> Decision {
        self.change_user(&mut |user, _| {
            user.failures.clear();
            user.total = 0;
            Ok(DONE)
        })?;
        self.keep_total(&|_| 0)
    }

    pub(super) fn burn_here(&self, plain: &Secret) -> Decision {
        // Somebody without codes has no file, and gets none by typing.
        if self.home()?.lib.read(&self.backup_file())?.is_none() {
            return Ok(DONE);
        }
        let now = unix_time();
        self.change_backup_codes(|codes| {
            let hit = codes.burn(self.user, plain, now);
            Ok([Moment::try_from(codes.left(now)).unwrap_or(0), i64::from(hit), 0, 0])
        })
    }

    /// What counts against the account now: messages, messages of the day, wrong codes, and wrong codes
    /// altogether.
    #[cfg(any(feature = "program", feature = "redis"))]
    pub(super) fn counts(&self, user: &Record, now: Moment) -> super::child::Said {
        let counted = |events: &[Moment], window: Window| {
            let mut events = events.to_vec();
            window.forget(&mut events, Duration::ZERO, now);
            i64::try_from(events.len()).unwrap_or(i64::MAX)
        };
        let failures = counted(&user.failures, self.rules.failures_per_user.get());
        let sends = counted(&user.sends, self.rules.sends_per_user.get());
        [sends, counted(&user.day, self.day()), failures, user.total.into()]
    }

    /// Whether SMS codes are open to this account.
    pub(super) fn is_open(&self, user: &Record, now: Moment) -> Result<(), Barrier> {
        if user.total >= u32::from(self.rules.failures_total.get()) {
            return Err(Barrier::Closed);
        }
        let window = self.rules.failures_per_user.get();
        match window.lock(&user.failures, self.rules.lockout.get(), now) {
            Duration::ZERO => Ok(()),
            wait => Err(Barrier::Locked(wait)),
        }
    }

    fn may_be_sent_to(&self, user: &Record, now: Moment) -> Result<(), Barrier> {
        self.is_open(user, now)?;
        fits(self.rules.sends_per_user.get(), SendLimit::User, &user.sends, now)?;
        fits(self.day(), SendLimit::Day, &user.day, now)?;
        fits(self.rules.requests_per_user.get(), SendLimit::Requests, &user.requests, now)
    }

    pub(super) fn day(&self) -> Window {
        let count = self.rules.sends_per_user_day.get().into();
        Window { count, span: Duration::from_secs(24 * 60 * 60) }
    }

    /// The files beside the user's own that count messages, and how many each allows.
    fn shared_files(
        &self,
        number: &PhoneNumber,
    ) -> Result<impl Iterator<Item = (String, Window, SendLimit)>, Barrier> {
        let of_number = match self.is_confirming {
            true => (self.confirmation_file(number)?, CONFIRMATIONS, SendLimit::Number),
            false => {
                (self.number_file(number)?, self.rules.sends_per_number.get(), SendLimit::Number)
            }
        };
        let host = self
            .home
            .as_ref()
            .map(|_| (HOST_FILE.to_owned(), self.rules.sends_per_host.get(), SendLimit::Host));
        Ok(iter::once(of_number).chain(host))
    }

    pub(super) fn now(&self) -> Moment {
        millis(self.clock.now())
    }
}

fn fits(window: Window, limit: SendLimit, events: &[Moment], now: Moment) -> Result<(), Barrier> {
    match window.wait(events, now) {
        Duration::ZERO => Ok(()),
        wait => Err(Barrier::Sends { wait, limit }),
    }
}

/// Puts one event in its place. It may be older than the last: the account's file was first, and by
/// the time the next one is locked another process may have been here.
fn insert(list: &mut Vec<Moment>, moment: Moment) {
    list.insert(list.partition_point(|&kept| kept <= moment), moment);
}

/// Takes one event back, if it is still there.
fn remove(list: &mut Vec<Moment>, moment: Moment) -> Decision {
    if let Some(index) = list.iter().rposition(|&kept| kept == moment) {
        list.remove(index);
    }
    Ok(DONE)
}

pub(super) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
