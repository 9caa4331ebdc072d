//! What a provider can be asked besides taking a message.

use serde::Deserialize;

use super::{Description, MESSAGE_ID, Pattern, Regex, Request, VARIABLES, patterns_of};

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
    /// Checks what only these questions can get wrong.
    pub(super) fn check_questions(&self) -> Result<(), String> {
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
        let mut others = std::iter::once(&self.request).chain(of_balance).flat_map(names);
        if others.any(|name| name == MESSAGE_ID) {
            return Err(format!("`{{{MESSAGE_ID}}}` is known only after the message was taken"));
        }
        if let Some(status) = &self.status {
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
        Ok(())
    }
}

fn names(request: &Request) -> impl Iterator<Item = &str> {
    patterns_of(request).flat_map(Pattern::names)
}
