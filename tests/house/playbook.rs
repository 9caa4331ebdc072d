//! The role and the playbook for Ansible: that they can be read, and that what they run is there.

use std::path::PathBuf;
use std::process::Command;

use crate::{output, page, root};

const FOLDER: &str = "packaging/ansible";

/// All YAML files of it.
fn files() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root().join(FOLDER)], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_command_of_the_playbook_is_one_of_ours() {
    let mut seen = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("cmd: ")) {
            let mut command = line.trim_matches('"').to_owned();
            while let Some((before, rest)) = command.split_once("{{") {
                let (_, after) = rest.split_once("}}").unwrap();
                command = format!("{before}sshd{after}");
            }
            let words: Vec<_> = command.split(' ').collect();
            assert_eq!(words[0], "pam-sms", "{command}");
            let parsed = pam_sms::cli::command().try_get_matches_from(&words);
            parsed.unwrap_or_else(|error| panic!("{}: {command}: {error}", path.display()));
            seen.push(words[1..].join(" "));
        }
    }
    seen.sort();
    let known = [
        "check",
        "check --config /etc/pam-sms/judged/config.toml --offline",
        "enable --keep sshd",
        "enable sshd --yes",
        "enable sshd --yes --no-rollback",
    ];
    assert_eq!(seen, known);
    // What Ansible gives a file where nothing is said is the umask's.
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for task in text.split("- name: ").filter(|task| task.contains("ansible.builtin.copy:")) {
            assert!(task.contains("mode: \"0600\"") && task.contains("no_log: true"), "{task}");
        }
    }
}

#[test]
fn every_variable_of_the_role_is_said_with_what_it_is_for() {
    let folder = format!("{FOLDER}/roles/pam_sms");
    let (defaults, specs) = (
        page(&format!("{folder}/defaults/main.yml")),
        page(&format!("{folder}/meta/argument_specs.yml")),
    );
    let names = defaults.lines().filter_map(|line| line.strip_prefix("pam_sms_")?.split_once(':'));
    let names: Vec<_> = names.map(|(name, _)| name).collect();
    assert_eq!(names, ["packages", "files", "secrets", "services", "trial"]);
    for name in names {
        assert!(specs.contains(&format!("\n      pam_sms_{name}:\n")), "{name}");
    }
}

#[test]
fn ansible_reads_the_playbook() {
    if Command::new("ansible-playbook").arg("--version").output().is_err() {
        return;
    }
    let playbook = format!("{FOLDER}/rollout.yml");
    let said = output("env", &["LC_ALL=C.UTF-8", "ansible-playbook", "--syntax-check", &playbook]);
    assert!(said.contains("playbook: "), "{said}");
}
