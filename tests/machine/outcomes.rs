//! What becomes of a login at each provider's answers: docs/provider-outcomes.md is made from what
//! these logins come to.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::provider_answers::answers;
use crate::provider_rows::tables;
use crate::support::gateway::{Behaviour, Gateway};
use crate::support::log::Log;
use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::Client;

const PAGE: &str = "docs/provider-outcomes.md";
const OUTBOX: &str = "/run/pam-sms/outbox";
/// How many machines work at a time: most of what takes long is waiting for gateways that say nothing.
const WORKERS: usize = 4;
const SITUATIONS: [&str; 9] = [
    "accepted",
    "bad number",
    "opted out",
    "bad key",
    "no credit",
    "throttled",
    "5xx",
    "garbage",
    "timeout after sending",
];

#[test]
fn the_table_of_outcomes_is_what_logins_come_to() {
    if !cfg!(feature = "sns") {
        // The page is about all that can be built.
        return;
    }
    let mut page = fs::read_to_string(page_path()).unwrap_or_default();
    let head = page.split("\n| kind |").next().unwrap_or_default().to_owned();
    let mut rows = vec![format!("| kind | {} |", SITUATIONS.join(" | "))];
    rows.push(format!("| --- |{}", " --- |".repeat(SITUATIONS.len())));
    // The other rows of a kind differ in keys and not in answers. Who makes the codes and judges them is
    // asked twice in a login, and has tests of its own.
    let mut kinds = tables();
    kinds.dedup_by_key(|(kind, _)| *kind);
    kinds.retain(|(kind, _)| *kind != "twilio-verify");
    let (next, made) = (AtomicUsize::new(0), Mutex::new(vec![String::new(); kinds.len()]));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((nth, (kind, table))) = {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    kinds.get(nth).map(|row| (nth, row))
                } {
                    let row = row(kind, table);
                    made.lock().unwrap()[nth] = row;
                }
            });
        }
    });
    rows.extend(made.into_inner().unwrap());
    let made = format!("{head}\n{}\n", rows.join("\n"));
    if std::env::var_os("PAM_SMS_UPDATE_DOCS").is_some() {
        fs::write(page_path(), &made).unwrap();
        page.clone_from(&made);
    }
    assert!(page == made, "run `make outcomes` and look at what it changed:\n{made}");
}

#[test]
fn whatever_is_wrong_with_the_first_the_second_takes_over_in_time_with_one_code_and_one_prompt() {
    let (_, table) = tables().swap_remove(0);
    let scene = Scene::new("twilio", &table, "timeout='4s'\n");
    let another = format!("[[provider]]\nkind='outbox'\npath='{OUTBOX}'\n");
    scene.machine.config(&(scene.alone.clone() + &another));
    let answer = |status, body: &str| Behaviour::Answer {
        status,
        content_type: "application/json",
        body: body.to_owned(),
    };
    for behaviour in [
        answer(400, r#"{"code":21602,"message":"no body"}"#),
        answer(401, r#"{"code":20003}"#),
        answer(402, ""),
        answer(400, r#"{"code":21408,"message":"geo"}"#),
        answer(429, ""),
        answer(503, ""),
        answer(201, "garbage"),
        Behaviour::HugeBody { status: 201, bytes: 1 << 30 },
        Behaviour::Redirect("https://localhost/".to_owned()),
        Behaviour::Trickle { status: 201, body: "x".repeat(600) },
        Behaviour::CloseBeforeAnswer,
        Behaviour::CloseAtAccept,
        Behaviour::SilentAccept,
        Behaviour::Silence,
        Behaviour::AcceptThenSilence,
        Behaviour::AcceptThenClose,
    ] {
        let name = format!("{behaviour:?}");
        scene.gateway.behave(behaviour);
        let _ = fs::remove_file(OUTBOX);
        let begun = Instant::now();
        let code = scene.log_in(outbox);
        assert_eq!(code, 0, "{name}: {:?}", scene.log.ours());
        assert!(begun.elapsed().as_secs() < 5, "{name}: {:?}", begun.elapsed());
        assert_eq!(fs::read_to_string(OUTBOX).unwrap().lines().count(), 1, "{name}");
        if let Some(message) = scene.gateway.messages().last() {
            assert_eq!(message.code(), outbox(), "{name}");
        }
    }
}

fn page_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)
}

fn row(kind: &'static str, table: &str) -> String {
    let scene = Scene::new(kind, table, "");
    let cells = behaviours(kind).map(|behaviour| match behaviour {
        Some(behaviour) => scene.cell(behaviour),
        None => "-".to_owned(),
    });
    format!("| `{kind}` | {} |", cells.join(" | "))
}

/// How the gateway behaves in each situation.
fn behaviours(kind: &str) -> [Option<Behaviour>; 9] {
    let answer = |status, body: &str| Behaviour::Answer {
        status,
        content_type: "text/plain",
        body: body.to_owned(),
    };
    let [number, optout, key, credit, throttle] =
        answers(kind).map(|known| known.map(|(status, body)| answer(status, body)));
    [
        Some(Behaviour::Normal),
        number,
        optout,
        key,
        credit,
        throttle,
        Some(answer(503, "<html>Please come back later</html>")),
        Some(answer(200, "<html>Welcome to our hotel</html>")),
        Some(Behaviour::AcceptThenSilence),
    ]
}

struct Scene {
    kind: &'static str,
    machine: Machine,
    gateway: Gateway,
    log: Log,
    /// A configuration with this provider only.
    alone: String,
}

impl Scene {
    /// `delivery` is what else stands in `[delivery]`.
    fn new(kind: &'static str, table: &str, delivery: &str) -> Self {
        let machine = Machine::new();
        let gateway = Gateway::start();
        machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
        machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
        machine.users("alice = \"+4915123456723\"\n");
        let log = machine.log();
        let place = format!("ca_file='/etc/pam-sms/ca.pem'\nbase_url='{}'", gateway.base_url());
        // The order shall be the same in all logins.
        let alone = format!(
            "{NO_LIMITS}sends_per_host='1000/1h'\n[delivery]\nset_aside='0s'\n{delivery}\
             [[provider]]\n{place}\n{table}\n"
        );
        Self { kind, machine, gateway, log, alone }
    }

    /// The class, what follows, and what libpam is told where there is no other provider.
    fn cell(&self, behaviour: Behaviour) -> String {
        // A deadline that is worth waiting for, and is over only because the gateway says nothing.
        let in_haste = "set_aside='0s'\ntimeout='2s'\n";
        let config = match behaviour {
            Behaviour::AcceptThenSilence => self.alone.replace("set_aside='0s'\n", in_haste),
            _ => self.alone.clone(),
        };
        let takes = matches!(behaviour, Behaviour::Normal | Behaviour::AcceptThenSilence);
        self.gateway.behave(behaviour);
        self.machine.config(&config);
        let seen = self.log.ours().len();
        let messages = self.gateway.messages().len();
        let code = match takes {
            true => self.log_in(|| self.gateway.wait_for_message(messages).code()),
            false => self.client().answer("empty").run().result,
        };
        let lines = self.log.ours().split_off(seen);
        let is = |event: &str| lines.iter().any(|line| line.contains(event));
        let class = match () {
            () if is("event=sent") => "accepted".to_owned(),
            () if is("event=uncertain") => "uncertain".to_owned(),
            () => class(self.kind, &lines),
        };
        let sent = self.gateway.messages().len() - messages;
        assert_eq!(sent, usize::from(takes), "{}: {class}", self.kind);
        if class == "uncertain" {
            let said = lines.iter().any(|line| line.contains("no answer in time"));
            assert!(said || lines.iter().any(|line| line.contains("timed out")), "{lines:?}");
        }
        let follows = self.with_another(&class, &config);
        let code = match code {
            0 => "SUCCESS",
            7 => "AUTH_ERR",
            9 => "AUTHINFO_UNAVAIL",
            other => panic!("{}: PAM code {other}: {lines:?}", self.kind),
        };
        format!("{class}: {follows}, {code}")
    }

    /// Whether another provider is asked. Where it is, the login succeeds: with one prompt, and with one
    /// code, whichever message it is read from.
    fn with_another(&self, class: &str, config: &str) -> &'static str {
        let another = format!("[[provider]]\nkind='outbox'\npath='{OUTBOX}'\n");
        self.machine.config(&(config.to_owned() + &another));
        let _ = fs::remove_file(OUTBOX);
        let messages = self.gateway.messages().len();
        if ["recipient", "optout"].contains(&class) {
            assert_eq!(self.client().answer("empty").run().result, 7, "{}: {class}", self.kind);
            assert!(outbox().is_empty(), "{}: {class}", self.kind);
            return "stop";
        }
        let code = self.log_in(|| match class {
            "accepted" => self.gateway.wait_for_message(messages).code(),
            _ => outbox(),
        });
        assert_eq!(code, 0, "{}: {class}: {:?}", self.kind, self.log.ours());
        match class {
            "accepted" => {
                assert!(outbox().is_empty(), "{}", self.kind);
                "taken"
            }
            "uncertain" => {
                let first = self.gateway.wait_for_message(messages).code();
                assert_eq!(first, outbox(), "{}", self.kind);
                "next"
            }
            _ => "next",
        }
    }

    /// One login with the code that the person reads.
    fn log_in(&self, read: impl FnOnce() -> String) -> i32 {
        let mut session = self.client().answer("stdin").spawn();
        session.prompt();
        session.answer_line(&read());
        session.finish().result
    }

    fn client(&self) -> Client<'_> {
        Client::new(&self.machine, "sms").user("alice")
    }
}

/// The code in the outbox; nothing where there is none.
fn outbox() -> String {
    let text = fs::read_to_string(OUTBOX).unwrap_or_default();
    let last = text.trim_end().lines().last().unwrap_or_default().to_owned();
    let runs = last.split(|letter: char| !letter.is_ascii_digit());
    runs.into_iter().find(|run| run.len() == 6).unwrap_or_default().to_owned()
}

/// The class, which is the first word that the log has of the provider.
fn class(kind: &str, lines: &[String]) -> String {
    let begins = format!("{kind}: ");
    let words = lines.iter().find_map(|line| line.split_once(&begins));
    let (_, words) = words.unwrap_or_else(|| panic!("{kind}: {lines:?}"));
    words.split(' ').next().unwrap_or_default().to_owned()
}
