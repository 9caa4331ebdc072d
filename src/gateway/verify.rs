//! Codes that a provider makes, sends and judges itself.

use std::time::Duration;

use super::Attempt;
use super::http::{HttpProvider, ask, read, within};
use super::judge::judge_check;
use super::variables::Variables;
use crate::delivery::Judgement;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// Asks within `time` whether what was typed is the code that went to this number.
pub fn check(
    provider: &HttpProvider,
    to: &PhoneNumber,
    typed: &Secret,
    time: Duration,
) -> Judgement {
    let (provider, to, typed) = (provider.clone(), to.clone(), typed.clone());
    let judged = within(time, move |deadline| {
        let parts = provider.parts();
        let Some(rules) = &parts.description.check else {
            return Ok(Judgement::unasked("config (it makes no codes)"));
        };
        let variables = Variables::new(&parts.values, Some((&to, &typed)));
        let response = match ask(&provider, &rules.request, &variables, deadline) {
            Err(Attempt::Uncertain(said)) => return Ok(Judgement::unknown(said)),
            Err(failed) => return Ok(Judgement::unasked(failed.words())),
            Ok(response) => response,
        };
        let answer = read(response, deadline)?;
        Ok(judge_check(&answer, rules, &parts.description, |said| variables.conceal(said)))
    });
    judged.unwrap_or_else(|failed| Judgement::unknown(failed.words()))
}
