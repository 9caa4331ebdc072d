//! One connection to a server, with one deadline for all that is said on it.
//!
//! Commands and answers are the crate's. The connection is our own, since each read and write must
//! end at the deadline, and since whom we trust is decided in one place for all that we connect to.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{ConnectionLike, ErrorKind, Parser, RedisError, RedisResult, Value};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::settings::Address;
use crate::gateway::connect::{self, is_shortage};
use crate::sys::names::NoAddress;

/// A connection.
pub struct Line {
    stream: Box<dyn Stream>,
    parser: Parser,
    database: u16,
    terms: Rc<Terms>,
}

/// What holds for a connection, whatever speaks on it.
struct Terms {
    /// When all of it must have ended.
    deadline: Cell<Instant>,
    /// Whether it ended by a fault of this machine's.
    is_our_fault: Cell<bool>,
}

/// Why a server could not be asked, in words.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// By what a network, or whoever is at its other end, did or left undone.
    Theirs(String),
    /// By what this machine has too little of, or does not allow: anybody with a shell can cause that.
    Ours(String),
}

/// Bytes in both directions.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Line {
    /// Connects, within a part of the time for the look-up and one for each address.
    ///
    /// # Errors
    /// When there is no connection.
    pub fn open(
        address: &Address,
        authorities: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let found = connect::resolve(&address.host, address.port, left() / 2);
        let mut addresses = found.map_err(|reason| {
            let said = connect::no_address(&address.host, &reason);
            if matches!(reason, NoAddress::Ours(_)) {
                Fault::Ours(said)
            } else {
                Fault::Theirs(said)
            }
        })?;
        // More than these there is no time for.
        addresses.truncate(4);
        let (deadline, is_our_fault) = (Cell::new(deadline), Cell::new(false));
        let terms = Rc::new(Terms { deadline, is_our_fault });
        let (mut failed, mut shortage) = ("connect: no time left".to_owned(), None);
        let count = u32::try_from(addresses.len()).unwrap_or(1);
        for (tried, socket) in (0..count).zip(&addresses) {
            match reach(socket, left() / (count - tried), terms.clone()) {
                Ok(tcp) => {
                    let stream: Box<dyn Stream> = match address.is_encrypted {
                        true => Box::new(encrypted(tcp, &address.host, authorities)?),
                        false => Box::new(tcp),
                    };
                    let (parser, database) = (Parser::new(), address.database);
                    return Ok(Self { stream, parser, database, terms });
                }
                Err(error) if is_shortage(&error, *socket) => {
                    shortage = Some(Fault::Ours(format!("local: connect: {error}")));
                }
                Err(error) => failed = format!("connect: {error}"),
            }
        }
        Err(shortage.unwrap_or(Fault::Theirs(failed)))
    }

    /// Why something that was asked got no answer.
    pub fn fault(&self, error: &RedisError) -> Fault {
        match self.terms.is_our_fault.get() {
            true => Fault::Ours(format!("local: {error}")),
            false => Fault::Theirs(words(error)),
        }
    }

    /// Gives all that is said from now on until this moment.
    pub fn last_until(&self, deadline: Instant) {
        self.terms.deadline.set(deadline);
    }

    fn answer(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream)
    }
}

fn reach(socket: &SocketAddr, time: Duration, terms: Rc<Terms>) -> io::Result<Timed> {
    let tcp = TcpStream::connect_timeout(socket, time.max(Duration::from_millis(1)))?;
    tcp.set_nodelay(true)?;
    Ok(Timed { tcp, terms })
}

fn encrypted(
    tcp: Timed,
    host: &str,
    authorities: Option<&[u8]>,
) -> Result<StreamOwned<ClientConnection, Timed>, Fault> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| Fault::Theirs(format!("address: {host}: {error}")))?;
    let ours = |said: String| Fault::Ours(format!("local: {said}"));
    let config = Arc::new(connect::tls(authorities).map_err(ours)?);
    let tls = ClientConnection::new(config, name).map_err(|error| ours(error.to_string()))?;
    Ok(StreamOwned::new(tls, tcp))
}

impl ConnectionLike for Line {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        self.stream.write_all(command)?;
        self.stream.flush()?;
        self.answer()
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.stream.write_all(commands)?;
        self.stream.flush()?;
        for _ in 0..offset {
            self.answer()?;
        }
        (0..count).map(|_| self.answer()).collect()
    }

    fn get_db(&self) -> i64 {
        self.database.into()
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").exec(self).is_ok()
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// A connection that gives out at the deadline, however slowly the other side speaks.
struct Timed {
    tcp: TcpStream,
    terms: Rc<Terms>,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.terms.deadline.get().saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }

    /// What came of a read or a write; the kernel calls a time limit "would block".
    fn came(&self, done: io::Result<usize>) -> io::Result<usize> {
        done.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            // To be done again.
            io::ErrorKind::Interrupted => error,
            _ => {
                let shortage = self.tcp.peer_addr().is_ok_and(|to| is_shortage(&error, to));
                self.terms.is_our_fault.set(shortage);
                error
            }
        })
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        let read = self.tcp.read(buffer);
        self.came(read)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        let written = self.tcp.write(bytes);
        self.came(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// What an error means, in words that begin with its class, as those of providers do.
fn words(error: &RedisError) -> String {
    // Of several commands at once the first failed, and the others for its sake.
    if let Some((_, first)) = error.clone().into_server_errors().as_deref().and_then(<[_]>::first) {
        let class = if first.code() == "WRONGPASS" { "auth" } else { "server" };
        return format!("{class}: {} {}", first.code(), first.details().unwrap_or_default());
    }
    let said = error.to_string();
    match error.kind() {
        _ if error.is_timeout() => "timeout: no answer in time".to_owned(),
        ErrorKind::Io if said.contains("certificate") => format!("certificate: {said}"),
        ErrorKind::Io => format!("connect: {said}"),
        _ => format!("server: {said}"),
    }
}
