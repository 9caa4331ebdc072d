//! What holds for the project as a whole: licences, examples, what the shipped module needs.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use pam_sms::config::model::Config;
use pam_sms::config::source::Sources;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let run = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn the_annotated_example_loads_and_names_the_defaults() {
    let path = root().join("docs/example-config.toml");
    let text = std::fs::read_to_string(path).unwrap();
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
    assert!(size < 700_000, "{size} bytes");
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
