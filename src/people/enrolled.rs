//! Numbers that people gave themselves at a login: one small file each in `/var/lib/pam-sms`, in the
//! form of the users folder. They count after the admin's own places.

use zeroize::Zeroizing;

use super::{PhoneNumber, Record};
use crate::config::source::{ConfigError, Sources};
use crate::state::Places;
use crate::state::{Durability, StateError, Store};

/// The record of `user`, if they ever gave one.
pub fn find(places: &Places, user: &str) -> Result<Option<Record>, ConfigError> {
    let store = store(places);
    let Some(text) = store.read(&file(user))? else { return Ok(None) };
    let path = store.path_of(&file(user));
    Sources::from_text(&path.display().to_string(), &text).parse().map(Some)
}

/// Stores the number that `user` has confirmed. It never replaces another.
///
/// # Errors
/// When there is one already, or it cannot be stored.
pub fn keep(places: &Places, user: &str, number: &PhoneNumber) -> Result<(), ConfigError> {
    let kept = store(places).update(&file(user), |text| match text {
        Some(_) => Ok((false, None)),
        None => {
            let text = format!("phones = [\"{}\"]\n", number.as_e164());
            Ok::<_, StateError>((true, Some(Zeroizing::new(text))))
        }
    });
    match kept? {
        true => Ok(()),
        false => Err(ConfigError::new("another login has stored a number meanwhile")),
    }
}

/// Who gave a number themselves.
#[cfg(feature = "program")]
pub fn names(places: &Places) -> Result<Vec<String>, ConfigError> {
    let names = store(places).names()?;
    let names = names.iter().filter_map(|name| name.strip_prefix("enrolled-"));
    Ok(names.map(str::to_owned).collect())
}

/// Forgets the number that `user` gave, and says whether there was one.
#[cfg(feature = "program")]
pub fn forget(places: &Places, user: &str) -> Result<bool, ConfigError> {
    Ok(store(places).forget_if_kept(&file(user))?)
}

fn store(places: &Places) -> Store {
    Store::new(&places.lib, Durability::Power)
}

fn file(user: &str) -> String {
    format!("enrolled-{user}")
}

impl From<StateError> for ConfigError {
    fn from(error: StateError) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places { run: folder.path().join("run"), lib: folder.path().join("lib") };
        let [first, second] = ["+4915123456723", "+4915123456789"].map(|n| n.parse().unwrap());
        assert_eq!(find(&places, "alice").unwrap(), None);
        keep(&places, "alice", &first).unwrap();
        keep(&places, "alice", &second).unwrap_err();
        assert_eq!(find(&places, "alice").unwrap().unwrap().phones, [first]);
        assert_eq!(find(&places, "bob").unwrap(), None);
    }
}
