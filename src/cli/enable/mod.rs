//! `pam-sms enable` and `disable`: into the stacks and out again, without shutting anybody out.
//!
//! ```text
//! plan.rs    what the files shall hold
//! pam.rs     lines of PAM stacks               sshd.rs    its own configuration, and the order of changes
//! debian.rs  the same through pam-auth-update  reload.rs  has sshd read it
//! trial.rs   what was changed, and how it is taken back
//! boot.rs    taken back also when the machine was started anew meanwhile
//! ```
//!
//! A change is on trial until somebody has logged in with a code through it: the module shows that
//! person a word, and only `enable --keep WORD` makes the change last. Otherwise everything is put
//! back, by a process of its own after five minutes, or when the machine starts.

mod boot;
mod debian;
mod pam;
mod plan;
mod reload;
mod sshd;
mod trial;

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::check::report::Severity;
use super::office::{ConfigArgument, Office, root_only};
use super::terminal::{self, say};
use super::{check, files};
use crate::authenticate::arguments::DEFAULT_HELPER;
use crate::config::model::Day;
use plan::Service;
use trial::Changes;

pub use sshd::is_out_of_date as sshd_spares_others;

/// Make a service ask for codes, on trial: a login with a code shows a word, and
/// `pam-sms enable --keep WORD` makes it last. Without that all is put back after five minutes.
///
/// Examples: `pam-sms enable sshd`, `pam-sms enable sshd --dry-run`, `pam-sms enable --keep 7k3m-9qxt`
#[derive(Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
pub struct Arguments {
    /// The PAM service: sshd, sudo, su, login.
    #[arg(group = "what")]
    service: Option<String>,
    /// For sshd: a key and then the code, instead of the password and then the code.
    #[arg(long, requires = "service")]
    keys: bool,
    /// Show what would change, and change nothing.
    #[arg(long, requires = "service")]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, requires = "service")]
    yes: bool,
    /// Make it last at once, for configuration management.
    #[arg(long, requires = "service")]
    no_rollback: bool,
    /// Make the change on trial last; WORD is shown by a login with a code.
    #[arg(long, value_name = "WORD", group = "what")]
    keep: Option<String>,
    /// Put back now what is on trial.
    #[arg(long, group = "what")]
    take_back: bool,
    /// Put back what is on trial when its time is over: for the process and the unit that wait.
    #[arg(long, group = "what", hide = true)]
    watch: bool,
    /// The same at the start of the machine, which ends every trial.
    #[arg(long, group = "what", hide = true)]
    at_boot: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Take a service out again: its files become what they were before `enable`.
///
/// Examples: `pam-sms disable sshd`, `pam-sms disable --all`
#[derive(Args)]
pub struct DisableArguments {
    /// The PAM service.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    service: Option<String>,
    /// All services.
    #[arg(long)]
    all: bool,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Enables, or ends a trial.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.watch {
        return trial::watch();
    }
    if arguments.at_boot {
        let _alone = trial::alone()?;
        return trial::take_back().map(drop);
    }
    root_only()?;
    let _alone = trial::alone()?;
    // The way back needs no configuration, which may be what is wrong.
    if arguments.take_back {
        return say_taken_back(trial::take_back()?);
    }
    if let Some(word) = &arguments.keep {
        return keep(word);
    }
    let office = Office::open(&arguments.config)?;
    let name = arguments.service.clone().unwrap_or_default();
    let service = Service::new(name, arguments.keys)?;
    let changes = Changes::load()?;
    if changes.trial.is_some() {
        return Err("a change is on trial already: `pam-sms enable --keep WORD` makes it last, \
                    `pam-sms enable --take-back` puts it back"
            .to_owned());
    }
    let mut services = changes.services.clone();
    let plan = if services.contains(&service) {
        // What asks already keeps asking. Whom sshd spares may have changed with the configuration since.
        let plan = plan::renewal(&service, &office.config)?;
        if plan.is_empty() {
            // Not by the notes alone: somebody may have edited the stack.
            check(arguments, Some(&service))?;
            say(format_args!("{}: asks for codes already (unchanged)", service.name));
            return Ok(());
        }
        plan
    } else if services.iter().any(|one| one.name == service.name) {
        return Err("sshd asks for codes already, in the other way: `pam-sms disable sshd` first"
            .to_owned());
    } else {
        plan::not_named_yet(&service, &services)?;
        check(arguments, None)?;
        services.push(service.clone());
        plan::towards(&services, &office.config)?
    };
    if !arguments.no_rollback {
        boot::can_take_back()?;
        if office.config.policy.observe_until.is_some_and(|day| Day::today() <= day) {
            return Err(
                "while `observe_until` lasts nobody is asked for a code, so nobody could show \
                        that the new stack works: say --no-rollback"
                    .to_owned(),
            );
        }
    }
    sshd::can_make(&plan)?;
    print_diffs(&plan);
    if arguments.dry_run {
        return Ok(());
    }
    confirm(arguments.yes, &format!("Make {} ask for codes?", service.name))?;
    if service.name == "sshd" && !service.keys {
        say("Note: a key still lets in without a code; `enable sshd --keys` asks after the key.");
    }
    if arguments.no_rollback {
        changes.apply_for_good(services, &plan, || check(arguments, Some(&service)))?;
        say(format_args!("{}: asks for codes (changed)", service.name));
        return Ok(());
    }
    let begun = changes.begin_trial(services, &service.name, &plan);
    let settled = begun.and_then(|trial| {
        sshd::make(&plan)?;
        check(arguments, Some(&service))?;
        Ok(trial)
    });
    let trial = match settled {
        Ok(trial) => trial,
        Err(error) => {
            trial::take_back()?;
            return Err(format!("{error}; everything is as it was before"));
        }
    };
    say(format_args!(
        "{} asks for codes, on trial. Now, and without closing this session:\n\
         \n  1. Log in from another terminal, with a code. It shows a word.\n\
         \x20 2. Type `pam-sms enable --keep WORD`.\n\
         \nWithout that everything is put back in {}, and when this machine is started anew.",
        service.name,
        crate::limits::in_words(trial)
    ));
    Ok(())
}

/// Disables.
///
/// # Errors
/// In words for the terminal.
pub fn disable(arguments: &DisableArguments) -> Result<(), String> {
    root_only()?;
    let _alone = trial::alone()?;
    let mut changes = Changes::load()?;
    if changes.trial.is_some() {
        if arguments.dry_run {
            say("The change on trial would be put back first.");
            return Ok(());
        }
        confirm(arguments.yes, "A change is on trial. Put it back first?")?;
        trial::take_back()?;
        say("the change on trial is put back");
        changes = Changes::load()?;
    }
    let gone = |service: &Service| {
        arguments.all || arguments.service.as_ref().is_some_and(|name| *name == service.name)
    };
    let left: Vec<Service> = changes.services.iter().filter(|one| !gone(one)).cloned().collect();
    if left.len() == changes.services.len() {
        let name = arguments.service.as_deref().unwrap_or("no service");
        say(format_args!("{name}: was not enabled by this program (unchanged)"));
        return Ok(());
    }
    let plan = if left.is_empty() {
        all_out(&changes)?
    } else {
        let gone: Vec<String> =
            changes.services.iter().filter(|one| gone(one)).map(Service::own_file).collect();
        let is_own = |path: &Path| gone.iter().any(|own| path == Path::new(own));
        let mut plan = changes.back_to_before(is_own)?;
        plan.extend(plan::towards(&left, &Office::open(&arguments.config)?.config)?);
        plan
    };
    print_diffs(&plan);
    if arguments.dry_run {
        return Ok(());
    }
    confirm(arguments.yes, "Take this out?")?;
    changes.apply_for_good(left, &plan, || Ok(()))?;
    say("disabled (changed)");
    Ok(())
}

/// Back to what was before the first change; where others have changed the common stacks since, as
/// packages do, without our lines at least.
fn all_out(changes: &Changes) -> Result<Vec<files::Change>, String> {
    let exact = changes.back_to_before(|_| true);
    if exact.is_ok() || !debian::is_here() {
        return exact;
    }
    let mut plan = changes.back_to_before(|path| !debian::manages(path))?;
    plan.retain(|change| !debian::manages(&change.path));
    plan.extend(debian::towards(&[])?);
    if !plan.iter().any(sshd::is_own) {
        plan.extend(sshd::without_drop_in()?);
    }
    Ok(plan)
}

fn keep(word: &str) -> Result<(), String> {
    let changes = Changes::load()?;
    let Some(trial) = &changes.trial else {
        return Err("nothing is on trial: it was kept or put back already".to_owned());
    };
    if !trial.word_is(word) {
        return Err("that is not the word: log in through the new stack, with a code; \
                    a login that is skipped, remembered or by a backup code shows none"
            .to_owned());
    }
    changes.end_trial()?;
    say("kept: the change lasts (changed)");
    Ok(())
}

fn say_taken_back(changed: bool) -> Result<(), String> {
    match changed {
        true => say("everything is as it was before (changed)"),
        false => say("nothing is on trial (unchanged)"),
    }
    Ok(())
}

/// Nothing is enabled that would not work: what `pam-sms check` calls an error is one here.
fn check(arguments: &Arguments, service: Option<&Service>) -> Result<(), String> {
    let report = check::judge(&check::Arguments {
        config: arguments.config.config.clone(),
        helper: DEFAULT_HELPER.into(),
        service: service.map(|service| service.name.clone()),
        offline: false,
        providers: false,
        json: false,
    });
    let mut said = Vec::new();
    let _ = report.write(&mut said);
    let said = String::from_utf8_lossy(&said);
    match report.count(Severity::Error) {
        0 => {
            // Of the stack that is new, and only what somebody has to know of it.
            if service.is_some() && report.count(Severity::Warning) > 0 {
                say(format_args!("`pam-sms check` says of it:\n{}", said.trim_end()));
            }
            Ok(())
        }
        _ => Err(format!("`pam-sms check` finds errors:\n{}", said.trim_end())),
    }
}

fn print_diffs(plan: &[files::Change]) {
    let mut out = io::stdout().lock();
    for change in plan {
        // A closed pipe is the reader's choice and not our error.
        let _ = write!(out, "{}", change.diff());
    }
}

fn confirm(yes: bool, question: &str) -> Result<(), String> {
    if yes {
        return Ok(());
    }
    if !terminal::is_there() {
        return Err("there is no terminal to ask at: say --yes, or --dry-run".to_owned());
    }
    let answer = terminal::ask(&format!("{question} [y/N] ")).map_err(|error| error.to_string())?;
    match answer.as_deref().map(str::trim) {
        Some("y" | "Y" | "yes") => Ok(()),
        _ => Err("nothing is changed".to_owned()),
    }
}
