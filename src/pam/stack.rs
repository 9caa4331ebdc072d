//! Whether a service's stack names us where it must.

use std::fs;
use std::path::{Path, PathBuf};

/// Where libpam looks for the file of a service, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// How deep files may include one another, as in libpam.
const DEEPEST: u8 = 32;

/// Whether the account stack of `service` has a line of ours, which is where that is stored which
/// must wait until a login has succeeded.
#[must_use]
pub fn has_account_line(service: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    service.bytes().all(plain) && file_has_line(service, DEEPEST)
}

fn file_has_line(name: &str, depth: u8) -> bool {
    let path = match name.starts_with('/') {
        true => Some(PathBuf::from(name)),
        false => FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists()),
    };
    let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else { return false };
    text.replace("\\\n", " ").lines().any(|line| line_is_ours(line, depth))
}

fn line_is_ours(line: &str, depth: u8) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let include = |file: &str| depth > 0 && file_has_line(file, depth - 1);
    if let Some(file) = line.strip_prefix("@include") {
        return include(file.trim());
    }
    let Some((kind, rest)) = line.split_once(char::is_whitespace) else { return false };
    if !kind.trim_start_matches('-').eq_ignore_ascii_case("account") {
        return false;
    }
    let rest = rest.trim_start();
    let (control, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some(bracketed) => bracketed,
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    let Some(module) = rest.split_whitespace().next() else { return false };
    match control {
        "include" | "substack" => include(module),
        _ => Path::new(module).file_name().is_some_and(|name| name == "pam_sms.so"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_account_line_of_ours_counts() {
        for (line, ours) in [
            ("account required pam_sms.so", true),
            ("-account optional\tpam_sms.so debug", true),
            ("account [default=ignore] /lib/security/pam_sms.so", true),
            ("auth requisite pam_sms.so", false),
            ("# account required pam_sms.so", false),
            ("account required pam_unix.so # pam_sms.so", false),
            ("account required pam_sms.so.old", false),
            ("account", false),
            ("", false),
        ] {
            assert_eq!(line_is_ours(line, 0), ours, "{line}");
        }
    }

    #[test]
    fn included_files_count_and_a_circle_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let ours = file("common", "account \\\n required \\\n pam_sms.so\n");
        for line in ["@include ", "account include ", "account substack "] {
            assert!(line_is_ours(&format!("{line}{ours}"), 1), "{line}");
        }
        assert!(!line_is_ours(&format!("auth include {ours}"), 1));
        let circle = folder.path().join("circle");
        let circle = file("circle", &format!("account include {}\n", circle.display()));
        assert!(!file_has_line(&circle, DEEPEST));
        assert!(!has_account_line("../etc/passwd"));
    }
}
