//! What can go wrong with a gateway, played on purpose.
//!
//! Each [`Behaviour`] is one thing seen in the field: a proxy's page in place of the answer, a
//! load balancer that hangs up, a provider that takes the message and then says nothing.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::wire::{self, Answer};

/// How the gateway meets a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Checks it and answers as the provider would.
    Normal,
    /// Answers this without looking at the request.
    Answer { status: u16, content_type: &'static str, body: String },
    /// Writes these bytes where an HTTP answer belongs, and hangs up.
    Raw(Vec<u8>),
    /// Sends a body of so many bytes, chunked, so that its length is not known beforehand.
    HugeBody { status: u16, bytes: u64 },
    /// A good head at once, then one byte of the body a second.
    Trickle { status: u16, body: String },
    /// Reads the request and hangs up, without the courtesy of a TLS close.
    CloseBeforeAnswer,
    /// Hangs up before the TLS handshake.
    CloseAtAccept,
    /// Reads the request and says nothing until the client leaves.
    Silence,
    /// Accepts the connection and never begins the TLS handshake.
    SilentAccept,
    /// Sends the client elsewhere with 307, which asks it to repeat method and body there.
    Redirect(String),
    /// Takes the message, if it is in order, and never says so.
    AcceptThenSilence,
    /// Takes the message, if it is in order, and hangs up.
    AcceptThenClose,
    /// Waits before it goes on as [`Behaviour::Normal`].
    Delay(Duration),
}

impl Behaviour {
    /// Whether it concerns a connection before there is any request on it.
    pub fn is_at_accept(&self) -> bool {
        matches!(self, Self::CloseAtAccept | Self::SilentAccept)
    }
}

/// Streams a body of the letter x in chunks; ends early when the client has had enough.
pub fn write_huge_body(to: &mut impl Write, status: u16, bytes: u64) -> io::Result<()> {
    const CHUNK: u64 = 16 * 1024;
    let answer = Answer::new(status, "text/plain", "");
    to.write_all(wire::head(&answer, "Transfer-Encoding: chunked", false).as_bytes())?;
    let mut left = bytes;
    while left > 0 {
        let size = left.min(CHUNK);
        write!(to, "{size:x}\r\n{}\r\n", "x".repeat(size as usize))?;
        left -= size;
    }
    to.write_all(b"0\r\n\r\n")?;
    to.flush()
}

/// Sends a body so slowly that a timeout for each read alone would never strike.
pub fn write_slowly(to: &mut impl Write, status: u16, body: &str) -> io::Result<()> {
    let answer = Answer::new(status, "application/json", "");
    let length = format!("Content-Length: {}", body.len());
    to.write_all(wire::head(&answer, &length, false).as_bytes())?;
    for byte in body.bytes() {
        to.write_all(&[byte])?;
        to.flush()?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Blocks until the other side closes, or until the gateway shuts the socket down.
pub fn wait_until_client_leaves(mut socket: &TcpStream) {
    let mut ignored = [0; 4096];
    while matches!(socket.read(&mut ignored), Ok(count) if count > 0) {}
}
