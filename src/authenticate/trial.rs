//! A change of stacks on trial: whoever has logged in through it, with a code, is shown a word, and
//! only that word makes the change last.

use crate::state::Places;
use crate::state::{Durability, Store};

/// Under which name the word is kept in `/var/lib/pam-sms`.
const NAME: &str = "trial";

/// What a person is told who has logged in to `service` with a code, where it is on trial.
#[must_use]
pub fn notice(service: &str) -> Option<String> {
    let text = store().read(NAME).ok().flatten()?;
    let mut words = text.split_whitespace();
    let word = words.next()?;
    (words.next() == Some(service)).then(|| {
        format!(
            "pam_sms is on trial here. To keep it, run as root:\n  pam-sms enable --keep {word}"
        )
    })
}

#[cfg(feature = "program")]
mod program {
    use zeroize::Zeroizing;

    use super::{NAME, store};
    use crate::limits::backup::BackupCodes;
    use crate::state::StateError;

    /// A word that nobody can guess in five minutes.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn new_word() -> Result<String, rand::rngs::SysError> {
        let code = BackupCodes::default().add("", 1, None)?;
        Ok(code[0].expose()[..9].to_owned())
    }

    /// Has logins to `service` show the word.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn announce(word: &str, service: &str) -> Result<(), StateError> {
        let text = format!("{word} {service}\n");
        store().update(NAME, |_| Ok(((), Some(Zeroizing::new(text)))))
    }

    /// No login shows it any more.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget() -> Result<(), StateError> {
        store().forget(NAME).map(drop)
    }
}

#[cfg(feature = "program")]
pub use program::{announce, forget, new_word};

fn store() -> Store {
    Store::new(&Places::default().lib, Durability::Power)
}
