//! `pam-sms setup`: from nothing to a message on one's own phone.
//!
//! ```text
//! questions.rs  what is asked at the terminal
//! document.rs   what is written, with everything else in the files left as it stands
//! ```

mod document;
mod questions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::errand::{HelperArgument, Through};
use super::files::{self, Change};
use super::office::{ConfigArgument, Office, root_only};
use super::terminal::say;
use super::user::verify::confirm;
use crate::config::source::Sources;
use crate::gateway::description::{BUILT_IN, COMMON, Description};
use crate::people::PhoneNumber;
use crate::secret::Secret;
use crate::sys;
use questions::Questions;

/// Connect a provider and your own phone: asks, writes the configuration and the users file, sends a
/// message and asks for its code.
///
/// Every answer can be given by a flag. Keys are not echoed, and go into files of their own. It can
/// be run again: what else stands in the files stays, comments included.
///
/// Examples: `pam-sms setup`,
/// `pam-sms setup --provider twilio --set account_sid=AC... --secret auth_token=/root/token
/// --set from=+15017122661 --user alice --number +4915123456789 --yes`
#[derive(Args)]
pub struct Arguments {
    /// The kind of provider; see `pam-sms providers`.
    #[arg(long, value_name = "KIND")]
    provider: Option<String>,
    /// A key of the provider.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A secret key of the provider, read from a file, since arguments can be seen by others.
    #[arg(long, value_name = "KEY=FILE", value_parser = pair)]
    secret: Vec<(String, String)>,
    /// The account whose phone it is.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Its number.
    #[arg(long, value_name = "NUMBER")]
    number: Option<PhoneNumber>,
    /// Send no message.
    #[arg(long)]
    no_test: bool,
    /// Do not ask: what no flag says is an error, and the message's code is not asked for.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgument,
    #[command(flatten)]
    helper: HelperArgument,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("write it like key=value".to_owned()),
    }
}

/// What a `[[provider]]` table shall say.
pub struct Provider {
    /// Its kind, which is its name, too.
    pub kind: String,
    /// Its plain keys.
    pub plain: BTreeMap<String, String>,
    /// Its secret keys.
    pub secret: BTreeMap<String, Secret>,
    /// Whether it makes the codes itself, and so sends no text of ours.
    pub makes_codes: bool,
}

/// Sets up.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    root_only()?;
    let questions = Questions { asks: !arguments.yes };
    let provider = choose_provider(arguments, &questions)?;
    let user = match &arguments.user {
        Some(name) => Office::account(name)?,
        None => questions.ask_until("Your account on this machine", "--user", Office::account)?,
    };
    let number = match &arguments.number {
        Some(number) => number.clone(),
        None => questions.ask_until(
            &format!("Mobile number of {user}, with country code, like +49 151 23456789"),
            "--number",
            |typed| typed.parse::<PhoneNumber>().map_err(|error| error.to_string()),
        )?,
    };

    let plan = plan(&arguments.config.config, &provider)?;
    if plan.is_empty() {
        say("the provider is written already (unchanged)");
    } else {
        say("These files are written:");
        for change in &plan {
            say(format_args!("  {}", change.path.display()));
        }
        questions.confirm("Go on?")?;
    }
    // The helper reads them, so they are there before the message; whoever gives up gets them taken back.
    sys::hold_interrupts();
    let written = files::write_all(&plan);
    let settled = written.and_then(|()| settle(arguments, &provider, &user, &number));
    if let Err(error) = settled {
        return Err(match files::take_all_back(plan.iter()) {
            Ok(()) => format!("{error}\nEverything is as it was before."),
            Err(left) => format!("{error}\nNot everything is as it was before: {left}"),
        });
    }
    say("Done. Next: `pam-sms check`, then `pam-sms enable sshd`, which takes itself back unless \
         you keep it.");
    Ok(())
}

fn choose_provider(arguments: &Arguments, questions: &Questions) -> Result<Provider, String> {
    let kinds: Vec<(&str, Description)> = BUILT_IN
        .iter()
        .map(|(kind, text)| {
            let description = Sources::from_text(kind, text).parse::<Description>();
            description.map(|parsed| (*kind, parsed)).map_err(|error| error.to_string())
        })
        .collect::<Result<_, _>>()?;
    let choices: Vec<(&str, &str)> =
        kinds.iter().map(|(kind, description)| (*kind, description.about.as_str())).collect();
    let kind = match &arguments.provider {
        Some(kind) => kind.clone(),
        None => questions.choose("Which provider sends the messages?", "--provider", &choices)?,
    };
    let Some((_, description)) = kinds.iter().find(|(name, _)| *name == kind) else {
        let known: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{kind}` is no provider; there are {}", known.join(", ")));
    };
    let makes_codes = description.check.is_some();
    let (plain, secret) = (BTreeMap::new(), BTreeMap::new());
    let mut provider = Provider { kind, plain, secret, makes_codes };
    take_flags(arguments, description, &mut provider)?;
    for row in &description.needs {
        let is_complete = |set: &&Vec<String>| set.iter().all(|key| provider.has(key));
        if row.iter().any(|set| is_complete(&set)) {
            continue;
        }
        let set = match row.as_slice() {
            [only] => only,
            several => {
                let names: Vec<String> = several.iter().map(|set| set.join(" and ")).collect();
                let choices: Vec<(&str, &str)> =
                    names.iter().map(|name| (name.as_str(), "")).collect();
                let chosen = questions.choose("Which of these do you have?", "--set", &choices)?;
                let index = names.iter().position(|name| *name == chosen).unwrap_or(0);
                &several[index]
            }
        };
        for key in set {
            provider.ask(key, description, questions)?;
        }
    }
    Ok(provider)
}

impl Provider {
    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        self.plain.get("name").unwrap_or(&self.kind)
    }

    fn has(&self, key: &str) -> bool {
        self.plain.contains_key(key) || self.secret.contains_key(key)
    }

    fn ask(
        &mut self,
        key: &str,
        description: &Description,
        questions: &Questions,
    ) -> Result<(), String> {
        let Some(about) = description.keys.get(key).filter(|_| !self.has(key)) else {
            return Ok(());
        };
        if about.secret {
            let typed = questions.ask_secret(&about.about, &format!("--secret {key}=FILE"))?;
            self.secret.insert(key.to_owned(), typed);
        } else {
            let typed = questions.ask(&about.about, &format!("--set {key}=VALUE"))?;
            self.plain.insert(key.to_owned(), typed);
        }
        Ok(())
    }
}

fn take_flags(
    arguments: &Arguments,
    description: &Description,
    provider: &mut Provider,
) -> Result<(), String> {
    for (key, value) in &arguments.set {
        match description.keys.get(key) {
            Some(about) if about.secret => {
                return Err(format!("`{key}` is secret: say --secret {key}=FILE"));
            }
            None if !COMMON.contains(&key.as_str()) => {
                return Err(format!("`{key}` is no key of {}", provider.kind));
            }
            _ => drop(provider.plain.insert(key.clone(), value.clone())),
        }
    }
    for (key, path) in &arguments.secret {
        if !description.keys.get(key).is_some_and(|about| about.secret) {
            return Err(format!("`{key}` is no secret key of {}", provider.kind));
        }
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let text = Secret::from(text.trim_end_matches(['\r', '\n']).to_owned());
        provider.secret.insert(key.clone(), text);
    }
    Ok(())
}

fn plan(config: &Path, provider: &Provider) -> Result<Vec<Change>, String> {
    let mut plan = Vec::new();
    let mut secrets: Vec<(String, PathBuf)> = Vec::new();
    for (key, secret) in &provider.secret {
        // Two providers of a kind have names of their own, and keys.
        let path = config.with_file_name(format!("{}.{key}", provider.name()));
        plan.extend(Change::private(&path, format!("{}\n", secret.expose()))?);
        secrets.push((key.clone(), path));
    }
    let text = files::read(config)?;
    let text = document::with_provider(text.as_deref(), provider, &secrets)
        .map_err(|error| format!("{}: {error}", config.display()))?;
    plan.extend(Change::private(config, text)?);
    Ok(plan)
}

/// The configuration is judged, the helper gets its user, a message is sent, and the number is kept.
fn settle(
    arguments: &Arguments,
    provider: &Provider,
    user: &str,
    number: &PhoneNumber,
) -> Result<(), String> {
    let office = Office::open(&arguments.config)?;
    // The book is held for a moment only, and not while somebody looks for their phone.
    let known = office.book()?.find(user)?.map(|entry| entry.record.phones);
    if known.as_ref().is_some_and(|phones| !phones.contains(number)) {
        return Err(format!("{user} has another number: `pam-sms user set` changes it"));
    }
    make_helpers_user(office.gateway()?.run_as())?;
    let helper = &arguments.helper;
    if provider.makes_codes && !arguments.no_test {
        say("No message is sent: this provider makes the codes, and judges them at a login only.");
    }
    let tested = match (arguments.no_test || provider.makes_codes, arguments.yes) {
        (true, _) => Ok(()),
        (_, false) => confirm(user, &[number], Through::Only(provider.name()), &office, helper),
        (_, true) => {
            let text = format!("Test message from pam_sms on {}.", sys::host_name());
            helper.deliver(&office, Through::Only(provider.name()), number, &Secret::from(text))
        }
    };
    tested?;
    if known.is_none() {
        office.book()?.set(&[(user.to_owned(), vec![number.clone()].into())])?;
    }
    Ok(())
}

fn make_helpers_user(name: &str) -> Result<(), String> {
    if sys::account(name).is_ok_and(|account| account.is_some()) {
        return Ok(());
    }
    say(format_args!(
        "The helper that sends messages gets a system user of its own, `{name}`, which stays."
    ));
    let made = Command::new("useradd")
        .args(["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name])
        .output()
        .map_err(|error| format!("useradd: {error}"))?;
    match made.status.success() {
        true => Ok(()),
        false => Err(format!("useradd: {}", String::from_utf8_lossy(&made.stderr).trim())),
    }
}
