//! The corpus of stacks and sshd configurations in `tests/corpus/`.
//!
//! A case is one file. Its head says what it is about, what it stands on, which service it is for and
//! what `pam-sms check` finds there, neither more nor less:
//!
//! ```text
//! # The line before the password.
//! # base: debian12                folders of base/, laid over one another
//! # service: sshd                 for --service; nothing: all
//! # finds: sms-before-password    errors and warnings
//! @@ common-auth: before TEXT     lines before the first one that holds TEXT (or: after, replace)
//! auth requisite pam_sms.so services=sshd
//! @@ /etc/ssh/sshd_config         a whole file
//! ```
//!
//! A name without a path is a file in `/etc/pam.d`. Further heads: `asks: no`, the service is not asked
//! for a code; `denies: yes`, nobody gets in whatever they type; `key first: yes`, sshd asks for a key
//! before PAM, so that the stack by itself proves nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, install_host_key};

/// What every sshd needs that asks for codes.
pub const SSHD_BASE: &str =
    "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n";
/// The rest of one that asks for a password and a code.
const SSHD: &str =
    "AuthenticationMethods keyboard-interactive\nLoginGraceTime 400\nPermitRootLogin no\n";

/// One case.
pub struct Case {
    pub name: String,
    head: BTreeMap<String, String>,
    parts: Vec<(String, String)>,
}

/// All cases, by name.
pub fn cases() -> Vec<Case> {
    let entries = fs::read_dir(folder("cases")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut parts = text.split("\n@@ ");
        let head = parts.next().unwrap().lines().filter_map(|line| {
            let (key, value) = line.strip_prefix("# ")?.split_once(':')?;
            Some((key.to_owned(), value.trim().to_owned()))
        });
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let head: BTreeMap<_, _> = head.collect();
        assert!(head.contains_key("base") && head.contains_key("finds"), "{name}: {head:?}");
        let part = |part: &str| {
            let (what, lines) = part.split_once('\n').unwrap_or((part, ""));
            (what.to_owned(), format!("{}\n", lines.trim_end()))
        };
        Self { parts: parts.map(part).collect(), head, name }
    }

    /// What stands behind a word of the head.
    pub fn says(&self, key: &str) -> &str {
        self.head.get(key).map_or("", String::as_str)
    }

    /// Makes the machine what the case is about, without the seconds that modules wait after failures.
    pub fn install(&self, machine: &Machine) {
        let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
        for base in self.says("base").split_whitespace() {
            for entry in fs::read_dir(folder("base").join(base)).unwrap().flatten() {
                let text = fs::read_to_string(entry.path()).unwrap();
                files.insert(Path::new("/etc/pam.d").join(entry.file_name()), text);
            }
        }
        files.insert("/etc/ssh/sshd_config".into(), format!("{SSHD_BASE}{SSHD}"));
        files.insert("/etc/login.defs".into(), "LOGIN_TIMEOUT 360\nUID_MIN 1000\n".to_owned());
        for (what, lines) in &self.parts {
            let (file, edit) = what.split_once(": ").unwrap_or((what, ""));
            let text = files.entry(Path::new("/etc/pam.d").join(file)).or_default();
            *text = edited(text, edit, lines).unwrap_or_else(|| panic!("{}: {what}", self.name));
        }
        for folder in ["/etc/pam.d", "/usr/lib/pam.d", "/etc/ssh/sshd_config.d"] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        install_host_key(machine);
        for (path, text) in files {
            let text = text.replace("pam_unix.so", "pam_unix.so nodelay");
            let text = text.replace("delay=3000000", "delay=0").replace("delay=2000000", "delay=0");
            let mode = if path.starts_with("/etc/pam-sms") { 0o600 } else { 0o644 };
            machine.file(path, text, mode);
        }
    }
}

/// The text after an edit; nothing where what it is about is not there.
fn edited(text: &str, edit: &str, lines: &str) -> Option<String> {
    let Some((how, mark)) = edit.split_once(' ') else { return Some(lines.to_owned()) };
    let start = text.find(mark)?;
    let start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length + 1);
    let (from, to) = match how {
        "before" => (start, start),
        "after" => (end, end),
        "replace" => (start, end),
        _ => return None,
    };
    Some(format!("{}{lines}{}", &text[..from], &text[to..]))
}
