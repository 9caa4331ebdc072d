//! One connection from the handshake to the end.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::faults::{self, Behaviour};
use super::formats::{self, Accepted};
use super::state::State;
use super::wire::{self, Answer, Request, Trouble};

/// Serves a connection until either side has had enough of it.
pub fn serve(socket: &TcpStream, connection: usize, tls: Option<Arc<ServerConfig>>, state: &State) {
    match state.behaviour_at_accept() {
        Some(Behaviour::CloseAtAccept) => return,
        Some(_) => return faults::wait_until_client_leaves(socket),
        None => {}
    }
    let line = match Line::begin(socket, tls) {
        Ok(line) => line,
        Err(error) => {
            // A client that does not trust the certificate says so, and a test may want to know.
            if error.kind() == io::ErrorKind::InvalidData {
                state.refuse(format!("connection {connection}: TLS handshake: {error}"));
            }
            return;
        }
    };
    let mut line = BufReader::new(line);
    loop {
        let request = match wire::read_request(&mut line, connection) {
            Ok(request) => request,
            Err(Trouble::Gone) => return line.into_inner().end(),
            Err(Trouble::Malformed(why)) => {
                state.refuse(format!("connection {connection}: not HTTP: {why}"));
                let answer = Answer::new(400, "text/plain", "Bad Request\n");
                let _ = wire::write_answer(line.get_mut(), &answer, false);
                return line.into_inner().end();
            }
        };
        state.note_request(&request);
        match meet(&request, line.get_mut(), socket, state) {
            Ok(Next::Request) if request.keep_alive => {}
            Ok(Next::Request | Next::End) => return line.into_inner().end(),
            // Writing failed, which is the client's right.
            Ok(Next::HangUp) | Err(_) => return,
        }
    }
}

/// What becomes of the connection after a request.
enum Next {
    /// It stays open.
    Request,
    /// It is closed as it should be.
    End,
    /// It is cut.
    HangUp,
}

fn meet(request: &Request, line: &mut Line, socket: &TcpStream, state: &State) -> io::Result<Next> {
    let answer = match state.behaviour_for_request() {
        Behaviour::Normal => judge(request, state).unwrap_or_else(|refusal| refusal),
        Behaviour::Delay(time) => {
            thread::sleep(time);
            judge(request, state).unwrap_or_else(|refusal| refusal)
        }
        Behaviour::Answer { status, content_type, body } => Answer::new(status, content_type, body),
        Behaviour::Redirect(to) => Answer::new(307, "text/plain", "").with_header("Location", to),
        Behaviour::AcceptThenSilence => match judge(request, state) {
            Ok(_) => {
                faults::wait_until_client_leaves(socket);
                return Ok(Next::HangUp);
            }
            Err(refusal) => refusal,
        },
        Behaviour::AcceptThenClose => match judge(request, state) {
            Ok(_) => return Ok(Next::HangUp),
            Err(refusal) => refusal,
        },
        Behaviour::Raw(bytes) => {
            line.write_all(&bytes)?;
            line.flush()?;
            return Ok(Next::End);
        }
        Behaviour::HugeBody { status, bytes } => {
            faults::write_huge_body(line, status, bytes)?;
            return Ok(Next::End);
        }
        Behaviour::Trickle { status, body } => {
            faults::write_slowly(line, status, &body)?;
            return Ok(Next::End);
        }
        Behaviour::Silence => {
            faults::wait_until_client_leaves(socket);
            return Ok(Next::HangUp);
        }
        // The other two are dealt with before there is a request.
        Behaviour::CloseBeforeAnswer | Behaviour::CloseAtAccept | Behaviour::SilentAccept => {
            return Ok(Next::HangUp);
        }
    };
    wire::write_answer(line, &answer, request.keep_alive)?;
    Ok(Next::Request)
}

/// Checks a request and writes down what came of it, before the client can know.
fn judge(request: &Request, state: &State) -> Result<Answer, Answer> {
    if let Some(asked) = formats::status(request) {
        let (is_ours, has_arrived) = state.asked_after(&asked.id);
        return asked.answer(is_ours, has_arrived).map_err(|refused| {
            state.refuse(refused.why);
            refused.answer
        });
    }
    let judged = match formats::question(request) {
        Some(Ok(answer)) => return Ok(answer),
        Some(Err(refused)) => Err(refused),
        None => formats::judge(request),
    };
    match judged {
        Ok(Accepted { message, answer, once }) => match once {
            Some((key, again)) if !state.is_new(&key) => Ok(again),
            _ => {
                state.answered(&answer.body);
                state.accept(message);
                Ok(answer)
            }
        },
        Err(refused) => {
            let Request { method, path, .. } = request;
            state.refuse(format!("{method} {path}: {}", refused.why));
            Err(refused.answer)
        }
    }
}

/// What bytes travel over.
enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Line {
    /// Takes a second handle on the socket and, with TLS, shakes hands to the end.
    fn begin(socket: &TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let mut socket = socket.try_clone()?;
        // A trickle that is gathered into one packet would be none.
        socket.set_nodelay(true)?;
        let Some(config) = tls else { return Ok(Self::Plain(socket)) };
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    /// Says goodbye, so that the client can tell the end from a cut.
    fn end(self) {
        if let Self::Tls(mut tls) = self {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            Self::Tls(tls) => tls.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
