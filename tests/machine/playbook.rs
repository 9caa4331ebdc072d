//! The playbook rolls out to a machine: by real Ansible, which is on that machine itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::enable;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::person::Person;

const CONFIG: &str = "/etc/pam-sms/config.toml";
const GOOD: &str = "[[provider]]\nkind = 'outbox'\npath = '/run/pam-sms/outbox'\n";

/// What is run for this group of the inventory, with this configuration.
fn words(machine: &Machine, group: &str, config: &str) -> Vec<String> {
    let hosts =
        format!("[{group}]\nrabbit-hole ansible_connection=local\n[pam_sms:children]\n{group}\n");
    machine.file("/root/hosts", hosts, 0o600);
    let variables = serde_json::json!({
        "pam_sms_packages": [],
        "pam_sms_files": {
            "config.toml": config,
            "config.d/50-host.toml": "[limits]\nsends_per_host = '200/1h'\n",
            "users.toml": "alice = \"+4915123456723\"\n",
        },
        "pam_sms_secrets": { "some.token": "opensesame" },
        "ansible_python_interpreter": "/usr/bin/python3",
    });
    machine.file("/root/variables.json", variables.to_string(), 0o600);
    let playbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/ansible/rollout.yml");
    let settings = ["LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1"];
    let run = ["/usr/bin/ansible-playbook", "-i", "/root/hosts", "-e", "@/root/variables.json"];
    let words = settings.iter().chain(&run).map(|&word| word.to_owned());
    words.chain([playbook.to_str().unwrap().to_owned()]).collect()
}

/// Rolls out, and returns whether it went well and what Ansible said.
fn roll_out(machine: &Machine, config: &str) -> (bool, String) {
    let words = words(machine, "others", config);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let run = machine.run("/usr/bin/env", &words);
    (run.status.success(), String::from_utf8([run.stdout, run.stderr].concat()).unwrap())
}

#[test]
fn a_machine_is_rolled_out_to_and_a_wrong_configuration_changes_nothing() {
    let (machine, _sshd) = enable::machine();
    fs::remove_dir_all("/etc/pam-sms").unwrap();
    let (success, said) = roll_out(&machine, GOOD);
    assert!(success, "{said}");
    assert!(!said.contains("opensesame") && !said.contains("4915123456723"), "{said}");
    for (file, mode) in [
        ("", 0o700),
        ("config.d", 0o700),
        ("config.toml", 0o600),
        ("config.d/50-host.toml", 0o600),
        ("users.toml", 0o600),
        ("some.token", 0o600),
    ] {
        let path = Path::new("/etc/pam-sms").join(file);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode, "{file}");
    }
    assert_eq!(fs::read_to_string("/etc/pam-sms/some.token").unwrap(), "opensesame\n");
    let mut alice = Person::ssh("alice", &[]);
    alice.see("assword:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    alice.type_line(&enable::code());
    alice.see("$ ");

    let before = fs::read_to_string(CONFIG).unwrap();
    let (success, said) = roll_out(&machine, GOOD);
    assert!(success && said.contains(" changed=0 "), "{said}");
    let (success, said) = roll_out(&machine, &format!("{GOOD}[code]\ndigits = 5\n"));
    assert!(!success && said.contains("must be from 6 to 10"), "{said}");
    assert_eq!(fs::read_to_string(CONFIG).unwrap(), before);
    assert!(!Path::new("/etc/pam-sms/judged").exists());
}

#[test]
fn a_canary_is_on_trial_until_somebody_types_the_word_that_a_login_shows() {
    let (machine, _sshd) = enable::machine();
    let words = words(&machine, "pam_sms_canary", GOOD);
    let words: Vec<_> =
        ["/usr/bin/env"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let mut admin = Person::root(&words);
    // One task after the other, since each takes its time on a busy machine.
    for task in [
        "Secrets are there",
        "What is to be judged",
        "It is good",
        "in place",
        "is well",
        "on trial",
    ] {
        admin.see(task);
    }
    admin.see("type the word that it shows");
    assert!(enable::on_trial());
    let word = enable::word_in(&enable::log_in(true));
    admin.type_line(&word);
    admin.see("failed=0");
    assert_eq!(admin.gone(), 0, "{}", admin.screen());
    assert!(!enable::on_trial());
    enable::log_in(true);
}
