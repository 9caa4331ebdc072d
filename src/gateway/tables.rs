//! The `[[provider]]` tables, judged against the descriptions of their kinds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use toml::{Spanned, Value};

use super::description::{BUILT_IN, COMMON, Description, Key};
use super::http::{self, HttpProvider};
use super::modem::{self, Modem};
use super::outbox;
use super::provider::{Channel, Provider};
use crate::config::file::{self, SMALL, Trust};
use crate::config::model::{AbsolutePath, Span};
use crate::config::source::{ConfigError, Sources, nearest};
use crate::people::Prefix;
use crate::secret::Secret;

/// The `[[provider]]` tables as they stand in the file.
pub type Tables = Vec<Spanned<Table>>;
type Table = BTreeMap<Spanned<String>, Spanned<Value>>;

/// Reads provider tables, with what they need to know of the rest.
pub struct Reader<'a> {
    /// Where they stand.
    pub sources: &'a Sources,
    /// The configuration's path.
    pub config: &'a Path,
    /// Whose files are believed.
    pub trust: Trust,
    /// Whether the outbox is opened.
    pub open: bool,
    /// The authorities for providers without a `ca_file` of their own.
    pub ca_file: Option<&'a AbsolutePath>,
    /// The only proxy that is used.
    pub proxy: Option<Url>,
    /// What works and should be mended, as it is found.
    pub warnings: RefCell<Vec<String>>,
}

impl Reader<'_> {
    /// Reads all tables; without any, messages go to the outbox.
    ///
    /// # Errors
    /// With file, line and column of what is wrong.
    pub fn read(&self, tables: Tables) -> Result<Vec<Provider>, ConfigError> {
        if tables.is_empty() {
            let channel = self.outbox(Path::new(outbox::DEFAULT_PATH))?;
            return Ok(vec![Provider {
                name: "outbox".to_owned(),
                countries: Vec::new(),
                countries_only: false,
                timeout: None,
                channel,
            }]);
        }
        tables.into_iter().map(|table| self.provider(table)).collect()
    }

    fn provider(&self, table: Spanned<Table>) -> Result<Provider, ConfigError> {
        let span = table.span();
        let mut keys = Keys { reader: self, span, table: table.into_inner() };
        let kind = keys.text("kind")?.ok_or_else(|| keys.missing("`kind = \"...\"`"))?;
        let name = keys.text("name")?.unwrap_or_else(|| kind.clone());
        let countries = keys.countries()?;
        let countries_only = keys.flag("countries_only")?;
        let timeout = keys.time("timeout")?;
        let channel = if kind == "outbox" {
            let path = keys.text("path")?.unwrap_or_else(|| outbox::DEFAULT_PATH.to_owned());
            keys.nothing_else(["path"].into_iter())?;
            self.outbox(Path::new(&path))?
        } else if let Some((key, default)) = modem::key(&kind) {
            let path = keys.text(key)?.unwrap_or_else(|| default.to_owned());
            keys.nothing_else([key].into_iter())?;
            Channel::Modem(Modem::new(&kind, &path).map_err(|said| keys.error(said))?)
        } else {
            Channel::Http(Box::new(self.http(&kind, keys)?))
        };
        Ok(Provider { name, countries, countries_only, timeout, channel })
    }

    fn outbox(&self, path: &Path) -> Result<Channel, ConfigError> {
        if !self.open {
            return Ok(Channel::Outbox(None));
        }
        let fail = |error| ConfigError::new(format!("{}: {error}", path.display()));
        outbox::open(path).map(Some).map(Channel::Outbox).map_err(fail)
    }

    fn http(&self, kind: &str, mut keys: Keys<'_>) -> Result<HttpProvider, ConfigError> {
        let description = self.description(kind, &mut keys)?;
        let base_url = keys.text("base_url")?;
        let allow_http = keys.flag("allow_http")?;
        let ca_file = keys.text("ca_file")?;
        let values = keys.values(&description)?;
        keys.nothing_else(description.keys.keys().map(String::as_str))?;
        keys.check_needs(&description, &values)?;

        let ca_path = ca_file.as_deref().map(Path::new);
        let ca_path = ca_path.or(self.ca_file.map(AbsolutePath::as_path));
        let authorities = match ca_path {
            // Whoever may read them: they are public, and the system's own are everybody's to read.
            Some(path) => Some(file::read(path, SMALL, self.trust)?.text.as_bytes().to_vec()),
            None => None,
        };
        let proxy = self.proxy.clone();
        let parts = http::Parts { description, values, base_url, allow_http, authorities, proxy };
        HttpProvider::new(parts).map_err(|said| self.sources.error_at(&keys.span, said))
    }

    /// The description of a kind: built in, or for `http` the admin's own in `providers.d`.
    fn description(&self, kind: &str, keys: &mut Keys<'_>) -> Result<Description, ConfigError> {
        if kind == "http" {
            let name = keys.text("description")?;
            let name = name.ok_or_else(|| keys.missing("`description = \"...\"`"))?;
            if name.is_empty()
                || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            {
                return Err(
                    keys.error("`description` is the name of a file in providers.d, without .toml")
                );
            }
            let path = self.config.with_file_name("providers.d").join(name).with_extension("toml");
            let sources = Sources::single(&path, SMALL, self.trust)?;
            self.warn(&sources.warnings);
            return checked(sources.parse()?).map_err(|said| sources.error(said));
        }
        if kind == "aws-sns" && !cfg!(feature = "sns") {
            return Err(keys.error("`aws-sns` was left out when this pam-sms was built"));
        }
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == kind) else {
            let known = BUILT_IN.iter().map(|(kind, _)| *kind);
            let known = known.chain(modem::KINDS).chain(["http", "outbox"]);
            let hint = nearest(kind, known.clone())
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(keys.error(format!("unknown kind `{kind}`, known are {known}{hint}")));
        };
        let sources = Sources::from_text(kind, text);
        checked(sources.parse()?).map_err(|said| sources.error(said))
    }

    /// Each once: the file of a key is often one for several providers.
    fn warn<'w>(&self, found: impl IntoIterator<Item = &'w String>) {
        let mut warnings = self.warnings.borrow_mut();
        for warning in found {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
    }
}

fn checked(description: Description) -> Result<Description, String> {
    description.check().map(|()| description)
}

/// The keys of one table, taken out one after the other.
struct Keys<'a> {
    reader: &'a Reader<'a>,
    span: std::ops::Range<usize>,
    table: Table,
}

impl Keys<'_> {
    fn take(&mut self, name: &str) -> Option<Spanned<Value>> {
        let key = self.table.keys().find(|key| key.get_ref() == name)?.clone();
        self.table.remove(&key)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let span = value.span();
        let fail = |said: String| Err(self.reader.sources.error_at(&span, said));
        match value.into_inner() {
            Value::String(text) if text.is_empty() => fail(format!("`{name}` is empty")),
            Value::String(text) if text.chars().any(char::is_control) => {
                fail(format!("`{name}` must not hold control characters"))
            }
            Value::String(text) => Ok(Some(text)),
            other => fail(format!("`{name}` must be a text in quotes, not {}", other.type_str())),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool, ConfigError> {
        match self.take(name).map(|value| (value.span(), value.into_inner())) {
            None => Ok(false),
            Some((_, Value::Boolean(flag))) => Ok(flag),
            Some((span, _)) => {
                Err(self.reader.sources.error_at(&span, format!("`{name}` must be true or false")))
            }
        }
    }

    fn time(&mut self, name: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let span = value.span();
        let parsed: Result<Span<1, 60, 10>, _> = value.into_inner().try_into();
        parsed.map(|time| Some(time.get())).map_err(|error| {
            let said = format!("`{name}`: {}", error.message());
            self.reader.sources.error_at(&span, said)
        })
    }

    fn countries(&mut self) -> Result<Vec<Prefix>, ConfigError> {
        let Some(value) = self.take("countries") else { return Ok(Vec::new()) };
        let span = value.span();
        let parsed: Result<Vec<Prefix>, _> = value.into_inner().try_into();
        parsed.map_err(|error| {
            let said = format!("`countries` must be prefixes like [\"+49\"]: {}", error.message());
            self.reader.sources.error_at(&span, said)
        })
    }

    /// The values of the description's own keys, secrets from their files.
    fn values(
        &mut self,
        description: &Description,
    ) -> Result<BTreeMap<String, Secret>, ConfigError> {
        let mut values = BTreeMap::new();
        for (name, key) in &description.keys {
            let mut value = self.text(name)?.map(Secret::from);
            let twin = format!("{name}_file");
            if let Some(path) = key.secret.then(|| self.text(&twin)).transpose()?.flatten() {
                if value.is_some() {
                    return Err(self.error(format!("both `{name}` and `{twin}` are set")));
                }
                value = Some(self.secret(Path::new(&path))?);
            }
            if let Some(value) = value {
                self.check_value(name, key, &value)?;
                // An empty password is no password to some servers.
                if value.expose().trim().is_empty() {
                    return Err(self.error(format!("`{name}` is empty")));
                }
                values.insert(name.clone(), value);
            }
        }
        Ok(values)
    }

    fn check_value(&self, name: &str, key: &Key, value: &Secret) -> Result<(), ConfigError> {
        if key.values.is_empty() || key.values.iter().any(|known| known == value.expose()) {
            return Ok(());
        }
        Err(self.error(format!("`{name}` must be one of: {}", key.values.join(", "))))
    }

    /// A secret in a file of its own loses one newline at its end.
    fn secret(&self, path: &Path) -> Result<Secret, ConfigError> {
        let read = file::read(path, SMALL, self.reader.trust)?;
        self.reader.warn(&read.warning);
        let secret = read.text.strip_suffix('\n').unwrap_or(&read.text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        if secret.is_empty() || secret.chars().any(char::is_control) {
            let said = format!("{}: must hold one line, and not an empty one", path.display());
            return Err(ConfigError::new(said));
        }
        Ok(Secret::from(secret.to_owned()))
    }

    fn nothing_else<'n>(&self, known: impl Iterator<Item = &'n str>) -> Result<(), ConfigError> {
        let Some(unknown) = self.table.keys().next() else { return Ok(()) };
        let known: Vec<_> = known.chain(COMMON).collect();
        let name = unknown.get_ref();
        let hint = nearest(name, known.iter().copied())
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        let said = format!("unknown key `{name}`, known are {}{hint}", known.join(", "));
        Err(self.reader.sources.error_at(&unknown.span(), said))
    }

    fn check_needs(
        &self,
        description: &Description,
        values: &BTreeMap<String, Secret>,
    ) -> Result<(), ConfigError> {
        for choice in &description.needs {
            let complete = |set: &&Vec<String>| set.iter().all(|key| values.contains_key(key));
            if !choice.iter().any(|set| complete(&set)) {
                let sets: Vec<_> = choice.iter().map(|set| set.join(" and ")).collect();
                return Err(self.missing(&sets.join(", or ")));
            }
        }
        Ok(())
    }

    fn missing(&self, what: &str) -> ConfigError {
        self.error(format!("this provider needs {what}"))
    }

    fn error(&self, said: impl Into<String>) -> ConfigError {
        self.reader.sources.error_at(&self.span, said)
    }
}
