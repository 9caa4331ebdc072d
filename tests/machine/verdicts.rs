//! What is wrong on our side, and what libpam is told of it. Nothing of it lets anyone in.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::log::Log;
use crate::support::machine::Machine;
use crate::support::pam::{ANY_PASSWORD, Client, Run};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTH_ERR: i32 = 7;
const MAXTRIES: i32 = 11;
const CONV_ERR: i32 = 19;
const IGNORED: i32 = 0;

const CONFIG: &str = "/etc/pam-sms/config.toml";
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn login(machine: &Machine, answer: &str) -> Run {
    Client::new(machine, "sms").user("alice").answer(answer).run()
}

#[test]
fn the_right_code_is_success_and_a_readable_configuration_warns() {
    let (machine, log) = machine();
    assert_eq!(login(&machine, OUTBOX).result, SUCCESS);
    machine.file(CONFIG, "", 0o644);
    assert_eq!(login(&machine, OUTBOX).result, SUCCESS);
    log.wait_for("can be read by others (mode 0644): run `chmod 600");
}

#[test]
fn answers_that_are_none_or_wrong_are_denied() {
    for (answer, result) in [
        ("text:123456x", MAXTRIES),
        ("long:10000", MAXTRIES),
        ("hex:1b5b324a", MAXTRIES),
        ("hex:ff", MAXTRIES),
        ("empty", AUTH_ERR),
        ("hex:080a0d7f", AUTH_ERR),
        ("null", CONV_ERR),
    ] {
        let (machine, log) = machine();
        assert_eq!(login(&machine, answer).result, result, "{answer}: {:?}", log.lines());
    }
    for flag in ["--no-conv", "--conv-fails"] {
        let (machine, log) = machine();
        let run = Client::new(&machine, "sms").user("alice").answer(OUTBOX).flag(flag).run();
        assert_eq!(run.result, CONV_ERR, "{flag}: {:?}", log.lines());
    }
}

#[test]
fn a_configuration_that_is_not_to_be_believed_is_a_denial() {
    type Spoil = fn(&Machine);
    let cases: [(&str, Spoil); 12] = [
        ("does not exist", |_| fs::remove_file(CONFIG).unwrap()),
        ("can be written by others (mode 0666)", |m| m.file(CONFIG, "", 0o666)),
        ("belongs to uid 61001", |_| std::os::unix::fs::chown(CONFIG, Some(61001), None).unwrap()),
        ("is a symlink", |_| {
            fs::rename(CONFIG, "/etc/pam-sms/other").unwrap();
            symlink("/etc/pam-sms/other", CONFIG).unwrap();
        }),
        ("is not a regular file", |_| {
            fs::remove_file(CONFIG).unwrap();
            fs::create_dir(CONFIG).unwrap();
        }),
        ("is not a regular file", |_| {
            fs::remove_file(CONFIG).unwrap();
            assert!(Command::new("mkfifo").arg(CONFIG).status().unwrap().success());
        }),
        ("is larger than", |_| {
            fs::File::options().write(true).open(CONFIG).unwrap().set_len(100_000_000).unwrap();
        }),
        ("config.toml:2: is not UTF-8", |m| m.file(CONFIG, b"\n\xff", 0o600)),
        ("config.toml:1:1: unknown field `cod`", |m| m.config("cod = 1")),
        ("config.toml:2:10: invalid type", |m| m.config("[code]\ndigits = true")),
        ("config.toml:1:1: this provider needs auth_token", |m| {
            m.config("[[provider]]\nkind='twilio'");
        }),
        ("config.toml:2:1: unknown key `keyy`", |m| {
            m.config("[[provider]]\nkeyy='x'\nkind='clickatell'\napi_key='k'");
        }),
    ];
    for (said, spoil) in cases {
        let (machine, log) = machine();
        spoil(&machine);
        let run = login(&machine, OUTBOX);
        assert_eq!(run.result, SERVICE_ERR, "{said}: {:?}", log.lines());
        log.wait_for(said);
    }
}

#[test]
fn helpers_that_are_broken_are_a_denial_even_where_outages_let_in() {
    let garbage = "#!/bin/sh\ncat >/dev/null\necho garbage >&0\n";
    for (script, mode, said) in [
        ("#!/bin/sh\nexit 0\n", 0o755, "died without an answer"),
        ("#!/bin/sh\nkill -9 $$\n", 0o755, "died without an answer"),
        (garbage, 0o755, "its answer is not understood"),
        ("#!/bin/sh\nsleep 60\n", 0o755, "did not answer in time and was killed"),
        (garbage, 0o644, "cannot be started"),
        (garbage, 0o777, "has mode 0777"),
    ] {
        let (machine, log) = machine();
        machine.config("[delivery]\ntimeout = '1s'\nif_unreachable = 'allow'\n");
        machine.file("/usr/libexec/broken", script, mode);
        machine.pam(
            "sms",
            "auth requisite pam_sms.so helper=/usr/libexec/broken\nauth required pam_permit.so\n",
        );
        let run = login(&machine, "text:000000");
        assert_eq!(run.result, SERVICE_ERR, "{said}: {:?}", log.lines());
        log.wait_for(said);
        assert!(run.elapsed.as_secs() < 4, "{said}: {:?}", run.elapsed);
    }
}

#[test]
fn a_helper_that_others_could_put_another_in_the_place_of_is_not_started() {
    let (machine, log) = machine();
    // Its folder, one above that, and one that a link leads to.
    for (writable, named) in [
        ("/usr/libexec/app/bin", "/usr/libexec/app/bin/helper"),
        ("/usr/libexec/app", "/usr/libexec/app/bin/helper"),
        ("/usr/libexec/app/bin", "/usr/libexec/link"),
    ] {
        let _ = fs::remove_dir_all("/usr/libexec/app");
        fs::create_dir_all("/usr/libexec/app/bin").unwrap();
        fs::copy("/usr/libexec/pam-sms-helper", "/usr/libexec/app/bin/helper").unwrap();
        let _ = symlink("app/bin/helper", "/usr/libexec/link");
        let stack = format!("auth requisite pam_sms.so helper={named}\n");
        machine.pam("sms", &(stack + "auth required pam_permit.so\n"));
        assert_eq!(login(&machine, OUTBOX).result, SUCCESS, "{:?}", log.lines());
        fs::set_permissions(writable, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(login(&machine, OUTBOX).result, SERVICE_ERR, "{writable}, {named}");
        log.wait_for(&format!("the folder {writable} can be written by others (mode 0777)"));
        log.clear();
    }
}

#[test]
fn trap_7_sshds_fake_password_sends_nothing_and_costs_no_try() {
    let (machine, log) = machine();
    let stack = format!("{ANY_PASSWORD}auth required pam_sms.so\nauth required pam_permit.so\n");
    machine.pam("sms", &stack);
    let login = |password: &str| {
        Client::new(&machine, "sms").user("alice").authtok(password).answer(OUTBOX).run()
    };
    // As sshd hands it on for somebody it has refused: cut to the length that was typed.
    let junk = "\u{8}\n\r\u{7f}INCORRECT".repeat(2);
    for length in [1, 2, 13, 20] {
        let run = login(&junk[..length]);
        assert_eq!(run.result, AUTH_ERR, "{length}: {:?}", log.lines());
        log.wait_for("refused by sshd");
        log.clear();
    }
    assert!(!fs::exists("/run/pam-sms/outbox").unwrap(), "something was sent");
    assert_eq!(login("marmalade").result, SUCCESS);
}

#[test]
fn people_without_a_number_and_names_that_are_none() {
    let (machine, log) = machine();
    let run = |user: &str| Client::new(&machine, "sms").user(user).answer(OUTBOX).run().result;
    assert_eq!(run("bob"), AUTH_ERR);
    log.wait_for("event=unenrolled then=deny user=bob");
    for name in
        ["../alice", "..", "al\nice", "alice rhost=10.0.0.1", "nobody-at-all", &"x".repeat(300)]
    {
        assert_eq!(run(name), AUTH_ERR, "{name:?}");
    }
    machine.config("[users]\nunenrolled = 'skip'\n");
    assert_eq!(run("bob"), IGNORED);
    machine.users("alice = '0151 23456'\n");
    assert_eq!(run("alice"), SERVICE_ERR);
    log.wait_for("users.toml:1:9: ");
}

#[test]
fn services_that_do_not_ask_are_skipped_before_any_file_is_opened() {
    let (machine, _log) = machine();
    fs::remove_dir_all("/etc/pam-sms").unwrap();
    machine.pam("sms", "auth requisite pam_sms.so services=sshd\nauth required pam_permit.so\n");
    assert_eq!(login(&machine, "null").result, IGNORED);
    machine.pam("sms", "auth requisite pam_sms.so nullok\nauth required pam_permit.so\n");
    assert_eq!(login(&machine, "null").result, SERVICE_ERR);
}

#[test]
fn trap_3_the_user_database_spells_the_name() {
    let (machine, log) = machine();
    machine.fold_names();
    let run = Client::new(&machine, "sms").user("ALICE").answer(OUTBOX).run();
    assert_eq!(run.result, SUCCESS, "{:?}", log.lines());
    log.wait_for("event=accepted to=*23 via=outbox");
    assert!(log.wait_for("event=sent").ends_with("user=alice"));
}

#[test]
fn ten_logins_in_one_process_leave_nothing() {
    let (machine, log) = machine();
    let run = Client::new(&machine, "sms").user("alice").answer(OUTBOX).times(10).run();
    assert_eq!(run.result, SUCCESS, "{:?}", log.lines());
    assert_eq!(run.left, Some([0, 0, 0]));
}
