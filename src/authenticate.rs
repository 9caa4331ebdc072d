//! One authentication from end to end: this is where the rooms are wired together.

use std::path::Path;

use crate::audit::Audit;
use crate::config::file::Trust;
use crate::config::model::{Config, Unenrolled};
use crate::config::source::{ConfigError, Sources};
use crate::helper::call::Helper;
use crate::login::ports::{Clock, Event, Host, Journal};
use crate::login::{Login, Person, Rules, Verdict, prompt};
use crate::pam::arguments::Arguments;
use crate::people::{self, Record};
use crate::sys;

/// Files that this process may need open at once, with room for what the C library opens.
const OPEN_FILES: u64 = 64;

/// What the host program says about this login.
#[derive(Debug)]
pub struct Request {
    /// The PAM service.
    pub service: String,
    /// The name, as typed by the client.
    pub user: Option<Vec<u8>>,
    /// Where the client is.
    pub rhost: Option<String>,
    /// Whether sshd has put junk in the place of the password, as it does for people it refuses.
    pub is_refused_by_sshd: bool,
    /// What stands in the stack behind the module's name.
    pub arguments: Arguments,
}

/// Decides about one login.
pub fn authenticate(request: &Request, host: &mut dyn Host) -> Verdict {
    let arguments = &request.arguments;
    let mut audit = Audit {
        service: request.service.clone(),
        rhost: request.rhost.clone(),
        user: request.user.as_deref().map(|user| String::from_utf8_lossy(user).into_owned()),
        debug: arguments.debug,
        ..Audit::default()
    };
    // Before any file is opened: a broken configuration must not close services that do not ask.
    if !arguments.covers(&request.service) {
        audit.debug("skipped: this service is not listed in services=");
        return Verdict::Skipped;
    }
    if request.is_refused_by_sshd {
        audit.record(Event::Rejected, &[("reason", "refused by sshd")]);
        return Verdict::Rejected;
    }
    // Under su and sudo the limit is the caller's choice, and running out of files must not look
    // like an outage of the provider.
    let _lifted = sys::lift_open_files(OPEN_FILES);
    match prepare(request, &mut audit) {
        Ok(Ready { user, config, record: Some(record) }) => {
            ask(&user, &config, &record, request, host, &mut audit)
        }
        Ok(Ready { config, record: None, .. }) => unenrolled(&config, host, &mut audit),
        Err(Stop::Unknown) => {
            audit.record(Event::Rejected, &[("reason", "unknown user")]);
            Verdict::Rejected
        }
        Err(Stop::Unusable(reason)) => {
            audit.record(Event::Error, &[("reason", &reason)]);
            host.farewell(prompt::UNUSABLE);
            Verdict::Unusable
        }
    }
}

/// What must be known before a person is asked.
struct Ready {
    /// The account's name as the user database spells it.
    user: String,
    config: Config,
    record: Option<Record>,
}

/// Why it does not get as far as that.
enum Stop {
    Unknown,
    Unusable(String),
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Unusable(error.to_string())
    }
}

fn prepare(request: &Request, audit: &mut Audit) -> Result<Ready, Stop> {
    let path = &request.arguments.config;
    let config = load(path, audit)?;
    let user = canonical_name(request)?;
    audit.user = Some(user.clone());
    let found = people::look_up(&user, &config.users, path, Trust::Root)?;
    warn(&found.warnings, audit);
    Ok(Ready { user, config, record: found.record })
}

fn load(path: &Path, audit: &mut Audit) -> Result<Config, Stop> {
    audit.debug(&format!("reading {}", path.display()));
    let sources = Sources::load(path, Trust::Root)?;
    warn(&sources.warnings, audit);
    Ok(sources.parse()?)
}

/// The account's name as the user database spells it: sshd hands over what was typed, and in a
/// case-insensitive directory `ALICE` would otherwise be another person with no number.
fn canonical_name(request: &Request) -> Result<String, Stop> {
    let typed = request.user.as_deref().and_then(|user| std::str::from_utf8(user).ok());
    let typed = typed.filter(|user| !user.is_empty()).ok_or(Stop::Unknown)?;
    match sys::account(typed) {
        Ok(Some(account)) => Ok(account.name),
        Ok(None) => Err(Stop::Unknown),
        Err(error) => Err(Stop::Unusable(format!("the user database cannot be asked: {error}"))),
    }
}

fn ask(
    user: &str,
    config: &Config,
    record: &Record,
    request: &Request,
    host: &mut dyn Host,
    audit: &mut Audit,
) -> Verdict {
    let rules = Rules {
        digits: config.code.digits.get(),
        lifetime: config.code.lifetime.get(),
        attempts: config.code.attempts.get(),
        resend_after: config.limits.resend_after.get(),
        if_unreachable: config.delivery.if_unreachable,
        template: &config.message.text,
        host_name: &sys::host_name(),
    };
    let mut helper = Helper {
        program: &request.arguments.helper,
        config: &request.arguments.config,
        timeout: config.delivery.timeout.get(),
    };
    let person = Person { user, phones: &record.phones };
    Login::new(&rules, &person, host, &mut helper, &BootClock, audit).run()
}

fn unenrolled(config: &Config, host: &mut dyn Host, audit: &mut Audit) -> Verdict {
    match config.users.unenrolled {
        Unenrolled::Skip => {
            audit.record(Event::Unenrolled, &[("then", "skip")]);
            Verdict::UnenrolledSkipped
        }
        Unenrolled::Deny => {
            audit.record(Event::Unenrolled, &[("then", "deny")]);
            host.farewell(prompt::UNENROLLED);
            Verdict::UnenrolledDenied
        }
    }
}

fn warn(warnings: &[String], audit: &mut Audit) {
    for warning in warnings {
        audit.record(Event::Warning, &[("reason", warning)]);
    }
}

/// The kernel's clock.
struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> std::time::Duration {
        sys::boot_time()
    }
}
