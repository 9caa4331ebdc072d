//! `pam-sms metrics`: what a monitoring system wants to know, in Prometheus's text format.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::check;
use super::check::report::Severity;
use super::files;
use super::office::{ConfigArgument, Office};
use crate::authenticate::arguments::DEFAULT_HELPER;
use crate::gateway::aside;
use crate::limits::{Barrier, Ledger};
use crate::state::Places;

/// Where syslog daemons write what is LOG_AUTHPRIV.
const LOGS: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];

/// Write counters and gauges for node_exporter's textfile collector: outcomes of logins, counted in the
/// log; accounts that are locked, messages of the last 24 hours; findings of `check`.
///
/// Outcomes are counted in the log as it is now, so they begin anew when it is rotated, as counters of
/// Prometheus may.
///
/// Example: `pam-sms metrics --out /var/lib/prometheus/node-exporter/pam_sms.prom`, each minute by cron.
#[derive(Args)]
pub struct Arguments {
    /// Replace this file at once; without it, write to the standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The log to count in, if it is neither auth.log nor secure in /var/log, nor the journal.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Writes the metrics.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let mut text = String::new();
    events(&log(arguments.log.as_deref())?, &mut text);
    accounts(&office, &mut text)?;
    findings(arguments, &mut text);
    match &arguments.out {
        // What stands there is nobody's to keep, and may be another's link by now.
        Some(path) => files::write(path, &text, 0o644),
        None => {
            // A closed pipe is the reader's choice and not our error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}

fn log(named: Option<&Path>) -> Result<String, String> {
    let file = named.or_else(|| LOGS.iter().map(Path::new).find(|path| path.exists()));
    if let Some(path) = file {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let journal = Command::new("journalctl")
        .args(["--quiet", "--boot", "--output=cat", "--grep=pam_sms\\("])
        .output()
        .map_err(|error| format!("no log: neither {} nor journalctl: {error}", LOGS.join(", ")))?;
    Ok(String::from_utf8_lossy(&journal.stdout).into_owned())
}

/// Counts lines of ours by event and service; of a line that somebody forges, at most a wrong count.
fn events(log: &str, text: &mut String) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in log.lines() {
        let Some((_, ours)) = line.split_once("pam_sms(") else { continue };
        let Some((service, rest)) = ours.split_once(":auth): event=") else { continue };
        let event = rest.split(' ').next().unwrap_or_default();
        let plain = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if plain(service) && plain(event) {
            *counts.entry((event, service)).or_default() += 1;
        }
    }
    head(text, "pam_sms_events_total", "counter", "Outcomes of logins, from the log.");
    for ((event, service), count) in counts {
        line(
            text,
            &format!("pam_sms_events_total{{event=\"{event}\",service=\"{service}\"}}"),
            count,
        );
    }
}

fn accounts(office: &Office, text: &mut String) -> Result<(), String> {
    let (mut locked, mut closed, mut throttled, mut sends) = (0, 0, 0, 0);
    let users = Ledger::known_users(&Places::default()).map_err(|barrier| barrier.to_string())?;
    for user in users {
        let standing = office.books(&user).standing(&[]).map_err(|barrier| barrier.to_string())?;
        sends += standing.sends_today.0 as u64;
        match standing.barrier {
            Some(Barrier::Locked(_)) => locked += 1,
            Some(Barrier::Closed) => closed += 1,
            Some(Barrier::Sends { .. }) => throttled += 1,
            _ => {}
        }
    }
    // A file that is damaged sets nobody aside.
    let aside = aside::now().map_or(0, |list| list.len() as u64);
    for (name, help, count) in [
        ("pam_sms_accounts_locked", "Accounts that are locked after wrong codes.", locked),
        ("pam_sms_accounts_closed", "Accounts that only an admin or a backup code opens.", closed),
        ("pam_sms_accounts_throttled", "Accounts that get no message for now.", throttled),
        ("pam_sms_messages_24h", "Messages of the last 24 hours.", sends),
        ("pam_sms_providers_set_aside", "Providers that are asked last for a while.", aside),
    ] {
        head(text, name, "gauge", help);
        line(text, name, count);
    }
    Ok(())
}

fn findings(arguments: &Arguments, text: &mut String) {
    let report = check::judge(&check::Arguments {
        config: arguments.config.config.clone(),
        helper: DEFAULT_HELPER.into(),
        service: None,
        offline: false,
        json: false,
    });
    head(text, "pam_sms_check_findings", "gauge", "What `pam-sms check` finds.");
    for severity in [Severity::Error, Severity::Warning] {
        let name = format!("pam_sms_check_findings{{severity=\"{}\"}}", severity.word());
        line(text, &name, report.count(severity) as u64);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    *text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(text: &mut String, name: &str, value: u64) {
    *text += &format!("{name} {value}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ours_are_counted_by_event_and_service() {
        let log = "Nov 24 sshd[1]: pam_sms(sshd:auth): event=sent to=*23 user=alice\n\
                   Nov 24 sshd[1]: pam_sms(sshd:auth): event=accepted to=*23 user=alice\n\
                   Nov 24 sudo[2]: pam_sms(sudo:auth): event=sent to=*23 user=alice\n\
                   Nov 24 sshd[3]: pam_sms(sshd:auth): event=sent to=*23 user=\"x event=accepted\"\n\
                   Nov 24 sshd[3]: pam_unix(sshd:auth): event=sent\n\
                   Nov 24 x[3]: pam_sms(\"}\\n:auth): event=sent\n";
        let mut text = String::new();
        events(log, &mut text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "pam_sms_events_total{event=\"accepted\",service=\"sshd\"} 1",
                "pam_sms_events_total{event=\"sent\",service=\"sshd\"} 2",
                "pam_sms_events_total{event=\"sent\",service=\"sudo\"} 1",
            ]
        );
    }
}
