//! The text of a configuration, from one file or several, and where in it something stands.
//!
//! `config.toml` and `config.d/*.toml` are laid one after the other on a line of offsets, so that a
//! span in the merged tree still leads to the right line of the right file.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};
use zeroize::Zeroizing;

use super::file::{self, FileError, Trust};
use super::value::{Fault, Value};

/// The files of one configuration, in the order in which they count: later ones win.
#[derive(Debug)]
pub struct Sources {
    files: Vec<Source>,
    /// What works and should be mended.
    pub warnings: Vec<String>,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: Zeroizing<String>,
    /// Where this file begins on the common line of offsets.
    base: usize,
}

impl Sources {
    /// Reads `main` and, from the folder of the same name with `.d` for `.toml`, what is laid over it.
    ///
    /// # Errors
    /// When a file is missing, unreadable or not to be believed.
    pub fn load(main: &Path, trust: Trust) -> Result<Self, ConfigError> {
        let mut sources = Self { files: Vec::new(), warnings: Vec::new() };
        sources.add(main, file::SMALL, trust)?;
        let drop_ins = main.with_extension("d");
        match file::list_toml(&drop_ins, trust) {
            Ok(paths) => {
                for path in paths {
                    sources.add(&path, file::SMALL, trust)?;
                }
            }
            Err(error) if error.is_folder_missing() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(sources)
    }

    /// Reads one file only.
    ///
    /// # Errors
    /// When the file is missing, unreadable or not to be believed.
    pub fn single(path: &Path, limit: u64, trust: Trust) -> Result<Self, ConfigError> {
        let mut sources = Self { files: Vec::new(), warnings: Vec::new() };
        sources.add(path, limit, trust)?;
        Ok(sources)
    }

    /// Takes a text that is already here, under a name for the errors.
    #[must_use]
    pub fn from_text(name: &str, text: &str) -> Self {
        let text = Zeroizing::new(text.to_owned());
        let files = vec![Source { path: name.into(), text, base: 0 }];
        Self { files, warnings: Vec::new() }
    }

    fn add(&mut self, path: &Path, limit: u64, trust: Trust) -> Result<(), ConfigError> {
        let read = file::read(path, limit, trust)?;
        self.warnings.extend(read.warning);
        // One more than the length, so that the end of one file is not the start of the next.
        let base = self.files.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.files.push(Source { path: path.to_owned(), text: read.text, base });
        Ok(())
    }

    /// Parses and merges all files, and makes a `T` of the whole.
    ///
    /// # Errors
    /// With file, line and column, when a file is not TOML or does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let root = Spanned::new(self.whole(), DeValue::Table(self.merged()?));
        self.read(&root)
    }

    /// Makes a `T` of one value out of [`Sources::merged`].
    ///
    /// # Errors
    /// With file, line and column, when the value does not fit `T`.
    pub fn read<T: DeserializeOwned>(
        &self,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<T, ConfigError> {
        T::deserialize(Value(value)).map_err(|fault| self.fault(&fault, value.span()))
    }

    fn fault(&self, fault: &Fault, within: Range<usize>) -> ConfigError {
        let message = with_suggestion(fault.message());
        let span = fault.span().unwrap_or(within);
        // What is wrong with everything together (a key is missing) has no line.
        if span == self.whole() { self.error(message) } else { self.error_at(&span, message) }
    }

    fn whole(&self) -> Range<usize> {
        0..self.files.last().map_or(0, |last| last.base + last.text.len())
    }

    /// All files as one table: tables merge, arrays replace, a provider merges by its name.
    ///
    /// # Errors
    /// With file, line and column, when a file is not TOML.
    pub fn merged(&self) -> Result<DeTable<'_>, ConfigError> {
        let mut merged = DeTable::new();
        for source in &self.files {
            let table = DeTable::parse(&source.text).map_err(|error| {
                let span = error.span().unwrap_or_default();
                let span = source.base + span.start..source.base + span.end;
                self.error_at(&span, error.message().to_owned())
            })?;
            let table = shift_table(table.into_inner(), source.base);
            self.check_provider_names(&table)?;
            merge_table(&mut merged, table);
        }
        Ok(merged)
    }

    /// Two providers of one name in one file would quietly become one.
    fn check_provider_names(&self, table: &DeTable<'_>) -> Result<(), ConfigError> {
        let Some(providers) = table.get("provider").and_then(|value| value.get_ref().as_array())
        else {
            return Ok(());
        };
        let mut seen = Vec::new();
        for provider in providers.iter() {
            let Some(name) = provider.get_ref().as_table().and_then(provider_name) else {
                continue;
            };
            if seen.contains(&name) {
                let message = format!(
                    "two providers are called `{name}`: give one of them another `name = \"...\"`"
                );
                return Err(self.error_at(&provider.span(), message));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// An error about the place of `span`.
    #[must_use]
    pub fn error_at(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        let source = self.files.iter().rev().find(|source| source.base <= span.start);
        let Some(source) = source else { return self.error(message) };
        let before = source.text.get(..span.start - source.base).unwrap_or(&source.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        ConfigError { place: place(&source.path, line, column), message: message.into() }
    }

    /// An error about the value that these keys lead to.
    #[cfg(feature = "helper")]
    #[must_use]
    pub fn error_about(&self, keys: &[&str], message: impl Into<String>) -> ConfigError {
        let span = self.merged().ok().and_then(|merged| {
            let (first, rest) = keys.split_first()?;
            let mut value = merged.get(*first)?;
            for key in rest {
                value = value.get_ref().as_table()?.get(*key)?;
            }
            Some(value.span())
        });
        match span {
            Some(span) => self.error_at(&span, message),
            None => self.error(message),
        }
    }

    /// An error about the configuration as a whole.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> ConfigError {
        let place = self.files.first().map_or_else(String::new, |f| f.path.display().to_string());
        ConfigError { place, message: message.into() }
    }
}

fn place(path: &Path, line: usize, column: usize) -> String {
    format!("{}:{line}:{column}", path.display())
}

/// What is wrong with a configuration, and where.
#[derive(Debug)]
pub struct ConfigError {
    place: String,
    message: String,
}

impl ConfigError {
    /// An error that names its own place, or has none.
    pub fn new(message: impl Into<String>) -> Self {
        Self { place: String::new(), message: message.into() }
    }

    /// File, line and column, where they are known.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<FileError> for ConfigError {
    fn from(error: FileError) -> Self {
        Self::new(error.to_string())
    }
}

fn merge_table<'a>(into: &mut DeTable<'a>, from: DeTable<'a>) {
    for (key, value) in from {
        let Some(old) = into.get_mut(&key) else {
            into.insert(key, value);
            continue;
        };
        let span = value.span();
        match (old.get_mut(), value.into_inner()) {
            (DeValue::Table(old), DeValue::Table(new)) => merge_table(old, new),
            (DeValue::Array(old), DeValue::Array(new)) if key.get_ref() == "provider" => {
                merge_providers(old, new);
            }
            (_, new) => *old = Spanned::new(span, new),
        }
    }
}

fn merge_providers<'a>(into: &mut DeArray<'a>, from: DeArray<'a>) {
    for provider in from {
        let name = provider.get_ref().as_table().and_then(provider_name).map(str::to_owned);
        let known = into.iter_mut().find(|old| {
            name.is_some() && old.get_ref().as_table().and_then(provider_name) == name.as_deref()
        });
        match known.map(Spanned::get_mut) {
            Some(DeValue::Table(old)) => {
                if let DeValue::Table(new) = provider.into_inner() {
                    merge_table(old, new);
                }
            }
            _ => into.push(provider),
        }
    }
}

/// The name of a provider: `name`, else its kind.
fn provider_name<'t>(table: &'t DeTable<'_>) -> Option<&'t str> {
    table.get("name").or_else(|| table.get("kind")).and_then(|value| value.get_ref().as_str())
}

fn shift_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    // Most are one file, and that of the users may be a long one.
    if by == 0 {
        return table;
    }
    let mut shifted = DeTable::new();
    // Not collected: that would sort them, and they are.
    for (key, value) in table {
        shifted.insert(shift_key(key, by), shift_value(value, by));
    }
    shifted
}

fn shift_key(key: Spanned<DeString<'_>>, by: usize) -> Spanned<DeString<'_>> {
    Spanned::new(shift(&key.span(), by), key.into_inner())
}

fn shift_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = shift(&value.span(), by);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shift_table(table, by)),
        DeValue::Array(array) => {
            DeValue::Array(array.into_iter().map(|value| shift_value(value, by)).collect())
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

fn shift(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// Adds "did you mean" to serde's message about an unknown name, which lists the known ones.
fn with_suggestion(message: &str) -> String {
    let is_unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let nearest = match quoted.next() {
        Some(unknown) if is_unknown => nearest(unknown, quoted),
        _ => None,
    };
    match nearest {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
    }
}

/// The candidate that `typed` is a slip of the keyboard away from, if there is one.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|name| (strsim::osa_distance(typed, name), name))
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
