//! One authentication from end to end: this is where the rooms are wired together.
//!
//! ```text
//! arguments.rs  what stands in the PAM stack behind the module's name
//! prepare.rs    who it is, whether they are asked, where a code would go
//! mod.rs        the login, with all it needs
//! scene.rs      what a login needs of the world
//! unenrolled.rs somebody without a number
//! settlement.rs what waits until the whole login has succeeded
//! rehearsal.rs  a login that is only rehearsed
//! stack.rs      whether the stack has the line that settles
//! trial.rs      a stack that is new here shows a word
//! texts.rs      the texts in the person's language
//! ```

pub mod arguments;
mod prepare;
mod rehearsal;
mod scene;
mod settlement;
mod stack;
pub mod texts;
pub mod trial;
mod unenrolled;

use std::rc::Rc;

use arguments::Arguments;
use prepare::{Stop, Way, load, prepare, visit};
use rehearsal::rehearse;
pub use scene::BootClock;
use scene::Scene;
use settlement::Keeps;
pub use settlement::{Settlement, settle};
use texts::texts;
use unenrolled::unenrolled;

use crate::audit::Audit;
use crate::config::model::{Config, Day};
use crate::limits::Pending;
use crate::login::catalogue::Catalogue;
use crate::login::ports::{Event, Host, Journal};
use crate::login::{Login, Person, Verdict};
use crate::people::directory::Purpose;
use crate::people::{Found, Record};
use crate::sys;

/// Files that this process may need open at once, with room for what the C library opens.
const OPEN_FILES: u64 = 64;

/// Said in the log where a stack lacks the line that settles.
const NOT_SETTLED: &str = "wrong tries are not forgiven and nothing is remembered: add \
                           `account required pam_sms.so` to the stack";

/// What the host program says about this login.
#[derive(Debug)]
pub struct Request {
    /// The PAM service.
    pub service: String,
    /// The name, as typed by the client.
    pub user: Option<Vec<u8>>,
    /// Who called the host program, where it says so.
    pub caller: Option<Vec<u8>>,
    /// Where the client is.
    pub rhost: Option<String>,
    /// Whether a password or key is known to have come before.
    pub has_first_factor: bool,
    /// Whether sshd has put junk in the place of the password, as it does for people it refuses.
    pub is_refused_by_sshd: bool,
    /// What stands in the stack behind the module's name.
    pub arguments: Rc<Arguments>,
}

/// How an authentication ended.
#[derive(Debug)]
pub struct Decision {
    /// What libpam is told.
    pub verdict: Verdict,
    /// What is done once the whole login has succeeded.
    pub settlement: Option<Settlement>,
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, settlement: None }
    }
}

/// Decides about one login.
pub fn authenticate(request: &Request, host: &mut dyn Host) -> Decision {
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
        return Verdict::Skipped.into();
    }
    if request.is_refused_by_sshd {
        audit.record(Event::Rejected, &[("reason", "refused by sshd")]);
        return Verdict::Rejected.into();
    }
    // Under su and sudo the limit is the caller's choice, and running out of files must not look
    // like an outage of the provider.
    let _lifted = sys::lift_open_files(OPEN_FILES);
    let config = match load(&arguments.config, &mut audit) {
        Ok(config) => config,
        Err(error) => {
            let english = Catalogue::english();
            return stopped(&Stop::from(error), &english, host, &mut audit).into();
        }
    };
    if config.policy.observe_until.is_some_and(|day| Day::today() <= day) {
        return rehearse(request, &config, &mut audit).into();
    }
    let (user, way) = match prepare(request, &config, Purpose::Login, &mut audit) {
        Ok(prepared) => prepared,
        Err(stop) => {
            let texts = texts(None, &config, &mut audit);
            return stopped(&stop, &texts, host, &mut audit).into();
        }
    };
    let found = match way {
        Way::Skip(rule) => {
            audit.user = Some(user);
            audit.record(Event::Skipped, &[("reason", rule)]);
            return Verdict::Skipped.into();
        }
        Way::Remembered => {
            audit.record(Event::Remembered, &[]);
            return Verdict::Remembered.into();
        }
        Way::Unenrolled => return unenrolled(&user, &config, request, host, audit),
        Way::Ask(found) => found,
        Way::Lost(reason) => {
            audit.record(Event::Error, &[("reason", &reason)]);
            Record::from(Vec::new()).into()
        }
    };
    ask(&user, &config, &found, request, host, audit)
}

fn ask(
    user: &str,
    config: &Config,
    found: &Found,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    let record = &found.record;
    let person = Person { user, by_voice: record.voice, phones: &record.phones, is_new: false };
    let host_name = sys::host_name();
    let texts = texts(record.language.as_deref(), config, &mut audit);
    let mut scene = Scene::new(user, config, request, &host_name, &texts, &audit);
    scene.helper.provider = record.provider.as_deref();
    let (rules, world) = scene.world(host, &mut audit);
    let ending = Login::new(rules, &person, world).run();
    drop(scene);
    let (mut pending, mut keeps) = (ending.pending, None);
    if ending.verdict == Verdict::Accepted {
        pending.remember = visit(request, config);
        keeps = Keeps::of(found, config);
    }
    let waits = pending != Pending::default();
    if (waits || keeps.is_some()) && !stack::has_account_line(&request.service) {
        if waits {
            audit.record(Event::Warning, &[("reason", NOT_SETTLED)]);
        }
        // Else no number would ever count, and every new one would.
        if let Some(keeps) = keeps.take() {
            keeps.keep(user, &request.arguments, &mut audit);
        }
    }
    let settlement = matches!(ending.verdict, Verdict::Accepted | Verdict::BackupCode).then(|| {
        let number = record.phones.get(ending.phone).cloned();
        let by_code = ending.verdict == Verdict::Accepted;
        let (user, limits) = (user.to_owned(), config.limits.clone());
        let (typed, arguments) = (request.user.clone(), request.arguments.clone());
        let enrols = false;
        Settlement {
            audit,
            typed,
            user,
            limits,
            arguments,
            number,
            pending,
            keeps,
            enrols,
            by_code,
            texts,
        }
    });
    Decision { verdict: ending.verdict, settlement }
}

fn stopped(stop: &Stop, texts: &Catalogue, host: &mut dyn Host, audit: &mut Audit) -> Verdict {
    match stop {
        Stop::Unknown(reason) => {
            audit.record(Event::Rejected, &[("reason", reason)]);
            Verdict::Rejected
        }
        Stop::Unusable(reason) => {
            audit.record(Event::Error, &[("reason", reason)]);
            farewell(host, texts, Catalogue::unusable);
            Verdict::Unusable
        }
    }
}

fn farewell(host: &mut dyn Host, texts: &Catalogue, said: fn(&Catalogue) -> String) {
    host.farewell(said(texts), texts.press_enter());
}
