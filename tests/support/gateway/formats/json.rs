//! JSON bodies, read without goodwill and written as answers.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Answer, JSON, Request, checks};

/// Reads the body of a request without a query.
pub fn read_json<T: for<'de> Deserialize<'de>>(request: &Request) -> Result<T, String> {
    if let Some(query) = &request.query {
        return Err(format!("a query: {query:?}"));
    }
    read_json_behind_query(request)
}

/// Reads the body of a request whose query somebody else looks at.
pub fn read_json_behind_query<T: for<'de> Deserialize<'de>>(
    request: &Request,
) -> Result<T, String> {
    if request.method != "POST" {
        return Err(format!("a {} and not a POST", request.method));
    }
    checks::content_type(request, JSON)?;
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

/// A field that may be left out, but not be there as null.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// An answer in JSON.
pub fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, JSON, body.to_string())
}
