//! What the files shall hold, for a list of services that ask.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{debian, pam, sshd};
use crate::cli::files::{self, Change};
use crate::config::model::Config;

/// A service that asks for codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its file in `/etc/pam.d`.
    pub name: String,
    /// Whether a key stands before the code, and no password.
    pub keys: bool,
}

impl Service {
    /// Judges what was typed.
    ///
    /// # Errors
    /// When it is no service here, or cannot be one with keys.
    pub fn new(name: String, keys: bool) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        let is_plain = !name.is_empty() && name.bytes().all(plain);
        let vendors = format!("/usr/lib/pam.d/{name}");
        if is_plain && !Path::new(&own_file(&name)).exists() && Path::new(&vendors).is_file() {
            return Err(format!(
                "`{name}` has the file of its vendor only, which an update writes anew: copy \
                 {vendors} to {}, which goes before it",
                own_file(&name)
            ));
        }
        if !is_plain || !Path::new(&own_file(&name)).is_file() {
            return Err(format!(
                "`{name}` is no PAM service here: there is no {}",
                own_file(&name)
            ));
        }
        if name.starts_with("common-") || name == "other" {
            return Err(format!(
                "`{name}` is part of other services: name the service that shall ask"
            ));
        }
        if keys && name != "sshd" {
            return Err("only sshd has keys".to_owned());
        }
        Ok(Self { name, keys })
    }

    /// Its own file.
    #[must_use]
    pub fn own_file(&self) -> String {
        own_file(&self.name)
    }
}

/// The file of a service.
pub fn own_file(name: &str) -> String {
    format!("/etc/pam.d/{name}")
}

/// Refuses a service whose stack names us already, by another's hand; `enabled` are ours.
///
/// # Errors
/// With file and line.
pub fn not_named_yet(service: &Service, enabled: &[Service]) -> Result<(), String> {
    let mut paths = vec![own_file(&service.name)];
    if !enabled.iter().any(|service| !service.keys) {
        paths.extend(["common-auth", "common-account"].map(own_file));
    }
    for path in paths {
        let text = files::read(Path::new(&path))?.unwrap_or_default();
        if let Some(index) = text.lines().position(pam::names_us) {
            return Err(format!(
                "{path}:{}: names pam_sms.so already, and twice in a stack asks twice: remove it \
                 first",
                index + 1
            ));
        }
    }
    Ok(())
}

/// The changes that make sshd's own file what the configuration says now, where the service has one.
///
/// # Errors
/// As [`towards`].
pub fn renewal(service: &Service, config: &Config) -> Result<Vec<Change>, String> {
    match service.name.as_str() {
        "sshd" => Ok(sshd::drop_in(Some(service), config)?.into_iter().collect()),
        _ => Ok(Vec::new()),
    }
}

/// The changes that make exactly `services` ask.
///
/// # Errors
/// When a stack or sshd's configuration is not one that can be changed safely.
pub fn towards(services: &[Service], config: &Config) -> Result<Vec<Change>, String> {
    let mut plan = Vec::new();
    let (keyed, rest): (Vec<&Service>, Vec<&Service>) =
        services.iter().partition(|service| service.keys);
    for service in keyed {
        let path = own_file(&service.name);
        let text = files::read(Path::new(&path))?.unwrap_or_default();
        if !text.lines().any(pam::names_us) {
            let after = pam::with_keys(&text, &service.name)
                .map_err(|reason| format!("{path}: {reason}"))?;
            plan.extend(Change::to(path, Some(after))?);
        }
    }
    if debian::is_here() {
        plan.extend(debian::towards(&rest)?);
    } else {
        for service in rest {
            let path = own_file(&service.name);
            let text = files::read(Path::new(&path))?.unwrap_or_default();
            if !text.lines().any(pam::names_us) {
                let after = pam::behind_password(&text, &service.name)
                    .map_err(|reason| format!("{path}: {reason}"))?;
                plan.extend(Change::to(path, Some(after))?);
            }
        }
    }
    let sshd = services.iter().find(|service| service.name == "sshd");
    plan.extend(sshd::drop_in(sshd, config)?);
    Ok(plan)
}
