//! More of what can be wrong on a machine: files, helpers, names, and hosts with habits of their own.

use std::fs::{self, Permissions};
use std::net::UdpSocket;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::thread;
use std::time::Duration;

use crate::support::log::Log;
use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::Client;

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTHINFO_UNAVAIL: i32 = 9;
/// PAM_IGNORE of ours before a pam_permit.
const IGNORED: i32 = 0;

const FOLDER: &str = "/etc/pam-sms";
const USERS: &str = "/etc/pam-sms/users.toml";
const HELPER: &str = "/usr/libexec/pam-sms-helper";
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn client<'a>(machine: &'a Machine, answer: &str) -> Client<'a> {
    Client::new(machine, "sms").user("alice").answer(answer)
}

/// A way to spoil a machine.
type Spoil = fn(&Machine);

/// A login for each way to spoil a machine; each is denied, with a line that holds these words.
fn each_is_a_denial(cases: &[(&str, Spoil)]) {
    for (said, spoil) in cases {
        let (machine, log) = machine();
        spoil(&machine);
        let run = client(&machine, OUTBOX).run();
        assert_eq!(run.result, SERVICE_ERR, "{said}: {:#?}", log.lines());
        let line = log.wait_for(said);
        assert!(line.contains("event=error") || line.contains("event=undeliverable"), "{line}");
        assert!(line.ends_with("user=alice"), "{line}");
        assert!(run.elapsed < Duration::from_secs(5), "{said}: {:?}", run.elapsed);
    }
}

#[test]
fn folders_and_users_that_are_not_there_or_not_to_be_believed() {
    each_is_a_denial(&[
        ("config.toml: the folder /etc/pam-sms does not exist", |_| {
            fs::remove_dir_all(FOLDER).unwrap();
        }),
        ("config.toml: /etc/pam-sms is not a folder", |m| {
            fs::remove_dir_all(FOLDER).unwrap();
            m.file(FOLDER, "", 0o600);
        }),
        ("the folder /etc/pam-sms can be written by others (mode 0777)", |_| {
            fs::set_permissions(FOLDER, Permissions::from_mode(0o777)).unwrap();
        }),
        ("the folder /etc/pam-sms belongs to uid 61001", |_| {
            chown(FOLDER, Some(61001), None).unwrap();
        }),
        ("config.d/90.toml: can be written by others (mode 0666)", |m| {
            m.file("/etc/pam-sms/config.d/90.toml", "", 0o666);
        }),
        ("config.d/90.toml: is a symlink", |_| {
            fs::create_dir("/etc/pam-sms/config.d").unwrap();
            symlink("/nowhere", "/etc/pam-sms/config.d/90.toml").unwrap();
        }),
        ("config.d/90.toml:1:1: unknown field `cod`", |m| {
            m.file("/etc/pam-sms/config.d/90.toml", "cod = 1", 0o600);
        }),
        // Nobody is enrolled where there is no place that says who is.
        ("neither /etc/pam-sms/users.toml nor /etc/pam-sms/users.d", |_| {
            fs::remove_file(USERS).unwrap();
        }),
        ("/run/none/users.toml: the folder /run/none does not exist", |m| {
            m.config("[users]\nfile = '/run/none/users.toml'\n");
        }),
        // An unmounted folder is not an empty one.
        ("/run/users.d", |m| {
            m.users("bob = \"+4915123456789\"\n");
            m.config("[users]\ndirectory = '/run/users.d'\n");
        }),
        ("users.toml: can be written by others (mode 0622)", |m| {
            m.file(USERS, "alice = \"+4915123456723\"\n", 0o622);
        }),
        ("users.toml:1:10: unclosed array", |m| m.users("alice = [\n")),
    ]);
}

#[test]
fn helpers_that_cannot_be_used() {
    each_is_a_denial(&[
        ("helper /usr/libexec/pam-sms-helper: does not exist: install the package pam-sms", |_| {
            fs::remove_file(HELPER).unwrap();
        }),
        ("helper /usr/libexec/pam-sms-helper: cannot be started: Permission denied", |_| {
            fs::set_permissions(HELPER, Permissions::from_mode(0o644)).unwrap();
        }),
        ("helper /usr/libexec/pam-sms-helper: belongs to uid 61001 and has mode 0755", |_| {
            chown(HELPER, Some(61001), None).unwrap();
        }),
        ("helper /usr/libexec/pam-sms-helper: is not a regular file", |_| {
            fs::remove_file(HELPER).unwrap();
            fs::create_dir(HELPER).unwrap();
        }),
        ("cannot be started: Exec format error", |m| m.file(HELPER, "\x7fELF and no more", 0o755)),
        ("the helper's user `_pam-sms`: does not exist: run `useradd", |m| {
            let users = fs::read_to_string("/etc/passwd").unwrap();
            m.file("/etc/passwd", users.replace("_pam-sms:", "_pam-other:"), 0o644);
        }),
        ("the helper's user `root`: the account is root's", |m| {
            m.config("[delivery]\nrun_as = 'root'\n");
        }),
        ("/run/pam-sms/outbox: must be a regular file of root's with mode 0600", |m| {
            m.file("/run/pam-sms/outbox", "", 0o644);
        }),
    ]);
}

/// A provider whose name has to be looked up.
fn provider_at(machine: &Machine, name: &str, if_unreachable: &str) {
    machine.config(&format!(
        "[delivery]\ntimeout='4s'\nif_unreachable='{if_unreachable}'\n\
         [[provider]]\nkind='clickatell'\napi_key='k'\nbase_url='https://{name}'\n"
    ));
}

/// A name server that knows no name: it sends every question back with "no such name".
fn dns_without_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length @ 12.., from)) = socket.recv_from(&mut packet) {
            // An answer, recursion available, NXDOMAIN.
            packet[2] |= 0x80;
            packet[3] = 0x83;
            let _ = socket.send_to(&packet[..length], from);
        }
    });
}

#[test]
fn names_that_lead_nowhere_get_their_verdict_in_time() {
    type Names = fn(&Machine);
    let closed: Names = |_| {};
    let nobody: Names = |_| dns_without_names();
    let files: Names = |machine| {
        let switch = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n";
        machine.file("/etc/nsswitch.conf", switch, 0o644);
    };
    let temporary = "address: no name server answers for sms.invalid";
    let unknown = "address: sms.invalid: ";
    for (names, policy, result, event, reason) in [
        // Nobody listens at the name server's port: an outage like any other.
        (closed, "deny", AUTHINFO_UNAVAIL, "event=undeliverable", temporary),
        (closed, "allow", IGNORED, "event=failopen", temporary),
        // A name that does not exist is a typing error, and opens no door.
        (nobody, "deny", AUTHINFO_UNAVAIL, "event=undeliverable", unknown),
        (nobody, "allow", AUTHINFO_UNAVAIL, "event=undeliverable", unknown),
        (files, "allow", AUTHINFO_UNAVAIL, "event=undeliverable", unknown),
    ] {
        let (machine, log) = machine();
        names(&machine);
        provider_at(&machine, "sms.invalid", policy);
        let run = client(&machine, "null").run();
        assert_eq!(run.result, result, "{policy}: {:#?}", log.lines());
        let line = log.wait_for(event);
        assert!(line.contains(reason), "{line}");
        assert!(run.elapsed < Duration::from_secs(5), "{:?}", run.elapsed);
    }
}

#[test]
fn hosts_with_other_signal_habits_get_the_same_verdicts() {
    for flags in [
        &["--sigchld-ignore"][..],
        &["--sigpipe-default"],
        &["--sigchld-ignore", "--sigpipe-default"],
    ] {
        let (machine, log) = machine();
        machine.config(NO_LIMITS);
        let client = |answer: &str| {
            let client = client(&machine, answer).times(3);
            flags.iter().fold(client, |client, flag| client.flag(flag))
        };
        let run = client(OUTBOX).run();
        assert_eq!(run.result, SUCCESS, "{flags:?}: {:#?}", log.lines());
        assert_eq!(run.left, Some([0, 0, 0]), "{flags:?}");

        // Dead before it has read the request, and dead after it.
        for script in ["#!/bin/sh\nexec <&-\nexit 0\n", "#!/bin/sh\nread x\nkill -9 $$\n"] {
            machine.file(HELPER, script, 0o755);
            log.clear();
            let run = client("null").run();
            assert_eq!(run.result, SERVICE_ERR, "{flags:?}: {:#?}", log.lines());
            assert_eq!(run.left, Some([0, 0, 0]), "{flags:?}");
            log.wait_for("died without an answer");
        }
    }
}
