//! `[users.ldap]`: what may stand there, and what is made of it.

use std::fmt;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

use super::Directory;
use super::server::Server;
use crate::config::file::{self, SMALL, Trust};
use crate::config::model::{AbsolutePath, Config, Span};
use crate::config::source::{ConfigError, Sources};
use crate::gateway::{RUN_AS, connect};
use crate::people::Prefix;
use crate::secret::Secret;

/// Countries in which a number keeps its leading 0 abroad, or may, by their numbering plans: Italy with
/// San Marino and the Vatican, Ivory Coast, Congo, Gabon.
const KEEP_ZERO: [&str; 6] = ["+39", "+378", "+379", "+225", "+242", "+241"];

/// `[users.ldap]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The servers, in the order in which they are asked.
    url: OneOrMore,
    /// Where the search begins; everything below is searched.
    pub base: String,
    /// Which entry is meant; `{user}` is the account.
    #[serde(default = "filter")]
    pub filter: String,
    /// Where numbers stand, the preferred ones first.
    #[serde(default = "attribute")]
    pub attribute: OneOrMore,
    /// Where the language stands.
    #[serde(default = "language_attribute")]
    pub language_attribute: String,
    /// The country of numbers that begin with 0.
    pub country: Option<Prefix>,
    /// Whether an `ldap:` connection is encrypted before anything is said.
    #[serde(default)]
    start_tls: bool,
    /// Whether one that is not may lead to another machine.
    #[serde(default)]
    allow_plain: bool,
    /// As whom we ask; else as nobody.
    pub bind_dn: Option<String>,
    bind_password_file: Option<AbsolutePath>,
    /// Authorities to trust instead of the system's.
    ca_file: Option<AbsolutePath>,
    /// Who we are, for SASL EXTERNAL.
    certificate_file: Option<AbsolutePath>,
    key_file: Option<AbsolutePath>,
    /// How long the last good answer counts when no server can be reached; zero: it is not kept.
    #[serde(default)]
    pub cache: Span<0, 2_592_000, 0>,
    /// Which numbers count that are new in the directory.
    #[serde(default)]
    pub pin: Pin,
    /// Time for all servers together, which comes with the question.
    #[serde(default, rename = "timeout")]
    _timeout: Span<1, 30, 5>,
}

/// One text, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// `pin`: which numbers count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pin {
    /// Whatever the directory has.
    Off,
    /// Those of the first login that comes right; later ones need an admin's word.
    #[default]
    First,
    /// All need an admin's word.
    Strict,
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PinVisitor;

        impl Visitor<'_> for PinVisitor {
            type Value = Pin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or \"strict\"")
            }

            fn visit_bool<E: de::Error>(self, pins: bool) -> Result<Pin, E> {
                Ok(if pins { Pin::First } else { Pin::Off })
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Pin, E> {
                match word {
                    "strict" => Ok(Pin::Strict),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }

        deserializer.deserialize_any(PinVisitor)
    }
}

fn filter() -> String {
    "(&(objectClass=person)(uid={user}))".to_owned()
}

fn attribute() -> OneOrMore {
    OneOrMore::One("mobile".to_owned())
}

fn language_attribute() -> String {
    "preferredLanguage".to_owned()
}

impl Rules {
    /// The filter for one account, whatever its name is made of (RFC 4515, 3).
    #[must_use]
    pub fn filter_for(&self, user: &str) -> String {
        self.filter.replace("{user}", &ldap3::ldap_escape(user))
    }

    /// The attributes that are asked for.
    #[must_use]
    pub fn attributes(&self) -> Vec<&str> {
        let attributes = self.attribute.all().iter().map(String::as_str);
        attributes.chain([self.language_attribute.as_str()]).collect()
    }

    /// Whether we show a certificate of our own.
    #[must_use]
    pub fn has_identity(&self) -> bool {
        self.certificate_file.is_some()
    }

    fn judge(&self) -> Result<Vec<Server>, (&'static str, String)> {
        let fail = |key, said: &str| Err((key, said.to_owned()));
        if self.base.is_empty() {
            return fail("base", "`base` is empty: where do the people stand?");
        }
        if !self.filter.contains("{user}") {
            return fail("filter", "`filter` must name the account as {user}");
        }
        if ldap3::parse_filter(self.filter_for("alice")).is_err() {
            return fail("filter", "`filter` is no filter: write it like (uid={user})");
        }
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        };
        if self.attribute.all().is_empty() || !self.attributes().iter().all(is_name) {
            return fail("attribute", "an attribute is a name like mobile");
        }
        if let Some(country) = self.country.as_ref().filter(|c| KEEP_ZERO.contains(&c.as_str())) {
            let said = format!(
                "numbers of {} may keep their 0 abroad: write them with + in the directory",
                country.as_str()
            );
            return Err(("country", said));
        }
        match (&self.bind_dn, &self.bind_password_file, &self.certificate_file, &self.key_file) {
            (None, None, None, None) | (None, None, Some(_), Some(_)) => {}
            // An empty name with a password, or the other way round, binds as nobody and succeeds.
            (Some(dn), Some(_), None, None) if !dn.is_empty() => {}
            _ => {
                let said = "either `bind_dn` and `bind_password_file` go together, or \
                            `certificate_file` and `key_file`";
                return fail("bind_dn", said);
            }
        }
        let mut servers = Vec::new();
        for url in self.url.all() {
            let server = Server::parse(url, self.start_tls).map_err(|said| ("url", said))?;
            if !(server.is_encrypted() || server.is_here() || self.allow_plain) {
                let said = format!(
                    "{server} is not encrypted, who is on the way reads and changes every number: \
                     write ldaps:, or `start_tls = true`; or `allow_plain = true`"
                );
                return Err(("url", said));
            }
            if self.certificate_file.is_some() && !server.is_encrypted() {
                return fail("url", "`certificate_file` is of no use without encryption");
            }
            servers.push(server);
        }
        if servers.is_empty() {
            return fail("url", "`url` names no server");
        }
        Ok(servers)
    }
}

/// Judges the table, and reads the files that it names.
pub(super) fn read(sources: &Sources, trust: Trust) -> Result<Option<Directory>, ConfigError> {
    let merged = sources.merged()?;
    let users = merged.get("users").and_then(|users| users.get_ref().as_table());
    let Some(table) = users.and_then(|users| users.get("ldap")) else { return Ok(None) };
    let rules: Rules = sources.read(table)?;
    let about = |key: &str, said: String| sources.error_about(&["users", "ldap", key], said);
    let servers = rules.judge().map_err(|(key, said)| about(key, said))?;
    let config: Config = sources.parse()?;
    let run_as = config.delivery.run_as.unwrap_or_else(|| RUN_AS.to_owned());
    let unenrolled = config.users.unenrolled;
    let mut warnings = sources.warnings.clone();
    let mut secret = |path: &Option<AbsolutePath>| {
        let Some(path) = path else { return Ok(None) };
        let read = file::read(path.as_path(), SMALL, trust)?;
        warnings.extend(read.warning);
        Ok::<_, ConfigError>(Some(read.text))
    };
    let password = match secret(&rules.bind_password_file)? {
        Some(text) => Some(one_line(&text).ok_or_else(|| {
            about("bind_password_file", "it must hold one line, and not an empty one".to_owned())
        })?),
        None => None,
    };
    let key = secret(&rules.key_file)?;
    let tls = match servers.iter().any(Server::is_encrypted) {
        true => {
            let [ca, certificate] = [&rules.ca_file, &rules.certificate_file].map(public(trust));
            let identity = certificate?.zip(key);
            let identity = identity.as_ref().map(|(chain, key)| (chain.as_slice(), key.as_bytes()));
            Some(tls(ca?.as_deref(), identity).map_err(|said| about("ca_file", said))?)
        }
        false => None,
    };
    Ok(Some(Directory { rules, run_as, unenrolled, servers, password, tls, warnings }))
}

/// Whoever may read it.
fn public(trust: Trust) -> impl Fn(&Option<AbsolutePath>) -> Result<Option<Vec<u8>>, ConfigError> {
    move |path| {
        let Some(path) = path else { return Ok(None) };
        Ok(Some(file::read(path.as_path(), SMALL, trust)?.text.as_bytes().to_vec()))
    }
}

/// A secret loses one newline at its end. An empty one would bind as nobody, and succeed.
fn one_line(text: &str) -> Option<Secret> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let is_good = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_good.then(|| Secret::from(text.to_owned()))
}

fn tls(ca: Option<&[u8]>, identity: Option<(&[u8], &[u8])>) -> Result<ClientConfig, String> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(connect::roots(ca)?);
    let Some((chain, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|error| format!("`certificate_file`: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("`key_file`: {error}"))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("`certificate_file` and `key_file`: {error}"))
}

#[cfg(test)]
mod tests;
