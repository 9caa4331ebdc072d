//! The books of one account: every decision about it, each under its lock.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::backup::{BackupCodes, hex};
use super::record::{Damaged, Record, Remembered};
use super::store::{Durability, StateError, Store};
use super::window::{Moment, Window, millis};
use super::{Barrier, Pending, Reservation, Return, Try, Visit};
use crate::config::model::LimitRules;
use crate::login::ports::{Clock, Limits};
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::sys;

/// How long a child may take for one decision: three locks, and then some.
const PATIENCE: Duration = Duration::from_secs(8);
/// The most visits that are remembered of one person; the oldest go first.
const MOST_VISITS: usize = 16;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What lasts until the machine is started anew.
    pub run: PathBuf,
    /// What lasts.
    pub lib: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self { run: "/run/pam-sms".into(), lib: "/var/lib/pam-sms".into() }
    }
}

/// The books of one account.
pub struct Ledger<'a> {
    pub(super) rules: &'a LimitRules,
    pub(super) user: &'a str,
    pub(super) clock: &'a dyn Clock,
    pub(super) run: Store,
    pub(super) lib: Store,
    boot: String,
}

/// What one decision comes back with: two numbers that it gives a meaning.
type Decision = Result<(Moment, Moment), Barrier>;

impl<'a> Ledger<'a> {
    /// Opens the books of `user`, a canonical account name.
    #[must_use]
    pub fn new(
        places: &Places,
        rules: &'a LimitRules,
        user: &'a str,
        clock: &'a dyn Clock,
    ) -> Self {
        // Without /proc every boot is the same, and events of an earlier one seem younger.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = if boot.trim().is_empty() { "unknown" } else { boot.trim() }.to_owned();
        let run = Store::new(&places.run, Durability::Process);
        let lib = Store::new(&places.lib, Durability::Power);
        Self { rules, user, clock, run, lib, boot }
    }

    /// Says what [`Limits::reserve`] would, and reserves nothing.
    ///
    /// # Errors
    /// As [`Limits::reserve`].
    pub fn would_reserve(&self, number: &PhoneNumber) -> Result<(), Barrier> {
        // It reads, but makes the key where there is none yet.
        self.decide(|| self.would_reserve_here(number)).map(drop)
    }

    fn would_reserve_here(&self, number: &PhoneNumber) -> Decision {
        let now = self.now();
        let user = self.peek(&self.user_file())?;
        self.may_be_sent_to(&user, now)?;
        for (file, window) in self.shared_files(number)? {
            self.fits(window, &self.peek(&file)?.sends, now)?;
        }
        Ok((0, 0))
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
        let numbers: Vec<_> =
            phones.iter().map(|phone| self.hash(phone)).collect::<Result<_, _>>()?;
        Ok(user.remembered.iter().any(|one| {
            one.service == visit.service && one.address == address && numbers.contains(&one.number)
        }))
    }

    /// Settles what was pending until the whole login succeeded. `number` is where its code went.
    ///
    /// # Errors
    /// When the state is unusable.
    pub fn settle(&self, pending: &Pending, number: &PhoneNumber) -> Result<(), Barrier> {
        if *pending == Pending::default() {
            return Ok(());
        }
        self.decide(|| self.settle_here(pending, number)).map(drop)
    }

    fn reserve_here(&self, number: &PhoneNumber) -> Decision {
        let at = self.change_user(|user, now| {
            self.may_be_sent_to(user, now)?;
            for list in [&mut user.sends, &mut user.day, &mut user.requests] {
                add(list, now);
            }
            Ok(now)
        })?;
        let mut granted: Vec<(String, Window)> = Vec::new();
        for (file, window) in self.shared_files(number)? {
            let reserved = self.change(&file, window, |record, now| {
                self.fits(window, &record.sends, now)?;
                add(&mut record.sends, at);
                Ok(())
            });
            if let Err(barrier) = reserved {
                for (file, window) in granted {
                    self.change(&file, window, |record, _| remove(&mut record.sends, at))?;
                }
                // Not even a request was made.
                self.change_user(|user, _| {
                    remove(&mut user.requests, at)?;
                    remove(&mut user.day, at)?;
                    remove(&mut user.sends, at)
                })?;
                return Err(barrier);
            }
            granted.push((file, window));
        }
        Ok((at, 0))
    }

    fn give_back_here(&self, number: &PhoneNumber, at: Moment, why: Return) -> Decision {
        self.change_user(|user, _| {
            if why == Return::NotSent {
                remove(&mut user.day, at)?;
            }
            remove(&mut user.sends, at)
        })?;
        for (file, window) in self.shared_files(number)? {
            self.change(&file, window, |record, _| remove(&mut record.sends, at))?;
        }
        Ok((0, 0))
    }

    fn count_try_here(&self) -> Decision {
        let window = self.rules.failures_per_user.get();
        let lockout = self.rules.lockout.get();
        self.change_user(|user, now| {
            self.is_open(user, now)?;
            add(&mut user.failures, now);
            user.total += 1;
            Ok((now, millis(window.lock(&user.failures, lockout, now))))
        })
    }

    fn forget_tries(&self, tries: &[Try]) -> Decision {
        let total = self.change_user(|user, _| {
            for one in tries {
                remove(&mut user.failures, one.at)?;
                user.total = user.total.saturating_sub(1);
            }
            Ok(user.total)
        })?;
        // Only where wrong tries were kept before is there anything to write to the disk.
        if self.kept_total()? > total {
            self.keep_total(|_| total)?;
        }
        Ok((0, 0))
    }

    fn settle_here(&self, pending: &Pending, number: &PhoneNumber) -> Decision {
        if pending.reopen {
            self.change_user(|user, _| {
                user.failures.clear();
                user.total = 0;
                Ok(())
            })?;
            self.keep_total(|_| 0)?;
        } else if !pending.tries.is_empty() {
            self.forget_tries(&pending.tries)?;
        }
        // What has blanks in it would be read as something else.
        let plain = |visit: &Visit| {
            !visit.service.is_empty() && !visit.service.contains(char::is_whitespace)
        };
        if let Some((visit, span)) = pending.remember.as_ref().filter(|(visit, _)| plain(visit)) {
            let one = Remembered {
                until: self.now() + millis(*span),
                service: visit.service.clone(),
                address: visit.address.to_string(),
                number: self.hash(number)?,
            };
            self.change_user(|user, _| {
                user.remembered
                    .retain(|kept| (&kept.service, &kept.address) != (&one.service, &one.address));
                user.remembered.push(one);
                let surplus = user.remembered.len().saturating_sub(MOST_VISITS);
                user.remembered.drain(..surplus);
                Ok(())
            })?;
        }
        Ok((0, 0))
    }

    fn burn_here(&self, plain: &Secret) -> Decision {
        // Somebody without codes has no file, and gets none by typing.
        if self.lib.read(&self.backup_file())?.is_none() {
            return Ok((0, 0));
        }
        let now = unix_time();
        self.change_backup_codes(|codes| {
            let hit = codes.burn(self.user, plain, now);
            Ok((Moment::try_from(codes.left(now)).unwrap_or(0), i64::from(hit)))
        })
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
        self.fits(self.rules.sends_per_user.get(), &user.sends, now)?;
        self.fits(self.day(), &user.day, now)?;
        self.fits(self.rules.requests_per_user.get(), &user.requests, now)
    }

    fn fits(&self, window: Window, events: &[Moment], now: Moment) -> Result<(), Barrier> {
        match window.wait(events, now) {
            Duration::ZERO => Ok(()),
            wait => Err(Barrier::Sends(wait)),
        }
    }

    pub(super) fn day(&self) -> Window {
        let count = self.rules.sends_per_user_day.get().into();
        Window { count, span: Duration::from_secs(24 * 60 * 60) }
    }

    /// The files beside the user's own that count messages, and how many each allows.
    fn shared_files(&self, number: &PhoneNumber) -> Result<[(String, Window); 2], Barrier> {
        Ok([
            (self.number_file(number)?, self.rules.sends_per_number.get()),
            (HOST_FILE.to_owned(), self.rules.sends_per_host.get()),
        ])
    }

    fn change_user<T>(
        &self,
        change: impl FnOnce(&mut Record, Moment) -> Result<T, Barrier>,
    ) -> Result<T, Barrier> {
        self.change(&self.user_file(), self.rules.sends_per_user.get(), change)
    }

    /// Changes one file of counters under its lock, and drops from it what no longer counts. `change`
    /// is told the time: before the lock was there it was another, and events of those who were
    /// faster would lie in its future.
    fn change<T>(
        &self,
        file: &str,
        sends: Window,
        change: impl FnOnce(&mut Record, Moment) -> Result<T, Barrier>,
    ) -> Result<T, Barrier> {
        self.run.update(file, |text| {
            let mut record = self.record_of(file, text)?;
            let now = self.now();
            let result = change(&mut record, now)?;
            sends.forget(&mut record.sends, Duration::ZERO, now);
            self.day().forget(&mut record.day, Duration::ZERO, now);
            self.rules.requests_per_user.get().forget(&mut record.requests, Duration::ZERO, now);
            self.rules.failures_per_user.get().forget(
                &mut record.failures,
                self.rules.lockout.get(),
                now,
            );
            Ok((result, Some(Zeroizing::new(record.to_text(&self.boot)))))
        })
    }

    /// Reads one file of counters without its lock.
    pub(super) fn peek(&self, file: &str) -> Result<Record, Barrier> {
        let text = self.run.read(file)?;
        self.record_of(file, text.as_deref().map(String::as_str))
    }

    fn record_of(&self, file: &str, text: Option<&str>) -> Result<Record, Barrier> {
        match text {
            Some(text) => Record::from_text(text, &self.boot, self.now())
                .map_err(|Damaged| StateError::Damaged(self.run.path_of(file)).into()),
            // The first time since the machine was started.
            None if file == self.user_file() => {
                Ok(Record { total: self.kept_total()?, ..Record::default() })
            }
            None => Ok(Record::default()),
        }
    }

    fn kept_total(&self) -> Result<u32, Barrier> {
        let file = self.failures_file();
        let Some(text) = self.lib.read(&file)? else { return Ok(0) };
        Record::from_text(&text, ANY_BOOT, 0)
            .map(|record| record.total)
            .map_err(|Damaged| StateError::Damaged(self.lib.path_of(&file)).into())
    }

    fn keep_total(&self, total: impl FnOnce(u32) -> u32) -> Decision {
        let file = self.failures_file();
        self.lib.update(&file, |text| {
            let old = match text {
                Some(text) => Record::from_text(text, ANY_BOOT, 0)
                    .map_err(|Damaged| StateError::Damaged(self.lib.path_of(&file)))?,
                None => Record::default(),
            };
            let new = Record { total: total(old.total), ..Record::default() };
            let changed = new.total != old.total;
            Ok(((0, 0), changed.then(|| Zeroizing::new(new.to_text(ANY_BOOT)))))
        })
    }

    /// Changes the backup codes under their lock.
    pub(super) fn change_backup_codes<T>(
        &self,
        change: impl FnOnce(&mut BackupCodes) -> Result<T, Barrier>,
    ) -> Result<T, Barrier> {
        self.lib.update(&self.backup_file(), |text| {
            let mut codes = self.backup_codes_of(text)?;
            let result = change(&mut codes)?;
            let new = Zeroizing::new(codes.to_text());
            Ok((result, (text != Some(new.as_str())).then_some(new)))
        })
    }

    fn backup_codes_of(&self, text: Option<&str>) -> Result<BackupCodes, Barrier> {
        let Some(text) = text else { return Ok(BackupCodes::default()) };
        BackupCodes::from_text(text)
            .map_err(|Damaged| StateError::Damaged(self.lib.path_of(&self.backup_file())).into())
    }

    /// Does `work` where nobody can stop it while it holds a lock: under su and sudo this process is
    /// the caller's.
    fn decide(&self, work: impl FnOnce() -> Decision) -> Decision {
        if sys::is_started_by_root() {
            return work();
        }
        let said = sys::child::in_child_of_root(PATIENCE, || encode(&work()).into_bytes());
        said.map_err(|error| Barrier::Unusable(format!("no child to keep the books: {error}")))
            .and_then(|said| decode(&String::from_utf8_lossy(&said)))
    }

    pub(super) fn now(&self) -> Moment {
        millis(self.clock.now())
    }

    /// A number as state names it: nobody who reads a list of files learns whose phones they are of.
    fn hash(&self, number: &PhoneNumber) -> Result<String, Barrier> {
        let key = match self.run.read(KEY_FILE)? {
            Some(key) => key,
            None => self.make_key()?,
        };
        let key = key.trim_end();
        if key.len() != 64 {
            return Err(StateError::Damaged(self.run.path_of(KEY_FILE)).into());
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|error| Barrier::Unusable(error.to_string()))?;
        mac.update(number.as_e164().as_bytes());
        Ok(hex(&mac.finalize().into_bytes()[..16]))
    }

    fn make_key(&self) -> Result<Zeroizing<String>, Barrier> {
        self.run.update(KEY_FILE, |text| {
            if let Some(text) = text {
                // Another process was faster.
                return Ok((Zeroizing::new(text.to_owned()), None));
            }
            let mut random = Zeroizing::new([0; 32]);
            SysRng
                .try_fill_bytes(&mut *random)
                .map_err(|error| Barrier::Unusable(format!("no random bytes: {error}")))?;
            let key = Zeroizing::new(hex(&*random) + "\n");
            Ok((key.clone(), Some(key)))
        })
    }

    pub(super) fn user_file(&self) -> String {
        format!("user-{}", self.user)
    }

    pub(super) fn number_file(&self, number: &PhoneNumber) -> Result<String, Barrier> {
        self.hash(number).map(|hash| format!("number-{hash}"))
    }

    pub(super) fn failures_file(&self) -> String {
        format!("failures-{}", self.user)
    }

    pub(super) fn backup_file(&self) -> String {
        format!("backup-{}", self.user)
    }
}

impl Limits for Ledger<'_> {
    fn reserve(&self, number: &PhoneNumber) -> Result<Reservation, Barrier> {
        self.decide(|| self.reserve_here(number)).map(|(at, _)| Reservation(at))
    }

    fn give_back(
        &self,
        number: &PhoneNumber,
        message: Reservation,
        why: Return,
    ) -> Result<(), Barrier> {
        self.decide(|| self.give_back_here(number, message.0, why)).map(drop)
    }

    fn count_try(&self) -> Result<Try, Barrier> {
        let counted = self.decide(|| self.count_try_here());
        counted.map(|(at, locks)| Try { at, locks: Duration::from_millis(locks.unsigned_abs()) })
    }

    /// A disk that cannot keep it locks nobody out: the counters of this boot have it.
    fn was_wrong(&self) -> Result<(), Barrier> {
        self.decide(|| {
            let total = self.peek(&self.user_file())?.total;
            self.keep_total(|kept| kept.max(total))
        })
        .map(drop)
    }

    fn was_right(&self, right: Try) -> Result<(), Barrier> {
        self.decide(|| self.forget_tries(&[right])).map(drop)
    }

    fn burn(&self, plain: &Secret) -> Result<Option<usize>, Barrier> {
        let burnt = self.decide(|| self.burn_here(plain));
        burnt.map(|(left, hit)| (hit == 1).then(|| usize::try_from(left).unwrap_or(0)))
    }

    fn backup_codes(&self) -> Result<usize, Barrier> {
        let text = self.lib.read(&self.backup_file())?;
        Ok(self.backup_codes_of(text.as_deref().map(String::as_str))?.left(unix_time()))
    }
}

/// The counter that all users of this host share.
pub(super) const HOST_FILE: &str = "host";
const KEY_FILE: &str = "key";
/// In place of a boot, where no times are kept.
const ANY_BOOT: &str = "any";

/// Puts one event into its place, which is not the last one if it was granted by another file and
/// somebody was faster here.
fn add(list: &mut Vec<Moment>, moment: Moment) {
    let place = list.partition_point(|&kept| kept <= moment);
    list.insert(place, moment);
}

/// Takes one event back, if it is still there.
fn remove(list: &mut Vec<Moment>, moment: Moment) -> Result<(), Barrier> {
    if let Some(index) = list.iter().rposition(|&kept| kept == moment) {
        list.remove(index);
    }
    Ok(())
}

pub(super) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl From<StateError> for Barrier {
    fn from(error: StateError) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// A decision on its way from the child that made it.
fn encode(decision: &Decision) -> String {
    match decision {
        Ok((one, other)) => format!("ok {one} {other}"),
        Err(Barrier::Sends(wait)) => format!("sends {}", wait.as_millis()),
        Err(Barrier::Locked(wait)) => format!("locked {}", wait.as_millis()),
        Err(Barrier::Closed) => "closed ".to_owned(),
        Err(Barrier::Unusable(reason)) => format!("unusable {reason}"),
    }
}

fn decode(text: &str) -> Decision {
    let nonsense = || Barrier::Unusable("the child that keeps the books talks nonsense".to_owned());
    let (word, rest) = text.split_once(' ').ok_or_else(nonsense)?;
    let wait = || rest.parse().map(Duration::from_millis).map_err(|_| nonsense());
    match word {
        "ok" => {
            let (one, other) = rest.split_once(' ').ok_or_else(nonsense)?;
            let number = |text: &str| text.parse().map_err(|_| nonsense());
            Ok((number(one)?, number(other)?))
        }
        "sends" => Err(Barrier::Sends(wait()?)),
        "locked" => Err(Barrier::Locked(wait()?)),
        "closed" => Err(Barrier::Closed),
        "unusable" => Err(Barrier::Unusable(rest.to_owned())),
        _ => Err(nonsense()),
    }
}
