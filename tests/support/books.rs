//! What a machine keeps of its people: read as the admin's program reads it, and the outbox.

use std::fs;

use pam_sms::authenticate::BootClock;
use pam_sms::config::model::LimitRules;
use pam_sms::config::source::Sources;
use pam_sms::limits::{Ledger, Standing};
use pam_sms::state::Places;

/// Where the counters of this boot stand.
pub const RUN: &str = "/run/pam-sms";
/// Where stands what lasts longer.
pub const LIB: &str = "/var/lib/pam-sms";
/// Where messages go while no provider is configured.
pub const OUTBOX: &str = "/run/pam-sms/outbox";

/// The books of a machine. They are those of the calling thread's machine.
pub struct Books {
    rules: LimitRules,
}

impl Books {
    /// Books that are kept by these rules, the lines of a table `[limits]`.
    pub fn new(limits: &str) -> Self {
        Self { rules: rules(limits) }
    }

    /// The books of one account.
    pub fn of<'a>(&'a self, user: &'a str) -> Ledger<'a> {
        Ledger::new(&Places::default(), &self.rules, user, &BootClock)
    }

    /// How an account stands.
    ///
    /// # Panics
    ///
    /// When its state cannot be read whole.
    #[track_caller]
    pub fn standing(&self, user: &str) -> Standing {
        self.of(user).standing(&[]).unwrap_or_else(|barrier| panic!("{user}: {barrier}"))
    }

    /// New backup codes for an account, as they are printed.
    #[track_caller]
    pub fn backup_codes(&self, user: &str, count: usize) -> Vec<String> {
        let fresh = self.of(user).add_backup_codes(count, None);
        let fresh = fresh.unwrap_or_else(|barrier| panic!("{user}: {barrier}"));
        fresh.iter().map(|code| code.expose().to_owned()).collect()
    }
}

/// Rules from the lines of a table `[limits]`.
#[track_caller]
pub fn rules(limits: &str) -> LimitRules {
    Sources::from_text("limits", limits).parse().unwrap_or_else(|error| panic!("{error}"))
}

/// All messages so far, a line each.
pub fn messages() -> Vec<String> {
    let outbox = fs::read_to_string(OUTBOX).unwrap_or_default();
    outbox.lines().map(str::to_owned).collect()
}

/// The code of the last message to a number.
#[track_caller]
pub fn code_for(number: &str) -> String {
    let all = messages();
    let message = all.iter().rev().find(|line| line.contains(number));
    let message = message.unwrap_or_else(|| panic!("nothing was sent to {number}"));
    message.split(' ').nth(2).expect("time, number, code").to_owned()
}
