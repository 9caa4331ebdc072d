//! The arguments of the module's line in a PAM stack.

use std::path::PathBuf;

/// Where the package installs the helper.
pub const DEFAULT_HELPER: &str = "/usr/libexec/pam-sms-helper";

/// What stands behind `pam_sms.so` in a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// `services=sshd,sudo`: the only services that ask; without it, all do.
    services: Option<Vec<String>>,
    /// `config=/path`
    pub config: PathBuf,
    /// `helper=/path`
    pub helper: PathBuf,
    /// `debug`: more lines in the log, never secrets.
    pub debug: bool,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            services: None,
            config: crate::config::DEFAULT_PATH.into(),
            helper: DEFAULT_HELPER.into(),
            debug: false,
        }
    }
}

impl Arguments {
    /// Reads the arguments.
    ///
    /// # Errors
    /// When one is unknown or makes no sense, in words for the log.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut arguments = Self::default();
        for word in words {
            match word.split_once('=') {
                Some(("services", list)) => arguments.services = Some(services(list)?),
                Some(("config", path)) => arguments.config = absolute(word, path)?,
                Some(("helper", path)) => arguments.helper = absolute(word, path)?,
                None if word == "debug" => arguments.debug = true,
                _ => {
                    return Err(format!(
                        "unknown argument `{word}`: known are services=, config=, helper= and debug"
                    ));
                }
            }
        }
        Ok(arguments)
    }

    /// The services that ask, where they are named.
    #[must_use]
    pub fn services(&self) -> Option<&[String]> {
        self.services.as_deref()
    }

    /// Whether `service` asks. `sudo` stands for `sudo-i` too and `su` for `su-l`, which are the
    /// same programs started another way.
    #[must_use]
    pub fn covers(&self, service: &str) -> bool {
        let family = Self::family(service);
        self.services
            .as_ref()
            .is_none_or(|listed| listed.iter().any(|name| name == service || name == family))
    }
}

impl Arguments {
    /// The service that `service` is only another start of.
    #[must_use]
    pub fn family(service: &str) -> &str {
        match service {
            "sudo-i" => "sudo",
            "su-l" => "su",
            other => other,
        }
    }
}

fn services(list: &str) -> Result<Vec<String>, String> {
    let names: Vec<_> = list.split(',').map(str::to_owned).collect();
    if names.iter().any(String::is_empty) {
        return Err(format!(
            "`services={list}` names no service: write it like services=sshd,sudo"
        ));
    }
    Ok(names)
}

fn absolute(word: &str, path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if path.is_absolute() { Ok(path) } else { Err(format!("`{word}` needs a path from the root")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_services_every_service_asks() {
        assert!(Arguments::parse([]).unwrap().covers("sshd"));
    }

    #[test]
    fn listed_services_ask_and_bring_their_login_shells() {
        let arguments = Arguments::parse(["services=sudo,su"]).unwrap();
        for (service, asks) in [
            ("sudo", true),
            ("sudo-i", true),
            ("su", true),
            ("su-l", true),
            ("sshd", false),
            ("sud", false),
            ("sudo-x", false),
            ("", false),
        ] {
            assert_eq!(arguments.covers(service), asks, "{service}");
        }
        assert!(!Arguments::parse(["services=su-l"]).unwrap().covers("su"));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for word in
            ["nullok", "services=", "services=sshd,,su", "config=etc", "helper=", "debug=1", ""]
        {
            let said = Arguments::parse([word]).unwrap_err();
            assert!(said.contains(&format!("`{word}`")), "{said}");
        }
    }
}
