//! `"App {api_key}"`: text with the names of variables in it.

use serde::Deserialize;

/// A text with variables. `{name}` must have a value, `{name?}` may have none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Variable { name: String, optional: bool },
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// When a brace is not closed or holds no name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("`{text}`: a brace is not closed"))?;
            let (name, optional) =
                name.strip_suffix('?').map_or((name, false), |name| (name, true));
            if name.is_empty() {
                return Err(format!("`{text}`: a pair of braces holds no name"));
            }
            pieces.push(Piece::Literal(before.to_owned()));
            pieces.push(Piece::Variable { name: name.to_owned(), optional });
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// Whether it begins with this text, whatever the values are.
    pub fn begins_with(&self, text: &str) -> bool {
        matches!(self.0.first(), Some(Piece::Literal(literal)) if literal.starts_with(text))
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable { name, .. } => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// Puts values in, each encoded for the place. `Ok(None)` where an optional one has no value.
    ///
    /// # Errors
    /// With the name that has no value and needs one.
    pub fn fill<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
        encode: impl Fn(&str) -> String,
    ) -> Result<Option<String>, String> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Variable { name, optional } => match value(name) {
                    Some(value) => filled.push_str(&encode(value)),
                    None if *optional => return Ok(None),
                    None => return Err(name.clone()),
                },
            }
        }
        Ok(Some(filled))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(pattern: &str) -> Result<Option<String>, String> {
        let value = |name: &str| (name == "key").then_some("a/b");
        Pattern::parse(pattern).unwrap().fill(value, |text| text.replace('/', "%2F"))
    }

    #[test]
    fn values_are_encoded_and_literals_are_not() {
        assert_eq!(fill("/v1/{key}/x"), Ok(Some("/v1/a%2Fb/x".into())));
        assert_eq!(fill("plain"), Ok(Some("plain".into())));
    }

    #[test]
    fn what_is_not_set_is_left_out_or_named() {
        assert_eq!(fill("{from?}"), Ok(None));
        assert_eq!(fill("{from}"), Err("from".into()));
    }

    #[test]
    fn braces_are_checked() {
        assert!(Pattern::parse("{key").is_err());
        assert!(Pattern::parse("{}").is_err());
        assert!(Pattern::parse("{?}").is_err());
    }
}
