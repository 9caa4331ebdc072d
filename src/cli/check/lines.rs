//! What is judged of one line of ours, whatever stands around it.

use std::path::PathBuf;

use super::report::Report;
use super::{Arguments, catalogue, machine};
use crate::authenticate::arguments::{Arguments as ModuleArguments, DEFAULT_HELPER};
use crate::stack::control::{Action, CODES, Code};
use crate::stack::{Control, Kind, Line, Module, OURS, Stack, modules};

/// Our answers that must end a login.
pub(super) const FAILURES: [Code; 6] = [
    Code::AUTH_ERR,
    Code::MAXTRIES,
    Code::AUTHINFO_UNAVAIL,
    Code::CONV_ERR,
    Code::SERVICE_ERR,
    Code::ABORT,
];
/// What to write instead of another control.
const REQUISITE: &str = "write `requisite` in its place";

/// Judges the line; its arguments, where they make sense.
pub(super) fn judge(
    line: &Line,
    module: &Module,
    arguments: &Arguments,
    libraries: &[PathBuf],
    report: &mut Report,
) -> Option<ModuleArguments> {
    if !modules::is_there(&module.path, libraries) {
        let folder =
            libraries.first().map_or("/lib/security".into(), |path| path.display().to_string());
        let (path, change) = match module.path.starts_with('/') {
            true => (module.path.clone(), "correct the path, or install the module there"),
            false => (format!("{folder}/{}", module.path), "install the module there"),
        };
        report.add(
            &catalogue::MODULE_MISSING,
            &line.place,
            format!("{path} does not exist"),
            change,
        );
    }
    control(line, &module.control, report);
    let said = match ModuleArguments::parse(module.arguments.iter().map(String::as_str)) {
        Ok(said) => said,
        Err(error) => {
            let (what, change) = error.split_once(": ").unwrap_or((&error, ""));
            let change = match change {
                "" => "correct it; docs/module.md lists the arguments".to_owned(),
                change => format!("correct it: {change}"),
            };
            report.add(&catalogue::MODULE_ARGUMENT, &line.place, what, change);
            return None;
        }
    };
    if !said.config.is_file() {
        let what = format!("the configuration {} does not exist", said.config.display());
        report.add(&catalogue::CONFIG_MISSING, &line.place, what, "create it, or correct config=");
    } else if said.config != arguments.config {
        let path = said.config.display();
        let what = format!("this line uses the configuration {path}");
        let change = format!("run `pam-sms check --config {path}` as well");
        report.add(&catalogue::CONFIG_OTHER, &line.place, what, change);
    }
    if said.helper.as_os_str() != DEFAULT_HELPER && said.helper != arguments.helper {
        machine::helper_at(&said.helper, report);
    }
    Some(said)
}

fn control(line: &Line, control: &Control, report: &mut Report) {
    let named = |entry: &'static catalogue::Entry, report: &mut Report| {
        report.add(entry, &line.place, format!("`{control}` on the line of {OURS}"), REQUISITE);
    };
    match control {
        Control::Requisite => {}
        Control::Required => named(&catalogue::CONTROL_REQUIRED, report),
        Control::Sufficient => named(&catalogue::CONTROL_SUFFICIENT, report),
        Control::Optional => named(&catalogue::CONTROL_OPTIONAL, report),
        Control::Table(_) if !control.is_understood() => named(&catalogue::CONTROL_SLIP, report),
        Control::Table(_) => table(line, control, report),
    }
}

fn table(line: &Line, control: &Control, report: &mut Report) {
    let actions = control.actions();
    let told = |code: &Code| format!("{}={}", CODES[code.0], shown(actions[code.0]));
    let is_failure = |code: &&Code| !matches!(actions[code.0], Action::Bad | Action::Die);
    let mapped: Vec<_> = FAILURES.iter().filter(is_failure).map(told).collect();
    if !mapped.is_empty() {
        let what = format!("`{control}` does not make a failure of {}", mapped.join(", "));
        report.add(&catalogue::FAILURE_MAPPED, &line.place, what, REQUISITE);
    }
    let ignore = actions[Code::IGNORE.0];
    if !matches!(ignore, Action::Ignore | Action::Jump(_) | Action::Reset) {
        let what = format!("`{control}` means {}", told(&Code::IGNORE));
        report.add(&catalogue::IGNORE_MAPPED, &line.place, what, REQUISITE);
    }
}

fn shown(action: Action) -> String {
    match action {
        Action::Ignore => "ignore".to_owned(),
        Action::Ok => "ok".to_owned(),
        Action::Done => "done".to_owned(),
        Action::Bad => "bad".to_owned(),
        Action::Die => "die".to_owned(),
        Action::Reset => "reset".to_owned(),
        Action::Jump(lines) => lines.to_string(),
    }
}

/// Whether every login passes our account line, as the module wants it (`authenticate/stack.rs`).
pub(super) fn account(service: &str, stack: &Stack, report: &mut Report) {
    let lines = stack.lines(Kind::Account);
    let ours = lines.iter().position(|line| line.ours().is_some());
    if ours.is_some_and(|ours| all_pass(&lines, ours)) {
        return;
    }
    let (place, what) = match ours {
        Some(ours) => {
            (lines[ours].place.to_string(), "is passed by, or its failure does not count")
        }
        None => (format!("/etc/pam.d/{service}"), "is missing"),
    };
    report.add(
        &catalogue::ACCOUNT_LINE,
        place,
        format!("the account line of {OURS} {what}"),
        format!("write `account required {OURS}` before the first account line"),
    );
}

fn all_pass(lines: &[&Line], ours: usize) -> bool {
    let counts = |module: &Module| matches!(module.control, Control::Required | Control::Requisite);
    // The end and the jumps of a substack are its own affair.
    let before: Vec<&Line> = lines[..ours].iter().copied().filter(|line| line.level == 0).collect();
    lines[ours].level == 0
        && lines[ours].ours().is_some_and(counts)
        && before.iter().enumerate().all(|(index, line)| leads_on(line, before.len() - index - 1))
}

/// Whether a line before ours, with `between` others in the middle, leads on to it.
fn leads_on(line: &Line, between: usize) -> bool {
    let Some(module) = line.module() else { return true };
    let actions = module.control.actions();
    actions.iter().enumerate().all(|(code, action)| match action {
        // An expired password: not let in before it is changed.
        Action::Done => CODES[code] == "new_authtok_reqd",
        Action::Jump(lines) => *lines <= between,
        _ => true,
    })
}
