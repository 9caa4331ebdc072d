//! What is judged of the machine itself: left out with `--offline`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Case, Finding, Report};
use crate::config::model::{Subject, Unenrolled};
use crate::gateway::Gateway;
use crate::helper::call::check_program;
use crate::limits::Places;
use crate::limits::store::{Durability, Store};
use crate::{people, sys};

/// All of it.
pub(super) const FINDINGS: [Finding; 4] = [helper, run_as, state, root];

/// How many people gave their number themselves. What cannot be read is reported with the folder.
pub(super) fn enrolled() -> usize {
    let names = Store::new(&Places::default().lib, Durability::Power).names().unwrap_or_default();
    names.iter().filter(|name| name.starts_with("enrolled-")).count()
}

fn helper(case: &Case<'_>, report: &mut Report) {
    let path = &case.arguments.helper;
    let shown = path.display();
    if let Err(reason) = check_program(path) {
        report.error(format!("no message can be sent: helper {shown}: {reason}"));
    } else if fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o111 == 0) {
        report.error(format!("helper {shown}: cannot be started: run `chmod 755 {shown}`"));
    }
}

/// The system user that the helper becomes.
fn run_as(case: &Case<'_>, report: &mut Report) {
    let Some(name) = case.gateway.as_ref().map(Gateway::run_as) else { return };
    match sys::account(name) {
        Err(error) => report.error(format!("the helper's user `{name}` cannot be found: {error}")),
        Ok(None) => report.error(format!(
            "the helper's user `{name}` does not exist: run `useradd --system --no-create-home \
             --shell /usr/sbin/nologin {name}`"
        )),
        Ok(Some(account)) if account.uid == 0 || account.gid == 0 => report.error(format!(
            "the helper's user `{name}` is root, or in root's group, and must not be: take another in \
             `run_as`"
        )),
        Ok(Some(_)) => {}
    }
}

/// What limits and backup codes are kept in. A folder that is not there is made when it is needed.
fn state(_: &Case<'_>, report: &mut Report) {
    let places = Places::default();
    for folder in [&places.run, &places.lib] {
        if fs::symlink_metadata(folder).is_ok() {
            state_folder(folder, report);
        }
    }
}

fn state_folder(folder: &Path, report: &mut Report) {
    // Nothing is written by it, so how durable it is does not matter.
    let store = Store::new(folder, Durability::Process);
    let Some(names) = report.note(store.names()) else { return };
    for name in names {
        report.note(store.read(&name));
    }
    let mode = fs::metadata(folder).map_or(0, |meta| meta.mode() & 0o7777);
    if mode & 0o077 != 0 {
        let folder = folder.display();
        report.error(format!(
            "{folder}: can be read by others (mode {mode:04o}): run `chmod 700 {folder}`"
        ));
    }
}

/// Root without a number is easily forgotten, and noticed when root is needed.
fn root(case: &Case<'_>, report: &mut Report) {
    let (policy, users) = (&case.config.policy, &case.config.users);
    let holds_root = |names: &[String]| names.iter().any(|name| name == "root");
    let is_spared = holds_root(&policy.skip_users) && !holds_root(&policy.require_users);
    // That nobody has a number is reported as that, as is what cannot be read.
    if is_spared || matches!(case.people, None | Some(0)) {
        return;
    }
    let Ok(found) = people::look_up("root", users, &case.arguments.config, case.trust) else {
        return;
    };
    if found.record.is_some() {
        return;
    }
    let su = match policy.subject.get("su") {
        Some(Subject::Caller) => "",
        _ => ", and su to root,",
    };
    let what = match users.unenrolled {
        Unenrolled::Deny => "are denied wherever the stack asks for a code",
        Unenrolled::Skip => "are not asked for a code",
        Unenrolled::Enrol => "give root the number that is typed first",
    };
    report.warning(format!(
        "root has no phone number: logins as root (ssh, login){su} {what}; give root one, or name \
         root in `skip_users`"
    ));
}
