//! One provider: what can be asked of it, whatever the way to it is.

use std::fs::File;
use std::time::Duration;

use super::http::{self, HttpProvider};
use super::modem::Modem;
use super::report::{Delivery, Money};
use super::{Attempt, Content, outbox, verify, voice};
use crate::delivery::Judgement;
use crate::people::{PhoneNumber, Prefix};
use crate::secret::Secret;

/// One provider, ready to be used.
pub struct Provider {
    /// What it is called in the log.
    pub name: String,
    /// The countries for which it is preferred; none: any.
    pub countries: Vec<Prefix>,
    /// Whether it is never used for other countries.
    pub countries_only: bool,
    /// Its own time limit.
    pub timeout: Option<Duration>,
    /// How it takes a text.
    pub channel: Channel,
}

/// How a provider takes a text.
pub enum Channel {
    /// Over HTTPS.
    Http(Box<HttpProvider>),
    /// Over a modem of one's own.
    Modem(Modem),
    /// Into a file that root opened; nothing where it is only checked.
    Outbox(Option<File>),
}

impl Provider {
    /// The modem, where it is one.
    #[must_use]
    pub fn modem(&self) -> Option<&Modem> {
        match &self.channel {
            Channel::Modem(modem) => Some(modem),
            Channel::Http(_) | Channel::Outbox(_) => None,
        }
    }

    /// Tries to send one message, or to make one call, within `time`. With it comes what the provider calls
    /// the message, if it took it and can be asked after it.
    #[must_use]
    pub fn attempt(
        &self,
        to: &PhoneNumber,
        content: Content<'_>,
        time: Duration,
    ) -> (Attempt, Option<String>) {
        let attempt = match (&self.channel, content) {
            (Channel::Http(provider), Content::Text(text)) => {
                return http::send(provider, to, text, time);
            }
            (Channel::Http(provider), Content::Call(spoken)) => {
                voice::call(provider, to, spoken, time)
            }
            (Channel::Modem(modem), Content::Text(text)) => modem.send(to, text, time),
            (Channel::Modem(_), Content::Call(_)) => {
                Attempt::Failed("config (a modem cannot call)".to_owned())
            }
            (Channel::Outbox(Some(file)), Content::Text(text)) => outbox::append(file, to, text),
            (Channel::Outbox(Some(file)), Content::Call(spoken)) => {
                outbox::append(file, to, spoken.words())
            }
            (Channel::Outbox(None), _) => Attempt::Failed("the outbox is not open".to_owned()),
        };
        (attempt, None)
    }

    /// Whether it makes its codes itself, and so is the one to judge them.
    #[must_use]
    pub fn judges(&self) -> bool {
        matches!(&self.channel, Channel::Http(http) if http.parts().description.check.is_some())
    }

    /// Asks within `time` whether what was typed is the code that it made for this number.
    #[must_use]
    pub fn check(&self, to: &PhoneNumber, typed: &Secret, time: Duration) -> Judgement {
        match &self.channel {
            Channel::Http(provider) => verify::check(provider, to, typed, time),
            Channel::Modem(_) | Channel::Outbox(_) => Judgement::unknown("it makes no codes"),
        }
    }

    /// Whether it can call.
    #[must_use]
    pub fn can_call(&self) -> bool {
        match &self.channel {
            Channel::Http(provider) => voice::can_call(provider),
            Channel::Modem(_) => false,
            Channel::Outbox(_) => true,
        }
    }

    /// Asks what became of a message; nothing where it cannot be asked that.
    ///
    /// # Errors
    /// With what became of the question, when it was not answered.
    pub fn follow(
        &self,
        to: &PhoneNumber,
        id: &str,
        time: Duration,
    ) -> Result<Option<Delivery>, Attempt> {
        match &self.channel {
            Channel::Http(provider) => http::follow(provider, to, id, time),
            Channel::Modem(_) | Channel::Outbox(_) => Ok(None),
        }
    }

    /// Asks how much money is left; nothing where it cannot be asked that.
    ///
    /// # Errors
    /// With what became of the question, when it was not answered.
    pub fn balance(&self, time: Duration) -> Result<Option<Money>, Attempt> {
        match &self.channel {
            Channel::Http(_) if time.is_zero() => Err(Attempt::Failed("no time left".to_owned())),
            Channel::Http(provider) => http::balance(provider, time),
            Channel::Modem(_) | Channel::Outbox(_) => Ok(None),
        }
    }

    /// What a message would do, for people.
    ///
    /// # Errors
    /// In words, when its request cannot be built.
    #[cfg(feature = "program")]
    pub fn outline(&self, to: &PhoneNumber, text: &Secret) -> Result<Vec<String>, String> {
        match &self.channel {
            Channel::Http(provider) => http::outline(provider, to, text),
            Channel::Modem(_) => Ok(vec!["a message in the modem's spool".to_owned()]),
            Channel::Outbox(_) => Ok(vec!["a line at the end of the outbox".to_owned()]),
        }
    }
}
