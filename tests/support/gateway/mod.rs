//! A pretend SMS gateway: real TLS and real sockets, and nobody is charged.
//!
//! The program under test has to be believed when it says that a message went out, so what it
//! talks to must be harder to please than the providers are. The gateway speaks all of
//! their interfaces on one port and refuses, in the words of that provider, whatever is not exactly
//! right: a field too many, a `+` that was not encoded, a number in the wrong form. Where the
//! real one would shrug and deliver something odd, this one refuses.
//!
//! ```text
//! Gateway ── accept ──> one thread per connection ── wire ──> formats ──> State ──> the test
//!                                                     └────── faults (when told to) ──┘
//! ```

pub mod account;
pub mod certificates;
mod faults;
mod formats;
mod line;
mod state;
mod wire;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use certificates::Certificate;
#[allow(unused_imports)]
pub use certificates::as_files;
pub use faults::Behaviour;
pub use state::{Message, News};
pub use wire::Request;

use certificates::Identity;
use state::State;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that runs as long as this value lives. Dropping it hangs up on everybody.
pub struct Gateway {
    address: SocketAddr,
    /// None where plain http is served.
    identity: Option<Arc<Identity>>,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

impl Gateway {
    /// With TLS and a good certificate, on a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self::start_with_certificate(Certificate::Good)
    }

    /// Without TLS, on a free port of 127.0.0.1.
    pub fn start_plain() -> Self {
        Self::listen(LOOPBACK, None)
    }

    /// On a chosen address, for coming back on the port where another gateway was dropped.
    pub fn start_on(address: SocketAddr, tls: bool) -> Self {
        Self::listen(address, tls.then(|| Identity::make(Certificate::Good)))
    }

    /// With TLS and a certificate that may well be a bad one.
    pub fn start_with_certificate(certificate: Certificate) -> Self {
        Self::listen(LOOPBACK, Some(Identity::make(certificate)))
    }

    fn listen(address: SocketAddr, identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind(address)
            .unwrap_or_else(|error| panic!("pretend gateway cannot listen on {address}: {error}"));
        let address = listener.local_addr().expect("a bound socket has an address");
        let identity = identity.map(Arc::new);
        let state = Arc::new(State::default());
        let acceptor = {
            let (identity, state) = (identity.clone(), Arc::clone(&state));
            thread::spawn(move || accept(&listener, identity.as_ref(), &state))
        };
        Self { address, identity, state, acceptor: Some(acceptor) }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `https://localhost:PORT`, or with http where there is no TLS.
    pub fn base_url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.port())
    }

    /// The authority to trust, as PEM; empty where there is no TLS.
    pub fn ca_pem(&self) -> &str {
        self.identity.as_ref().map_or("", |identity| &identity.ca_pem)
    }

    /// How to meet every request from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.behave(behaviour);
    }

    /// How to meet one request, before it goes on as before. Called again, the one after that.
    ///
    /// `CloseAtAccept` and `SilentAccept` are for the next connection. A request that comes in
    /// the meantime on a connection still open finds it closed.
    pub fn behave_once(&self, behaviour: Behaviour) {
        self.state.behave_once(behaviour);
    }

    /// The messages accepted so far, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.state.messages()
    }

    /// Waits for message number `nth`, counted from 0.
    ///
    /// # Panics
    ///
    /// After 20 seconds, with everything that was refused.
    pub fn wait_for_message(&self, nth: usize) -> Message {
        self.state.wait_for_message(nth, PATIENCE).unwrap_or_else(|| {
            panic!(
                "no message number {nth} within {PATIENCE:?}; {} accepted, {} connections, \
                 {} requests, refused: {:#?}",
                self.messages().len(),
                self.connections(),
                self.requests().len(),
                self.refusals()
            )
        })
    }

    /// Every request so far that was HTTP at all, answered or not.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.state.connections()
    }

    /// Why requests were refused, in words; failed TLS handshakes are told here too.
    pub fn refusals(&self) -> Vec<String> {
        self.state.refusals()
    }

    /// Requests, messages and refusals as they come, from now on. Only the last caller gets them.
    pub fn news(&self) -> Receiver<News> {
        self.state.subscribe()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.state.stop();
        // The acceptor sleeps in accept(); one more connection wakes it to see the sign. Without
        // that connection it would sleep on, and so would whoever waits for it.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
    }
}

/// Accepts until told to stop. The connections' own threads end when their sockets are shut.
fn accept(listener: &TcpListener, identity: Option<&Arc<Identity>>, state: &Arc<State>) {
    for socket in listener.incoming() {
        if state.is_stopping() {
            return;
        }
        // A client that gave up while it was waiting to be accepted.
        let Ok(socket) = socket else { continue };
        let Some(connection) = state.open(&socket) else { continue };
        let tls = identity.map(|identity| Arc::clone(&identity.server));
        let state = Arc::clone(state);
        thread::spawn(move || {
            line::serve(&socket, connection, tls, &state);
            state.close(connection);
        });
    }
}
