//! sshd's own configuration: one file of ours that is read first, tried before it counts.

use std::fs;
use std::path::Path;

use super::plan::Service;
use super::reload::{can_reload, reload};
use crate::cli::files::{self, Change};
use crate::cli::sshd::{self, Settings};
use crate::config::model::{Config, PolicyRules};

const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-pam-sms.conf";
const METHODS: &str = "AuthenticationMethods publickey,keyboard-interactive\n";

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
    if service.keys && settings("root")?.get("permitrootlogin").ends_with("password") {
        return Err(
            "sshd has `PermitRootLogin prohibit-password`, which refuses the code after root's \
                    key: set `PermitRootLogin yes` (the key stays required), or `no`"
                .to_owned(),
        );
    }
    Change::to(DROP_IN, Some(text(service, config)))
}

/// Whether our file spares other people than the configuration does, which has changed since.
#[must_use]
pub fn is_out_of_date(config: &Config) -> bool {
    let Ok(text) = fs::read_to_string(DROP_IN) else { return false };
    let is_ours = |text: &str| text.split_once(METHODS).map(|(_, spared)| spared.to_owned());
    is_ours(&text).is_some_and(|spared| spared != of_programs(&config.policy))
}

fn text(service: &Service, config: &Config) -> String {
    let grace = config.code.lifetime.get().as_secs() + 60;
    let methods = match service.keys {
        true => format!("{METHODS}{}", of_programs(&config.policy)),
        false => String::new(),
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

/// Whom `[policy]` spares needs no prompt, and programs cannot have one: ssh's BatchMode refuses
/// keyboard-interactive as such. The block ends with our file.
///
/// Where somebody is asked whatever spares them (`require_*`) there is none: sshd compares names as they
/// were typed and groups by their names, so an exception in it could be walked around.
fn of_programs(policy: &PolicyRules) -> String {
    if !policy.require_users.is_empty() || !policy.require_groups.is_empty() {
        return String::new();
    }
    // What is no pattern, list or blank to sshd; `check` tells of the others.
    let is_plain = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@+$".contains(&byte))
    };
    let block = |criterion: &str, names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).filter(is_plain).collect();
        match names.is_empty() {
            true => String::new(),
            false => {
                format!(
                    "Match {criterion} {}\n    AuthenticationMethods publickey\n",
                    names.join(",")
                )
            }
        }
    };
    block("Group", &policy.skip_groups) + &block("User", &policy.skip_users)
}

/// Whether sshd could be told of a plan, before anything is changed.
///
/// # Errors
/// When it runs and cannot be.
pub fn can_make(plan: &[Change]) -> Result<(), String> {
    if plan.iter().any(is_own) { can_reload() } else { Ok(()) }
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
    let own_back =
        || files::take_all_back(own.iter().copied()).and_then(|()| reload_if_changed(&back));
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
    sshd::try_out(program()?).map_err(|said| format!("sshd: {said}"))?;
    // For somebody whom no `Match` block of ours is about.
    let settings = settings(sshd::ELSE)?;
    let lines = change.after.iter().flat_map(|text| text.lines());
    for line in lines.take_while(|line| !line.starts_with("Match ")) {
        let Some((key, wanted)) = line.split_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let said = settings.get(&key.to_lowercase());
        if !said.eq_ignore_ascii_case(wanted) {
            return Err(format!(
                "sshd makes `{key} {said}` of our `{line}`: something before {DROP_IN}, or a \
                 `Match` block, says so"
            ));
        }
    }
    reload()
}

/// What sshd makes of its configuration for an account.
///
/// # Errors
/// When it is not there, or would not start.
pub fn settings(user: &str) -> Result<Settings, String> {
    sshd::ask(program()?, user).map_err(|said| format!("sshd: {said}"))
}

fn program() -> Result<&'static str, String> {
    sshd::program().ok_or_else(|| format!("there is no sshd at {}", sshd::PROGRAMS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Sources;

    fn block(policy: &str) -> String {
        let sources = Sources::from_text("config.toml", &format!("[policy]\n{policy}"));
        let config: Config = sources.parse().unwrap();
        of_programs(&config.policy)
    }

    #[test]
    fn sshd_frees_whom_policy_spares_and_nobody_whom_it_requires() {
        const FREE: &str = "\n    AuthenticationMethods publickey\n";
        for (policy, wanted) in [
            ("", String::new()),
            ("skip_groups = ['automation']", format!("Match Group automation{FREE}")),
            (
                "skip_groups = ['ci', 'bots']\nskip_users = ['backup']",
                format!("Match Group ci,bots{FREE}Match User backup{FREE}"),
            ),
            // An exception could be walked around, by another spelling of a name.
            ("skip_groups = ['ci']\nrequire_users = ['eve']", String::new()),
            ("skip_users = ['eve']\nrequire_groups = ['wheel']", String::new()),
            // What is more than a name to sshd frees nobody.
            ("skip_groups = ['*', 'a b', 'ci']", format!("Match Group ci{FREE}")),
        ] {
            assert_eq!(block(policy), wanted, "{policy}");
        }
    }
}
