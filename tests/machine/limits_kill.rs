//! `kill -9` at every system call on the state: what was granted stays counted, what was burnt stays
//! burnt, and the state is never half written.
//!
//! strace counts the calls of the shipped module that touch the state. It counts each kind of call by
//! itself: a login is killed at its first `rename`, at its second, and so on until one gets through,
//! and the same for every other kind. The call at which it is killed is not carried out, so between
//! them these are all the states in which a login can leave its files.

use std::fs;
use std::path::Path;

use crate::support::books::{Books, LIB, RUN};
use crate::support::log::{Log, wait_until};
use crate::support::machine::Machine;
use crate::support::pam::Client;
use crate::support::process::Process;

const SUCCESS: i32 = 0;

/// In a place of its own, so that only the state is traced.
const OUTBOX: &str = "/run/outbox";
const LIMITS: &str = "sends_per_user = '1000/1h'\nsends_per_number = '1000/1h'\n\
    sends_per_host = '1000/1h'\nrequests_per_user = '1000/1h'\nsends_per_user_day = 250\n\
    failures_per_user = '1000/1h'\n";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";
/// More than any login makes.
const MOST_CALLS: usize = 500;

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine
        .config(&format!("[[provider]]\nkind = 'outbox'\npath = '{OUTBOX}'\n[limits]\n{LIMITS}"));
    machine.users("alice = '+4915123456723'\n");
    machine.pam(
        "sms",
        "auth requisite pam_sms.so\nauth required pam_permit.so\n\
         account required pam_sms.so\naccount required pam_permit.so\n",
    );
    let log = machine.log();
    (machine, log)
}

fn client<'a>(machine: &'a Machine, answers: &[&str]) -> Client<'a> {
    let client = Client::new(machine, "sms").user("alice").flag("--acct");
    answers.iter().fold(client, |client, answer| client.answer(answer))
}

/// The files that a whole login touches, be they there or not at this moment.
fn state_files() -> Vec<String> {
    let names = |folder: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let kinds = |path: &Path| ["state", "lock", "new"].map(|kind| path.with_extension(kind));
    let all = [RUN, LIB].into_iter().flat_map(names).flat_map(|path| kinds(&path));
    let mut all: Vec<_> = all.map(|path| path.to_str().unwrap().to_owned()).collect();
    all.extend([RUN, LIB].map(str::to_owned));
    all.sort();
    all.dedup();
    all
}

/// The calls of a login on the state.
struct Calls {
    files: Vec<String>,
    kinds: Vec<String>,
}

impl Calls {
    /// The calls of a login with these answers, which the state must survive. All files that it may
    /// touch must be there.
    fn of(machine: &Machine, answers: &[&str]) -> Self {
        let mut calls = Self { files: state_files(), kinds: Vec::new() };
        let trace = "/run/trace";
        let strace = calls.strace(&["-o", trace]);
        let words: Vec<_> = strace.iter().map(String::as_str).collect();
        assert!(!client(machine, answers).under(&words).spawn().was_killed());
        // A line is `PID  NAME(ARGUMENTS...`.
        let trace = fs::read_to_string(trace).unwrap();
        let name = |line: &str| Some(line.split_once(' ')?.1.trim().split_once('(')?.0.to_owned());
        calls.kinds = trace.lines().filter_map(name).collect();
        calls.kinds.sort();
        calls.kinds.dedup();
        calls
    }

    fn strace(&self, options: &[&str]) -> Vec<String> {
        let begin = ["/usr/bin/strace", "-f", "-qq"].iter().chain(options);
        let paths = self.files.iter().flat_map(|file| ["-P", file]);
        begin.copied().chain(paths).map(str::to_owned).collect()
    }

    /// Has a login killed at every call. `prepare` goes before each, `judge` looks at what it left.
    /// Returns how many were killed.
    fn kill<T>(
        &self,
        mut prepare: impl FnMut() -> T,
        login: impl Fn(&T, &[&str]) -> bool,
        mut judge: impl FnMut(&str, T),
    ) -> usize {
        let mut killed = 0;
        for kind in &self.kinds {
            for when in 1.. {
                assert!(when < MOST_CALLS, "killed {MOST_CALLS} times at {kind} and more");
                let inject = format!("inject={kind}:signal=KILL:when={when}");
                let strace = self.strace(&["-o", "/dev/null", "-e", &inject]);
                let words: Vec<_> = strace.iter().map(String::as_str).collect();
                let prepared = prepare();
                let was_killed = login(&prepared, &words);
                judge(&format!("{kind} {when}"), prepared);
                if !was_killed {
                    break;
                }
                killed += 1;
            }
        }
        assert!(killed > 20, "only {killed} calls: {:?}", self.kinds);
        killed
    }
}

/// Whether a login under strace was killed.
fn dies(machine: &Machine, answers: &[&str], strace: &[&str]) -> bool {
    client(machine, answers).under(strace).spawn().was_killed()
}

fn count_of(log: &Log, words: &[&str]) -> usize {
    log.ours().iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

fn messages() -> usize {
    fs::read_to_string(OUTBOX).unwrap_or_default().lines().count()
}

/// Logins with a wrong code are killed at every call by `login`, which says whether one was, and
/// everything that they did is counted. Returns what to say about it.
fn all_is_counted(
    (machine, log): &(Machine, Log),
    answers: &[&str],
    login: impl Fn(&[&str]) -> bool,
) -> String {
    let calls = Calls::of(machine, answers);
    let books = Books::new(LIMITS);
    let (mut guesses, mut sent, mut counted, mut reserved) = (0, 0, 0, 0);
    let killed = calls.kill(
        || (),
        |(), strace| login(strace),
        |call, ()| {
            let standing = books.standing("alice");
            // Each comparison has its line, and each message its own: both come after the counting.
            guesses = count_of(log, &["event=rejected", "tries="]);
            sent = messages();
            let before = (counted, reserved);
            (counted, reserved) = (standing.failures.0, standing.sends.0);
            assert!(counted >= guesses, "{call}: {guesses} guesses, {counted} counted");
            assert!(reserved >= sent, "{call}: {sent} messages, {reserved} reserved");
            assert!(counted >= before.0 && reserved >= before.1, "{call}: {before:?}");
            assert_eq!(standing.failures_total.0 as usize, counted, "{call}");
        },
    );
    // What is kept for longer than this boot is never more than what was counted.
    fs::remove_dir_all(RUN).unwrap();
    let kept = books.standing("alice").failures_total.0 as usize;
    assert!(guesses <= kept && kept <= counted, "{guesses} guesses, {kept} kept");
    format!(
        "killed at {killed} calls; {guesses} guesses, {counted} counted, {kept} kept for good; \
         {sent} messages, {reserved} reserved"
    )
}

#[test]
fn a_login_that_is_killed_at_any_call_leaves_every_try_and_every_message_counted() {
    let machine = machine();
    let answers = [WRONG, "null"];
    assert_ne!(client(&machine.0, &answers).run().result, SUCCESS);
    let said = all_is_counted(&machine, &answers, |strace| dies(&machine.0, &answers, strace));
    assert_eq!(count_of(&machine.1, &["event=error"]), 0, "{:#?}", machine.1.ours());
    println!("a wrong code: {said}");
}

/// Started by somebody else, as su is: the books are kept by children, one for each decision. The
/// death of one is a denial, or, once the try is counted, a warning.
const CALLER: [&str; 3] = ["/usr/bin/setpriv", "--ruid", "alice"];

fn deaths(log: &Log) -> usize {
    count_of(log, &["a child died at work"])
}

#[test]
fn trap_15_a_child_for_a_message_that_is_killed_at_any_call_leaves_all_counted() {
    let machine = machine();
    let answers = [WRONG, "null"];
    assert_ne!(client(&machine.0, &answers).run().result, SUCCESS);
    let said = all_is_counted(&machine, &answers, |strace| {
        let before = deaths(&machine.1);
        let login = client(&machine.0, &answers).under(strace).under(&CALLER).spawn();
        // What it reads outside of the children touches the state as well.
        login.was_killed() || deaths(&machine.1) > before
    });
    println!("a message under su: {said}");
}

/// The child for the message makes the most calls of each kind and would always be the one to die:
/// so these die in logins that are at the prompt already.
#[test]
fn trap_15_a_child_for_an_answer_that_is_killed_at_any_call_leaves_all_counted() {
    let machine = machine();
    let answers = [WRONG, "null"];
    assert_ne!(client(&machine.0, &answers).run().result, SUCCESS);
    let said = all_is_counted(&machine, &answers, |strace| {
        let before = deaths(&machine.1);
        let mut login = client(&machine.0, &["stdin"]).under(&CALLER).spawn();
        login.prompt();
        let mut tracer = machine.0.command(strace[0]);
        tracer.args(&strace[1..]).args(["-p", &login.pid().to_string()]);
        let mut tracer = tracer.spawn().unwrap();
        let process = Process::of(&login);
        wait_until("a tracer", || (process.status("TracerPid") != "0").then_some(()));
        login.answer_line("12345");
        login.was_killed();
        let _ = tracer.wait();
        deaths(&machine.1) > before
    });
    println!("an answer under su: {said}");
}

#[test]
fn the_first_login_of_a_machine_may_be_killed_at_any_call() {
    let (machine, log) = machine();
    let answers = [WRONG, "null"];
    let begin = || {
        let _ = fs::remove_dir_all(RUN);
        let _ = fs::remove_dir_all(LIB);
        log.clear();
    };
    assert_ne!(client(&machine, &answers).run().result, SUCCESS);
    let mut calls = Calls::of(&machine, &answers);
    // Folders are made in these, too.
    calls.kinds.extend(["mkdir", "fchmod", "chmod", "chown"].map(str::to_owned));
    calls.kinds.sort();
    calls.kinds.dedup();
    let right = format!("outbox:{OUTBOX}");
    let killed = calls.kill(
        begin,
        |(), strace| dies(&machine, &answers, strace),
        |call, ()| {
            let guesses = count_of(&log, &["event=rejected", "tries="]);
            // Whoever comes next finds a house that can be lived in.
            let next = client(&machine, &[&right]).run();
            assert_eq!(next.result, SUCCESS, "{call}: {:#?}", log.ours());
            let counted = Books::new(LIMITS).standing("alice").failures.0;
            assert!(counted >= guesses, "{call}: {guesses} guesses, {counted} counted");
        },
    );
    println!("the first login: killed at {killed} calls");
}

#[test]
fn a_right_code_that_is_killed_at_any_call_frees_nobody() {
    let (machine, log) = machine();
    let books = Books::new(LIMITS);
    assert_ne!(client(&machine, &[WRONG, WRONG, "null"]).run().result, SUCCESS);
    let right = format!("outbox:{OUTBOX}");
    let calls = Calls::of(&machine, &[&right]);
    let killed = calls.kill(
        || (),
        |(), strace| dies(&machine, &[&right], strace),
        |call, ()| {
            let standing = books.standing("alice");
            assert!(standing.failures.0 >= 2, "{call}: {standing:?}");
            assert_eq!(standing.failures_total.0 as usize, standing.failures.0, "{call}");
        },
    );
    assert_eq!(count_of(&log, &["event=error"]), 0, "{:#?}", log.ours());
    println!("a right code: killed at {killed} calls");
}

#[test]
fn a_backup_code_that_is_killed_at_any_call_works_once_at_most() {
    let (machine, log) = machine();
    let books = Books::new(LIMITS);
    let fresh = || {
        log.clear();
        format!("text:{}", books.backup_codes("alice", 1)[0])
    };
    // Wrong ones before it, so that it has something to put right.
    assert_ne!(client(&machine, &[WRONG, "null"]).run().result, SUCCESS);
    let calls = Calls::of(&machine, &[&fresh()]);
    assert_eq!(books.standing("alice").backup_codes, 0, "{:#?}", log.ours());
    let mut burnt_for_nothing = 0;
    let killed = calls.kill(
        fresh,
        |code, strace| dies(&machine, &[code], strace),
        |call, code| {
            let was_let_in = count_of(&log, &["event=backup-code"]) > 0;
            let left = books.standing("alice").backup_codes;
            assert!(!was_let_in || left == 0, "{call}: let in by a code that is still good");
            burnt_for_nothing += usize::from(!was_let_in && left == 0);
            // What is left works, and what was burnt does not.
            let again = client(&machine, &[&code, "null"]).run().result;
            assert_eq!(again == SUCCESS, left == 1, "{call}: {:#?}", log.ours());
            assert_eq!(books.standing("alice").backup_codes, 0, "{call}");
        },
    );
    println!(
        "a backup code: killed at {killed} calls; burnt without letting in: {burnt_for_nothing}"
    );
}
