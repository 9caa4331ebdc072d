//! How a text reaches a phone: providers in order, one deadline for all of them together.
//!
//! ```text
//! tables.rs       the [[provider]] tables, judged: kind, keys, secrets, routes
//! provider.rs     what can be asked of one
//! description.rs  how a kind of provider takes a text, as data (providers/*.toml)
//! pattern.rs      text with variables
//! json.rs         a JSON body made of them
//! variables.rs    the values for one request, and the request made of them
//! sign.rs         Amazon's signature for it
//! http.rs         send it, within its time
//! connect.rs      the way to a provider: its address, whom to trust, the proxy
//! judge.rs        what an answer means
//! verify.rs       codes that a provider makes and judges itself
//! voice.rs        a call in which the code is read aloud
//! report.rs       what is told of that to an admin who tries it out
//! modem.rs        modems of one's own, by the spools of their daemons
//! outbox.rs       a file in place of a phone, for trying things out
//! turn.rs         one provider after the other
//! follow.rs       what became of a message in the end
//! aside.rs        providers that are asked last for a while
//! ```

pub mod aside;
pub(crate) mod connect;
pub mod description;
mod follow;
pub mod http;
pub mod json;
pub mod judge;
pub mod modem;
pub mod outbox;
pub mod pattern;
pub mod provider;
pub mod report;
#[cfg(feature = "sns")]
mod sign;
mod tables;
mod turn;
pub(crate) mod variables;
mod verify;
pub mod voice;

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::config::file::Trust;
use crate::config::model::Config;
use crate::config::source::{ConfigError, Sources};
use crate::delivery::{Judgement, Outcome};
use crate::helper::jail::Needs;
use crate::people::PhoneNumber;
use crate::secret::Secret;
use aside::Aside;
use description::Class;
use modem::Modem;
use provider::{Channel, Provider};
use report::{Answer, Report};
use tables::{Reader, Tables};
use turn::{ask_in_turn, share};
use voice::Spoken;

/// The system user that the helper becomes, unless `run_as` names another.
pub(crate) const RUN_AS: &str = "_pam-sms";

/// All providers of a configuration, with everything opened that only root may open.
pub struct Gateway {
    providers: Vec<Provider>,
    run_as: String,
    warnings: Vec<String>,
    aside: Aside,
    timeout: Duration,
}

/// What became of one attempt at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It took the message.
    Accepted,
    /// The number takes no messages: no other provider is asked.
    Refused(String),
    /// The request went out and no answer came.
    Uncertain(String),
    /// It did not take it, and was there to say so; or the fault is on our side.
    Failed(String),
    /// It takes nothing until an admin has put something right there: key, money, settings.
    Unusable(Class, String),
    /// It could not be connected to, has no address in time, or answered 5xx.
    OutOfReach(String),
}

/// What a phone is to get.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// A message with this text.
    Text(&'a Secret),
    /// A call in which this is read aloud.
    Call(&'a Spoken),
}

impl Attempt {
    /// What was said of it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Accepted => String::new(),
            Self::Refused(said)
            | Self::Uncertain(said)
            | Self::Failed(said)
            | Self::Unusable(_, said)
            | Self::OutOfReach(said) => said,
        }
    }
}

impl Gateway {
    /// Reads the configuration, as root: providers, secrets, authorities, the outbox.
    ///
    /// # Errors
    /// With file, line and column, when anything of it is unusable.
    pub fn open(config: &Path) -> Result<Self, ConfigError> {
        Self::open_with(&Sources::load(config, Trust::Root)?, config, Trust::Root, true)
    }

    /// Judges the providers of a configuration and opens nothing.
    ///
    /// # Errors
    /// As [`Gateway::open`].
    pub fn check(sources: &Sources, config: &Path, trust: Trust) -> Result<Self, ConfigError> {
        Self::open_with(sources, config, trust, false)
    }

    fn open_with(
        sources: &Sources,
        path: &Path,
        trust: Trust,
        open: bool,
    ) -> Result<Self, ConfigError> {
        let config: Config<Tables> = sources.parse()?;
        let run_as = config.delivery.run_as.clone().unwrap_or_else(|| RUN_AS.to_owned());
        let proxy = config.delivery.proxy.as_deref().map(connect::proxy).transpose();
        let proxy = proxy.map_err(|said| sources.error_about(&["delivery", "proxy"], said))?;
        let reader = Reader {
            sources,
            config: path,
            trust,
            open,
            ca_file: config.delivery.ca_file.as_ref(),
            proxy,
            warnings: RefCell::default(),
        };
        let providers = reader.read(config.provider)?;
        if config.delivery.voice && !providers.iter().any(Provider::can_call) {
            let said = "no provider can call: `pam-sms providers KIND` says what that takes";
            return Err(sources.error_about(&["delivery", "voice"], said));
        }
        let mut warnings = reader.warnings.into_inner();
        // Where there is no other, none can be asked before it.
        let aside = match open && providers.len() > 1 {
            true => Aside::open(config.delivery.set_aside.get()),
            false => Ok(Aside::default()),
        };
        let aside = aside.unwrap_or_else(|said| {
            warnings.push(said);
            Aside::default()
        });
        let timeout = config.delivery.timeout.get();
        Ok(Self { providers, run_as, warnings, aside, timeout })
    }

    /// What works and should be mended: files of the providers that others can read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Time for all providers of one message together.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The system user to become.
    #[must_use]
    pub fn run_as(&self) -> &str {
        &self.run_as
    }

    /// What its providers need of the machine.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let modems = self.providers.iter().filter_map(Provider::modem);
        let spools: Vec<_> = modems.map(Modem::spool).collect();
        let runs_programs = spools.contains(&None);
        Needs {
            writable: spools.into_iter().flatten().map(Path::to_owned).collect(),
            runs_programs,
        }
    }

    /// The providers' names and whether each is only an outbox.
    pub fn providers(&self) -> impl Iterator<Item = (&str, bool)> {
        self.providers.iter().map(|p| (p.name.as_str(), matches!(p.channel, Channel::Outbox(_))))
    }

    /// Letters that a text must not hold, each with the name of the provider.
    pub fn not_in_text(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().flat_map(|provider| {
            let letters = match &provider.channel {
                Channel::Http(http) => http.parts().description.not_in_text.as_slice(),
                Channel::Modem(_) | Channel::Outbox(_) => &[],
            };
            letters.iter().map(|letter| (provider.name.as_str(), letter.as_str()))
        })
    }

    /// Sends `content` through the first provider that takes it; `first`, where the person has one of
    /// their own, is asked before all others. What should be mended is told with it: the module never
    /// sees the files that it is about.
    #[must_use]
    pub fn deliver(
        &self,
        to: &PhoneNumber,
        content: Content<'_>,
        first: Option<&str>,
        deadline: Instant,
    ) -> Outcome {
        let mut route = self.route(to);
        if matches!(content, Content::Call(_)) {
            route.retain(|provider| provider.can_call());
        }
        // Stable: the others keep their order.
        route.sort_by_key(|provider| Some(provider.name.as_str()) != first);
        let mut aside = self.put_last(&mut route);
        let unknown = first.filter(|name| self.named(name).is_err()).map(|name| {
            format!("the person's own provider `{name}` is not configured, others are asked")
        });
        let mut results = Vec::new();
        let outcome = ask_in_turn(&route, to, content, deadline, |provider, attempt, _| {
            results.push((provider.name.clone(), attempt.clone()));
        });
        aside.extend(self.aside.note(&results));
        let said = Some(outcome.detail).filter(|detail| !detail.is_empty());
        let mended = unknown.into_iter().chain(aside).chain(self.warnings.iter().cloned());
        let words: Vec<_> = said.into_iter().chain(mended).collect();
        let judges = self.named(&outcome.via).is_ok_and(Provider::judges);
        Outcome { detail: words.join("; "), judges, ..outcome }
    }

    /// Asks the provider of this name, which made the code for this number, whether what was typed is it.
    #[must_use]
    pub fn verify(
        &self,
        to: &PhoneNumber,
        typed: &Secret,
        provider: &str,
        deadline: Instant,
    ) -> Judgement {
        match self.named(provider) {
            Ok(provider) => provider.check(to, typed, share(provider, deadline, 1)),
            Err(error) => Judgement::unasked(error),
        }
    }

    /// Sends `text` as a login would, or through `only` this provider, and tells what each answered; and
    /// with `patience`, what became of it within that time.
    #[must_use]
    pub fn probe(
        &self,
        to: &PhoneNumber,
        text: &Secret,
        only: Option<&str>,
        deadline: Instant,
        patience: Option<Duration>,
    ) -> Report {
        let mut route = match self.chosen(to, only) {
            Ok(route) => route,
            Err(error) => return Report::of_error(error),
        };
        let mut warnings = self.put_last(&mut route);
        let (mut answers, mut results) = (Vec::new(), Vec::new());
        let mut taken = None;
        let content = Content::Text(text);
        let outcome = ask_in_turn(&route, to, content, deadline, |provider, attempt, id| {
            answers.push(Answer::of_attempt(&provider.name, attempt));
            results.push((provider.name.clone(), attempt.clone()));
            taken = (*attempt == Attempt::Accepted).then(|| id.map(str::to_owned));
        });
        if let (Some(id), Some(patience), Some(answer)) = (taken, patience, answers.last_mut()) {
            let provider = self.named(&answer.provider).ok();
            answer.delivery = provider.map(|one| follow::follow(one, to, id.as_deref(), patience));
        }
        warnings.extend(self.aside.note(&results));
        warnings.extend(self.warnings.iter().cloned());
        let error = answers.is_empty().then_some(outcome.detail);
        Report { error, warnings, answers }
    }

    /// Asks the providers, or `only` this one, how much money is left.
    #[must_use]
    pub fn balances(&self, only: Option<&str>, deadline: Instant) -> Report {
        let asked = match only.map(|name| self.named(name)).transpose() {
            Ok(Some(provider)) => vec![provider],
            Ok(None) => self.providers.iter().collect(),
            Err(error) => return Report::of_error(error),
        };
        let answer = |(index, provider): (usize, &&Provider)| {
            let time = share(provider, deadline, asked.len() - index);
            Answer::of_balance(&provider.name, provider.balance(time))
        };
        let answers = asked.iter().enumerate().map(answer).collect();
        Report { error: None, warnings: self.warnings.clone(), answers }
    }

    /// Moves those that are set aside to the end, where they still are asked if nobody else takes the
    /// message, and says so of each.
    fn put_last(&self, route: &mut [&Provider]) -> Vec<String> {
        let (set_aside, mut words) = self.aside.look();
        let why = |provider: &Provider| set_aside.iter().find(|one| one.name == provider.name);
        if route.len() > 1 {
            words.extend(route.iter().copied().filter_map(why).map(ToString::to_string));
        }
        route.sort_by_key(|provider| why(provider).is_some());
        words
    }

    /// The requests that a message could make, in the order in which they would be made, by the name of
    /// the provider and line by line, for people.
    ///
    /// # Errors
    /// When no provider is meant, or a request cannot be built.
    #[cfg(feature = "program")]
    pub fn outline(
        &self,
        to: &PhoneNumber,
        text: &Secret,
        only: Option<&str>,
    ) -> Result<Vec<(String, Vec<String>)>, String> {
        let route = self.chosen(to, only)?;
        let outline =
            |provider: &Provider| Ok((provider.name.clone(), provider.outline(to, text)?));
        route.into_iter().map(outline).collect()
    }

    /// The provider of this name.
    ///
    /// # Errors
    /// When there is none, with those that there are.
    pub fn named(&self, name: &str) -> Result<&Provider, String> {
        self.providers.iter().find(|provider| provider.name == name).ok_or_else(|| {
            let known: Vec<_> = self.providers.iter().map(|p| p.name.as_str()).collect();
            format!("no provider is called `{name}`; there are {}", known.join(", "))
        })
    }

    /// The names of those that send a text of ours to this number, in the order of a login.
    #[cfg(feature = "program")]
    #[must_use]
    pub fn senders_of_texts(&self, to: &PhoneNumber, first: Option<&str>) -> Vec<&str> {
        let mut route = self.route(to);
        route.retain(|provider| !provider.judges());
        // Stable: the others keep their order.
        route.sort_by_key(|provider| Some(provider.name.as_str()) != first);
        route.iter().map(|provider| provider.name.as_str()).collect()
    }

    /// Whether nothing is written but what was opened for it, and that is small: no outbox, which grows,
    /// and no modem, whose daemon may have a program of its own.
    #[must_use]
    pub fn writes_little(&self) -> bool {
        self.providers.iter().all(|provider| matches!(provider.channel, Channel::Http(_)))
    }

    fn chosen(&self, to: &PhoneNumber, only: Option<&str>) -> Result<Vec<&Provider>, String> {
        match only {
            Some(name) => self.named(name).map(|provider| vec![provider]),
            None => Ok(self.route(to)),
        }
    }

    /// Those that prefer this number's country first, then those for any, then the rest, but never
    /// one that is for its own countries only.
    fn route(&self, to: &PhoneNumber) -> Vec<&Provider> {
        let rank = |provider: &Provider| {
            if provider.countries.is_empty() {
                return Some(1);
            }
            match provider.countries.iter().any(|prefix| to.starts_with(prefix)) {
                true => Some(0),
                false if provider.countries_only => None,
                false => Some(2),
            }
        };
        let mut route: Vec<_> =
            self.providers.iter().filter_map(|p| rank(p).map(|rank| (rank, p))).collect();
        route.sort_by_key(|(rank, _)| *rank);
        route.into_iter().map(|(_, provider)| provider).collect()
    }
}
