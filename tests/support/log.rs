//! What the machine wrote to syslog.
//!
//! `/dev/log` of a [`Machine`](super::machine::Machine) is a socket of the test itself, so a line
//! is seen as its writer sent it, priority included, and a test waits for the line instead of
//! sleeping. [`Watched`] is the means: a value with a bell, for everything that a thread of ours
//! reads while a test waits.

use std::fs::{self, Permissions};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for anything before it says what it saw instead.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long a mark may take from one thread of a test to another.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// The part of a log line that only our module writes.
const OURS: &str = "pam_sms(";

/// Everything sent to `/dev/log` of this machine since [`Log::open`].
pub struct Log {
    lines: Arc<Watched<Vec<String>>>,
    socket: UnixDatagram,
}

impl Log {
    /// Binds `/dev/log` and starts reading it. Use
    /// [`Machine::log`](super::machine::Machine::log), which proves that the `/dev` is not the
    /// host's.
    pub(super) fn open() -> Self {
        // A second log of the same machine takes over; the first hears nothing more.
        let _ = fs::remove_file("/dev/log");
        let socket = UnixDatagram::bind("/dev/log").expect("bind /dev/log");
        // su and sudo write as the user they serve.
        fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("chmod /dev/log");

        let lines = Watched::new(Vec::new());
        let reader = socket.try_clone().expect("a second handle of /dev/log");
        let heard = Arc::clone(&lines);
        thread::spawn(move || listen(&reader, &heard));
        Self { lines, socket }
    }

    /// All lines so far, with `<priority>` and time stamp as the writer sent them.
    pub fn lines(&self) -> Vec<String> {
        self.catch_up();
        self.lines.look(Clone::clone)
    }

    /// The lines of our module, which are the ones a test may be strict about.
    pub fn ours(&self) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.contains(OURS)).collect()
    }

    /// Forgets all lines so far, for a test that waits for the same text again.
    pub fn clear(&self) {
        self.catch_up();
        self.lines.update(Vec::clear);
    }

    /// Waits until all is read that was written before this call: a socket keeps the order.
    fn catch_up(&self) {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("mark {}", MARKS.fetch_add(1, Ordering::Relaxed));
        let bell = UnixDatagram::unbound().expect("a socket");
        // Where a test has put something else into its place, nothing comes any more.
        let is_ours = self.socket.local_addr().is_ok_and(|address| {
            address.as_pathname().is_some_and(|path| bell.send_to(mark.as_bytes(), path).is_ok())
        });
        if is_ours {
            let is_mark = |line: &String| *line == mark;
            self.lines.wait(CATCHING_UP, |lines| lines.iter().any(is_mark).then_some(()));
            self.lines.update(|lines| lines.retain(|line| !is_mark(line)));
        }
    }

    /// The first line that contains `text`, now or as soon as it is written.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`], showing all lines there are.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let found = self.lines.wait(PATIENCE, |lines| {
            lines.iter().find(|line| line.contains(text)).map(String::from)
        });
        found.unwrap_or_else(|| {
            panic!("no log line with {text:?}; there are:\n{}", self.lines().join("\n"))
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Wakes the reader, which would otherwise keep the machine's mounts alive.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Reads datagrams until the socket is shut down.
fn listen(socket: &UnixDatagram, heard: &Watched<Vec<String>>) {
    let mut datagram = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = socket.recv(&mut datagram) {
        let line = String::from_utf8_lossy(&datagram[..length]);
        let line = line.trim_end_matches(['\0', '\n']).to_owned();
        heard.update(|lines| lines.push(line));
    }
}

/// Waits for something that rings no bell: what only `/proc` or a file system can be asked for.
///
/// # Panics
///
/// After [`PATIENCE`].
#[track_caller]
pub fn wait_until<T>(what: &str, mut sign: impl FnMut() -> Option<T>) -> T {
    let patience_ends = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = sign() {
            return found;
        }
        assert!(Instant::now() < patience_ends, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A value that one thread changes and another waits for.
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// The value as it is at first, ready to be shared with the thread that changes it.
    pub fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value: Mutex::new(value), changed: Condvar::new() })
    }

    /// Changes the value and wakes whoever waits.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// The value as it is now.
    pub fn look<R>(&self, see: impl FnOnce(&T) -> R) -> R {
        see(&self.lock())
    }

    /// Waits until `sign` finds what it looks for; `None` when `patience` is over.
    pub fn wait<R>(&self, patience: Duration, sign: impl Fn(&T) -> Option<R>) -> Option<R> {
        let waiting = self.changed.wait_timeout_while(self.lock(), patience, |value| {
            // Asked again below, where its answer can be kept.
            sign(value).is_none()
        });
        let (value, _) = waiting.expect("nobody panics while changing the value");
        sign(&value)
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().expect("nobody panics while changing the value")
    }
}
