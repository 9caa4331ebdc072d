//! The helper's end: one request in, root given up, one message sent, one outcome out.

use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::jail::{self, Needs};
use super::wire::{self, Errand, Malformed, Request};
#[cfg(feature = "redis")]
use crate::config::file::Trust;
use crate::config::source::ConfigError;
use crate::delivery::{Fate, Judgement, Outcome};
#[cfg(feature = "ldap")]
use crate::directory::Directory;
use crate::gateway::report::Report;
use crate::gateway::voice::Spoken;
use crate::gateway::{Content, Gateway};
use crate::limits::Barrier;
use crate::limits::child::{self, Decision};
#[cfg(feature = "redis")]
use crate::limits::redis;
use crate::people::PhoneNumber;
use crate::people::directory::{Answer, Purpose};
use crate::sys;

/// What it takes to say how it went.
const TELLING: Duration = Duration::from_millis(50);
/// As long as it may make a file, in bytes: the providers that are set aside are a few lines.
const LONGEST_FILE: u64 = 1 << 20;
/// What a request may take to arrive; its sender is already waiting.
const ARRIVAL: u32 = 5;

/// Serves one request on the standard input, which is a socket. Never returns.
pub fn main() -> ! {
    // Ended by the kernel if all else fails: in a session of its own it would outlive the login.
    sys::alarm(ARRIVAL);
    sys::close_descriptors();
    if let Some(line) = line() {
        if let Ok(frame) = serve(&line) {
            drop(sys::send_all(&line, &frame));
            drop(line.shutdown(Shutdown::Both));
        }
    }
    // At once: a thread may still sit in a name look-up.
    sys::exit_now(0);
}

fn line() -> Option<UnixStream> {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
    Some(UnixStream::from(stdin))
}

fn serve(line: &UnixStream) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let frame = match wire::read_frame(line) {
        Ok(frame) => frame,
        Err(error) => return unusable(format!("the request cannot be read: {error}")),
    };
    let request = match wire::decode_request(&frame) {
        Ok(request) => request,
        Err(error) => return unusable(format!("the request is not understood: {error}")),
    };
    let deadline = Instant::now() + request.timeout;
    sys::alarm(u32::try_from(request.timeout.as_secs()).unwrap_or(60).saturating_add(2));
    run(&request, deadline)
}

/// Does what is wanted, without root as soon as all is read that only root may read.
fn run(request: &Request, deadline: Instant) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    // What is left of the time, less what it takes to say how it went.
    let deadline = deadline.checked_sub(TELLING).unwrap_or(deadline);
    if let Errand::Limits(number, what) = &request.errand {
        let decision = limits(request, number.as_ref(), what, deadline);
        return wire::encode_decision(&child::encode(&decision));
    }
    if let Errand::Find(user, purpose, about) = &request.errand {
        return wire::encode_answer(&find(request, user, *purpose, about, deadline));
    }
    let gateway = open(request);
    let only = request.provider.as_deref();
    let report = match (&request.errand, gateway) {
        (Errand::Send(to, text), Ok(gateway)) => {
            return wire::encode_outcome(&gateway.deliver(to, Content::Text(text), only, deadline));
        }
        (Errand::Call(to, code, language), Ok(gateway)) => {
            let spoken = Spoken::new(code, language);
            return wire::encode_outcome(&gateway.deliver(
                to,
                Content::Call(&spoken),
                only,
                deadline,
            ));
        }
        (Errand::Check(to, typed), Ok(gateway)) => {
            let provider = only.unwrap_or_default();
            return wire::encode_judgement(&gateway.verify(to, typed, provider, deadline));
        }
        (Errand::Check(..), Err(error)) => {
            return wire::encode_judgement(&Judgement::unasked(error.to_string()));
        }
        (Errand::Send(..) | Errand::Call(..), Err(error)) => return unusable(error.to_string()),
        (Errand::Probe(to, text), Ok(gateway)) => gateway.probe(to, text, only, deadline, None),
        (Errand::Follow(to, text), Ok(gateway)) => {
            let patience = request.timeout.saturating_sub(gateway.timeout());
            let taken_by = deadline.checked_sub(patience).unwrap_or(deadline);
            gateway.probe(to, text, only, taken_by, Some(patience))
        }
        (Errand::Balance, Ok(gateway)) => gateway.balances(only, deadline),
        (_, Err(error)) => Report::of_error(error.to_string()),
        (Errand::Limits(..) | Errand::Find(..), _) => {
            Report::of_error("was answered before".to_owned())
        }
    };
    wire::encode_report(&report.to_json()).or_else(|_| {
        let said = "the answers of so many providers are too long: ask one, with --provider";
        wire::encode_report(&Report::of_error(said.to_owned()).to_json())
    })
}

/// Asks the directory; of the providers nothing is needed.
#[cfg(feature = "ldap")]
fn find(
    request: &Request,
    user: &str,
    purpose: Purpose,
    about: &[PhoneNumber],
    deadline: Instant,
) -> Answer {
    match Directory::open(&request.config) {
        Ok(directory) => directory.find(user, purpose, about, deadline),
        Err(error) => Answer::failed(error.to_string()),
    }
}

#[cfg(not(feature = "ldap"))]
fn find(_: &Request, _: &str, _: Purpose, _: &[PhoneNumber], _: Instant) -> Answer {
    Answer::failed("LDAP was left out when this pam-sms-helper was built")
}

fn open(request: &Request) -> Result<Gateway, ConfigError> {
    let gateway = Gateway::open(&request.config)?;
    if sys::is_root() {
        become_unprivileged(gateway.run_as(), &gateway.needs())?;
    }
    if gateway.writes_little() {
        sys::limit_files(LONGEST_FILE)
            .map_err(|error| ConfigError::new(format!("a limit of the helper: {error}")))?;
    }
    Ok(gateway)
}

/// What the store of shared limits says, without root before it is connected to.
#[cfg(feature = "redis")]
fn limits(
    request: &Request,
    number: Option<&PhoneNumber>,
    what: &str,
    deadline: Instant,
) -> Decision {
    let unusable = |error: ConfigError| Barrier::Unusable(error.to_string());
    let office = redis::Office::open(&request.config, Trust::Root).map_err(unusable)?;
    if sys::is_root() {
        become_unprivileged(&office.run_as, &Needs::default()).map_err(unusable)?;
    }
    office.answer(request.provider.as_deref().unwrap_or_default(), number, what, deadline)
}

#[cfg(not(feature = "redis"))]
fn limits(_: &Request, _: Option<&PhoneNumber>, _: &str, _: Instant) -> Decision {
    let said = "[limits] store was left out when this pam-sms was built";
    Err(Barrier::Unusable(said.to_owned()))
}

/// Becomes this system user for good, and enters the jail.
///
/// # Errors
/// When there is no such user, root cannot be given up, or the jail has no door.
pub fn become_unprivileged(name: &str, needs: &Needs) -> Result<(), ConfigError> {
    let fail = |what: String| ConfigError::new(format!("the helper's user `{name}`: {what}"));
    let account = sys::account(name)
        .map_err(|error| fail(error.to_string()))?
        .ok_or_else(|| {
            fail(format!("does not exist: run `useradd --system --no-create-home --shell /usr/sbin/nologin {name}`"))
        })?;
    sys::become_unprivileged(&account).map_err(|error| fail(error.to_string()))?;
    jail::enter(needs)
}

fn unusable(detail: String) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    wire::encode_outcome(&Outcome::without_provider(Fate::Misconfigured, detail))
}
