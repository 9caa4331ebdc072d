//! The command line of `pam-client`, and what its answers stand for.

use std::ffi::{CString, c_int};
use std::fs::{self, File};
use std::io::{self, BufRead};

use super::{ConversationFails, Reply, give_up, pam};

/// The command line.
#[derive(Default)]
pub struct Script {
    pub service: CString,
    pub confdir: Option<CString>,
    pub user: Option<CString>,
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
                "--user" => script.user = Some(c_string(value())),
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
                _ => give_up(&option, "is no option"),
            }
        }
        script
    }
}

/// What the script says to one prompt.
pub enum Answer {
    Fixed(Option<Vec<u8>>),
    Stdin,
    Outbox(String),
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
            _ => give_up(&kind, "is no kind of answer"),
        }
    }

    /// The answer itself; `Err` where there is none to give.
    pub fn text(&self) -> Reply {
        let text = match self {
            Self::Fixed(text) => return Ok(text.clone()),
            Self::Stdin => io::stdin().lock().lines().next().and_then(Result::ok),
            Self::Outbox(file) => newest_code(file),
        };
        text.map(|text| Some(text.into_bytes())).ok_or(ConversationFails)
    }
}

/// The last run of 4 to 10 digits on the last line of the provider's file.
fn newest_code(file: &str) -> Option<String> {
    let outbox = fs::read_to_string(file).ok()?;
    let mut runs = outbox.lines().last()?.split(|c: char| !c.is_ascii_digit());
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
