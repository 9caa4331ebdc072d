//! What is sent on an admin's behalf: by the helper that logins use, as they use it.

use std::path::PathBuf;

use clap::Args;

use super::office::Office;
use crate::authenticate::arguments::DEFAULT_HELPER;
use crate::delivery::Fate;
use crate::gateway::report::{Answer, Answered};
use crate::helper::call::Helper;
use crate::helper::wire::Question;
use crate::login::ports::Delivery;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// The helper that a command works by.
#[derive(Args)]
pub struct HelperArgument {
    /// The helper, where the stacks name another with helper=.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_HELPER)]
    pub helper: PathBuf,
}

/// Through whom a message goes.
#[derive(Debug, Clone, Copy)]
pub enum Through<'a> {
    /// As at a login: the person's own provider first, where they have one. But never by one that makes the
    /// codes: it would send one, and not the text.
    First(Option<&'a str>),
    /// This one, or it has failed: it is what is tested.
    Only(&'a str),
}

impl HelperArgument {
    /// The helper, by an office's configuration.
    #[must_use]
    pub fn start<'a>(&'a self, office: &'a Office, provider: Option<&'a str>) -> Helper<'a> {
        let timeout = office.config.delivery.timeout.get();
        let (program, language) = (self.helper.as_path(), office.config.message.language);
        Helper { program, config: office.path(), timeout, provider, language }
    }

    /// Sends one text.
    ///
    /// # Errors
    /// In words, when no provider took it or may have taken it.
    pub fn deliver(
        &self,
        office: &Office,
        through: Through<'_>,
        number: &PhoneNumber,
        text: &Secret,
    ) -> Result<(), String> {
        let name = match through {
            Through::First(first) => return self.deliver_in_turn(office, first, number, text),
            Through::Only(name) => name,
        };
        let outcome = self.start(office, Some(name)).deliver(number, text);
        match outcome.fate {
            Fate::Accepted | Fate::Uncertain if outcome.via == name => Ok(()),
            Fate::Accepted | Fate::Uncertain => {
                Err(format!("{name} did not take it, and {} did: {}", outcome.via, outcome.detail))
            }
            _ => Err(format!("no message to {}: {}", number.masked(), outcome.detail)),
        }
    }

    fn deliver_in_turn(
        &self,
        office: &Office,
        first: Option<&str>,
        number: &PhoneNumber,
        text: &Secret,
    ) -> Result<(), String> {
        let gateway = office.gateway()?;
        let (mut said, mut may_have_it) = (Vec::new(), false);
        for name in gateway.senders_of_texts(number, first) {
            let report = self.start(office, Some(name)).ask(Question::Probe(number, text))?;
            said.extend(report.error);
            for answer in report.answers {
                match answer.result {
                    Answered::Accepted => return Ok(()),
                    Answered::Uncertain => may_have_it = true,
                    _ => {}
                }
                let is_refused = answer.result == Answered::Refused;
                said.push(format!("{}: {}", answer.provider, answer.said));
                if is_refused {
                    return Err(format!("no message to {}: {}", number.masked(), said.join("; ")));
                }
            }
        }
        if said.is_empty() {
            said.push(
                "no provider that sends texts, and not codes of its own, is set up for it"
                    .to_owned(),
            );
        }
        match may_have_it {
            true => Ok(()),
            false => Err(format!("no message to {}: {}", number.masked(), said.join("; "))),
        }
    }
}

/// What to do about an answer that is not the wanted one, by the class with which its words begin.
const ADVICE: [(&str, &str); 15] = [
    ("recipient", "Is this the right number, and a mobile phone's? No other provider is asked."),
    ("optout", "Its owner has told this provider to stop; only they can take that back."),
    ("content", "The provider does not take this text or sender: see `from` and [message] text."),
    ("auth", "The keys are wrong, or not for this account or address: see the provider's console."),
    ("credit", "The account has no money left: top it up."),
    (
        "route",
        "It does not send to this number, country or network from this account: see its console, or `countries`.",
    ),
    ("config", "The account is not set up for this: sender, country or service. See its console."),
    ("throttle", "Too much at once: wait; if it happens at logins, ask the provider for more."),
    ("transient", "The provider has trouble of its own: try again, see its status page."),
    ("unknown", "The answer is not understood: is base_url right, and the kind?"),
    ("connect", "It cannot be connected to: firewall, proxy, base_url?"),
    ("address", "Its name has no address: base_url, /etc/resolv.conf?"),
    ("certificate", "It is not who it says, or a proxy reads along: ca_file, the clock?"),
    ("tls", "It speaks no TLS that is still safe, or there is something else at this port."),
    ("local", "This is a fault of this machine or of ours, not of the provider."),
];

/// What to do about an answer.
#[must_use]
pub fn advice(answer: &Answer) -> &'static str {
    let row = ADVICE.iter().find(|(class, _)| *class == answer.class());
    match (row, answer.result) {
        (Some((_, advice)), _) => advice,
        (None, Answered::Uncertain) => {
            "The request went out and no answer came: it may arrive. Is [delivery] timeout long enough?"
        }
        _ => "It could not be asked in time: is [delivery] timeout long enough?",
    }
}
