//! The engine: builds the request that a description says, sends it, hands the answer to the judge.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::Attempt;
use super::connect::{authorities, client};
use super::description::{Description, Request, Status};
use super::judge::{Answer, judge, judge_balance, judge_status, message_id};
use super::report::{Delivery, Money};
use super::variables::Variables;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// As much of an answer as is read, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;
/// Time that must be left for asking again.
const AGAIN: Duration = Duration::from_millis(500);
/// What stands for a secret in a request that is only shown: letters, which no encoding changes.
#[cfg(feature = "program")]
const MASK: &str = "MASKED";

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
pub struct HttpProvider {
    parts: Parts,
    base: Url,
}

impl HttpProvider {
    /// Where the provider is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

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
        Ok(Self { parts, base })
    }

    /// Where it is asked after messages. An admin's own address stands for all of it.
    pub(super) fn asked_at(&self, rules: &Status) -> Result<Cow<'_, Url>, Attempt> {
        match (&self.parts.base_url, &rules.base_url) {
            (None, Some(elsewhere)) => Url::parse(elsewhere).map(Cow::Owned).map_err(|error| {
                Attempt::Failed(format!("config (`base_url` in [status]: {error})"))
            }),
            _ => Ok(Cow::Borrowed(&self.base)),
        }
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

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Sends one message within `time`. With it comes what the provider calls the message, if it took it.
#[must_use]
pub fn send(
    provider: &HttpProvider,
    to: &PhoneNumber,
    text: &Secret,
    time: Duration,
) -> (Attempt, Option<String>) {
    let deadline = Instant::now() + time;
    let description = &provider.parts.description;
    let variables = Variables::new(&provider.parts.values, Some((to, text)));
    let ask = |again: bool| {
        let answer = match exchange(provider, &description.request, &variables, deadline) {
            Ok(answer) => answer,
            Err(failed) => return (failed, None),
        };
        // Of a mark that is new nobody can have a message: then this status means something else.
        if again && description.accepted.duplicate.contains(&answer.status) {
            return (Attempt::Accepted, None);
        }
        let id = description.status.as_ref().and_then(|rules| message_id(&answer, rules));
        (judge(&answer, description, |said| variables.conceal(said)), id)
    };
    let first = ask(false);
    let left = deadline.saturating_duration_since(Instant::now());
    let is_open = matches!(first.0, Attempt::Uncertain(_));
    if !is_open || !description.is_repeatable() || left < AGAIN {
        return first;
    }
    // By its mark the provider knows the message: it is sent once, whatever became of the first.
    match ask(true) {
        sure @ (Attempt::Accepted | Attempt::Refused(_), _) => sure,
        // That it does not take a second one says nothing about the first.
        _ => first,
    }
}

/// Asks within `time` what became of a message; nothing where the provider cannot be asked that.
///
/// # Errors
/// With what became of the question, when it was not answered.
pub fn follow(
    provider: &HttpProvider,
    to: &PhoneNumber,
    id: &str,
    time: Duration,
) -> Result<Option<Delivery>, Attempt> {
    let description = &provider.parts.description;
    let Some(rules) = &description.status else { return Ok(None) };
    let nothing = Secret::from(String::new());
    let variables = Variables::new(&provider.parts.values, Some((to, &nothing))).called(id);
    let (base, deadline) = (provider.asked_at(rules)?, Instant::now() + time);
    let answer = ask(provider, &base, &rules.request, &variables, deadline)??;
    judge_status(&answer, rules, description, |said| variables.conceal(said)).map(Some)
}

/// Asks within `time` how much money is left; nothing where the provider cannot be asked that.
///
/// # Errors
/// With what became of the question, when it was not answered.
pub fn balance(provider: &HttpProvider, time: Duration) -> Result<Option<Money>, Attempt> {
    let description = &provider.parts.description;
    let Some(rules) = &description.balance else { return Ok(None) };
    let variables = Variables::new(&provider.parts.values, None);
    let answer = exchange(provider, &rules.request, &variables, Instant::now() + time)?;
    judge_balance(&answer, rules, description, |said| variables.conceal(said)).map(Some)
}

/// The request that a message would make, for people: secrets are masked before it is built.
///
/// # Errors
/// In words, when it cannot be built.
#[cfg(feature = "program")]
pub fn outline(
    provider: &HttpProvider,
    to: &PhoneNumber,
    text: &Secret,
) -> Result<Vec<String>, String> {
    let description = &provider.parts.description;
    let is_secret = |name: &str| description.keys.get(name).is_some_and(|key| key.secret);
    let masked = provider.parts.values.iter().map(|(name, value)| {
        let shown = if is_secret(name) { Secret::from(MASK.to_owned()) } else { value.clone() };
        (name.clone(), shown)
    });
    let masked = masked.collect();
    let lines =
        Variables::new(&masked, Some((to, text))).outline(&provider.base, &description.request)?;
    // The address is made already, and an admin may have put a key into it.
    let secrets = provider.parts.values.iter().filter(|(name, _)| is_secret(name));
    let secrets: Vec<_> = secrets.map(|(_, secret)| secret.expose()).collect();
    let mask = |line: String| secrets.iter().fold(line, |line, secret| line.replace(secret, MASK));
    Ok(lines.into_iter().map(mask).collect())
}

/// One request and its answer.
pub(super) fn exchange(
    provider: &HttpProvider,
    rules: &Request,
    variables: &Variables<'_>,
    deadline: Instant,
) -> Result<Answer, Attempt> {
    ask(provider, &provider.base, rules, variables, deadline)?
}

/// The same at `base`. The outer error is of the request, which may have left this machine only with
/// [`Attempt::Uncertain`]; the inner one is of its answer.
pub(super) fn ask(
    provider: &HttpProvider,
    base: &Url,
    rules: &Request,
    variables: &Variables<'_>,
    deadline: Instant,
) -> Result<Result<Answer, Attempt>, Attempt> {
    let failed = |said: String| Attempt::Failed(format!("local: {said}"));
    let url = variables.url(base, rules).map_err(failed)?;
    let client = client(&provider.parts, &url, deadline)?;
    let request = variables.request(&client, url, rules).map_err(failed)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let request = request.timeout(left).build().map_err(|_| failed("no request".to_owned()))?;
    #[cfg(feature = "sns")]
    let request = match &rules.sign {
        Some(rules) => super::sign::sign(request, rules, variables).map_err(failed)?,
        None => request,
    };
    // In this thread: with threads for it a message takes four tenths more of the processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| failed(error.to_string()))?.block_on(async {
        let response = client.execute(request).await.map_err(|error| of_error(&error))?;
        Ok(read(response).await)
    })
}

/// Reads an answer to its end, its bound, or the time of the request.
async fn read(mut response: reqwest::Response) -> Result<Answer, Attempt> {
    let status = response.status().as_u16();
    let is_success = response.status().is_success();
    let mut body = Vec::new();
    let is_whole = loop {
        match response.chunk().await {
            Ok(None) => break true,
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => {
                body.extend_from_slice(&chunk);
            }
            // It said yes, and was cut off before it said to what.
            Err(error) if is_success => {
                let said = format!("the answer was cut: {}", innermost(&error));
                return Err(Attempt::Uncertain(said));
            }
            Ok(Some(_)) | Err(_) => break false,
        }
    };
    if !is_whole && is_success {
        return Err(Attempt::Failed(format!("unknown (HTTP {status}: the answer has no end)")));
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// What a request that got no answer means. Only what happened before anything was sent is a
/// failure; only what the network did, and not this machine, is "out of reach".
fn of_error(error: &reqwest::Error) -> Attempt {
    if !error.is_connect() && error.is_timeout() {
        return Attempt::Uncertain("no answer in time".to_owned());
    }
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
