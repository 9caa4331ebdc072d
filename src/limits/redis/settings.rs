//! What the configuration says about the store: where it is, how we show who we are, whom we trust.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use redis::{Pipeline, pipe};
use reqwest::Url;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use sha2::Sha256;

use crate::config::file::{self, Contents, Trust};
use crate::config::model::AbsolutePath;
use crate::config::source::{ConfigError, Sources};
use crate::limits::backup::hex;
use crate::secret::Secret;

/// Largest file of a password or of authorities, in bytes.
const SMALL: u64 = 256 << 10;
/// What the key of the numbers is made for, so that it is good for nothing else.
const PURPOSE: &[u8] = b"pam-sms: numbers in the store";
/// Where servers listen, and sentinels, when nothing else is said.
const SERVER: u16 = 6379;
const SENTINEL: u16 = 26379;

/// A store, and how to be let in.
pub struct Settings {
    /// In the order in which they are tried: servers, or sentinels where there is a `master`.
    pub servers: Vec<Address>,
    /// The name by which sentinels know the servers.
    pub master: Option<String>,
    /// An ACL user; that of old servers without a name is `default`.
    pub user: Option<String>,
    /// The password of that user.
    pub password: Secret,
    /// A PEM file of authorities to trust instead of the system's.
    pub authorities: Option<Vec<u8>>,
    /// What numbers are hashed with.
    pub key: Secret,
    /// What works and should be mended, for `check`.
    pub warnings: Vec<String>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or a number.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub is_encrypted: bool,
    /// The number of its database.
    pub database: u16,
}

/// `[limits]`, of which all else is read elsewhere.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tables {
    limits: Keys,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    store: Addresses,
    store_master: Option<String>,
    store_user: Option<String>,
    store_password_file: Option<AbsolutePath>,
    store_ca_file: Option<AbsolutePath>,
}

impl Settings {
    /// Reads them; nothing, where no store is named.
    ///
    /// # Errors
    /// With the place of what is wrong.
    pub fn read(sources: &Sources, trust: Trust) -> Result<Option<Self>, ConfigError> {
        let keys = sources.parse::<Tables>()?.limits;
        let wrong = |key, said: String| Err(sources.error_about(&["limits", key], said));
        if keys.store.0.is_empty() {
            return Ok(None);
        }
        if keys.store_master.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return wrong("store_master", "`store_master` is empty".to_owned());
        }
        let port = if keys.store_master.is_some() { SENTINEL } else { SERVER };
        let servers = keys.store.0.iter().map(|written| address(written, port)).collect();
        let servers = match servers {
            Ok(servers) => servers,
            Err(said) => return wrong("store", said),
        };
        let Some(path) = keys.store_password_file else {
            return wrong("store", "a store needs `store_password_file`".to_owned());
        };
        if keys.store_user.as_deref().is_some_and(|user| user.trim().is_empty()) {
            return wrong("store_user", "`store_user` is empty".to_owned());
        }
        let (password, warning) = password(path.as_path(), trust)?;
        let authorities = match &keys.store_ca_file {
            Some(path) => {
                let pem = file::read(path.as_path(), SMALL, trust)?.text.as_bytes().to_vec();
                match crate::gateway::connect::authorities(&pem) {
                    Ok(_) => Some(pem),
                    Err(said) => return wrong("store_ca_file", said),
                }
            }
            None => None,
        };
        let key = key(&password).map_err(ConfigError::new)?;
        let Keys { store_master: master, store_user: user, .. } = keys;
        let warnings = warning.into_iter().collect();
        Ok(Some(Self { servers, master, user, password, authorities, key, warnings }))
    }

    /// What shows who we are.
    pub fn greeting(&self) -> Pipeline {
        let mut greeting = pipe();
        let auth = greeting.cmd("AUTH");
        if let Some(user) = &self.user {
            auth.arg(user);
        }
        auth.arg(self.password.expose()).ignore();
        greeting
    }
}

/// A password in a file of its own loses one newline at its end. An empty one is none.
fn password(path: &Path, trust: Trust) -> Result<(Secret, Option<String>), ConfigError> {
    let Contents { text, warning } = file::read(path, SMALL, trust)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() || text.chars().any(char::is_control) {
        let said = format!("{}: must hold one line, and not an empty one", path.display());
        return Err(ConfigError::new(said));
    }
    Ok((Secret::from(text.to_owned()), warning))
}

/// All hosts have the password and the store does not: a copy of what it keeps names no number.
fn key(password: &Secret) -> Result<Secret, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(password.expose().as_bytes())
        .map_err(|error| error.to_string())?;
    mac.update(PURPOSE);
    Ok(Secret::from(hex(&mac.finalize().into_bytes())))
}

fn address(written: &str, port: u16) -> Result<Address, String> {
    // Without the address: a password may stand in it.
    let wrong = || "`store` must be an address like rediss://redis.example.org:6379".to_owned();
    let url = Url::parse(written).map_err(|error| format!("{}: {error}", wrong()))?;
    if url.password().is_some() || !url.username().is_empty() {
        return Err("`store` holds a name or a password: write them in `store_user` and a file \
                    that `store_password_file` names"
            .to_owned());
    }
    let is_bare = url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().filter(|host| !host.is_empty());
    let (Some(host), true) = (host, is_bare) else { return Err(wrong()) };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let database = match url.path().trim_start_matches('/') {
        "" => 0,
        number => number.parse().map_err(|_| wrong())?,
    };
    let is_encrypted = match url.scheme() {
        "rediss" | "valkeys" => true,
        "redis" | "valkey" if is_loopback(&host) => false,
        "redis" | "valkey" => {
            return Err("`store` is not encrypted: only rediss:// leaves this host".to_owned());
        }
        _ => return Err(wrong()),
    };
    Ok(Address { host, port: url.port().unwrap_or(port), is_encrypted, database })
}

/// Whether what goes there stays on this host.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// One address, or a list of them.
#[derive(Default)]
struct Addresses(Vec<String>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address like \"rediss://redis.example.org:6379\", or a list")
            }

            fn visit_str<E>(self, text: &str) -> Result<Addresses, E> {
                Ok(Addresses(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Addresses, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(Addresses(all))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(limits: &str, password: &str) -> Result<Option<Settings>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, password).unwrap();
        let text = format!(
            "[limits]\nlockout = '15m'\n{}",
            limits.replace("FILE", file.to_str().unwrap())
        );
        let sources = Sources::from_text("config.toml", &text);
        Settings::read(&sources, Trust::Anyone).map_err(|error| error.to_string())
    }

    #[test]
    fn a_store_is_one_address_or_several_and_a_password() {
        let one = "store = 'rediss://redis.example.org'\nstore_password_file = 'FILE'";
        let settings = read(one, "secret\n").unwrap().unwrap();
        let host = "redis.example.org".to_owned();
        let address = Address { host, port: 6379, is_encrypted: true, database: 0 };
        assert_eq!(settings.servers, [address]);
        assert_eq!(settings.password.expose(), "secret");
        assert_eq!(settings.key.expose().len(), 64);
        assert!(!settings.key.expose().contains("secret"));

        let two = "store = ['redis://127.0.0.1:1/3', 'rediss://[::1]:2']\nstore_user = 'sms'\n\
                   store_password_file = 'FILE'";
        let settings = read(two, "secret").unwrap().unwrap();
        let places: Vec<_> = settings
            .servers
            .iter()
            .map(|one| (one.host.as_str(), one.port, one.database))
            .collect();
        assert_eq!(places, [("127.0.0.1", 1, 3), ("::1", 2, 0)]);
        assert!(settings.master.is_none());

        let sentinels = "store = ['rediss://one.example.org', 'rediss://other.example.org:7']\n\
                         store_master = 'house'\nstore_password_file = 'FILE'";
        let settings = read(sentinels, "secret").unwrap().unwrap();
        let ports: Vec<_> = settings.servers.iter().map(|one| one.port).collect();
        assert_eq!((ports, settings.master.as_deref()), (vec![26379, 7], Some("house")));
        assert!(read("", "").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_with_a_store_is_said_with_its_place_and_without_a_secret() {
        let with = |store: &str| format!("store = {store}\nstore_password_file = 'FILE'");
        for (limits, password, said) in [
            (with("'redis://10.0.0.1'"), "x", "not encrypted"),
            (with("'redis://:hunter2@localhost'"), "x", "store_password_file"),
            (with("'rediss://h#insecure'"), "x", "must be an address"),
            (with("'rediss://h/x'"), "x", "must be an address"),
            (with("'http://localhost'"), "x", "must be an address"),
            (with("7"), "x", "an address like"),
            (with("'rediss://h'"), "\n", "not an empty one"),
            (with("'rediss://h'\nstore_user = ''"), "x", "`store_user` is empty"),
            (with("'rediss://h'\nstore_master = ' '"), "x", "`store_master` is empty"),
            (with("'rediss://h'\nstore_ca_file = 'FILE'"), "x", "no certificate"),
            ("store = 'rediss://h'".to_owned(), "x", "needs `store_password_file`"),
        ] {
            let error = read(&limits, password).err().unwrap_or_else(|| panic!("{limits}"));
            assert!(error.contains(said), "{limits}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
