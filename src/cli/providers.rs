//! `pam-sms providers`: which kinds there are, what each needs and what each key is.

use clap::Args;
use serde_json::{Value, json};

use super::terminal::say;
use crate::config::source::{Sources, nearest};
use crate::gateway::description::{BUILT_IN, Description};

/// What is in the program without a description.
const OTHERS: [(&str, &str, &str, &str); 4] = [
    (
        "gammu",
        "A modem on this machine, by the spool of gammu-smsd (run_as must be its user)",
        "config",
        "Its configuration; /etc/gammu-smsdrc, unless given",
    ),
    (
        "smstools",
        "A modem on this machine, by the spool of smsd (run_as must be its user)",
        "spool",
        "Its folder outgoing; /var/spool/sms/outgoing, unless given",
    ),
    (
        "http",
        "Any other, by a description of your own in providers.d",
        "description",
        "Name of the file, without .toml; its own keys go with it",
    ),
    (
        "outbox",
        "A file in place of a phone, for trying things out: no second factor",
        "path",
        "The file; /run/pam-sms/outbox, unless given",
    ),
];

/// The keys that every kind takes, but for the outbox those of addresses.
const COMMON: [(&str, &str); 8] = [
    ("kind", "Which kind it is; must be there"),
    ("name", "What the log calls it; the kind, unless given"),
    ("countries", "Preferred for these numbers, like [\"+1\", \"+49\"]"),
    ("countries_only", "true: never used for others"),
    ("timeout", "Its own share of the time, \"1s\" to \"60s\""),
    ("base_url", "Another address: a region, a private gateway"),
    ("allow_http", "true: also plain http:// beyond this machine"),
    ("ca_file", "Authorities to trust instead of the system's, in PEM form"),
];
/// How many of these the outbox takes.
const COMMON_OF_OUTBOX: usize = 5;

/// Show which kinds of providers there are or, of one kind, what it needs and what each key is, as they
/// stand in a [[provider]] table.
///
/// Needs neither root nor a configuration.
///
/// Examples: `pam-sms providers`, `pam-sms providers twilio --json`
#[derive(Args)]
pub struct Arguments {
    /// The kind.
    kind: Option<String>,
    /// For scripts: JSON.
    #[arg(long)]
    json: bool,
}

/// One kind, as it is shown.
struct Kind {
    name: &'static str,
    about: String,
    /// Rows of sets of keys, of which one must be complete.
    needs: Vec<Vec<Vec<String>>>,
    keys: Vec<Key>,
    has_balance: bool,
    /// Whether it can call.
    has_voice: bool,
    has_status: bool,
}

struct Key {
    name: String,
    about: String,
    is_secret: bool,
}

/// Shows.
///
/// # Errors
/// In words for the terminal.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let kinds = kinds()?;
    let Some(wanted) = &arguments.kind else {
        if arguments.json {
            say(format_args!("{:#}", kinds.iter().map(as_json).collect::<Value>()));
            return Ok(());
        }
        for kind in &kinds {
            say(format_args!("{:<20} {}", kind.name, kind.about));
        }
        say("\n`pam-sms providers KIND` shows the keys of one.");
        return Ok(());
    };
    let kind =
        kinds.iter().find(|kind| kind.name == wanted).ok_or_else(|| unknown(wanted, &kinds))?;
    match arguments.json {
        true => say(format_args!("{:#}", as_json(kind))),
        false => show(kind),
    }
    Ok(())
}

fn kinds() -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    for (name, text) in BUILT_IN {
        let description: Description =
            Sources::from_text(name, text).parse().map_err(|error| error.to_string())?;
        let keys = description.keys.into_iter().map(|(name, key)| Key {
            name,
            about: key.about,
            is_secret: key.secret,
        });
        kinds.push(Kind {
            name,
            about: description.about,
            needs: description.needs,
            keys: keys.collect(),
            has_balance: description.balance.is_some(),
            has_voice: description.voice.is_some(),
            has_status: description.status.is_some(),
        });
    }
    for (name, about, key, what) in OTHERS {
        let key = Key { name: key.to_owned(), about: what.to_owned(), is_secret: false };
        let needs = if name == "http" { vec![vec![vec![key.name.clone()]]] } else { Vec::new() };
        let about = about.to_owned();
        kinds.push(Kind {
            name,
            about,
            needs,
            keys: vec![key],
            has_balance: false,
            has_voice: name == "outbox",
            has_status: false,
        });
    }
    Ok(kinds)
}

fn unknown(wanted: &str, kinds: &[Kind]) -> String {
    let names = || kinds.iter().map(|kind| kind.name);
    let hint = nearest(wanted, names()).map(|name| format!("; did you mean `{name}`?"));
    let (known, hint) = (names().collect::<Vec<_>>().join(", "), hint.unwrap_or_default());
    format!("there is no kind `{wanted}`, known are {known}{hint}")
}

fn show(kind: &Kind) {
    say(format_args!("{}: {}", kind.name, kind.about));
    for row in &kind.needs {
        let sets: Vec<_> = row.iter().map(|set| set.join(" and ")).collect();
        say(format_args!("  needs {}", sets.join(", or ")));
    }
    if kind.has_voice {
        say("  can call and read a code aloud ([delivery] voice)");
    }
    if kind.has_balance {
        say("  `pam-sms balance` can ask it how much money is left");
    }
    if kind.has_status {
        say("  `pam-sms send --wait` can ask it whether a message has arrived");
    } else {
        say("  cannot be asked whether a message has arrived");
    }
    say("");
    for Key { name, about, is_secret } in &kind.keys {
        let twin = if *is_secret { format!(" (secret; or {name}_file)") } else { String::new() };
        say(format_args!("  {name:<22} {about}{twin}"));
    }
    say("");
    for (name, about) in common(kind) {
        say(format_args!("  {name:<22} {about}"));
    }
}

fn common(kind: &Kind) -> &'static [(&'static str, &'static str)] {
    match kind.name {
        // Nothing of them has an address.
        "outbox" | "gammu" | "smstools" => &COMMON[..COMMON_OF_OUTBOX],
        _ => &COMMON,
    }
}

fn as_json(kind: &Kind) -> Value {
    let key = |key: &Key| {
        let twin = key.is_secret.then(|| format!("{}_file", key.name));
        json!({ "name": key.name, "about": key.about, "secret": key.is_secret, "file": twin })
    };
    let common = common(kind).iter().map(|(name, about)| json!({ "name": name, "about": about }));
    json!({
        "kind": kind.name,
        "about": kind.about,
        "needs": kind.needs,
        "keys": kind.keys.iter().map(key).collect::<Vec<_>>(),
        "common": common.collect::<Vec<_>>(),
        "balance": kind.has_balance,
        "voice": kind.has_voice,
        "status": kind.has_status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::description;

    #[test]
    fn every_common_key_is_shown() {
        let mut shown = COMMON.map(|(name, _)| name);
        let mut known = description::COMMON;
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }
}
