//! Which file holds what of an account, and how each is changed.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Barrier;
use super::backup::{BackupCodes, hex};
use super::child::{DONE, Decision};
use super::ledger::{BOOT_ID, Home, Ledger};
use super::record::{Damaged, Record};
use super::shelf::Shelf as _;
use super::window::{Moment, Window};
use crate::people::PhoneNumber;
use crate::state::StateError;

/// The counter that all users of this host share.
pub(super) const HOST_FILE: &str = "host";
pub(super) const KEY_FILE: &str = "key";
/// In place of a boot, where no times are kept.
const ANY_BOOT: &str = "any";

/// What is done to one file of counters, at which moment. No type parameter: it would be in the module
/// as often as it is used.
pub(super) type Change<'a> = &'a mut dyn FnMut(&mut Record, Moment) -> Decision;

/// What to do about a file that does not hold what it should.
const UNLOCK: &str = "run `pam-sms unlock` for it, or remove it to count from zero";
const REVOKE: &str = "run `pam-sms backup-codes --revoke-all` for its owner";
const REMOVE_KEY: &str = "remove it; the limits of numbers then count from zero";

impl Ledger<'_> {
    pub(super) fn change_user(&self, change: Change<'_>) -> Decision {
        self.change(&self.user_file(), self.rules.sends_per_user.get(), change)
    }

    /// Changes one file of counters under its lock, and drops from it what no longer counts.
    pub(super) fn change(&self, file: &str, sends: Window, change: Change<'_>) -> Decision {
        let mut result = DONE;
        self.shelf.rewrite(file, &mut |text| {
            // Only now, with the lock: time must not go back from one change to the next.
            let now = self.now();
            let mut record = self.record_of(file, text)?;
            result = change(&mut record, now)?;
            sends.forget(&mut record.sends, Duration::ZERO, now);
            self.day().forget(&mut record.day, Duration::ZERO, now);
            self.rules.requests_per_user.get().forget(&mut record.requests, Duration::ZERO, now);
            self.rules.failures_per_user.get().forget(
                &mut record.failures,
                self.rules.lockout.get(),
                now,
            );
            Ok(Some(Zeroizing::new(record.to_text(self.boot()?))))
        })?;
        Ok(result)
    }

    /// Reads one file of counters without its lock.
    pub(super) fn peek(&self, file: &str) -> Result<Record, Barrier> {
        let text = self.shelf.read(file)?;
        self.record_of(file, text.as_deref().map(String::as_str))
    }

    pub(super) fn record_of(&self, file: &str, text: Option<&str>) -> Result<Record, Barrier> {
        match text {
            Some(text) => Record::from_text(text, self.boot()?, self.now())
                .map_err(|Damaged| damaged(self.shelf.place_of(file), UNLOCK)),
            // The first time since the machine was started.
            None if file == self.user_file() => {
                Ok(Record { total: self.kept_total()?, ..Record::default() })
            }
            None => Ok(Record::default()),
        }
    }

    /// How many wrong codes the disk remembers. A store needs none: it outlasts a start of the machine.
    pub(super) fn kept_total(&self) -> Result<u32, Barrier> {
        let Some(Home { lib, .. }) = &self.home else { return Ok(0) };
        let file = self.failures_file();
        let Some(text) = lib.read(&file)? else { return Ok(0) };
        Record::from_text(&text, ANY_BOOT, 0)
            .map(|record| record.total)
            .map_err(|Damaged| damaged(lib.place_of(&file), UNLOCK))
    }

    pub(super) fn keep_total(&self, total: &dyn Fn(u32) -> u32) -> Decision {
        let Some(Home { lib, .. }) = &self.home else { return Ok(DONE) };
        let file = self.failures_file();
        lib.update(&file, |text| {
            let old = match text {
                Some(text) => Record::from_text(text, ANY_BOOT, 0)
                    .map_err(|Damaged| damaged(lib.place_of(&file), UNLOCK))?,
                None => Record::default(),
            };
            let new = Record { total: total(old.total), ..Record::default() };
            let changed = new.total != old.total;
            Ok((DONE, changed.then(|| Zeroizing::new(new.to_text(ANY_BOOT)))))
        })
    }

    /// Changes the backup codes under their lock.
    pub(super) fn change_backup_codes<T>(
        &self,
        change: impl FnOnce(&mut BackupCodes) -> Result<T, Barrier>,
    ) -> Result<T, Barrier> {
        self.home()?.lib.update(&self.backup_file(), |text| {
            let mut codes = self.backup_codes_of(text)?;
            let result = change(&mut codes)?;
            let new = Zeroizing::new(codes.to_text());
            Ok((result, (text != Some(new.as_str())).then_some(new)))
        })
    }

    pub(super) fn backup_codes_of(&self, text: Option<&str>) -> Result<BackupCodes, Barrier> {
        let Some(text) = text else { return Ok(BackupCodes::default()) };
        BackupCodes::from_text(text)
            .map_err(|Damaged| damaged(format!("the backup codes of {}", self.user), REVOKE))
    }

    fn key(&self) -> Result<Zeroizing<String>, Barrier> {
        if let Some(key) = self.shelf.key() {
            return Ok(Zeroizing::new(key.to_owned()));
        }
        match self.shelf.read(KEY_FILE)? {
            Some(key) => Ok(key),
            None => self.make_key(),
        }
    }

    /// A number as state names it: nobody who reads a list of files learns whose phones they are of.
    pub(super) fn hash(&self, number: &PhoneNumber) -> Result<String, Barrier> {
        let key = self.key()?;
        let key = key.trim_end();
        if key.len() != 64 {
            return Err(damaged(self.shelf.place_of(KEY_FILE), REMOVE_KEY));
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map_err(|error| Barrier::Unusable(error.to_string()))?;
        mac.update(number.as_e164().as_bytes());
        Ok(hex(&mac.finalize().into_bytes()[..16]))
    }

    pub(super) fn make_key(&self) -> Result<Zeroizing<String>, Barrier> {
        self.home()?.run.update(KEY_FILE, |text| {
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

    /// What is this host's alone.
    pub(super) fn home(&self) -> Result<&Home, Barrier> {
        let none = || Barrier::Unusable("the store does not keep what is one host's".to_owned());
        self.home.as_ref().ok_or_else(none)
    }

    /// What names this boot. To guess it would forget what counts, or keep it for good.
    fn boot(&self) -> Result<&str, Barrier> {
        let none = || Barrier::Unusable(format!("{BOOT_ID}: cannot be read: mount /proc"));
        self.boot.as_deref().ok_or_else(none)
    }

    pub(super) fn confirmation_file(&self, number: &PhoneNumber) -> Result<String, Barrier> {
        self.hash(number).map(|hash| format!("confirm-{hash}"))
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

impl From<StateError> for Barrier {
    fn from(error: StateError) -> Self {
        match error.is_busy() {
            true => Self::Busy(error.to_string()),
            false => Self::Unusable(error.to_string()),
        }
    }
}

fn damaged(place: String, advice: &'static str) -> Barrier {
    StateError::Damaged(place.into(), advice).into()
}
