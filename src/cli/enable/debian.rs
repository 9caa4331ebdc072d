//! Debian's own way to change common stacks: pam-auth-update, of which only our options are edited.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::pam;
use super::plan::Service;
use crate::cli::files::{self, Change};

const PROGRAM: &str = "/usr/sbin/pam-auth-update";
const PROFILE: &str = "usr/share/pam-configs/pam-sms";
/// Folders that it reads and writes, of which it works on copies here.
const FOLDERS: [&str; 3] = ["etc/pam.d", "usr/share/pam-configs", "var/lib/pam"];
const COMMON_AUTH: &str = "etc/pam.d/common-auth";

/// The profile, which the package brings, too.
const PROFILE_TEXT: &str = include_str!("../../../packaging/debian/pam-configs/pam-sms");

/// Whether stacks are managed by it.
#[must_use]
pub fn is_here() -> bool {
    Path::new(PROGRAM).is_file() && Path::new("/").join(COMMON_AUTH).is_file()
}

/// Whether a file is its to write.
#[must_use]
pub fn manages(path: &Path) -> bool {
    let is_common =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("common-"));
    let folder = |folder: &&str| path.starts_with(Path::new("/").join(folder));
    is_common || FOLDERS[1..].iter().any(folder)
}

/// What it would make of the common stacks, if exactly `services` ask: it is run on copies.
///
/// # Errors
/// When it fails, or leaves stacks alone because somebody has edited them.
pub fn towards(services: &[&Service]) -> Result<Vec<Change>, String> {
    let root = tempdir()?;
    let said = work(root.path(), services);
    said.map_err(|error| format!("{PROGRAM}: {error}"))?;
    let mut plan = Vec::new();
    for folder in FOLDERS {
        for name in names(&root.path().join(folder))? {
            let path = Path::new("/").join(folder).join(&name);
            let after = files::read(&root.path().join(folder).join(&name))?;
            plan.extend(Change::to(path, after)?);
        }
    }
    Ok(plan)
}

fn work(root: &Path, services: &[&Service]) -> Result<(), String> {
    for folder in FOLDERS {
        copy(&Path::new("/").join(folder), &root.join(folder))
            .map_err(|error| error.to_string())?;
    }
    let profile = root.join(PROFILE);
    let named = |root: &Path| {
        let text = files::read(&root.join(COMMON_AUTH))?.unwrap_or_default();
        Ok::<_, String>(text.lines().any(pam::names_us))
    };
    if services.is_empty() {
        if named(root)? {
            update(root, "--disable")?;
        }
        return match named(root)? {
            true => Err(format!("/{COMMON_AUTH} was edited by hand: take our line out yourself")),
            false => Ok(()),
        };
    }
    if !profile.exists() {
        fs::write(&profile, PROFILE_TEXT).map_err(|error| error.to_string())?;
    }
    if !named(root)? {
        update(root, "--enable")?;
    }
    let list: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let text = files::read(&root.join(COMMON_AUTH))?.unwrap_or_default();
    let edited = pam::with_services(&text, &list.join(",")).ok_or_else(|| {
        format!(
            "/{COMMON_AUTH} was edited by hand, so it is left alone: add the line \
             `auth requisite pam_sms.so services={}` behind the password yourself",
            list.join(",")
        )
    })?;
    fs::write(root.join(COMMON_AUTH), edited).map_err(|error| error.to_string())
}

fn update(root: &Path, what: &str) -> Result<(), String> {
    let run = Command::new(PROGRAM)
        .arg("--root")
        .arg(root)
        .args([what, "pam-sms"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        // `--root` moves files and not debconf's answers, which are the machine's.
        .env("DEBCONF_DB_REPLACE", format!("File{{{}}}", root.join("debconf.dat").display()))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .map_err(|error| error.to_string())?;
    match run.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&run.stderr).trim().to_owned()),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// The files of which both the copy and the machine are looked at.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        names.push(entry.map_err(fail)?.file_name());
    }
    names.sort();
    Ok(names)
}

/// A folder that only root can look into, and that is gone afterwards.
fn tempdir() -> Result<tempfile::TempDir, String> {
    tempfile::Builder::new()
        .prefix("pam-sms-")
        .tempdir()
        .map_err(|error| format!("no folder for a copy of the stacks: {error}"))
}
