//! A trial ends when the machine starts: a change nobody has logged in through must not survive that.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::cli::files::Change;

const UNIT: &str = "/etc/systemd/system/pam-sms-take-back.service";
const WANTS: &str = "/etc/systemd/system/multi-user.target.wants";
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/pam-sms-take-back.service";
const CRON: &str = "/etc/cron.d/pam-sms-take-back";

/// Whether this machine has somebody who will do it.
///
/// # Errors
/// When it has neither systemd nor cron.
pub fn can_take_back() -> Result<(), String> {
    if has_systemd() || has_cron() {
        return Ok(());
    }
    Err("this machine has neither systemd nor cron to put things back if it is started anew \
         meanwhile: install cron, or say --no-rollback and keep a root session open"
        .to_owned())
}

/// Has it done from now on.
///
/// # Errors
/// When a file cannot be written.
pub fn install() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = program.display();
    if !has_systemd() {
        return write(CRON, format!("@reboot root {program} enable --at-boot\n"));
    }
    let text = format!(
        "[Unit]\nDescription=Put back stacks that pam-sms has changed on trial\n\
         Before=ssh.service sshd.service systemd-user-sessions.service\n\n\
         [Service]\nType=oneshot\nExecStart={program} enable --at-boot\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    write(UNIT, text)?;
    // What `systemctl enable` does, which needs a systemd that answers.
    let linked = fs::create_dir_all(WANTS).and_then(|()| {
        let _ = fs::remove_file(WANTED);
        symlink(UNIT, WANTED)
    });
    linked.map_err(|error| format!("{WANTED}: {error}"))?;
    tell();
    Ok(())
}

/// Has it done no longer.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove() -> Result<(), String> {
    for path in [WANTED, UNIT, CRON] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{path}: {error}"));
            }
            _ => {}
        }
    }
    tell();
    Ok(())
}

fn write(path: &str, text: String) -> Result<(), String> {
    Change::to(path, Some(text))?.map_or(Ok(()), |change| change.apply())
}

/// Tells systemd that units have come or gone; it reads them at the next start anyway.
fn tell() {
    if has_systemd() {
        let _ = Command::new("systemctl").arg("daemon-reload").output();
    }
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn has_cron() -> bool {
    let programs = ["/usr/sbin/cron", "/usr/sbin/crond"];
    Path::new("/etc/cron.d").is_dir() && programs.iter().any(|path| Path::new(path).exists())
}
