//! Codes that the provider makes and judges: Twilio Verify, with a real ssh and a real libpam.

use crate::support::gateway::{Behaviour, Gateway, account};
use crate::support::log::{Log, wait_until};
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{Client, Session};
use crate::support::person::Person;
use crate::support::process::Process;

const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";
/// Never a code of the pretend provider.
const WRONG: &str = "000000";

fn verify() -> String {
    format!(
        "kind='twilio-verify'\naccount_sid='{}'\nauth_token='{}'\nservice_sid='{}'",
        account::TWILIO_SID,
        account::TWILIO_TOKEN,
        account::TWILIO_VERIFY
    )
}

fn clickatell() -> String {
    format!("kind='clickatell'\napi_key='{}'", account::CLICKATELL_KEY)
}

fn machine(more: &str, tables: &[String]) -> (Machine, Gateway, Log) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.users("alice = '+4915123456723'\n");
    machine.pam("sms", STACK);
    let mut config = format!("{more}\n");
    for table in tables {
        let base = gateway.base_url();
        config +=
            &format!("[[provider]]\nca_file='/etc/pam-sms/ca.pem'\nbase_url='{base}'\n{table}\n");
    }
    machine.config(&config);
    let log = machine.log();
    (machine, gateway, log)
}

/// A login that was sent a code.
fn asked(machine: &Machine) -> (Session, String) {
    let mut session = Client::new(machine, "sms").user("alice").answer("stdin").spawn();
    let said = session.prompt();
    (session, said)
}

fn answer(status: u16, body: &str) -> Behaviour {
    Behaviour::Answer { status, content_type: "application/json", body: body.to_owned() }
}

#[test]
fn a_real_ssh_client_is_let_in_by_the_providers_code_and_by_no_other() {
    let (machine, gateway, log) = machine("", &[verify()]);
    machine.pam_example("sshd-password");
    let _sshd = machine.sshd("");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.\nCode, r to resend, or ? for help: ");
    alice.type_line(WRONG);
    alice.see("Wrong code. 2 tries left.\nUse the newest code.\n");
    alice.see("? for help: ");
    let code = gateway.wait_for_message(0).code();
    alice.type_line(&format!("{}-{}", &code[..3], &code[3..]));
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0, "{:?}", log.lines());
    log.wait_for("event=sent rhost=127.0.0.1 to=*23 via=twilio-verify user=alice");
    log.wait_for("event=accepted rhost=127.0.0.1 to=*23 via=twilio-verify tries=2 user=alice");
    assert!(log.lines().iter().all(|line| !line.contains(&code)), "{:?}", log.lines());
    assert!(gateway.refusals().is_empty(), "{:?}", gateway.refusals());
}

#[test]
fn only_approved_is_a_success_whatever_else_the_provider_says() {
    for (behaviour, said, logged) in [
        (answer(200, r#"{"status":"pending","valid":false}"#), "Wrong code.", "event=rejected"),
        (answer(404, r#"{"code":20404,"message":"not found"}"#), "That code has", "event=expired"),
        (answer(429, r#"{"code":20429}"#), "The code could not", "throttle (HTTP 429"),
        (answer(401, r#"{"code":20003}"#), "The code could not", "auth (HTTP 401"),
        (answer(200, r#"{"status":"canceled","valid":false}"#), "The code could not", "HTTP 200"),
        (answer(200, r#"{"status":"approved","valid":false}"#), "The code could not", "HTTP 200"),
        (answer(200, r#"{"status":"approved"}"#), "The code could not", "HTTP 200"),
        (answer(201, r#"{"status":"approved","valid":true}"#), "The code could not", "HTTP 201"),
        (answer(500, r#"{"status":"approved","valid":true}"#), "The code could not", "transient"),
        (answer(200, "approved"), "The code could not", "unknown (HTTP 200"),
        (answer(200, ""), "The code could not", "unknown (HTTP 200"),
        (Behaviour::CloseBeforeAnswer, "The code could not", "no answer"),
        (Behaviour::Silence, "The code could not", "no answer"),
        (Behaviour::AcceptThenClose, "The code could not", "no answer"),
    ] {
        let name = format!("{behaviour:?}");
        // Never let in for want of a provider once a code was sent.
        let more = "[delivery]\ntimeout='2s'\nif_unreachable='allow'";
        let (machine, gateway, log) = machine(more, &[verify()]);
        let (mut session, _) = asked(&machine);
        gateway.behave_once(behaviour);
        session.answer_line(WRONG);
        assert!(session.prompt().starts_with(said), "{name}: {:?}", log.lines());
        log.wait_for(logged);
        // The right one still lets in, if there is one.
        session.answer_line(&gateway.wait_for_message(0).code());
        assert_eq!(session.finish().result, 0, "{name}: {:?}", log.lines());
        assert!(log.lines().iter().all(|line| !line.contains("failopen")));
    }
}

#[test]
fn an_approval_that_got_lost_is_none_and_its_code_is_used_up() {
    let (machine, gateway, log) = machine("[limits]\nresend_after='0s'", &[verify()]);
    let (mut session, _) = asked(&machine);
    let code = gateway.wait_for_message(0).code();
    gateway.behave_once(Behaviour::AcceptThenClose);
    session.answer_line(&code);
    assert!(session.prompt().starts_with("The code could not be checked. Type it again.\n"));
    session.answer_line(&code);
    assert!(session.prompt().starts_with("That code has expired. Type r for a new one.\n"));
    session.answer_line("r");
    let said = session.prompt();
    assert!(said.starts_with("New SMS sent to the phone ending in 23.\nCode, r to"), "{said}");
    session.answer_line(&gateway.wait_for_message(1).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn a_provider_that_is_gone_at_the_check_lets_nobody_in_and_locks_nobody_out() {
    let more =
        "[delivery]\ntimeout='2s'\nif_unreachable='allow'\n[limits]\nfailures_per_user='3/1h'";
    let (machine, gateway, log) = machine(more, &[verify()]);
    let (mut session, _) = asked(&machine);
    let code = gateway.wait_for_message(0).code();
    drop(gateway);
    for _ in 0..2 {
        session.answer_line(&code);
        assert!(session.prompt().starts_with("The code could not be checked. Type it again.\n"));
    }
    session.answer_line(&code);
    // PAM_AUTHINFO_UNAVAIL
    let ended = session.finish();
    assert_eq!(ended.result, 9, "{:?}", log.lines());
    log.wait_for("reason=\"connect: Connection refused");
    assert_eq!(failures(), 0);
}

#[test]
fn a_check_whose_answer_was_lost_counts_as_wrong() {
    let more = "[delivery]\ntimeout='2s'\n[limits]\nfailures_per_user='3/1h'";
    let (machine, gateway, log) = machine(more, &[verify()]);
    let (mut session, _) = asked(&machine);
    let code = gateway.wait_for_message(0).code();
    // Whoever listens to lengths could cut off those that say no.
    gateway.behave(Behaviour::CloseBeforeAnswer);
    for _ in 0..2 {
        session.answer_line(WRONG);
        assert!(session.prompt().starts_with("The code could not be checked. Type it again.\n"));
    }
    gateway.behave(Behaviour::Normal);
    assert_eq!(failures(), 2);
    session.answer_line(&code);
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

/// How many wrong codes stand in alice's books.
fn failures() -> usize {
    let state = std::fs::read_to_string("/run/pam-sms/user-alice.state").unwrap();
    let counted = state.lines().find_map(|line| line.strip_prefix("failures "));
    counted.map_or(0, |counted| counted.split(' ').count())
}

#[test]
fn a_helper_that_is_killed_at_the_check_lets_nobody_in() {
    let (machine, gateway, log) = machine("[delivery]\nif_unreachable='allow'", &[verify()]);
    let (mut session, _) = asked(&machine);
    gateway.behave_once(Behaviour::Silence);
    let before = gateway.requests().len();
    session.answer_line(WRONG);
    wait_until("the check", || (gateway.requests().len() > before).then_some(()));
    Process::helper(&machine).signal(libc::SIGKILL);
    assert!(session.prompt().starts_with("The code could not be checked. Type it again.\n"));
    log.wait_for("event=error to=*23 via=twilio-verify tries=1 reason=\"helper");
    log.wait_for("died without an answer");
    assert_eq!(failures(), 0);
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn the_providers_own_limits_are_told_and_ours_hold_first() {
    let more = "[code]\nattempts = 10\n[limits]\nresend_after='0s'\nfailures_per_user='20/1h'";
    let (machine, gateway, log) = machine(more, &[verify()]);
    let (mut session, _) = asked(&machine);
    for left in (5..10).rev() {
        session.answer_line(WRONG);
        assert!(session.prompt().starts_with(&format!("Wrong code. {left} tries left.")));
    }
    let code = gateway.wait_for_message(0).code();
    assert!(machine.run("/usr/sbin/pam-sms", &["backup-codes", "alice"]).status.success());
    session.answer_line(&code);
    let said = "Too many wrong codes. Locked for 10 minutes.\n\
                Try again later or call your administrator.\nBackup code, or Enter to give up: ";
    assert_eq!(session.prompt(), said);
    log.wait_for("throttle (HTTP 429, code 60202: Max check attempts reached)");
    session.answer_line("");
    // PAM_MAXTRIES
    assert_eq!(session.finish().result, 11, "{:?}", log.lines());

    // Words are not worth asking about, and what may not be tried is not asked.
    let requests = gateway.requests().len();
    let (mut session, _) = asked(&machine);
    session.answer_line("hello");
    assert!(session.prompt().starts_with("Wrong code. 9 tries left."));
    assert_eq!(gateway.requests().len(), requests + 1, "the start alone");
}

#[test]
fn the_one_that_took_the_message_judges_after_a_change_of_providers() {
    let busy = || answer(429, r#"{"code":60203,"message":"Max send attempts reached"}"#);
    // From Verify to ours: our code, with its reference.
    let (machine_, gateway, log) = machine("", &[verify(), clickatell()]);
    gateway.behave_once(busy());
    let (mut session, said) = asked(&machine_);
    assert!(said.contains("\nReference: "), "{said}");
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("twilio-verify: throttle (HTTP 429, code 60203: Max send attempts reached)");
    assert!(gateway.requests().iter().all(|request| !request.path.ends_with("Check")));
    drop(machine_);

    // And from ours, which may have gone out, to Verify: its code counts, ours does not.
    let (machine_, gateway, log) = machine("", &[clickatell(), verify()]);
    gateway.behave_once(Behaviour::AcceptThenClose);
    let (mut session, said) = asked(&machine_);
    assert!(said.starts_with("SMS sent to the phone ending in 23.\nCode, r to"), "{said}");
    session.answer_line(&gateway.wait_for_message(0).code());
    assert!(session.prompt().starts_with("Wrong code. 2 tries left.\nUse the newest code.\n"));
    session.answer_line(&gateway.wait_for_message(1).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn a_start_that_nobody_confirmed_is_judged_by_the_provider_too() {
    let (machine, gateway, log) = machine("", &[verify()]);
    gateway.behave_once(Behaviour::AcceptThenClose);
    let (mut session, said) = asked(&machine);
    assert!(said.starts_with("The SMS may be late: the provider did not confirm it.\nCode, r to"));
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn an_admins_texts_go_by_a_provider_that_sends_texts_or_by_none() {
    let set = ["/usr/sbin/pam-sms", "user", "set", "alice", "+4915123456789", "--verify"];
    let (machine_, gateway, _log) = machine("", &[verify(), clickatell()]);
    let mut admin = Person::root(&set);
    admin.see("SMS sent to *89, reference ");
    admin.type_line(&gateway.wait_for_message(0).code());
    admin.see("alice: *89 (changed)\n*23 was told.");
    assert_eq!(admin.gone(), 0);
    let [new, old] = [0, 1].map(|nth| gateway.wait_for_message(nth));
    assert_eq!([new.format, old.format], ["clickatell", "clickatell"]);
    assert_eq!(old.to, "+4915123456723");
    assert!(old.text.starts_with("The phone number for codes of alice"), "{}", old.text);
    drop(machine_);

    let (_machine, gateway, _log) = machine("", &[verify()]);
    let mut admin = Person::root(&set);
    admin.see(
        "error: no message to *89: no provider that sends texts, and not codes of its own, is",
    );
    assert_eq!(admin.gone(), 1);
    assert_eq!(gateway.requests().len(), 0, "no code goes out in the place of a text");
}

#[test]
fn verify_calls_in_the_persons_language() {
    let more = "[delivery]\nvoice=true\n[message]\nlanguage='de'\n[limits]\nresend_after='0s'";
    let (machine, gateway, log) = machine(more, &[verify()]);
    let (mut session, _) = asked(&machine);
    session.answer_line("v");
    assert!(session.prompt().starts_with("Das Telefon mit der Endung 23 klingelt gleich.\n"));
    let call = gateway.wait_for_message(1);
    assert_eq!(call.format, "twilio-verify-call");
    assert!(call.text.starts_with("de: "), "{}", call.text);
    session.answer_line(&call.code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("via=twilio-verify way=call user=alice");
}
