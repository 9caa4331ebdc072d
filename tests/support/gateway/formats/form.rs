//! Forms, read without goodwill.
//!
//! The libraries at hand turn every input into some form: a bad escape stays as it is, bad UTF-8
//! becomes a question mark. Those are the very mistakes to be found, so they are looked for
//! before the decoding.

use percent_encoding::percent_decode_str;

use super::{Request, checks};

/// The fields of a form, each of them known and there once.
#[derive(Debug)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// From the body of a POST, or from the query where the provider takes GET as well.
    pub fn read(request: &Request, known: &[&str]) -> Result<Self, String> {
        let encoded = match (request.method.as_str(), &request.query) {
            ("GET", Some(query)) if request.body.is_empty() => query.as_str(),
            ("GET", _) => return Err("a GET without a query, or with a body".to_owned()),
            (_, Some(query)) => return Err(format!("fields in the query: {query:?}")),
            (_, None) => {
                checks::content_type(request, "application/x-www-form-urlencoded")?;
                std::str::from_utf8(&request.body)
                    .map_err(|_| "bytes in the form that are not encoded".to_owned())?
            }
        };
        let mut form = Self { fields: Vec::new() };
        for pair in encoded.split('&') {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("field {pair:?} without ="))?;
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                return Err(format!("unknown field {name:?}"));
            }
            if form.value(&name).is_some() {
                return Err(format!("field {name:?} twice"));
            }
            form.fields.push((name, value));
        }
        Ok(form)
    }

    /// The decoded value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Decodes what the encoding of forms lets through bare (the URL standard, 5.2, and `~`, which
/// RFC 3986 calls unreserved), `+` for the space, and well-formed escapes that make UTF-8.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let sound = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"*-._~+".contains(&byte),
        };
        if !sound {
            return Err(format!("bad encoding in {text:?}"));
        }
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| format!("{text:?} is not UTF-8"))
}
