//! What an admin types: one file a command.

mod backup_codes;
mod check;
mod office;
mod status;
mod unlock;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, checks and runs the SMS factor for logins.
///
/// Exit codes: 0, it went well; 1, it did not, and why stands on the standard error; 2, the command
/// line makes no sense.
#[derive(Parser)]
#[command(name = "pam-sms", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge configuration, users and providers before a login depends on them.
    ///
    /// Exit code 0: nothing is wrong; 1: something is; 2: the command line is.
    Check {
        /// The configuration.
        #[arg(long, value_name = "FILE", default_value = crate::config::DEFAULT_PATH)]
        config: PathBuf,
        /// Whoever owns the files: for configuration management, before they are deployed.
        #[arg(long)]
        offline: bool,
    },
    Status(status::Arguments),
    Unlock(unlock::Arguments),
    BackupCodes(backup_codes::Arguments),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check { config, offline } => return check::run(&config, offline),
        Command::Status(arguments) => status::run(&arguments),
        Command::Unlock(arguments) => unlock::run(&arguments),
        Command::BackupCodes(arguments) => backup_codes::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
