//! `pam-sms check`: everything that could go wrong with the configuration, before it does.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::config::file::Trust;
use crate::config::model::Config;
use crate::config::source::{ConfigError, Sources};
use crate::gateway::Gateway;
use crate::message::Name;
use crate::{people, sys};

/// What was found, in the order in which it was looked for.
#[derive(Default)]
struct Report {
    errors: Vec<String>,
    warnings: Vec<String>,
}

/// Checks and reports.
pub fn run(config: &Path, offline: bool) -> ExitCode {
    let trust = if offline { Trust::Anyone } else { Trust::Root };
    let mut report = Report::default();
    if let Err(error) = look(config, trust, &mut report) {
        report.errors.push(error.to_string());
    }
    // A closed pipe is the reader's choice and not our error.
    let _ = print(&report);
    if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn look(path: &Path, trust: Trust, report: &mut Report) -> Result<(), ConfigError> {
    let sources = Sources::load(path, trust)?;
    // At a login this is a warning, so that a forgotten mode is no outage; here it is an error.
    report.errors.extend(sources.warnings.iter().cloned());
    let config: Config = sources.parse()?;
    match Gateway::check(&sources, path, trust) {
        Ok(gateway) => {
            for (name, is_outbox) in gateway.providers() {
                if is_outbox {
                    report.warnings.push(format!(
                        "provider `{name}` writes codes into a file: this is for trying things out \
                         and NO second factor"
                    ));
                }
            }
        }
        Err(error) => report.errors.push(error.to_string()),
    }
    match people::everyone(&config.users, path, trust) {
        Ok(all) if all.people == 0 => {
            report.warnings.push("nobody has a phone number: nobody can log in".to_owned());
        }
        Ok(all) => report.errors.extend(all.warnings),
        Err(error) => report.errors.push(error.to_string()),
    }
    let text = &config.message.text;
    let counted = text.worst_case(config.code.digits.get().into(), &sys::host_name(), "");
    if counted.count > 1 {
        report.warnings.push(format!("a message takes {} segments, each is paid", counted.count));
    }
    if !text.uses(Name::Reference) {
        report.warnings.push(
            "the message does not hold {reference}: people cannot tell which message counts"
                .to_owned(),
        );
    }
    Ok(())
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
