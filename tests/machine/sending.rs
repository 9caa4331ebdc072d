//! `pam-sms send`, `providers`, `balance` and `try`: what an admin sends and asks by the real helper, and
//! a person's own provider at a login.

use std::fs;
use std::os::unix::net::UnixDatagram;

use crate::support::gateway::{Behaviour, Gateway, account};
use crate::support::machine::Machine;
use crate::support::pam::Client;
use crate::support::person::Person;

const PROGRAM: &str = "/usr/sbin/pam-sms";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";

/// Keys that must never be seen.
const SECRETS: [&str; 5] = [
    account::TWILIO_TOKEN,
    account::TWILIO_KEY_SECRET,
    account::CLICKATELL_KEY,
    account::CLICKATELL_PASSWORD,
    account::SMSC_PASSWORD,
];

/// A machine with a gateway and these tables of providers, which are at the gateway.
pub fn machine(tables: &[String]) -> (Machine, Gateway) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.users("alice = \"+4915123456723\"\n");
    let mut config = "[limits]\ncountries = ['+49', '+1']\n".to_owned();
    for table in tables {
        let base = format!("base_url='{}'", gateway.base_url());
        config += &format!("[[provider]]\nca_file='/etc/pam-sms/ca.pem'\n{base}\n{table}\n");
    }
    machine.config(&config);
    (machine, gateway)
}

pub fn twilio() -> String {
    let (sid, token, from) = (account::TWILIO_SID, account::TWILIO_TOKEN, account::TWILIO_FROM);
    format!("kind='twilio'\naccount_sid='{sid}'\nauth_token='{token}'\nfrom='{from}'")
}

fn smsc() -> String {
    format!("kind='smsc'\nlogin='{}'\npassword='{}'", account::SMSC_LOGIN, account::SMSC_PASSWORD)
}

fn clickatell(kind: &str) -> String {
    format!("kind='{kind}'\napi_key='{}'", account::CLICKATELL_KEY)
}

fn legacy() -> String {
    format!(
        "kind='clickatell-legacy'\nuser='{}'\npassword='{}'\napi_id='{}'",
        account::CLICKATELL_USER,
        account::CLICKATELL_PASSWORD,
        account::CLICKATELL_API_ID
    )
}

/// What a command said on both outputs, and its exit code; never a key.
pub fn run(machine: &Machine, words: &[&str]) -> (String, i32) {
    let run = machine.run(PROGRAM, words);
    let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    for secret in SECRETS {
        assert!(!said.contains(secret), "{words:?}: {said}");
    }
    (said, run.status.code().unwrap())
}

#[test]
fn a_test_message_is_sent_as_logins_send_and_holds_no_code() {
    let (machine, gateway) = machine(&[twilio()]);
    let said = run(&machine, &["send", "alice"]);
    assert_eq!(said, ("twilio: took the message to *23\n".to_owned(), 0));
    let message = gateway.wait_for_message(0);
    assert_eq!(message.to, "+4915123456723");
    assert_eq!(message.text, "Test message from pam_sms on rabbit-hole.");
    let said = run(&machine, &["send", "+1 (415) 555-0123", "--text", "ß & <ü>"]);
    assert_eq!(said, ("twilio: took the message to *23\n".to_owned(), 0));
    assert_eq!(gateway.wait_for_message(1).text, "ß & <ü>");
    // It counts against nobody.
    assert!(!fs::exists("/run/pam-sms/user-alice.state").unwrap());
}

#[test]
fn every_providers_answer_is_told_with_its_class_and_what_to_do() {
    let wrong = twilio().replace(account::TWILIO_TOKEN, "wrong");
    let (machine, gateway) = machine(&[wrong, clickatell("clickatell"), smsc()]);
    // Nobody listens at the second one; what comes later is laid over it.
    let elsewhere = "[[provider]]\nkind='clickatell'\nbase_url='https://127.0.0.1:9'\n";
    machine.file("/etc/pam-sms/config.d/elsewhere.toml", elsewhere, 0o600);
    let (said, code) = run(&machine, &["send", "alice"]);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "twilio: auth (HTTP 401, code 20003: Authenticate)", "{said}");
    assert!(lines[1].starts_with("    The keys are wrong"), "{said}");
    assert!(lines[2].starts_with("clickatell: connect: Connection refused"), "{said}");
    assert!(lines[3].starts_with("    It cannot be connected to: firewall"), "{said}");
    assert_eq!(lines[4], "smsc: took the message to *23", "{said}");
    assert_eq!((code, gateway.messages().len()), (0, 1));

    let (said, code) = run(&machine, &["send", "alice", "--provider", "twilio"]);
    assert!(said.ends_with("error: no provider took the message\n") && code == 1, "{said}");
    assert!(!said.contains("smsc"), "{said}");
    let (said, code) = run(&machine, &["send", "alice", "--provider", "vonage"]);
    let wanted = "error: no provider is called `vonage`; there are twilio, clickatell, smsc\n";
    assert_eq!((said.as_str(), code), (wanted, 1));
    gateway.behave_once(Behaviour::Silence);
    machine.file("/etc/pam-sms/config.d/timeout.toml", "[delivery]\ntimeout='1s'\n", 0o600);
    let (said, code) = run(&machine, &["send", "alice", "--provider", "smsc"]);
    assert!(said.starts_with("smsc: may have taken it: no answer") && code == 1, "{said}");
}

#[test]
fn a_dry_run_shows_the_requests_without_secrets_and_sends_nothing() {
    let (machine, gateway) = machine(&[twilio(), clickatell("clickatell"), legacy()]);
    let (said, code) = run(&machine, &["send", "alice", "--dry-run"]);
    assert_eq!(code, 0, "{said}");
    let (base, sid) = (gateway.base_url(), account::TWILIO_SID);
    for line in [
        "twilio:".to_owned(),
        format!("    POST {base}/2010-04-01/Accounts/{sid}/Messages.json"),
        format!("    Authorization: Basic {sid}:MASKED"),
        "    To = +*23".to_owned(),
        "    Body = Test message from pam_sms on rabbit-hole.".to_owned(),
        "clickatell, if those before it do not take the message:".to_owned(),
        "    Authorization: MASKED".to_owned(),
        "    password = MASKED".to_owned(),
        "Nothing was sent.".to_owned(),
    ] {
        assert!(said.lines().any(|found| found == line), "{line}:\n{said}");
    }
    assert!(!said.contains("15123456723"), "{said}");
    let (said, _) = run(&machine, &["send", "+4915123456723", "--dry-run", "--provider", "twilio"]);
    assert!(said.contains("    To = +4915123456723\n") && !said.contains("clickatell"), "{said}");
    assert_eq!(gateway.connections(), 0);
}

#[test]
fn slips_of_send_and_balance_are_named() {
    let (machine, gateway) = machine(&[twilio()]);
    for (words, code, wanted) in [
        (&["send", "+49 (0) 151 23456723"][..], 1, "error: "),
        (&["send", "+33612345678"], 1, "no messages go there: the country is not in"),
        (&["send", "bob"], 1, "bob has no number; `pam-sms user set bob +...` gives one"),
        (&["send", "nobdy"], 1, "there is no account `nobdy` on this machine"),
        (&["send", "alice", "--text", " "], 1, "--text must hold from 1 to 1600 characters"),
        (&["send"], 2, "Usage: pam-sms send"),
        (&["send", "alice", "--helper", "/nowhere"], 1, "helper /nowhere: does not exist: install"),
        (&["balance", "--provider", "x"], 1, "no provider is called `x`; there are twilio"),
        (&["try", "alice"], 1, "`try` asks for a code: run it at a terminal"),
        (&["try", "alice", "--service", "../x"], 2, "a service is letters, digits"),
        (&["providers", "twilo"], 1, "there is no kind `twilo`, known are "),
    ] {
        let (said, found) = run(&machine, words);
        assert!(said.contains(wanted) && found == code, "{words:?}: {found}: {said}");
    }
    assert_eq!(gateway.connections(), 0);
    machine.config("[[provider]]\nkind='twilio'\naccount_sid='x'\n");
    for words in [["send", "alice"], ["balance", "--json"]] {
        let (said, code) = run(&machine, &words);
        let place = "error: /etc/pam-sms/config.toml:1:1: this provider needs ";
        assert!(said.starts_with(place) && code == 1, "{words:?}: {said}");
    }
}

#[test]
fn kinds_and_their_keys_are_shown_to_anybody() {
    let machine = Machine::new();
    let (said, code) = run(&machine, &["providers"]);
    for kind in ["twilio ", "clickatell-legacy ", "smsc ", "gammu ", "http ", "outbox "] {
        assert!(said.lines().any(|line| line.starts_with(kind)), "{kind}: {said}");
    }
    assert_eq!(code, 0);
    let nobody =
        ["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "providers", "twilio"];
    let said = String::from_utf8(machine.run("/usr/bin/setpriv", &nobody).stdout).unwrap();
    for wanted in [
        "  needs auth_token, or api_key_sid and api_key_secret\n",
        "  auth_token             Auth token of the account (secret; or auth_token_file)\n",
        "`pam-sms balance` can ask it",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let (said, _) = run(&machine, &["providers", "--json"]);
    let all: serde_json::Value = serde_json::from_str(&said).unwrap();
    let smsc = all.as_array().unwrap().iter().find(|kind| kind["kind"] == "smsc").unwrap();
    assert_eq!(smsc["balance"], true);
    let key =
        smsc["keys"].as_array().unwrap().iter().find(|key| key["name"] == "password").unwrap();
    assert_eq!((&key["secret"], &key["file"]), (&true.into(), &"password_file".into()));
}

#[test]
fn what_is_left_is_asked_with_the_accounts_own_keys() {
    let key = format!(
        "kind='twilio'\nname='by-key'\naccount_sid='{}'\napi_key_sid='{}'\napi_key_secret='{}'\nfrom='{}'",
        account::TWILIO_SID,
        account::TWILIO_KEY_SID,
        account::TWILIO_KEY_SECRET,
        account::TWILIO_FROM
    );
    let tables = [
        twilio(),
        key,
        clickatell("clickatell"),
        clickatell("clickatell-platform"),
        legacy(),
        smsc(),
    ];
    let (machine, gateway) = machine(&tables);
    let said = run(&machine, &["balance"]);
    let wanted = "twilio: 17.43 USD\nby-key: 17.43 USD\nclickatell: 250.5 EUR\n\
                  clickatell-platform: 250.5 EUR\nclickatell-legacy: 812.000\nsmsc: 1043.20 RUR\n";
    assert_eq!(said, (wanted.to_owned(), 0), "{:?}", gateway.refusals());
    assert_eq!(gateway.messages().len(), 0);

    // Wrong keys, nobody there, and nothing to ask.
    machine.config(
        &fs::read_to_string("/etc/pam-sms/config.toml")
            .unwrap()
            .replace(account::SMSC_PASSWORD, "wrong")
            .replace("name='by-key'", "name='by-key'\ntimeout='1s'"),
    );
    let more = "[[provider]]\nkind='outbox'\n";
    machine.file("/etc/pam-sms/config.d/outbox.toml", more, 0o600);
    let (said, code) = run(&machine, &["balance", "--json"]);
    let (json, error) = said.split_once("error: ").unwrap();
    let all: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        all[0],
        serde_json::json!({"provider": "twilio", "result": "accepted", "amount": "17.43", "currency": "USD", "said": null})
    );
    assert_eq!(all[5]["result"], "failed");
    assert_eq!(all[5]["said"], "auth (HTTP 200, code 2: authorise error)");
    assert_eq!(all[6]["result"], "unasked");
    assert_eq!((error, code), ("1 of 7 did not say\n", 1));
    let (said, code) = run(&machine, &["metrics", "--balance"]);
    let of_smsc: Vec<&str> = said.lines().filter(|line| line.contains("\"smsc\"")).collect();
    assert_eq!(
        (of_smsc, code),
        (vec!["pam_sms_provider_silent{provider=\"smsc\"} 1"], 0),
        "{said}"
    );
    for line in [
        "pam_sms_provider_balance{provider=\"twilio\",currency=\"USD\"} 17.43",
        "pam_sms_provider_silent{provider=\"twilio\"} 0",
    ] {
        assert!(said.lines().any(|found| found == line), "{said}");
    }
    assert!(!said.contains("outbox"), "{said}");
    let (said, code) = run(&machine, &["balance", "--provider", "outbox"]);
    assert_eq!((said.as_str(), code), ("outbox: cannot be asked\n", 0));
    // An answer that is not understood is no amount.
    gateway.behave_once(Behaviour::Answer {
        status: 200,
        content_type: "application/json",
        body: "{\"balance\": \"\\u001b[2J\"}".to_owned(),
    });
    let (said, code) = run(&machine, &["balance", "--provider", "twilio"]);
    assert!(said.starts_with("twilio: unknown (HTTP 200") && code == 1, "{said}");
}

#[test]
fn a_persons_own_provider_is_tried_first() {
    let (machine, gateway) = machine(&[twilio(), smsc(), clickatell("clickatell")]);
    let log = machine.log();
    machine.pam("sms", STACK);
    let users = |provider: &str| {
        machine.users(&format!(
            "alice = {{ phones = [\"+4915123456723\"], language = \"de\", provider = \"{provider}\" }}\n"
        ));
    };
    let login = || Client::new(&machine, "sms").user("alice").answer("null").run();
    users("clickatell");
    login();
    assert_eq!(gateway.wait_for_message(0).format, "clickatell");
    log.wait_for("event=sent to=*23 via=clickatell");
    // Where that one has trouble, the others follow in their order.
    gateway.behave_once(Behaviour::Answer {
        status: 503,
        content_type: "text/plain",
        body: String::new(),
    });
    login();
    assert_eq!(gateway.wait_for_message(1).format, "twilio");
    users("vonage");
    login();
    assert_eq!(gateway.wait_for_message(2).format, "twilio");
    log.wait_for("the person's own provider `vonage` is not configured");
}

#[test]
fn the_second_factor_is_tried_with_the_log_beside_it() {
    let (machine, gateway) = machine(&[twilio()]);
    let log = machine.log();
    let mut admin = Person::root(&[PROGRAM, "try", "alice"]);
    admin.see("| pam_sms(sms-try:auth): event=debug what=\"reading /etc/pam-sms/config.toml\"");
    admin.see("| pam_sms(sms-try:auth): event=sent to=*23 via=twilio ref=");
    admin.see("or ? for help: ");
    let text = gateway.wait_for_message(0).text;
    admin.type_line("000");
    admin.see("Wrong code.");
    let code: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take(6).collect();
    admin.type_line(&code);
    admin.see("event=accepted");
    admin.see("libpam: PAM_SUCCESS: this factor would let the person in");
    assert_eq!(admin.gone(), 0);
    assert!(!admin.screen().contains("event=warning"), "{}", admin.screen());
    // The real log has it, too, and nothing is left behind.
    log.wait_for("event=accepted");
    let left = fs::read_dir("/run").unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("try")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(fs::read_to_string("/etc/pam.d/sms-try").is_err());

    machine.config("[policy]\nskip_networks = ['203.0.113.0/24']\n");
    let mut admin =
        Person::root(&[PROGRAM, "try", "alice", "--service", "sshd", "--rhost", "203.0.113.9"]);
    admin.see("event=skipped rhost=203.0.113.9");
    admin.see("libpam: PAM_IGNORE: this factor does not apply");
    assert_eq!(admin.gone(), 0);
    let mut admin = Person::root(&[PROGRAM, "try", "bob"]);
    admin.see("event=unenrolled then=deny user=bob");
    admin.see("error: libpam: PAM_AUTH_ERR: ");
    assert_eq!(admin.gone(), 1);
    let mut admin = Person::root(&[PROGRAM, "try", "alice", "--module", "pam_smss.so"]);
    admin.see("error: libpam: ");
    assert_eq!(admin.gone(), 1);
}

#[test]
fn the_log_is_shown_also_behind_a_link_and_without_it_there_is_still_a_login() {
    let (machine, _gateway) = machine(&[twilio()]);
    let log = machine.log();
    // As in a container: no mounts, and the real log has the lines.
    let weak = ["/usr/bin/setpriv", "--bounding-set=-sys_admin", PROGRAM, "try", "alice"];
    let mut admin = Person::root(&weak);
    admin.see("warning: log lines are not shown: no mounts of our own: Operation not permitted");
    admin.see("or ? for help: ");
    admin.type_keys("\x03");
    admin.gone();
    log.wait_for("pam_sms(sms-try:auth): event=sent to=*23 via=twilio");
    drop(log);
    // As with systemd.
    fs::remove_file("/dev/log").unwrap();
    let real = UnixDatagram::bind("/run/dev-log").unwrap();
    std::os::unix::fs::symlink("/run/dev-log", "/dev/log").unwrap();
    let mut admin = Person::root(&[PROGRAM, "try", "alice"]);
    admin.see("| pam_sms(sms-try:auth): event=sent");
    admin.see("or ? for help: ");
    admin.type_keys("\x03");
    admin.gone();
    let mut line = [0; 1000];
    let length = real.recv(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line[..length]);
    assert!(line.contains("pam_sms(sms-try:auth): event="), "{line}");
    // What these two have left is gone with the next.

    fs::remove_file("/dev/log").unwrap();
    let mut admin = Person::root(&[PROGRAM, "try", "alice"]);
    admin.see("warning: log lines are not shown: /dev/log: No such file");
    admin.see("or ? for help: ");
    admin.type_keys("\x03");
    assert_ne!(admin.gone(), 0);
    let left = fs::read_dir("/run").unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().starts_with("pam-sms-try")).count(), 1);
}

#[test]
fn check_asks_the_providers_where_that_is_wanted() {
    let tables = [twilio(), smsc(), clickatell("clickatell")];
    let (machine, gateway) = machine(&tables);
    let said = run(&machine, &["check", "--providers"]).0;
    assert!(!said.contains("[provider-"), "{said}");
    let config = fs::read_to_string("/etc/pam-sms/config.toml").unwrap();
    machine.config(&config.replace(account::SMSC_PASSWORD, "wrong"));
    let said = run(&machine, &["check", "--providers"]).0;
    let told = "error: /etc/pam-sms/config.toml:3:1: provider `smsc` says: auth (HTTP 200, code 2";
    assert!(said.contains(told) && said.contains("[provider-key]"), "{said}");
    // Without being asked to, it asks nobody.
    assert!(!run(&machine, &["check"]).0.contains("[provider-"));
    machine.config(&config);
    gateway.behave(Behaviour::Answer {
        status: 200,
        content_type: "application/json",
        body: "{\"balance\": \"0.00\", \"currency\": \"USD\"}".to_owned(),
    });
    let said = run(&machine, &["check", "--providers"]).0;
    assert!(said.contains("provider `twilio` has 0 left [provider-money]"), "{said}");
    gateway.behave(Behaviour::CloseBeforeAnswer);
    assert!(run(&machine, &["check", "--providers"]).0.contains("[provider-silent]"));
}
