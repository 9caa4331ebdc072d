//! `pam-sms try`: the second factor through the real libpam and the installed module, in this terminal.
//!
//! ```text
//! mod.rs     the stack, the login, the verdict
//! eaves.rs   the log lines that the module writes meanwhile
//! ```
//!
//! The module is the one that logins use, unchanged and without an argument that would make it say more
//! to some than to others: it writes to /dev/log as always. This process, and nobody else, sees a socket
//! of its own there (a private mount namespace), shows each line and passes it on to the real log.

mod eaves;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::errand::HelperArgument;
use super::office::{ConfigArgument, Office};
use super::terminal::{self, complain, say};
use crate::authenticate::trial;
use crate::pam::application::{Attempt, Ended, Style, log_in};
use crate::secret::Secret;
use crate::sys::mounts;
use eaves::Eaves;

/// Where libpam finds stacks.
const STACKS: &str = "/etc/pam.d";

/// Ask for a code as a login does, through libpam and the installed module, in this terminal, and show
/// every log line beside it. A real message is sent, and limits count.
///
/// Nobody is let in anywhere, and no stack is changed: a private one that holds only our lines is used.
/// It has no password before the code, so nobody can enrol here.
///
/// Exit codes: 0, libpam would let the person in, or this factor does not apply to them; 1, it would not;
/// 2, the command line makes no sense.
///
/// Examples: `pam-sms try alice`, `pam-sms try alice --service sshd --rhost 203.0.113.9`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    user: String,
    /// The service to say that it is: policy and prompts may depend on it.
    #[arg(long, value_name = "NAME", default_value = "sms-try", value_parser = service)]
    service: String,
    /// Where to say that the person is, for [policy] skip_networks and remember.
    #[arg(long, value_name = "ADDRESS")]
    rhost: Option<String>,
    /// Who to say that called su or sudo.
    #[arg(long, value_name = "USER")]
    ruser: Option<String>,
    /// The module, where it is not in libpam's own folder.
    #[arg(long, value_name = "FILE", default_value = "pam_sms.so")]
    module: String,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

/// A name that is a file in libpam's folder and nothing else.
fn service(typed: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    match !typed.is_empty() && !typed.starts_with('.') && typed.bytes().all(plain) {
        true => Ok(typed.to_owned()),
        false => Err("a service is letters, digits, `-`, `_` and dots within".to_owned()),
    }
}

/// Tries.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    Office::open(&arguments.config)?;
    if !terminal::is_there() {
        return Err("`try` asks for a code: run it at a terminal".to_owned());
    }
    if trial::notice(&arguments.service).is_some() {
        return Err(format!(
            "{} is on trial, and this would show nothing of it: log in for real",
            arguments.service
        ));
    }
    let user = Office::account(&arguments.user)?;
    let folder =
        Folder::make().map_err(|error| format!("{}: {error}", Folder::path().display()))?;
    let stack = stack(arguments)?;
    let stacks = folder.0.join("pam.d");
    let written = fs::create_dir(&stacks).and_then(|()| {
        // Without one for all others libpam complains of that in the log.
        fs::write(stacks.join("other"), "auth required pam_deny.so\n")?;
        fs::write(stacks.join(&arguments.service), stack)
    });
    written.map_err(|error| format!("{}: {error}", stacks.display()))?;
    let eaves = listen(&folder.0, &stacks)
        .map_err(|reason| complain(format_args!("warning: log lines are not shown: {reason}")))
        .ok();
    let attempt = Attempt {
        service: &arguments.service,
        user: &user,
        rhost: arguments.rhost.as_deref(),
        ruser: arguments.ruser.as_deref(),
        folder: &stacks,
    };
    let tell =
        || eaves.iter().flat_map(Eaves::lines).for_each(|line| say(format_args!("| {line}")));
    let ended = log_in(&attempt, &mut |style, text| {
        tell();
        talk(style, text)
    });
    tell();
    let (authenticated, account) = ended?;
    conclude(&authenticated, account.as_ref())
}

/// The stack: our lines, and what libpam needs to be content where nobody objects. A stack in which our
/// module alone answers, and says that it does not apply, ends in an error that it never gives itself.
fn stack(arguments: &Arguments) -> Result<String, String> {
    let config =
        std::path::absolute(&arguments.config.config).map_err(|error| error.to_string())?;
    let (config, helper) =
        (config.display().to_string(), arguments.helper.helper.display().to_string());
    let module = &arguments.module;
    if [&config, &helper, module].into_iter().any(|word| !is_one_word(word)) {
        return Err("paths with blanks, brackets or `#` cannot stand in a stack".to_owned());
    }
    Ok(format!(
        "auth [success=ok ignore=ignore default=die] {module} debug config={config} helper={helper}\n\
         account required {module}\naccount required pam_permit.so\n"
    ))
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "[]#\\".contains(c))
}

/// Lets only this process see our stack in libpam's folder, where the module looks for its account line,
/// and our socket where the log is.
fn listen(folder: &Path, stacks: &Path) -> Result<Eaves, String> {
    // What /dev/log leads to: with systemd it is a link.
    let log = fs::canonicalize("/dev/log").map_err(|error| format!("/dev/log: {error}"))?;
    let eaves = Eaves::open(&folder.join("log")).map_err(|error| error.to_string())?;
    let fail = |error: io::Error| format!("no mounts of our own: {error}");
    mounts::own_mounts().map_err(fail)?;
    mounts::put_over(Path::new(STACKS), stacks).map_err(fail)?;
    // Last, so that no line is written to a place where nobody listens any more.
    mounts::put_over(&log, &folder.join("log")).map_err(fail)?;
    Ok(eaves)
}

fn talk(style: Style, text: &str) -> Option<Secret> {
    match style {
        Style::Prompt | Style::HiddenPrompt => terminal::ask(text).ok().flatten().map(Secret::from),
        Style::Info => {
            say(text);
            None
        }
        Style::Error => {
            complain(text);
            None
        }
    }
}

fn conclude(authenticated: &Ended, account: Option<&Ended>) -> Result<(), String> {
    const PERM_DENIED: i32 = 6;
    match (authenticated.code, account) {
        (0, Some(account)) if account.code == 0 => {
            say("libpam: PAM_SUCCESS: this factor would let the person in");
            Ok(())
        }
        (0, Some(account)) => Err(format!("libpam, of the account: {}", in_words(account))),
        // What libpam makes of a stack in which nobody has a say.
        (PERM_DENIED, _) => {
            say("libpam: PAM_IGNORE: this factor does not apply; the rest of a stack decides");
            Ok(())
        }
        _ => Err(format!("libpam: {}", in_words(authenticated))),
    }
}

fn in_words(ended: &Ended) -> String {
    const NAMES: [(i32, &str); 9] = [
        (1, "PAM_OPEN_ERR"),
        (3, "PAM_SERVICE_ERR"),
        (7, "PAM_AUTH_ERR"),
        (9, "PAM_AUTHINFO_UNAVAIL"),
        (10, "PAM_USER_UNKNOWN"),
        (11, "PAM_MAXTRIES"),
        (19, "PAM_CONV_ERR"),
        (26, "PAM_ABORT"),
        (28, "PAM_MODULE_UNKNOWN"),
    ];
    let name = NAMES.iter().find(|(code, _)| *code == ended.code).map(|(_, name)| *name);
    let name = name.map_or_else(|| format!("error {}", ended.code), str::to_owned);
    format!("{name}: {}", ended.words)
}

/// A folder of this run, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn path() -> PathBuf {
        // Only root can write in /run, so nobody can be there before us.
        format!("/run/pam-sms-try-{}", std::process::id()).into()
    }

    /// Takes away what runs have left that were interrupted.
    fn sweep() {
        let Ok(entries) = fs::read_dir("/run") else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix("pam-sms-try-"));
            let is_over = |pid: &str| {
                pid == std::process::id().to_string() || !Path::new("/proc").join(pid).exists()
            };
            if process.is_some_and(is_over) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn make() -> io::Result<Self> {
        Self::sweep();
        DirBuilder::new().mode(0o700).create(Self::path())?;
        Ok(Self(Self::path()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
