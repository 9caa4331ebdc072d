//! What a provider can do besides sending a text, each with a request of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Accepted, Regex, Request};

/// How a provider calls and reads a text aloud. Its answers are judged as those to messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// The keys that must be set for it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What is sent.
    pub request: Request,
    /// The languages of its voices: our tag, and what the provider calls it. English is read for all
    /// others.
    pub languages: BTreeMap<String, String>,
}

/// How a provider that makes the codes itself is asked whether one is right; `{text}` is what was typed.
/// An answer that none of these rules fits is no success.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What is sent.
    pub request: Request,
    /// The code is right.
    pub right: Accepted,
    /// It is wrong, and may be tried again.
    pub wrong: Accepted,
    /// Another one has to be sent: it has expired, was used, or was tried too often.
    #[serde(default)]
    pub gone: Vec<Accepted>,
}

/// How a provider is asked how much money is left: an answer with status 200 and an amount in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// What is sent.
    pub request: Request,
    /// Where the amount stands; the first place that has one.
    #[serde(default)]
    pub amount: Vec<String>,
    /// Where the currency stands; the first place that has one.
    #[serde(default)]
    pub currency: Vec<String>,
    /// The body, as text: the first group is the amount, the second, if any, the currency.
    #[serde(default)]
    pub text: Option<Regex>,
}
