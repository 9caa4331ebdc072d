//! `observe_until`: a login that is only rehearsed.

use super::Request;
use super::prepare::{Stop, Way, prepare};
use super::scene::books;
use crate::audit::Audit;
use crate::config::model::{Config, Unenrolled};
use crate::helper::call::check_program;
use crate::login::Verdict;
use crate::login::ports::{Event, Journal};
use crate::people::directory::Purpose;

/// Says what would have happened, and lets everything be as if this module were not there.
pub(super) fn rehearse(request: &Request, config: &Config, audit: &mut Audit) -> Verdict {
    let mut to = String::new();
    let would = match prepare(request, config, Purpose::Rehearsal, audit) {
        Err(Stop::Unknown(reason)) => format!("deny: {reason}"),
        Err(Stop::Unusable(reason)) | Ok((_, Way::Lost(reason))) => format!("deny: {reason}"),
        Ok((_, Way::Skip(rule))) => format!("skip: {rule}"),
        Ok((_, Way::Remembered)) => "accept: remembered".to_owned(),
        Ok((_, Way::Unenrolled)) => {
            let then = match config.users.unenrolled {
                Unenrolled::Deny => "deny",
                Unenrolled::Skip => "skip",
                Unenrolled::Enrol => "enrol",
            };
            format!("{then}: unenrolled")
        }
        Ok((user, Way::Ask(found))) => {
            let number = &found.record.phones[0];
            to = number.masked();
            let books = books(&user, &config.limits, &request.arguments, audit);
            let barred = config
                .limits
                .allows(number)
                .err()
                .or_else(|| {
                    books.would_reserve(Some(number)).err().map(|barrier| barrier.to_string())
                })
                .or_else(|| check_program(&request.arguments.helper).err());
            barred.map_or_else(|| "ask".to_owned(), |reason| format!("deny: {reason}"))
        }
    };
    let fields = [("would", would.as_str()), ("to", to.as_str())];
    audit.record(Event::Observed, &fields[..1 + usize::from(!to.is_empty())]);
    Verdict::Observed
}
