//! Whether a service's stack names us where it must.
//!
//! A walk of its own and not `crate::stack`, which `pam-sms check` reads stacks with: that makes the module
//! 9 kB larger, in every login, for one question. A test holds the two together; where they could differ
//! (a service that has its account lines from `other`) this one says no, and then nothing is stored.

use std::fs;
use std::path::{Path, PathBuf};

/// Where libpam looks for the file of a service, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// How deep files may include one another, as in libpam.
const DEEPEST: u8 = 32;

/// Whether the account lines of `service` begin with `account required pam_sms.so`, which is where
/// that is stored which must wait until a login has succeeded. Behind others it might not be reached
/// (`sufficient`, jumps), and as anything but required its failure would not count.
#[must_use]
pub fn has_account_line(service: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    service.bytes().all(plain) && first_in_file(service, DEEPEST) == Some(true)
}

/// Whether the first account line is ours; nothing where there is none.
fn first_in_file(name: &str, depth: u8) -> Option<bool> {
    let path = match name.starts_with('/') {
        true => Some(PathBuf::from(name)),
        false => FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists()),
    };
    let text = fs::read_to_string(path?).ok()?;
    text.replace("\\\n", " ").lines().find_map(|line| first_in_line(line, depth))
}

fn first_in_line(line: &str, depth: u8) -> Option<bool> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let include = |file: &str| match depth {
        // A circle, which libpam refuses.
        0 => Some(false),
        _ => first_in_file(file, depth - 1),
    };
    if let Some(file) = line.strip_prefix("@include") {
        return include(file.trim());
    }
    let mut words = line.split_whitespace();
    if !words.next()?.trim_start_matches('-').eq_ignore_ascii_case("account") {
        return None;
    }
    match (words.next(), words.next()) {
        (Some("include" | "substack"), Some(file)) => include(file),
        (Some("required" | "requisite"), Some(module)) => {
            Some(Path::new(module).file_name().is_some_and(|name| name == "pam_sms.so"))
        }
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_required_account_line_of_ours_counts() {
        for (line, ours) in [
            ("account required pam_sms.so", Some(true)),
            ("-account requisite\t/lib/security/pam_sms.so debug", Some(true)),
            ("account optional pam_sms.so", Some(false)),
            ("account [default=ignore] pam_sms.so", Some(false)),
            ("account required pam_unix.so # pam_sms.so", Some(false)),
            ("account required pam_sms.so.old", Some(false)),
            ("account", Some(false)),
            ("auth requisite pam_sms.so", None),
            ("# account required pam_sms.so", None),
            ("", None),
        ] {
            assert_eq!(first_in_line(line, 0), ours, "{line}");
        }
    }

    #[test]
    #[cfg(feature = "program")]
    fn it_agrees_with_what_check_reads() {
        use crate::stack::{Control, Folders, Kind};

        let folder = tempfile::tempdir().unwrap();
        let common = folder.path().join("common");
        fs::write(&common, "-ACCOUNT \\\n requisite pam_sms.so\naccount required pam_unix.so\n")
            .unwrap();
        let path = folder.path().join("service");
        for text in [
            "account required pam_sms.so",
            "auth required pam_sms.so\naccount [success=ok default=bad] pam_sms.so",
            "account [default=ignore] pam_unix.so\naccount required pam_sms.so",
            "@include COMMON",
            "account include COMMON # said\n",
            "account substack COMMON\n",
            "auth include COMMON\naccount sufficient pam_sms.so",
            "account required /lib/security/pam_sms.so [config=/a b]",
            "account",
            "",
        ] {
            fs::write(&path, text.replace("COMMON", common.to_str().unwrap())).unwrap();
            let stack = Folders(vec![folder.path().into()]).stack("service");
            let lines = stack.lines(Kind::Account);
            let first = lines.iter().find(|line| line.step != crate::stack::Step::Substack);
            let ours = first.and_then(|line| line.ours());
            let read = ours
                .is_some_and(|ours| matches!(ours.control, Control::Required | Control::Requisite));
            let walked = first_in_file(path.to_str().unwrap(), DEEPEST) == Some(true);
            assert_eq!(walked, read, "{text}");
        }
    }

    #[test]
    fn it_must_be_the_first_through_included_files_and_a_circle_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let first = |text: &str| first_in_file(&file("service", text), DEEPEST);
        let ours = "account \\\n required \\\n pam_sms.so\n";
        assert_eq!(first(&format!("auth required pam_unix.so\n{ours}")), Some(true));
        assert_eq!(first(&format!("account sufficient pam_localuser.so\n{ours}")), Some(false));
        let common = file("common", ours);
        for line in ["@include ", "account include ", "account substack "] {
            assert_eq!(
                first(&format!("{line}{common}\naccount required pam_unix.so\n")),
                Some(true)
            );
        }
        assert_eq!(first(&format!("auth include {common}\n")), None);
        let circle = folder.path().join("circle");
        let circle = file("circle", &format!("account include {}\n", circle.display()));
        assert_eq!(first_in_file(&circle, DEEPEST), Some(false));
        assert!(!has_account_line("../etc/passwd"));
    }
}
