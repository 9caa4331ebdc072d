//! `pam-sms status`: how accounts stand with their limits.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use super::office::{ConfigArgument, Office};
use super::terminal::{complain, say};
use super::{cost, logged};
use crate::config::file::Trust;
use crate::config::model::StoreUnreachable;
use crate::gateway::aside::{self, SetAside};
use crate::limits::{Barrier, Ledger, Standing, in_words};
use crate::people::{self, PhoneNumber};
use crate::state::Places;

/// Show what counts against an account: messages, wrong codes, locks, and what is left of its backup
/// codes. Without an account, all that have been asked for a code since the machine was started, and
/// providers that are asked last for a while; how many messages a login takes by the log, and how many
/// segments a message takes at most in each language that somebody has.
///
/// Where hosts share their limits, messages and wrong codes are those of all hosts. If their store gives no
/// answer, what this host has counted is shown, which is said, and exit code 1.
///
/// Examples: `pam-sms status alice`, `pam-sms status --json`
#[derive(Args)]
pub struct Arguments {
    /// The account.
    user: Option<String>,
    /// For scripts: one JSON object with what the text shows.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Shows how accounts stand.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    let users = match &arguments.user {
        Some(typed) => vec![Office::account(typed)?],
        None => Ledger::known_users(&Places::default()).map_err(|barrier| barrier.to_string())?,
    };
    let mut accounts = Vec::new();
    let mut lost = None;
    for user in users {
        // Who is known to a directory that is out of reach has counters all the same.
        let phones = match office.phones(&user) {
            Err(reason) if office.config.users.ldap.is_some() => {
                complain(format_args!("warning: {user}: {reason}"));
                Vec::new()
            }
            phones => phones?,
        };
        // A store that gives no answer is waited for once.
        let books = if lost.is_none() { office.books(&user) } else { office.books_here(&user) };
        let mut standing = books.standing(&phones).map_err(|barrier| barrier.to_string())?;
        lost = lost.or_else(|| books.without_store().map(str::to_owned));
        let limits = &office.config.limits;
        if let Some(reason) = lost.as_ref().filter(|_| !limits.excepts(&user)) {
            if limits.store_unreachable == StoreUnreachable::Deny {
                standing.barrier = Some(Barrier::Unusable(reason.clone()));
            }
        }
        drop(books);
        accounts.push((user, phones, standing));
    }
    let whole = arguments.user.is_none().then(|| Whole::of(&office));
    // A closed pipe is the reader's choice and not our error.
    let _ = if arguments.json {
        let all: Vec<_> =
            accounts.iter().map(|(user, p, s)| as_json(user, p, s, &office)).collect();
        let mut shown = json!({ "accounts": all });
        if let Some(whole) = &whole {
            shown["costs"] = whole.costs_as_json(&office);
            shown["providers_set_aside"] = whole.aside.iter().map(aside_as_json).collect();
        }
        writeln!(io::stdout(), "{shown:#}")
    } else {
        print(&accounts, &office)
    };
    if let Some(whole) = whole.filter(|_| !arguments.json) {
        whole.show(&office);
    }
    match lost {
        None => Ok(()),
        Some(reason) => Err(format!("{reason}; what is shown is what this host has counted")),
    }
}

/// What is not about one account: what a login costs, and the providers that are set aside.
struct Whole {
    /// How many messages went out in how many logins, by the log; nothing where it tells of none.
    messages: Option<(u64, u64)>,
    /// The texts that somebody may get.
    texts: Vec<cost::Text>,
    aside: Vec<SetAside>,
}

impl Whole {
    /// What cannot be found out is complained of and left out: it is not what `status` is asked for.
    fn of(office: &Office) -> Self {
        let log = logged::read(None);
        let messages = log.map_or_else(
            |said| {
                complain(format_args!("warning: {said}"));
                None
            },
            |log| log.map(|log| logged::messages(&log)).filter(|(_, logins)| *logins > 0),
        );
        let everyone = people::everyone(&office.config.users, office.path(), Trust::Root);
        let languages = everyone.map(|all| all.languages).unwrap_or_default();
        let texts = cost::texts(&office.config, &languages).0;
        let aside = aside::now().unwrap_or_else(|said| {
            complain(format_args!("warning: {said}"));
            Vec::new()
        });
        Self { messages, texts, aside }
    }

    fn show(&self, office: &Office) {
        if let Some((messages, logins)) = self.messages {
            let each = per_login(messages, logins);
            say(format_args!(
                "a login takes {each:.2} messages ({messages} in {logins}, by the log)"
            ));
        }
        for text in &self.texts {
            let count = text.segments(&office.config).count;
            let plural = if count == 1 { "" } else { "s" };
            let whose = match office.config.message.text {
                Some(_) => String::new(),
                None => format!(" in {}", text.of_whom()),
            };
            say(format_args!("a message takes at most {count} segment{plural}{whose}"));
        }
        self.aside.iter().for_each(|one| say(format_args!("provider {one}")));
    }

    fn costs_as_json(&self, office: &Office) -> Value {
        let logged = self.messages.map(|(messages, logins)| {
            json!({
                "messages": messages,
                "logins": logins,
                "messages_per_login": per_login(messages, logins),
            })
        });
        let segments = self.texts.iter().map(|text| {
            // One text for all is of no language.
            let is_of_all = office.config.message.text.is_some();
            json!({
                "language": (!is_of_all).then(|| text.language.tag()),
                "records": (!is_of_all).then_some(text.people),
                "segments": text.segments(&office.config).count,
            })
        });
        json!({ "log": logged, "messages": segments.collect::<Vec<_>>() })
    }
}

/// As many as anybody could count are exact in a float.
fn per_login(messages: u64, logins: u64) -> f64 {
    messages as f64 / logins as f64
}

fn aside_as_json(one: &SetAside) -> Value {
    json!({ "name": one.name, "class": one.class.as_str(), "seconds": one.left().as_secs() })
}

fn print(accounts: &[(String, Vec<PhoneNumber>, Standing)], office: &Office) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if accounts.is_empty() {
        return writeln!(out, "nobody was asked for a code since the machine was started");
    }
    let limits = &office.config.limits;
    for (user, phones, standing) in accounts {
        let (sends, today) = (standing.sends, standing.sends_today);
        let (failures, total) = (standing.failures, standing.failures_total);
        let phones: Vec<_> = phones.iter().map(PhoneNumber::masked).collect();
        writeln!(out, "{user}")?;
        writeln!(out, "  codes by SMS  {}", in_words_for(user, standing.barrier.as_ref()))?;
        writeln!(
            out,
            "  phones        {}",
            if phones.is_empty() { "none".to_owned() } else { phones.join(", ") }
        )?;
        let span = in_words(limits.sends_per_user.get().span);
        writeln!(
            out,
            "  messages      {} of {} in {span}, {} of {} in 24 hours",
            sends.0, sends.1, today.0, today.1
        )?;
        let span = in_words(limits.failures_per_user.get().span);
        writeln!(
            out,
            "  wrong codes   {} of {} in {span}, {} of {} altogether",
            failures.0, failures.1, total.0, total.1
        )?;
        for (service, address, left) in &standing.remembered {
            writeln!(out, "  remembered    {service} from {address}, for {}", in_words(*left))?;
        }
        writeln!(out, "  backup codes  {} left", standing.backup_codes)?;
    }
    Ok(())
}

fn in_words_for(user: &str, barrier: Option<&Barrier>) -> String {
    match barrier {
        None => "open".to_owned(),
        Some(Barrier::Sends { wait, limit }) => {
            format!("none for {}: `{}` is reached", in_words(*wait), limit.name())
        }
        Some(Barrier::Locked(wait)) => format!(
            "locked for {} after wrong codes; `pam-sms unlock {user}` opens them",
            in_words(*wait)
        ),
        Some(Barrier::Closed) => {
            format!("closed after too many wrong codes; `pam-sms unlock {user}` opens them")
        }
        Some(barrier) => barrier.to_string(),
    }
}

fn as_json(user: &str, phones: &[PhoneNumber], standing: &Standing, office: &Office) -> Value {
    let limits = &office.config.limits;
    let counted = |(count, limit): (usize, usize), span: std::time::Duration| json!({ "count": count, "limit": limit, "seconds": span.as_secs() });
    let (state, seconds) = match &standing.barrier {
        None => ("open", None),
        Some(Barrier::Sends { wait, .. }) => ("throttled", Some(wait)),
        Some(Barrier::Locked(wait)) => ("locked", Some(wait)),
        Some(Barrier::Closed) => ("closed", None),
        Some(Barrier::Busy(_) | Barrier::OutOfReach(_) | Barrier::Unusable(_)) => {
            ("unusable", None)
        }
    };
    let remembered: Vec<_> = standing
        .remembered
        .iter()
        .map(|(service, address, left)| {
            json!({ "service": service, "address": address, "seconds": left.as_secs() })
        })
        .collect();
    json!({
        "user": user,
        "phones": phones.iter().map(PhoneNumber::masked).collect::<Vec<_>>(),
        "state": state,
        "seconds": seconds.map(std::time::Duration::as_secs),
        "sends": counted(standing.sends, limits.sends_per_user.get().span),
        "sends_today": counted(standing.sends_today, std::time::Duration::from_secs(24 * 60 * 60)),
        "failures": counted(standing.failures, limits.failures_per_user.get().span),
        "failures_total": { "count": standing.failures_total.0, "limit": standing.failures_total.1 },
        "remembered": remembered,
        "backup_codes": standing.backup_codes,
        "counted_by": if standing.is_of_fleet { "fleet" } else { "host" },
    })
}
