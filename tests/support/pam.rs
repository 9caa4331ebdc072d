//! Logins through libpam without a login program: the example `pam-client`, run in a machine.
//!
//! ```ignore
//! let run = Client::new(&machine, "vault").user("alice").answer("text:123456").run();
//! assert_eq!(run.result, 7);
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::example;
use super::log::{PATIENCE, Watched, wait_until};
use super::machine::Machine;
use run::messages;

mod run;

pub use run::Run;

/// A line for a stack that makes [`Client::authtok`] work: it asks for a password, keeps it as
/// PAM_AUTHTOK and is content with any.
pub const ANY_PASSWORD: &str = "auth requisite pam_exec.so quiet expose_authtok /bin/true\n";

/// How long a whole run may take: many logins under valgrind, on a busy machine.
const LONGEST_RUN: Duration = Duration::from_secs(300);

/// One run of `pam-client`, as it is being put together. `pam_client.rs` says what the options do.
pub struct Client<'a> {
    machine: &'a Machine,
    /// What runs the client: itself, or valgrind, setpriv, ...
    before: Vec<String>,
    options: Vec<String>,
}

impl<'a> Client<'a> {
    /// A login at `service`.
    pub fn new(machine: &'a Machine, service: &str) -> Self {
        Self { machine, before: Vec::new(), options: Vec::new() }.option("--service", service)
    }

    /// Looks for the stack in this folder instead of `/etc/pam.d`.
    pub fn confdir(self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_str().expect("a folder's name in UTF-8");
        self.option("--confdir", folder)
    }

    /// PAM_USER; without it libpam asks.
    pub fn user(self, name: &str) -> Self {
        self.option("--user", name)
    }

    /// PAM_RHOST.
    pub fn rhost(self, address: &str) -> Self {
        self.option("--rhost", address)
    }

    /// PAM_TTY.
    pub fn tty(self, name: &str) -> Self {
        self.option("--tty", name)
    }

    /// PAM_RUSER.
    pub fn ruser(self, name: &str) -> Self {
        self.option("--ruser", name)
    }

    /// A variable of the PAM environment, `NAME=VALUE`.
    pub fn env(self, variable: &str) -> Self {
        self.option("--env", variable)
    }

    /// PAM_USER from behind pam_authenticate on.
    pub fn user_at_acct(self, name: &str) -> Self {
        self.option("--user-at-acct", name)
    }

    /// Answers prompts with echo off; see [`ANY_PASSWORD`].
    pub fn authtok(self, text: &str) -> Self {
        self.option("--authtok", text)
    }

    /// The answer to one prompt, and to all after it: `text:...`, `outbox:/run/outbox`, ...
    pub fn answer(self, kind: &str) -> Self {
        self.option("--answer", kind)
    }

    /// Talks like sshd's method `password`.
    pub fn like_sshd_password(self, password: &str) -> Self {
        self.option("--like-sshd-password", password)
    }

    /// That many logins in one process, and then [`Run::left`].
    pub fn times(self, count: usize) -> Self {
        self.option("--times", &count.to_string())
    }

    /// Answers no prompt before [`Hold::release`].
    pub fn hold_at_prompt(self, hold: &Hold) -> Self {
        let path = hold.file.path().to_str().expect("a temporary name in UTF-8");
        self.option("--hold-at-prompt", path)
    }

    /// That many logins at once, in threads of one process; [`Client::times`] says how often.
    pub fn threads(self, count: usize) -> Self {
        self.option("--threads", &count.to_string())
    }

    /// That many people in turn, who are called as [`Client::user`] says with a number for its `%`.
    pub fn people(self, count: usize) -> Self {
        self.option("--people", &count.to_string())
    }

    /// Answers wrongly in each login of that number.
    pub fn wrong_every(self, count: usize) -> Self {
        self.option("--wrong-every", &count.to_string())
    }

    /// An option without a value: `--silent`, `--acct`, `--setcred`, `--no-conv`, `--conv-fails`, `--quiet`,
    /// `--sigchld-ignore`, `--sigpipe-default`, `--close-standard`.
    pub fn flag(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    /// Runs the client under another program, such as valgrind.
    pub fn under(mut self, command: &[&str]) -> Self {
        self.before.extend(command.iter().map(ToString::to_string));
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Run {
        self.spawn().finish()
    }

    /// Starts it, for a test that answers `stdin` prompts as they come or does something between.
    #[track_caller]
    pub fn spawn(self) -> Session {
        let client = example("pam-client");
        let mut words: Vec<String> = self.before;
        words.push(client.to_str().expect("a path in UTF-8").to_owned());
        words.extend(self.options);
        let mut command = self.machine.command(&words[0]);
        command.args(&words[1..]);
        Session::start(command)
    }

    /// An option with its value that has no function of its own here.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }
}

/// A running `pam-client`; it is killed when dropped unfinished.
pub struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Arc<Watched<Output>>,
    stderr: Arc<Watched<Output>>,
    started: Instant,
    prompts_seen: usize,
}

/// What came out of one of its pipes.
#[derive(Default)]
struct Output {
    lines: Vec<String>,
    over: bool,
}

impl Session {
    #[track_caller]
    fn start(mut command: Command) -> Self {
        let started = Instant::now();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = watch(child.stdout.take().expect("stdout is piped"));
        let stderr = watch(child.stderr.take().expect("stderr is piped"));
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, stderr, started, prompts_seen: 0 }
    }

    /// The next prompt, as soon as it is there.
    ///
    /// # Panics
    ///
    /// When the client ends without one, and after [`PATIENCE`].
    #[track_caller]
    pub fn prompt(&mut self) -> String {
        let index = self.prompts_seen;
        self.prompts_seen += 1;
        let found = self.stdout.wait(PATIENCE, |output| {
            let prompt = messages(&output.lines, "prompt-").into_iter().nth(index);
            if prompt.is_none() && !output.over { None } else { Some(prompt) }
        });
        found.flatten().unwrap_or_else(|| panic!("no prompt; it said:\n{}", self.said()))
    }

    /// A line for an answer `stdin`.
    pub fn answer_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open until finish");
        // A client that has ended says so in `finish`.
        let _ = writeln!(stdin, "{line}");
    }

    /// Its process id, for signals.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[allow(unsafe_code)]
    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.pid()).expect("a process id is a pid_t");
        // SAFETY: kill takes no pointers, and the child is not reaped before `self` is gone.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "send a signal");
    }

    /// Waits for the end of one that may have been killed on its way, and says whether it was.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn was_killed(mut self) -> bool {
        drop(self.stdin.take());
        let over = self.stdout.wait(LONGEST_RUN, |output| output.over.then_some(()));
        assert!(over.is_some(), "pam-client does not end; it said:\n{}", self.said());
        self.child.wait().expect("wait for pam-client").signal().is_some()
    }

    /// Waits for the end of one that was killed, and returns the signal that did it.
    ///
    /// # Panics
    ///
    /// When it does not end, or ends by itself.
    #[track_caller]
    pub fn killed_by(mut self) -> i32 {
        let status = wait_until("the end of pam-client", || {
            self.child.try_wait().expect("wait for pam-client")
        });
        status.signal().unwrap_or_else(|| panic!("it ended by itself: {status}\n{}", self.said()))
    }

    /// Closes its stdin, waits for its end and returns what happened.
    ///
    /// # Panics
    ///
    /// When it does not end, or was killed, or ends without a result.
    #[track_caller]
    pub fn finish(self) -> Run {
        self.finish_within(LONGEST_RUN).unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same, for a host that may be brought down.
    ///
    /// # Errors
    /// When it does not end in time, is killed, or ends without a result.
    pub fn finish_within(mut self, patience: Duration) -> Result<Run, String> {
        drop(self.stdin.take());
        let over = self.stdout.wait(patience, |output| output.over.then_some(()));
        if over.is_none() {
            return Err(format!("pam-client does not end; it said:\n{}", self.said()));
        }
        // Its grandchildren may hold stderr; what it said itself is there.
        self.stderr.wait(PATIENCE, |output| output.over.then_some(()));
        let elapsed = self.started.elapsed();
        let status = self.child.wait().expect("wait for pam-client");
        let lines = self.stdout.look(|output| output.lines.clone());
        let run = Run::from_lines(&lines).map(|run| Run {
            stderr: self.stderr.look(|output| output.lines.join("\n")),
            status: status.code(),
            elapsed,
            ..run
        });
        run.ok_or_else(|| {
            format!("pam-client ended ({status}) without a result; it said:\n{}", self.said())
        })
    }

    fn said(&self) -> String {
        let said = |output: &Output| output.lines.join("\n");
        self.stdout.look(said) + "\n" + &self.stderr.look(said)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds a crowd of clients at their prompts, so that they answer all at once.
pub struct Hold {
    file: NamedTempFile,
}

impl Hold {
    /// A hold that is on.
    pub fn new() -> Self {
        let file = NamedTempFile::new().expect("a temporary file");
        lock(file.as_file());
        Self { file }
    }

    /// Lets everyone go on, those who come later too.
    pub fn release(self) {}
}

/// Reads a pipe line by line in a thread.
fn watch(pipe: impl Read + Send + 'static) -> Arc<Watched<Output>> {
    let output = Watched::new(Output::default());
    let heard = Arc::clone(&output);
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            heard.update(|output| output.lines.push(line));
        }
        heard.update(|output| output.over = true);
    });
    output
}

/// Locks a file for ourselves; it is unlocked when it is closed.
#[allow(unsafe_code)]
fn lock(file: &File) {
    // SAFETY: flock takes no pointers, and the descriptor is open.
    let locked = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) };
    assert_eq!(locked, 0, "lock a temporary file");
}
