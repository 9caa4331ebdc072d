//! A person at a terminal.
//!
//! What a person sees is the last word on a login: sshd, ssh, su and sudo each do something of
//! their own to a prompt. So these are the real programs on a pseudo terminal, which crate rexpect
//! makes. Its `PtyProcess` is used and its session is not: that one decodes as Latin-1, polls
//! every 100 ms and forgets what was on the screen.
//!
//! rexpect forks from the calling thread, so a person lives in the machine of the test that calls.
//! What is typed does not show: rexpect starts with echo off.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, Signal, WaitStatus};

use super::log::{PATIENCE, Watched};

/// How ssh is run unless the test's own options, which come first and so win, say otherwise.
const SSH_DEFAULTS: [&str; 5] = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "PreferredAuthentications=keyboard-interactive",
    "NumberOfPasswordPrompts=1",
    "ConnectTimeout=20",
];

/// One person in front of one program; the program is killed when the person is dropped.
pub struct Person {
    process: PtyProcess,
    keyboard: File,
    screen: Arc<Watched<Screen>>,
    /// How much of the screen earlier calls of [`Person::see`] have dealt with.
    seen: usize,
    ended: Option<i32>,
}

/// All output so far.
#[derive(Default)]
struct Screen {
    /// Without carriage returns.
    text: Vec<u8>,
    over: bool,
}

impl Person {
    /// Logs in as `user` with the real ssh client: `ssh -tt OPTIONS user@127.0.0.1`.
    pub fn ssh(user: &str, options: &[&str]) -> Self {
        Self::ssh_in("C", user, options)
    }

    /// The same at a terminal with another locale: in that of C, ssh shows all but ASCII as numbers.
    pub fn ssh_in(locale: &str, user: &str, options: &[&str]) -> Self {
        let mut ssh = as_user("root", "/root");
        ssh.env("LC_ALL", locale);
        ssh.args(["ssh", "-tt", "-F", "/dev/null"]).args(options);
        for default in SSH_DEFAULTS {
            ssh.args(["-o", default]);
        }
        ssh.arg(format!("{user}@127.0.0.1"));
        Self::at(ssh)
    }

    /// Runs another program over ssh: `scp`, `sftp`, or ssh without a terminal at the other end.
    /// `words` come after the options.
    pub fn over_ssh(program: &str, options: &[&str], words: &[&str]) -> Self {
        let mut command = as_user("root", "/root");
        command.args([program, "-F", "/dev/null"]).args(options);
        for default in SSH_DEFAULTS {
            command.args(["-o", default]);
        }
        command.args(words);
        Self::at(command)
    }

    /// root runs a command at a terminal.
    pub fn root(command: &[&str]) -> Self {
        let mut program = as_user("root", "/root");
        program.args(command);
        Self::at(program)
    }

    /// alice becomes `user`: `su - USER`.
    pub fn su(user: &str) -> Self {
        Self::alice(&["su", "-", user])
    }

    /// alice asks sudo to run a command: `sudo COMMAND...`.
    pub fn sudo(command: &[&str]) -> Self {
        Self::alice(&[&["sudo"], command].concat())
    }

    /// alice, whose real user id is hers, runs a command.
    pub fn alice(command: &[&str]) -> Self {
        let mut program = as_user("alice", "/home/alice");
        program.args(command);
        Self::at(program)
    }

    /// Sits down in front of any program.
    pub fn at(command: Command) -> Self {
        let what = format!("{command:?}");
        let process = PtyProcess::new(command).unwrap_or_else(|error| panic!("{what}: {error}"));
        let terminal = || process.get_file_handle().expect("a handle of the terminal");
        let (keyboard, output) = (terminal(), terminal());
        let screen = Watched::new(Screen::default());
        let shown = Arc::clone(&screen);
        thread::spawn(move || watch(output, &shown));
        Self { process, keyboard, screen, seen: 0, ended: None }
    }

    /// Waits until `text` shows, and returns what showed before it since the last call.
    ///
    /// # Panics
    ///
    /// When the program ends without it, and after [`PATIENCE`]; with the whole screen.
    #[track_caller]
    pub fn see(&mut self, text: &str) -> String {
        let from = self.seen;
        let found = self.screen.wait(PATIENCE, |screen| {
            let place = find(&screen.text[from..], text.as_bytes());
            if place.is_none() && !screen.over { None } else { Some(place) }
        });
        let Some(place) = found.flatten() else {
            let why = if found.is_none() { "did not show in time" } else { "never showed" };
            panic!("{text:?} {why}; the screen:\n{}", self.screen());
        };
        self.seen = from + place + text.len();
        self.screen.look(|screen| lossy(&screen.text[from..from + place]))
    }

    /// Waits until one of `texts` shows, and says which; none when the program ends without any.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`], with the whole screen.
    #[track_caller]
    pub fn see_any(&mut self, texts: &[&str]) -> Option<usize> {
        let from = self.seen;
        let found = self.screen.wait(PATIENCE, |screen| {
            let places = texts.iter().map(|text| find(&screen.text[from..], text.as_bytes()));
            let shown = places.enumerate().filter_map(|(index, place)| Some((place?, index)));
            let first = shown.min();
            if first.is_none() && !screen.over { None } else { Some(first) }
        });
        let first = found.unwrap_or_else(|| panic!("none of {texts:?} in\n{}", self.screen()));
        let (place, index) = first?;
        self.seen = from + place + texts[index].len();
        Some(index)
    }

    /// Types a line and presses Enter.
    pub fn type_line(&mut self, line: &str) {
        self.type_keys(&format!("{line}\r"));
    }

    /// Types keys as they are: `"\x03"` is Ctrl-C.
    pub fn type_keys(&mut self, keys: &str) {
        // Who types to a program that has just ended finds out on the screen.
        let _ = self.keyboard.write_all(keys.as_bytes());
    }

    /// Presses Ctrl-C at a prompt of ssh. If it comes between the prompt and the read, ssh notes it
    /// and acts on the next key only, which is Enter here.
    pub fn interrupt_ssh(&mut self) {
        self.type_keys("\x03\r");
    }

    /// All that showed so far, without carriage returns.
    pub fn screen(&self) -> String {
        self.screen.look(|screen| lossy(&screen.text))
    }

    /// Waits until the program has ended and returns its exit status: 128 and the number for a
    /// signal, as a shell says it.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`], with the whole screen.
    #[track_caller]
    pub fn gone(&mut self) -> i32 {
        let over = self.screen.wait(PATIENCE, |screen| screen.over.then_some(()));
        assert!(over.is_some(), "still there; the screen:\n{}", self.screen());
        let patience_ends = Instant::now() + PATIENCE;
        while self.ended.is_none() {
            self.ended = match self.process.status() {
                Some(WaitStatus::Exited(_, status)) => Some(status),
                Some(WaitStatus::Signaled(_, signal, _)) => Some(128 + signal as i32),
                _ => None,
            };
            assert!(Instant::now() < patience_ends, "has left its terminal and goes on");
            // The terminal closes a moment before its program can be reaped.
            thread::sleep(Duration::from_millis(1));
        }
        self.ended.unwrap_or_default()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // PtyProcess would send SIGTERM until it works, and an interactive shell ignores that.
        if self.ended.is_none() && self.process.signal(Signal::SIGKILL).is_ok() {
            let _ = self.process.wait();
        }
    }
}

/// A command line to be completed, which runs as `user` in full: ids, groups and environment.
fn as_user(user: &str, home: &str) -> Command {
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin")
        .envs([("HOME", home), ("USER", user), ("LOGNAME", user)])
        // Neither translations nor escape sequences on the screen.
        .envs([("LC_ALL", "C"), ("TERM", "dumb")])
        .current_dir("/");
    command
}

/// Reads the terminal until its program has closed it.
fn watch(mut output: File, shown: &Watched<Screen>) {
    let mut piece = [0; 4096];
    // At the end of a terminal Linux answers EIO.
    while let Ok(length @ 1..) = output.read(&mut piece) {
        let new = piece[..length].iter().filter(|&&byte| byte != b'\r');
        shown.update(|screen| screen.text.extend(new));
    }
    shown.update(|screen| screen.over = true);
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
