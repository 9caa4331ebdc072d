//! What was changed, so that it can be taken back: on trial by itself, later by `disable`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::plan::Service;
use super::{boot, pam, sshd};
use crate::authenticate::trial;
use crate::cli::files::{self, Change};
use crate::state::{Alone, Durability, Places, Store};
use crate::sys;

/// How long a trial lasts.
const TRIAL: Duration = Duration::from_secs(5 * 60);
/// Under which name the changes are kept in `/var/lib/pam-sms`.
const NAME: &str = "changes";

/// All that `enable` has changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Changes {
    /// The services that ask, those on trial included.
    pub services: Vec<Service>,
    /// Every file that was changed, from before the first change to now.
    files: Vec<Change>,
    /// What is not yet sure to last.
    pub trial: Option<Trial>,
}

/// A change that nobody has logged in through yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trial {
    word: String,
    /// When it is put back, in seconds after the boot that is named.
    deadline: u64,
    boot: String,
    /// The services that asked before.
    services: Vec<Service>,
    plan: Vec<Change>,
}

impl Trial {
    /// Whether somebody has seen the word.
    #[must_use]
    pub fn word_is(&self, typed: &str) -> bool {
        let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "");
        plain(typed) == plain(&self.word)
    }

    fn is_over(&self) -> bool {
        self.boot != boot_id() || sys::boot_time().as_secs() >= self.deadline
    }
}

impl Changes {
    /// Reads them.
    ///
    /// # Errors
    /// When they are there and cannot be read.
    pub fn load() -> Result<Self, String> {
        let store = store();
        let Some(text) = store.read(NAME).map_err(|error| error.to_string())? else {
            return Ok(Self::default());
        };
        serde_json::from_str(&text)
            .map_err(|error| format!("{}: {error}", store.path_of(NAME).display()))
    }

    /// Notes what will be changed, and starts all that will take it back, before anything is.
    ///
    /// # Errors
    /// When any of it cannot be done; then nothing is on trial.
    pub fn begin_trial(
        mut self,
        services: Vec<Service>,
        name: &str,
        plan: &[Change],
    ) -> Result<Duration, String> {
        let word = trial::new_word().map_err(|error| format!("no random bytes: {error}"))?;
        boot::install()?;
        let trial = Trial {
            word: word.clone(),
            deadline: (sys::boot_time() + TRIAL).as_secs(),
            boot: boot_id(),
            services: std::mem::replace(&mut self.services, services),
            plan: plan.to_vec(),
        };
        self.trial = Some(trial);
        self.save()?;
        // Only there: a login to what was kept long ago shows nothing of this.
        trial::announce(&word, name).map_err(|error| error.to_string())?;
        start_watching()?;
        Ok(TRIAL)
    }

    /// The change on trial lasts.
    ///
    /// # Errors
    /// When that cannot be noted.
    pub fn end_trial(mut self) -> Result<(), String> {
        let Some(trial) = self.trial.take() else { return Ok(()) };
        self.remember(&trial.plan);
        self.save()?;
        forget()
    }

    /// Makes a change that lasts, if `judge` likes what has become of it.
    ///
    /// # Errors
    /// When it cannot be noted or made, or is not liked; then everything is as it was.
    pub fn apply_for_good(
        mut self,
        services: Vec<Service>,
        plan: &[Change],
        judge: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        sshd::can_make(plan)?;
        let before = Self::load()?;
        self.remember(plan);
        self.services = services;
        if self.services.is_empty() {
            self.files.clear();
        }
        // Noted first: what a run that is cut off has done can still be disabled.
        self.save()?;
        if let Err(error) = sshd::make(plan).and_then(|()| judge()) {
            sshd::unmake(plan)?;
            before.save()?;
            return Err(format!("{error}; everything is as it was before"));
        }
        Ok(())
    }

    /// The changes after which every file that is `wanted` is what it was before the first one.
    ///
    /// # Errors
    /// When a file cannot be read, or somebody else has changed it since.
    pub fn back_to_before(&self, wanted: impl Fn(&Path) -> bool) -> Result<Vec<Change>, String> {
        let mut plan = Vec::new();
        for change in self.files.iter().filter(|change| wanted(&change.path)) {
            let now = files::read(&change.path)?;
            if now == change.before {
                continue;
            }
            let names_us = now.iter().flat_map(|text| text.lines()).any(pam::names_us);
            if now != change.after && !names_us {
                // Somebody has taken us out already.
                continue;
            }
            if now != change.after {
                return Err(format!(
                    "{}: was changed since: take the lines with pam_sms.so out yourself, then \
                     disable again",
                    change.path.display()
                ));
            }
            plan.push(change.back());
        }
        Ok(plan)
    }

    fn remember(&mut self, plan: &[Change]) {
        for change in plan {
            match self.files.iter_mut().find(|kept| kept.path == change.path) {
                Some(kept) => kept.after.clone_from(&change.after),
                None => self.files.push(change.clone()),
            }
        }
    }

    fn save(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        store()
            .update(NAME, |_| Ok::<_, crate::state::StateError>(((), Some(Zeroizing::new(text)))))
            .map_err(|error| error.to_string())
    }
}

/// Puts back what is on trial, and says whether anything was.
///
/// # Errors
/// When a file cannot be written.
pub fn take_back() -> Result<bool, String> {
    let mut changes = Changes::load()?;
    let Some(trial) = changes.trial.take() else {
        // What a run that was cut off may have left.
        forget()?;
        return Ok(false);
    };
    sshd::unmake(&trial.plan)?;
    changes.services.clone_from(&trial.services);
    changes.save()?;
    forget()?;
    Ok(true)
}

/// Waits for the end of the trial, and puts things back where it was not kept.
///
/// # Errors
/// When that cannot be done.
pub fn watch() -> Result<(), String> {
    // Neither ^C nor a terminal that is closed is for this process.
    sys::leave_terminal();
    // Whatever goes wrong may go right the next time: a lock that is held, a disk that is full.
    while !step().unwrap_or(false) {
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// Puts things back where that is due, and says whether there is nothing left to wait for.
fn step() -> Result<bool, String> {
    let _alone = alone()?;
    match Changes::load()?.trial {
        None => Ok(true),
        Some(trial) if trial.is_over() => take_back().map(|_| true),
        Some(_) => Ok(false),
    }
}

/// Keeps other runs of this program from changing anything meanwhile.
///
/// # Errors
/// When another one does not end.
pub fn alone() -> Result<Alone, String> {
    store().alone("enable").map_err(|error| error.to_string())
}

fn start_watching() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Command::new(program)
        .args(["enable", "--watch"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| format!("nobody to put things back: {error}"))
}

fn forget() -> Result<(), String> {
    trial::forget().map_err(|error| error.to_string())?;
    boot::remove()
}

fn store() -> Store {
    Store::new(&Places::default().lib, Durability::Power)
}

fn boot_id() -> String {
    std::fs::read_to_string(crate::limits::BOOT_ID).unwrap_or_default().trim().to_owned()
}
