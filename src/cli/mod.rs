//! What an admin types: one file a command.

mod backup_codes;
mod balance;
pub mod check;
mod cost;
mod enable;
mod errand;
mod files;
mod logged;
mod metrics;
mod office;
mod providers;
mod send;
mod setup;
pub(crate) mod sshd;
mod status;
pub(crate) mod terminal;
mod try_out;
mod unlock;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

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
    Enable(enable::Arguments),
    Disable(enable::DisableArguments),
    Setup(setup::Arguments),
    Metrics(metrics::Arguments),
    Status(status::Arguments),
    Unlock(unlock::Arguments),
    BackupCodes(backup_codes::Arguments),
    User(user::Arguments),
    Send(send::Arguments),
    Providers(providers::Arguments),
    Balance(balance::Arguments),
    Try(try_out::Arguments),
}

/// The command line, for manual pages and completions.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check(arguments) => return check::run(&arguments),
        Command::Enable(arguments) => enable::run(&arguments),
        Command::Disable(arguments) => enable::disable(&arguments),
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Metrics(arguments) => metrics::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Unlock(arguments) => unlock::run(&arguments),
        Command::BackupCodes(arguments) => backup_codes::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Send(arguments) => send::run(&arguments),
        Command::Providers(arguments) => providers::run(&arguments),
        Command::Balance(arguments) => balance::run(&arguments),
        Command::Try(arguments) => try_out::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
