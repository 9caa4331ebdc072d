//! The values that patterns may name, and the requests that are made of them.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::TryRng;
use rand::rngs::SysRng;
use reqwest::Url;
use reqwest::{Client, RequestBuilder};
use zeroize::Zeroizing;

use super::description::{Condition, Field, MESSAGE_ID, Method, Request};
use super::json::Values;
use super::pattern::Pattern;
use crate::message::segments::{Alphabet, segments, ucs2_hex};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// What may stand in a segment of a path (RFC 3986, unreserved).
const SEGMENT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The values for one request: the admin's keys, and the message, where it is about one.
pub struct Variables<'a> {
    keys: &'a BTreeMap<String, Secret>,
    message: Option<Message<'a>>,
    voice_language: Option<&'a str>,
    /// What the provider calls it.
    message_id: Option<&'a str>,
}

struct Message<'a> {
    to: &'a PhoneNumber,
    text: &'a Secret,
    text_ucs2_hex: Secret,
    text_xml: Secret,
    segments: String,
    alphabet: Alphabet,
    is_long: bool,
    /// What tells it from every other message; nothing where there are no random bytes.
    mark: Option<Mark>,
}

/// A name for one message, by which a provider knows a second request for it.
struct Mark {
    /// 32 hexadecimal digits.
    id: String,
    /// A number from 1 to 2^31 - 1, for those who take numbers only.
    number: String,
}

impl Mark {
    fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        SysRng.try_fill_bytes(&mut bytes).ok()?;
        let id = u128::from_be_bytes(bytes);
        // Truncated on purpose.
        let number = (id as u32 & 0x7fff_ffff).max(1);
        Some(Self { id: format!("{id:032x}"), number: number.to_string() })
    }
}

impl<'a> Variables<'a> {
    /// The admin's keys, and the message, where there is one. As long as this value lives, all requests
    /// for the message bear one mark.
    pub fn new(
        keys: &'a BTreeMap<String, Secret>,
        message: Option<(&'a PhoneNumber, &'a Secret)>,
    ) -> Self {
        let message = message.map(|(to, text)| {
            let counted = segments(text.expose());
            Message {
                to,
                text,
                text_ucs2_hex: Secret::from(ucs2_hex(text.expose())),
                text_xml: escaped(text),
                segments: counted.count.to_string(),
                alphabet: counted.alphabet,
                is_long: counted.count > 1,
                mark: Mark::random(),
            }
        });
        Self { keys, message, voice_language: None, message_id: None }
    }

    /// The same for a call that is held in a language, as the provider writes it.
    pub fn in_language(self, voice_language: &'a str) -> Self {
        Self { voice_language: Some(voice_language), ..self }
    }

    /// The same after the message was taken, and was given a name.
    pub fn called(self, message_id: &'a str) -> Self {
        Self { message_id: Some(message_id), ..self }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let message = self.message.as_ref();
        match name {
            "to+" => message.map(|message| message.to.as_e164()),
            "to" => message.map(|message| message.to.digits()),
            "text" => message.map(|message| message.text.expose()),
            "text_ucs2_hex" => message.map(|message| message.text_ucs2_hex.expose()),
            "text_xml" => message.map(|message| message.text_xml.expose()),
            "voice_language" => self.voice_language,
            "segments" => message.map(|message| message.segments.as_str()),
            "id" => message?.mark.as_ref().map(|mark| mark.id.as_str()),
            "id_number" => message?.mark.as_ref().map(|mark| mark.number.as_str()),
            MESSAGE_ID => self.message_id,
            key => self.keys.get(key).map(Secret::expose),
        }
    }

    fn holds(&self, condition: Option<&Condition>) -> bool {
        let is = |judge: fn(&Message<'_>) -> bool| self.message.as_ref().is_some_and(judge);
        match condition {
            None => true,
            Some(Condition::Gsm7) => is(|message| message.alphabet == Alphabet::Gsm7),
            Some(Condition::Ucs2) => is(|message| message.alphabet == Alphabet::Ucs2),
            Some(Condition::Long) => is(|message| message.is_long),
            Some(of_keys) => of_keys.holds_for_keys(|key| self.keys.get(key).map(Secret::expose)),
        }
    }

    /// A pattern filled as it is, for places that a library encodes.
    pub fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String> {
        let filled = pattern.fill(|name| self.value(name), str::to_owned);
        filled.map_err(|name| format!("`{name}` has no value"))
    }

    fn fields(&self, fields: &[Field]) -> Result<Vec<(String, String)>, String> {
        let mut filled = Vec::new();
        for field in fields.iter().filter(|field| self.holds(field.when.as_ref())) {
            if let Some(value) = self.fill(&field.value)? {
                filled.push((field.name.clone(), value));
            }
        }
        Ok(filled)
    }

    /// Where a request goes.
    ///
    /// # Errors
    /// With what is missing.
    pub fn url(&self, base: &Url, rules: &Request) -> Result<Url, String> {
        let applies = |when: &[Condition]| when.iter().all(|one| self.holds(Some(one)));
        let other = rules.other_path.iter().find(|choice| applies(&choice.when));
        let path = other
            .map_or(&rules.path, |choice| &choice.value)
            .fill(|name| self.value(name), |text| utf8_percent_encode(text, SEGMENT).to_string());
        let path = path.map_err(|name| format!("`{name}` has no value"))?.unwrap_or_default();
        let base = base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{path}")).map_err(|error| error.to_string())?;
        let query = self.fields(&rules.query)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The request itself.
    ///
    /// # Errors
    /// With what is missing.
    pub fn request(
        &self,
        client: &Client,
        url: Url,
        rules: &Request,
    ) -> Result<RequestBuilder, String> {
        let mut request = match rules.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
        };
        for (name, value) in self.fields(&rules.header)? {
            request = request.header(name, value);
        }
        if let Some(basic) = rules.basic.iter().find(|basic| self.holds(basic.when.as_ref())) {
            let user = self.fill(&basic.user)?.unwrap_or_default();
            request = request.basic_auth(user, self.fill(&basic.password)?);
        }
        if let Some(json) = &rules.json {
            let body = json.fill(self)?.unwrap_or_default().to_string();
            request = request.header("Content-Type", "application/json").body(body);
        } else if let Some(text) = &rules.text {
            let body = self.fill(text)?.unwrap_or_default();
            request = request.header("Content-Type", "text/plain; charset=UTF-8").body(body);
        } else if !rules.form.is_empty() {
            let fields = self.fields(&rules.form)?;
            let body =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            request =
                request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        Ok(request)
    }

    /// The same for people, a line each: with what is encoded for the way written as it is meant.
    ///
    /// # Errors
    /// With what is missing.
    #[cfg(feature = "program")]
    pub fn outline(&self, base: &Url, rules: &Request) -> Result<Vec<String>, String> {
        let url = self.url(base, rules)?;
        let method = match rules.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut lines = vec![format!("{method} {url}")];
        lines.extend(self.fields(&rules.header)?.iter().map(|(k, v)| format!("{k}: {v}")));
        if let Some(basic) = rules.basic.iter().find(|basic| self.holds(basic.when.as_ref())) {
            let (user, password) = (self.fill(&basic.user)?, self.fill(&basic.password)?);
            let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
            lines.push(format!("Authorization: Basic {user}:{password}"));
        }
        #[cfg(feature = "sns")]
        if let Some(sign) = &rules.sign {
            let (key, region) = (self.fill(&sign.access_key_id)?, self.fill(&sign.region)?);
            let (key, region) = (key.unwrap_or_default(), region.unwrap_or_default());
            lines.push(format!("signed for {} in {region} by {key}", sign.aws_service));
        }
        if let Some(json) = &rules.json {
            let body = json.fill(self)?.unwrap_or_default();
            lines.extend(format!("{body:#}").lines().map(str::to_owned));
        }
        if let Some(text) = &rules.text {
            lines.push(self.fill(text)?.unwrap_or_default());
        }
        lines.extend(self.fields(&rules.form)?.iter().map(|(k, v)| format!("{k} = {v}")));
        Ok(lines)
    }

    /// Takes out of a provider's words what the log must not hold: keys, and anything that could be
    /// a number or a code.
    pub fn conceal(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for secret in self.keys.values().map(Secret::expose).filter(|secret| secret.len() > 3) {
            said = said.replace(secret, "***");
        }
        // A code is in it, however short, or read digit by digit.
        let text = self.message.as_ref().map(|message| message.text.expose());
        for text in text.into_iter().filter(|text| text.len() > 3) {
            said = said.replace(text, "***");
        }
        let part_of_number = |c: char| c.is_ascii_digit() || " +-().".contains(c);
        let mut concealed = String::new();
        let mut rest = said.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let run = &rest[start..];
            let end = run.find(|c| !part_of_number(c)).unwrap_or(run.len());
            concealed.push_str(&rest[..start]);
            let digits = run[..end].bytes().filter(u8::is_ascii_digit).count();
            concealed.push_str(if digits > 5 { "***" } else { &run[..end] });
            rest = &run[end..];
        }
        concealed + rest
    }
}

/// A text as it stands in XML.
fn escaped(text: &Secret) -> Secret {
    let mut xml = Zeroizing::new(String::with_capacity(text.expose().len() * "&quot;".len()));
    for c in text.expose().chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            c => xml.push(c),
        }
    }
    Secret::from(xml)
}

impl Values for Variables<'_> {
    fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String> {
        Variables::fill(self, pattern)
    }

    fn holds(&self, condition: &Condition) -> bool {
        Variables::holds(self, Some(condition))
    }
}

#[cfg(test)]
mod tests;
