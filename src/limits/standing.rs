//! How an account stands, for the admin, and how it is put right again.

use std::iter;
use std::time::Duration;

use super::files::{HOST_FILE, KEY_FILE};
use super::fleet::ask;
use super::ledger::{Ledger, unix_time};
use super::{Barrier, backup};
use crate::login::ports::Limits as _;
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::state::Places;
use crate::state::{Durability, Store};

/// How one account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Messages that count in the short window, and how many may.
    pub sends: (usize, usize),
    /// Messages in the last 24 hours, and how many may be.
    pub sends_today: (usize, usize),
    /// Wrong codes that count in the window, and how many may.
    pub failures: (usize, usize),
    /// Wrong codes since the account was last put right, and how many close it.
    pub failures_total: (u32, u32),
    /// What stands between this account and a code.
    pub barrier: Option<Barrier>,
    /// Visits that need no code: service, address, and for how long.
    pub remembered: Vec<(String, String, Duration)>,
    /// Backup codes that are good.
    pub backup_codes: usize,
    /// Whether messages and wrong codes are those of all hosts that share a store.
    pub is_of_fleet: bool,
}

impl Ledger<'_> {
    /// How the account stands.
    ///
    /// # Errors
    /// When the state is unusable.
    pub fn standing(&self, phones: &[PhoneNumber]) -> Result<Standing, Barrier> {
        let user = self.peek(&self.user_file())?;
        let now = self.now();
        let rules = self.rules;
        let barrier = self.would_reserve(phones.first()).err();
        let shared = self.ask_fleet(None, ask::STANDING, &mut iter::empty())?;
        let is_of_fleet = shared.is_some();
        let [sends, day, failures, total] = shared.unwrap_or_else(|| self.counts(&user, now));
        let counted = |count: i64, limit| (usize::try_from(count).unwrap_or(0), limit);
        let remembered = user.remembered.iter().map(|one| {
            let left = Duration::from_millis((one.until - now).unsigned_abs());
            (one.service.clone(), one.address.clone(), left)
        });
        Ok(Standing {
            sends: counted(sends, rules.sends_per_user.get().count),
            sends_today: counted(day, self.day().count),
            failures: counted(failures, rules.failures_per_user.get().count),
            failures_total: (u32::try_from(total).unwrap_or(0), rules.failures_total.get().into()),
            barrier,
            remembered: remembered.collect(),
            backup_codes: self.backup_codes()?,
            is_of_fleet,
        })
    }

    /// Why the store that hosts share gave no answer to what was asked of these books.
    #[must_use]
    pub fn without_store(&self) -> Option<&str> {
        self.shared.as_ref()?.lost()
    }

    /// The accounts of which there is state of this boot, in order.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn known_users(places: &Places) -> Result<Vec<String>, Barrier> {
        let names = Store::new(&places.run, Durability::Process).names()?;
        Ok(names.iter().filter_map(|name| name.strip_prefix("user-")).map(str::to_owned).collect())
    }

    /// Forgets what counts against the account and its `phones`, whatever condition the files are in,
    /// and says whether there was anything. Only here, where it is [without its
    /// store](Ledger::without_store).
    ///
    /// # Errors
    /// When a file cannot be locked or removed.
    pub fn unlock(&self, phones: &[PhoneNumber]) -> Result<bool, Barrier> {
        let home = self.home()?;
        let mut changed = home.run.forget(&self.user_file())?;
        changed |= home.lib.forget(&self.failures_file())?;
        for phone in phones {
            // Without a key that can be read there is no file of this number that counts.
            for file in [self.number_file(phone), self.confirmation_file(phone)] {
                changed |= home.run.forget(&file.unwrap_or_else(|_| KEY_FILE.to_owned()))?;
            }
        }
        Ok(self.unlock_fleet(phones)? | changed)
    }

    /// The same on all hosts that share a store. The account goes with its first number, or alone.
    fn unlock_fleet(&self, phones: &[PhoneNumber]) -> Result<bool, Barrier> {
        let mut changed = false;
        for phone in iter::once(phones.first()).chain(phones.iter().skip(1).map(Some)) {
            let said = self.ask_fleet(phone, ask::UNLOCK, &mut iter::empty())?;
            changed |= said.is_some_and(|[was_there, ..]| was_there == 1);
        }
        Ok(changed)
    }

    /// Forgets everything about the account: what counts, what is remembered, its backup codes, and what
    /// counts against `phones`, which are nobody else's. Says what there was, in words.
    ///
    /// # Errors
    /// When a file cannot be locked or removed.
    pub fn erase(&self, phones: &[PhoneNumber]) -> Result<Vec<&'static str>, Barrier> {
        let home = self.home()?;
        let mut erased = Vec::new();
        let mut note = |what, was_there: bool| {
            if was_there && !erased.contains(&what) {
                erased.push(what);
            }
        };
        note("backup codes", home.lib.forget_if_kept(&self.backup_file())?);
        note("wrong codes", home.lib.forget_if_kept(&self.failures_file())?);
        note("limits and remembered visits", home.run.forget_if_kept(&self.user_file())?);
        // Without a key there is no file of any number.
        if home.run.path_of(KEY_FILE).exists() {
            for phone in phones {
                for file in [self.number_file(phone)?, self.confirmation_file(phone)?] {
                    note("limits of the number", home.run.forget_if_kept(&file)?);
                }
            }
        }
        note("what other hosts counted", self.unlock_fleet(phones)?);
        Ok(erased)
    }

    /// Forgets what counts against this machine.
    ///
    /// # Errors
    /// As [`Ledger::unlock`].
    pub fn unlock_host(&self) -> Result<bool, Barrier> {
        Ok(self.home()?.run.forget(HOST_FILE)?)
    }

    /// Makes `count` backup codes, good until `until` in seconds of Unix time, and keeps their hashes.
    /// Without `until` they replace all earlier ones that do not expire.
    ///
    /// # Errors
    /// When they cannot be kept.
    pub fn add_backup_codes(
        &self,
        count: usize,
        until: Option<u64>,
    ) -> Result<Vec<Secret>, Barrier> {
        self.change_backup_codes(|codes| {
            if until.is_none() {
                codes.drop_lasting();
            }
            codes.drop_expired(unix_time());
            if codes.left(unix_time()) + count > backup::MOST {
                return Err(Barrier::Unusable(format!(
                    "nobody may have more than {} backup codes",
                    backup::MOST
                )));
            }
            codes
                .add(self.user, count, until)
                .map_err(|error| Barrier::Unusable(format!("no random bytes: {error}")))
        })
    }

    /// Takes all backup codes away, and says how many there were.
    ///
    /// # Errors
    /// When their file cannot be removed.
    pub fn revoke_backup_codes(&self) -> Result<usize, Barrier> {
        // A file that is damaged holds no good code.
        let left = self.backup_codes().unwrap_or(0);
        self.home()?.lib.forget(&self.backup_file())?;
        Ok(left)
    }
}
