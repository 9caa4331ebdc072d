//! `pam-sms enable` and `disable`: on trial, kept, taken back, and never anybody shut out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::gateway::{Gateway, account};
use crate::support::log::wait_until;
use crate::support::machine::{ALICE_PASSWORD, Machine, Sshd};
use crate::support::person::Person;

const PROGRAM: &str = "/usr/sbin/pam-sms";
const CRON: &str = "/etc/cron.d/pam-sms-take-back";

/// A Debian machine as it comes, with cron, a configuration, and sshd with its stock stack.
pub(super) fn machine() -> (Machine, Sshd) {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\nroot = \"+4915123456700\"\n");
    machine.file("/usr/sbin/cron", "", 0o755);
    fs::create_dir_all("/etc/cron.d").unwrap();
    fs::create_dir_all("/etc/ssh/sshd_config.d").unwrap();
    let _log = machine.log();
    let sshd = machine.sshd("PermitRootLogin no\n");
    (machine, sshd)
}

fn pam_sms(machine: &Machine, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = machine.run(PROGRAM, arguments);
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.success(), said)
}

pub(super) fn succeeds(machine: &Machine, arguments: &[&str]) -> String {
    let (success, said) = pam_sms(machine, arguments);
    assert!(success, "{arguments:?}: {said}");
    said
}

pub(super) fn fails(machine: &Machine, arguments: &[&str]) -> String {
    let (success, said) = pam_sms(machine, arguments);
    assert!(!success, "{arguments:?}: {said}");
    said
}

/// All that could be changed, byte for byte.
pub(super) fn snapshot() -> BTreeMap<PathBuf, String> {
    let folders = [
        "/etc/pam.d",
        "/etc/ssh/sshd_config.d",
        "/var/lib/pam",
        "/usr/share/pam-configs",
        "/etc/cron.d",
        "/etc/systemd/system",
    ];
    let mut found = BTreeMap::new();
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Ok(content) = fs::read(entry.path()) {
                found.insert(entry.path(), String::from_utf8(content).unwrap());
            }
        }
    }
    found
}

pub(super) fn code() -> String {
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    outbox.lines().last().unwrap().split(' ').nth(2).unwrap().to_owned()
}

/// alice logs in; with a code, if one is asked for. Returns what she saw.
pub(super) fn log_in(with_code: bool) -> String {
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("assword:");
    alice.type_line(ALICE_PASSWORD);
    if with_code {
        alice.see("or ? for help: ");
        alice.type_line(&code());
    }
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    alice.screen()
}

pub(super) fn word_in(screen: &str) -> String {
    let line = screen.lines().find(|line| line.contains("enable --keep ")).unwrap_or_else(|| {
        panic!("no word in {screen}");
    });
    line.rsplit(' ').next().unwrap().trim().to_owned()
}

pub(super) fn on_trial() -> bool {
    Path::new("/var/lib/pam-sms/trial.state").exists()
}

#[test]
fn a_change_is_kept_by_the_word_that_a_login_with_a_code_shows() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    assert!(!log_in(false).contains("Reference"));

    let said = succeeds(&machine, &["enable", "sshd", "--dry-run"]);
    assert!(said.contains("+auth\trequisite\tpam_sms.so services=sshd"), "{said}");
    assert!(said.contains("+++ /etc/ssh/sshd_config.d/00-pam-sms.conf"), "{said}");
    assert_eq!(snapshot(), before, "a dry run changes nothing");

    let said = succeeds(&machine, &["enable", "sshd", "--yes"]);
    assert!(said.contains("put back in 5 minutes"), "{said}");
    assert!(on_trial());
    let said = fails(&machine, &["enable", "--keep", "7k3m-9qxt"]);
    assert!(said.contains("that is not the word"), "{said}");
    assert!(fails(&machine, &["enable", "sudo", "--yes"]).contains("on trial already"));

    let word = word_in(&log_in(true));
    assert!(succeeds(&machine, &["enable", "--keep", &word]).contains("(changed)"));
    assert!(!on_trial() && !Path::new(CRON).exists());
    wait_until("the end of the one who watches", || {
        let watching = |(_, line): &(i32, String)| line.contains("--watch");
        (!machine.processes().iter().any(watching)).then_some(())
    });
    assert!(!log_in(true).contains("enable --keep"), "the trial is over");
    assert!(fails(&machine, &["enable", "--keep", &word]).contains("nothing is on trial"));
    assert!(succeeds(&machine, &["enable", "sshd", "--yes"]).contains("(unchanged)"));

    // A login to what was kept shows nothing of another service's trial.
    succeeds(&machine, &["enable", "su", "--yes"]);
    assert!(!log_in(true).contains("enable --keep"));
    succeeds(&machine, &["enable", "--take-back"]);

    // Another service, for good at once; then both out again.
    succeeds(&machine, &["enable", "sudo", "--yes", "--no-rollback"]);
    let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
    assert!(common.contains("pam_sms.so services=sshd,sudo"), "{common}");
    succeeds(&machine, &["disable", "sudo", "--yes"]);
    let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
    assert!(common.contains("pam_sms.so services=sshd\n"), "{common}");
    succeeds(&machine, &["disable", "--all", "--yes"]);
    assert_eq!(snapshot(), before);
    assert!(succeeds(&machine, &["disable", "sshd", "--yes"]).contains("(unchanged)"));
    log_in(false);
}

#[test]
fn a_change_that_nobody_keeps_is_put_back_when_its_time_is_over() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    let clock = machine.test_clock();
    let enabled = machine.run(clock[0], &[clock[1], PROGRAM, "enable", "sshd", "--yes"]);
    assert!(enabled.status.success(), "{enabled:?}");
    log_in(true);
    machine.set_clock("boot", 301);
    wait_until("the end of the trial", || (!on_trial()).then_some(()));
    wait_until("everything to be as it was", || (snapshot() == before).then_some(()));
    log_in(false);
}

#[test]
fn a_start_of_the_machine_ends_the_trial() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    succeeds(&machine, &["enable", "sshd", "--yes"]);
    for (pid, line) in machine.processes() {
        if line.contains("--watch") {
            assert!(machine.run("/bin/kill", &["-9", &pid.to_string()]).status.success());
        }
    }
    // What cron does then.
    let cron = fs::read_to_string(CRON).unwrap();
    let command: Vec<&str> =
        cron.trim().strip_prefix("@reboot root ").unwrap().split(' ').collect();
    assert!(machine.run(command[0], &command[1..]).status.success());
    assert_eq!(snapshot(), before);
    log_in(false);
    // And with systemd.
    fs::create_dir_all("/run/systemd/system").unwrap();
    succeeds(&machine, &["enable", "sshd", "--yes"]);
    let unit = "/etc/systemd/system/multi-user.target.wants/pam-sms-take-back.service";
    assert!(fs::symlink_metadata(unit).unwrap().is_symlink());
    let text = fs::read_to_string(unit).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let command: Vec<&str> = command.split(' ').collect();
    assert!(machine.run(command[0], &command[1..]).status.success());
    assert!(!Path::new(unit).exists());
    assert_eq!(snapshot(), before);
}

#[test]
fn a_trial_can_be_taken_back_at_once_and_what_others_wrote_meanwhile_is_kept() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    succeeds(&machine, &["enable", "sudo", "--yes"]);
    let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
    machine.pam("common-auth", &(common + "# a note\n"));
    assert!(succeeds(&machine, &["enable", "--take-back"]).contains("(changed)"));
    assert!(succeeds(&machine, &["enable", "--take-back"]).contains("(unchanged)"));
    let saved = fs::read_to_string("/etc/pam.d/common-auth.pam-sms-saved~").unwrap();
    assert!(saved.ends_with("# a note\n"));
    fs::remove_file("/etc/pam.d/common-auth.pam-sms-saved~").unwrap();
    assert_eq!(snapshot(), before);
}

#[test]
fn disable_works_after_packages_have_changed_the_common_stacks() {
    let (machine, _sshd) = machine();
    succeeds(&machine, &["enable", "sshd", "--yes", "--no-rollback"]);
    // What installing a package with a profile of its own does.
    let profile = "Name: Nothing\nDefault: yes\nPriority: 0\nAuth-Type: Additional\n\
                   Auth:\n\toptional\tpam_warn.so\n";
    machine.file("/usr/share/pam-configs/nothing", profile, 0o644);
    let frontend = ["DEBIAN_FRONTEND=noninteractive", "/usr/sbin/pam-auth-update", "--package"];
    assert!(machine.run("/usr/bin/env", &frontend).status.success());
    succeeds(&machine, &["disable", "sshd", "--yes"]);
    let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
    assert!(common.contains("pam_warn.so") && !common.contains("pam_sms.so"), "{common}");
    assert!(!Path::new("/etc/ssh/sshd_config.d/00-pam-sms.conf").exists());
    log_in(false);
}

#[test]
fn a_stack_that_somebody_has_edited_is_not_called_unchanged() {
    let (machine, _sshd) = machine();
    succeeds(&machine, &["enable", "sshd", "--yes", "--no-rollback"]);
    machine.pam("common-auth", "auth requisite pam_unix.so\nauth required pam_permit.so\n");
    let told = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(told.contains("`pam-sms check` finds errors"), "{told}");
}

#[test]
fn the_way_back_needs_no_configuration() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    succeeds(&machine, &["enable", "sshd", "--yes"]);
    machine.config("what is this");
    succeeds(&machine, &["enable", "--take-back"]);
    assert_eq!(snapshot(), before);
    machine.config("");
    succeeds(&machine, &["enable", "sshd", "--yes", "--no-rollback"]);
    machine.config("what is this");
    succeeds(&machine, &["disable", "--all", "--yes"]);
    assert_eq!(snapshot(), before);
}

#[test]
fn what_would_shut_somebody_out_is_refused_and_changes_nothing() {
    let (machine, _sshd) = machine();
    let before = snapshot();
    for (arguments, said) in [
        (&["enable", "sshd"][..], "there is no terminal to ask at"),
        (&["enable", "vault", "--yes"], "there is no /etc/pam.d/vault"),
        (&["enable", "../shadow", "--yes"], "is no PAM service here"),
        (&["enable", "common-auth", "--yes"], "is part of other services"),
        (&["enable", "sudo", "--keys", "--yes"], "only sshd has keys"),
        (&["enable"], "required"),
    ] {
        let told = fails(&machine, arguments);
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
    machine.config("[code]\ndigits = 5\n");
    assert!(
        fails(&machine, &["enable", "sshd", "--yes"]).contains("/etc/pam-sms/config.toml:2:10")
    );
    machine.config("");
    fs::remove_file("/usr/sbin/cron").unwrap();
    assert!(fails(&machine, &["enable", "sshd", "--yes"]).contains("neither systemd nor cron"));
    machine.file("/usr/sbin/cron", "", 0o755);
    // Something says otherwise before us.
    machine.file("/etc/ssh/sshd_config.d/00-aaa.conf", "LoginGraceTime 30\n", 0o644);
    let told = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(told.contains("sshd makes `LoginGraceTime 30` of our `LoginGraceTime 360`"), "{told}");
    assert!(told.contains("everything is as it was before"), "{told}");
    let told = fails(&machine, &["enable", "sshd", "--yes", "--no-rollback"]);
    assert!(told.contains("everything is as it was before"), "{told}");
    fs::remove_file("/etc/ssh/sshd_config.d/00-aaa.conf").unwrap();
    machine.config("[policy]\nobserve_until = 2099-12-31\n");
    assert!(fails(&machine, &["enable", "sshd", "--yes"]).contains("say --no-rollback"));
    machine.config("");
    assert_eq!(snapshot(), before);
    // Named by another's hand.
    machine.pam("common-auth", "auth requisite pam_unix.so\nauth requisite pam_sms.so\n");
    let told = fails(&machine, &["enable", "sshd", "--yes"]);
    assert!(told.contains("/etc/pam.d/common-auth:2: names pam_sms.so already"), "{told}");
}

/// The three steps of the README, as somebody takes them who has nothing yet.
#[test]
fn from_nothing_to_a_login_with_a_code_in_three_steps() {
    let machine = Machine::new();
    machine.file("/usr/sbin/cron", "", 0o755);
    fs::create_dir_all("/etc/cron.d").unwrap();
    fs::create_dir_all("/etc/ssh/sshd_config.d").unwrap();
    let gateway = Gateway::start();
    machine.file("/etc/ssl/gateway.pem", gateway.ca_pem(), 0o644);
    machine.file("/root/token", account::TWILIO_TOKEN, 0o600);
    let _sshd = machine.sshd("PermitRootLogin no\n");
    let set = [
        format!("account_sid={}", account::TWILIO_SID),
        format!("from={}", account::TWILIO_FROM),
        format!("base_url={}", gateway.base_url()),
        "ca_file=/etc/ssl/gateway.pem".to_owned(),
    ];
    let mut setup = vec!["setup", "--provider", "twilio", "--secret", "auth_token=/root/token"];
    set.iter().for_each(|pair| setup.extend(["--set", pair]));
    setup.extend(["--user", "alice", "--number", "+4915123456723", "--yes"]);
    succeeds(&machine, &setup);
    assert!(gateway.wait_for_message(0).text.starts_with("Test message"));
    succeeds(&machine, &["check"]);
    succeeds(&machine, &["enable", "sshd", "--yes"]);

    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("assword:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    alice.type_line(&gateway.wait_for_message(1).code());
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
    succeeds(&machine, &["enable", "--keep", &word_in(&alice.screen())]);
    succeeds(&machine, &["check"]);
}
