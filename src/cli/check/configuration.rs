//! What is judged of a configuration that can be read, wherever it is.

#[cfg(feature = "ldap")]
use super::directory;
use super::message::message;
use super::report::Report;
use super::{Case, Rule, catalogue};
#[cfg(feature = "redis")]
use crate::config::model::StoreUnreachable;
use crate::config::model::{Day, IfUnreachable, Unenrolled};
use crate::gateway::Gateway;

/// All of it.
pub(super) const RULES: &[Rule] = &[
    modes,
    outbox,
    enrolment,
    own_providers,
    message,
    unreachable,
    observation,
    #[cfg(feature = "ldap")]
    directory::table,
    #[cfg(feature = "redis")]
    store,
];

/// Where the limits are shared, and how hosts are let in there.
#[cfg(feature = "redis")]
fn store(case: &Case<'_>, report: &mut Report) {
    let settings = report.note(crate::limits::redis::Settings::read(case.sources, case.trust));
    for warning in settings.flatten().iter().flat_map(|settings| &settings.warnings) {
        report.told(&catalogue::FILE_READABLE, warning);
    }
    let limits = &case.config.limits;
    let is_exceptionless = limits.store_except_users.is_empty();
    if limits.store.0 && is_exceptionless && limits.store_unreachable == StoreUnreachable::Deny {
        report.add(
            &catalogue::STORE_DENIES,
            case.place_of(&["limits", "store_unreachable"]),
            "`store_unreachable` is \"deny\", and `store_except_users` names nobody",
            "name accounts that mend the store in `store_except_users`, like root, or give them backup codes",
        );
    }
}

/// At a login this is a warning, so that a forgotten mode is no outage; here it is an error.
fn modes(case: &Case<'_>, report: &mut Report) {
    let providers = case.gateway.iter().flat_map(Gateway::warnings);
    for warning in case.sources.warnings.iter().chain(providers) {
        report.told(&catalogue::FILE_READABLE, warning);
    }
}

fn outbox(case: &Case<'_>, report: &mut Report) {
    for (name, is_outbox) in case.gateway.iter().flat_map(Gateway::providers) {
        if is_outbox {
            report.add(
                &catalogue::OUTBOX,
                case.place_of(&["provider"]),
                format!("provider `{name}` writes codes into a file"),
                "write a `[[provider]]` that sends, see docs/providers.md",
            );
        }
    }
}

/// What it means that nobody has a number is for the configuration to say.
fn enrolment(case: &Case<'_>, report: &mut Report) {
    // Whom a directory knows is not counted.
    if case.people() != Some(0) || case.config.users.ldap.is_some() {
        return;
    }
    let write = "write a line like `alice = \"+4915123456789\"` into users.toml";
    let place = case.place_of(&["users", "unenrolled"]);
    match case.config.users.unenrolled {
        Unenrolled::Deny => report.add(
            &catalogue::NOBODY_ENROLLED,
            place,
            "nobody has a phone number, and `unenrolled` is \"deny\": nobody can log in",
            write,
        ),
        Unenrolled::Skip => report.add(
            &catalogue::NOBODY_ASKED,
            place,
            "nobody has a phone number, and `unenrolled` is \"skip\": nobody is asked for a code",
            write,
        ),
        // The first login gives the first number.
        Unenrolled::Enrol => {}
    }
}

/// Names of providers in records that the configuration does not have.
fn own_providers(case: &Case<'_>, report: &mut Report) {
    let (Some(everyone), Some(gateway)) = (&case.everyone, &case.gateway) else { return };
    for (name, people) in &everyone.providers {
        if let Err(said) = gateway.named(name) {
            report.add(
                &catalogue::PERSON_PROVIDER,
                case.place_of(&["provider"]),
                format!("{said}; it is the own provider of {people}"),
                "correct it with `pam-sms user set NAME --provider PROVIDER`, or write its `[[provider]]`",
            );
        }
    }
}

fn unreachable(case: &Case<'_>, report: &mut Report) {
    if case.config.delivery.if_unreachable == IfUnreachable::Allow {
        report.add(
            &catalogue::FAIL_OPEN,
            case.place_of(&["delivery", "if_unreachable"]),
            "`if_unreachable` is \"allow\": when no provider can be reached, people get in without a code",
            "write `if_unreachable = \"deny\"` and give people backup codes",
        );
    }
}

fn observation(case: &Case<'_>, report: &mut Report) {
    let Some(day) = case.config.policy.observe_until else { return };
    let place = case.place_of(&["policy", "observe_until"]);
    if Day::today() > day {
        let what = "`observe_until` is in the past";
        report.add(&catalogue::OBSERVE_OVER, place, what, "take the line out");
    } else {
        report.add(
            &catalogue::OBSERVING,
            place,
            "`observe_until` is not over: nobody is asked for a code yet",
            "take the line out when the log shows what you expect",
        );
    }
}
