//! Numbers from a company's directory, over LDAP (RFC 4511).
//!
//! ```text
//! rules.rs    [users.ldap], judged
//! server.rs   one server: connect, bind, search
//! bound.rs    how much it may say
//! entry.rs    what an entry says: numbers, as they are dialled from abroad, and the language
//! known.rs    which numbers somebody has agreed to; the last good answer
//! ```
//!
//! The helper asks, in a child without root, whose answer comes back over the protocol of module and
//! helper. A name from a login comes into a filter only with what RFC 4515 says about its special
//! characters, and referrals are not followed: they would lead, with our password, to whomever a server
//! names. A server that cannot be asked, or has no time, is out of reach, whyever; what one says that is no
//! answer is an error; and neither is "nobody".

mod bound;
pub(crate) mod entry;
pub mod known;
pub(crate) mod rules;
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::config::file::Trust;
use crate::config::model::Unenrolled;
use crate::config::source::{ConfigError, Sources};
use crate::helper::jail::Needs;
use crate::helper::serve::become_unprivileged;
use crate::helper::wire;
use crate::limits::in_words;
use crate::people::PhoneNumber;
use crate::people::directory::{Answer, Lookup, Purpose};
use crate::secret::Secret;
use crate::state::{Places, StateError};
use crate::sys;
use known::Keeping;
pub use rules::{Pin, Rules};
use server::{Attempt, Server};

/// The longest name that is asked for, in bytes; Linux has 32 for its own tools, directories 256.
const LONGEST_NAME: usize = 256;

/// What the child that asks may have of memory, in bytes, with 2 MB for each thread, whatever a server can
/// make of the little that it may say.
const MEMORY: u64 = 128 << 20;

/// A directory that can be asked, with everything opened that only root may open.
pub struct Directory {
    rules: Rules,
    run_as: String,
    unenrolled: Unenrolled,
    servers: Vec<Server>,
    password: Option<Secret>,
    tls: Option<ClientConfig>,
    warnings: Vec<String>,
}

impl Directory {
    /// Reads the configuration, as root.
    ///
    /// # Errors
    /// With file, line and column, when it is unusable or has no directory.
    pub fn open(config: &Path) -> Result<Self, ConfigError> {
        let sources = Sources::load(config, Trust::Root)?;
        let none = || ConfigError::new("[users.ldap] is not there");
        Self::read(&sources, Trust::Root)?.ok_or_else(none)
    }

    /// Judges `[users.ldap]`; nothing, where there is none.
    ///
    /// # Errors
    /// With file, line and column, when it is unusable.
    pub fn read(sources: &Sources, trust: Trust) -> Result<Option<Self>, ConfigError> {
        rules::read(sources, trust)
    }

    /// What works and should be mended: a file that others can read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether numbers that are new may need an admin's word.
    #[must_use]
    pub fn pins(&self) -> bool {
        self.rules.pin != Pin::Off
    }

    /// Whether anything of it goes over the network as plain text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.servers.iter().any(|server| !server.is_encrypted() && !server.is_here())
    }

    /// Looks for the account, for this purpose, which may be about some numbers. The network is spoken to
    /// by a child that has given root up for good; what root is still needed for is done with its answer.
    #[must_use]
    pub fn find(
        &self,
        user: &str,
        purpose: Purpose,
        about: &[PhoneNumber],
        deadline: Instant,
    ) -> Answer {
        if user.is_empty() || user.len() > LONGEST_NAME {
            return Answer::failed(format!("a name of {} bytes is not asked for", user.len()));
        }
        let keeping = Keeping::of(user, self.rules.pin, self.rules.cache.get(), &Places::default());
        let mut answer = match purpose {
            Purpose::Keep => Answer::of(about.to_vec()),
            _ => self.ask_without_root(user, deadline),
        };
        if matches!(purpose, Purpose::Login | Purpose::Rehearsal) && answer.is_of_directory() {
            // Before what does not count is taken out: an admin may agree to it.
            if let Err(error) = keeping.note(&answer) {
                answer.add(&format!("the answer is not kept: {error}"));
            }
        }
        let settled = match purpose {
            Purpose::Login | Purpose::Rehearsal => self.settle(&mut answer, user, &keeping),
            Purpose::Look => tell_new(&mut answer, &keeping),
            Purpose::Keep => keeping.keep(about),
            Purpose::Approve => approve(&mut answer, about, &keeping),
        };
        settled.map_or_else(|error| Answer::failed(error.to_string()), |()| answer)
    }

    fn ask_without_root(&self, user: &str, deadline: Instant) -> Answer {
        if !sys::is_root() {
            return self.ask(user, deadline);
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        // What it takes to say how it went.
        let deadline = deadline.checked_sub(Duration::from_millis(50)).unwrap_or(deadline);
        let said = sys::child::in_child_of_root(patience, |line| {
            let fail = |error: std::io::Error| ConfigError::new(error.to_string());
            // The module waits for the last who holds the helper's end of its line.
            let ready = sys::keep_only(line)
                .map_err(fail)
                .and_then(|()| become_unprivileged(&self.run_as, &Needs::default()))
                .and_then(|()| sys::limit_memory(MEMORY).map_err(fail));
            let answer = match ready {
                Ok(()) => self.ask(user, deadline),
                Err(error) => Answer::failed(error.to_string()),
            };
            wire::encode_answer(&answer).map(|frame| frame.to_vec()).unwrap_or_default()
        });
        let said = said.map_err(|error| format!("local: no child that asks: {error}"));
        let answer = said.and_then(|frame| {
            wire::decode_answer(&frame).map_err(|error| format!("local: the child said: {error}"))
        });
        answer.unwrap_or_else(Answer::failed)
    }

    /// What an answer means for a login.
    ///
    /// Whom the directory does not know has no number. But a wrong `base`, or rights that hide an entry,
    /// look the same, so nobody is let in or may give a number for it: then it is an error. So it is with
    /// an entry whose number is gone: whoever may write it would be rid of the second factor.
    fn settle(
        &self,
        answer: &mut Answer,
        user: &str,
        keeping: &Keeping<'_>,
    ) -> Result<(), StateError> {
        match answer.lookup {
            Lookup::Failed => return Ok(()),
            Lookup::OutOfReach => {
                if let Some(age) = keeping.recall(answer)? {
                    answer.lookup = Lookup::Found;
                    let said = format!("its answer of {} ago counts", in_words(age));
                    answer.add(&format!("the directory cannot be asked, {said}"));
                }
                return Ok(());
            }
            Lookup::Found | Lookup::NoNumber | Lookup::NoEntry => {}
        }
        // Also where a number must not be missing: it would be as good as a new one.
        let is_strict = self.rules.pin == Pin::Strict;
        let nobody_agreed = is_strict && !keeping.has_pins()?;
        if keeping.judge(answer)? > 0 {
            answer.add(&format!(
                "a number of {user} is new in the directory: ask {user}, then run \
                 `pam-sms user approve {user} NUMBER`"
            ));
            if answer.phones.is_empty() {
                answer.fail();
                answer.is_first = nobody_agreed;
            }
        }
        if answer.lookup == Lookup::NoEntry && self.unenrolled != Unenrolled::Deny {
            answer.add(
                "no entry is of this name: `unenrolled` is for those who have one, and no number",
            );
            answer.fail();
        }
        if answer.lookup == Lookup::NoNumber
            && self.unenrolled != Unenrolled::Deny
            && (is_strict || keeping.has_pins()?)
        {
            answer.add(&match nobody_agreed {
                true => format!(
                    "the entry of {user} has no number, and `pin = \"strict\"` wants an admin's word \
                     for each: ask {user}, then run `pam-sms user set {user} NUMBER`"
                ),
                false => format!(
                    "the entry of {user} has no number any more: if {user} shall have none, run \
                     `pam-sms user remove {user}`"
                ),
            });
            answer.fail();
            answer.is_first = nobody_agreed;
        }
        Ok(())
    }

    /// Asks one server after the other. The first server that answers has the word; each has an equal share of
    /// what time is left.
    fn ask(&self, user: &str, deadline: Instant) -> Answer {
        let mut said = Vec::new();
        let mut is_out_of_reach = true;
        for (index, server) in self.servers.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(self.servers.len() - index).unwrap_or(1);
            match server.ask(self, user, Instant::now() + share) {
                Ok((entries, via)) => {
                    let mut answer = self.judge(entries, via);
                    said.extend(self.warnings.iter().cloned());
                    said.extend(Some(answer.detail).filter(|detail| !detail.is_empty()));
                    answer.detail = said.join("; ");
                    return answer;
                }
                Err(Attempt::OutOfReach(words)) => said.push(format!("{server}: {words}")),
                Err(Attempt::Failed(words) | Attempt::Shortage(words)) => {
                    is_out_of_reach = false;
                    said.push(format!("{server}: {words}"));
                }
            }
        }
        let lookup = if is_out_of_reach { Lookup::OutOfReach } else { Lookup::Failed };
        Answer { lookup, ..Answer::failed(said.join("; ")) }
    }

    fn judge(&self, mut entries: Vec<ldap3::SearchEntry>, via: String) -> Answer {
        let answer = match (entries.len(), entries.pop()) {
            (1, Some(entry)) => entry::judge(&entry, &self.rules),
            (_, None) => Answer { lookup: Lookup::NoEntry, ..Answer::failed("") },
            _ => {
                Answer::failed("several entries are of this name: make `base` or `filter` narrower")
            }
        };
        Answer { via, ..answer }
    }
}

/// Tells an admin which of the numbers nobody has agreed to.
fn tell_new(answer: &mut Answer, keeping: &Keeping<'_>) -> Result<(), StateError> {
    for phone in keeping.look(answer)? {
        answer.add(&format!("{} is new and does not count yet", phone.masked()));
    }
    Ok(())
}

/// Takes these numbers for agreed to, whatever the directory has, or else what it has now.
fn approve(
    answer: &mut Answer,
    about: &[PhoneNumber],
    keeping: &Keeping<'_>,
) -> Result<(), StateError> {
    if about.is_empty() {
        if answer.lookup == Lookup::Found {
            answer.via = keeping.approve(&answer.phones)?;
        }
        return Ok(());
    }
    let is_there = |phone: &&PhoneNumber| answer.phones.contains(phone);
    let missing: Vec<_> = about.iter().filter(|phone| !is_there(phone)).collect();
    if answer.is_of_directory() && !missing.is_empty() {
        let missing: Vec<_> = missing.into_iter().map(PhoneNumber::masked).collect();
        answer.add(&format!("the directory does not have {}", missing.join(", ")));
    }
    let (via, detail) = (keeping.approve(about)?, std::mem::take(&mut answer.detail));
    *answer = Answer { via, detail, ..Answer::of(about.to_vec()) };
    Ok(())
}
