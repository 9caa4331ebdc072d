//! Providers that are asked last for a while: those whose key, money or settings are no good.
//!
//! Asking them first costs each login an answer in vain. None is ever left out: where nobody else takes
//! the message, they are asked all the same. It is kept in `/run/pam-sms/providers.state`, one file for
//! all logins of this machine:
//!
//! ```text
//! pam-sms-providers 1
//! boot 5f0c1e6a-8f53-4d0e-a2b5-7d7c0a3a9a10
//! aside 81234 auth twilio
//! end
//! ```
//!
//! The time, in seconds after the boot, is when it is over. Root opens the file; what a network said is
//! written into it, and read from it, only after root was given up. So it is not believed further than
//! an order goes: what is damaged, of another boot, or longer than a day from now counts as nothing.

use std::fmt::{self, Write as _};
use std::fs;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Attempt;
use super::description::Class;
use crate::limits::{BOOT_ID, in_words};
use crate::state::shared::Shared;
use crate::state::{Durability, Places, Store};
use crate::sys;

/// The name of the file.
const NAME: &str = "providers";
const HEADER: &str = "pam-sms-providers 1";
/// Nothing is set aside for longer, whatever the file says.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The providers that are set aside; by default none, and none will be.
#[derive(Debug, Default)]
pub struct Aside {
    file: Option<Shared>,
    span: Duration,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its name.
    pub name: String,
    /// Why.
    pub class: Class,
    /// Until when, after the boot.
    until: Duration,
}

impl SetAside {
    /// For how long yet.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.until.saturating_sub(sys::boot_time())
    }
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, left) = (&self.name, in_words(self.left()));
        write!(f, "{name}: asked last for {left} ({})", self.class.as_str())
    }
}

impl Aside {
    /// Opens the file, as root; nothing is kept where `span` is zero.
    ///
    /// # Errors
    /// In words, when it cannot be opened: then none is set aside.
    pub fn open(span: Duration) -> Result<Self, String> {
        if span.is_zero() || !sys::is_root() {
            return Ok(Self::default());
        }
        let store = Store::new(&Places::default().run, Durability::Process);
        Ok(Self { file: Some(store.shared(NAME)?), span })
    }

    /// Those that are set aside now, and what is wrong with the file.
    #[must_use]
    pub fn look(&self) -> (Vec<SetAside>, Vec<String>) {
        let Some(file) = &self.file else { return Default::default() };
        match file.read().map(|text| parse(&text)) {
            Ok(Some(list)) => (list, Vec::new()),
            Ok(None) => {
                let said = format!("{}: is damaged, and begun anew", file.path().display());
                (Vec::new(), vec![said])
            }
            Err(said) => (Vec::new(), vec![said]),
        }
    }

    /// Writes down what came of a message: who is set aside from now on, and who no longer. Says what
    /// went wrong with that.
    pub fn note(&self, results: &[(String, Attempt)]) -> Option<String> {
        let file = self.file.as_ref()?;
        let now = sys::boot_time();
        let known = file.read().ok().and_then(|text| parse(&text));
        let changed = |list: &[SetAside]| {
            let mut list = list.to_vec();
            for (name, attempt) in results {
                let is_it = |one: &SetAside| one.name == *name;
                match attempt {
                    Attempt::Accepted => list.retain(|one| !is_it(one)),
                    Attempt::Unusable(class, _) => {
                        list.retain(|one| !is_it(one));
                        let until = now + self.span;
                        list.push(SetAside { name: name.clone(), class: *class, until });
                    }
                    _ => {}
                }
            }
            list
        };
        // What most logins come to: nothing was there, and nothing is.
        if known.is_some_and(|list| changed(&list) == list) {
            return None;
        }
        file.update(|text| print(&changed(&parse(text).unwrap_or_default()))).err()
    }
}

/// What `pam-sms status` tells: the same, of a file that may not be there.
///
/// # Errors
/// In words, when it cannot be read.
#[cfg(feature = "program")]
pub fn now() -> Result<Vec<SetAside>, String> {
    let store = Store::new(&Places::default().run, Durability::Process);
    let text = store.read(NAME).map_err(|error| error.to_string())?.unwrap_or_default();
    let damaged = || format!("{}: is damaged: remove it", store.path_of(NAME).display());
    parse(&text).ok_or_else(damaged)
}

/// Those that are set aside now; nothing where the text is not one of ours.
pub(crate) fn parse(text: &str) -> Option<Vec<SetAside>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let rest = text.strip_prefix(HEADER)?.strip_prefix("\nboot ")?;
    let (boot, rest) = rest.split_once('\n')?;
    let lines = rest.strip_suffix("end\n")?.lines();
    let list = lines.map(line).collect::<Option<Vec<_>>>()?;
    let now = sys::boot_time();
    let lasts = |one: &SetAside| one.until > now && one.until <= now + LONGEST;
    let is_of_this_boot = boot == this_boot();
    Some(list.into_iter().filter(|one| is_of_this_boot && lasts(one)).collect())
}

fn line(line: &str) -> Option<SetAside> {
    let mut words = line.strip_prefix("aside ")?.split(' ');
    let until = Duration::from_secs(words.next()?.parse::<u32>().ok()?.into());
    let class = words.next()?;
    let class =
        [Class::Auth, Class::Credit, Class::Config].into_iter().find(|c| c.as_str() == class)?;
    let name = percent_decode_str(words.next()?).decode_utf8().ok()?.into_owned();
    // It is shown to people.
    let is_plain = !name.is_empty() && !name.chars().any(char::is_control);
    (is_plain && words.next().is_none()).then_some(SetAside { name, class, until })
}

pub(crate) fn print(list: &[SetAside]) -> String {
    let mut text = format!("{HEADER}\nboot {}\n", this_boot());
    for SetAside { name, class, until } in list {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "aside {} {} {name}", until.as_secs(), class.as_str());
    }
    text + "end\n"
}

fn this_boot() -> String {
    fs::read_to_string(BOOT_ID).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, class: Class, seconds: u64) -> SetAside {
        let until = Duration::from_secs(sys::boot_time().as_secs() + seconds);
        SetAside { name: name.to_owned(), class, until }
    }

    #[test]
    fn what_was_written_is_read() {
        let list = vec![entry("twilio", Class::Auth, 600), entry("дом 2\n", Class::Credit, 60)];
        let read = parse(&print(&list[..1])).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].class), ("twilio", Class::Auth));
        assert!(read[0].until >= list[0].until);
        // A name that would break a line on somebody's terminal is no name of ours.
        assert_eq!(parse(&print(&list)), None);
        assert_eq!(parse(""), Some(Vec::new()));
        assert_eq!(parse(&print(&[])), Some(Vec::new()));
    }

    #[test]
    fn no_part_of_it_is_read_and_nothing_lasts_longer_than_a_day() {
        let text = print(&[entry("twilio", Class::Config, 600)]);
        for length in 1..text.len() {
            assert_eq!(parse(&text[..length]), None, "{length}");
        }
        for (from, to) in [("aside", "asides"), ("config", "recipient"), (" twilio", " ")] {
            assert_eq!(parse(&text.replacen(from, to, 1)), None, "{to}");
        }
        let none = Some(Vec::new());
        assert_eq!(parse(&text.replace(&this_boot(), "another")), none);
        assert_eq!(parse(&print(&[entry("twilio", Class::Auth, 2 * 86_400)])), none);
        let over = entry("twilio", Class::Auth, 0);
        assert_eq!(parse(&print(&[SetAside { until: Duration::ZERO, ..over }])), none);
    }
}
