//! What the gateway has seen and how it is to behave, shared by its threads and the test.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::faults::Behaviour;
use super::wire::Request;

/// A message the gateway took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which interface it came by: the kind of provider.
    pub format: &'static str,
    /// The recipient in E.164 with its `+`, however the provider writes it.
    pub to: String,
    /// The text as a phone would show it.
    pub text: String,
    /// The sender: a number, a name, or the SID of a messaging service.
    pub from: Option<String>,
    /// Whose account paid: the SID, key, login or token, never a password.
    pub credentials: String,
}

impl Message {
    /// The code in the text: its longest run of 4 to 10 digits, the first of several.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn code(&self) -> String {
        let runs = self.text.split(|letter: char| !letter.is_ascii_digit());
        let codes = runs.filter(|run| (4..=10).contains(&run.len()));
        // max_by_key would give the last of several.
        let longest = codes.reduce(|best, run| if run.len() > best.len() { run } else { best });
        longest.unwrap_or_else(|| panic!("no code in {:?}", self.text)).to_owned()
    }
}

/// Something that happened, for whoever follows along.
#[derive(Clone, Debug)]
pub enum News {
    /// A request came in; what is made of it follows.
    Arrived(Request),
    Accepted(Message),
    Refused(String),
}

/// See the module.
#[derive(Default)]
pub struct State {
    seen: Mutex<Seen>,
    arrived: Condvar,
}

#[derive(Default)]
struct Seen {
    stopping: bool,
    /// By which messages are known that are taken once.
    keys: HashSet<String>,
    /// What was answered to messages that were taken.
    answers: Vec<String>,
    /// How often each message was asked after.
    asked: HashMap<String, usize>,
    usual: Usual,
    next: VecDeque<Behaviour>,
    messages: Vec<Message>,
    requests: Vec<Request>,
    refusals: Vec<String>,
    connections: usize,
    /// Sockets of the connections still open, so that they can be shut from outside.
    open: HashMap<usize, TcpStream>,
    follower: Option<Sender<News>>,
}

struct Usual(Behaviour);

impl Default for Usual {
    fn default() -> Self {
        Self(Behaviour::Normal)
    }
}

impl State {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A thread that panicked left nothing half done: every change here is one push.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn behave(&self, behaviour: Behaviour) {
        self.seen().usual = Usual(behaviour);
    }

    pub fn behave_once(&self, behaviour: Behaviour) {
        self.seen().next.push_back(behaviour);
    }

    /// How to meet a connection that was just accepted; None to go on and read from it.
    pub fn behaviour_at_accept(&self) -> Option<Behaviour> {
        let mut seen = self.seen();
        match seen.next.front() {
            Some(next) if next.is_at_accept() => seen.next.pop_front(),
            Some(_) => None,
            None => Some(seen.usual.0.clone()).filter(Behaviour::is_at_accept),
        }
    }

    /// How to meet a request that was just read. What is meant for a connection stays queued.
    pub fn behaviour_for_request(&self) -> Behaviour {
        let mut seen = self.seen();
        match seen.next.front() {
            Some(next) if next.is_at_accept() => Behaviour::CloseBeforeAnswer,
            Some(_) => seen.next.pop_front().unwrap_or(Behaviour::Normal),
            None if seen.usual.0.is_at_accept() => Behaviour::CloseBeforeAnswer,
            None => seen.usual.0.clone(),
        }
    }

    pub fn accept(&self, message: Message) {
        let mut seen = self.seen();
        seen.tell(News::Accepted(message.clone()));
        seen.messages.push(message);
        self.arrived.notify_all();
    }

    /// Keeps the answer to a message, in which its name stands.
    pub fn answered(&self, body: &str) {
        self.seen().answers.push(body.to_owned());
    }

    /// Whether a message of this name was taken, and whether it was asked after before.
    pub fn asked_after(&self, id: &str) -> (bool, bool) {
        let mut seen = self.seen();
        let is_ours = !id.is_empty() && seen.answers.iter().any(|answer| answer.contains(id));
        let asked = seen.asked.entry(id.to_owned()).or_default();
        *asked += 1;
        (is_ours, *asked > 1)
    }

    /// Whether no message came by this key before.
    pub fn is_new(&self, key: &str) -> bool {
        self.seen().keys.insert(key.to_owned())
    }

    pub fn refuse(&self, why: String) {
        let mut seen = self.seen();
        seen.tell(News::Refused(why.clone()));
        seen.refusals.push(why);
    }

    pub fn note_request(&self, request: &Request) {
        let mut seen = self.seen();
        seen.tell(News::Arrived(request.clone()));
        seen.requests.push(request.clone());
    }

    pub fn messages(&self) -> Vec<Message> {
        self.seen().messages.clone()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen().requests.clone()
    }

    pub fn refusals(&self) -> Vec<String> {
        self.seen().refusals.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen().connections
    }

    pub fn wait_for_message(&self, nth: usize, patience: Duration) -> Option<Message> {
        let missing = |seen: &mut Seen| seen.messages.len() <= nth;
        let waited = self.arrived.wait_timeout_while(self.seen(), patience, missing);
        let (seen, _) = waited.unwrap_or_else(PoisonError::into_inner);
        seen.messages.get(nth).cloned()
    }

    pub fn subscribe(&self) -> Receiver<News> {
        let (follower, news) = mpsc::channel();
        self.seen().follower = Some(follower);
        news
    }

    /// Registers a connection and gives it a number; None when the gateway is closing down.
    pub fn open(&self, socket: &TcpStream) -> Option<usize> {
        let mut seen = self.seen();
        if seen.stopping {
            return None;
        }
        let number = seen.connections;
        seen.open.insert(number, socket.try_clone().ok()?);
        seen.connections += 1;
        Some(number)
    }

    /// Shuts a connection for good: dropping one of two handles on a socket would not close it.
    pub fn close(&self, connection: usize) {
        if let Some(socket) = self.seen().open.remove(&connection) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.seen().stopping
    }

    /// Hangs up on everybody and lets nobody in any more.
    pub fn stop(&self) {
        let mut seen = self.seen();
        seen.stopping = true;
        for (_, socket) in seen.open.drain() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Seen {
    fn tell(&self, news: News) {
        if let Some(follower) = &self.follower {
            // Whoever stopped listening does not want to know.
            let _ = follower.send(news);
        }
    }
}
