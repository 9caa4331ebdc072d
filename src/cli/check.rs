//! `pam-sms check`: everything that could go wrong, before it does.
//!
//! What can be found is a list of small functions, each of which judges one thing. What all findings of a
//! kind have in common (name, severity, why it matters) is one table.
//!
//! ```text
//! catalogue.rs      the table          report.rs      findings, as text and as JSON
//! configuration.rs  files and rules    machine.rs     helper, state, accounts
//! message.rs        the text, by language          providers.rs   what providers say of our keys
//! services.rs       who names us       lines.rs       our lines, one by one
//! ways.rs           what a stack makes of right and wrong answers
//! directory.rs      the directory of numbers       parts.rs       what this build was made without
//! sshd.rs           what sshd does     sshd_rules.rs  what is wrong with that
//! ```

pub mod catalogue;
mod configuration;
mod directory;
mod lines;
mod machine;
mod message;
mod parts;
mod providers;
pub mod report;
mod services;
mod sshd;
mod sshd_rules;
mod ways;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::config::file::Trust;
use crate::config::model::Config;
use crate::config::source::{ConfigError, Sources};
use crate::gateway::Gateway;
use crate::people::{self, Everyone};
use report::{Report, Severity};

/// Judge configuration, PAM stacks, sshd, users and providers before a login depends on them.
///
/// Exit code 0: nothing is wrong; 1: something is; 2: the command line is.
///
/// Examples: `pam-sms check`, `pam-sms check --service sshd --json`
#[derive(Args)]
#[command(after_help = "Examples:\n  pam-sms check\n  pam-sms check --service sshd\n  \
    pam-sms check --json | jq '.findings[].id'\n  pam-sms check --config new.toml --offline")]
pub struct Arguments {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = crate::config::DEFAULT_PATH)]
    pub config: PathBuf,
    /// The helper, where the stacks name another with helper=.
    #[arg(long, value_name = "FILE", default_value = crate::authenticate::arguments::DEFAULT_HELPER)]
    pub helper: PathBuf,
    /// The stack of this service only; else all that name us.
    #[arg(long, value_name = "SERVICE", conflicts_with = "offline")]
    pub service: Option<String>,
    /// Whoever owns the files, and nothing of this machine: for configuration management, before they
    /// are deployed.
    #[arg(long)]
    pub offline: bool,
    /// Also ask the providers, over the network, whether they know the keys and how much is left.
    #[arg(long, conflicts_with = "offline")]
    pub providers: bool,
    /// For scripts.
    #[arg(long)]
    pub json: bool,
}

/// What is judged.
struct Case<'a> {
    arguments: &'a Arguments,
    trust: Trust,
    sources: &'a Sources,
    config: &'a Config,
    /// Nothing, where it is unusable, which [`look`] has reported.
    gateway: Option<Gateway>,
    /// Whoever has a number; likewise.
    everyone: Option<Everyone>,
}

impl Case<'_> {
    /// How many people have a number, if that is known.
    fn people(&self) -> Option<usize> {
        self.everyone.as_ref().map(|everyone| everyone.people)
    }

    /// Where a key of the configuration stands.
    fn place_of(&self, keys: &[&str]) -> String {
        self.sources.error_about(keys, "").place().to_owned()
    }
}

/// One thing that is judged.
type Rule = fn(&Case<'_>, &mut Report);

/// Checks and reports.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let report = judge(arguments);
    let mut out = io::stdout().lock();
    // A closed pipe is the reader's choice and not our error.
    let _ = match arguments.json {
        true => report.write_json(&mut out),
        false => report.write(&mut out),
    };
    if report.count(Severity::Error) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that is found, the worst first.
#[must_use]
pub fn judge(arguments: &Arguments) -> Report {
    let mut report = Report::default();
    let looked = look(arguments, &mut report);
    if report.note(looked).is_none() && !arguments.offline {
        // The stacks can be judged without a configuration.
        services::judge(arguments, None, &mut report);
    }
    report.sort();
    report
}

fn look(arguments: &Arguments, report: &mut Report) -> Result<(), ConfigError> {
    let trust = if arguments.offline { Trust::Anyone } else { Trust::Root };
    let path = &arguments.config;
    let sources = &Sources::load(path, trust)?;
    let config = &sources.parse()?;
    let mut case = Case { arguments, trust, sources, config, gateway: None, everyone: None };
    // A kind of provider that is not there is an error of the providers, too.
    if !parts::left_out(&case, report).contains(&parts::Part::Sns) {
        case.gateway = report.note(Gateway::check(sources, path, trust));
    }
    case.everyone = count(&case, report);
    let machine = if arguments.offline { &[][..] } else { &machine::RULES };
    for rule in configuration::RULES.iter().chain(machine) {
        rule(&case, report);
    }
    if arguments.providers {
        providers::judge(&case, report);
    }
    if !arguments.offline {
        services::judge(arguments, Some(&case), report);
    }
    Ok(())
}

/// Judges every record, and counts the people, those included who gave their number themselves.
fn count(case: &Case<'_>, report: &mut Report) -> Option<Everyone> {
    let listed = people::everyone(&case.config.users, &case.arguments.config, case.trust);
    let mut listed = report.note(listed)?;
    for warning in &listed.warnings {
        report.told(&catalogue::FILE_READABLE, warning);
    }
    listed.people += if case.arguments.offline { 0 } else { machine::enrolled().len() };
    Some(listed)
}
