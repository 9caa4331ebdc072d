//! The store that hosts share, a Redis or Valkey, at the helper's end.
//!
//! ```text
//! settings.rs  what the configuration says about it
//! line.rs      one connection, with one deadline
//! sentinel.rs  which server is the one that others copy
//! server.rs    texts by name, changed by comparing and replacing; is it fit for that?
//! redis.rs     the ledger over it: one question, one answer
//! ```
//!
//! The ledger is that of the files. What differs: the clock is the server's, since no two hosts agree
//! on one; the keys expire by themselves; numbers are hashed with a key that comes from the password
//! which all hosts have, and the store itself has not.

mod line;
mod sentinel;
mod server;
mod settings;

use std::path::Path;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::child::{DONE, Decision, Said};
use super::fleet::ask;
use super::ledger::Ledger;
use super::shelf::{Rewrite, Shelf};
use super::window::{Moment, millis};
use super::{Barrier, Return};
use crate::config::file::Trust;
use crate::config::model::{Config, LimitRules};
use crate::config::source::{ConfigError, Sources};
use crate::gateway::RUN_AS;
use crate::login::ports::Clock;
use crate::people::PhoneNumber;
use server::Server;
pub use settings::Settings;

/// What stands before every key.
const PREFIX: &str = "pam-sms:";
/// How long an account is remembered that nobody has tried for so long, where wrong codes count for good.
const LONG: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// All that the configuration says about shared limits, read as root.
pub struct Office {
    settings: Settings,
    rules: LimitRules,
    /// The system user to become.
    pub run_as: String,
}

impl Office {
    /// Reads the configuration, the password and the authorities.
    ///
    /// # Errors
    /// With the place of what is wrong, or when there is no store.
    pub fn open(config: &Path, trust: Trust) -> Result<Self, ConfigError> {
        let sources = Sources::load(config, trust)?;
        let Config { limits: rules, delivery, .. } = sources.parse::<Config>()?;
        let settings = Settings::read(&sources, trust)?;
        let settings = settings.ok_or_else(|| ConfigError::new("[limits] store is not set"))?;
        let run_as = delivery.run_as.unwrap_or_else(|| RUN_AS.to_owned());
        Ok(Self { settings, rules, run_as })
    }

    /// Connects and answers one question about `user`.
    ///
    /// # Errors
    /// The barrier that the store raises, or is.
    pub fn answer(
        &self,
        user: &str,
        number: Option<&PhoneNumber>,
        what: &str,
        deadline: Instant,
    ) -> Decision {
        let begun = Instant::now();
        let server = Server::connect(&self.settings, deadline)?;
        if what.starts_with(ask::PING) {
            let fitness = server.fitness()?;
            let micros = Moment::try_from(begun.elapsed().as_micros()).unwrap_or(Moment::MAX);
            let [evicts, forgets] = [fitness.may_evict, fitness.forgets].map(i64::from);
            return Ok([micros, evicts, forgets, fitness.replicas]);
        }
        answer(&server, &self.rules, user, number, what)
    }
}

/// Single texts by name that can be compared and replaced, and a clock. [`Server`] is one.
trait Cells {
    /// What stands under `name`.
    fn get(&self, name: &str) -> Result<Option<String>, Barrier>;
    /// Puts `new` in the place of `old` for `lifetime`, if that is what stands there, as one step that
    /// nothing comes between; else returns what does.
    fn swap(
        &self,
        name: &str,
        old: Option<&str>,
        new: &str,
        lifetime: Duration,
    ) -> Result<Swap, Barrier>;
    /// Takes away what stands under `name`, and says whether there was anything.
    fn take(&self, name: &str) -> Result<bool, Barrier>;
    /// What numbers are hashed with.
    fn key(&self) -> &str;
    /// The time, as it was told with the last answer.
    fn now(&self) -> Moment;
    /// Since when it has been this server that answers.
    fn since(&self) -> Moment;
}

/// What became of a replacement.
enum Swap {
    /// It stands.
    Done,
    /// Another was faster, and left this.
    Not(Option<String>),
}

/// Counters in cells.
struct Store<'a, C> {
    cells: &'a C,
    longest: Duration,
}

impl<C: Cells> Shelf for Store<'_, C> {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, Barrier> {
        Ok(self.cells.get(name)?.map(Zeroizing::new))
    }

    fn rewrite(&self, name: &str, change: Rewrite<'_>) -> Result<(), Barrier> {
        let mut old = self.cells.get(name)?;
        // Ends: each time around somebody else got on, and the cells give up at their deadline.
        loop {
            let Some(new) = change(old.as_deref())? else { return Ok(()) };
            match self.cells.swap(name, old.as_deref(), &new, lifetime(&new, self.longest))? {
                Swap::Done => return Ok(()),
                Swap::Not(kept) => old = kept,
            }
        }
    }

    fn forget(&self, name: &str) -> Result<bool, Barrier> {
        self.cells.take(name)
    }

    fn place_of(&self, name: &str) -> String {
        format!("`{PREFIX}{name}` in the store")
    }

    fn key(&self) -> Option<&str> {
        Some(self.cells.key())
    }
}

impl<C: Cells> Clock for Store<'_, C> {
    fn now(&self) -> Duration {
        Duration::from_millis(self.cells.now().unsigned_abs())
    }
}

/// One question, one answer.
fn answer(
    cells: &impl Cells,
    rules: &LimitRules,
    user: &str,
    number: Option<&PhoneNumber>,
    what: &str,
) -> Decision {
    let nonsense = || Barrier::Unusable(format!("the helper does not know `{what}`"));
    let mut words = what.split(' ');
    let word = words.next().unwrap_or_default();
    let is_confirming = words.next() == Some("1");
    let moments = words.map(str::parse).collect::<Result<Vec<Moment>, _>>();
    let moments = moments.map_err(|_| nonsense())?;
    let first = || moments.first().copied().ok_or_else(nonsense);
    let to = || number.ok_or_else(nonsense);

    let store = Store { cells, longest: longest(rules) };
    let books = Ledger::in_store(&store, rules, user);
    let books = if is_confirming { books.confirming() } else { books };
    let mut said: Said = match word {
        ask::RESERVE => books.reserve_here(to()?, true)?,
        ask::WOULD => books.would_reserve_here(number, true)?,
        ask::NOT_SENT => books.give_back_here(to()?, first()?, Return::NotSent)?,
        ask::NOT_ASKED => books.give_back_here(to()?, first()?, Return::NotAsked)?,
        ask::VERIFIED => books.give_back_here(to()?, first()?, Return::Verified)?,
        ask::TRY => books.count_try_here(true)?,
        ask::FORGIVE => books.forget_tries(&mut moments.iter().copied())?,
        ask::REOPEN => books.reopen_here()?,
        ask::STANDING => {
            let user = books.peek(&books.user_file())?;
            return Ok(books.counts(&user, books.now()));
        }
        ask::UNLOCK => return unlock(&books, number),
        _ => return Err(nonsense()),
    };
    // Once the longest window has passed, whatever an earlier server knew would be forgotten anyway.
    let is_whole = cells.now() - cells.since() >= millis(store.longest);
    said[ask::IS_WHOLE] = i64::from(is_whole);
    Ok(said)
}

fn unlock(books: &Ledger<'_>, number: Option<&PhoneNumber>) -> Decision {
    let mut names = vec![books.user_file()];
    if let Some(number) = number {
        names.extend([books.number_file(number)?, books.confirmation_file(number)?]);
    }
    let mut said = DONE;
    for name in names {
        said[0] |= i64::from(books.shelf.forget(&name)?);
    }
    Ok(said)
}

/// The longest time after which an event still counts.
fn longest(rules: &LimitRules) -> Duration {
    let day = Duration::from_secs(24 * 60 * 60);
    let windows = [
        rules.sends_per_user.get().span,
        rules.sends_per_number.get().span,
        rules.requests_per_user.get().span,
        rules.failures_per_user.get().span + rules.lockout.get(),
    ];
    windows.into_iter().fold(day, Duration::max)
}

/// How long a text is kept after its last change.
fn lifetime(text: &str, longest: Duration) -> Duration {
    if text.contains("\ntotal ") { LONG } else { longest }
}

#[cfg(test)]
pub(super) mod tests;
