//! What sshd makes of its configuration, in its own words: `sshd -T`, for one account at a time, so that
//! `Match` blocks are taken into account.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Where sshd is.
pub const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"];
/// An account that stands for everybody who is named in no `Match` block.
pub const ELSE: &str = "nobody";
/// Where the client is said to be: an address for documentation (RFC 5737).
const CLIENT: &str = "host=client.invalid,addr=192.0.2.1";

/// sshd's settings for one account, by lower-case name.
#[derive(Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads what `sshd -T` says.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let mut settings = BTreeMap::new();
        for (name, value) in pairs {
            settings.entry(name.to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
        }
        Self(settings)
    }

    /// The value of a setting, or nothing where this sshd does not know it.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether it is `yes`.
    #[must_use]
    pub fn is_yes(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// The lists of methods, each as the names of its methods; none where any will do.
    #[must_use]
    pub fn methods(&self) -> Vec<Vec<&str>> {
        match self.get("authenticationmethods") {
            "" | "any" => Vec::new(),
            lists => lists
                .split_whitespace()
                .map(|list| list.split(',').map(|m| m.split(':').next().unwrap_or(m)).collect())
                .collect(),
        }
    }
}

/// Where sshd is here.
#[must_use]
pub fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|path| Path::new(path).is_file())
}

/// Its settings for an account.
///
/// # Errors
/// With its words, when it does not like its configuration.
pub fn ask(program: &str, user: &str) -> Result<Settings, String> {
    let whose = format!("user={user},{CLIENT}");
    let said = |option: &str| run(program, &[option, "-C", &whose]);
    // Since 9.3 there is a way that needs neither host keys nor a folder in /run.
    let said = said("-T").or_else(|words| said("-G").map_err(|_| words))?;
    Ok(Settings::parse(&said))
}

/// Whether it would start with its configuration.
///
/// # Errors
/// With its words, when it would not.
pub fn try_out(program: &str) -> Result<(), String> {
    run(program, &["-t"]).map(drop)
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let run = Command::new(program).args(arguments).env_clear().output();
    let run = run.map_err(|error| format!("{program}: {error}"))?;
    match run.status.success() {
        true => Ok(String::from_utf8_lossy(&run.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&run.stderr).trim().replace(['\r', '\n'], " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sshd_says_is_read() {
        let settings = Settings::parse(
            "usepam yes\nauthenticationmethods publickey,keyboard-interactive:pam hostbased\nport 22\nport 23\n",
        );
        assert!(settings.is_yes("usepam"));
        assert_eq!(
            settings.methods(),
            [&["publickey", "keyboard-interactive"][..], &["hostbased"]]
        );
        assert_eq!((settings.get("port"), settings.get("persourcepenalties")), ("22", ""));
        assert!(Settings::parse("authenticationmethods any\n").methods().is_empty());
    }
}
