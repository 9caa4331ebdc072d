//! The table of return codes, row by row: what happened, what libpam is told, what the log says.
//!
//! The stack hands on what our module returned: success ends it, "ignore" leads to a module that
//! says CRED_UNAVAIL, which is nothing of ours, and everything else ends it with its own code.

use std::fs;

use crate::support::gateway::{Behaviour, Gateway};
use crate::support::log::{Log, wait_until};
use crate::support::machine::Machine;
use crate::support::pam::{Client, Run};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTH_ERR: i32 = 7;
const AUTHINFO_UNAVAIL: i32 = 9;
const MAXTRIES: i32 = 11;
const CONV_ERR: i32 = 19;
const ABORT: i32 = 26;
/// In place of PAM_IGNORE, which no application ever sees.
const IGNORE: i32 = 15;

const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const CONFIG: &str = "/etc/pam-sms/config.toml";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";

fn machine(arguments: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config("");
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam(
        "sms",
        &format!(
            "auth [success=done ignore=1 default=die] pam_sms.so {arguments}\n\
             auth requisite pam_deny.so\n\
             auth [default=die] pam_debug.so auth=cred_unavail\n\
             account required pam_sms.so\n"
        ),
    );
    let log = machine.log();
    (machine, log)
}

/// A provider at `base_url`, which may be plain because it is in this machine.
fn twilio(machine: &Machine, base_url: &str, rest: &str) {
    machine.config(&format!(
        "[[provider]]\nkind='twilio'\naccount_sid='AC1'\nauth_token='t'\nfrom='+15017122661'\n\
         base_url='{base_url}'\n{rest}"
    ));
}

/// Nobody listens here, in a network that is this machine's own.
const CLOSED: &str = "http://localhost:9";

/// A line of ours without what is different each time: `warning: event=... ref=?? ...`.
fn essence(line: &str) -> String {
    let severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
    let (priority, rest) = line.split_once('>').unwrap();
    let priority: usize = priority.trim_start_matches('<').parse().unwrap();
    assert_eq!(priority / 8, 10, "not of facility authpriv: {line}");
    let said = rest.split_once(":auth): ").unwrap().1;
    let mut words: Vec<_> = said.split(' ').collect();
    for word in &mut words {
        if word.starts_with("ref=") && word.len() == 6 {
            *word = "ref=??";
        }
    }
    format!("{}: {}", severities[priority % 8], words.join(" "))
}

/// Waits until the log holds exactly these lines of ours.
#[track_caller]
fn expect_lines(what: &str, log: &Log, expected: &[&str]) {
    // Lines are written before libpam returns, but read by another thread.
    wait_until(&format!("{what}: {expected:#?}\nand not {:#?}", log.lines()), || {
        (log.ours().len() >= expected.len()).then_some(())
    });
    let said: Vec<_> = log.ours().iter().map(|line| essence(line)).collect();
    assert_eq!(said, expected, "{what}");
}

/// One way through a login.
struct Row {
    what: &'static str,
    arguments: &'static str,
    login: fn(&Machine, Client) -> Run,
    result: i32,
    lines: &'static [&'static str],
}

const ROWS: [Row; 18] = [
    Row {
        what: "the right code",
        arguments: "",
        login: |_, client| client.user("alice").answer(OUTBOX).run(),
        result: SUCCESS,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "info: event=accepted rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=1 user=alice",
        ],
    },
    Row {
        what: "the right code at the second try",
        arguments: "",
        login: |_, client| client.user("alice").answer(WRONG).answer(OUTBOX).run(),
        result: SUCCESS,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=1 user=alice",
            "info: event=accepted rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=2 user=alice",
        ],
    },
    Row {
        what: "a service that is not listed",
        arguments: "services=sshd,sudo",
        login: |_, client| client.user("alice").answer("null").run(),
        result: IGNORE,
        lines: &[],
    },
    Row {
        what: "a service that is not listed, with debug",
        arguments: "services=sshd,sudo debug",
        login: |_, client| client.user("alice").answer("null").run(),
        result: IGNORE,
        lines: &["debug: event=debug rhost=203.0.113.9 \
                  what=\"skipped: this service is not listed in services=\" user=alice"],
    },
    Row {
        what: "not enrolled, skip",
        arguments: "",
        login: |machine, client| {
            machine.config("[users]\nunenrolled = 'skip'\n");
            client.user("bob").answer("null").run()
        },
        result: IGNORE,
        lines: &["notice: event=unenrolled rhost=203.0.113.9 then=skip user=bob"],
    },
    Row {
        what: "not enrolled, deny",
        arguments: "",
        login: |_, client| client.user("bob").answer("null").run(),
        result: AUTH_ERR,
        lines: &["notice: event=unenrolled rhost=203.0.113.9 then=deny user=bob"],
    },
    Row {
        what: "unknown to the machine",
        arguments: "",
        login: |_, client| client.user("nobody-at-all").answer("null").run(),
        result: AUTH_ERR,
        lines: &["notice: event=rejected rhost=203.0.113.9 reason=\"unknown user\" \
                  user=nobody-at-all"],
    },
    Row {
        what: "a wrong code, and then nothing",
        arguments: "",
        login: |_, client| client.user("alice").answer(WRONG).answer("empty").run(),
        result: AUTH_ERR,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=1 user=alice",
            "notice: event=rejected rhost=203.0.113.9 reason=\"nothing typed\" user=alice",
        ],
    },
    Row {
        what: "a code that came too late, and then nothing",
        arguments: "",
        login: |machine, client| {
            let clock = machine.test_clock();
            let client = client.under(&clock).user("alice").answer("stdin").answer("empty");
            let mut session = client.spawn();
            session.prompt();
            let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
            machine.file("/run/an-hour-later", "", 0o644);
            // The whole of `KQ-004217`.
            session.answer_line(outbox.trim_end().split(' ').nth(2).unwrap());
            assert!(session.prompt().starts_with("That code has expired. Type r for a new one.\n"));
            session.finish()
        },
        result: AUTH_ERR,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=expired rhost=203.0.113.9 ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 reason=\"nothing typed\" user=alice",
        ],
    },
    Row {
        what: "a number that takes no messages",
        arguments: "",
        login: |machine, client| {
            let gateway = Gateway::start_plain();
            gateway.behave(Behaviour::Answer {
                status: 400,
                content_type: "application/json",
                body: r#"{"code":21610,"message":"+4915123456723 said STOP"}"#.to_owned(),
            });
            twilio(machine, &gateway.base_url(), "");
            client.user("alice").answer("null").run()
        },
        result: AUTH_ERR,
        lines: &["warning: event=undeliverable rhost=203.0.113.9 to=*23 \
                  reason=\"twilio: optout (HTTP 400, code 21610: +***said STOP)\" user=alice"],
    },
    Row {
        what: "three wrong codes",
        arguments: "",
        login: |_, client| client.user("alice").answer(WRONG).run(),
        result: MAXTRIES,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=1 user=alice",
            "notice: event=rejected rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=2 user=alice",
            "notice: event=rejected rhost=203.0.113.9 to=*23 via=outbox ref=?? tries=3 user=alice",
        ],
    },
    Row {
        what: "no provider in reach, deny",
        arguments: "",
        login: |machine, client| {
            twilio(machine, CLOSED, "");
            client.user("alice").answer("null").run()
        },
        result: AUTHINFO_UNAVAIL,
        lines: &["warning: event=undeliverable rhost=203.0.113.9 to=*23 \
                  reason=\"twilio: connect: Connection refused (os error 111)\" user=alice"],
    },
    Row {
        what: "no provider in reach, allow",
        arguments: "",
        login: |machine, client| {
            twilio(machine, CLOSED, "[delivery]\nif_unreachable = 'allow'\n");
            client.user("alice").answer("null").run()
        },
        result: IGNORE,
        lines: &["warning: event=failopen rhost=203.0.113.9 to=*23 \
                  reason=\"twilio: connect: Connection refused (os error 111)\" user=alice"],
    },
    Row {
        what: "a conversation that fails",
        arguments: "",
        login: |_, client| client.user("alice").flag("--conv-fails").run(),
        result: CONV_ERR,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 reason=\"the conversation failed\" user=alice",
        ],
    },
    Row {
        what: "no conversation: nothing is sent",
        arguments: "",
        login: |_, client| client.user("alice").flag("--no-conv").run(),
        result: CONV_ERR,
        lines: &["notice: event=rejected rhost=203.0.113.9 \
                  reason=\"there is no conversation\" user=alice"],
    },
    Row {
        what: "an answer that is NULL",
        arguments: "",
        login: |_, client| client.user("alice").answer("null").run(),
        result: CONV_ERR,
        lines: &[
            "info: event=sent rhost=203.0.113.9 to=*23 via=outbox ref=?? user=alice",
            "notice: event=rejected rhost=203.0.113.9 reason=\"the answer is NULL\" user=alice",
        ],
    },
    Row {
        what: "no configuration",
        arguments: "",
        login: |_, client| {
            fs::remove_file(CONFIG).unwrap();
            client.user("alice").answer("null").run()
        },
        result: SERVICE_ERR,
        lines: &["err: event=error rhost=203.0.113.9 \
                  reason=\"/etc/pam-sms/config.toml: does not exist: create it, or correct the path \
                  that names it\" user=alice"],
    },
    Row {
        what: "an argument that nobody knows",
        arguments: "nullok",
        login: |_, client| client.user("alice").answer("null").run(),
        result: SERVICE_ERR,
        lines: &["err: event=error reason=\"unknown argument `nullok`: known are services=, \
                  config=, helper= and debug\""],
    },
];

#[test]
fn every_row_of_the_table_down_to_the_log_line() {
    for row in ROWS {
        let (machine, log) = machine(row.arguments);
        let client = Client::new(&machine, "sms").rhost("203.0.113.9");
        let run = (row.login)(&machine, client);
        assert_eq!(run.result, row.result, "{}: {:#?}", row.what, log.lines());
        expect_lines(row.what, &log, row.lines);
    }
}

#[test]
fn a_panic_is_an_abort_and_leaves_its_place_in_the_log_and_nothing_else_behind() {
    let (machine, log) = machine("");
    let clock = machine.test_clock();
    machine.file("/run/clock-fails", "", 0o644);
    let client = Client::new(&machine, "sms").under(&clock).user("alice").answer("null");
    let run = client.times(1).run();
    assert_eq!(run.result, ABORT, "{:?}", log.lines());
    let line = log.wait_for("event=error");
    assert!(line.contains("pam_sms(panic:auth): event=error reason=\"panic at "), "{line}");
    // Rust's own words would go to the terminal of whoever runs sudo.
    assert_eq!(run.stderr, "");
    assert_eq!(run.left, Some([0, 0, 0]), "descriptors, threads, children");
}
