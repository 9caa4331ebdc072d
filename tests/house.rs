//! What holds for the project as a whole: licences, examples, pages that name everything, what the
//! shipped module needs.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use pam_sms::authenticate::arguments::Arguments;
use pam_sms::cli::check::catalogue;
use pam_sms::config::file::Trust;
use pam_sms::config::model::Config;
use pam_sms::config::source::Sources;
use pam_sms::directory::Directory;
use pam_sms::gateway::description::{BUILT_IN, COMMON, Description};
use pam_sms::gateway::modem::{self, KINDS};

#[path = "house/packages.rs"]
mod packages;
#[path = "house/playbook.rs"]
mod playbook;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let run = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn the_annotated_example_loads_and_names_the_defaults() {
    let text = page("docs/example-config.toml");
    let example: Config = Sources::from_text("example-config.toml", &text).parse().unwrap();
    let default: Config = Sources::from_text("nothing", "").parse().unwrap();
    assert_eq!(format!("{example:?}"), format!("{default:?}"));
}

#[test]
fn the_module_exports_pam_sm_and_nothing_else_and_needs_little() {
    let module = "target/ship/pam_sms.so";
    let exports = output("nm", &["-D", "--defined-only", module]);
    for line in exports.lines() {
        let name = line.rsplit(' ').next().unwrap();
        assert!(name.starts_with("pam_sm_"), "{line}");
    }
    assert_eq!(exports.lines().count(), 6, "{exports}");
    let needed = output("objdump", &["-p", module]);
    for line in needed.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")) {
        let library = line.trim();
        let known = ["libpam.so.0", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2"];
        assert!(known.contains(&library), "{library}");
    }
    let size = std::fs::metadata(root().join(module)).unwrap().len();
    assert!(size < 710_000, "{size} bytes");
    let bytes = std::fs::read(root().join(module)).unwrap();
    for word in ["reqwest", "rustls", "hyper"] {
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{word} is in the module");
    }
}

#[test]
fn every_licence_goes_with_the_gpl() {
    const KNOWN: [&str; 13] = [
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Unicode-3.0",
        "Zlib",
        "Unlicense",
        "CDLA-Permissive-2.0",
        "GPL-3.0",
        "GPL-3.0-or-later",
        "0BSD",
        "BSL-1.0",
    ];
    let listed = output(
        "cargo",
        &["tree", "--locked", "-e", "normal,build", "--prefix", "none", "-f", "{p}|{l}"],
    );
    for line in listed.lines().filter(|line| !line.is_empty()) {
        let (package, licence) = line.split_once('|').unwrap();
        let licence = licence.trim_end_matches(" (*)");
        let goes = licence.split(" OR ").flat_map(|l| l.split('/')).any(|alternative| {
            alternative.split(" AND ").all(|one| KNOWN.contains(&one.trim_matches(['(', ')', ' '])))
        });
        assert!(goes || KNOWN.contains(&licence), "{package}: {licence}");
    }
}

#[test]
fn every_key_of_every_provider_is_on_its_page() {
    let text = page("docs/providers.md");
    let named = |what: &str| text.contains(&format!("`{what}`"));
    let (common, kinds) = text.split_once("## Kinds").unwrap();
    for key in COMMON {
        assert!(common.contains(&format!("| `{key}` |")), "{key}");
    }
    for (kind, description) in BUILT_IN {
        assert!(kinds.contains(&format!("`{kind}`:")), "{kind}");
        let description: Description = Sources::from_text(kind, description).parse().unwrap();
        for (name, key) in description.keys {
            assert!(named(&name), "{kind}: {name}");
            assert!(!key.secret || named(&format!("{name}_file")), "{kind}: {name}_file");
        }
    }
    let modems = KINDS.map(|kind| (kind, modem::key(kind).unwrap().0));
    for (kind, key) in modems.into_iter().chain([("http", "description"), ("outbox", "path")]) {
        assert!(kinds.contains(&format!("`{kind}`:")) && named(key), "{kind}: {key}");
    }
}

#[test]
fn the_worked_example_of_a_description_is_a_good_one() {
    let text = page("docs/providers.md");
    let mut examples =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let description: Description =
        Sources::from_text("acme.toml", examples.next().unwrap()).parse().unwrap();
    description.check().unwrap();
    let config = examples.next().unwrap();
    let _loads: Config = Sources::from_text("config.toml", config).parse().unwrap();
    for key in description.keys.keys() {
        assert!(config.contains(&format!("\n{key}")), "{key}");
    }
}

#[test]
fn every_event_is_on_the_page_of_the_log_with_its_level() {
    let (text, source) = (page("docs/log.md"), page("src/audit.rs"));
    let rows = source.lines().filter_map(|line| line.trim().strip_prefix("Event::"));
    let rows = rows.filter_map(|row| row.split_once("=> (Severity::LOG_"));
    let mut seen = 0;
    for (_, row) in rows {
        let (level, name) = row.split_once(", ").unwrap();
        let name = name.trim_end_matches("),").trim_matches('"');
        let level = if level == "ERR" { "err".to_owned() } else { level.to_lowercase() };
        assert!(text.contains(&format!("\n| `{name}` | {level} |")), "{name}, {level}");
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} events were found in src/audit.rs");
}

#[test]
fn every_argument_of_the_module_is_on_its_page() {
    let text = page("docs/module.md");
    let said = Arguments::parse(["?"]).unwrap_err();
    let (_, known) = said.split_once("known are ").unwrap();
    let known: Vec<_> = known.split([',', ' ']).filter(|w| !w.is_empty() && *w != "and").collect();
    assert_eq!(known.len(), 4, "{known:?}");
    for argument in known {
        assert!(text.contains(&format!("\n| `{argument}")), "{argument}");
    }
}

#[test]
fn every_finding_is_on_the_page_of_check_and_every_row_is_a_finding() {
    let text = page("docs/check.md");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `")).collect();
    for entry in catalogue::ALL {
        let begins = format!("| `{}` | {} | ", entry.id, entry.severity.word());
        let found: Vec<_> = rows.iter().filter(|row| row.starts_with(&begins)).collect();
        assert_eq!(found.len(), 1, "{begins}");
        assert!(found[0].contains(&format!(" | {} | ", entry.why)), "{}: {}", entry.id, entry.why);
    }
    assert_eq!(rows.len(), catalogue::ALL.len());
}

#[test]
fn every_finding_about_stacks_and_sshd_is_in_the_corpus() {
    // What is a note, or hangs on the version of sshd, has a test of its own.
    let elsewhere = ["no-service", "config-other", "services-not-asked", "sshd-penalties"];
    let about = catalogue::ALL.iter().skip_while(|entry| entry.id != "no-service");
    let cases = std::fs::read_dir(root().join("tests/corpus/cases")).unwrap();
    let texts: Vec<_> =
        cases.map(|case| std::fs::read_to_string(case.unwrap().path()).unwrap()).collect();
    let named = |text: &String, id: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix("# finds:"));
        found.is_some_and(|ids| ids.split_whitespace().any(|known| known == id))
    };
    for entry in about.filter(|entry| !elsewhere.contains(&entry.id)) {
        assert!(texts.iter().any(|text| named(text, entry.id)), "no case finds {}", entry.id);
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let code = code();
    for (file, text) in &code {
        let lines = text.lines().count();
        assert!(lines <= 400, "{file} has {lines} lines");
    }
    assert!(code.len() > 50, "only {} files were found", code.len());
}

/// All Rust files of the program and its tests, by their paths from the root.
fn code() -> Vec<(String, String)> {
    let (mut folders, mut found) = (vec![root().join("src"), root().join("tests")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((file.clone(), page(&file)));
            }
        }
    }
    found
}

#[test]
fn what_is_about_to_be_installed_on_the_machine_is_said() {
    let stubs = tempfile::tempdir().unwrap();
    for (name, script) in [("dpkg-query", "#!/bin/sh\nexit 1\n"), ("apt-get", "#!/bin/sh\n")] {
        let path = stubs.path().join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("PATH={}:/usr/bin:/bin", stubs.path().display());
    let said = output("env", &[&path, "make", "--no-print-directory", "prepare"]);
    let (first, rest) = said.split_once('\n').unwrap();
    assert!(first.starts_with("installing Debian packages on this machine: "), "{said}");
    assert!(first.contains(" openssh-server ") && rest.contains("starts openssh-server"), "{said}");
}

#[test]
fn the_profile_for_pam_auth_update_is_off_and_behind_the_password() {
    let profile = page("packaging/debian/pam-configs/pam-sms");
    let says = |line: &str| profile.lines().any(|one| one.replace('\t', " ").trim() == line);
    assert!(says("Default: no") && says("Priority: 64") && says("Auth-Type: Additional"));
    // Not `[success=ok default=bad]`, by which "does not apply" denies everybody; and never without
    // `services=`, since everything includes common-auth.
    assert!(says("requisite pam_sms.so services=sshd"), "{profile}");
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let all: String = code().into_iter().map(|(_, text)| text).collect();
    for (name, least) in [("docs/nist.md", 8), ("docs/threats.md", 100)] {
        let text = page(name);
        let mut named = 0;
        for test in text.split('`').skip(1).step_by(2).filter(|word| word.contains("::")) {
            if let Some((place, function)) = place_of(test) {
                let path = root().join(&place);
                let text = std::fs::read_to_string(&path)
                    .unwrap_or_else(|_| panic!("{name}: {test}: there is no {place}"));
                let is_there = text.contains(&format!("fn {function}("));
                assert!(is_there, "{name}: no test {function} in {place}");
                named += 1;
            }
        }
        // By its function alone.
        let rows = text.lines().filter(|line| line.starts_with("| 3.")).flat_map(|line| {
            let last = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
            last.split('`').skip(1).step_by(2)
        });
        for test in rows.filter(|test| !test.contains("::")) {
            assert!(all.contains(&format!("fn {test}()")), "{name}: no test {test}");
            named += 1;
        }
        assert!(named >= least, "{name}: only {named} tests are named");
    }
}

/// The file and the function (not the `x` of an explanation) that a page means by `logins::x`, `house::x`, `src/login/code.rs::x`.
fn place_of(test: &str) -> Option<(String, &str)> {
    let (place, function) = test.rsplit_once("::")?;
    let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_".contains(&b));
    match place {
        _ if function.len() < 2 || !is_name(function) => None,
        "house" => Some(("tests/house.rs".to_owned(), function)),
        _ if place.ends_with(".rs") => Some((place.to_owned(), function)),
        _ if is_name(place) => Some((format!("tests/machine/{place}.rs"), function)),
        _ => None,
    }
}

#[test]
fn every_key_of_the_configuration_is_in_the_annotated_example() {
    let example = page("docs/example-config.toml");
    let mut keys = 0;
    for table in ["code", "message", "users", "users.ldap", "policy", "limits", "delivery"] {
        let unknown = format!("[{table}]\nno-such-key = 1\n");
        let sources = Sources::from_text("x", &unknown);
        let said = match table {
            "users.ldap" => Directory::read(&sources, Trust::Anyone).map(drop).unwrap_err(),
            _ => sources.parse::<Config>().map(drop).unwrap_err(),
        }
        .to_string();
        let listed = said.split_once("expected one of ").or_else(|| said.split_once("expected "));
        for key in listed.unwrap().1.split('`').skip(1).step_by(2) {
            let is_key = |line: &str| {
                let line = line.trim_start_matches(['#', ' ']);
                // A table of its own.
                line.starts_with(&format!("[{table}.{key}]"))
                    || line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "))
            };
            assert!(example.lines().any(is_key), "[{table}] {key}");
            keys += 1;
        }
    }
    assert!(keys > 25, "only {keys} keys were found");
}

#[test]
fn every_command_and_every_flag_says_what_it_is_for() {
    let mut commands = vec![pam_sms::cli::command()];
    while let Some(command) = commands.pop() {
        let name = command.get_name().to_owned();
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {}", argument.get_id());
        }
        commands.extend(command.get_subcommands().cloned());
    }
}
