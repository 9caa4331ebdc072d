//! `pam-sms check` on a machine: what it finds, and that it finds nothing where nothing is wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use crate::support::machine::Machine;
use crate::support::pam::Client;

const USERS: &str = "alice = \"+4915123456723\"\nroot = \"+4915123456789\"\n";
const HELPER: &str = "/usr/libexec/pam-sms-helper";
const KEY: &str = "/etc/pam-sms/key";
const CA: &str = "/etc/ssl/certs/ca-certificates.crt";
/// A provider whose key is in a file of its own.
const PROVIDER: &str = "[[provider]]\nkind='clickatell'\napi_key_file='/etc/pam-sms/key'\n";

/// A machine on which nothing is wrong.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.file(KEY, "key\n", 0o600);
    machine.config(PROVIDER);
    machine.users(USERS);
    machine.pam_example("sudo");
    machine
}

/// What `pam-sms check` says, and whether it is content.
fn check(machine: &Machine, arguments: &[&str]) -> (String, bool) {
    let words = [&["check"], arguments].concat();
    let run = machine.run("/usr/sbin/pam-sms", &words);
    (String::from_utf8(run.stdout).unwrap(), run.status.success())
}

type Spoil = fn(&Machine);

/// A check for each way to spoil a machine; each finds this line, and errors are a failure.
fn each_is_found(cases: &[(&str, Spoil)]) {
    for (line, spoil) in cases {
        let machine = machine();
        spoil(&machine);
        let (said, content) = check(&machine, &[]);
        assert!(said.lines().any(|found| found.starts_with(line)), "{line}:\n{said}");
        assert_eq!(content, !line.starts_with("error"), "{line}:\n{said}");
    }
}

#[test]
fn where_nothing_is_wrong_nothing_is_found() {
    let machine = machine();
    assert_eq!(check(&machine, &[]), ("0 errors, 0 warnings\n".to_owned(), true));
    // Also after logins, which make the folders of state.
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine.config("[delivery]\ntimeout = '1s'\n");
    let answer = "outbox:/run/pam-sms/outbox";
    let run = Client::new(&machine, "sms").user("alice").answer(answer).run();
    assert_eq!(run.result, 0);
    fs::remove_file("/etc/pam.d/sms").unwrap();
    machine.run("/usr/sbin/pam-sms", &["backup-codes", "alice"]);
    machine.config(PROVIDER);
    assert_eq!(check(&machine, &[]), ("0 errors, 0 warnings\n".to_owned(), true));
}

#[test]
fn files_that_others_can_read_are_found_and_authorities_may_be_read() {
    let own = "[[provider]]\nkind='http'\ndescription='own'\nbase_url='https://sms.example'\n";
    each_is_found(&[
        ("error: /etc/pam-sms/key: can be read by others (mode 0644) [file-readable]", |m| {
            m.file(KEY, "key\n", 0o644);
        }),
        ("error: /etc/pam-sms/config.toml: can be read by others (mode 0640)", |_| {
            chown("/etc/pam-sms/config.toml", None, Some(61001)).unwrap();
            fs::set_permissions("/etc/pam-sms/config.toml", Permissions::from_mode(0o640)).unwrap();
        }),
    ]);
    let machine = machine();
    let description = "about='x'\n[keys]\n[request]\nmethod='POST'\npath='/'\njson={a='{text}'}\n\
                       [accepted]\nstatus=[200]\n";
    machine.file("/etc/pam-sms/providers.d/own.toml", description, 0o644);
    machine.config(own);
    let (said, content) = check(&machine, &[]);
    let found = "error: /etc/pam-sms/providers.d/own.toml: can be read by others (mode 0644)";
    assert!(said.starts_with(found) && !content, "{said}");

    machine.config(&format!("[delivery]\nca_file='{CA}'\n{PROVIDER}"));
    assert_eq!(check(&machine, &[]), ("0 errors, 0 warnings\n".to_owned(), true));
}

#[test]
fn a_key_that_others_can_read_works_and_is_told_at_the_login() {
    let machine = machine();
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine.file(KEY, "key\n", 0o644);
    // Two providers and one key: told once.
    let closed = "base_url='http://127.0.0.1:9'\n";
    machine.config(&format!("{PROVIDER}{closed}{PROVIDER}name='second'\n{closed}"));
    let log = machine.log();
    Client::new(&machine, "sms").user("alice").answer("null").run();
    let line = log.wait_for("event=undeliverable");
    assert_eq!(line.matches("/etc/pam-sms/key: can be read by others").count(), 1, "{line}");
}

#[test]
fn slips_of_providers_are_found_with_their_place() {
    each_is_found(&[
        ("error: /etc/pam-sms/config.toml:4:9: `timeout`: must be from 1s to 1m", |m| {
            m.config(&format!("{PROVIDER}timeout='0s'\n"));
        }),
        ("error: /etc/pam-sms/config.toml:4:9: `timeout`: must be from 1s to 1m", |m| {
            m.config(&format!("{PROVIDER}timeout='61s'\n"));
        }),
        ("error: /etc/pam-sms/config.toml:4:9: `timeout`: invalid type: integer", |m| {
            m.config(&format!("{PROVIDER}timeout=5\n"));
        }),
        ("error: /etc/pam-sms/config.toml:2:9: `proxy` must be an address like http://", |m| {
            m.config(&format!("[delivery]\nproxy = 'proxy:3128'\n{PROVIDER}"));
        }),
        ("error: /etc/pam-sms/providers.d/own.toml: `{txt}` is neither a key of this", |m| {
            let description = "about='x'\n[keys]\n[request]\nmethod='POST'\npath='/'\n\
                               json={a=['{txt}']}\n[accepted]\nstatus=[200]\n";
            m.file("/etc/pam-sms/providers.d/own.toml", description, 0o600);
            m.config(
                "[[provider]]\nkind='http'\ndescription='own'\nbase_url='https://a.example'\n",
            );
        }),
    ]);
}

#[test]
fn what_it_means_that_nobody_has_a_number_hangs_on_the_configuration() {
    each_is_found(&[
        (
            "error: /etc/pam-sms/config.toml: nobody has a phone number, and `unenrolled` is \"deny\": nobody can log in",
            |m| {
                m.users("");
            },
        ),
        (
            "warning: /etc/pam-sms/config.toml:2:14: nobody has a phone number, and `unenrolled` is \"skip\": nobody is asked",
            |m| {
                m.users("");
                m.config(&format!("[users]\nunenrolled = 'skip'\n{PROVIDER}"));
            },
        ),
        ("0 errors, 0 warnings", |m| {
            m.users("");
            m.config(&format!("[users]\nunenrolled = 'enrol'\n{PROVIDER}"));
        }),
        // Who gave their own number counts, whatever holds for others now.
        (
            "warning: root has no phone number: logins as root (ssh, login), and su to root, are den",
            |m| {
                m.users("");
                let file = "/var/lib/pam-sms/enrolled-bob.state";
                m.file(file, "phones = [\"+4915123456789\"]\n", 0o600);
                fs::set_permissions("/var/lib/pam-sms", Permissions::from_mode(0o700)).unwrap();
            },
        ),
    ]);
}

#[test]
fn root_without_a_number_is_told_what_that_means() {
    const ALICE: &str = "alice = \"+4915123456723\"\n";
    each_is_found(&[
        (
            "warning: root has no phone number: logins as root (ssh, login), and su to root, are den",
            |m| {
                m.users(ALICE);
            },
        ),
        ("warning: root has no phone number: logins as root (ssh, login) are denied", |m| {
            m.users(ALICE);
            m.config(&format!("[policy]\nsubject = {{ su = 'caller' }}\n{PROVIDER}"));
        }),
        (
            "warning: root has no phone number: logins as root (ssh, login), and su to root, are not",
            |m| {
                m.users(ALICE);
                m.config(&format!("[users]\nunenrolled = 'skip'\n{PROVIDER}"));
            },
        ),
        ("0 errors, 0 warnings", |m| {
            m.users(ALICE);
            m.config(&format!("[policy]\nskip_users = ['root']\n{PROVIDER}"));
        }),
    ]);
}

#[test]
fn helper_its_user_and_the_state_are_judged() {
    each_is_found(&[
        ("error: helper /usr/libexec/pam-sms-helper: does not exist [helper]", |_| {
            fs::remove_file(HELPER).unwrap();
        }),
        ("error: helper /usr/libexec/pam-sms-helper: belongs to uid 61001", |_| {
            chown(HELPER, Some(61001), None).unwrap();
        }),
        ("error: helper /usr/libexec/pam-sms-helper: cannot be started [helper]", |_| {
            fs::set_permissions(HELPER, Permissions::from_mode(0o644)).unwrap();
        }),
        (
            "error: /etc/pam-sms/config.toml: the helper's user `_pam-sms` does not exist [helper-user]",
            |m| {
                let users = fs::read_to_string("/etc/passwd").unwrap();
                m.file("/etc/passwd", users.replace("_pam-sms:", "_pam-other:"), 0o644);
            },
        ),
        ("error: /etc/pam-sms/config.toml:2:10: the helper's user `root` is root", |m| {
            m.config(&format!("[delivery]\nrun_as = 'root'\n{PROVIDER}"));
        }),
        (
            "error: /run/pam-sms: the folder /run/pam-sms can be written by others (mode 0777)",
            |m| {
                m.file("/run/pam-sms/user-alice.state", "", 0o600);
                fs::set_permissions("/run/pam-sms", Permissions::from_mode(0o777)).unwrap();
            },
        ),
        ("error: /var/lib/pam-sms: can be read by others (mode 0755) [state-readable]", |_| {
            fs::create_dir("/var/lib/pam-sms").unwrap();
            fs::set_permissions("/var/lib/pam-sms", Permissions::from_mode(0o755)).unwrap();
        }),
        ("error: /run/pam-sms/user-alice.state: belongs to uid 61001 [state]", |m| {
            m.file("/run/pam-sms/user-alice.state", "", 0o600);
            chown("/run/pam-sms/user-alice.state", Some(61001), None).unwrap();
        }),
    ]);
}

#[test]
fn offline_nothing_of_the_machine_counts() {
    let machine = machine();
    machine.users("alice = \"+4915123456723\"\n");
    fs::remove_file(HELPER).unwrap();
    fs::set_permissions("/etc/pam-sms/config.toml", Permissions::from_mode(0o666)).unwrap();
    fs::create_dir("/var/lib/pam-sms").unwrap();
    let content = ("0 errors, 0 warnings\n".to_owned(), true);
    assert_eq!(check(&machine, &["--offline"]), content);
}

#[test]
fn a_message_is_counted_with_a_long_account_name() {
    let machine = machine();
    // 2 + 6 + 118 + 3 and the name are more than the 160 of one segment.
    let text = format!("{{reference}} {{code}} {} {{user}}", "x".repeat(118));
    machine.config(&format!("[message]\ntext = '{text}'\n{PROVIDER}"));
    let (said, content) = check(&machine, &[]);
    assert!(
        said.starts_with(
            "warning: /etc/pam-sms/config.toml:2:8: a message takes 2 segments [message-segments]"
        ),
        "{said}"
    );
    assert!(content);
}

#[test]
fn a_message_is_counted_in_the_language_of_every_record() {
    let machine = machine();
    // What a language takes beyond one segment depends on the name of the host, which stands in it.
    assert!(
        machine
            .run("/bin/hostname", &["db1.a-department-with-a-long-name.production.example.org"])
            .status
            .success()
    );
    machine.config(&format!("[message]\nlanguage = 'de'\n{PROVIDER}"));
    machine.users(
        "alice = { phones = ['+4915123456723'], language = 'ru' }\n\
         bob = { phones = ['+4915123456724'], language = 'ru' }\n",
    );
    let (said, content) = check(&machine, &[]);
    assert!(content, "{said}");
    assert!(said.contains("a message takes 2 segments in ru (2 records)"), "{said}");
    assert!(!said.contains(" in de"), "{said}");
    let status = machine.run("/usr/sbin/pam-sms", &["status"]);
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("a message takes at most 1 segment in de\n"), "{status}");
    assert!(status.contains("2 segments in ru (2 records)\n"), "{status}");
    // One text for all is counted once.
    machine.config(&format!("[message]\ntext = '{{reference}} {{code}} }}}}'\n{PROVIDER}"));
    let (said, _) = check(&machine, &[]);
    assert!(!said.contains("message-segments") && !said.contains("message-letter"), "{said}");
    let bulksms = "[[provider]]\nkind = 'bulksms'\nusername = 'u'\npassword = 'p'\n";
    machine.config(&format!("[message]\ntext = '{{reference}} {{code}} }}}}'\n{bulksms}"));
    let (said, _) = check(&machine, &[]);
    let wanted = "config.toml:2:8: the message holds `}`, which provider `bulksms` does not send as \
                  it is [message-letter]";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn who_is_not_root_is_told_to_be() {
    let machine = machine();
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/sbin/pam-sms", "check"];
    let run = machine.run("/usr/bin/setpriv", &nobody);
    let said = String::from_utf8(run.stdout).unwrap();
    let line = "error: /etc/pam-sms/config.toml: Permission denied (os error 13) [configuration]";
    assert!(said.starts_with(line), "{said}");
    assert!(!run.status.success());
}
