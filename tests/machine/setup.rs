//! `pam-sms setup`: from nothing to a code on one's own phone, by hand and by flags.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::gateway::{Behaviour, Gateway, account};
use crate::support::machine::Machine;
use crate::support::person::Person;

const PROGRAM: &str = "/usr/sbin/pam-sms";
const TOKEN: &str = "/etc/pam-sms/twilio.auth_token";

/// A machine without a configuration, and with a pretend Twilio.
fn machine() -> (Machine, Gateway, [String; 2]) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.file("/etc/ssl/gateway.pem", gateway.ca_pem(), 0o644);
    let there =
        [format!("base_url={}", gateway.base_url()), "ca_file=/etc/ssl/gateway.pem".to_owned()];
    (machine, gateway, there)
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn by_hand_from_nothing_to_a_code_that_is_typed_in() {
    let (machine, gateway, [base, authority]) = machine();
    // The helper's user is made on the way. Forced, since helpers of other tests run under its number.
    assert!(machine.run("/usr/sbin/userdel", &["--force", "_pam-sms"]).status.success());
    let mut root = Person::root(&[PROGRAM, "setup", "--set", &base, "--set", &authority]);
    root.see("Which provider sends the messages?");
    root.see("Number or name: ");
    root.type_line("twilio");
    root.see("Which of these do you have?");
    root.see("Number or name: ");
    root.type_line("1");
    root.see("Auth token of the account (not shown): ");
    root.type_line(account::TWILIO_TOKEN);
    root.see("Account SID");
    root.type_line(account::TWILIO_SID);
    root.see("Number or name: ");
    root.type_line("from");
    root.see("Sender:");
    root.type_line(account::TWILIO_FROM);
    root.see("Your account on this machine: ");
    root.type_line("nobody-here");
    root.see("there is no account `nobody-here`");
    root.see("Your account on this machine: ");
    root.type_line("alice");
    root.see("Mobile number of alice");
    root.type_line("0151 23456723");
    root.see("write the country code first");
    root.type_line("+49 151 234567-23");
    root.see("Go on? [Y/n] ");
    root.type_line("");
    root.see("SMS sent to *23, reference ");
    root.see("Code: ");
    let message = gateway.wait_for_message(0);
    assert_eq!(message.to, "+4915123456723");
    root.type_line(&message.code());
    root.see("pam-sms enable sshd");
    assert_eq!(root.gone(), 0);
    assert!(!root.screen().contains(account::TWILIO_TOKEN), "a key is echoed");

    for path in ["/etc/pam-sms/config.toml", "/etc/pam-sms/users.toml", TOKEN] {
        assert_eq!(mode(path), 0o600, "{path}");
    }
    let config = fs::read_to_string("/etc/pam-sms/config.toml").unwrap();
    assert!(!config.contains(account::TWILIO_TOKEN), "{config}");
    let check = machine.run(PROGRAM, &["check"]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(check.status.success(), "{said}");
}

#[test]
fn by_flags_twice_and_nothing_that_stood_there_is_lost() {
    let (machine, _gateway, [base, authority]) = machine();
    machine.file("/root/token", format!("{}\n", account::TWILIO_TOKEN), 0o600);
    let old = "# mine\n[code]\ndigits = 8 # long\n";
    machine.config(old);
    machine.users("# people\nbob = \"+4915123456789\" # b\n");
    let sid = format!("account_sid={}", account::TWILIO_SID);
    let from = format!("from={}", account::TWILIO_FROM);
    let arguments = [
        "setup",
        "--provider",
        "twilio",
        "--set",
        &sid,
        "--set",
        &from,
        "--set",
        &base,
        "--set",
        &authority,
        "--secret",
        "auth_token=/root/token",
        "--user",
        "alice",
        "--number",
        "+49 151 23456723",
        "--yes",
    ];
    let run = machine.run(PROGRAM, &arguments);
    assert!(run.status.success(), "{run:?}");
    let config = fs::read_to_string("/etc/pam-sms/config.toml").unwrap();
    assert!(config.starts_with(old), "{config}");
    let users = fs::read_to_string("/etc/pam-sms/users.toml").unwrap();
    assert_eq!(users, "# people\nbob = \"+4915123456789\" # b\nalice = \"+4915123456723\"\n");
    let run = machine.run(PROGRAM, &arguments);
    assert!(String::from_utf8(run.stdout).unwrap().contains("(unchanged)"));
    assert_eq!(fs::read_to_string("/etc/pam-sms/config.toml").unwrap(), config);
}

#[test]
fn what_does_not_work_leaves_everything_as_it_was() {
    let (machine, gateway, [base, authority]) = machine();
    machine.config("# mine\n");
    machine.users("# people\n");
    machine.file("/root/token", "wrong", 0o600);
    let sid = format!("account_sid={}", account::TWILIO_SID);
    let from = format!("from={}", account::TWILIO_FROM);
    let whole = |more: &[&'static str]| {
        let mut all = vec![
            "setup",
            "--provider",
            "twilio",
            "--set",
            &sid,
            "--set",
            &from,
            "--set",
            &base,
            "--set",
            &authority,
            "--user",
            "alice",
            "--number",
            "+4915123456723",
        ];
        all.extend(more);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let untouched = || {
        assert_eq!(fs::read_to_string("/etc/pam-sms/config.toml").unwrap(), "# mine\n");
        assert_eq!(fs::read_to_string("/etc/pam-sms/users.toml").unwrap(), "# people\n");
        assert!(!fs::exists(TOKEN).unwrap());
    };
    let arguments = |more: &[&'static str]| {
        let all = whole(more);
        let run = machine.run(PROGRAM, &all.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        untouched();
        String::from_utf8(run.stderr).unwrap()
    };
    let said = arguments(&["--secret", "auth_token=/root/token", "--yes"]);
    assert!(said.contains("no message to *23: twilio: auth"), "{said}");
    assert!(said.contains("Everything is as it was before."), "{said}");
    gateway.behave(Behaviour::Silence);
    assert!(arguments(&["--yes"]).contains("nobody is there to ask: say --set"));
    assert!(arguments(&["--set", "auth_token=x", "--yes"]).contains("`auth_token` is secret"));
    assert!(arguments(&["--set", "colour=x", "--yes"]).contains("`colour` is no key of twilio"));
    assert!(arguments(&["--secret", "auth_token=/nowhere", "--yes"]).contains("/nowhere: No such"));
    assert!(arguments(&["--secret", "from=/root/token", "--yes"]).contains("no secret key"));
    // Whoever gives up at the code, or has another number.
    gateway.behave(Behaviour::Normal);
    machine.file("/root/token", account::TWILIO_TOKEN, 0o600);
    for signal in ["\x03", "\x04"] {
        let all = whole(&["--secret", "auth_token=/root/token"]);
        let words: Vec<&str> =
            [PROGRAM].into_iter().chain(all.iter().map(String::as_str)).collect();
        let mut root = Person::root(&words);
        root.see("Go on? [Y/n] ");
        root.type_line("");
        root.see("Code: ");
        root.type_keys(signal);
        root.see("Everything is as it was before.");
        assert_eq!(root.gone(), 1);
        untouched();
    }
    // Where it cannot be, both are told: what went wrong first, and what is left.
    let all = whole(&["--secret", "auth_token=/root/token"]);
    let words: Vec<&str> = [PROGRAM].into_iter().chain(all.iter().map(String::as_str)).collect();
    let mut root = Person::root(&words);
    root.see("Go on? [Y/n] ");
    root.type_line("");
    root.see("Code: ");
    fs::remove_file("/etc/pam-sms/config.toml").unwrap();
    fs::create_dir("/etc/pam-sms/config.toml").unwrap();
    root.type_keys("\x04");
    root.see("*23: no code was typed");
    root.see("Not everything is as it was before: /etc/pam-sms/config.toml: Is a directory");
    assert_eq!(root.gone(), 1);
    assert!(!fs::exists(TOKEN).unwrap());
    fs::remove_dir("/etc/pam-sms/config.toml").unwrap();
    machine.config("# mine\n");
    machine.users("alice = \"+4915123456799\"\n");
    let all = whole(&["--secret", "auth_token=/root/token", "--yes"]);
    let run = machine.run(PROGRAM, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("alice has another number: `pam-sms user set` changes it"), "{said}");
    // That another provider takes the message shows nothing of the one that is set up.
    machine.config("[[provider]]\nkind='outbox'\n");
    machine.users("# people\n");
    machine.file("/root/token", "wrong", 0o600);
    let run = machine.run(PROGRAM, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("twilio did not take it, and outbox did: twilio: auth"), "{said}");
}

#[test]
fn a_provider_that_makes_the_codes_is_set_up_without_a_message() {
    let (machine, gateway, [base, authority]) = machine();
    machine.file("/root/token", account::TWILIO_TOKEN, 0o600);
    let (sid, service) = (
        format!("account_sid={}", account::TWILIO_SID),
        format!("service_sid={}", account::TWILIO_VERIFY),
    );
    let mut words = vec!["setup", "--provider", "twilio-verify", "--set", &sid, "--set", &service];
    words.extend(["--set", &base, "--set", &authority, "--secret", "auth_token=/root/token"]);
    words.extend(["--user", "alice", "--number", "+4915123456723", "--yes"]);
    let run = machine.run(PROGRAM, &words);
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success() && said.contains("No message is sent: "), "{said}");
    assert_eq!(gateway.messages().len(), 0);
}

#[test]
fn the_number_goes_where_the_configuration_keeps_numbers() {
    let (machine, _gateway, [base, authority]) = machine();
    machine.config("[users]\ndirectory = \"/etc/pam-sms/people\"\n");
    fs::create_dir("/etc/pam-sms/people").unwrap();
    fs::set_permissions("/etc/pam-sms/people", fs::Permissions::from_mode(0o700)).unwrap();
    machine.file("/root/token", account::TWILIO_TOKEN, 0o600);
    let sid = format!("account_sid={}", account::TWILIO_SID);
    let from = format!("from={}", account::TWILIO_FROM);
    let run = machine.run(
        PROGRAM,
        &[
            "setup",
            "--provider",
            "twilio",
            "--set",
            &sid,
            "--set",
            &from,
            "--set",
            &base,
            "--set",
            &authority,
            "--secret",
            "auth_token=/root/token",
            "--user",
            "alice",
            "--number",
            "+4915123456723",
            "--yes",
        ],
    );
    assert!(run.status.success(), "{run:?}");
    let kept = fs::read_to_string("/etc/pam-sms/people/alice.toml").unwrap();
    assert!(kept.contains("+4915123456723"), "{kept}");
    assert!(!fs::exists("/etc/pam-sms/users.toml").unwrap());
}
