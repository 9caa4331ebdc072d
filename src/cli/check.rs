//! `pam-sms check`: everything that could go wrong with the configuration, before it does.
//!
//! What can be found is a list of small functions, each of which judges one thing and says what to do
//! about it: those about the configuration are here, those about this machine in `machine.rs`.

mod machine;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::authenticate::texts;
use crate::config::file::Trust;
use crate::config::model::{Config, Unenrolled};
use crate::config::source::{ConfigError, Sources};
use crate::gateway::Gateway;
use crate::login::catalogue::Catalogue;
use crate::message::Name;
use crate::{people, sys};

/// The longest account name that useradd(8) makes, in letters.
const LONGEST_USER: usize = 32;

/// Judge configuration, users and providers before a login depends on them.
///
/// Exit code 0: nothing is wrong; 1: something is; 2: the command line is.
#[derive(Args)]
pub struct Arguments {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = crate::config::DEFAULT_PATH)]
    config: PathBuf,
    /// The helper, where the stacks name another with helper=.
    #[arg(long, value_name = "FILE", default_value = crate::authenticate::arguments::DEFAULT_HELPER)]
    helper: PathBuf,
    /// Whoever owns the files, and nothing of this machine: for configuration management, before they
    /// are deployed.
    #[arg(long)]
    offline: bool,
}

/// What is judged.
struct Case<'a> {
    arguments: &'a Arguments,
    trust: Trust,
    sources: &'a Sources,
    config: &'a Config,
    /// Nothing, where it is unusable, which [`look`] has reported.
    gateway: Option<Gateway>,
    /// How many people have a number; likewise.
    people: Option<usize>,
}

/// What was found, in the order in which it was looked for.
#[derive(Default)]
struct Report {
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Report {
    /// Somebody will not get in, or somebody will who must not.
    fn error(&mut self, said: impl Into<String>) {
        self.errors.push(said.into());
    }

    /// It works, and is probably not what was meant.
    fn warning(&mut self, said: impl Into<String>) {
        self.warnings.push(said.into());
    }

    /// The value, or its error reported.
    fn note<T, E: ToString>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.error(error.to_string())).ok()
    }
}

/// One thing that is judged.
type Finding = fn(&Case<'_>, &mut Report);

/// What is judged of a configuration that can be read, wherever it is.
const FINDINGS: [Finding; 4] = [modes, outbox, enrolment, message];

/// Checks and reports.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut report = Report::default();
    let looked = look(arguments, &mut report);
    report.note(looked);
    // A closed pipe is the reader's choice and not our error.
    let _ = print(&report);
    if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn look(arguments: &Arguments, report: &mut Report) -> Result<(), ConfigError> {
    let trust = if arguments.offline { Trust::Anyone } else { Trust::Root };
    let path = &arguments.config;
    let sources = &Sources::load(path, trust)?;
    let config = &sources.parse()?;
    let mut case = Case { arguments, trust, sources, config, gateway: None, people: None };
    case.gateway = report.note(Gateway::check(sources, path, trust));
    case.people = count(&case, report);
    let machine = if arguments.offline { &[][..] } else { &machine::FINDINGS };
    for finding in FINDINGS.iter().chain(machine) {
        finding(&case, report);
    }
    Ok(())
}

/// Judges every record, and counts the people.
fn count(case: &Case<'_>, report: &mut Report) -> Option<usize> {
    let listed = people::everyone(&case.config.users, &case.arguments.config, case.trust);
    let listed = report.note(listed)?;
    report.errors.extend(listed.warnings);
    let enrolled = if case.arguments.offline { 0 } else { machine::enrolled() };
    Some(listed.people + enrolled)
}

/// At a login this is a warning, so that a forgotten mode is no outage; here it is an error.
fn modes(case: &Case<'_>, report: &mut Report) {
    report.errors.extend(case.sources.warnings.iter().cloned());
    report.errors.extend(case.gateway.iter().flat_map(Gateway::warnings).cloned());
}

fn outbox(case: &Case<'_>, report: &mut Report) {
    for (name, is_outbox) in case.gateway.iter().flat_map(Gateway::providers) {
        if is_outbox {
            report.warning(format!(
                "provider `{name}` writes codes into a file: this is for trying things out and NO \
                 second factor"
            ));
        }
    }
}

/// What it means that nobody has a number is for the configuration to say.
fn enrolment(case: &Case<'_>, report: &mut Report) {
    match case.config.users.unenrolled {
        _ if case.people != Some(0) => {}
        Unenrolled::Deny => report.error(
            "nobody has a phone number, and `unenrolled` is \"deny\": nobody can log in; write a line \
             like `alice = \"+4915123456789\"` into users.toml",
        ),
        Unenrolled::Skip => report.warning(
            "nobody has a phone number, and `unenrolled` is \"skip\": nobody is asked for a code",
        ),
        // The first login gives the first number.
        Unenrolled::Enrol => {}
    }
}

fn message(case: &Case<'_>, report: &mut Report) {
    let rules = &case.config.message;
    // Where the configuration is only judged before it goes elsewhere, no catalogue need be here.
    let texts = match texts::load(rules.language) {
        Err(error) if !case.arguments.offline => {
            report.error(format!("people are spoken to in English, because of {error}"));
            Catalogue::english()
        }
        texts => texts.unwrap_or_else(|_| Catalogue::english()),
    };
    let text = rules.text.as_ref().unwrap_or(texts.sms());
    let (digits, user) = (case.config.code.digits.get(), "w".repeat(LONGEST_USER));
    let counted = text.worst_case(digits.into(), &sys::host_name(), &user);
    if counted.count > 1 {
        report.warning(format!("a message takes {} segments, each is paid", counted.count));
    }
    if !text.uses(Name::Reference) {
        report.warning(
            "the message does not hold {reference}: people cannot tell which message counts",
        );
    }
}

fn print(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for error in &report.errors {
        writeln!(out, "error: {error}")?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "{} errors, {} warnings", report.errors.len(), report.warnings.len())
}
