//! One authentication from end to end: this is where the rooms are wired together.
//!
//! ```text
//! arguments.rs  what stands in the PAM stack behind the module's name
//! prepare.rs    who it is, whether they are asked, where a code would go
//! mod.rs        the login, with all it needs; what is settled once all of it has succeeded
//! scene.rs      what a login needs of the world
//! stack.rs      whether the stack has the line that settles
//! trial.rs      a stack that is new here shows a word
//! texts.rs      the texts in the person's language
//! ```

pub mod arguments;
mod prepare;
mod scene;
mod stack;
pub mod texts;
pub mod trial;

use std::rc::Rc;

use arguments::Arguments;
use prepare::{Membership, Stop, Way, load, prepare, visit};
pub use scene::BootClock;
use scene::{Scene, books};
use texts::texts;

use crate::audit::Audit;
use crate::config::model::{Config, Day, LimitRules, Unenrolled};
use crate::helper::call::check_program;
use crate::limits::child::{DONE, decide};
use crate::limits::{Barrier, Pending};
use crate::login::catalogue::Catalogue;
use crate::login::enrol::enrol;
use crate::login::policy::Groups;
use crate::login::ports::{Event, Host, Journal};
use crate::login::{Login, Person, Verdict};
use crate::people::{self, PhoneNumber, Record};
use crate::state::Places;
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

/// What waits for the rest of the stack: a code alone does not show that the password was right.
#[derive(Debug)]
pub struct Settlement {
    audit: Audit,
    /// `PAM_USER` of the login.
    typed: Option<Vec<u8>>,
    user: String,
    limits: LimitRules,
    arguments: Rc<Arguments>,
    number: PhoneNumber,
    pending: Pending,
    /// Whether the number shall be stored as the person's.
    enrols: bool,
    /// Whether it was a code by SMS that let them in.
    by_code: bool,
    texts: Catalogue,
}

impl Settlement {
    /// Whether it belongs to a login of `user`, as typed.
    #[must_use]
    pub fn is_of(&self, user: Option<&[u8]>) -> bool {
        self.typed.as_deref() == user
    }

    /// Whether a number shall be stored as the person's.
    #[must_use]
    pub fn enrols(&self) -> bool {
        self.enrols
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
    match prepare(request, &config, &mut audit) {
        Ok((user, Way::Skip(rule))) => {
            audit.user = Some(user);
            audit.record(Event::Skipped, &[("reason", rule)]);
            Verdict::Skipped.into()
        }
        Ok((_, Way::Remembered)) => {
            audit.record(Event::Remembered, &[]);
            Verdict::Remembered.into()
        }
        Ok((user, Way::Ask(record))) => ask(&user, &config, &record, request, host, audit),
        Ok((user, Way::Unenrolled)) => unenrolled(&user, &config, request, host, audit),
        Err(stop) => {
            let texts = texts(None, &config, &mut audit);
            stopped(&stop, &texts, host, &mut audit).into()
        }
    }
}

/// Does what had to wait until the whole login succeeded.
///
/// # Errors
/// When a number that somebody has confirmed cannot be stored: their next login would take any other.
pub fn settle(settlement: Settlement, host: &mut dyn Host) -> Result<(), Verdict> {
    let _lifted = sys::lift_open_files(OPEN_FILES);
    let Settlement {
        mut audit,
        user,
        limits,
        arguments,
        number,
        pending,
        enrols,
        by_code,
        texts,
        ..
    } = settlement;
    if let Err(barrier) = books(&user, &limits, &arguments, &audit).settle(&pending, &number) {
        audit.record(Event::Warning, &[("reason", &barrier.to_string())]);
    }
    if enrols {
        let kept = decide(&|| {
            people::enrolled::keep(&Places::default(), &user, &number)
                .map(|()| DONE)
                .map_err(|error| Barrier::Unusable(error.to_string()))
        });
        if let Err(barrier) = kept {
            audit.record(Event::Error, &[("reason", &barrier.to_string())]);
            return Err(Verdict::Unusable);
        }
        audit.record(Event::Enrolled, &[("to", &number.masked())]);
        host.inform(&texts.number_saved(number.ending()));
    }
    // A login that was skipped, remembered or by a backup code shows nothing of the new stack.
    if let Some(notice) = by_code.then(|| trial::notice(&audit.service)).flatten() {
        host.inform(&notice);
    }
    Ok(())
}

fn ask(
    user: &str,
    config: &Config,
    record: &Record,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    let person = Person { user, by_voice: record.voice, phones: &record.phones, is_new: false };
    let host_name = sys::host_name();
    let texts = texts(record.language.as_deref(), config, &mut audit);
    let mut scene = Scene::new(user, config, request, &host_name, &texts, &audit);
    scene.helper.provider = record.provider.as_deref();
    let (rules, world) = scene.world(host, &mut audit);
    let ending = Login::new(rules, &person, world).run();
    drop(scene);
    let mut pending = ending.pending;
    if ending.verdict == Verdict::Accepted {
        pending.remember = visit(request, config);
    }
    if pending != Pending::default() && !stack::has_account_line(&request.service) {
        audit.record(Event::Warning, &[("reason", NOT_SETTLED)]);
    }
    let settlement = matches!(ending.verdict, Verdict::Accepted | Verdict::BackupCode).then(|| {
        let number = record.phones[ending.phone].clone();
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
            enrols,
            by_code,
            texts,
        }
    });
    Decision { verdict: ending.verdict, settlement }
}

fn unenrolled(
    user: &str,
    config: &Config,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    let reason = match config.users.unenrolled {
        Unenrolled::Skip => {
            audit.record(Event::Unenrolled, &[("then", "skip")]);
            return Verdict::UnenrolledSkipped.into();
        }
        Unenrolled::Deny => None,
        Unenrolled::Enrol => match may_enrol(user, config, request) {
            Err(reason) => Some(reason),
            Ok(()) => return enrolment(user, config, request, host, audit),
        },
    };
    let fields = [("then", "deny"), ("reason", reason.as_deref().unwrap_or_default())];
    audit.record(Event::Unenrolled, &fields[..1 + usize::from(reason.is_some())]);
    farewell(host, &texts(None, config, &mut audit), Catalogue::unenrolled);
    Verdict::UnenrolledDenied.into()
}

fn may_enrol(user: &str, config: &Config, request: &Request) -> Result<(), String> {
    let rules = &config.users;
    if !request.has_first_factor {
        return Err("no password or key is known to have come before".to_owned());
    }
    if rules.enrol_until.is_some_and(|day| Day::today() > day) {
        return Err("enrol_until is over".to_owned());
    }
    if !stack::has_account_line(&request.service) {
        return Err(format!(
            "the stack of {} has no `account required pam_sms.so` that every login passes, which stores the number",
            request.service
        ));
    }
    let account = sys::account(user).ok().flatten().ok_or("the account is gone")?;
    let in_one = |group: &String| Membership(&account).hold(group) == Ok(Some(true));
    if !rules.enrol_groups.is_empty() && !rules.enrol_groups.iter().any(in_one) {
        return Err("is in none of enrol_groups".to_owned());
    }
    Ok(())
}

fn enrolment(
    user: &str,
    config: &Config,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    audit.record(Event::Unenrolled, &[("then", "enrol")]);
    let host_name = sys::host_name();
    let texts = texts(None, config, &mut audit);
    let mut scene = Scene::new(user, config, request, &host_name, &texts, &audit);
    scene.books = scene.books.confirming();
    let (rules, mut world) = scene.world(host, &mut audit);
    let ended = enrol(rules, user, &mut world);
    drop(scene);
    let settlement = ended.number.map(|number| {
        let (user, limits) = (user.to_owned(), config.limits.clone());
        let (typed, pending) = (request.user.clone(), ended.pending);
        let (by_code, enrols, arguments) = (true, true, request.arguments.clone());
        Settlement {
            audit,
            typed,
            user,
            limits,
            arguments,
            number,
            pending,
            enrols,
            by_code,
            texts,
        }
    });
    Decision { verdict: ended.verdict, settlement }
}

/// Says what would have happened, and lets everything be as if this module were not there.
fn rehearse(request: &Request, config: &Config, audit: &mut Audit) -> Verdict {
    let mut to = String::new();
    let would = match prepare(request, config, audit) {
        Err(Stop::Unknown(reason)) => format!("deny: {reason}"),
        Err(Stop::Unusable(reason)) => format!("deny: {reason}"),
        Ok((_, Way::Skip(rule))) => format!("skip: {rule}"),
        Ok((_, Way::Remembered)) => "accept: remembered".to_owned(),
        Ok((_, Way::Unenrolled)) => {
            let then = match config.users.unenrolled {
                Unenrolled::Deny => "deny",
                Unenrolled::Skip => "skip",
                Unenrolled::Enrol => "enrol",
            };
            format!("{then}: unenrolled")
        }
        Ok((user, Way::Ask(record))) => {
            let number = &record.phones[0];
            to = number.masked();
            let books = books(&user, &config.limits, &request.arguments, audit);
            let barred = config
                .limits
                .allows(number)
                .err()
                .or_else(|| {
                    books.would_reserve(Some(number)).err().map(|barrier| barrier.to_string())
                })
                .or_else(|| check_program(&request.arguments.helper).err());
            barred.map_or_else(|| "ask".to_owned(), |reason| format!("deny: {reason}"))
        }
    };
    let fields = [("would", would.as_str()), ("to", to.as_str())];
    audit.record(Event::Observed, &fields[..1 + usize::from(!to.is_empty())]);
    Verdict::Observed
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
