//! What a provider can do besides sending a text, each with a request of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Accepted, Description, MESSAGE_ID, Pattern, Regex, Request, VARIABLES, VOICE_LANGUAGE,
};
use crate::login::language::Language;

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
    /// Another one has to be sent: it has expired, or was used.
    #[serde(default)]
    pub gone: Vec<Accepted>,
    /// It was tried too often, and no other one can be had before its time is over.
    #[serde(default)]
    pub spent: Vec<Accepted>,
}

impl Check {
    pub(super) fn answers(&self) -> impl Iterator<Item = &Accepted> {
        [&self.right, &self.wrong].into_iter().chain(&self.gone).chain(&self.spent)
    }
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

/// How a provider is asked what became of a message: an answer with status 200 and a state in it. A state
/// that is neither good nor bad may still become either.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Another host that is asked, unless the admin has a `base_url`; else where messages go.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Where the answer to the message has what the provider calls it, which is `{message_id}` below.
    pub id: Vec<String>,
    /// What is sent.
    pub request: Request,
    /// Where the state stands; the first place that has one.
    pub state: Vec<String>,
    /// The states of a message that has arrived.
    pub delivered: Vec<String>,
    /// The states of one that never will.
    pub undelivered: Vec<String>,
    /// Where the reason stands, as a code or in words; all of these places are told.
    #[serde(default)]
    pub reason: Vec<String>,
}

impl Status {
    pub(super) fn places(&self) -> impl Iterator<Item = &String> {
        self.id.iter().chain(&self.state).chain(&self.reason)
    }
}

impl Description {
    /// Checks what only these can get wrong.
    pub(super) fn check_besides(&self) -> Result<(), String> {
        if let Some(balance) = &self.balance {
            let about_a_message = |name: &&str| VARIABLES.contains(name);
            if let Some(name) = names(&balance.request).find(about_a_message) {
                return Err(format!("`{{{name}}}`: the balance is asked for without a message"));
            }
            if balance.amount.is_empty() && balance.text.is_none() {
                return Err("`[balance]` needs `amount` or `text`".to_owned());
            }
        }
        let of_balance = self.balance.iter().map(|balance| &balance.request);
        let of_check = self.check.iter().map(|check| &check.request);
        let others = || std::iter::once(&self.request).chain(of_check.clone());
        if others().flat_map(names).any(|name| name == VOICE_LANGUAGE) {
            return Err(format!("`{{{VOICE_LANGUAGE}}}`: only `[voice]` has a language"));
        }
        let of_voice = self.voice.iter().map(|voice| &voice.request);
        let mut others = others().chain(of_balance).chain(of_voice).flat_map(names);
        if others.any(|name| name == MESSAGE_ID) {
            return Err(format!("`{{{MESSAGE_ID}}}` is known only after the message was taken"));
        }
        if let Some(status) = &self.status {
            if status.base_url.as_ref().is_some_and(|base| !base.starts_with("https://")) {
                return Err("`base_url` in `[status]` must begin with https://".to_owned());
            }
            let is_told = |name: &&str| VARIABLES.contains(name) && !name.starts_with("to");
            if let Some(name) = names(&status.request).find(is_told) {
                return Err(format!(
                    "`{{{name}}}`: a message is asked after by its name and number"
                ));
            }
            if !names(&status.request).any(|name| name == MESSAGE_ID) {
                return Err(format!("`[status.request]` needs `{{{MESSAGE_ID}}}`"));
            }
        }
        if let Some(voice) = &self.voice {
            let unknown = |tag: &&String| Language::parse(tag).is_err();
            if let Some(tag) = voice.languages.keys().find(unknown) {
                return Err(format!("`{tag}` in `[voice]` is none of our languages"));
            }
            if !voice.languages.contains_key("en") {
                return Err(
                    "`languages` in `[voice]` must have `en`, which every call can fall back to"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

fn names(request: &Request) -> impl Iterator<Item = &str> {
    request.patterns().flat_map(Pattern::names)
}
