//! What the packages install, name and say.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::{output, page, root};

#[test]
fn what_is_installed_is_where_libpam_and_the_module_look() {
    let into = tempfile::tempdir().unwrap();
    let destination = format!("DESTDIR={}", into.path().display());
    output("make", &["install", &destination, "SECURITY=/usr/lib/here/security"]);
    for (file, mode) in [
        ("usr/lib/here/security/pam_sms.so", 0o644),
        ("usr/sbin/pam-sms", 0o755),
        ("usr/libexec/pam-sms-helper", 0o755),
        ("usr/share/pam-sms/languages/de.toml", 0o644),
    ] {
        let meta = std::fs::metadata(into.path().join(file)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o7777, mode, "{file}");
    }
    // And without a word, into the folder of this machine's architecture, as on Debian.
    let steps = output("make", &["-n", "install"]);
    let multiarch = output("gcc", &["-print-multiarch"]);
    let place = format!(" /usr/lib/{}/security/pam_sms.so", multiarch.trim());
    assert!(steps.contains(&place), "{steps}");
}

#[test]
fn every_file_that_the_packages_name_is_there() {
    let into = tempfile::tempdir().unwrap();
    let destination = format!("DESTDIR={}", into.path().display());
    output("make", &["install", &destination, "SECURITY=/usr/lib/here/security"]);
    let has_man = root().join("target/ship/man").exists();
    let made_by_man = ["usr/share/man", "completion", "vendor_completions"];
    for list in ["libpam-sms.install", "pam-sms.install", "pam-sms.docs", "pam-sms.examples"] {
        for line in page(&format!("packaging/debian/{list}")).lines() {
            let file = line.split(' ').next().unwrap();
            let folder = match file.split('/').next().unwrap() {
                "usr" => into.path().to_owned(),
                "debian" => root().join("packaging"),
                _ => root().to_owned(),
            };
            let later = made_by_man.iter().any(|part| file.contains(part)) && !has_man;
            let list_it = format!("ls -d {file}");
            let found = Command::new("sh").current_dir(folder).args(["-c", &list_it]).output();
            assert!(later || found.unwrap().status.success(), "{list}: {file}");
        }
    }
}

#[test]
fn the_scripts_of_the_packages_can_be_read_and_the_version_stands_in_one_place() {
    let debian = "packaging/debian";
    let scripts = ["libpam-sms.postinst", "libpam-sms.prerm", "pam-sms.postrm", "tests/login"]
        .map(|name| format!("{debian}/{name}"));
    let others = ["deb", "dist", "rpm"].map(|name| format!("packaging/{name}.sh"));
    for script in scripts.iter().chain(&others) {
        output("sh", &["-n", script]);
    }
    output("bash", &["-n", "packaging/arch/PKGBUILD"]);
    output("bash", &["-n", "packaging/arch/pam-sms.install"]);
    if Command::new("shellcheck").arg("--version").output().is_ok() {
        let all: Vec<&str> = scripts.iter().chain(&others).map(String::as_str).collect();
        output("shellcheck", &all);
    }
    let newest = page("CHANGELOG.md");
    let newest = newest.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(newest == "Unreleased" || newest.starts_with(version), "CHANGELOG.md: {newest}");
    for file in ["packaging/rpm/pam-sms.spec", "packaging/arch/PKGBUILD", "packaging/dist.sh"] {
        assert!(!page(file).contains(version), "{file} names the version");
    }
}

/// Where their compilers are. What the helper writes, and what it reads beyond name look-up, authorities and its
/// configuration, is in both.
#[test]
fn the_policies_of_the_packages_compile_and_know_what_the_helper_opens() {
    let profile = "packaging/debian/apparmor/usr.libexec.pam-sms-helper";
    for path in [
        "/run/pam-sms/outbox ",
        "/run/pam-sms/providers.state ",
        "/var/lib/pam-sms/ldap-* ",
        "/usr/share/pam-sms/languages/*.toml ",
        "/sys/kernel/random/boot_id ",
    ] {
        assert!(page(profile).contains(path), "{profile}: {path}");
    }
    let policy = "packaging/selinux/pam_sms.te";
    for name in ["http_port_t", "ldap_port_t", "redis_port_t", "sysctl_kernel_t", "usr_t"] {
        let allowed =
            |line: &str| line.starts_with("allow pam_sms_helper_t") && line.contains(name);
        assert!(page(policy).lines().any(allowed), "{policy}: {name}");
    }
    let is_there = |program: &str| Command::new(program).arg("--help").output().is_ok();
    if is_there("apparmor_parser") {
        output("apparmor_parser", &["--skip-kernel-load", "--skip-cache", profile]);
    }
    if is_there("checkmodule") && is_there("semodule_package") {
        let into = tempfile::tempdir().unwrap();
        let made = |name| into.path().join(name).to_str().unwrap().to_owned();
        let (module, package) = (made("pam_sms.mod"), made("pam_sms.pp"));
        let contexts = "packaging/selinux/pam_sms.fc";
        output("checkmodule", &["-M", "-m", "-o", &module, policy]);
        output("semodule_package", &["-o", &package, "-m", &module, "-f", contexts]);
    }
}

/// Of the crates that are built here; `packaging/copyright.py` looks at all, whatever they are for.
#[test]
fn the_package_has_the_text_of_every_licence() {
    let text = page("packaging/debian/copyright");
    let listed = output("cargo", &["tree", "--locked", "--prefix", "none", "-f", "{l}"]);
    for word in listed.split([' ', '/', '(', ')', '*', '\n']) {
        // Debian's word for it.
        let name = if word == "MIT" { "Expat" } else { word };
        let is_licence = !["", "OR", "AND", "WITH", "LLVM-exception"].contains(&word);
        assert!(!is_licence || text.contains(&format!("\nLicense: {name}\n")), "{word}");
    }
    // The rpm has one line for what is in the programs; of a choice it names what it likes.
    let spec = page("packaging/rpm/pam-sms.spec");
    let spec = spec.lines().find_map(|line| line.strip_prefix("License: ")).unwrap();
    let built = ["tree", "--locked", "--prefix", "none", "-e", "normal", "-f", "{l}"];
    for line in output("cargo", &built).lines().filter(|line| !line.contains(" OR ")) {
        for word in line.trim_end_matches(" (*)").split(" AND ").filter(|word| !word.is_empty()) {
            let name = if word == "GPL-3.0" { "GPL-3.0-only" } else { word };
            let is_said = spec.split_whitespace().any(|said| said == name);
            assert!(is_said || word.contains('/'), "packaging/rpm/pam-sms.spec: {word}");
        }
    }
}
