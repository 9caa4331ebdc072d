//! What a module may answer in its auth lines.
//!
//! Three sorts matter: those that judge a proof (a password, a key), those whose answer is always the
//! same, and those that may answer this or that, of which every answer is looked at.

use std::path::{Path, PathBuf};

use super::Module;
use super::control::Code;

/// What a module does in a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sort {
    /// It judges a proof; these are its answers to a wrong one.
    FirstFactor(&'static [Code]),
    /// It answers one of these, whatever is typed.
    Answers(Vec<Code>),
}

const IGNORE: &[Code] = &[Code::IGNORE];
const SUCCESS: &[Code] = &[Code::SUCCESS];
const DENIED: &[Code] = &[Code::AUTH_ERR];
const EITHER: &[Code] = &[Code::SUCCESS, Code::AUTH_ERR];
const QUIET: &[Code] = &[Code::SUCCESS, Code::IGNORE];
/// Those that ask elsewhere may not know the account, or nobody may answer.
const WRONG: &[Code] = &[Code::AUTH_ERR, Code::USER_UNKNOWN, Code::AUTHINFO_UNAVAIL];

/// What modules of Linux-PAM and its neighbours answer. What is not here judges a proof: a module that
/// nobody knows is asked for something.
const KNOWN: [(&str, &[Code]); 40] = [
    ("pam_access", EITHER),
    ("pam_cap", QUIET),
    ("pam_deny", DENIED),
    ("pam_echo", IGNORE),
    ("pam_ecryptfs", EITHER),
    ("pam_env", IGNORE),
    ("pam_exec", EITHER),
    ("pam_faildelay", IGNORE),
    ("pam_gnome_keyring", QUIET),
    ("pam_group", IGNORE),
    ("pam_issue", IGNORE),
    ("pam_keyinit", IGNORE),
    ("pam_kwallet5", IGNORE),
    ("pam_lastlog", IGNORE),
    ("pam_listfile", EITHER),
    ("pam_localuser", &[Code::SUCCESS, Code::PERM_DENIED]),
    ("pam_loginuid", IGNORE),
    ("pam_mail", IGNORE),
    ("pam_motd", IGNORE),
    ("pam_mount", QUIET),
    ("pam_nologin", IGNORE),
    ("pam_permit", SUCCESS),
    ("pam_rhosts", EITHER),
    ("pam_rootok", EITHER),
    ("pam_script", EITHER),
    ("pam_securetty", SUCCESS),
    ("pam_selinux", IGNORE),
    ("pam_selinux_permit", IGNORE),
    ("pam_sepermit", IGNORE),
    ("pam_shells", SUCCESS),
    ("pam_succeed_if", EITHER),
    ("pam_systemd", IGNORE),
    ("pam_tally", SUCCESS),
    ("pam_tally2", SUCCESS),
    ("pam_time", EITHER),
    ("pam_timestamp", EITHER),
    ("pam_umask", IGNORE),
    ("pam_usertype", EITHER),
    ("pam_warn", IGNORE),
    ("pam_wheel", &[Code::SUCCESS, Code::PERM_DENIED, Code::IGNORE]),
];

/// What `module` does, where its file is in one of `libraries`.
#[must_use]
pub fn sort(module: &Module, libraries: &[PathBuf]) -> Sort {
    if !is_there(&module.path, libraries) {
        return Sort::Answers(vec![Code::MODULE_UNKNOWN]);
    }
    let stem = module.name().trim_end_matches(".so");
    let has = |word: &str| module.arguments.iter().any(|argument| argument == word);
    match stem {
        "pam_unix" => Sort::FirstFactor(DENIED),
        "pam_debug" => Sort::Answers(vec![debug(&module.arguments)]),
        // It counts a failure and has no say itself; before and after a password it agrees.
        "pam_faillock" if has("authfail") => Sort::Answers(IGNORE.to_vec()),
        "pam_faillock" => Sort::Answers(SUCCESS.to_vec()),
        _ => match KNOWN.iter().find(|(name, _)| *name == stem) {
            Some((_, answers)) => Sort::Answers(answers.to_vec()),
            None => Sort::FirstFactor(WRONG),
        },
    }
}

/// pam_debug answers what it is told.
fn debug(arguments: &[String]) -> Code {
    let told = arguments.iter().find_map(|argument| argument.strip_prefix("auth="));
    told.and_then(Code::named).unwrap_or(Code::SUCCESS)
}

/// Whether libpam finds the file of a module.
#[must_use]
pub fn is_there(path: &str, libraries: &[PathBuf]) -> bool {
    match path.starts_with('/') {
        true => Path::new(path).is_file(),
        // Where the folder is not known, nothing can be said of what is in it.
        false => libraries.is_empty() || libraries.iter().any(|folder| folder.join(path).is_file()),
    }
}

/// The folders in which libpam may look for modules: which one was decided when it was built, so it is
/// known by the module that every system has.
#[must_use]
pub fn libraries() -> Vec<PathBuf> {
    let roots = ["/usr/lib", "/lib", "/usr/lib64", "/lib64"];
    let inside = roots.iter().filter_map(|root| std::fs::read_dir(root).ok()).flatten().flatten();
    let candidates = inside.map(|entry| entry.path()).chain(roots.map(PathBuf::from));
    let mut found: Vec<_> = candidates
        .map(|folder| folder.join("security"))
        .filter(|folder| folder.join("pam_permit.so").is_file())
        .collect();
    found.sort();
    found.dedup();
    found
}
