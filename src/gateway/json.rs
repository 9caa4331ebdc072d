//! A JSON body of a description: what stands in it are patterns, parsed when the description is read,
//! so that a slip is found by `pam-sms check` and not by the first person who waits for a code.

use serde::Deserialize;

use super::description::Condition;
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
    /// `{ when = "ucs2", value = 1 }`: left out unless the condition holds.
    When(Condition, Box<Json>),
}

/// What a body needs to know of a message.
pub trait Values {
    /// Puts values into a pattern. `Ok(None)` where an optional one has no value.
    ///
    /// # Errors
    /// When one that must have a value has none.
    fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String>;

    /// Whether a condition holds.
    fn holds(&self, condition: &Condition) -> bool;
}

impl Json {
    /// All patterns in it.
    pub fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Text(pattern) => vec![pattern],
            Self::Object(entries) => entries.iter().flat_map(|(_, one)| one.patterns()).collect(),
            Self::Array(values) => values.iter().flat_map(Self::patterns).collect(),
            Self::Plain(_) => Vec::new(),
            Self::When(_, value) => value.patterns(),
        }
    }

    /// All conditions in it.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            Self::Text(_) | Self::Plain(_) => Vec::new(),
            Self::Object(entries) => entries.iter().flat_map(|(_, one)| one.conditions()).collect(),
            Self::Array(values) => values.iter().flat_map(Self::conditions).collect(),
            Self::When(condition, value) => [vec![condition], value.conditions()].concat(),
        }
    }

    /// Puts values in. `Ok(None)` where an optional one has no value, or a condition does not hold.
    ///
    /// # Errors
    /// Those of [`Values::fill`].
    pub fn fill(&self, with: &impl Values) -> Result<Option<serde_json::Value>, String> {
        Ok(match self {
            Self::Text(pattern) => with.fill(pattern)?.map(serde_json::Value::String),
            Self::Object(entries) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    if let Some(value) = value.fill(with)? {
                        object.insert(key.clone(), value);
                    }
                }
                Some(object.into())
            }
            Self::Array(values) => {
                let filled: Result<Vec<_>, _> = values.iter().map(|one| one.fill(with)).collect();
                Some(filled?.into_iter().flatten().collect())
            }
            Self::Plain(value) => Some(value.clone()),
            Self::When(condition, value) if with.holds(condition) => value.fill(with)?,
            Self::When(..) => None,
        })
    }
}

/// An object of an API that has just these two keys cannot be written; none is known.
fn is_conditional(table: &toml::Table) -> bool {
    table.len() == 2
        && table.contains_key("value")
        && table.get("when").is_some_and(toml::Value::is_str)
}

impl Json {
    fn conditional(mut table: toml::Table) -> Result<Self, String> {
        let when = table.get("when").and_then(toml::Value::as_str).map(Condition::from);
        match (when, table.remove("value")) {
            (Some(when), Some(value)) => Ok(Self::When(when, Box::new(Self::try_from(value)?))),
            _ => Err("a condition needs `when` and `value`".to_owned()),
        }
    }
}

impl TryFrom<toml::Value> for Json {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::Text(Pattern::parse(&text)?),
            toml::Value::Table(table) if is_conditional(&table) => Self::conditional(table)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A message whose text fits no GSM alphabet, from an admin who has set no key.
    struct Ucs2;

    impl Values for Ucs2 {
        fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String> {
            pattern.fill(|name| (name == "text").then_some("код"), str::to_owned)
        }

        fn holds(&self, condition: &Condition) -> bool {
            *condition == Condition::Ucs2
        }
    }

    fn filled(body: &str) -> String {
        let table: toml::Value = toml::Value::Table(body.parse().unwrap());
        Json::try_from(table).unwrap().fill(&Ucs2).unwrap().unwrap().to_string()
    }

    #[test]
    fn what_has_a_condition_is_left_out_without_it() {
        let ucs2 = "m = '{text}'\nunicode = { when = 'ucs2', value = 1 }";
        assert_eq!(filled(ucs2), r#"{"m":"код","unicode":1}"#);
        assert_eq!(filled(&ucs2.replace("ucs2", "gsm7")), r#"{"m":"код"}"#);
        // Only a text in `when` makes a condition of it.
        let plain = "a = { when = 5, value = 1 }\nb = { when = 'x', value = 1, more = 2 }";
        assert_eq!(
            filled(plain),
            r#"{"a":{"value":1,"when":5},"b":{"more":2,"value":1,"when":"x"}}"#
        );
    }

    #[test]
    fn what_stands_behind_a_condition_is_checked_too() {
        let table = "a = [{ when = 'mode=x', value = '{from}' }]".parse().unwrap();
        let json = Json::try_from(toml::Value::Table(table)).unwrap();
        assert_eq!(json.conditions(), [&Condition::Is("mode".into(), "x".into())]);
        assert_eq!(json.patterns().len(), 1);
    }
}
