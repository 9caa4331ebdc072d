//! The wire formats, against a gateway that refuses what is not exactly right.

use std::net::UdpSocket;

use pam_sms::gateway::description::BUILT_IN;

use crate::provider_rows::{tables, twilio};
use crate::support::gateway::{Behaviour, Certificate, Gateway, account};
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::Client;
use crate::support::person::Person;

const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";
const TEXT: &str = "{reference}-{code} код для входа 🔑 & <a> + ß";

/// A machine with a gateway in it, where service `sms` asks for a code; it is put together here.
struct Setup {
    certificate: Certificate,
    users: &'static str,
    /// What stands before the providers in the configuration.
    more: String,
    providers: Vec<String>,
}

impl Setup {
    /// With one provider, which `table` describes.
    fn with(table: impl Into<String>) -> Self {
        Self {
            certificate: Certificate::Good,
            users: "alice = \"+4915123456723\"\n",
            more: String::new(),
            providers: vec![table.into()],
        }
    }

    /// And another provider behind it.
    fn and(mut self, table: impl Into<String>) -> Self {
        self.providers.push(table.into());
        self
    }

    fn more(mut self, more: impl Into<String>) -> Self {
        self.more = more.into();
        self
    }

    fn users(mut self, users: &'static str) -> Self {
        self.users = users;
        self
    }

    fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// Moves in. Providers are at the gateway, unless a table says where else.
    fn start(self) -> (Machine, Gateway, Log) {
        let machine = Machine::new();
        let gateway = Gateway::start_with_certificate(self.certificate);
        machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
        machine.pam("sms", STACK);
        machine.users(self.users);
        let mut config = self.more;
        for table in self.providers {
            config += &format!("\n[[provider]]\nca_file='/etc/pam-sms/ca.pem'\n{table}\n");
            if !table.contains("base_url") {
                config += &format!("base_url='{}'\n", gateway.base_url());
            }
        }
        machine.config(&config);
        let log = machine.log();
        (machine, gateway, log)
    }
}

/// A provider whose name has to be looked up.
fn elsewhere() -> String {
    twilio() + "\nbase_url='https://sms.example'"
}

#[test]
fn there_is_a_row_for_every_kind_that_is_built_in() {
    let rows = tables();
    for (kind, _) in BUILT_IN {
        assert!(rows.iter().any(|(format, _)| *format == kind), "{kind}");
    }
}

#[test]
fn a_key_with_a_choice_of_values_takes_no_other() {
    let table = "kind='android-sms-gateway'\nmode='clud'\nusername='u'\npassword='p'";
    let (machine, _gateway, _log) = Setup::with(table).start();
    let check = machine.run("/usr/sbin/pam-sms", &["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    let said = said + &String::from_utf8_lossy(&check.stderr);
    assert!(said.contains("`mode` must be one of: cloud, local"), "{said}");
}

#[test]
fn a_real_ssh_client_gets_in_by_every_format() {
    for (format, table) in tables() {
        let (machine, gateway, log) = Setup::with(&table).start();
        machine.pam_example("sshd-password");
        let _sshd = machine.sshd("");
        let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
        alice.see("Password:");
        alice.type_line(ALICE_PASSWORD);
        alice.see("or ? for help: ");
        let message = gateway.wait_for_message(0);
        assert_eq!(message.format, format);
        alice.type_line(&message.code());
        alice.see("in-as-alice");
        assert_eq!(alice.gone(), 0, "{format}: {:?}", log.lines());
    }
}

#[test]
fn every_format_is_accepted_in_latin_and_beyond() {
    for (format, table) in tables() {
        let beyond = format!("[message]\ntext = '{TEXT}'");
        for more in ["", &beyond] {
            let (machine, gateway, log) = Setup::with(&table).more(more).start();
            let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
            session.prompt();
            assert_eq!(gateway.refusals(), Vec::<String>::new(), "{format}");
            let message = gateway.wait_for_message(0);
            assert_eq!(message.format, format);
            assert_eq!(message.to, "+4915123456723");
            // Its words are its own.
            if !more.is_empty() && format != "twilio-verify" {
                assert!(message.text.ends_with(" код для входа 🔑 & <a> + ß"), "{}", message.text);
            }
            session.answer_line(&message.code());
            assert_eq!(session.finish().result, 0, "{format}: {:?}", log.lines());
        }
    }
}

#[test]
fn what_gateways_do_wrong_never_lets_in() {
    let answer = |status, body: &str| Behaviour::Answer {
        status,
        content_type: "application/json",
        body: body.to_owned(),
    };
    // PAM_AUTH_ERR 7, PAM_AUTHINFO_UNAVAIL 9; where the message may have gone out, a prompt.
    for (behaviour, result, said) in [
        (answer(200, r#"{"code":21211,"message":"bad"}"#), 7, "recipient"),
        (answer(400, r#"{"code":21610,"message":"+4915123456723 said STOP"}"#), 7, "optout"),
        (answer(401, r#"{"code":20003}"#), 9, "auth (HTTP 401"),
        (answer(402, ""), 9, "credit (HTTP 402"),
        (answer(429, ""), 9, "throttle (HTTP 429"),
        (answer(500, ""), 9, "transient (HTTP 500"),
        (answer(201, "garbage"), 9, "unknown (HTTP 201"),
        (Behaviour::HugeBody { status: 201, bytes: 1 << 30 }, 9, "the answer has no end"),
        (Behaviour::Redirect("https://localhost/".to_owned()), 9, "unknown (HTTP 307"),
        (Behaviour::Trickle { status: 201, body: "x".repeat(600) }, 7, "event=uncertain"),
        (Behaviour::CloseBeforeAnswer, 7, "event=uncertain"),
        (Behaviour::Silence, 7, "event=uncertain"),
        (Behaviour::AcceptThenSilence, 7, "event=uncertain"),
        (Behaviour::CloseAtAccept, 9, "event=undeliverable"),
        (Behaviour::SilentAccept, 9, "connect: no answer in time"),
    ] {
        let more = "[delivery]\ntimeout = '2s'";
        let (machine, gateway, log) = Setup::with(twilio()).more(more).start();
        let name = format!("{behaviour:?}");
        gateway.behave(behaviour);
        let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
        assert_eq!(run.result, result, "{name}: {:?}", log.lines());
        log.wait_for(said);
        assert!(run.elapsed.as_secs() < 5, "{name} took {:?}", run.elapsed);
        assert!(log.ours().iter().all(|line| !line.contains("5123456")), "{:?}", log.ours());
    }
}

#[test]
fn certificates_are_checked() {
    for bad in [
        Certificate::Expired,
        Certificate::WrongName,
        Certificate::OtherAuthority,
        Certificate::SelfSigned,
    ] {
        let more = "[delivery]\nif_unreachable = 'allow'";
        let (machine, gateway, log) = Setup::with(twilio()).certificate(bad).more(more).start();
        let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
        assert_eq!(run.result, 9, "{:?}", log.lines());
        log.wait_for("certificate: ");
        assert!(gateway.messages().is_empty());
    }
}

#[test]
fn the_next_provider_takes_over_with_the_same_code() {
    let second = format!("name='second'\nkind='clickatell'\napi_key='{}'", account::CLICKATELL_KEY);
    let (machine, gateway, log) = Setup::with(twilio()).and(second).start();
    gateway.behave_once(Behaviour::AcceptThenClose);
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    let codes = [0, 1].map(|nth| gateway.wait_for_message(nth).code());
    assert_eq!(codes[0], codes[1]);
    session.answer_line(&codes[1]);
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    log.wait_for("via=second");
}

#[test]
fn a_message_that_bears_a_mark_is_asked_for_again_and_sent_once() {
    let mut seen = 0;
    for (format, table) in tables() {
        let is_marked = ["bird", "bulksms", "android-sms-gateway"].contains(&format);
        let (machine, gateway, log) = Setup::with(&table).start();
        gateway.behave_once(Behaviour::AcceptThenClose);
        let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
        let prompt = session.prompt();
        assert_eq!(gateway.messages().len(), 1, "{format}");
        assert_eq!(gateway.requests().len(), 1 + usize::from(is_marked), "{format}");
        assert_eq!(prompt.contains("SMS sent"), is_marked, "{format}: {prompt}");
        session.answer_line(&gateway.wait_for_message(0).code());
        assert_eq!(session.finish().result, 0, "{format}: {:?}", log.lines());
        seen += usize::from(is_marked);
    }
    assert_eq!(seen, 4);
}

#[test]
fn who_has_a_bad_key_is_asked_last_for_a_while_and_never_left_out() {
    const FILE: &str = "/run/pam-sms/providers.state";
    let second = format!("name='second'\nkind='clickatell'\napi_key='{}'", account::CLICKATELL_KEY);
    let (machine, gateway, log) = Setup::with(twilio()).and(second).start();
    let login = |gateway: &Gateway, nth: usize| {
        let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
        session.prompt();
        session.answer_line(&gateway.wait_for_message(nth).code());
        assert_eq!(session.finish().result, 0, "{:?}", log.lines());
    };
    let status = || {
        let run = machine.run("/usr/sbin/pam-sms", &["status"]);
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    let refusal = |status| Behaviour::Answer {
        status,
        content_type: "application/json",
        body: r#"{"code":20003,"message":"Authenticate"}"#.to_owned(),
    };
    gateway.behave_once(refusal(401));
    login(&gateway, 0);
    assert_eq!(gateway.requests().len(), 2);
    assert!(status().contains("provider twilio: asked last for 10 minutes (auth)"), "{}", status());
    // The next login goes straight to the other.
    login(&gateway, 1);
    assert_eq!(gateway.requests().len(), 3);
    log.wait_for("twilio: asked last for 10 minutes (auth)");
    // Where that one takes nothing, the first is asked all the same, and is as good as before.
    gateway.behave_once(refusal(503));
    login(&gateway, 2);
    assert_eq!(gateway.messages()[2].format, "twilio");
    assert!(!status().contains("asked last"), "{}", status());
    login(&gateway, 3);
    assert_eq!(gateway.messages()[3].format, "twilio");

    // A damaged file is a warning, and everybody is asked in the usual order.
    machine.file(FILE, "pam-sms-providers 1\naside", 0o600);
    login(&gateway, 4);
    assert_eq!(gateway.messages()[4].format, "twilio");
    log.wait_for("/run/pam-sms/providers.state: is damaged, and begun anew");
    // So is one that cannot be opened.
    std::fs::remove_file(FILE).unwrap();
    std::fs::create_dir(FILE).unwrap();
    login(&gateway, 5);
    log.wait_for("/run/pam-sms/providers.state: Is a directory");
}

#[test]
fn a_number_that_is_no_good_sets_nobody_aside() {
    let second = format!("name='second'\nkind='clickatell'\napi_key='{}'", account::CLICKATELL_KEY);
    let (machine, gateway, log) = Setup::with(twilio()).and(second).start();
    // Neither what is about the number, nor what may be, nor what a crowd can cause.
    for (status, code) in [(400, 21211), (400, 99999), (429, 20429), (503, 0)] {
        gateway.behave_once(Behaviour::Answer {
            status,
            content_type: "application/json",
            body: format!(r#"{{"code":{code},"message":"no"}}"#),
        });
        Client::new(&machine, "sms").user("alice").answer("empty").run();
    }
    let kept = std::fs::read_to_string("/run/pam-sms/providers.state").unwrap();
    assert!(!kept.contains("aside"), "{kept} {:?}", log.lines());
}

#[test]
fn an_admins_own_description_sends_too() {
    let table = format!("kind='http'\ndescription='custom'\ntoken='{}'", account::CUSTOM_TOKEN);
    let (machine, gateway, log) = Setup::with(table).start();
    let description = r#"
        about = "The interface nobody sells"
        needs = [[["token"]]]
        [keys]
        token = { about = "Token", secret = true }
        [request]
        method = "POST"
        path = "/custom/send"
        header = [{ name = "X-Token", value = "{token}" }]
        json = { recipient = "{to+}", message = "{text}" }
        [accepted]
        status = [200]
        equals = { "/ok" = true }
    "#;
    machine.file("/etc/pam-sms/providers.d/custom.toml", description, 0o600);
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    assert_eq!(gateway.refusals(), Vec::<String>::new());
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn countries_choose_the_provider() {
    use account::{CLICKATELL_KEY, CLICKATELL_USA_KEY};
    let usa = format!(
        "name='usa'\nkind='clickatell'\napi_key='{CLICKATELL_USA_KEY}'\ncountries=['+1']\n\
         countries_only=true"
    );
    let others = format!("kind='clickatell'\napi_key='{CLICKATELL_KEY}'");
    let users = "alice = \"+4915123456723\"\nbob = \"+14155550123\"\n";
    let (machine, gateway, _log) = Setup::with(usa).and(others).users(users).start();
    for (nth, user, key) in [(0, "alice", CLICKATELL_KEY), (1, "bob", CLICKATELL_USA_KEY)] {
        Client::new(&machine, "sms").user(user).answer("empty").run();
        assert_eq!(gateway.wait_for_message(nth).credentials, key);
    }
}

#[test]
fn no_such_name_is_our_fault_and_a_name_server_in_trouble_is_not() {
    // SERVFAIL and NXDOMAIN.
    for (code, result, said) in [
        (2, 0, "address: no name server answers for sms.example"),
        (3, 9, "address: sms.example: Name or service not known"),
    ] {
        let more = "[delivery]\nif_unreachable='allow'";
        let (machine, _gateway, log) = Setup::with(elsewhere()).more(more).start();
        let _dns = machine.dns_that_answers(code);
        let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
        assert_eq!(run.result, result, "{:?}", log.lines());
        log.wait_for(said);
    }
}

#[test]
fn a_machine_without_ports_is_no_outage() {
    let more = "[delivery]\nif_unreachable='allow'";
    let (machine, _gateway, log) = Setup::with(elsewhere()).more(more).start();
    // The C library says "try again" here as well, and anybody with a shell can take all ports.
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001").unwrap();
    let taken = [40000, 40001].map(|port| UdpSocket::bind(("0.0.0.0", port)).unwrap());
    let _dns = machine.dns_that_answers(2);
    let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
    assert_eq!(run.result, 9, "{:?}", log.lines());
    log.wait_for("local: the address of sms.example: this machine cannot ask a name server");
    drop(taken);
    let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
    assert_eq!(run.result, 0, "{:?}", log.lines());
    log.wait_for("event=failopen");
}

#[test]
fn trap_22_a_silent_name_server_neither_hangs_nor_sends() {
    for (policy, result, said) in
        [("deny", 9, "event=undeliverable"), ("allow", 0, "event=failopen")]
    {
        let more = format!("[delivery]\ntimeout='4s'\nif_unreachable='{policy}'");
        let (machine, _gateway, log) = Setup::with(elsewhere()).more(more).start();
        let _silent = machine.silent_dns();
        let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
        assert_eq!(run.result, result, "{:?}", log.lines());
        log.wait_for(said);
        assert!(run.elapsed.as_secs() < 6, "{:?}", run.elapsed);
    }
}
