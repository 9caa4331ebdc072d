//! What is sent.

use serde::Deserialize;

use super::{Condition, Value};
use crate::gateway::json::Json;
use crate::gateway::pattern::Pattern;

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The path, behind the base URL.
    pub path: Pattern,
    /// Where else, for some values of the keys; the first that applies.
    #[serde(default)]
    pub other_path: Vec<Value>,
    /// User and password; the first pair that applies.
    #[serde(default)]
    pub basic: Vec<Basic>,
    /// Further headers.
    #[serde(default)]
    pub header: Vec<Field>,
    /// Fields behind the `?`.
    #[serde(default)]
    pub query: Vec<Field>,
    /// Fields of a form, which is then the body.
    #[serde(default)]
    pub form: Vec<Field>,
    /// A JSON body: strings in it are patterns, a key whose pattern has nothing to say is left out.
    #[serde(default)]
    pub json: Option<Json>,
    /// A body of plain text.
    #[serde(default)]
    pub text: Option<Pattern>,
    /// How it is signed, where a key is not sent but signs.
    #[cfg(feature = "sns")]
    #[serde(default)]
    pub sign: Option<Sign>,
}

impl Request {
    /// The fields of all kinds.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.header.iter().chain(&self.query).chain(&self.form)
    }

    /// Every pattern in it.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let basic = self.basic.iter().flat_map(|basic| [&basic.user, &basic.password]);
        let fields = self.fields().map(|field| &field.value);
        let json = self.json.iter().flat_map(Json::patterns);
        let patterns = self.paths().chain(basic).chain(fields).chain(json).chain(&self.text);
        #[cfg(feature = "sns")]
        let patterns = patterns.chain(self.sign.iter().flat_map(|sign| {
            [&sign.region, &sign.access_key_id, &sign.secret_access_key, &sign.session_token]
        }));
        patterns
    }

    /// Its path, and those that take its place.
    pub fn paths(&self) -> impl Iterator<Item = &Pattern> {
        let others = self.other_path.iter().map(|choice| &choice.value);
        std::iter::once(&self.path).chain(others)
    }
}

/// Amazon's signature, version 4, over the whole request.
#[cfg(feature = "sns")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The service, as Amazon calls it.
    pub aws_service: String,
    /// The region.
    pub region: Pattern,
    /// Which key.
    pub access_key_id: Pattern,
    /// The key.
    pub secret_access_key: Pattern,
    /// What goes with a key that lasts only for a while.
    pub session_token: Pattern,
}

/// The HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`, which puts keys into other people's logs: only where there is nothing else.
    Get,
    /// `POST`
    Post,
}

/// User and password for basic authentication.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user.
    pub user: Pattern,
    /// The password.
    pub password: Pattern,
    /// Only then.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// A named field of a form, a query or the headers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Pattern,
    /// Only then.
    #[serde(default)]
    pub when: Option<Condition>,
}
