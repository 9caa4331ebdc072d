//! The engine: builds the request that a description says, sends it, hands the answer to the judge.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::blocking::{Client, RequestBuilder};

use super::Attempt;
use super::connect::{authorities, client};
use super::description::{Condition, Description, Field, Method};
use super::json::Values;
use super::judge::{Answer, judge};
use super::pattern::Pattern;
use crate::message::segments::{Alphabet, segments, ucs2_hex};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// As much of an answer as is read, in bytes.
const LONGEST_ANSWER: u64 = 64 << 10;
/// What a provider over HTTPS is made of.
pub struct Parts {
    /// How it takes a text.
    pub description: Description,
    /// The admin's keys.
    pub values: BTreeMap<String, Secret>,
    /// The admin's `base_url`.
    pub base_url: Option<String>,
    /// Whether plain http is allowed beyond this machine.
    pub allow_http: bool,
    /// PEM of the authorities to trust instead of the system's.
    pub authorities: Option<Vec<u8>>,
    /// The only proxy that is used.
    pub proxy: Option<Url>,
}

/// A provider over HTTPS, ready to be used.
#[derive(Clone)]
pub struct HttpProvider {
    parts: Arc<Parts>,
    base: Url,
}

impl HttpProvider {
    /// Judges what can be judged before anything is sent.
    ///
    /// # Errors
    /// In words, when the address makes no sense or the authorities are none.
    pub fn new(parts: Parts) -> Result<Self, String> {
        let base = match &parts.base_url {
            Some(url) => url.clone(),
            None => built_in_base(&parts)?,
        };
        let base = Url::parse(base.trim_end_matches('/'))
            .map_err(|error| format!("`base_url` {base}: {error}"))?;
        let is_plain = base.scheme() == "http";
        if base.scheme() != "https" && !(is_plain && (parts.allow_http || is_loopback(&base))) {
            return Err(format!("`base_url` {base}: must begin with https://"));
        }
        if base.query().is_some() || base.fragment().is_some() || !base.username().is_empty() {
            return Err("`base_url` must be an address without user, `?` and `#`".to_owned());
        }
        if let Some(pem) = &parts.authorities {
            authorities(pem)?;
        }
        Ok(Self { parts: Arc::new(parts), base })
    }
}

fn built_in_base(parts: &Parts) -> Result<String, String> {
    let value = |name: &str| parts.values.get(name).map(Secret::expose);
    let choice = parts
        .description
        .base_url
        .iter()
        .find(|choice| choice.when.iter().all(|condition| condition.holds_for_keys(value)));
    let choice = choice.ok_or("this provider needs `base_url`")?;
    let filled = choice.value.fill(value, |text| utf8_percent_encode(text, HOST).to_string())?;
    filled.ok_or_else(|| "this provider needs `base_url`".to_owned())
}

/// What may not stand in a part of a host name.
const HOST: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-');
/// What may stand in a segment of a path (RFC 3986, unreserved).
const SEGMENT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Sends one message within `time`. The work is done in a thread of its own, so that nothing in it,
/// a name look-up least of all, can hold up the answer to the login.
#[must_use]
pub fn send(provider: &HttpProvider, to: &PhoneNumber, text: &Secret, time: Duration) -> Attempt {
    let (provider, to, text) = (provider.clone(), to.clone(), text.clone());
    let deadline = Instant::now() + time;
    let (tell, told) = mpsc::channel();
    let worker = std::thread::Builder::new().spawn(move || {
        let attempt = attempt(&provider, &to, &text, deadline).unwrap_or_else(|failed| failed);
        // Nobody listens any more when the time is over.
        let _ = tell.send(attempt);
    });
    if let Err(error) = worker {
        return Attempt::Failed(format!("local: {error}"));
    }
    told.recv_timeout(time).unwrap_or_else(|error| match error {
        // Looking up and connecting have shorter times of their own: what is late now was sent.
        RecvTimeoutError::Timeout => Attempt::Uncertain("no answer in time".to_owned()),
        RecvTimeoutError::Disconnected => Attempt::Failed("local: the attempt panicked".to_owned()),
    })
}

fn attempt(
    provider: &HttpProvider,
    to: &PhoneNumber,
    text: &Secret,
    deadline: Instant,
) -> Result<Attempt, Attempt> {
    let parts = &provider.parts;
    let failed = |said: String| Attempt::Failed(format!("local: {said}"));
    let variables = Variables::new(&parts.values, to, text);
    let url = variables.url(&provider.base, &parts.description).map_err(failed)?;
    let client = client(parts, &url, deadline)?;
    let request = variables.request(&client, url, &parts.description).map_err(failed)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = match request.timeout(left).send() {
        Ok(response) => read(response, deadline),
        Err(error) => Err(of_error(&error)),
    }?;
    Ok(judge(&answer, &parts.description, |said| variables.conceal(said)))
}

/// Reads an answer to its end, its bound, or the deadline.
fn read(response: reqwest::blocking::Response, deadline: Instant) -> Result<Answer, Attempt> {
    let status = response.status().as_u16();
    let is_success = response.status().is_success();
    let mut body = Vec::new();
    let mut limited = Deadline { response, deadline }.take(LONGEST_ANSWER + 1);
    let result = limited.read_to_end(&mut body);
    let is_whole = result.is_ok() && body.len() as u64 <= LONGEST_ANSWER;
    match result {
        // It said yes, and was cut off before it said to what.
        Err(error) if is_success => Err(Attempt::Uncertain(format!("the answer was cut: {error}"))),
        _ if !is_whole && is_success => {
            Err(Attempt::Failed(format!("unknown (HTTP {status}: the answer has no end)")))
        }
        _ => Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() }),
    }
}

struct Deadline {
    response: reqwest::blocking::Response,
    deadline: Instant,
}

impl Read for Deadline {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.response.read(buffer)
    }
}

/// What a request that got no answer means. Only what happened before anything was sent is a
/// failure; only what the network did, and not this machine, is "out of reach".
fn of_error(error: &reqwest::Error) -> Attempt {
    if !error.is_connect() {
        return Attempt::Uncertain(format!("no answer: {}", innermost(error)));
    }
    let mut cause = error.source();
    while let Some(found) = cause {
        let io = found.downcast_ref::<io::Error>();
        let inner = io.and_then(|io| io.get_ref()).and_then(|e| e.downcast_ref::<rustls::Error>());
        if let Some(tls) = inner.or_else(|| found.downcast_ref()) {
            return match tls {
                rustls::Error::InvalidCertificate(_) => {
                    Attempt::Failed(format!("certificate: {tls}"))
                }
                _ => Attempt::Failed(format!("tls: {tls}")),
            };
        }
        if let Some(io) = io.filter(|io| is_network(io)) {
            return Attempt::OutOfReach(format!("connect: {io}"));
        }
        cause = found.source();
    }
    if error.is_timeout() {
        return Attempt::OutOfReach("connect: no answer in time".to_owned());
    }
    Attempt::Failed(format!("connect: {}", innermost(error)))
}

/// Errors that come from the other side or the way there. Running out of descriptors, ports or
/// memory does not: a local user can cause that.
fn is_network(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ECONNREFUSED | libc::EHOSTUNREACH | libc::ENETUNREACH | libc::ETIMEDOUT)
    )
}

fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    // The outermost would name the URL, in which keys may stand.
    if error.source().is_none() { "request".to_owned() } else { deepest.to_string() }
}

impl Values for Variables<'_> {
    fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String> {
        Variables::fill(self, pattern)
    }

    fn holds(&self, condition: &Condition) -> bool {
        Variables::holds(self, Some(condition))
    }
}

/// The values that patterns may name, for one message.
struct Variables<'a> {
    keys: &'a BTreeMap<String, Secret>,
    to: &'a PhoneNumber,
    text: &'a Secret,
    text_ucs2_hex: Secret,
    segments: String,
    alphabet: Alphabet,
    is_long: bool,
}

impl<'a> Variables<'a> {
    fn new(keys: &'a BTreeMap<String, Secret>, to: &'a PhoneNumber, text: &'a Secret) -> Self {
        let counted = segments(text.expose());
        Self {
            keys,
            to,
            text,
            text_ucs2_hex: Secret::from(ucs2_hex(text.expose())),
            segments: counted.count.to_string(),
            alphabet: counted.alphabet,
            is_long: counted.count > 1,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "to+" => Some(self.to.as_e164()),
            "to" => Some(self.to.digits()),
            "text" => Some(self.text.expose()),
            "text_ucs2_hex" => Some(self.text_ucs2_hex.expose()),
            "segments" => Some(&self.segments),
            key => self.keys.get(key).map(Secret::expose),
        }
    }

    fn holds(&self, condition: Option<&Condition>) -> bool {
        match condition {
            None => true,
            Some(Condition::Gsm7) => self.alphabet == Alphabet::Gsm7,
            Some(Condition::Ucs2) => self.alphabet == Alphabet::Ucs2,
            Some(Condition::Long) => self.is_long,
            Some(of_keys) => of_keys.holds_for_keys(|key| self.keys.get(key).map(Secret::expose)),
        }
    }

    /// A pattern filled as it is, for places that a library encodes.
    fn fill(&self, pattern: &Pattern) -> Result<Option<String>, String> {
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

    fn url(&self, base: &Url, description: &Description) -> Result<Url, String> {
        let path = self
            .path(description)
            .fill(|name| self.value(name), |text| utf8_percent_encode(text, SEGMENT).to_string());
        let path = path.map_err(|name| format!("`{name}` has no value"))?.unwrap_or_default();
        let base = base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{path}")).map_err(|error| error.to_string())?;
        let query = self.fields(&description.request.query)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn path<'d>(&self, description: &'d Description) -> &'d Pattern {
        let rules = &description.request;
        let applies = |when: &[Condition]| when.iter().all(|one| self.holds(Some(one)));
        let other = rules.other_path.iter().find(|choice| applies(&choice.when));
        other.map_or(&rules.path, |choice| &choice.value)
    }

    fn request(
        &self,
        client: &Client,
        url: Url,
        description: &Description,
    ) -> Result<RequestBuilder, String> {
        let rules = &description.request;
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

    /// Takes out of a provider's words what the log must not hold: keys, and anything that could be
    /// a number or a code.
    fn conceal(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for secret in self.keys.values().map(Secret::expose).filter(|secret| secret.len() > 3) {
            said = said.replace(secret, "***");
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

#[cfg(test)]
mod tests;
