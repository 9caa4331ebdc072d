//! `pam-sms user` on a machine: who has which number, and that nothing else is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Stdio;

use crate::support::machine::Machine;
use crate::support::pam::Client;
use crate::support::person::Person;

const PROGRAM: &str = "/usr/sbin/pam-sms";
const USERS: &str = "/etc/pam-sms/users.toml";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n\
                     account required pam_sms.so\naccount required pam_permit.so\n";
const WRITTEN: &str = "# our people\n\nbob = \"+447700900123\" # on call\n# the boss\n\
                       alice = { phones = [\"+4915123456723\"], language = \"de\" }\n";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.config("");
    machine.users(WRITTEN);
    machine
}

/// What a command said on both outputs, and its exit code.
fn run(machine: &Machine, words: &[&str]) -> (String, i32) {
    let run = machine.run(PROGRAM, words);
    let said = [run.stdout, run.stderr].concat();
    (String::from_utf8(said).unwrap(), run.status.code().unwrap())
}

/// A command that goes well and says this.
#[track_caller]
fn says(machine: &Machine, words: &[&str], wanted: &str) {
    assert_eq!(run(machine, words), (wanted.to_owned(), 0), "{words:?}");
}

/// A command that does not go well, and why.
#[track_caller]
fn fails(machine: &Machine, words: &[&str], code: i32, wanted: &str) {
    let (said, found) = run(machine, words);
    assert!(said.contains(wanted) && found == code, "{words:?}: exit code {found}\n{said}");
}

fn users() -> String {
    fs::read_to_string(USERS).unwrap()
}

#[test]
fn a_number_is_set_and_everything_else_stays_as_it_was_written() {
    let machine = machine();
    let set = ["user", "set", "bob", "+44 7700 900-999"];
    says(&machine, &set, "bob: *99 (changed)\n");
    assert_eq!(users(), WRITTEN.replace("+447700900123", "+447700900999"));
    let meta = fs::metadata(USERS).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o600, 0));
    // Idempotent, and then not even written.
    says(&machine, &set, "bob: *99 (unchanged)\n");
    assert_eq!(fs::metadata(USERS).unwrap().ino(), meta.ino());
    // Language and provider stay, unless they are named.
    says(
        &machine,
        &["user", "set", "alice", "+4915123456700"],
        "alice: *00, language de (changed)\n",
    );
    says(
        &machine,
        &["user", "set", "alice", "--language", "", "--provider", "outbox"],
        "alice: *00, provider outbox (changed)\n",
    );
    let line = "alice = { phones = [\"+4915123456700\"], provider = \"outbox\" }";
    assert!(users().ends_with(&format!("# the boss\n{line}\n")), "{}", users());
    says(
        &machine,
        &["user", "set", "root", "+14155550123", "+4915123456711"],
        "root: *23, *11 (added)\n",
    );
    assert!(users().ends_with("root = { phones = [\"+14155550123\", \"+4915123456711\"] }\n"));
    assert_eq!(fs::read_dir("/etc/pam-sms").unwrap().count(), 2);
}

#[test]
fn slips_are_named_and_change_nothing() {
    let machine = machine();
    machine.config("[limits]\ncountries = ['+49', '+44']\n");
    for (words, code, wanted) in [
        (&["user", "set", "alice", "015123456789"][..], 1, "error: number 1: "),
        (
            &["user", "set", "alice", "+4915123456789", "+19005550123"],
            1,
            "number 2: no messages go there",
        ),
        (&["user", "set", "alice", "+14155550123"], 1, "not in [limits] countries"),
        (
            &["user", "set", "alice", "+4915123456789", "+49 15123456789"],
            1,
            "number 2: is there twice",
        ),
        (&["user", "set", "root"], 1, "root has no number yet: give one"),
        (
            &["user", "set", "alice", "--language", "Deutsch!"],
            1,
            "there is no language `Deutsch!` (known: ar ",
        ),
        (
            &["user", "set", "alice", "--provider", "twilo"],
            1,
            "no provider is called `twilo`; there are outbox",
        ),
        (
            &["user", "set", "nobdy", "+4915123456789"],
            1,
            "no account `nobdy` on this machine; --force",
        ),
        (&["user", "set", "x\ny", "+4915123456789", "--force"], 1, "control characters"),
        (&["user", "set"], 2, "Usage: pam-sms user set"),
        (
            &["user", "show", "root"],
            1,
            "root has no number; `pam-sms user set root +...` gives one",
        ),
        (&["user", "import", "/nowhere.csv"], 1, "/nowhere.csv: No such file"),
    ] {
        fails(&machine, words, code, wanted);
        assert_eq!(users(), WRITTEN, "{words:?}");
    }
    // No number is repeated in an error.
    let (said, _) = run(&machine, &["user", "set", "alice", "+14155550123"]);
    assert!(!said.contains("4155550123"), "{said}");
    let forced = ["user", "set", "nobdy", "+4915123456789", "--force"];
    says(
        &machine,
        &forced,
        "nobdy: *89 (added)\nwarning: there is no account `nobdy` on this machine\n",
    );

    machine.users("alice = \n");
    fails(&machine, &["user", "set", "bob", "+4915123456789"], 1, "/etc/pam-sms/users.toml");
    assert_eq!(users(), "alice = \n");
    // Another person's slip is theirs.
    machine.users("alice = \"0151\"\n");
    says(&machine, &["user", "set", "bob", "+4915123456789"], "bob: *89 (added)\n");
    fs::remove_file(USERS).unwrap();
    symlink("/etc/passwd", USERS).unwrap();
    fails(
        &machine,
        &["user", "set", "bob", "+4915123456789"],
        1,
        "is a symlink: name the file itself",
    );
}

#[test]
fn one_file_a_person_where_there_is_a_folder() {
    let machine = machine();
    fs::create_dir("/etc/pam-sms/users.d").unwrap();
    // Who is in the file stays there; where only the folder is, it takes everybody.
    says(&machine, &["user", "set", "bob", "+4915123456701"], "bob: *01 (changed)\n");
    assert!(users().contains("bob = \"+4915123456701\" # on call"));
    fs::remove_file(USERS).unwrap();
    says(&machine, &["user", "set", "bob", "+4915123456702"], "bob: *02 (added)\n");
    let own = fs::read_to_string("/etc/pam-sms/users.d/bob.toml").unwrap();
    assert_eq!(own, "phones = [\"+4915123456702\"]\n");
    machine.file("/etc/pam-sms/users.d/bob.toml", format!("# bob\n{own}"), 0o600);
    says(
        &machine,
        &["user", "set", "bob", "--language", "de"],
        "bob: *02, language de (changed)\n",
    );
    let own = fs::read_to_string("/etc/pam-sms/users.d/bob.toml").unwrap();
    assert_eq!(own, "# bob\nphones = [\"+4915123456702\"]\nlanguage = \"de\"\n");
    says(&machine, &["user", "list"], "bob: *02, language de\n");
    let gone = "bob: erased /etc/pam-sms/users.d/bob.toml (changed)\n";
    says(&machine, &["user", "remove", "bob"], gone);
    assert!(!fs::exists("/etc/pam-sms/users.d/bob.toml").unwrap());

    // A folder that the configuration names takes new people also beside a file; it must be there.
    machine.users(WRITTEN);
    machine.config("[users]\ndirectory = '/etc/pam-sms/people'\n");
    let set = ["user", "set", "root", "+4915123456703"];
    fails(&machine, &set, 1, "make it with `mkdir -m 700 /etc/pam-sms/people`");
    fs::create_dir("/etc/pam-sms/people").unwrap();
    says(&machine, &set, "root: *03 (added)\n");
    assert!(fs::exists("/etc/pam-sms/people/root.toml").unwrap());
    assert_eq!(users(), WRITTEN);

    // A file that the configuration names is made by the first person in it.
    machine.config("[users]\nfile = '/etc/pam-sms/people.toml'\n");
    says(&machine, &["user", "set", "root", "+4915123456704"], "root: *04 (added)\n");
    let made = fs::read_to_string("/etc/pam-sms/people.toml").unwrap();
    assert_eq!(made, "root = \"+4915123456704\"\n");
}

#[test]
fn numbers_are_masked_unless_they_are_wanted() {
    let machine = machine();
    says(&machine, &["user", "list"], "alice: *23, language de\nbob: *23\n");
    let (said, code) = run(&machine, &["user", "list", "--full", "--json"]);
    let all: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(code, 0);
    assert_eq!(all[0]["user"], "alice");
    assert_eq!(all[0]["phones"][0], "+4915123456723");
    assert_eq!(all[0]["language"], "de");
    says(
        &machine,
        &["user", "show", "alice"],
        "alice\n  phones    *23\n  language  de\n  from      /etc/pam-sms/users.toml\n",
    );
    let (said, _) = run(&machine, &["user", "show", "bob", "--full"]);
    assert!(said.contains("+447700900123"), "{said}");
    // A number given at a login is shown as that, and the admin's word takes its place.
    machine.file("/var/lib/pam-sms/enrolled-root.state", "phones = [\"+14155550123\"]\n", 0o600);
    fs::set_permissions("/var/lib/pam-sms", fs::Permissions::from_mode(0o700)).unwrap();
    let (said, _) = run(&machine, &["user", "list"]);
    assert!(said.ends_with("root: *23, given at a login\n"), "{said}");
    says(&machine, &["user", "set", "root", "+14155550123"], "root: *23 (changed)\n");
    assert!(!fs::exists("/var/lib/pam-sms/enrolled-root.state").unwrap());
}

#[test]
fn everything_that_is_kept_of_a_person_is_erased() {
    let machine = machine();
    machine.pam("sms", STACK);
    let login = |answer| Client::new(&machine, "sms").user("alice").answer(answer).run();
    assert_ne!(login("text:999999").result, 0);
    assert_eq!(run(&machine, &["backup-codes", "alice"]).1, 0);
    machine.file("/var/lib/pam-sms/enrolled-alice.state", "phones = [\"+14155550123\"]\n", 0o600);
    let (said, code) = run(&machine, &["user", "remove", "alice"]);
    assert_eq!(code, 0, "{said}");
    for what in [
        "the line in /etc/pam-sms/users.toml",
        "the number given at a login",
        "backup codes",
        "wrong codes",
        "limits and remembered visits",
        "limits of the number",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert!(said.ends_with(" (changed)\n"), "{said}");
    assert_eq!(users(), "# our people\n\nbob = \"+447700900123\" # on call\n");
    for folder in ["/run/pam-sms", "/var/lib/pam-sms"] {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().into_string().unwrap();
            let is_theirs = name.contains("alice") || name.starts_with("number-");
            // A lock must not be removed while others may hold it.
            assert!(!is_theirs || name.ends_with(".lock"), "{folder}/{name}");
            assert!(!name.ends_with(".lock") || entry.metadata().unwrap().len() == 0, "{name}");
        }
    }
    says(&machine, &["user", "remove", "alice"], "alice: nothing is kept (unchanged)\n");
    // Nor does asking leave anything behind of somebody who never was.
    says(&machine, &["user", "remove", "carol"], "carol: nothing is kept (unchanged)\n");
    assert!(!fs::exists("/var/lib/pam-sms/backup-carol.lock").unwrap());
}

#[test]
fn many_people_are_imported_or_none() {
    let machine = machine();
    let file = "/root/people.csv";
    machine.file(
        file,
        "\u{feff}Name,Mobile,Second,Language\r\nbob,+447700900123,,\r\n\
         \"alice\",+49 151 23456700,+14155550124,pt-BR\r\nroot,+14155550199\r\n",
        0o600,
    );
    let import = ["user", "import", file];
    let report = "line 1: a header\nline 2: bob: *23 (unchanged)\nline 3: alice: *00, *24, language pt-BR (changed)\n\
                  line 4: root: *99 (added)\n";
    let dry = [&import[..], &["--dry-run"]].concat();
    says(&machine, &dry, &format!("{report}2 people would be written\n"));
    assert_eq!(users(), WRITTEN);
    says(&machine, &import, &format!("{report}2 people written (changed)\n"));
    assert!(users().starts_with("# our people\n\nbob = \"+447700900123\" # on call\n# the boss\n"));
    let (said, _) = run(&machine, &import);
    assert!(said.ends_with("0 people written (unchanged)\n"), "{said}");

    let before = users();
    machine.file(
        file,
        "bob,+4915123456701\nalice,0151 2345\nroot\nmallory,+4915123456702\nbob,+4915123456703\n\
         root,+4915123456704,klingon!\nroot;+4915123456705\nroot,+4915123456704\n",
        0o600,
    );
    let (said, code) = run(&machine, &import);
    for wanted in [
        "line 1: bob: *01 (changed)",
        "error: line 2: number 1: ",
        "error: line 3: there is no number",
        "error: line 4: there is no account `mallory`",
        "error: line 5: bob is on line 1 already",
        "error: line 6: there is no language `klingon!`",
        "error: line 7: fields are separated by commas, not semicolons",
        "error: 6 lines are wrong: nothing was written",
    ] {
        assert!(said.contains(wanted), "{wanted}:\n{said}");
    }
    assert_eq!((code, users()), (1, before));
    machine.file(file, b"bob,+4915123456701\n\xff\xfe\n", 0o600);
    fails(&machine, &import, 1, "/root/people.csv: ");
}

#[test]
fn a_new_number_is_verified_and_the_old_one_is_told() {
    let machine = machine();
    let outbox = || fs::read_to_string("/run/pam-sms/outbox").unwrap_or_default();
    let set = [PROGRAM, "user", "set", "bob", "+4915123456789", "--verify"];
    let mut admin = Person::root(&set);
    admin.see("SMS sent to *89, reference ");
    admin.see("Code: ");
    admin.type_line("000");
    admin.see("Wrong code.\nCode: ");
    let code = outbox().lines().last().unwrap().split(' ').nth(2).unwrap().to_owned();
    admin.type_line(&code);
    admin.see("bob: *89 (changed)\n*23 was told.");
    assert_eq!(admin.gone(), 0);
    let last = outbox().lines().last().unwrap().to_owned();
    let told = "+447700900123 The phone number for codes of bob on rabbit-hole was changed. Not you? \
                Call your administrator.";
    assert!(last.ends_with(told), "{last}");

    // Whoever cannot type the code changes nothing, and nobody is told.
    let before = (users(), outbox().lines().count());
    let mut admin = Person::root(&[PROGRAM, "user", "set", "bob", "+4915123456700", "--verify"]);
    for _ in 0..3 {
        admin.see("Code: ");
        admin.type_line("000");
    }
    admin.see("error: *00: the code was wrong; nothing was changed");
    assert_eq!(admin.gone(), 1);
    assert_eq!((users(), outbox().lines().count()), (before.0, before.1 + 1));
    // Without a terminal nothing is sent.
    let words = ["user", "set", "bob", "+4915123456700", "--verify"];
    fails(&machine, &words, 1, "--verify asks for the code that was sent: run it at a terminal");
    assert_eq!(outbox().lines().count(), before.1 + 1);
}

#[test]
fn two_admins_at_once_lose_nothing() {
    let machine = machine();
    let children: Vec<_> = (10..30)
        .map(|n| {
            let mut command = machine.command(PROGRAM);
            command.args(["user", "set", &format!("u{n}"), &format!("+491512345{n}00"), "--force"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = users();
    assert_eq!((10..30).filter(|n| text.contains(&format!("\nu{n} = "))).count(), 20, "{text}");
    // Nothing is left beside the file.
    assert_eq!(fs::read_dir("/etc/pam-sms").unwrap().count(), 2);
}
