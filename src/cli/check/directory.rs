//! The directory that numbers come from: what is written about it, and what it answers.

use std::time::{Duration, Instant};

use super::parts::Part;
use super::report::Report;
use super::{Arguments, Case, catalogue};
#[cfg(feature = "ldap")]
use crate::config::model::Unenrolled;
use crate::people::directory::{Lookup, Purpose, ask};

/// A look-up that takes longer is not by an index.
const SLOW: Duration = Duration::from_millis(500);

/// `[users.ldap]` as it is written.
#[cfg(feature = "ldap")]
pub(super) fn table(case: &Case<'_>, report: &mut Report) {
    let read = crate::directory::Directory::read(case.sources, case.trust);
    let Some(Some(directory)) = report.note(read) else { return };
    for warning in directory.warnings() {
        report.told(&catalogue::FILE_READABLE, warning);
    }
    if directory.is_plain() {
        report.add(
            &catalogue::LDAP_PLAIN,
            case.place_of(&["users", "ldap", "url"]),
            "a server is asked over the network without encryption",
            "write ldaps:, or `start_tls = true`, and take out `allow_plain`",
        );
    }
    if case.config.users.unenrolled != Unenrolled::Deny {
        report.add(
            &catalogue::LDAP_UNENROLLED,
            case.place_of(&["users", "unenrolled"]),
            "whom the directory has without a number is not denied",
            "write `unenrolled = \"deny\"`, unless nobody may write their own entry there",
        );
    }
    if !directory.pins() {
        report.add(
            &catalogue::LDAP_PIN,
            case.place_of(&["users", "ldap", "pin"]),
            "numbers that are new in the directory count at once",
            "take out `pin = false`, unless nobody may write their own entry there",
        );
    }
}

/// What it answers, through the helper as at a login: for whoever runs this by sudo, else for root.
pub(super) fn answers(case: &Case<'_>, report: &mut Report) {
    // What was left out has been reported as that.
    let Some(rules) = case.config.users.ldap.as_ref().filter(|_| Part::Ldap.is_built()) else {
        return;
    };
    let Arguments { config, helper, .. } = case.arguments;
    let user = std::env::var("SUDO_USER").unwrap_or_else(|_| "root".to_owned());
    let begun = Instant::now();
    let answer = ask(&user, Purpose::Look, &[], rules, config, helper);
    let took = begun.elapsed();
    let place = case.place_of(&["users", "ldap", "url"]);
    let words = match answer.lookup {
        Lookup::OutOfReach | Lookup::Failed => {
            let change = "mend what stands there, and run this again";
            return report.add(&catalogue::LDAP, place, answer.detail, change);
        }
        Lookup::Found => format!("the directory has {user}"),
        Lookup::NoNumber => format!("the directory has {user}, without a number"),
        Lookup::NoEntry => format!("the directory has no entry of {user}"),
    };
    if !answer.detail.is_empty() {
        let change = "mend what stands there: it is told at each login";
        report.add(&catalogue::LDAP_SERVER, &place, answer.detail, change);
    }
    let took_words = format!("{words}: {} ms in all, {}", took.as_millis(), answer.via);
    match took > SLOW {
        true => report.add(
            &catalogue::LDAP_SLOW,
            place,
            took_words,
            "have an index on the attribute of `filter` there, and a near server first in `url`",
        ),
        false => report.add(&catalogue::LDAP_LATENCY, place, took_words, ""),
    }
}
