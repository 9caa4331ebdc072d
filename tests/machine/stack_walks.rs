//! The walk through stacks against libpam itself: stacks that no person would write, out of pam_debug, which
//! answers what it is told.

use pam_sms::stack::control::CODES;
use pam_sms::stack::modules::{self, libraries};
use pam_sms::stack::run::{Course, Scene};
use pam_sms::stack::{Folders, Kind, control::Code};

use crate::support::machine::Machine;
use crate::support::pam::Client;

/// How many stacks; each is a process.
const STACKS: usize = 400;

#[test]
fn walks_end_as_in_libpam() {
    let machine = Machine::new();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut successes = 0;
    machine.pam("other", "auth required pam_deny.so\n");
    for _ in 0..STACKS {
        let files = [("inner", dice.stack(&[])), ("service", dice.stack(&["inner"]))];
        for (name, text) in &files {
            machine.pam(name, text);
        }
        let stack = Folders::default().stack("service");
        let course = Course::new(&stack.lines(Kind::Auth), |m| modules::sort(m, &libraries()));
        let seen = course.walk(Scene { right: true, wrong: true, ours: Code::SUCCESS });
        let walked: Vec<_> = match stack.broken {
            Some(_) => vec![CODES[Code::ABORT.0]],
            None => seen.ends.iter().map(|(code, _)| CODES[code.0]).collect(),
        };
        let run = Client::new(&machine, "service").user("alice").run();
        let done = CODES[usize::try_from(run.result).unwrap()];
        assert_eq!(walked, [done], "{files:#?}");
        successes += usize::from(run.result == 0);
    }
    // Else the dice are loaded.
    assert!((STACKS / 10..STACKS).contains(&successes), "{successes} successes");
}

/// Always the same throws.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.throw(words.len())]
    }

    /// A file of one to six lines, which may include these files.
    fn stack(&mut self, files: &[&str]) -> String {
        let lines = 1 + self.throw(6);
        (0..lines).map(|_| self.line(files)).collect()
    }

    fn line(&mut self, files: &[&str]) -> String {
        if !files.is_empty() && self.throw(3) == 0 {
            let how = self.one_of(&["auth include ", "auth substack ", "@include "]);
            return format!("{how}{}\n", self.one_of(files));
        }
        let control = self.control();
        // Half of them agree, or everything would fail. The last two make libpam stop and wait.
        let answer = match self.throw(4) {
            0 | 1 => "success",
            2 => "ignore",
            _ => CODES[self.throw(CODES.len() - 2)],
        };
        let comment = self.one_of(&["", "  # said", " \\\n  # between\n"]);
        format!("auth\t{control} pam_debug.so auth={answer}{comment}\n")
    }

    fn control(&mut self) -> String {
        if self.throw(2) == 0 {
            return self.one_of(&["required", "requisite", "Sufficient", "optional"]).to_owned();
        }
        let mut words = Vec::new();
        for _ in 0..self.throw(4) {
            let code = match self.throw(2) {
                0 => self.one_of(&["success", "ignore"]),
                _ => CODES[self.throw(CODES.len())],
            };
            words.push(format!("{code}{}", self.action()));
        }
        if self.throw(3) > 0 {
            words.push(format!("default{}", self.action()));
        }
        format!("[{}]", words.join(" "))
    }

    fn action(&mut self) -> &'static str {
        const ACTIONS: [&str; 11] = [
            "=ignore", " = ok", "=done", "=bad", "= die", "=reset", "=1", "=2", "=3", "=0", "=slip",
        ];
        // Slips are rare, or most controls were one.
        let sides = if self.throw(12) == 0 { ACTIONS.len() } else { ACTIONS.len() - 2 };
        ACTIONS[self.throw(sides)]
    }
}
