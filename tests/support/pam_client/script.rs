//! The command line of `pam-client`, and what its answers stand for.

use std::ffi::{CString, c_int};
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::thread;
use std::time::{Duration, Instant};

use super::{ConversationFails, Reply, give_up, pam};

/// The command line.
#[derive(Default)]
pub struct Script {
    pub service: CString,
    pub confdir: Option<CString>,
    user: Option<String>,
    people: Option<usize>,
    wrong_every: Option<usize>,
    pub items: Vec<(c_int, CString)>,
    pub environment: Vec<CString>,
    pub authtok: Option<String>,
    pub answers: Vec<Answer>,
    pub manner: Manner,
    pub hold: Option<File>,
    pub times: Option<usize>,
    pub silent: bool,
    pub acct: bool,
    pub user_at_acct: Option<CString>,
    pub setcred: bool,
    pub sigchld_ignore: bool,
    pub sigpipe_default: bool,
    pub took: bool,
    pub quiet: bool,
    pub threads: Option<usize>,
    pub stack: Option<usize>,
    pub close_standard: bool,
    pub chroot: Option<CString>,
    pub refuse: Option<String>,
    pub number: Option<String>,
    pub files_left: Option<usize>,
}

/// How the application holds a conversation.
#[derive(Default, PartialEq)]
pub enum Manner {
    #[default]
    Scripted,
    LikeSshd(String),
    Fails,
    Missing,
}

impl Script {
    /// Reads the options, or ends the program.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Self {
        let mut script = Self::default();
        while let Some(option) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| give_up(&option, "wants a value"));
            match option.as_str() {
                "--service" => script.service = c_string(value()),
                "--confdir" => script.confdir = Some(c_string(value())),
                "--user" => script.user = Some(value()),
                "--people" => script.people = Some(number(&value())),
                "--wrong-every" => script.wrong_every = Some(number(&value())),
                "--rhost" => script.items.push((pam::RHOST, c_string(value()))),
                "--tty" => script.items.push((pam::TTY, c_string(value()))),
                "--ruser" => script.items.push((pam::RUSER, c_string(value()))),
                "--env" => script.environment.push(c_string(value())),
                "--authtok" => script.authtok = Some(value()),
                "--answer" => script.answers.push(Answer::from_kind(&value())),
                "--like-sshd-password" => script.manner = Manner::LikeSshd(value()),
                "--conv-fails" => script.manner = Manner::Fails,
                "--no-conv" => script.manner = Manner::Missing,
                "--hold-at-prompt" => script.hold = Some(open(&value())),
                "--times" => script.times = Some(number(&value())),
                "--silent" => script.silent = true,
                "--acct" => script.acct = true,
                "--user-at-acct" => script.user_at_acct = Some(c_string(value())),
                "--setcred" => script.setcred = true,
                "--sigchld-ignore" => script.sigchld_ignore = true,
                "--sigpipe-default" => script.sigpipe_default = true,
                "--took" => script.took = true,
                "--number" => script.number = Some(value()),
                "--quiet" => script.quiet = true,
                "--stack" => script.stack = Some(number(&value())),
                "--threads" => script.threads = Some(number(&value())),
                "--close-standard" => script.close_standard = true,
                "--chroot" => script.chroot = Some(c_string(value())),
                "--files-left" => script.files_left = Some(number(&value())),
                "--refuse" => script.refuse = Some(value()),
                _ => give_up(&option, "is no option"),
            }
        }
        script
    }

    /// Who logs in.
    pub fn user(&self, login: usize) -> Option<CString> {
        let number = login % self.people.unwrap_or(usize::MAX);
        self.user.as_ref().map(|user| c_string(user.replace('%', &number.to_string())))
    }

    /// Whether the answers of this login shall be wrong.
    pub fn is_wrong(&self, login: usize) -> bool {
        self.wrong_every.is_some_and(|every| (login + 1) % every == 0)
    }
}

/// Which message a prompt is about.
#[derive(Default)]
pub struct About {
    reference: String,
    ending: String,
    number: Option<String>,
}

impl About {
    /// One to this number, or to one that the prompt tells the ending of.
    pub fn new(number: Option<&String>) -> Self {
        Self { number: number.cloned(), ..Self::default() }
    }

    /// Remembers what a text says of it.
    pub fn hear(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        for two in words.windows(2) {
            let [before, word] = [two[0], two[1].trim_end_matches('.')];
            match before {
                "Reference:" | "reference" => word.clone_into(&mut self.reference),
                "in" => word.clone_into(&mut self.ending),
                _ => {}
            }
        }
    }

    /// Whether a line of the outbox, `TIME NUMBER KQ-004217 ...`, is the one.
    fn fits(&self, line: &str) -> bool {
        let mut words = line.split(' ').skip(1);
        let ending = self.number.as_ref().unwrap_or(&self.ending);
        words.next().is_some_and(|number| number.ends_with(ending))
            && words.next().is_some_and(|code| code.starts_with(&format!("{}-", self.reference)))
    }
}

/// What the script says to one prompt.
pub enum Answer {
    Fixed(Option<Vec<u8>>),
    Stdin,
    Outbox(String),
    Own(String),
}

impl Answer {
    fn from_kind(kind: &str) -> Self {
        let (name, value) = kind.split_once(':').unwrap_or((kind, ""));
        match name {
            "text" => Self::Fixed(Some(value.into())),
            "empty" => Self::Fixed(Some(Vec::new())),
            "null" => Self::Fixed(None),
            "long" => Self::Fixed(Some(vec![b'a'; number(value)])),
            "hex" => Self::Fixed(Some(bytes(value))),
            "stdin" => Self::Stdin,
            "outbox" => Self::Outbox(value.to_owned()),
            "own" => Self::Own(value.to_owned()),
            _ => give_up(&kind, "is no kind of answer"),
        }
    }

    /// The answer itself; `Err` where there is none to give.
    pub fn text(&self, about: &About) -> Reply {
        let text = match self {
            Self::Fixed(text) => return Ok(text.clone()),
            Self::Stdin => io::stdin().lock().lines().next().and_then(Result::ok),
            Self::Outbox(file) => newest_code(file, |_| true),
            Self::Own(file) => wait_for(|| newest_code(file, |line| about.fits(line))),
        };
        text.map(|text| Some(text.into_bytes())).ok_or(ConversationFails)
    }
}

/// What is there soon: who brings it is told at the same time as who asked for it.
fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let begun = Instant::now();
    loop {
        let found = look();
        if found.is_some() || begun.elapsed() > PATIENCE {
            return found;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The last run of 4 to 10 digits on the last line of the provider's file that fits.
fn newest_code(file: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    /// Bytes: the lines of all who may be at it.
    const TAIL: u64 = 16 << 10;
    let mut file = File::open(file).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let line = tail.lines().rfind(|line| fits(line))?;
    let mut runs = line.split(|c: char| !c.is_ascii_digit());
    runs.rfind(|digits| (4..=10).contains(&digits.len())).map(String::from)
}

/// Opened before the first prompt shows, which is when the test may take the file away.
fn open(path: &str) -> File {
    File::open(path).unwrap_or_else(|error| give_up(&path, error))
}

fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| give_up(&"argument", error))
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|error| give_up(&text, error))
}

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or("no"), 16);
    let all: Result<_, _> = (0..hex.len()).step_by(2).map(pair).collect();
    all.unwrap_or_else(|error| give_up(&hex, error))
}
