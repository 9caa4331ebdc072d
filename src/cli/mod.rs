//! What an admin types: one file a command.

mod check;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, checks and runs the SMS factor for logins.
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
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check { config, offline } => check::run(&config, offline),
    }
}
