//! Codes that a provider makes, sends and judges itself.

use std::time::{Duration, Instant};

use super::Attempt;
use super::http::{HttpProvider, ask};
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
    let parts = provider.parts();
    let Some(rules) = &parts.description.check else {
        return Judgement::unasked("config (it makes no codes)");
    };
    let variables = Variables::new(&parts.values, Some((to, typed)));
    match ask(provider, provider.base(), &rules.request, &variables, Instant::now() + time) {
        Ok(Ok(answer)) => {
            judge_check(&answer, rules, &parts.description, |said| variables.conceal(said))
        }
        Ok(Err(lost)) | Err(lost @ Attempt::Uncertain(_)) => Judgement::unknown(lost.words()),
        Err(failed) => Judgement::unasked(failed.words()),
    }
}
