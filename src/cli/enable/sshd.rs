//! sshd's own configuration: one file of ours that is read first, tried before it counts.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::plan::Service;
use crate::cli::files::{self, Change};
use crate::config::model::Config;

const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-pam-sms.conf";
const PROGRAM: &str = "/usr/sbin/sshd";
/// How long sshd may take to read its configuration again.
const PATIENCE: Duration = Duration::from_secs(10);
const PID_FILES: [&str; 2] = ["/run/sshd.pid", "/var/run/sshd.pid"];

/// The change that makes sshd fit for codes, or takes our file away where sshd does not ask.
///
/// # Errors
/// When sshd would not read our file, or root would be shut out.
pub fn drop_in(sshd: Option<&Service>, config: &Config) -> Result<Option<Change>, String> {
    let Some(service) = sshd else { return without_drop_in() };
    let main = fs::read_to_string("/etc/ssh/sshd_config")
        .map_err(|error| format!("/etc/ssh/sshd_config: {error}"))?;
    let includes = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("include"))
            && words.any(|word| word.contains("sshd_config.d/"))
    };
    if !main.lines().any(includes) {
        return Err("/etc/ssh/sshd_config does not read sshd_config.d: put the line `Include \
                    /etc/ssh/sshd_config.d/*.conf` at its top"
            .to_owned());
    }
    if service.keys && effective("permitrootlogin")?.is_some_and(|said| said.ends_with("password"))
    {
        return Err(
            "sshd has `PermitRootLogin prohibit-password`, which refuses the code after root's \
                    key: set `PermitRootLogin yes` (the key stays required), or `no`"
                .to_owned(),
        );
    }
    Change::to(DROP_IN, Some(text(service, config)))
}

fn text(service: &Service, config: &Config) -> String {
    let grace = config.code.lifetime.get().as_secs() + 60;
    let methods = match service.keys {
        true => "AuthenticationMethods publickey,keyboard-interactive\n",
        false => "",
    };
    format!(
        "# Written by `pam-sms enable sshd`; `pam-sms disable sshd` takes it away.\n\
         UsePAM yes\n\
         KbdInteractiveAuthentication yes\n\
         # The method `password` answers every question by itself; keyboard-interactive asks.\n\
         PasswordAuthentication no\n\
         # The lifetime of a code and a minute.\n\
         LoginGraceTime {grace}\n{methods}"
    )
}

/// Makes all changes of a plan, in an order in which nobody gets in meanwhile by less than before:
/// sshd asks for more before a stack asks for less, and the other way round.
///
/// # Errors
/// When one cannot be made, or sshd does not like its own.
pub fn make(plan: &[Change]) -> Result<(), String> {
    let (own, stacks): (Vec<&Change>, Vec<&Change>) = plan.iter().partition(|one| is_own(one));
    let adds = own.iter().any(|change| change.after.is_some());
    let make_own = || {
        own.iter().try_for_each(|change| change.apply())?;
        reload_if_changed(plan)
    };
    if adds {
        make_own()?;
    }
    stacks.iter().try_for_each(|change| change.apply())?;
    if adds { Ok(()) } else { make_own() }
}

/// Takes all changes of a plan back, in the order that [`make`] keeps, as far as that can be done.
///
/// # Errors
/// With what cannot.
pub fn unmake(plan: &[Change]) -> Result<(), String> {
    let (own, stacks): (Vec<&Change>, Vec<&Change>) = plan.iter().partition(|one| is_own(one));
    let back: Vec<Change> = own.iter().map(|change| change.back()).collect();
    let own_back = || files::write_all(&back).and_then(|()| reload_if_changed(&back));
    let stacks_back = || files::take_all_back(stacks.iter().copied());
    let done = match back.iter().any(|change| change.after.is_some()) {
        true => [own_back(), stacks_back()],
        false => [stacks_back(), own_back()],
    };
    let failed: Vec<String> = done.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Whether a change is sshd's own.
pub fn is_own(change: &Change) -> bool {
    change.path == Path::new(DROP_IN)
}

/// The change that takes our file away.
///
/// # Errors
/// When what is there cannot be read.
pub fn without_drop_in() -> Result<Option<Change>, String> {
    Change::to(DROP_IN, None)
}

/// Has sshd read its configuration, where a change is sshd's: tried first, and what it makes of it
/// compared with what was meant.
///
/// # Errors
/// When sshd would not start with it, or something before us has said otherwise.
fn reload_if_changed(plan: &[Change]) -> Result<(), String> {
    let Some(change) = plan.iter().find(|change| change.path == Path::new(DROP_IN)) else {
        return Ok(());
    };
    run(&["-t"])?;
    for line in change.after.iter().flat_map(|text| text.lines()) {
        let Some((key, wanted)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let said = effective(&key.to_lowercase())?.unwrap_or_default();
        if !said.eq_ignore_ascii_case(wanted) {
            return Err(format!(
                "sshd makes `{key} {said}` of our `{line}`: something says so before {DROP_IN}"
            ));
        }
    }
    reload()
}

fn effective(key: &str) -> Result<Option<String>, String> {
    let said = run(&["-T", "-C", "user=root,host=localhost,addr=127.0.0.1"])?;
    let find = |line: &str| {
        line.split_once(' ').filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
    };
    Ok(said.lines().find_map(find))
}

fn run(arguments: &[&str]) -> Result<String, String> {
    let run = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .map_err(|error| format!("{PROGRAM}: {error}"))?;
    match run.status.success() {
        true => Ok(String::from_utf8_lossy(&run.stdout).into_owned()),
        false => Err(format!("sshd: {}", String::from_utf8_lossy(&run.stderr).trim())),
    }
}

/// Sessions stay; new ones are served by the new configuration. An sshd that does not run needs none.
fn reload() -> Result<(), String> {
    if Path::new("/run/systemd/system").is_dir() {
        for unit in ["ssh.service", "sshd.service"] {
            let asked = Command::new("systemctl").args(["try-reload-or-restart", unit]).status();
            if asked.is_ok_and(|status| status.success()) {
                return Ok(());
            }
        }
    }
    let Some(file) = PID_FILES.iter().map(Path::new).find(|path| path.exists()) else {
        return Ok(());
    };
    let about = |error: io::Error| format!("sshd is not reloaded: {error}");
    let pid = fs::read_to_string(file).map_err(about)?;
    let pid = pid.trim().parse().map_err(|_| format!("{}: holds no number", file.display()))?;
    let before = written(file);
    crate::sys::hang_up(pid).map_err(about)?;
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
