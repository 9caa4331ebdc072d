//! Somebody without a number: denied, let through, or asked for one.

use super::prepare::Membership;
use super::scene::Scene;
use super::settlement::Settlement;
use super::texts::texts;
use super::{Decision, Request, farewell, stack};
use crate::audit::Audit;
use crate::config::model::{Config, Day, Unenrolled};
use crate::login::Verdict;
use crate::login::catalogue::Catalogue;
use crate::login::enrol::enrol;
use crate::login::policy::Groups;
use crate::login::ports::{Event, Host, Journal};
use crate::sys;

/// What happens to `user`, by the configuration.
pub(super) fn unenrolled(
    user: &str,
    config: &Config,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    let reason = match config.users.unenrolled {
        Unenrolled::Skip => {
            audit.record(Event::Unenrolled, &[("then", "skip")]);
            return Verdict::UnenrolledSkipped.into();
        }
        Unenrolled::Deny => None,
        Unenrolled::Enrol => match may_enrol(user, config, request) {
            Err(reason) => Some(reason),
            Ok(()) => return enrolment(user, config, request, host, audit),
        },
    };
    let fields = [("then", "deny"), ("reason", reason.as_deref().unwrap_or_default())];
    audit.record(Event::Unenrolled, &fields[..1 + usize::from(reason.is_some())]);
    farewell(host, &texts(None, config, &mut audit), Catalogue::unenrolled);
    Verdict::UnenrolledDenied.into()
}

fn may_enrol(user: &str, config: &Config, request: &Request) -> Result<(), String> {
    let rules = &config.users;
    if !request.has_first_factor {
        return Err("no password or key is known to have come before".to_owned());
    }
    if rules.enrol_until.is_some_and(|day| Day::today() > day) {
        return Err("enrol_until is over".to_owned());
    }
    if !stack::has_account_line(&request.service) {
        return Err(format!(
            "the stack of {} has no `account required pam_sms.so` that every login passes, which stores the number",
            request.service
        ));
    }
    let account = sys::account(user).ok().flatten().ok_or("the account is gone")?;
    let membership = Membership::of(&account);
    let in_one = |group: &String| membership.hold(group) == Ok(Some(true));
    if !rules.enrol_groups.is_empty() && !rules.enrol_groups.iter().any(in_one) {
        return Err("is in none of enrol_groups".to_owned());
    }
    Ok(())
}

fn enrolment(
    user: &str,
    config: &Config,
    request: &Request,
    host: &mut dyn Host,
    mut audit: Audit,
) -> Decision {
    audit.record(Event::Unenrolled, &[("then", "enrol")]);
    let host_name = sys::host_name();
    let texts = texts(None, config, &mut audit);
    let mut scene = Scene::new(user, config, request, &host_name, &texts, &audit);
    scene.books = scene.books.confirming();
    let (rules, mut world) = scene.world(host, &mut audit);
    let ended = enrol(rules, user, &mut world);
    drop(scene);
    let settlement = ended.number.map(|number| {
        let number = Some(number);
        let (user, limits) = (user.to_owned(), config.limits.clone());
        let (typed, pending) = (request.user.clone(), ended.pending);
        let (by_code, enrols, arguments) = (true, true, request.arguments.clone());
        let keeps = None;
        Settlement {
            audit,
            typed,
            user,
            limits,
            arguments,
            number,
            pending,
            keeps,
            enrols,
            by_code,
            texts,
        }
    });
    Decision { verdict: ended.verdict, settlement }
}
