//! `pam-sms balance`: how much money is left with the providers.

use clap::Args;
use serde_json::{Value, json};

use super::errand::{HelperArgument, advice};
use super::office::{ConfigArgument, Office};
use super::terminal::{complain, say};
use crate::gateway::report::{Answer, Answered};
use crate::helper::wire::Question;

/// Ask the providers how much money, or how many credits, are left. Those that cannot be asked are named.
///
/// Exit codes: 0, everyone who can be asked has answered; 1, somebody has not; 2, the command line makes
/// no sense.
///
/// Examples: `pam-sms balance`, `pam-sms balance --provider twilio --json`
#[derive(Args)]
pub struct Arguments {
    /// Only this provider: the `name`, else the `kind`, of its table.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// For scripts: one JSON array, an object for each provider.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

/// Asks.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let report =
        arguments.helper.start(&office, arguments.provider.as_deref()).ask(Question::Balance)?;
    for warning in &report.warnings {
        complain(format_args!("warning: {warning}"));
    }
    if let Some(error) = report.error {
        return Err(error);
    }
    if arguments.json {
        let all: Vec<_> = report.answers.iter().map(as_json).collect();
        say(format_args!("{:#}", Value::from(all)));
    } else {
        report.answers.iter().for_each(tell);
    }
    let has_failed =
        |answer: &&Answer| !matches!(answer.result, Answered::Accepted | Answered::Unasked);
    match report.answers.iter().filter(has_failed).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} did not say", report.answers.len())),
    }
}

fn tell(answer: &Answer) {
    let name = &answer.provider;
    match &answer.balance {
        Some(money) => {
            let currency = money.currency.as_deref().unwrap_or_default();
            say(format_args!("{name}: {} {currency}", money.amount).to_string().trim_end());
        }
        None if answer.result == Answered::Unasked => {
            say(format_args!("{name}: cannot be asked"));
        }
        None => say(format_args!("{name}: {}\n    {}", answer.said, advice(answer))),
    }
}

fn as_json(answer: &Answer) -> Value {
    let money = answer.balance.as_ref();
    json!({
        "provider": answer.provider,
        "result": answer.result,
        "amount": money.map(|money| &money.amount),
        "currency": money.and_then(|money| money.currency.as_ref()),
        "said": (!answer.said.is_empty()).then_some(&answer.said),
    })
}
