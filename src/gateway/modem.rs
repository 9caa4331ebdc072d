//! Modems of one's own, by the spools of the daemons that drive them: gammu-smsd and smstools.
//!
//! Both take a message as a file, so that whoever may write there sends in our name, and reads the
//! codes that wait. The helper writes as the daemon's user, which is `[delivery] run_as`: nothing is
//! done as root, and what is written is readable for the daemon and nobody else.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use super::Attempt;
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// The program that puts messages into gammu's spool, whatever kind of spool that is.
const INJECT: &str = "/usr/bin/gammu-smsd-inject";
/// As much of what it says as is read, in bytes.
const LONGEST_SAID: u64 = 4 << 10;

/// A spool.
pub struct Modem {
    /// Whose it is.
    daemon: Daemon,
    /// gammu's configuration, or the folder of smstools.
    path: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Daemon {
    Gammu,
    Smstools,
}

impl Daemon {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "gammu" => Some(Self::Gammu),
            "smstools" => Some(Self::Smstools),
            _ => None,
        }
    }
}

/// The kinds that are modems.
pub const KINDS: [&str; 2] = ["gammu", "smstools"];

/// The key of such a kind, and its value unless the admin says otherwise.
#[must_use]
pub fn key(kind: &str) -> Option<(&'static str, &'static str)> {
    Daemon::of(kind).map(|daemon| match daemon {
        Daemon::Gammu => ("config", "/etc/gammu-smsdrc"),
        Daemon::Smstools => ("spool", "/var/spool/sms/outgoing"),
    })
}

impl Modem {
    /// A spool that is there.
    ///
    /// # Errors
    /// In words, when it is not, or the program is missing that fills it.
    pub fn new(kind: &str, path: &str) -> Result<Self, String> {
        let daemon = Daemon::of(kind).ok_or_else(|| format!("`{kind}` is no modem"))?;
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(format!("{}: must be an absolute path", path.display()));
        }
        let found = |path: &Path| {
            fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let is_folder = found(&path)?.is_dir();
        if is_folder != (daemon == Daemon::Smstools) {
            let wanted = if is_folder { "a file" } else { "a folder" };
            return Err(format!("{}: must be {wanted}", path.display()));
        }
        if daemon == Daemon::Gammu {
            found(Path::new(INJECT))?;
        }
        Ok(Self { daemon, path })
    }

    /// The folder into which it writes; none, where a program of the daemon does.
    #[must_use]
    pub fn spool(&self) -> Option<&Path> {
        (self.daemon == Daemon::Smstools).then_some(&self.path)
    }

    /// Puts one message into the spool within `time`.
    #[must_use]
    pub fn send(&self, to: &PhoneNumber, text: &Secret, time: Duration) -> Attempt {
        match self.daemon {
            Daemon::Gammu => inject(Path::new(INJECT), &self.path, to, text, time),
            Daemon::Smstools => spool(&self.path, to, text),
        }
    }
}

/// Writes a message for smstools. smsd leaves alone what ends in `.LOCK`, so that it never finds half
/// a file; a rename then shows it the whole one.
fn spool(folder: &Path, to: &PhoneNumber, text: &Secret) -> Attempt {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let name = format!("pam-sms.{}.{}", std::process::id(), now.as_nanos());
    let (hidden, shown) = (folder.join(format!("{name}.LOCK")), folder.join(name));
    let written = write_new(&hidden, to, text).and_then(|()| fs::rename(&hidden, &shown));
    match written {
        Ok(()) => Attempt::Accepted,
        Err(error) => {
            // A code must not stay behind.
            let _ = fs::remove_file(&hidden);
            Attempt::Failed(format!("spool: {error}{}", hint(&error)))
        }
    }
}

fn write_new(path: &Path, to: &PhoneNumber, text: &Secret) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?;
    // The headers end at the empty line: nothing in a text can be one. Without an alphabet smsd
    // takes the text for ISO-8859-15 and drops what is not in it.
    let head = format!("To: {}\nAlphabet: UTF-8\n\n", to.digits());
    let message = zeroize::Zeroizing::new(head + text.expose());
    file.write_all(message.as_bytes())
}

/// Runs gammu's own program, which knows the spool. The text goes over its standard input, where no
/// other user sees it; without a UTF-8 locale anything beyond ASCII would make the message empty.
fn inject(
    program: &Path,
    config: &Path,
    to: &PhoneNumber,
    text: &Secret,
    time: Duration,
) -> Attempt {
    let failed = |error: io::Error| Attempt::Failed(format!("{}: {error}", program.display()));
    // The longest text it reads. By it gammu also chooses alphabet and number of parts.
    let length = text.expose().encode_utf16().count().to_string();
    let started = Command::new(program)
        .arg("-c")
        .arg(config)
        .args(["TEXT", to.as_e164(), "-autolen", &length])
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return failed(error),
    };
    if let Some(mut input) = child.stdin.take() {
        // Whoever does not read it says below how it ended.
        let _ = input.write_all(text.expose().as_bytes());
    }
    let (tell, told) = mpsc::channel();
    let output = child.stdout.take();
    let reader = std::thread::Builder::new().spawn(move || {
        let mut said = String::new();
        let read = output.map(|output| output.take(LONGEST_SAID).read_to_string(&mut said));
        let _ = tell.send(read.and_then(Result::ok).map(|_| said));
    });
    let said = reader.ok().and_then(|_| told.recv_timeout(time).ok());
    let Some(said) = said else {
        let _ = child.kill();
        let _ = child.wait();
        return Attempt::Uncertain(format!("{} does not end", program.display()));
    };
    match child.wait() {
        Err(error) => failed(error),
        // It ends with 0 for an empty message, too; that it was written it says in words.
        Ok(status) if status.success() && said.is_some_and(|said| said.contains(WRITTEN)) => {
            Attempt::Accepted
        }
        Ok(status) => Attempt::Failed(format!(
            "{}: {status}; its user must be able to read {} and write to the spool (`[delivery] run_as`)",
            program.display(),
            config.display()
        )),
    }
}

const WRITTEN: &str = "Written message with ID";

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; `[delivery] run_as` must be the user of smsd",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
