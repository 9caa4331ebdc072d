//! `pam-sms metrics`: what a monitoring system wants to know, in Prometheus's text format.

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::check;
use super::check::report::Severity;
use super::errand::HelperArgument;
use super::files;
use super::logged;
use super::office::{ConfigArgument, Office};
use crate::gateway::aside;
use crate::gateway::report::{Answered, Report};
use crate::helper::wire::Question;
use crate::limits::{Barrier, Ledger};
use crate::state::Places;

/// Write counters and gauges for node_exporter's textfile collector: outcomes of logins, counted in the
/// log; accounts that are locked, messages of the last 24 hours; findings of `check`.
///
/// All of it is about this host, also where hosts share their limits: their store is not asked for figures, and
/// all hosts together have counted the sum. A store, directory or helper that cannot be used is a finding.
///
/// Outcomes are counted in the log as it is now, so they begin anew when it is rotated, as counters of
/// Prometheus may.
///
/// Examples: `pam-sms metrics --out /var/lib/prometheus/node-exporter/pam_sms.prom`, each minute by cron;
/// `pam-sms metrics --balance --out /var/lib/prometheus/node-exporter/pam_sms_balance.prom`, each hour
#[derive(Args)]
pub struct Arguments {
    /// Replace this file at once; without it, write to the standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The log to count in, if it is neither auth.log nor secure in /var/log, nor the journal.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write what is left with the providers, and nothing else: each of them is asked.
    #[arg(long, conflicts_with = "log")]
    balance: bool,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

/// Writes the metrics.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let mut text = String::new();
    if arguments.balance {
        balances(&arguments.helper.start(&office, None).ask(Question::Balance)?, &mut text)?;
    } else {
        let log = logged::read(arguments.log.as_deref())?;
        let log = log
            .ok_or_else(|| format!("no log: neither {} nor journalctl", logged::LOGS.join(", ")))?;
        events(&log, &mut text);
        accounts(&office, &mut text)?;
        findings(arguments, &mut text);
    }
    match &arguments.out {
        Some(path) => files::write_anew(path, &text, 0o644),
        None => {
            // A closed pipe is the reader's choice and not our error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}

fn events(log: &str, text: &mut String) {
    head(text, "pam_sms_events_total", "counter", "Outcomes of logins, from the log.");
    for ((event, service), count) in logged::count(log) {
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
        let standing =
            office.books_here(&user).standing(&[]).map_err(|barrier| barrier.to_string())?;
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
        (
            "pam_sms_accounts_locked",
            "Accounts that this host has locked after wrong codes.",
            locked,
        ),
        (
            "pam_sms_accounts_closed",
            "Accounts that this host has closed until an admin or a backup code opens them.",
            closed,
        ),
        (
            "pam_sms_accounts_throttled",
            "Accounts that get no message from this host for now.",
            throttled,
        ),
        ("pam_sms_messages_24h", "Messages of this host in the last 24 hours.", sends),
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
        helper: arguments.helper.helper.clone(),
        service: None,
        offline: false,
        providers: false,
        json: false,
    });
    head(text, "pam_sms_check_findings", "gauge", "What `pam-sms check` finds.");
    for severity in [Severity::Error, Severity::Warning] {
        let name = format!("pam_sms_check_findings{{severity=\"{}\"}}", severity.word());
        line(text, &name, report.count(severity) as u64);
    }
}

/// What is left, of those that can be asked. One that does not say has no amount, and is counted as silent.
fn balances(report: &Report, text: &mut String) -> Result<(), String> {
    if let Some(error) = &report.error {
        return Err(error.clone());
    }
    let asked = || report.answers.iter().filter(|answer| answer.result != Answered::Unasked);
    let label = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    head(text, "pam_sms_provider_balance", "gauge", "What is left with a provider.");
    for (answer, money) in asked().filter_map(|one| one.balance.as_ref().map(|money| (one, money)))
    {
        // An amount that is no number would spoil the whole file.
        let Ok(amount) = money.amount.trim().parse::<f64>() else { continue };
        let currency = label(money.currency.as_deref().unwrap_or_default());
        let provider = label(&answer.provider);
        let labels = format!("{{provider=\"{provider}\",currency=\"{currency}\"}}");
        line(text, &format!("pam_sms_provider_balance{labels}"), amount);
    }
    head(text, "pam_sms_provider_silent", "gauge", "Whether a provider did not say what is left.");
    for answer in asked() {
        let name = format!("pam_sms_provider_silent{{provider=\"{}\"}}", label(&answer.provider));
        line(text, &name, u8::from(answer.result != Answered::Accepted));
    }
    Ok(())
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    *text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(text: &mut String, name: &str, value: impl Display) {
    *text += &format!("{name} {value}\n");
}
