//! What the providers say of our keys, and how much is left: over the network, so only where it is wanted.

use super::report::Report;
use super::{Case, catalogue};
use crate::cli::errand::advice;
use crate::gateway::report::{Answer, Answered};
use crate::helper::call::Helper;
use crate::helper::wire::Question;
use crate::login::language::Language;

/// Asks all that can be asked.
pub(super) fn judge(case: &Case<'_>, report: &mut Report) {
    let helper = Helper {
        program: &case.arguments.helper,
        config: &case.arguments.config,
        timeout: case.config.delivery.timeout.get(),
        provider: None,
        language: Language::ENGLISH,
    };
    let place = case.place_of(&["provider"]);
    match helper.ask(Question::Balance) {
        Err(said) => report.add(&catalogue::PROVIDER_SILENT, place, said, ""),
        Ok(told) => {
            if let Some(said) = told.error {
                report.add(&catalogue::PROVIDER_SILENT, &place, said, "");
            }
            told.answers.iter().for_each(|answer| judge_one(&place, answer, report));
        }
    }
}

fn judge_one(place: &str, answer: &Answer, report: &mut Report) {
    let name = &answer.provider;
    let left = answer.balance.as_ref().and_then(|money| money.amount.parse::<f64>().ok());
    let (entry, what, change) = match (answer.result, answer.class()) {
        (Answered::Unasked, _) => return,
        (Answered::Accepted, _) if left.is_none_or(|left| left > 0.0) => return,
        (Answered::Accepted, _) => {
            let what = format!("provider `{name}` has {} left", left.unwrap_or_default());
            (&catalogue::PROVIDER_MONEY, what, "top the account up")
        }
        (_, class) => {
            let entry = match class {
                "auth" | "config" => &catalogue::PROVIDER_KEY,
                "credit" => &catalogue::PROVIDER_MONEY,
                _ => &catalogue::PROVIDER_SILENT,
            };
            (entry, format!("provider `{name}` says: {}", answer.said), advice(answer))
        }
    };
    report.add(entry, place, what, change);
}
