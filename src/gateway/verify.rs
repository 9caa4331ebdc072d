//! Codes that a provider makes, sends and judges itself.

use std::time::{Duration, Instant};

use super::http::{HttpProvider, exchange};
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
        return Judgement::unknown("config (it makes no codes)".to_owned());
    };
    let variables = Variables::new(&parts.values, Some((to, typed)));
    match exchange(provider, &rules.request, &variables, Instant::now() + time) {
        Ok(answer) => {
            judge_check(&answer, rules, &parts.description, |said| variables.conceal(said))
        }
        Err(failed) => Judgement::unknown(failed.words()),
    }
}
