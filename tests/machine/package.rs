//! The Debian package leaves the stacks before the module's file goes, or stays: what dpkg runs before it
//! removes the package.

use std::fs;
use std::path::Path;

use crate::support::machine::Machine;

const PRERM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/debian/libpam-sms.prerm");
const PROFILE: &str = include_str!("../../packaging/debian/pam-configs/pam-sms");
const COMMON_AUTH: &str = "/etc/pam.d/common-auth";

/// As the package leaves it when pam-auth-update has enabled it.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.file("/usr/share/pam-configs/pam-sms", PROFILE, 0o644);
    let update =
        ["DEBIAN_FRONTEND=noninteractive", "/usr/sbin/pam-auth-update", "--enable", "pam-sms"];
    assert!(machine.run("/usr/bin/env", &update).status.success());
    assert!(names_us(COMMON_AUTH) && names_us("/etc/pam.d/common-account"));
    machine
}

fn names_us(stack: &str) -> bool {
    fs::read_to_string(stack).unwrap().contains("pam_sms.so")
}

/// What dpkg is told, and what is said to the admin.
fn prerm(machine: &Machine, environment: &str, why: &str) -> (bool, String) {
    let words = ["DEBIAN_FRONTEND=noninteractive", environment, "sh", PRERM, why];
    let run = machine.run("/usr/bin/env", &words);
    (run.status.success(), String::from_utf8(run.stderr).unwrap())
}

#[test]
fn the_package_leaves_the_common_stacks_before_it_goes() {
    let machine = machine();
    // Neither an upgrade nor the module of one architecture of two changes anything.
    assert!(prerm(&machine, "A=B", "upgrade").0);
    assert!(prerm(&machine, "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=2", "remove").0);
    assert!(names_us(COMMON_AUTH));

    let (done, said) = prerm(&machine, "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1", "remove");
    assert!(done && !names_us(COMMON_AUTH) && !names_us("/etc/pam.d/common-account"), "{said}");
}

#[test]
fn the_package_stays_while_a_stack_names_it_and_says_which() {
    let machine = machine();
    for (file, text) in [
        ("/etc/pam.d/a", "auth required pam_sms.so\n"),
        (
            "/etc/pam.d/b",
            "#\n\nauth [default=die] \\\n  /usr/lib/x/security/pam_sms.so services=b\n",
        ),
        ("/usr/lib/pam.d/c", "account\trequired\tpam_sms.so"),
        // None of these is a line that needs the module.
        ("/etc/pam.d/d", "# auth required pam_sms.so\nauth required pam_deny.so # pam_sms.so \\\n"),
        ("/etc/pam.d/e", "auth required pam_smsx.so\nauth required xpam_sms.so\n"),
        ("/etc/pam.d/f.dpkg-old", "auth required pam_sms.so\n"),
    ] {
        machine.file(file, text, 0o644);
    }
    let (done, said) = prerm(&machine, "A=B", "remove");
    let named: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(named, ["/etc/pam.d/a:1", "/etc/pam.d/b:3", "/usr/lib/pam.d/c:1"], "{said}");
    assert!(!done && names_us(COMMON_AUTH), "who is refused finds everything as it was");
}

#[test]
fn the_package_stays_when_pam_auth_update_leaves_an_edited_stack_alone() {
    let machine = machine();
    let text = fs::read_to_string(COMMON_AUTH).unwrap();
    let edited = text.replacen("auth\t", "auth optional pam_warn.so\nauth\t", 1);
    machine.file(COMMON_AUTH, &edited, 0o644);
    let (done, said) = prerm(&machine, "A=B", "remove");
    assert!(!done && said.contains("  /etc/pam.d/common-auth:"), "{said}");
    assert!(Path::new("/usr/share/pam-configs/pam-sms").exists());
}
