//! What a stack makes of right and wrong answers: found by walking it as libpam does, and not by what
//! its lines are called.

use std::path::PathBuf;

use super::catalogue::{self, Entry};
use super::lines::FAILURES;
use super::report::Report;
use crate::stack::control::{Action, CODES, Code};
use crate::stack::modules::{self, Sort};
use crate::stack::run::{Arrival, Course, Scene};
use crate::stack::{Line, OURS, Step};

/// What sshd's own rules have to fit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// The stack asks for a password, or another proof.
    pub(super) asks_password: bool,
    /// There is a way to our line on which nothing was asked before.
    pub(super) alone: bool,
}

/// Judges the auth lines of a service. What is about the code counts only where it is asked for.
pub(super) fn judge(
    service: &str,
    lines: &[&Line],
    libraries: &[PathBuf],
    asked: bool,
    report: &mut Report,
) -> Shape {
    let course = Course::new(lines, |module| modules::sort(module, libraries));
    let ways = Ways { service, lines, libraries, course };
    ways.ignored(report);
    if !asked {
        return Shape::default();
    }
    ways.reached(report);
    ways.failed(report);
    let shape = ways.sent(report);
    if shape.asks_password && !shape.alone {
        ways.alone(report);
    }
    shape
}

struct Ways<'a> {
    service: &'a str,
    lines: &'a [&'a Line],
    libraries: &'a [PathBuf],
    course: Course<'a>,
}

impl Ways<'_> {
    fn add(&self, entry: &'static Entry, what: &str, change: &str, report: &mut Report) {
        let ours = self.lines.iter().find(|line| line.ours().is_some());
        let place = ours.map_or(String::new(), |line| line.place.to_string());
        report.add(entry, place, format!("{}: {what}", self.service), change);
    }

    /// Whom the factor does not apply to must get in with the rest.
    fn ignored(&self, report: &mut Report) {
        let ours = self.lines.iter().filter_map(|line| line.ours());
        let mapped = |action| !matches!(action, Action::Ignore | Action::Jump(_) | Action::Reset);
        if ours.map(|ours| ours.control.actions()[Code::IGNORE.0]).any(mapped) {
            // That is the reason, and is told with the line.
            return;
        }
        let lets_in = |ours| {
            let seen = self.course.walk(Scene { right: true, wrong: false, ours });
            seen.lets_in(|memory| memory.asked)
        };
        if lets_in(Code::SUCCESS) && !lets_in(Code::IGNORE) {
            self.add(
                &catalogue::IGNORE_DENIES,
                "nothing else in the stack succeeds when the factor does not apply",
                "write `auth required pam_permit.so` after our line",
                report,
            );
        }
    }

    /// Who gives the right password must come to us.
    fn reached(&self, report: &mut Report) {
        let seen = self.course.walk(Scene { right: true, wrong: true, ours: Code::SUCCESS });
        let move_it = "put our line before whatever ends the stack (`sufficient`, `done`, jumps), or \
                       include that by `substack`";
        if !seen.lets_in(|memory| memory.asked) {
            match seen.lets_in(|memory| memory.proven) {
                true => self.add(
                    &catalogue::CODE_NEVER_ASKED,
                    "a right password lets in, and no way leads to our line",
                    move_it,
                    report,
                ),
                false => self.add(
                    &catalogue::CODE_DENIES,
                    "nobody gets in with a right password and a right code",
                    "see pam.d-example for a stack that works",
                    report,
                ),
            }
            return;
        }
        // Where a module has a choice (pam_succeed_if), sparing somebody may be what is wanted.
        if seen.lets_in(|m| m.proven && !m.asked && !m.choice) {
            self.add(
                &catalogue::CODE_SKIPPED,
                "a right password lets in and our line is never come to",
                move_it,
                report,
            );
        }
    }

    fn failed(&self, report: &mut Report) {
        let lets_in = |code: &&Code| {
            let seen = self.course.walk(Scene { right: true, wrong: true, ours: **code });
            seen.lets_in(|memory| memory.asked)
        };
        let codes: Vec<_> = FAILURES.iter().filter(lets_in).map(|code| CODES[code.0]).collect();
        if !codes.is_empty() {
            let what = format!("the stack lets in although {OURS} answers {}", codes.join(", "));
            self.add(&catalogue::FAILURE_LETS_IN, &what, "write `requisite` on our line", report);
        }
    }

    /// Whether a message is sent before anything was right.
    fn sent(&self, report: &mut Report) -> Shape {
        let seen = self.course.walk(Scene { right: false, wrong: true, ours: Code::AUTH_ERR });
        let asks_password = self.course.asks_from(0);
        let is_late = |arrival: &Arrival| arrival.memory.failed || arrival.is_lost;
        let is_before = |arrival: &Arrival| self.course.asks_from(arrival.line + 1);
        let untouched = || seen.arrivals.iter().filter(|arrival| !is_late(arrival));
        let (early, alone) = (untouched().any(is_before), untouched().any(|a| !is_before(a)));
        if seen.arrivals.iter().any(is_late) {
            let change = self.culprit();
            self.add(
                &catalogue::SMS_AFTER_WRONG_PASSWORD,
                "a wrong password still sends an SMS",
                &change,
                report,
            );
        }
        if early {
            self.add(
                &catalogue::SMS_BEFORE_PASSWORD,
                "the SMS is sent before a password is asked for",
                "put our line after the lines that ask for the password",
                report,
            );
        }
        // sshd may have asked for a key; its own rules are judged with it.
        if alone && self.service != "sshd" {
            self.add(
                &catalogue::NO_FIRST_FACTOR,
                "the code is asked for and nothing before it",
                "put our line after `@include common-auth`, or what asks for the password here",
                report,
            );
        }
        Shape { asks_password, alone }
    }

    /// The line that lets a wrong password go on.
    fn culprit(&self) -> String {
        let ours = self.lines.iter().find(|line| line.ours().is_some());
        let level = ours.map_or(0, |line| line.level);
        let before = self.lines.iter().take_while(|line| line.ours().is_none());
        let found = before.filter_map(|line| {
            let Step::Module(module) = &line.step else { return None };
            let is_asked = matches!(modules::sort(module, self.libraries), Sort::FirstFactor(_));
            let goes_on = module.control.actions()[Code::AUTH_ERR.0] != Action::Die;
            (is_asked && (goes_on || line.level > level)).then_some((line, module))
        });
        match found.last() {
            Some((line, _)) if line.level > level => format!(
                "a substack's failure does not end the stack: write `auth requisite pam_unix.so` in place \
                 of the substack that {} is in, or our line into that file, after `requisite pam_deny.so`",
                line.place
            ),
            Some((line, module)) => format!(
                "write `requisite` in place of `{}` in {}, or `auth requisite pam_deny.so` where only \
                 a wrong password comes",
                module.control, line.place
            ),
            None => "end the stack upon a wrong password: `requisite`".to_owned(),
        }
    }

    fn alone(&self, report: &mut Report) {
        let seen = self.course.walk(Scene { right: false, wrong: true, ours: Code::SUCCESS });
        if seen.lets_in(|memory| memory.asked) {
            self.add(
                &catalogue::CODE_ALONE,
                "a right code lets in without a right password",
                "write `requisite` on our line, after the lines that ask for the password",
                report,
            );
        }
    }
}
