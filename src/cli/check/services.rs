//! Which services come to our module, and what is to be said of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::report::Report;
use super::{Arguments, Case, catalogue, lines, sshd, ways};
use crate::authenticate::arguments::Arguments as ModuleArguments;
use crate::stack::{Folders, Kind, Line, Module, OURS, Place, Stack, Step, modules};

/// Those with nobody to talk to, without a network, or with one short prompt for everything.
const CANNOT_ASK: [&str; 24] = [
    "atd",
    "chfn",
    "chpasswd",
    "chsh",
    "cron",
    "crond",
    "cups",
    "dovecot",
    "i3lock",
    "kscreenlocker",
    "newusers",
    "pam_systemd",
    "polkit-1",
    "ppp",
    "runuser",
    "runuser-l",
    "samba",
    "smtp",
    "swaylock",
    "systemd-user",
    "useradd",
    "vsftpd",
    "xlock",
    "xscreensaver",
];
/// What login(1) waits for where login.defs says nothing, in seconds.
const LOGIN_TIMEOUT: u64 = 60;
/// What people take to find the phone and to type, in seconds.
pub(super) const TO_TYPE: u64 = 60;

/// A service whose auth lines come to our module.
struct Service {
    name: String,
    stack: Stack,
}

/// What is read of one of our lines.
struct Ours<'a> {
    line: &'a Line,
    module: &'a Module,
    /// Nothing, where they make no sense, which is reported.
    arguments: Option<ModuleArguments>,
}

/// Judges the stacks, and what else the services that ask depend on. Without a usable configuration
/// (`case`) only the stacks.
pub(super) fn judge(arguments: &Arguments, case: Option<&Case<'_>>, report: &mut Report) {
    let folders = Folders::default();
    let libraries = modules::libraries();
    let names = match &arguments.service {
        Some(name) => vec![name.clone()],
        None => all(&folders),
    };
    let services = names.into_iter().map(|name| Service { stack: folders.stack(&name), name });
    let services: Vec<_> = services
        .filter(|service| {
            let names_us = service.stack.lines(Kind::Auth).iter().any(|line| line.ours().is_some());
            if arguments.service.is_some() {
                broken(service, report);
                if !names_us {
                    unprotected(&service.name, report);
                }
            }
            names_us
        })
        .collect();
    if services.is_empty() && arguments.service.is_none() {
        let what = format!("no stack names {OURS}");
        report.add(&catalogue::NO_SERVICE, "/etc/pam.d", what, "see docs/module.md for the line");
    }
    let mut lists = Lists::default();
    for service in &services {
        broken(service, report);
        let found = one(service, arguments, &libraries, &mut lists, report);
        match (case, found) {
            (Some(case), Some(shape)) if service.name == "sshd" => {
                sshd::judge(case, &shape, report);
            }
            (Some(case), Some(_)) if service.name == "login" => login_timeout(case, report),
            _ => {}
        }
    }
    lists.tell(arguments.service.is_none(), report);
}

/// All services that have a file. One that others include is no service, nor is what a package manager
/// or an editor left.
fn all(folders: &Folders) -> Vec<String> {
    let (mut names, mut included) = (BTreeSet::new(), BTreeSet::new());
    for path in folders.0.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten()
    {
        let Ok(name) = path.file_name().into_string() else { continue };
        let text = fs::read(path.path()).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let words: Vec<_> = line.split('#').next().unwrap_or("").split_whitespace().collect();
            match words[..] {
                ["@include", file] | [_, "include" | "substack", file] => {
                    included.insert(file.to_owned());
                }
                _ => {}
            }
        }
        let is_left = name.ends_with('~')
            || [".dpkg-", ".rpm", ".bak", ".orig", ".pam-old"].iter().any(|end| name.contains(end));
        if !is_left && name != "other" {
            names.insert(name);
        }
    }
    // su-l includes su, which is one all the same.
    let is_shared =
        |name: &str| included.contains(name) && !["su", "sudo", "login"].contains(&name);
    names.into_iter().filter(|name| !is_shared(name)).collect()
}

fn broken(service: &Service, report: &mut Report) {
    let lines = [Kind::Auth, Kind::Account].into_iter().flat_map(|kind| service.stack.lines(kind));
    for line in lines {
        if let Step::Broken(_, fault) = &line.step {
            let what = format!("{}: libpam puts a failure in its place", fault.what);
            report.add(
                &catalogue::STACK_BROKEN,
                &line.place,
                what,
                "mend the line, or take it out",
            );
        }
    }
    if let Some(fault) = &service.stack.broken {
        let place = Place { file: fault.file.clone(), line: fault.line };
        let what = format!("{}: every login at `{}` is denied", fault.what, service.name);
        report.add(&catalogue::STACK_BROKEN, place, what, "mend the line, or take it out");
    }
}

fn unprotected(service: &str, report: &mut Report) {
    report.add(
        &catalogue::SERVICE_UNPROTECTED,
        format!("/etc/pam.d/{service}"),
        format!("the stack of `{service}` does not name {OURS}"),
        format!("write `auth requisite {OURS} services={service}` after its other auth lines"),
    );
}

/// Judges one service; what its stack is like, where it asks.
fn one(
    service: &Service,
    arguments: &Arguments,
    libraries: &[PathBuf],
    lists: &mut Lists,
    report: &mut Report,
) -> Option<ways::Shape> {
    let auth = service.stack.lines(Kind::Auth);
    let ours: Vec<_> = auth
        .iter()
        .filter_map(|line| Some(Ours { line, module: line.ours()?, arguments: None }))
        .map(|ours| Ours {
            arguments: lines::judge(ours.line, ours.module, arguments, libraries, report),
            ..ours
        })
        .collect();
    if let [first, second, ..] = &ours[..] {
        report.add(
            &catalogue::NAMED_TWICE,
            &second.line.place,
            format!("the stack names {OURS} a second time; the first is {}", first.line.place),
            "take one of them out",
        );
    }
    let asks = |ours: &Ours<'_>| ours.arguments.as_ref().is_none_or(|a| a.covers(&service.name));
    let asked = ours.iter().any(asks);
    for ours in &ours {
        lists.add(&service.name, ours);
        shared(&service.name, ours, report);
    }
    let shape = ways::judge(&service.name, &auth, libraries, asked, report);
    if !asked {
        if let (Some(_), Some(first)) = (&arguments.service, ours.first()) {
            let name = &service.name;
            report.add(
                &catalogue::SERVICE_UNPROTECTED,
                &first.line.place,
                format!("services= does not list `{name}`, so it is not asked for a code"),
                format!("write `{name}` into services="),
            );
        }
        return None;
    }
    if CANNOT_ASK.contains(&service.name.as_str()) {
        report.add(
            &catalogue::SERVICE_CANNOT_ASK,
            &ours.first()?.line.place,
            format!("`{}` asks for a code and cannot", service.name),
            format!("write services= with the services that shall ask, without {}", service.name),
        );
    }
    lines::account(&service.name, &service.stack, report);
    Some(shape)
}

/// A line in a file that other services include must say who asks.
fn shared(service: &str, ours: &Ours<'_>, report: &mut Report) {
    let Some(arguments) = &ours.arguments else { return };
    let file = ours.line.place.file.file_name().unwrap_or_default();
    let own = [service, ModuleArguments::family(service)];
    if arguments.services().is_none() && !own.iter().any(|name| file == *name) {
        report.add(
            &catalogue::SERVICES_MISSING,
            &ours.line.place,
            format!("{OURS} stands in a shared file without services="),
            "write the services that shall ask behind it, like services=sshd,sudo",
        );
    }
}

/// What `services=` of our lines says, and which services come to them.
#[derive(Default)]
struct Lists {
    /// By the place of the line.
    lines: BTreeMap<String, Traffic>,
}

#[derive(Default)]
struct Traffic {
    listed: BTreeSet<String>,
    /// Who comes to the line, under each name that covers them.
    came: BTreeSet<String>,
    /// Who is not asked there.
    passed: BTreeSet<String>,
}

impl Lists {
    fn add(&mut self, service: &str, ours: &Ours<'_>) {
        let Some(arguments) = &ours.arguments else { return };
        let Some(listed) = arguments.services() else { return };
        let entry = self.lines.entry(ours.line.place.to_string()).or_default();
        entry.listed.extend(listed.iter().cloned());
        entry.came.insert(service.to_owned());
        entry.came.insert(ModuleArguments::family(service).to_owned());
        if !arguments.covers(service) {
            entry.passed.insert(service.to_owned());
        }
    }

    /// With all services known, a name that none of them has is in vain.
    fn tell(self, all: bool, report: &mut Report) {
        for (place, traffic) in self.lines.into_iter().filter(|_| all) {
            let Traffic { listed, came, passed } = traffic;
            for name in listed.difference(&came) {
                report.add(
                    &catalogue::SERVICE_IN_VAIN,
                    &place,
                    format!("services= lists `{name}`, whose stack does not come to this line"),
                    "correct the name (it is that of a file in /etc/pam.d), or take it out",
                );
            }
            if !passed.is_empty() {
                let passed: Vec<_> = passed.into_iter().collect();
                report.add(
                    &catalogue::SERVICES_NOT_ASKED,
                    place,
                    format!("these come here and are not asked for a code: {}", passed.join(", ")),
                    "",
                );
            }
        }
    }
}

fn login_timeout(case: &Case<'_>, report: &mut Report) {
    let path = Path::new("/etc/login.defs");
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = |line: &str| line.trim().strip_prefix("LOGIN_TIMEOUT")?.trim().parse::<u64>().ok();
    let found = text.lines().enumerate().find_map(|(row, line)| Some((row + 1, value(line)?)));
    let (line, seconds) = found.unwrap_or((0, LOGIN_TIMEOUT));
    let needed = case.config.code.lifetime.get().as_secs() + TO_TYPE;
    if seconds != 0 && seconds < needed {
        report.add(
            &catalogue::LOGIN_TIMEOUT,
            Place { file: path.to_owned(), line },
            format!(
                "login(1) gives up after {seconds} s, a code is good for {} s",
                needed - TO_TYPE
            ),
            format!("write `LOGIN_TIMEOUT {needed}`"),
        );
    }
}
