//! The helper's end: one request in, root given up, one message sent, one outcome out.

use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::wire::{self, Request};
use crate::config::source::ConfigError;
use crate::delivery::{Fate, Outcome};
use crate::gateway::Gateway;
use crate::sys;

/// What a request may take to arrive; its sender is already waiting.
const ARRIVAL: u32 = 5;

/// Serves one request on the standard input, which is a socket. Never returns.
pub fn main() -> ! {
    // Ended by the kernel if all else fails: in a session of its own it would outlive the login.
    sys::alarm(ARRIVAL);
    sys::close_descriptors();
    if let Some(line) = line() {
        let outcome = serve(&line);
        if let Ok(frame) = wire::encode_outcome(&outcome) {
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

fn serve(line: &UnixStream) -> Outcome {
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
    match send(&request, deadline) {
        Ok(outcome) => outcome,
        Err(error) => unusable(error.to_string()),
    }
}

fn send(request: &Request, deadline: Instant) -> Result<Outcome, ConfigError> {
    let gateway = Gateway::open(&request.config)?;
    if sys::is_root() {
        become_unprivileged(gateway.run_as())?;
    }
    // What is left of the time, less what it takes to say how it went.
    let deadline = deadline.checked_sub(Duration::from_millis(50)).unwrap_or(deadline);
    Ok(gateway.deliver(&request.to, &request.text, deadline))
}

fn become_unprivileged(name: &str) -> Result<(), ConfigError> {
    let fail = |what: String| ConfigError::new(format!("the helper's user `{name}`: {what}"));
    let account = sys::account(name)
        .map_err(|error| fail(error.to_string()))?
        .ok_or_else(|| {
            fail(format!("does not exist: run `useradd --system --no-create-home --shell /usr/sbin/nologin {name}`"))
        })?;
    sys::become_unprivileged(&account).map_err(|error| fail(error.to_string()))
}

fn unusable(detail: String) -> Outcome {
    Outcome::without_provider(Fate::Misconfigured, detail)
}
