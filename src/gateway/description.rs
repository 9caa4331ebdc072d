//! How a provider takes a text, as data.
//!
//! A description says what an admin writes down (`keys`, `needs`), what is sent (`request`), what
//! counts as taken (`accepted`), and what an error means (`error`). One engine ([`super::http`])
//! does what it says. Values are [`Pattern`]s over named variables, each encoded for the place where
//! it stands and never pasted into a body.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use besides::{Balance, Check, Status, Voice};
pub use built_in::BUILT_IN;
pub use class::Class;
pub use condition::Condition;
pub use regex::Regex;
#[cfg(feature = "sns")]
pub use request::Sign;
pub use request::{Basic, Field, Method, Request};

use super::json::Json;
use super::pattern::Pattern;

mod besides;
mod built_in;
mod class;
mod condition;
mod regex;
mod request;

/// Keys that every provider takes.
pub const COMMON: [&str; 8] =
    ["kind", "name", "countries", "countries_only", "base_url", "ca_file", "allow_http", "timeout"];

/// How one kind of provider takes a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// What it is, for people.
    pub about: String,
    /// What an admin writes into the `[[provider]]` table.
    pub keys: BTreeMap<String, Key>,
    /// Each row is a choice of sets of keys, of which at least one must be complete.
    #[serde(default)]
    pub needs: Vec<Vec<Vec<String>>>,
    /// Where the provider is, unless the admin says otherwise; the first that applies.
    #[serde(default)]
    pub base_url: Vec<Value>,
    /// Letters that a text must not hold, since they mean something else there.
    #[serde(default)]
    pub not_in_text: Vec<String>,
    /// What is sent.
    pub request: Request,
    /// What counts as taken.
    pub accepted: Accepted,
    /// What an error looks like, and means.
    #[serde(default)]
    pub error: Errors,
    /// How it is asked how much money is left, where it can be.
    #[serde(default)]
    pub balance: Option<Balance>,
    /// How it calls and reads a text aloud, where it can.
    #[serde(default)]
    pub voice: Option<Voice>,
    /// How it is asked whether a code is right, where it makes the codes itself.
    #[serde(default)]
    pub check: Option<Check>,
    /// How it is asked what became of a message, where it can be.
    #[serde(default)]
    pub status: Option<Status>,
}

/// One key of a `[[provider]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What it is, for people.
    pub about: String,
    /// Whether it may come from a file of its own (`_file`) and is never shown.
    #[serde(default)]
    pub secret: bool,
    /// The only values that it may have; none: any.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A value with a condition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The value.
    pub value: Pattern,
    /// Only when all of this holds for the keys.
    #[serde(default)]
    pub when: Vec<Condition>,
}

/// What counts as taken: all of it must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The HTTP status is one of these.
    pub status: Vec<u16>,
    /// The JSON value at each place is this one.
    #[serde(default)]
    pub equals: BTreeMap<String, toml::Value>,
    /// The JSON value at each place is one of these.
    #[serde(default)]
    pub one_of: BTreeMap<String, Vec<toml::Value>>,
    /// The JSON string at each place is none of these.
    #[serde(default)]
    pub none_of: BTreeMap<String, Vec<String>>,
    /// There is something at each of these places.
    #[serde(default)]
    pub present: Vec<String>,
    /// There is nothing, or null, at each of these places.
    #[serde(default)]
    pub absent: Vec<String>,
    /// The body, as text, matches.
    #[serde(default)]
    pub text: Option<Regex>,
    /// HTTP statuses with which it says instead that it has taken this message before.
    #[serde(default)]
    pub duplicate: Vec<u16>,
}

/// What an error looks like, and means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Where the code stands; the first place that has one.
    #[serde(default)]
    pub code: Vec<String>,
    /// Where the words stand; the first place that has some.
    #[serde(default)]
    pub message: Vec<String>,
    /// The body, as text: of the groups that took part, the first is the code, the second the words.
    #[serde(default)]
    pub text: Option<Regex>,
    /// What codes mean; the first row that fits. What none names is judged by the HTTP status.
    #[serde(default)]
    pub class: Vec<ClassRow>,
}

/// Codes of one meaning, or what a status means to this provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRow {
    /// The meaning.
    pub class: Class,
    /// The codes, as text; none: any, or no code at all.
    #[serde(default)]
    pub code: Vec<String>,
    /// The HTTP statuses; none: any.
    #[serde(default)]
    pub status: Vec<u16>,
}

/// What a pattern may name besides the keys: see `Variables` in `http`.
pub const VARIABLES: [&str; 9] = [
    "to+",
    "to",
    "text",
    "text_ucs2_hex",
    "text_xml",
    "segments",
    VOICE_LANGUAGE,
    "id",
    "id_number",
];
/// The one that only a call has.
const VOICE_LANGUAGE: &str = "voice_language";
/// What the provider calls the message, in the question what became of it.
pub const MESSAGE_ID: &str = "message_id";
/// Those that mark a message, so that a second request for it does not send it twice.
const MARKS: [&str; 2] = ["id", "id_number"];

impl Description {
    /// Checks what the types cannot: that every name and every place leads somewhere, and only there.
    ///
    /// # Errors
    /// With the one that does not.
    pub fn check(&self) -> Result<(), String> {
        let known = |name: &str| {
            name == MESSAGE_ID || VARIABLES.contains(&name) || self.keys.contains_key(name)
        };
        if let Some(name) = self.patterns().flat_map(Pattern::names).find(|name| !known(name)) {
            return Err(format!(
                "`{{{name}}}` is neither a key of this description nor a variable; variables are {}",
                VARIABLES.join(", ")
            ));
        }
        let taken = |key: &&String| COMMON.contains(&key.as_str()) || *key == "description";
        if let Some(key) = self.keys.keys().find(taken) {
            return Err(format!("`{key}` is a key of every provider: call it something else"));
        }
        // It is appended to the address of the provider, whose last part is the host.
        if !self.requests().flat_map(Request::paths).all(|path| path.begins_with("/")) {
            return Err("`path` must begin with `/`".to_owned());
        }
        self.check_besides()?;
        if let Some(place) = self.places().find(|place| !place.starts_with('/')) {
            return Err(format!("`{place}` is no place in JSON: write it like \"/messages/0/id\""));
        }
        if self.error.class.iter().any(|row| row.code.is_empty() && row.status.is_empty()) {
            return Err("a row of `class` needs `code` or `status`".to_owned());
        }
        if !self.accepted.duplicate.is_empty() && !self.is_repeatable() {
            return Err("`duplicate` needs `{id}` or `{id_number}` in the request".to_owned());
        }
        self.check_conditions()
    }

    /// Whether the request says which message it is for, so that it may be made again where nobody
    /// knows whether it was taken.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.request.patterns().flat_map(Pattern::names).any(|name| MARKS.contains(&name))
    }

    fn check_conditions(&self) -> Result<(), String> {
        let paths = || self.requests().flat_map(|request| &request.other_path);
        let choices = || self.base_url.iter().chain(paths());
        let of_choices = || choices().flat_map(|choice| &choice.when);
        if of_choices().any(|condition| condition.key().is_none()) {
            return Err("an address and a path cannot depend on the text".to_owned());
        }
        let voice = self.voice.iter().flat_map(|voice| &voice.needs);
        let needs = self.needs.iter().flatten().flatten().chain(voice).map(String::as_str);
        let conditions = || of_choices().chain(self.conditions());
        let mut names = conditions().filter_map(Condition::key).chain(needs);
        if let Some(name) = names.find(|name| !self.keys.contains_key(*name)) {
            return Err(format!("`{name}` is no key of this description"));
        }
        for condition in conditions() {
            if let Condition::Is(key, value) = condition {
                if !self.keys[key].values.contains(value) {
                    return Err(format!("`{value}` is none of the `values` of `{key}`"));
                }
            }
        }
        Ok(())
    }

    fn requests(&self) -> impl Iterator<Item = &Request> {
        let balance = self.balance.iter().map(|balance| &balance.request);
        let voice = self.voice.iter().map(|voice| &voice.request);
        let check = self.check.iter().map(|check| &check.request);
        let status = self.status.iter().map(|status| &status.request);
        std::iter::once(&self.request).chain(balance).chain(voice).chain(check).chain(status)
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.requests().flat_map(|request| {
            let basic = request.basic.iter().filter_map(|basic| basic.when.as_ref());
            let json = request.json.iter().flat_map(Json::conditions);
            request.fields().filter_map(|field| field.when.as_ref()).chain(basic).chain(json)
        })
    }

    /// Where something is looked for in an answer, as JSON pointers (RFC 6901).
    fn places(&self) -> impl Iterator<Item = &String> {
        let check = self.check.iter();
        let check = check.flat_map(Check::answers);
        let accepted = std::iter::once(&self.accepted).chain(check).flat_map(|accepted| {
            let keyed = accepted.equals.keys().chain(accepted.one_of.keys());
            let keyed = keyed.chain(accepted.none_of.keys());
            keyed.chain(&accepted.present).chain(&accepted.absent)
        });
        let balance = self.balance.iter().flat_map(|b| b.amount.iter().chain(&b.currency));
        let status = self.status.iter().flat_map(Status::places);
        accepted.chain(&self.error.code).chain(&self.error.message).chain(balance).chain(status)
    }

    fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let base = self.base_url.iter().map(|choice| &choice.value);
        self.requests().flat_map(Request::patterns).chain(base)
    }
}

#[cfg(test)]
mod tests;
