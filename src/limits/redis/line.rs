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
use crate::gateway::{Attempt, connect};

/// A connection.
pub struct Line {
    stream: Box<dyn Stream>,
    parser: Parser,
    database: u16,
    deadline: Deadline,
}

/// When all that is said on a connection must have ended, at both of its ends: what asks, and what reads.
type Deadline = Rc<Cell<Instant>>;

/// Bytes in both directions.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Line {
    /// Connects, within a part of the time for the look-up and one for each address.
    ///
    /// # Errors
    /// In words, when there is no connection.
    pub fn open(
        address: &Address,
        authorities: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<Self, String> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let addresses = connect::look_up(&address.host, address.port, left() / 2);
        let mut addresses = addresses.map_err(Attempt::words)?;
        // More than these there is no time for.
        addresses.truncate(4);
        let mut failed = format!("connect: {} has no address", address.host);
        let shared = Deadline::new(Cell::new(deadline));
        let count = u32::try_from(addresses.len()).unwrap_or(1);
        for (tried, socket) in (0..count).zip(&addresses) {
            match reach(socket, left() / (count - tried), shared.clone()) {
                Ok(tcp) => {
                    let stream: Box<dyn Stream> = match address.is_encrypted {
                        true => Box::new(encrypted(tcp, &address.host, authorities)?),
                        false => Box::new(tcp),
                    };
                    let (parser, database) = (Parser::new(), address.database);
                    return Ok(Self { stream, parser, database, deadline: shared });
                }
                Err(error) => failed = format!("connect: {error}"),
            }
        }
        Err(failed)
    }

    /// Gives all that is said from now on until this moment.
    pub fn last_until(&self, deadline: Instant) {
        self.deadline.set(deadline);
    }

    fn answer(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream)
    }
}

fn reach(socket: &SocketAddr, time: Duration, deadline: Deadline) -> io::Result<Timed> {
    let tcp = TcpStream::connect_timeout(socket, time.max(Duration::from_millis(1)))?;
    tcp.set_nodelay(true)?;
    Ok(Timed { tcp, deadline })
}

fn encrypted(
    tcp: Timed,
    host: &str,
    authorities: Option<&[u8]>,
) -> Result<StreamOwned<ClientConnection, Timed>, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let config = Arc::new(connect::tls(authorities)?);
    let tls = ClientConnection::new(config, name).map_err(|error| error.to_string())?;
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
    deadline: Deadline,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline.get().saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        self.tcp.read(buffer).map_err(in_time)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        self.tcp.write(bytes).map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// The kernel calls a time limit "would block".
fn in_time(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// What an error means, in words that begin with its class, as those of providers do.
pub fn words(error: &RedisError) -> String {
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
