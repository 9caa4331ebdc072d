//! `pam-sms check`: rules, services and the forms in which it tells.

use crate::support::corpus;
use crate::support::machine::{Machine, install_host_key};

/// A provider that sends, so that nothing is said of the outbox.
const PROVIDER: &str = "[[provider]]\nkind='clickatell'\napi_key_file='/etc/pam-sms/key'\n";

fn machine(config: &str) -> Machine {
    let machine = Machine::new();
    machine.file("/etc/pam-sms/key", "key\n", 0o600);
    machine.config(&format!("{config}{PROVIDER}"));
    machine.users("alice = \"+4915123456723\"\nroot = \"+4915123456789\"\n");
    machine.pam_example("sudo");
    machine
}

fn check(machine: &Machine, arguments: &[&str]) -> (String, Option<i32>) {
    let run = machine.run("/usr/sbin/pam-sms", &[&["check"], arguments].concat());
    (String::from_utf8(run.stdout).unwrap(), run.status.code())
}

#[test]
fn rules_that_meet_nobody_and_days_that_are_over_are_found() {
    for (config, line) in [
        (
            "[policy]\nskip_groups = ['nobodys']\n",
            "warning: /etc/pam-sms/config.toml:2:15: `skip_groups` names the group `nobodys`",
        ),
        (
            "[policy]\nrequire_groups = ['nobodys']\n",
            "warning: /etc/pam-sms/config.toml:2:18: `require_groups` names the group `nobodys`",
        ),
        (
            "[policy]\nrequire_users = ['alcie']\n",
            "warning: /etc/pam-sms/config.toml:2:17: `require_users` names the account `alcie`",
        ),
        (
            "[policy]\nsubject = { sus = 'caller' }\n",
            "warning: /etc/pam-sms/config.toml:2:11: `subject` names the service `sus`",
        ),
        (
            "[policy]\nobserve_until = '2020-01-01'\n",
            "note: /etc/pam-sms/config.toml:2:17: `observe_until` is in the past [observe-over]",
        ),
        (
            "[policy]\nobserve_until = '2999-01-01'\n",
            "warning: /etc/pam-sms/config.toml:2:17: `observe_until` is not over",
        ),
        (
            "[delivery]\nif_unreachable = 'allow'\n",
            "warning: /etc/pam-sms/config.toml:2:18: `if_unreachable` is \"allow\"",
        ),
    ] {
        let (said, code) = check(&machine(config), &[]);
        assert!(said.starts_with(line) && code == Some(0), "{line}:\n{said}");
    }
}

#[test]
fn a_finding_says_what_why_where_and_what_to_type() {
    let machine = machine("");
    machine.pam("sudo", "@include common-auth\nauth optional pam_sms.so\n");
    let (said, code) = check(&machine, &["--service", "sudo"]);
    let block = "error: /etc/pam.d/sudo:2: `optional` on the line of pam_sms.so [control-optional]\n  \
                 why: a wrong code is forgotten as soon as anything else in the stack succeeds\n  \
                 do:  write `requisite` in its place\n";
    assert!(said.starts_with(block), "{said}");
    assert!(said.ends_with("\n2 errors, 1 warnings\n") && code == Some(1), "{said}");

    let (said, _) = check(&machine, &["--service", "sudo", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["errors"], &report["warnings"]), (&2.into(), &1.into()));
    let first = &report["findings"][0];
    assert_eq!(first["where"], "/etc/pam.d/sudo:2");
    assert_eq!(first["change"], "write `requisite` in its place");
}

#[test]
fn services_that_pass_the_line_and_other_configurations_are_noted() {
    let machine = machine("");
    let line = "auth requisite pam_sms.so services=sudo config=/etc/pam-sms/other.toml\n";
    machine.pam("common-auth", &format!("auth requisite pam_unix.so\n{line}"));
    machine.pam("sudo", "@include common-auth\naccount required pam_sms.so\n");
    machine.pam("sudo-i", "auth include sudo\naccount include sudo\n");
    machine.file("/etc/pam-sms/other.toml", "", 0o600);
    let (said, code) = check(&machine, &[]);
    let note = "note: /etc/pam.d/common-auth:2: these come here and are not asked for a code: ";
    let passed = said.lines().find_map(|line| line.strip_prefix(note)).unwrap();
    assert!(passed.contains("su") && !passed.contains("sudo"), "{passed}");
    let other =
        "note: /etc/pam.d/common-auth:2: this line uses the configuration /etc/pam-sms/other.toml";
    assert!(said.contains(other) && code == Some(0), "{said}");
}

#[test]
fn where_no_stack_names_us_that_is_noted_and_nothing_is_wrong() {
    let machine = machine("");
    std::fs::remove_file("/etc/pam.d/sudo").unwrap();
    let (said, code) = check(&machine, &[]);
    assert!(said.starts_with("note: /etc/pam.d: no stack names pam_sms.so [no-service]"), "{said}");
    assert!(said.ends_with("\n0 errors, 0 warnings\n") && code == Some(0), "{said}");
}

#[test]
fn stacks_are_judged_without_a_configuration_too() {
    let machine = machine("");
    machine.pam("sudo", "auth sufficient pam_sms.so\n@include common-auth\n");
    std::fs::remove_file("/etc/pam-sms/config.toml").unwrap();
    let (said, code) = check(&machine, &[]);
    for id in
        ["[configuration]", "[config-missing]", "[control-sufficient]", "[sms-before-password]"]
    {
        assert!(said.contains(id), "{id}:\n{said}");
    }
    assert_eq!(code, Some(1));
    assert_eq!(check(&machine, &["--offline", "--service", "sudo"]).1, Some(2));
}

#[test]
fn the_examples_are_found_to_be_right() {
    for (example, sshd) in [
        ("sshd-password", "AuthenticationMethods keyboard-interactive\n"),
        ("sshd-key", "AuthenticationMethods publickey,keyboard-interactive\n"),
        ("su", ""),
        ("sudo", ""),
        ("login", ""),
    ] {
        let machine = machine("");
        machine.pam_example(example);
        install_host_key(&machine);
        machine.file("/etc/login.defs", "LOGIN_TIMEOUT 360\n", 0o644);
        let sshd = format!("{}{sshd}PermitRootLogin no\nLoginGraceTime 360\n", corpus::SSHD_BASE);
        machine.file("/etc/ssh/sshd_config", sshd, 0o644);
        let (said, code) = check(&machine, &[]);
        assert!(said.ends_with("0 errors, 0 warnings\n") && code == Some(0), "{example}:\n{said}");
    }
}

#[test]
fn a_provider_of_somebodys_own_must_be_there() {
    let machine = machine("");
    machine.users(
        "alice = { phones = [\"+4915123456723\"], provider = \"acme\" }\nroot = \"+4915123456789\"\n",
    );
    let (said, code) = check(&machine, &[]);
    let told = "no provider is called `acme`; there are clickatell; it is the own provider of 1";
    assert!(said.contains(told) && said.contains("[person-provider]"), "{said}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_clock_that_is_behind_is_found() {
    let machine = machine("");
    assert!(!check(&machine, &[]).0.contains("[clock]"));
    let touched = ["-d", "@4000000000", "/etc/pam-sms/config.toml"];
    assert!(machine.run("/usr/bin/touch", &touched).status.success());
    let (said, code) = check(&machine, &[]);
    assert!(said.contains("[clock]") && code == Some(1), "{said}");
}
