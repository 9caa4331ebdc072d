//! What an admin types: one file a command.

mod backup_codes;
pub mod check;
mod office;
mod status;
mod unlock;

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
    Check(check::Arguments),
    Status(status::Arguments),
    Unlock(unlock::Arguments),
    BackupCodes(backup_codes::Arguments),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check(arguments) => return check::run(&arguments),
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
