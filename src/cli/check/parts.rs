//! What the configuration names and this build may have been made without: the optional parts of `Cargo.toml`,
//! which a distribution leaves out whose crates it has not.

use super::report::Report;
use super::{Case, catalogue};
use crate::config::model::Config;
use crate::config::source::Sources;

/// An optional part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Numbers from a directory.
    Ldap,
    /// Limits that hosts share.
    Redis,
    /// The provider Amazon SNS.
    Sns,
}

impl Part {
    const ALL: [Self; 3] = [Self::Ldap, Self::Redis, Self::Sns];

    /// Whether this build has it.
    pub(super) const fn is_built(self) -> bool {
        match self {
            Self::Ldap => cfg!(feature = "ldap"),
            Self::Redis => cfg!(feature = "redis"),
            Self::Sns => cfg!(feature = "sns"),
        }
    }

    /// Its cargo feature.
    const fn feature(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Redis => "redis",
            Self::Sns => "sns",
        }
    }

    /// What stands in the configuration where it is wanted.
    const fn key(self) -> &'static str {
        match self {
            Self::Ldap => "[users.ldap]",
            Self::Redis => "[limits] store",
            Self::Sns => "kind = \"aws-sns\"",
        }
    }

    /// Where the configuration names it, if it does.
    fn place(self, sources: &Sources, config: &Config) -> Option<String> {
        let about = |keys: &[&str]| sources.error_about(keys, "").place().to_owned();
        match self {
            Self::Ldap => config.users.ldap.as_ref().map(|_| about(&["users", "ldap"])),
            Self::Redis => config.limits.store.0.then(|| about(&["limits", "store"])),
            Self::Sns => kind(sources, "aws-sns"),
        }
    }
}

/// Where a provider of this kind is named, if one is.
fn kind(sources: &Sources, wanted: &str) -> Option<String> {
    let merged = sources.merged().ok()?;
    let tables = merged.get("provider")?.get_ref().as_array()?;
    let mut kinds = tables.iter().filter_map(|table| table.get_ref().as_table()?.get("kind"));
    let found = kinds.find(|kind| kind.get_ref().as_str() == Some(wanted))?;
    Some(sources.error_at(&found.span(), "").place().to_owned())
}

/// Reports what was left out of this build; says which parts those are.
pub(super) fn left_out(case: &Case<'_>, report: &mut Report) -> Vec<Part> {
    lacking(case.sources, case.config, Part::is_built, report)
}

fn lacking(
    sources: &Sources,
    config: &Config,
    is_built: impl Fn(Part) -> bool,
    report: &mut Report,
) -> Vec<Part> {
    let mut lacking = Vec::new();
    for part in Part::ALL.into_iter().filter(|part| !is_built(*part)) {
        let Some(place) = part.place(sources, config) else { continue };
        let (feature, key) = (part.feature(), part.key());
        report.add(
            &catalogue::LEFT_OUT,
            place,
            format!("`{key}`: this pam-sms was built without `{feature}`"),
            format!("install a build with the cargo feature `{feature}`, or take it out"),
        );
        lacking.push(part);
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTS_ALL: &str = "[limits]\nstore = \"rediss://store.example\"\n\
        [users.ldap]\nurl = \"ldaps://directory.example\"\nbase = \"dc=example\"\n\
        [[provider]]\nkind = \"outbox\"\n[[provider]]\nkind = \"aws-sns\"\n";

    fn told(text: &str, is_built: impl Fn(Part) -> bool) -> Vec<String> {
        let sources = Sources::from_text("config.toml", text);
        let mut report = Report::default();
        lacking(&sources, &sources.parse().unwrap(), is_built, &mut report);
        let told = |finding: &super::super::report::Finding| {
            assert_eq!(finding.id, "left-out");
            format!("{}: {}", finding.place, finding.what)
        };
        report.findings.iter().map(told).collect()
    }

    #[test]
    fn what_is_named_and_was_left_out_is_told_with_its_place() {
        let without = |feature| format!("this pam-sms was built without `{feature}`");
        let ldap = format!("config.toml:3:1: `[users.ldap]`: {}", without("ldap"));
        let redis = format!("config.toml:2:9: `[limits] store`: {}", without("redis"));
        let sns = format!("config.toml:9:8: `kind = \"aws-sns\"`: {}", without("sns"));
        assert_eq!(told(WANTS_ALL, |_| false), [ldap, redis.clone(), sns]);
        assert_eq!(told(WANTS_ALL, |part| part != Part::Redis), [redis]);
    }

    #[test]
    fn what_is_there_or_is_not_named_is_not_told() {
        assert!(told(WANTS_ALL, |_| true).is_empty());
        assert!(told("[[provider]]\nkind = \"outbox\"\n", |_| false).is_empty());
        assert!(told("", |_| false).is_empty());
    }
}
