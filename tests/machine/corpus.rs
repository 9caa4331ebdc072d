//! `pam-sms check` against stacks and sshd configurations that people have, and against libpam itself:
//! what it says of a stack is what the stack does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use crate::support::corpus::{self, Case};
use crate::support::machine::{ALICE_PASSWORD, Machine, NO_LIMITS};
use crate::support::pam::Client;

const OUTBOX: &str = "/run/pam-sms/outbox";
/// A code of the wrong length, so that it is never right by chance.
const WRONG_CODE: &str = "text:12345";
const WRONG_PASSWORD: &str = "looking-glass";

/// What check says where a wrong password still sends an SMS.
const SENDS: [&str; 3] = ["sms-after-wrong-password", "sms-before-password", "no-first-factor"];
/// Where a right code is enough.
const CODE_IS_ENOUGH: [&str; 2] = ["code-alone", "no-first-factor"];
/// Where a right password is.
const PASSWORD_IS_ENOUGH: [&str; 3] = ["failure-lets-in", "code-skipped", "code-never-asked"];

#[test]
fn the_corpus_is_found_to_be_what_it_is_and_libpam_agrees() {
    let cases = corpus::cases();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let (open, faults) = (Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(case) = open.lock().unwrap().next() else { return };
                    let found = judge(&case);
                    faults
                        .lock()
                        .unwrap()
                        .extend(found.into_iter().map(|f| format!("{}: {f}", case.name)));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What does not hold of a case.
fn judge(case: &Case) -> Vec<String> {
    let machine = Machine::new();
    machine.config(NO_LIMITS);
    machine.users("alice = \"+4915123456723\"\nroot = \"+4915123456789\"\n");
    case.install(&machine);
    let found = check(&machine, case);
    let expected: BTreeSet<_> = case.says("finds").split_whitespace().map(str::to_owned).collect();
    let mut faults = Vec::new();
    let (missing, more) = (expected.difference(&found), found.difference(&expected));
    let (missing, more): (Vec<_>, Vec<_>) = (missing.collect(), more.collect());
    if !missing.is_empty() || !more.is_empty() {
        faults.push(format!("does not find {missing:?}, finds {more:?}"));
    }
    if !case.says("service").is_empty() {
        faults.extend(compare(&machine, case, &found));
    }
    faults
}

/// The errors and warnings of `pam-sms check`; that the corpus sends to the outbox is no matter here.
fn check(machine: &Machine, case: &Case) -> BTreeSet<String> {
    let mut words = vec!["check", "--json"];
    if !case.says("service").is_empty() {
        words.extend(["--service", case.says("service")]);
    }
    let run = machine.run("/usr/sbin/pam-sms", &words);
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let has_errors = findings.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(run.status.success(), !has_errors, "{}", case.name);
    let mut ids = BTreeSet::new();
    for finding in findings {
        for key in ["id", "what", "why"] {
            assert_ne!(finding[key], "", "{}: {finding}", case.name);
        }
        let id = finding["id"].as_str().unwrap();
        let counts = finding["severity"] != "note" || id == "sshd-three";
        // It depends on the version of sshd.
        if counts && id != "outbox" && id != "sshd-penalties" {
            ids.insert(id.to_owned());
        }
    }
    ids
}

/// What real logins do, against what check says.
fn compare(machine: &Machine, case: &Case, found: &BTreeSet<String>) -> Vec<String> {
    let says = |ids: &[&str]| ids.iter().any(|id| found.contains(*id));
    let [asks, denies, key_first] = [("asks", "no"), ("denies", "yes"), ("key first", "yes")]
        .map(|(key, no)| (case.says(key) == no) == (key != "asks"));
    let can_get_in = !denies;
    let mut faults = Vec::new();
    let mut expect = |what: &str, said: bool, done: bool| {
        if said != done {
            faults.push(format!("{what}: check says {said}, libpam {done}"));
        }
    };

    login(machine, case, WRONG_PASSWORD, "null");
    let sends = asks && can_get_in && (says(&SENDS) || key_first);
    // Where libpam or the module denies everybody, nothing can be sent whatever the order is.
    expect("a wrong password sends an SMS", sends, Path::new(OUTBOX).exists());

    let lets_in = login(machine, case, WRONG_PASSWORD, &format!("outbox:{OUTBOX}"));
    let enough = asks && can_get_in && (says(&CODE_IS_ENOUGH) || key_first);
    expect("a wrong password and a right code let in", enough, lets_in);

    let lets_in = login(machine, case, ALICE_PASSWORD, WRONG_CODE);
    let enough = can_get_in && (!asks || says(&PASSWORD_IS_ENOUGH));
    expect("a right password and a wrong code let in", enough, lets_in);

    let lets_in = login(machine, case, ALICE_PASSWORD, &format!("outbox:{OUTBOX}"));
    expect(
        "a right password and a right code let in",
        can_get_in && !says(&["code-denies"]),
        lets_in,
    );

    // As for somebody whom the factor does not apply to.
    fs::create_dir_all("/etc/pam-sms/config.d").unwrap();
    machine.file("/etc/pam-sms/config.d/zz.toml", "[policy]\nskip_users = ['alice']\n", 0o600);
    let lets_in = login(machine, case, ALICE_PASSWORD, "null");
    let denied = says(&["ignore-denies", "ignore-mapped", "code-denies"]);
    expect("who is not asked gets in", can_get_in && !denied, lets_in);
    faults
}

/// Whether alice gets in; her real uid is her own, because some modules let root pass. Debian's libpam 1.5.2
/// does not count how deep files include one another, and ends when no more can be opened.
fn login(machine: &Machine, case: &Case, password: &str, answer: &str) -> bool {
    let run = Client::new(machine, case.says("service"))
        .under(&["/usr/bin/prlimit", "--nofile=1024", "/usr/bin/setpriv", "--ruid", "alice"])
        .user("alice")
        .authtok(password)
        .answer(answer)
        .run();
    run.result == 0
}
