//! `pam-sms backup-codes`: a way in for somebody whose phone is dead.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::office::{ConfigArgument, Office};
use super::terminal::say;
use crate::limits::backup;

/// Make backup codes for an account and show them once: each lets in a single time, whatever has
/// become of the phone, of the provider, or of the account's limits.
///
/// Codes that never expire replace earlier ones of that kind; codes with --expires are added. After
/// a restore from a backup, or on a cloned machine, used codes are good again: revoke all.
///
/// Examples: `pam-sms backup-codes alice`, `pam-sms backup-codes alice --count 1 --expires 24h`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    user: String,
    /// How many.
    #[arg(long, value_name = "NUMBER", default_value_t = 10,
          value_parser = clap::value_parser!(u8).range(1..=backup::MOST as i64))]
    count: u8,
    /// How long they are good, like 24h; without it, until they are used.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// Make none, and take away all there are.
    #[arg(long, conflicts_with_all = ["count", "expires"])]
    revoke_all: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Makes or revokes backup codes.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let user = Office::account(&arguments.user)?;
    let books = office.books(&user);
    if arguments.revoke_all {
        let revoked = books.revoke_backup_codes().map_err(|barrier| barrier.to_string())?;
        let changed = if revoked > 0 { "changed" } else { "unchanged" };
        say(format_args!("{user}: {revoked} backup codes revoked ({changed})"));
        return Ok(());
    }
    let until = arguments.expires.map(|span| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (now + span).as_secs()
    });
    let codes = books
        .add_backup_codes(arguments.count.into(), until)
        .map_err(|barrier| barrier.to_string())?;
    say(format_args!("Backup codes for {user}, each good once:\n"));
    for code in &codes {
        say(format_args!("    {}", code.expose()));
    }
    match arguments.expires {
        Some(span) => say(format_args!("\nThey expire in {}.", humantime::format_duration(span))),
        None => say("\nEarlier codes that do not expire are no longer good."),
    }
    say("This is the only time that they are shown. Type one where the code is asked for.");
    Ok(())
}
