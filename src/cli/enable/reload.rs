//! Has sshd read its configuration, and makes sure that it has.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::sshd::settings;
use crate::cli::sshd::ELSE;
use crate::sys;

/// How long sshd may take to read its configuration again.
const PATIENCE: Duration = Duration::from_secs(10);
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];

/// The sshd that is to read its configuration.
enum Server {
    /// It does not run, or is started for each connection.
    Absent,
    Unit(&'static str),
    Process(PathBuf, i32),
}

/// Sessions stay; new ones are served by the new configuration.
///
/// # Errors
/// When it runs and cannot be told, or does not come back.
pub fn reload() -> Result<(), String> {
    match find()? {
        Server::Absent => Ok(()),
        Server::Unit(unit) if systemctl(&["reload", unit]) => Ok(()),
        Server::Unit(unit) => Err(format!("`systemctl reload {unit}` fails")),
        Server::Process(file, pid) => hang_up(&file, pid),
    }
}

/// Whether it can be told, before anything is changed that it would have to read.
///
/// # Errors
/// When it runs and cannot be.
pub fn can_reload() -> Result<(), String> {
    find().map(drop)
}

fn find() -> Result<Server, String> {
    if let Some(unit) = active_unit() {
        return Ok(Server::Unit(unit));
    }
    // Where sshd says that it writes its number.
    let file = Some(settings(ELSE)?.get("pidfile").to_owned())
        .filter(|said| said.starts_with('/'))
        .map(PathBuf::from);
    match (file.and_then(|file| running(&file).map(|pid| (file, pid))), listener()) {
        (Some((file, pid)), _) => Ok(Server::Process(file, pid)),
        (None, None) => Ok(Server::Absent),
        (None, Some(pid)) => Err(format!(
            "the sshd that listens (process {pid}) is no unit ssh or sshd of systemd and keeps no PID \
             file, so it cannot be told to read its configuration: set `PidFile` in sshd_config, and \
             start it anew"
        )),
    }
}

fn active_unit() -> Option<&'static str> {
    let is_active = |unit: &&&str| systemctl(&["is-active", "--quiet", unit]);
    let has_systemd = Path::new("/run/systemd/system").is_dir();
    UNITS.iter().filter(|_| has_systemd).find(is_active).copied()
}

fn systemctl(arguments: &[&str]) -> bool {
    Command::new("systemctl").args(arguments).status().is_ok_and(|status| status.success())
}

/// The number in the file, where that is an sshd's still.
fn running(file: &Path) -> Option<i32> {
    let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    is_sshd(pid).then_some(pid)
}

/// By the program it runs, of which an upgrade may have left the name only.
fn is_sshd(pid: i32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        matches!(name.trim_end_matches(" (deleted)"), "sshd")
    })
}

/// An sshd that waits for connections where these files are the ones it reads.
fn listener() -> Option<i32> {
    let place = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let here = place("self");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    pids.find(|pid: &i32| {
        let title = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        title.contains("[listener]") && is_sshd(*pid) && place(&pid.to_string()) == here
    })
}

fn hang_up(file: &Path, pid: i32) -> Result<(), String> {
    let about = |error: io::Error| format!("sshd is not reloaded: {error}");
    let before = written(file);
    sys::hang_up(pid).map_err(about)?;
    // It writes this file anew once it listens again; to ask before that would be to ask nobody.
    let deadline = Instant::now() + PATIENCE;
    while written(file).is_none_or(|now| Some(now) == before) {
        if Instant::now() > deadline {
            return Err(
                "sshd does not come back after it was told to read its configuration".to_owned()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// When a file was written, and as which.
fn written(path: &Path) -> Option<(u64, i64, i64)> {
    fs::metadata(path).ok().map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec()))
}
