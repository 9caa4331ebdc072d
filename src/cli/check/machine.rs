//! What is judged of the machine itself: left out with `--offline`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::parts::Part;
use super::report::Report;
use super::{Arguments, Case, Rule, catalogue, directory};
use crate::config::model::{Subject, Unenrolled};
use crate::gateway::Gateway;
use crate::helper::call::{Fleet, check_program};
use crate::limits::fleet::ask::PING;
use crate::people::directory::Purpose;
use crate::people::{self, Asking};
use crate::stack::Folders;
use crate::state::Places;
use crate::state::{Durability, Store};
use crate::sys;

/// All of it.
pub(super) const RULES: [Rule; 9] =
    [helper, run_as, state, clock, store, directory::answers, root, accounts, subjects];

/// Who gave their number themselves. What cannot be read is reported with the folder.
pub(super) fn enrolled() -> Vec<String> {
    people::enrolled::names(&Places::default()).unwrap_or_default()
}

fn helper(case: &Case<'_>, report: &mut Report) {
    helper_at(&case.arguments.helper, report);
}

/// Also for what a line of a stack names.
pub(super) fn helper_at(path: &Path, report: &mut Report) {
    let shown = path.display();
    if let Err(reason) = check_program(path) {
        let (what, change) = reason.split_once(": ").unwrap_or((&reason, "install it again"));
        report.add(&catalogue::HELPER, format!("helper {shown}"), what, change);
    } else if fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o111 == 0) {
        let change = format!("run `chmod 755 {shown}`");
        report.add(&catalogue::HELPER, format!("helper {shown}"), "cannot be started", change);
    }
}

/// The system user that the helper becomes.
fn run_as(case: &Case<'_>, report: &mut Report) {
    let Some(name) = case.gateway.as_ref().map(Gateway::run_as) else { return };
    let mut add = |what: String, change: String| {
        report.add(&catalogue::HELPER_USER, case.place_of(&["delivery", "run_as"]), what, change);
    };
    let it = format!("the helper's user `{name}`");
    match sys::account(name) {
        Err(error) => {
            add(format!("{it} cannot be found: {error}"), "mend the user database".into());
        }
        Ok(None) => add(
            format!("{it} does not exist"),
            format!("run `useradd --system --no-create-home --shell /usr/sbin/nologin {name}`"),
        ),
        Ok(Some(account)) if account.uid == 0 || account.gid == 0 => add(
            format!("{it} is root, or in root's group, and must not be"),
            "take another in `run_as`".into(),
        ),
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

/// The store that hosts share, as a login reaches it.
fn store(case: &Case<'_>, report: &mut Report) {
    // What was left out has been reported as that.
    if !Part::Redis.is_built() {
        return;
    }
    let (helper, config) = (&case.arguments.helper, &case.arguments.config);
    let Some(fleet) = Fleet::of(&case.config.limits, helper, config, None) else { return };
    let place = case.place_of(&["limits", "store"]);
    let [micros, evicts, forgets, replicas] = match fleet.ask("", None, &format!("{PING} 0")) {
        Ok(said) => said,
        Err(barrier) => {
            let change = "mend what it says; docs/limits.md has the rights that it takes";
            return report.add(&catalogue::STORE, place, barrier.to_string(), change);
        }
    };
    if evicts == 1 {
        let change = "set `maxmemory-policy noeviction` there";
        report.add(&catalogue::STORE_EVICTS, &place, "the store may evict keys", change);
    }
    if forgets == 1 && replicas == 0 {
        let change = "set `appendonly yes` there, or give it a replica";
        let what = "the store keeps nothing when it is started anew";
        report.add(&catalogue::STORE_FORGETS, &place, what, change);
    }
    let what = format!("the store answers in {}.{} ms", micros / 1000, micros % 1000 / 100);
    report.add(&catalogue::STORE_LATENCY, &place, what, "nothing, if that is quick enough");
}

fn state_folder(folder: &Path, report: &mut Report) {
    // Nothing is written by it, so how durable it is does not matter.
    let store = Store::new(folder, Durability::Process);
    let names = match store.names() {
        Ok(names) => names,
        Err(error) => return report.told(&catalogue::STATE, &error.to_string()),
    };
    for name in names {
        if let Err(error) = store.read(&name) {
            report.told(&catalogue::STATE, &error.to_string());
        }
    }
    let mode = fs::metadata(folder).map_or(0, |meta| meta.mode() & 0o7777);
    if mode & 0o077 != 0 {
        let change = format!("run `chmod 700 {}`", folder.display());
        let what = format!("can be read by others (mode {mode:04o})");
        report.add(&catalogue::STATE_READABLE, folder.display(), what, change);
    }
}

/// Root without a number is easily forgotten, and noticed when root is needed.
fn root(case: &Case<'_>, report: &mut Report) {
    let (policy, users) = (&case.config.policy, &case.config.users);
    let holds_root = |names: &[String]| names.iter().any(|name| name == "root");
    let is_spared = holds_root(&policy.skip_users) && !holds_root(&policy.require_users);
    // That nobody has a number is reported as that, as is what cannot be read.
    if is_spared || matches!(case.people(), None | Some(0)) {
        return;
    }
    let Arguments { config, helper, .. } = case.arguments;
    let asking = Asking { purpose: Purpose::Rehearsal, config, helper, trust: case.trust };
    let Ok(found) = people::look_up("root", users, &asking, &mut Vec::new()) else { return };
    if found.is_some() {
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
    report.add(
        &catalogue::ROOT_NUMBER,
        "",
        format!("root has no phone number: logins as root (ssh, login){su} {what}"),
        "give root a number, or name root in `skip_users`",
    );
}

/// A clock that is behind what it has written itself.
fn clock(case: &Case<'_>, report: &mut Report) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let written = fs::metadata(&case.arguments.config).and_then(|meta| meta.modified());
    let ahead = written.ok().and_then(|time| time.duration_since(SystemTime::now()).ok());
    if ahead.is_some_and(|ahead| ahead > DAY) {
        report.add(
            &catalogue::CLOCK,
            "",
            "the clock is more than a day behind the time at which the configuration was written",
            "set the clock, and have it kept: `timedatectl set-ntp true`",
        );
    }
}

/// Names in rules that nobody has.
fn accounts(case: &Case<'_>, report: &mut Report) {
    let (policy, users) = (&case.config.policy, &case.config.users);
    for (table, key, groups) in [
        ("policy", "require_groups", &policy.require_groups),
        ("policy", "skip_groups", &policy.skip_groups),
        ("users", "enrol_groups", &users.enrol_groups),
    ] {
        for group in groups.iter().filter(|group| !matches!(sys::group_id(group), Ok(Some(_)))) {
            report.add(
                &catalogue::POLICY_GROUP,
                case.place_of(&[table, key]),
                format!("`{key}` names the group `{group}`, which does not exist"),
                format!("correct the name, or run `groupadd {group}`"),
            );
        }
    }
    for (table, key, names) in [
        ("policy", "require_users", &policy.require_users),
        ("policy", "skip_users", &policy.skip_users),
        ("limits", "store_except_users", &case.config.limits.store_except_users),
    ] {
        for name in names.iter().filter(|name| !matches!(sys::account(name), Ok(Some(_)))) {
            report.add(
                &catalogue::POLICY_USER,
                case.place_of(&[table, key]),
                format!("`{key}` names the account `{name}`, which does not exist"),
                "correct the name, or take it out",
            );
        }
    }
}

/// `subject` for services that are none.
fn subjects(case: &Case<'_>, report: &mut Report) {
    for service in case.config.policy.subject.keys() {
        if Folders::default().find(service).is_none() {
            report.add(
                &catalogue::SUBJECT_SERVICE,
                case.place_of(&["policy", "subject"]),
                format!("`subject` names the service `{service}`, which has no stack"),
                "write the name of a file in /etc/pam.d, like su or sudo",
            );
        }
    }
}
