//! What sshd does, in its own words: `sshd -T`, for root and for people with a number, so that `Match`
//! blocks are taken into account.

use std::fs;

use super::catalogue;
use super::report::Report;
use super::sshd_rules::{self, Told};
use super::ways::Shape;
use super::{Case, machine};
use crate::cli::enable;
use crate::cli::sshd::{self, ELSE};
use crate::people;

/// The main file, and those that it includes first as a rule.
const CONFIG: &str = "/etc/ssh/sshd_config";
const DROP_INS: &str = "/etc/ssh/sshd_config.d";
/// For how many people sshd is asked; `Match` blocks are about few.
const MOST_PEOPLE: usize = 20;

/// Judges sshd for a stack of this shape.
pub(super) fn judge(case: &Case<'_>, shape: &Shape, report: &mut Report) {
    let Some(program) = sshd::program() else {
        let what = "sshd is not installed, or not where it is looked for";
        return report.add(&catalogue::SSHD_UNREADABLE, sshd::PROGRAMS[0], what, "");
    };
    let mut told: Vec<(Told, Vec<String>)> = Vec::new();
    let mut judged = 0;
    for user in &people(case) {
        let settings = match sshd::ask(program, user) {
            Ok(settings) => settings,
            Err(said) => {
                let what = format!("`{program} -T` fails: {said}");
                return report.add(&catalogue::SSHD_UNREADABLE, CONFIG, what, "mend what it says");
            }
        };
        let Some(found) = sshd_rules::judge(case, shape, user, &settings) else { continue };
        judged += 1;
        for found in found {
            match told.iter_mut().find(|(known, _)| *known == found) {
                Some((_, users)) => users.push(user.clone()),
                None => told.push((found, vec![user.clone()])),
            }
        }
    }
    for (told, users) in told {
        let everybody = users.len() == judged;
        let mut entry = told.entry;
        if std::ptr::eq(entry, &catalogue::SSHD_METHODS) && !everybody {
            entry = &catalogue::SSHD_METHODS_SOME;
        }
        let users = users.join(", ").replace(ELSE, "everybody else");
        let whose = if everybody { String::new() } else { format!(" (for {users})") };
        report.add(
            entry,
            place_of(told.keyword, everybody),
            format!("{}{whose}", told.what),
            told.change,
        );
    }
    automation(case, program, report);
    if enable::sshd_spares_others(case.config) {
        report.add(
            &catalogue::SSHD_SPARES,
            "/etc/ssh/sshd_config.d/00-pam-sms.conf",
            "sshd spares other people than [policy] does, which was changed since this was written",
            "`pam-sms enable sshd --keys` writes it anew",
        );
    }
}

/// Root, the first people with a number, and one for everybody else.
fn people(case: &Case<'_>) -> Vec<String> {
    let listed = people::names(&case.config.users, &case.arguments.config, case.trust);
    let mut names = vec!["root".to_owned()];
    for name in listed.unwrap_or_default().into_iter().chain(machine::enrolled()) {
        // What would be more than a name to sshd's -C.
        let is_plain = !name.contains([',', '=']);
        if is_plain && !names.contains(&name) && names.len() <= MOST_PEOPLE {
            names.push(name);
        }
    }
    names.push(ELSE.to_owned());
    names
}

/// The line that sets the keyword: the first for everybody, the last for some, since `Match` blocks come
/// after what is for all. Where there is none, the main file.
fn place_of(keyword: &str, everybody: bool) -> String {
    let drop_ins = fs::read_dir(DROP_INS).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        drop_ins.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    files.sort();
    files.push(CONFIG.into());
    let sets = |line: &str| {
        let word = line.trim_start().split([' ', '\t', '=']).next().unwrap_or_default();
        word.eq_ignore_ascii_case(keyword)
    };
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut rows = (0..).zip(text.lines()).filter(|(_, line)| sets(line)).map(|(row, _)| row);
        let row: Option<usize> = if everybody { rows.next() } else { rows.last() };
        if let Some(row) = row {
            return format!("{}:{}", file.display(), row + 1);
        }
    }
    CONFIG.to_owned()
}

/// Whoever is spared the code because they are programs still needs a way in that is no prompt.
fn automation(case: &Case<'_>, program: &str, report: &mut Report) {
    let policy = &case.config.policy;
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let members = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        policy.skip_groups.iter().any(|group| group == name).then(|| fields.next_back())?
    });
    let names = members
        .flat_map(|names| names.split(','))
        .chain(policy.skip_users.iter().map(String::as_str));
    let stuck = |name: &&str| {
        let settings = sshd::ask(program, name).unwrap_or_default();
        let methods = settings.methods();
        !methods.is_empty() && methods.iter().all(|list| list.contains(&"keyboard-interactive"))
    };
    let is_plain = |name: &&str| !name.is_empty() && !name.contains([',', '=']) && *name != "root";
    let stuck: Vec<_> = names.filter(is_plain).take(MOST_PEOPLE).filter(stuck).collect();
    if !stuck.is_empty() {
        report.add(
            &catalogue::SSHD_AUTOMATION,
            place_of("authenticationmethods", true),
            format!("sshd demands keyboard-interactive of {}, whom [policy] spares the code", stuck.join(", ")),
            "write `Match Group automation` and `AuthenticationMethods publickey` at the end of sshd_config",
        );
    }
}
