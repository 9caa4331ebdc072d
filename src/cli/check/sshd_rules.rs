//! What of sshd's settings does not go with a code.

use super::Case;
use super::catalogue::{self, Entry};
use super::services::TO_TYPE;
use super::ways::Shape;
use crate::cli::sshd::Settings;
use crate::config::model::PolicyRules;
use crate::sys;

/// A finding for one account.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) entry: &'static Entry,
    /// The setting, whose line is looked for.
    pub(super) keyword: &'static str,
    pub(super) what: String,
    pub(super) change: String,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// What is judged, and what was found.
struct Judgement<'a> {
    case: &'a Case<'a>,
    shape: &'a Shape,
    settings: &'a Settings,
    user: &'a str,
    told: Vec<Told>,
}

/// Below this, keys that a client offers use up the tries.
const FEWEST_TRIES: u32 = 3;
const KEYBOARD: &str = "keyboard-interactive";

/// Judges the settings that hold for `user`; nothing, where sshd lets nobody of that name in.
pub(super) fn judge(
    case: &Case<'_>,
    shape: &Shape,
    user: &str,
    settings: &Settings,
) -> Option<Vec<Told>> {
    let mut judgement = Judgement { case, shape, settings, user, told: Vec::new() };
    if user == "root" && settings.get("permitrootlogin") == "no" {
        return None;
    }
    if !settings.is_yes("usepam") {
        judgement.set(&catalogue::SSHD_PAM, "UsePAM", "no", "yes");
        return Some(judgement.told);
    }
    if settings.get("kbdinteractiveauthentication") == "no" {
        let key = "KbdInteractiveAuthentication";
        judgement.set(&catalogue::SSHD_KEYBOARD, key, "no", "yes");
    }
    judgement.methods();
    judgement.root();
    judgement.times();
    judgement.names();
    Some(judgement.told)
}

impl Judgement<'_> {
    fn add(&mut self, entry: &'static Entry, keyword: &'static str, what: String, change: &str) {
        self.told.push(Told { entry, keyword, what, change: change.to_owned() });
    }

    fn set(&mut self, entry: &'static Entry, keyword: &'static str, is: &str, must: &str) {
        let change = format!(
            "write `{keyword} {must}` into /etc/ssh/sshd_config.d/00-pam-sms.conf and reload sshd"
        );
        self.add(entry, keyword, format!("`{keyword}` is `{is}`"), &change);
    }

    /// Which ways in there are, and whether each of them asks for a code.
    fn methods(&mut self) {
        const KEY: &str = "AuthenticationMethods";
        const WRITE: &str = "write `AuthenticationMethods publickey,keyboard-interactive`, for those who \
                             have no key `AuthenticationMethods keyboard-interactive`";
        let lists = self.settings.methods();
        if lists.is_empty() {
            return self.any_method();
        }
        let shown = self.settings.get("authenticationmethods").to_owned();
        if lists.iter().any(|list| list.contains(&"password")) {
            let what = format!("`{KEY} {shown}` has the method `password`");
            let change = "write `keyboard-interactive` in its place: it asks for password and code";
            self.add(&catalogue::SSHD_METHOD_PASSWORD, KEY, what, change);
        }
        let passes = |list: &&Vec<&str>| !list.contains(&KEYBOARD) && !list.contains(&"password");
        let passing = lists.iter().filter(passes).count();
        let is_spared = is_spared(&self.case.config.policy, self.user);
        if passing == lists.len() && !is_spared {
            let what = format!("`{KEY} {shown}` never comes to PAM");
            self.add(&catalogue::SSHD_METHODS, KEY, what, WRITE);
        } else if passing > 0 && !is_spared {
            let what = format!("`{KEY} {shown}` has a list without keyboard-interactive");
            self.add(&catalogue::SSHD_METHODS_SOME, KEY, what, "take that list out");
        }
        let only_code = |list: &Vec<&str>| list.iter().all(|method| *method == KEYBOARD);
        if self.shape.alone && lists.iter().any(only_code) {
            let what = format!("`{KEY} {shown}` asks for nothing but the code");
            let change = "write `AuthenticationMethods publickey,keyboard-interactive`";
            self.add(&catalogue::SSHD_ALONE, KEY, what, change);
        }
        let both = |list: &Vec<&str>| list.contains(&KEYBOARD) && list.contains(&"publickey");
        if self.shape.asks_password && lists.iter().any(both) {
            let what = format!("`{KEY} {shown}`, and the stack of sshd asks for a password");
            let change = "for key and code only, see pam.d-example/sshd-key";
            self.add(&catalogue::SSHD_THREE, KEY, what, change);
        }
    }

    /// Without lists each method lets in by itself.
    fn any_method(&mut self) {
        const KEY: &str = "AuthenticationMethods";
        if self.settings.is_yes("passwordauthentication") {
            self.set(&catalogue::SSHD_PASSWORD, "PasswordAuthentication", "yes", "no");
        }
        if self.shape.alone {
            let change = "write `AuthenticationMethods publickey,keyboard-interactive`";
            self.add(&catalogue::SSHD_ALONE, KEY, format!("`{KEY}` is not set"), change);
        }
        let others = ["pubkeyauthentication", "gssapiauthentication", "hostbasedauthentication"];
        if others.iter().any(|name| self.settings.is_yes(name)) {
            let change = "write `AuthenticationMethods publickey,keyboard-interactive` for key and code, or \
                          `AuthenticationMethods keyboard-interactive` for password and code";
            let what = format!("keys are accepted, and `{KEY}` is not set");
            self.add(&catalogue::SSHD_KEYS, KEY, what, change);
        }
    }

    fn root(&mut self) {
        let permit = self.settings.get("permitrootlogin");
        let refuses = ["without-password", "prohibit-password"].contains(&permit);
        let lists = self.settings.methods();
        let asks = |list: &Vec<&str>| list.contains(&KEYBOARD);
        if self.user == "root" && refuses && lists.iter().any(asks) {
            let change = "write `PermitRootLogin yes` (AuthenticationMethods still demands the key), or \
                          `Match User root` with `AuthenticationMethods publickey` at the end";
            let what = "`PermitRootLogin prohibit-password` with keyboard-interactive in \
                        `AuthenticationMethods`";
            self.add(&catalogue::SSHD_ROOT, "PermitRootLogin", what.to_owned(), change);
        }
    }

    fn times(&mut self) {
        let lifetime = self.case.config.code.lifetime.get().as_secs();
        let needed = lifetime + TO_TYPE;
        let number = |name: &str| self.settings.get(name).parse::<u64>().ok();
        if let Some(grace) = number("logingracetime").filter(|grace| *grace != 0 && *grace < needed)
        {
            let key = "LoginGraceTime";
            let what = format!("`{key}` is {grace} s, a code is good for {lifetime} s");
            let change = format!("write `{key} {needed}`");
            self.add(&catalogue::SSHD_GRACE, key, what, &change);
        }
        let tries = self.settings.get("maxauthtries").parse::<u32>().unwrap_or(FEWEST_TRIES);
        if tries < FEWEST_TRIES && self.settings.is_yes("pubkeyauthentication") {
            let (is, must) = (tries.to_string(), FEWEST_TRIES.to_string());
            self.set(&catalogue::SSHD_TRIES, "MaxAuthTries", &is, &must);
        }
        let penalties = self.settings.get("persourcepenalties");
        let seconds = penalties.split_whitespace().find_map(|p| p.strip_prefix("authfail:"));
        if let Some(seconds) = seconds {
            let what = format!("`PerSourcePenalties` counts {seconds} s for each failed login");
            let change = "write the networks of your offices into `PerSourcePenaltyExemptList`";
            self.add(&catalogue::SSHD_PENALTIES, "PerSourcePenalties", what, change);
        }
    }

    fn names(&mut self) {
        let is_used = !self.case.config.policy.skip_networks.is_empty();
        if is_used && self.settings.is_yes("usedns") {
            self.set(&catalogue::SSHD_NAMES, "UseDNS", "yes", "no");
        }
    }
}

/// Whether nothing has to ask this person, so that sshd need not. Where somebody is asked whatever spares
/// them, nobody counts as spared.
fn is_spared(policy: &PolicyRules, user: &str) -> bool {
    if !policy.require_users.is_empty() || !policy.require_groups.is_empty() {
        return false;
    }
    let groups = || match sys::account(user) {
        Ok(Some(account)) => sys::groups_of(&account),
        _ => Vec::new(),
    };
    let is_in =
        |group: &String| matches!(sys::group_id(group), Ok(Some(id)) if groups().contains(&id));
    policy.skip_users.iter().any(|name| name == user) || policy.skip_groups.iter().any(is_in)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::check::Arguments;
    use crate::config::file::Trust;
    use crate::config::source::Sources;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        check: Arguments,
    }

    /// The ids that are told for a password stack and these settings.
    fn ids(settings: &str) -> Vec<&'static str> {
        let arguments = Line::parse_from(["check"]).check;
        let sources = Sources::from_text("config.toml", "");
        let config = sources.parse().unwrap();
        let case = Case {
            arguments: &arguments,
            trust: Trust::Anyone,
            sources: &sources,
            config: &config,
            gateway: None,
            everyone: None,
        };
        let shape = Shape { asks_password: true, alone: false };
        let base = "usepam yes\nkbdinteractiveauthentication yes\nauthenticationmethods keyboard-interactive\n";
        let settings = Settings::parse(&format!("{settings}{base}"));
        let told = judge(&case, &shape, "alice", &settings).unwrap();
        told.iter().map(|told| told.entry.id).collect()
    }

    #[test]
    fn penalties_of_newer_versions_are_noted() {
        // As OpenSSH 9.8 and 10 print it; versions before say nothing.
        let penalties = "persourcepenalties crash:90.000000 authfail:5.000000 noauth:1.000000 \
                         grace-exceeded:20.000000 refuseconnection:10.000000 max:600.000000 min:15.000000\n";
        assert_eq!(ids(penalties), ["sshd-penalties"]);
        assert_eq!(ids("persourcepenalties no\n"), [""; 0]);
        assert_eq!(ids(""), [""; 0]);
    }

    #[test]
    fn times_are_compared_with_the_life_of_a_code() {
        for (grace, told) in [("359", 1), ("360", 0), ("0", 0)] {
            assert_eq!(ids(&format!("logingracetime {grace}\n")).len(), told, "{grace}");
        }
    }
}
