//! A JSON body of a description: what stands in it are patterns, parsed when the description is read,
//! so that a slip is found by `pam-sms check` and not by the first person who waits for a code.

use serde::Deserialize;

use super::pattern::Pattern;

/// A JSON value with patterns for its strings.
#[derive(Debug, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Json {
    /// A string.
    Text(Pattern),
    /// An object; a key whose pattern has nothing to say is left out.
    Object(Vec<(String, Json)>),
    /// An array, from which the same is left out.
    Array(Vec<Json>),
    /// A number or a truth value, sent as it is.
    Plain(serde_json::Value),
}

impl Json {
    /// All patterns in it.
    pub fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Text(pattern) => vec![pattern],
            Self::Object(entries) => entries.iter().flat_map(|(_, one)| one.patterns()).collect(),
            Self::Array(values) => values.iter().flat_map(Self::patterns).collect(),
            Self::Plain(_) => Vec::new(),
        }
    }

    /// Puts values in with `fill`. `Ok(None)` where an optional one has no value.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn fill(
        &self,
        fill: &dyn Fn(&Pattern) -> Result<Option<String>, String>,
    ) -> Result<Option<serde_json::Value>, String> {
        Ok(match self {
            Self::Text(pattern) => fill(pattern)?.map(serde_json::Value::String),
            Self::Object(entries) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    if let Some(value) = value.fill(fill)? {
                        object.insert(key.clone(), value);
                    }
                }
                Some(object.into())
            }
            Self::Array(values) => {
                let filled: Result<Vec<_>, _> = values.iter().map(|one| one.fill(fill)).collect();
                Some(filled?.into_iter().flatten().collect())
            }
            Self::Plain(value) => Some(value.clone()),
        })
    }
}

impl TryFrom<toml::Value> for Json {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::Text(Pattern::parse(&text)?),
            toml::Value::Table(table) => {
                let entries = table.into_iter().map(|(key, one)| Ok((key, Self::try_from(one)?)));
                Self::Object(entries.collect::<Result<_, String>>()?)
            }
            toml::Value::Array(values) => {
                Self::Array(values.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            toml::Value::Datetime(_) => {
                return Err("JSON has no dates: write it in quotes".to_owned());
            }
            plain => Self::Plain(serde_json::to_value(plain).map_err(|error| error.to_string())?),
        })
    }
}
