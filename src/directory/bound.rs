//! A bound on what one server may say: all of an answer is kept until it is whole, and who is on the way
//! may send without end even before TLS begins.

use std::cell::Cell;
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::timeout;

/// Most bytes of one server: its certificates, and the numbers of an entry. That is some kilobytes.
const MOST_SAID: u64 = 256 << 10;

/// What a good-bye may take to go out.
const GOODBYE: Duration = Duration::from_millis(50);

/// Stands between a server and whoever reads what it says.
pub(super) struct Bound {
    is_reached: Rc<Cell<bool>>,
    goes_out: JoinHandle<()>,
}

impl Bound {
    /// Puts one before `server`, and returns the stream that is read in its place. It works on `here`.
    ///
    /// # Errors
    /// When there is no such stream to be had.
    pub(super) fn before(server: TcpStream, here: &LocalSet) -> io::Result<(TcpStream, Self)> {
        let (ours, theirs) = UnixStream::pair()?;
        server.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        let server = net::TcpStream::from_std(server)?;
        let theirs = net::UnixStream::from_std(theirs)?;
        let (from_server, mut to_server) = server.into_split();
        let (mut from_us, mut to_us) = theirs.into_split();
        let is_reached = Rc::new(Cell::new(false));
        let reached = is_reached.clone();
        here.spawn_local(async move {
            let mut from_server = from_server.take(MOST_SAID);
            // However it ends, the reader sees the end.
            let _ = copy(&mut from_server, &mut to_us).await;
            reached.set(from_server.limit() == 0);
            let _ = to_us.shutdown().await;
        });
        let goes_out = here.spawn_local(async move {
            let _ = copy(&mut from_us, &mut to_server).await;
        });
        // The crate ldap3 takes streams of this type only; it reads and writes it, and nothing else.
        Ok((TcpStream::from(OwnedFd::from(ours)), Self { is_reached, goes_out }))
    }

    /// Whether the server has said more than it may.
    pub(super) fn is_reached(&self) -> bool {
        self.is_reached.get()
    }

    /// Waits until what was said last is on its way.
    pub(super) async fn flush(self) {
        let _ = timeout(GOODBYE, self.goes_out).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use tokio::runtime::Builder;

    use super::*;

    /// How many bytes arrive of a server that says so many, whether they were too many, and what the server
    /// was told at last.
    fn through(says: u64) -> (u64, bool, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let talk = thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            // It is hung up on in the middle, where it says too much.
            let _ = io::copy(&mut io::repeat(7).take(says), &mut line);
            let _ = line.shutdown(std::net::Shutdown::Write);
            let mut told = Vec::new();
            let _ = line.read_to_end(&mut told);
            told
        });
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let here = LocalSet::new();
        let (came, is_reached) = here.block_on(&runtime, async {
            let (mut stream, bound) = Bound::before(server, &here).unwrap();
            let reader = tokio::task::spawn_blocking(move || {
                let came = io::copy(&mut stream, &mut io::sink()).unwrap();
                let _ = stream.write_all(b"bye");
                came
            });
            let came = reader.await.unwrap();
            let is_reached = bound.is_reached();
            bound.flush().await;
            (came, is_reached)
        });
        drop((here, runtime));
        (came, is_reached, talk.join().unwrap())
    }

    #[test]
    fn a_server_is_listened_to_until_it_has_said_too_much() {
        for said in [0, 1, MOST_SAID - 1] {
            assert_eq!(through(said), (said, false, b"bye".to_vec()));
        }
        for said in [MOST_SAID, MOST_SAID + 1, 10 * MOST_SAID] {
            let (came, is_reached, _) = through(said);
            assert_eq!((came, is_reached), (MOST_SAID, true), "{said}");
        }
    }
}
