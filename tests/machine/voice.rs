//! Codes that are read aloud: `v` at the prompt of a real login.

use crate::support::gateway::{Behaviour, Gateway, Message, account};
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::Client;
use crate::support::person::Person;

const IN: [&str; 2] = ["-o", "RemoteCommand=echo in-as-$(id -un)"];

/// A machine that calls by these providers, which are at the gateway, with alice's record.
fn machine(record: &str, tables: &[String]) -> (Machine, Gateway, Log) {
    let machine = Machine::new();
    let gateway = Gateway::start();
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.users(&format!("alice = {record}\n"));
    machine.pam_example("sshd-password");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let mut config = "[delivery]\nvoice = true\n[limits]\nresend_after = '0s'\n".to_owned();
    for table in tables {
        let base = gateway.base_url();
        config +=
            &format!("[[provider]]\nca_file='/etc/pam-sms/ca.pem'\nbase_url='{base}'\n{table}\n");
    }
    machine.config(&config);
    let log = machine.log();
    (machine, gateway, log)
}

fn twilio() -> String {
    let (sid, token, from) = (account::TWILIO_SID, account::TWILIO_TOKEN, account::TWILIO_FROM);
    format!(
        "kind='twilio'\naccount_sid='{sid}'\nauth_token='{token}'\nfrom='{from}'\nvoice_from='{from}'"
    )
}

fn infobip() -> String {
    format!("kind='infobip'\napi_key='{}'\nvoice_from='15017122661'", account::INFOBIP_KEY)
}

/// The digits that are read.
fn heard(call: &Message) -> String {
    call.text.chars().filter(char::is_ascii_digit).collect()
}

fn alice() -> Person {
    let mut alice = Person::ssh_in("C.UTF-8", "alice", &IN);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice
}

#[test]
fn whoever_types_v_is_called_and_hears_the_code() {
    let german = "{ phones = ['+4915123456723'], language = 'de' }";
    for (format, table) in [("twilio-call", twilio()), ("infobip-call", infobip())] {
        let (machine, gateway, log) = machine(german, &[table]);
        let _sshd = machine.sshd("");
        let mut alice = alice();
        alice.see("v: Anruf, der den Code vorliest.\nCode, r für neue SMS oder ? für Hilfe: ");
        alice.type_line("v");
        alice.see(
            "Das Telefon mit der Endung 23 klingelt gleich.\nFrühere Codes gelten nicht mehr.\n",
        );
        let call = gateway.wait_for_message(1);
        assert_eq!((call.format, call.to.as_str()), (format, "+4915123456723"));
        let digits: Vec<_> = heard(&call).chars().map(String::from).collect();
        assert_eq!(call.text, format!("Ihr Anmeldecode lautet: {}", digits.join(", ")));
        alice.see("? für Hilfe: ");
        alice.type_line("?");
        alice.see("Ein Code ging an Ihr Telefon.\n");
        alice.see("\nCode: ");
        // That of the message no longer counts.
        alice.type_line(&gateway.wait_for_message(0).code());
        alice.see("Falscher Code. Noch 2 Versuche.\nBitte den neuesten Code verwenden.\n");
        alice.see("? für Hilfe: ");
        alice.type_line(&heard(&call));
        alice.see("in-as-alice");
        assert_eq!(alice.gone(), 0, "{:?}", log.lines());
        log.wait_for("event=resent");
        log.wait_for("way=call user=alice");
        assert!(gateway.refusals().is_empty(), "{:?}", gateway.refusals());
    }
}

#[test]
fn a_landline_is_called_at_once_in_english_where_the_voice_has_nothing_else() {
    // Armenian is read by neither; English is, in its own words.
    let record = "{ phones = ['+4915123456723'], language = 'hy', voice = true }";
    let (machine, gateway, log) = machine(record, &[twilio()]);
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    assert!(session.prompt().starts_with("Այժմ կզնգա …23 հեռախոսը։\n"));
    let call = gateway.wait_for_message(0);
    assert!(call.text.starts_with("Your login code is: "), "{}", call.text);
    assert!(gateway.requests()[0].body_text().contains("language%3D%22en-US%22"));
    session.answer_line(&heard(&call));
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("event=sent to=*23 via=twilio way=call user=alice");
    assert_eq!(gateway.messages().len(), 1);
}

#[test]
fn only_those_who_can_call_are_asked_for_a_call() {
    let mute = format!("kind='clickatell'\napi_key='{}'", account::CLICKATELL_KEY);
    let (machine, gateway, log) = machine("'+4915123456723'", &[mute, twilio(), infobip()]);
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    assert_eq!(gateway.wait_for_message(0).format, "clickatell");
    gateway.behave_once(Behaviour::Answer {
        status: 400,
        content_type: "application/json",
        body: r#"{"code":21215,"message":"Geo Permission"}"#.to_owned(),
    });
    session.answer_line("v");
    let said = session.prompt();
    assert!(said.starts_with("The phone ending in 23 should ring now.\n"), "{said}");
    let call = gateway.wait_for_message(1);
    assert_eq!(call.format, "infobip-call");
    log.wait_for("via=infobip way=call reason=");
    log.wait_for("twilio: config (HTTP 400, code 21215: Geo Permission)");
    session.answer_line(&heard(&call));
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    // Never the code, however it is written.
    let code = heard(&call);
    let apart = code.chars().map(String::from).collect::<Vec<_>>().join(", ");
    assert!(log.lines().iter().all(|line| !line.contains(&code) && !line.contains(&apart)));
}

#[test]
fn a_call_that_may_have_been_made_is_one_and_a_refused_number_can_be_called() {
    let (machine, gateway, log) = machine("'+4915123456723'", &[twilio()]);
    gateway.behave_once(Behaviour::Answer {
        status: 400,
        content_type: "application/json",
        body: r#"{"code":21614,"message":"'To' number is not a valid mobile number"}"#.to_owned(),
    });
    gateway.behave_once(Behaviour::AcceptThenClose);
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    let said = session.prompt();
    assert!(said.ends_with("\nv: a call reads the code aloud.\nPress Enter to close: "), "{said}");
    session.answer_line("v");
    assert!(session.prompt().starts_with("The call may not come: it was not confirmed.\n"));
    session.answer_line(&heard(&gateway.wait_for_message(0)));
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("event=uncertain to=*23 via=twilio way=call");
}

#[test]
fn calls_that_nobody_can_make_are_an_error_in_the_configuration() {
    let mute = twilio().replace("voice_from", "#");
    let (machine, gateway, log) = machine("'+4915123456723'", &[mute]);
    let check = machine.run("/usr/sbin/pam-sms", &["check"]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(said.contains("config.toml:2:9: no provider can call"), "{said}");
    let run = Client::new(&machine, "sms").user("alice").answer("null").run();
    assert_eq!(run.result, 3, "PAM_SERVICE_ERR");
    log.wait_for("config.toml:2:9: no provider can call");
    assert_eq!(gateway.connections(), 0);
}
