//! What the helper tells an admin's program: what each provider answered, not only how it ended.

use serde::{Deserialize, Serialize};

use super::Attempt;

/// What became of a question.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Why no provider was asked at all.
    #[serde(default)]
    pub error: Option<String>,
    /// What works and should be mended.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The providers that were asked, in this order.
    #[serde(default)]
    pub answers: Vec<Answer>,
}

/// What one provider answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Its name.
    pub provider: String,
    /// What that means.
    pub result: Answered,
    /// Its words, without keys and numbers; they begin with the class of the error.
    #[serde(default)]
    pub said: String,
    /// How much money is left, where that was asked and told.
    #[serde(default)]
    pub balance: Option<Money>,
    /// What became of the message in the end, where that was asked.
    #[serde(default)]
    pub delivery: Option<Delivery>,
}

/// What became of a message that a provider has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// How it ended, so far.
    pub end: End,
    /// The provider's word for it, and its reason; without keys and numbers.
    pub said: String,
}

/// How the way of a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It is on the phone.
    Delivered,
    /// It will never be.
    Undelivered,
    /// Nobody knows yet.
    Pending,
    /// The provider cannot be asked.
    Unasked,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answered {
    /// It took the message, or said how much money is left.
    Accepted,
    /// The number takes no messages.
    Refused,
    /// The request went out and no answer came.
    Uncertain,
    /// It did not take it, or the fault is on our side.
    Failed,
    /// It could not be reached.
    OutOfReach,
    /// It cannot be asked this.
    Unasked,
}

/// An amount of money, as the provider writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: String,
    /// Of what; nothing where the provider does not say, or counts messages.
    pub currency: Option<String>,
}

impl Report {
    /// A report that nobody was asked.
    #[must_use]
    pub fn of_error(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// How it goes over the line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Answer {
    /// What one provider answered to a message.
    #[must_use]
    pub fn of_attempt(provider: &str, attempt: &Attempt) -> Self {
        let (result, said) = match attempt {
            Attempt::Accepted => (Answered::Accepted, ""),
            Attempt::Refused(said) => (Answered::Refused, said.as_str()),
            Attempt::Uncertain(said) => (Answered::Uncertain, said.as_str()),
            Attempt::Failed(said) | Attempt::Unusable(_, said) => (Answered::Failed, said.as_str()),
            Attempt::OutOfReach(said) => (Answered::OutOfReach, said.as_str()),
        };
        let (provider, said) = (provider.to_owned(), said.to_owned());
        Self { provider, result, said, balance: None, delivery: None }
    }

    /// What one provider answered to the question how much money is left.
    #[must_use]
    pub fn of_balance(provider: &str, balance: Result<Option<Money>, Attempt>) -> Self {
        match balance {
            Err(attempt) => Self::of_attempt(provider, &attempt),
            Ok(money) => {
                let asked = if money.is_some() { Answered::Accepted } else { Answered::Unasked };
                let (provider, said) = (provider.to_owned(), String::new());
                Self { provider, result: asked, said, balance: money, delivery: None }
            }
        }
    }

    /// The class of the error: the first word of what was said, like `auth` or `connect`.
    #[must_use]
    pub fn class(&self) -> &str {
        self.said.split([' ', ':']).next().unwrap_or_default()
    }
}
