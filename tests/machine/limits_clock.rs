//! Trap 17: what the clock does changes no lock and no window, be it set, or begun anew by a boot.

use std::fs;

use crate::support::books::code_for;
use crate::support::log::Log;
use crate::support::machine::Machine;
use crate::support::pam::{Client, Run};

const SUCCESS: i32 = 0;
const MAXTRIES: i32 = 11;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A machine whose clocks a test can set.
struct Clocked {
    machine: Machine,
    log: Log,
    clock: [&'static str; 2],
}

impl Clocked {
    fn new() -> Self {
        let machine = Machine::new();
        machine.config("[limits]\nfailures_per_user = '3/1h'\nlockout = '15m'\n");
        machine.users("alice = '+4915123456723'\nbob = '+4915123456789'\n");
        machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
        let (log, clock) = (machine.log(), machine.test_clock());
        let clocked = Self { machine, log, clock };
        clocked.boot(1, 100_000);
        clocked.machine.show_as("/run/boot-id", BOOT_ID);
        clocked
    }

    /// The boot of this number, so many seconds after it began.
    fn boot(&self, number: u8, seconds: i64) {
        let id = format!("{number:08}-8f53-4d0e-a2b5-7d7c0a3a9a10\n");
        self.machine.file("/run/boot-id", id, 0o444);
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let uptime: i64 = uptime.split('.').next().unwrap().parse().unwrap();
        self.machine.set_clock("boot", seconds - uptime);
    }

    fn client(&self, user: &str, answer: &str) -> Client<'_> {
        Client::new(&self.machine, "sms").under(&self.clock).user(user).answer(answer)
    }

    fn run(&self, user: &str, answer: &str) -> Run {
        self.log.clear();
        self.client(user, answer).run()
    }

    /// Three wrong codes: alice is locked for an hour.
    fn lock_alice(&self) {
        assert_eq!(self.run("alice", WRONG).result, MAXTRIES, "{:#?}", self.log.lines());
        self.log.wait_for("event=locked");
    }

    /// Five messages: bob gets no more for ten minutes.
    fn exhaust_bob(&self) {
        for _ in 0..5 {
            self.run("bob", "null");
            self.log.wait_for("event=sent");
        }
    }

    /// Denied, and the line in the log says why.
    #[track_caller]
    fn denied(&self, user: &str, why: &str) -> String {
        let run = self.run(user, OUTBOX);
        assert_eq!(run.result, MAXTRIES, "{:#?}", self.log.lines());
        let line = self.log.wait_for("reason=");
        assert!(line.contains(why), "{why}: {line}");
        line
    }

    #[track_caller]
    fn let_in(&self, user: &str) {
        assert_eq!(self.run(user, OUTBOX).result, SUCCESS, "{:#?}", self.log.lines());
    }
}

#[test]
fn trap_17_a_wall_clock_that_is_set_changes_no_lock_and_no_window() {
    let clocked = Clocked::new();
    clocked.lock_alice();
    clocked.exhaust_bob();
    // `<85>Nov 24` of a line: the step did happen.
    let day = |line: &str| line[..10].to_owned();
    let today = day(&clocked.denied("alice", "locked for 60 minutes"));
    for step in [DAY, -DAY, 100 * DAY, -100 * DAY, 3750 * DAY, -7400 * DAY] {
        // Half a minute later, however long this machine took to come here.
        clocked.boot(1, 100_030);
        clocked.machine.set_clock("wall", step);
        let line = clocked.denied("alice", "locked for 60 minutes");
        assert_ne!(day(&line), today, "{step}: {line}");
        clocked.denied("bob", "sends_per_user is reached, for 10 minutes");
    }
    // And the other clock frees both, while the wall says that no time has passed.
    clocked.boot(1, 100_030 + 11 * MINUTE);
    clocked.machine.set_clock("wall", 0);
    clocked.denied("alice", "locked for 49 minutes");
    clocked.let_in("bob");
    clocked.boot(1, 100_030 + 61 * MINUTE);
    clocked.let_in("alice");
}

#[test]
fn trap_17_a_code_lives_for_its_time_whatever_the_wall_clock_says() {
    for step in [DAY, -DAY] {
        let clocked = Clocked::new();
        let mut session = clocked.client("alice", "stdin").spawn();
        session.prompt();
        clocked.machine.set_clock("wall", step);
        session.answer_line(&code_for("+4915123456723"));
        assert_eq!(session.finish().result, SUCCESS, "{step}: {:#?}", clocked.log.lines());
    }
    // Too late, and the wall clock is set back by as much.
    let clocked = Clocked::new();
    let mut session = clocked.client("alice", "stdin").spawn();
    session.prompt();
    clocked.boot(1, 100_000 + 6 * MINUTE);
    clocked.machine.set_clock("wall", -6 * MINUTE);
    session.answer_line(&code_for("+4915123456723"));
    assert!(session.prompt().starts_with("That code has expired."));
    assert_ne!(session.finish().result, SUCCESS);
}

#[test]
fn trap_17_a_boot_that_keeps_the_state_frees_nobody_and_jails_nobody() {
    let clocked = Clocked::new();
    clocked.lock_alice();
    clocked.exhaust_bob();
    clocked.denied("alice", "locked for 60 minutes");
    // Much earlier than all events by the clock, and later by the boot: they count from its start.
    for boot in [2, 3] {
        clocked.boot(boot, MINUTE);
        clocked.denied("alice", "locked for 59 minutes");
        clocked.denied("bob", "sends_per_user is reached, for 9 minutes");
        clocked.boot(boot, 7 * MINUTE);
        clocked.denied("alice", "locked for 53 minutes");
        clocked.denied("bob", "sends_per_user is reached, for 3 minutes");
    }
    clocked.boot(3, 11 * MINUTE);
    clocked.let_in("bob");
    clocked.denied("alice", "locked for 49 minutes");
    // A boot whose clock is far ahead has seen the whole window pass.
    clocked.boot(4, 61 * MINUTE);
    clocked.let_in("alice");
    clocked.boot(5, 1_000_000);
    clocked.let_in("alice");
}

#[test]
fn trap_17_wrong_codes_of_two_boots_add_up() {
    let clocked = Clocked::new();
    let two = |clocked: &Clocked| {
        let session = clocked.client("alice", WRONG).answer(WRONG).answer("null");
        assert_ne!(session.run().result, SUCCESS);
    };
    two(&clocked);
    clocked.boot(2, MINUTE);
    clocked.log.clear();
    two(&clocked);
    // The third wrong code of three that an hour allows, and there is no fourth.
    let rejected = clocked.log.ours().iter().filter(|line| line.contains("tries=")).count();
    assert_eq!(rejected, 1, "{:#?}", clocked.log.lines());
    clocked.denied("alice", "locked for 59 minutes");
    clocked.boot(2, 61 * MINUTE);
    clocked.let_in("alice");
}
