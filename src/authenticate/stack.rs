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
/// How many files are read: one that names itself twice would be read 2^32 times.
const MOST_FILES: u16 = 1000;

/// Whether every login that the account lines of `service` let in passes `account required
/// pam_sms.so`, which is where that is stored which must wait until a login has succeeded: nothing
/// before it may end the stack well or jump over it, and its own failure must count.
#[must_use]
pub fn has_account_line(service: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let mut read = Read::default();
    let is_read = service.bytes().all(plain) && collect(service, DEEPEST, &mut read);
    is_read && all_pass_us(&read.lines)
}

/// What was read.
#[derive(Default)]
struct Read {
    lines: Vec<Line>,
    files: u16,
}

/// One account line: its control, and whether its module is ours.
struct Line {
    control: String,
    is_ours: bool,
}

fn all_pass_us(lines: &[Line]) -> bool {
    let Some(ours) = lines.iter().position(|line| line.is_ours) else { return false };
    let counts = matches!(lines[ours].control.as_str(), "required" | "requisite");
    counts && (0..ours).all(|index| leads_on(&lines[index].control, ours - index - 1))
}

/// Whether a line before ours, with `between` others in the middle, leads on to it.
fn leads_on(control: &str, between: usize) -> bool {
    let Some(actions) = control.strip_prefix('[') else { return control != "sufficient" };
    actions.trim_end_matches(']').split_whitespace().all(|pair| match pair.split_once('=') {
        // An expired password: not let in before it is changed.
        Some(("new_authtok_reqd", "done")) => true,
        Some((_, action)) => match action.parse::<usize>() {
            Ok(jump) => jump <= between,
            Err(_) => action != "done",
        },
        None => false,
    })
}

/// Collects the account lines of a service, through the files that it includes. Says whether all of
/// them could be read.
fn collect(name: &str, depth: u8, into: &mut Read) -> bool {
    into.files += 1;
    if into.files > MOST_FILES {
        return false;
    }
    let path = match name.starts_with('/') {
        true => Some(PathBuf::from(name)),
        false => FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists()),
    };
    let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else { return false };
    text.replace("\\\n", " ").lines().all(|line| collect_line(line, depth, into))
}

fn collect_line(line: &str, depth: u8, into: &mut Read) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    // In a circle, which libpam refuses, nothing is sure.
    let mut include = |file: &str| depth > 0 && collect(file, depth - 1, into);
    if let Some(file) = line.strip_prefix("@include") {
        return include(file.trim());
    }
    let (kind, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if !kind.trim_start_matches('-').eq_ignore_ascii_case("account") {
        return true;
    }
    let rest = rest.trim_start();
    let end = match rest.starts_with('[') {
        true => rest.find(']').map(|end| end + 1),
        false => rest.find(char::is_whitespace),
    };
    let (control, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let module = rest.split_whitespace().next().unwrap_or_default();
    match control {
        "include" => include(module),
        // Its end and its jumps are its own affair; our line in one would be.
        "substack" => {
            into.lines.push(Line { control: "required".to_owned(), is_ours: false });
            true
        }
        _ => {
            let is_ours = Path::new(module).file_name().is_some_and(|name| name == "pam_sms.so");
            into.lines.push(Line { control: control.to_owned(), is_ours });
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "account required pam_sms.so\n";

    fn passes(stack: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service");
        fs::write(&path, stack.replace("HERE", folder.path().to_str().unwrap())).unwrap();
        fs::write(folder.path().join("ours"), OURS).unwrap();
        fs::write(folder.path().join("unix"), DEBIAN).unwrap();
        let twice = format!("account include {}\n", folder.path().join("twice").display());
        fs::write(folder.path().join("twice"), twice.repeat(2)).unwrap();
        let mut read = Read::default();
        collect(path.to_str().unwrap(), DEEPEST, &mut read) && all_pass_us(&read.lines)
    }

    /// Debian's common-account, behind which pam-auth-update puts what is additional.
    const DEBIAN: &str = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n\
                          account requisite pam_deny.so\naccount required pam_permit.so\n";

    #[test]
    fn our_line_must_be_required_and_nothing_may_pass_it_by() {
        for (stack, all_pass) in [
            (OURS, true),
            ("-account requisite\t/lib/security/pam_sms.so debug", true),
            ("account \\\n required \\\n pam_sms.so", true),
            ("account required pam_nologin.so\naccount required pam_sms.so", true),
            (&format!("{DEBIAN}{OURS}"), true),
            (&format!("account required pam_nologin.so\n@include HERE/unix\n{OURS}"), true),
            ("account required pam_unix.so\naccount include HERE/ours", true),
            ("account substack HERE/unix\naccount required pam_sms.so", true),
            ("account [success=1 default=bad] pam_unix.so\naccount required pam_sms.so", false),
            ("account [success=done default=bad] pam_unix.so\naccount required pam_sms.so", false),
            ("account sufficient pam_localuser.so\naccount required pam_sms.so", false),
            ("account optional pam_sms.so", false),
            ("account [default=ignore] pam_sms.so", false),
            ("account substack HERE/ours", false),
            ("account required pam_unix.so # pam_sms.so", false),
            ("account required pam_sms.so.old", false),
            ("auth requisite pam_sms.so", false),
            ("account include HERE/nowhere\naccount required pam_sms.so", false),
            ("account include HERE/service\naccount required pam_sms.so", false),
            ("account include HERE/twice\naccount required pam_sms.so", false),
            ("account", false),
            ("", false),
        ] {
            assert_eq!(passes(stack), all_pass, "{stack}");
        }
        assert!(!has_account_line("../etc/passwd"));
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
            "auth include COMMON\naccount sufficient pam_sms.so",
            "account required /lib/security/pam_sms.so [config=/a b]",
            "account",
            "",
        ] {
            fs::write(&path, text.replace("COMMON", common.to_str().unwrap())).unwrap();
            let stack = Folders(vec![folder.path().into()]).stack("service");
            let lines = stack.lines(Kind::Account);
            let ours = lines.iter().find_map(|line| line.ours());
            let read = ours
                .is_some_and(|ours| matches!(ours.control, Control::Required | Control::Requisite));
            let mut walked = Read::default();
            let walked =
                collect(path.to_str().unwrap(), DEEPEST, &mut walked)
                    && walked.lines.iter().find(|line| line.is_ours).is_some_and(|line| {
                        matches!(line.control.as_str(), "required" | "requisite")
                    });
            assert_eq!(walked, read, "{text}");
        }
    }
}
