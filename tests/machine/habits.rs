//! The same conversations with Google's module for PAM and with ours, where people and programs expect the same
//! of both: by clients that others wrote, which are pamtester, libpam-wrapper's for Python, and ssh.

use std::cell::RefCell;
use std::fs;

use crate::support::books::{Books, code_for};
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine, NO_LIMITS};
use crate::support::person::Person;

const ALICE: &str = "+4915123456723";
/// Codes that Google's module takes once each; as many as are used here, and some more.
const SCRATCH: [&str; 8] = [
    "12345670", "12345671", "12345672", "12345673", "12345674", "12345675", "12345676", "12345677",
];

/// One of the two modules.
struct Peer {
    name: &'static str,
    /// How its first prompt ends, and every other that asks for a code.
    prompt: &'static str,
    module: &'static str,
    /// What makes it pass over whoever has no second factor.
    lenient: &'static str,
    account: &'static str,
    unused: RefCell<Vec<&'static str>>,
}

fn peers() -> [Peer; 2] {
    [
        Peer {
            name: "google",
            prompt: "Verification code: ",
            module: "pam_google_authenticator.so secret=/etc/google/${USER} user=root",
            lenient: "nullok",
            account: "account required pam_permit.so\n",
            unused: RefCell::new(SCRATCH.to_vec()),
        },
        Peer {
            name: "ours",
            prompt: "or ? for help: ",
            module: "pam_sms.so",
            lenient: "config=/etc/lenient/config.toml",
            account: "account required pam_sms.so\naccount required pam_permit.so\n",
            unused: RefCell::default(),
        },
    ]
}

impl Peer {
    /// A code that is right for the prompt that shows now.
    fn right(&self) -> String {
        if self.name == "ours" {
            return code_for(ALICE).rsplit('-').next().unwrap().to_owned();
        }
        self.unused.borrow_mut().pop().expect("enough codes").to_owned()
    }

    /// One that looks like a right one.
    fn wrong(&self) -> String {
        let right = if self.name == "ours" { self.right() } else { "98765430".to_owned() };
        let last = right.bytes().last().unwrap() - b'0';
        format!("{}{}", &right[..right.len() - 1], (last + 1) % 10)
    }
}

/// What somebody does at a prompt for a code.
#[derive(Debug, Clone, Copy)]
enum Move {
    Right,
    Wrong,
    /// The code with which somebody is in already.
    Again,
    Enter,
    HangUp,
}
use Move::*;

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(NO_LIMITS);
    machine.users(&format!("alice = '{ALICE}'\n"));
    let users = "[users]\nunenrolled = 'skip'\nfile = '/etc/pam-sms/users.toml'\n";
    machine.file("/etc/lenient/config.toml", format!("{NO_LIMITS}{users}"), 0o600);
    let secret = format!("KRSXG5CTMVRXEZLUKRSXG5CTMV\n\" TOTP_AUTH\n{}\n", SCRATCH.join("\n"));
    machine.file("/etc/google/alice", secret, 0o400);
    for peer in peers() {
        let stack = |more: &str| {
            let Peer { module, account, .. } = peer;
            format!("auth requisite {module} {more}\nauth required pam_permit.so\n{account}")
        };
        machine.pam(peer.name, &stack(""));
        machine.pam(&format!("{}-lenient", peer.name), &stack(peer.lenient));
    }
    let log = machine.log();
    (machine, log)
}

/// One login by pamtester: whether it succeeded, how often a code was asked for, and the code that was typed last.
fn pamtester(
    peer: &Peer,
    service: &str,
    user: &str,
    moves: &[Move],
    before: &str,
) -> (bool, usize, String) {
    let steps = ["pamtester", service, user, "authenticate(PAM_SILENT)", "acct_mgmt", "setcred"];
    let mut person = Person::root(&steps);
    let (mut asked, mut typed) = (0, String::new());
    while person.see_any(&[peer.prompt]).is_some() {
        let next = moves.get(asked).or(moves.last()).expect("nobody is to be asked");
        asked += 1;
        match next {
            Right => typed = peer.right(),
            Wrong => typed = peer.wrong(),
            Again => before.clone_into(&mut typed),
            Enter => typed = String::new(),
            HangUp => {
                person.type_keys("\x04");
                continue;
            }
        }
        person.type_line(&typed);
    }
    let is_in = person.gone() == 0;
    let said = person.screen();
    assert_eq!(is_in, said.contains("successfully authenticated"), "{}: {said}", peer.name);
    (is_in, asked, typed)
}

#[test]
fn pamtester_finds_the_same_habits() {
    let (_machine, log) = machine();
    for peer in peers() {
        let name = peer.name;
        let lenient = format!("{name}-lenient");
        // Whether it is let in, and how often Google's module and ours ask: ours asks again in the same login.
        for (what, service, user, moves, is_in, asked) in [
            ("the right code", name, "alice", &[Right][..], true, [1, 1]),
            ("a wrong code", name, "alice", &[Wrong], false, [1, 3]),
            ("a wrong code and no other", name, "alice", &[Wrong, HangUp], false, [1, 2]),
            ("nothing", name, "alice", &[Enter], false, [1, 4]),
            ("the end of input", name, "alice", &[HangUp], false, [2, 1]),
            ("nobody's code", name, "bob", &[Wrong], false, [1, 0]),
            ("nobody's code, where that is passed over", &lenient, "bob", &[], true, [0, 0]),
            ("a wrong code there", &lenient, "alice", &[Wrong], false, [1, 3]),
            ("the right code there", &lenient, "alice", &[Right], true, [1, 1]),
        ] {
            let (was_in, was_asked, typed) = pamtester(&peer, service, user, moves, "");
            let asked = asked[usize::from(name == "ours")];
            assert_eq!((was_in, was_asked), (is_in, asked), "{name}: {what}: {:#?}", log.lines());
            if was_in && !typed.is_empty() {
                let (again, _, _) = pamtester(&peer, service, user, &[Again], &typed);
                assert!(!again, "{name}: {what}: the same code lets in twice: {:#?}", log.lines());
            }
        }
    }
}

#[test]
fn the_python_client_of_libpam_wrapper_finds_them_too() {
    let (machine, log) = machine();
    let modules =
        fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path().join("security"));
    let modules = modules.into_iter().find(|folder| folder.join("pam_sms.so").exists()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/python_client.py");
    for peer in peers() {
        for service in [peer.name.to_owned(), format!("{}-lenient", peer.name)] {
            // The wrapper looks into no folder of libpam's.
            let stack = fs::read_to_string(format!("/etc/pam.d/{service}")).unwrap();
            let stack = stack.replace(" pam_", &format!(" {}/pam_", modules.display()));
            machine.file(format!("/etc/wrapped/{service}"), stack, 0o644);
        }
        // Answers are given beforehand, so that ours is a backup code.
        let backup = Books::new("").backup_codes("alice", 1).remove(0);
        let (right, wrong) = match peer.name {
            "ours" => (backup.as_str(), "12345"),
            _ => (SCRATCH[0], "98765432"),
        };
        // PAM_AUTH_ERR of Google's, PAM_MAXTRIES of ours.
        let denied = if peer.name == "ours" { "11" } else { "7" };
        let lenient = format!("{}-lenient", peer.name);
        for (service, user, result, answers) in [
            (peer.name, "alice", denied, &[wrong; 3][..]),
            (peer.name, "alice", "0", &[right]),
            // It is used up.
            (peer.name, "alice", denied, &[right; 3]),
            (&lenient, "bob", "0", &[]),
            (&lenient, "alice", denied, &[wrong; 3]),
        ] {
            for preload in ["", "libpam_wrapper.so"] {
                if result == "0" && !answers.is_empty() && preload.is_empty() {
                    continue;
                }
                let mut client = machine.command("/usr/bin/python3");
                client.arg("-B").arg(script).args([service, user, result]).args(answers);
                if !preload.is_empty() {
                    client.env("LD_PRELOAD", preload).env("PAM_WRAPPER", "1");
                    client.env("PAM_WRAPPER_SERVICE_DIR", "/etc/wrapped");
                }
                let said = client.output().unwrap();
                let what = format!("{service} {user} {answers:?} {preload}: {said:?}");
                assert!(said.status.success(), "{what}\n{:#?}", log.lines());
            }
        }
    }
}

#[test]
fn sshd_asks_again_behind_either() {
    let (machine, log) = machine();
    let stack =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/pam.d-example/sshd-password"));
    let stack = stack.unwrap();
    let _sshd = machine.sshd("");
    for peer in peers() {
        let lines = stack.lines().filter(|line| !line.starts_with('#'));
        let theirs = lines.map(|line| match line.split_once("pam_sms.so") {
            Some((before, _)) if line.starts_with("auth") => format!("{before}{}\n", peer.module),
            Some(_) => peer.account.to_owned(),
            None => format!("{line}\n"),
        });
        machine.pam("sshd", &theirs.collect::<String>());
        for (what, moves, is_in) in [
            ("the right code", &[Right][..], true),
            ("a wrong code and the right one", &[Wrong, Right], true),
            ("two wrong codes and the right one", &[Wrong, Wrong, Right], true),
            ("three wrong codes", &[Wrong, Wrong, Wrong], false),
        ] {
            let options =
                ["-o", "NumberOfPasswordPrompts=3", "-o", "RemoteCommand=echo in-as-$(id -un)"];
            let mut alice = Person::ssh("alice", &options);
            let said = |alice: &Person| format!("{}: {what}: {}", peer.name, alice.screen());
            let mut typed = 0;
            let shown = ["Password:", peer.prompt, "Enter to close:", "in-as-alice"];
            loop {
                match alice.see_any(&shown) {
                    Some(0) => alice.type_line(ALICE_PASSWORD),
                    Some(1) => {
                        let next = moves.get(typed).unwrap_or_else(|| panic!("{}", said(&alice)));
                        let code = if matches!(next, Right) { peer.right() } else { peer.wrong() };
                        alice.type_line(&code);
                        typed += 1;
                    }
                    Some(2) => alice.type_line(""),
                    _ => break,
                }
            }
            let was_in = alice.gone() == 0;
            let said = said(&alice);
            assert_eq!((was_in, typed), (is_in, moves.len()), "{said}\n{:#?}", log.lines());
        }
    }
}
