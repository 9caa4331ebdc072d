//! What a login needs of the world, all but the person.

use super::Request;
use super::arguments::Arguments;
use crate::audit::Audit;
use crate::config::model::{Config, IfUnreachable, LimitRules};
use crate::helper::call::{Fleet, Helper};
use crate::limits::Ledger;
use crate::login::catalogue::Catalogue;
use crate::login::ports::{Clock, Host};
use crate::login::{Rules, World};
use crate::state::Places;
use crate::sys;

/// The rules of a login, and what it needs of the world besides the person.
pub struct Scene<'a> {
    rules: Rules<'a>,
    /// The way to the provider.
    pub helper: Helper<'a>,
    /// What may be sent and tried.
    pub books: Ledger<'a>,
}

impl<'a> Scene<'a> {
    /// For `user`, with the texts that they read.
    pub fn new(
        user: &'a str,
        config: &'a Config,
        request: &'a Request,
        host_name: &'a str,
        texts: &'a Catalogue,
        audit: &Audit,
    ) -> Self {
        let rules = Rules {
            digits: config.code.digits.get(),
            lifetime: config.code.lifetime.get(),
            attempts: config.code.attempts.get(),
            ask_first: config.code.ask_first,
            limits: &config.limits,
            if_unreachable: if_unreachable(config),
            texts,
            template: config.message.text.as_ref().unwrap_or(texts.sms()),
            voice: config.delivery.voice,
            host_name,
        };
        let helper = Helper {
            program: &request.arguments.helper,
            config: &request.arguments.config,
            timeout: config.delivery.timeout.get(),
            provider: None,
            language: texts.language,
        };
        Self { rules, helper, books: books(user, &config.limits, &request.arguments, audit) }
    }

    /// The rules, and a world with `host` and `audit` in it.
    pub fn world<'s>(
        &'s mut self,
        host: &'s mut dyn Host,
        audit: &'s mut Audit,
    ) -> (&'s Rules<'a>, World<'s>) {
        let Self { rules, helper, books } = self;
        (rules, World { host, delivery: helper, limits: books, clock: &BootClock, journal: audit })
    }
}

/// What happens when no provider can be reached. A caller of su or sudo owns this process and the
/// helper's share of the machine (a frozen cgroup, a starved one), so there it could be bought.
fn if_unreachable(config: &Config) -> IfUnreachable {
    match sys::is_started_by_root() {
        true => config.delivery.if_unreachable,
        false => IfUnreachable::Deny,
    }
}

/// The books of one account, with what other hosts have counted where they share it.
pub fn books<'a>(
    user: &'a str,
    limits: &'a LimitRules,
    arguments: &'a Arguments,
    audit: &Audit,
) -> Ledger<'a> {
    let fleet = Fleet::of(limits, &arguments.helper, &arguments.config, Some(audit.clone()));
    Ledger::new(&Places::default(), limits, user, &BootClock).shared_by(fleet)
}

/// The kernel's clock.
pub struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> std::time::Duration {
        sys::boot_time()
    }
}
