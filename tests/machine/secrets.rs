//! Where codes and keys must not be found, and where keys come from.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::support::gateway::{Behaviour, Gateway, account};
use crate::support::log::{Log, Watched, wait_until};
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{Client, Session};
use crate::support::person::Person;
use crate::support::process::{Process, holds};

const OUTBOX: &str = "/run/pam-sms/outbox";
/// Stands in the text of a message, which the module needs and so has in its memory.
const CANARY: &str = "canary-of-the-memory-scan";

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.pam("sms", "auth requisite pam_sms.so debug\nauth required pam_permit.so\n");
    machine.users("alice = \"+4915123456723\"\n");
    let log = machine.log();
    (machine, log)
}

/// The table of a provider behind `gateway`, all but its key.
fn clickatell(machine: &Machine, gateway: &Gateway) -> String {
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    let base = gateway.base_url();
    format!(
        "[[provider]]\nkind='clickatell'\nbase_url='{base}'\nca_file='/etc/pam-sms/ca.pem'\n\
         timeout='5s'\n"
    )
}

/// Whether every process of the machine keeps `secret` out of its words and its environment.
#[track_caller]
fn not_in_any_process(machine: &Machine, secret: &str) {
    let processes = machine.processes();
    assert!(!processes.is_empty(), "nobody to look at");
    for (pid, words) in processes {
        assert!(!words.contains(secret), "in the command line: {words}");
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        assert!(!holds(&environment, secret.as_bytes()), "in the environment of {words}");
    }
}

/// All files below `folder` that were written since `since` and hold `secret`.
fn files_with(secret: &str, folder: &Path, since: SystemTime) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // What is gone by now, as files in a shared /tmp may be, holds nothing.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() {
            found.extend(files_with(secret, &path, since));
        } else if meta.is_file()
            && meta.modified().is_ok_and(|written| written >= since)
            && meta.len() < 16 << 20
            && fs::read(&path).is_ok_and(|bytes| holds(&bytes, secret.as_bytes()))
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_code_is_in_the_outbox_and_nowhere_else() {
    let (machine, log) = machine();
    // A long one, which is found nowhere by chance.
    machine.config("[code]\ndigits = 10\n");
    machine.pam_example("sshd-password");
    // The clock of files may be a tick behind.
    let before = SystemTime::now() - Duration::from_secs(1);
    let sshd = machine.sshd("LogLevel DEBUG3\n");
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=id -un"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    let outbox = fs::read_to_string(OUTBOX).unwrap();
    let code = outbox.split(['-', ' ']).find(|word| word.len() == 10 && is_number(word)).unwrap();

    let look = || {
        not_in_any_process(&machine, code);
        for folder in ["/run", "/etc", "/var", "/home", "/dev/shm", "/tmp"] {
            let found = files_with(code, Path::new(folder), before);
            let expected = if folder == "/run" { vec![PathBuf::from(OUTBOX)] } else { Vec::new() };
            assert_eq!(found, expected, "below {folder}");
        }
        assert!(log.lines().iter().all(|line| !line.contains(code)), "in the log");
        assert!(!sshd.diagnostics().contains(code), "in sshd's own log");
    };
    look();
    alice.type_line(code);
    alice.see("alice");
    assert_eq!(alice.gone(), 0);
    log.wait_for("event=accepted");
    look();
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn neither_code_nor_number_nor_key_is_in_a_process_that_sends() {
    let (machine, _log) = machine();
    let gateway = Gateway::start();
    let key = format!("api_key='{}'\n", account::CLICKATELL_KEY);
    machine.config(&(clickatell(&machine, &gateway) + &key));
    gateway.behave(Behaviour::Silence);
    let session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    let request = wait_until("a request", || gateway.requests().into_iter().next());
    let body = request.body_text();
    let code = body.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).unwrap();
    assert!(Process::helper(&machine).runs());
    for secret in [code, "15123456723", account::CLICKATELL_KEY] {
        not_in_any_process(&machine, secret);
    }
    drop(session);
}

#[test]
fn no_key_is_in_the_memory_of_the_process_at_the_prompt() {
    let long = "fuchsia-".repeat(40);
    for (what, key, token) in [
        ("plain", "jabberwock-and-bandersnatch", "'jabberwock-and-bandersnatch'"),
        // An escape is undone in memory of its own.
        ("escaped", "jabberwock-and-bandersnatch", r#""jabberwock\u002dand-bandersnatch""#),
        ("of several lines", "jabberwock-and", "\"\"\"jabber\\\n   wock-and\"\"\""),
        ("long", &*long, &format!("\"{}\"", long.replacen('-', r"\u002d", 1))),
    ] {
        for drop_in in [false, true] {
            let (machine, log) = machine();
            let provider = format!(
                "[[provider]]\nkind='twilio'\naccount_sid='AC1'\nauth_token={token}\n\
                 from='+15017122661'\n"
            );
            // The outbox is what sends; the table with the key is read on the way.
            let outbox = "[[provider]]\nkind='outbox'\ncountries=['+49']\n";
            let text = format!("[message]\ntext='{{code}} {CANARY}'\n");
            if drop_in {
                machine.config(&(text + outbox));
                machine.file("/etc/pam-sms/config.d/10-keys.toml", provider, 0o600);
            } else {
                machine.config(&(text + outbox + &provider));
            }
            let client = Client::new(&machine, "sms").user("alice").answer("stdin");
            let mut session = client.spawn();
            session.prompt();
            let outbox = fs::read_to_string(OUTBOX).unwrap();
            let code = outbox.split(' ').nth(2).unwrap();
            // The end of it: the C library writes over the beginning of memory that is freed.
            let end = &key[key.len() - 13..];
            let held = Process::of(&session).memory_holds(&[CANARY, code, end]);
            assert!(held[0] && held[1], "the scan does not even find what must be there");
            assert!(!held[2], "a key that is {what} is in memory (in a drop-in: {drop_in})");
            session.answer_line(code);
            assert_eq!(session.finish().result, 0, "{:?}", log.lines());
        }
    }
}

/// One login with the code that the gateway got.
fn log_in_through(gateway: &Gateway, mut session: Session, log: &Log) {
    session.prompt();
    assert_eq!(gateway.refusals(), Vec::<String>::new());
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn a_key_may_stand_in_a_file_of_its_own() {
    const FILE: &str = "/etc/pam-sms/key";
    for end in ["", "\n"] {
        let (machine, log) = machine();
        // Over plain http, which is good enough within one machine.
        let gateway = Gateway::start_plain();
        machine.file(FILE, account::CLICKATELL_KEY.to_owned() + end, 0o600);
        let table = format!(
            "[[provider]]\nkind='clickatell'\nbase_url='{}'\napi_key_file='{FILE}'\n",
            gateway.base_url()
        );
        machine.config(&table);
        let client = Client::new(&machine, "sms").user("alice").answer("stdin");
        log_in_through(&gateway, client.spawn(), &log);

        for (content, mode, said) in [
            ("", 0o600, "/etc/pam-sms/key: must hold one line, and not an empty one"),
            ("\n", 0o600, "/etc/pam-sms/key: must hold one line, and not an empty one"),
            ("key\n\n", 0o600, "/etc/pam-sms/key: must hold one line, and not an empty one"),
            ("key\n", 0o666, "/etc/pam-sms/key: can be written by others (mode 0666)"),
        ] {
            machine.file(FILE, content, mode);
            let run = Client::new(&machine, "sms").user("alice").answer("null").run();
            assert_eq!(run.result, 3, "{content:?}: {:?}", log.lines());
            log.wait_for(said);
            log.clear();
        }
        fs::remove_file(FILE).unwrap();
        let run = Client::new(&machine, "sms").user("alice").answer("null").run();
        assert_eq!(run.result, 3, "{:?}", log.lines());
        log.wait_for("/etc/pam-sms/key: does not exist");
        assert_eq!(gateway.messages().len(), 1);
    }
}

/// A proxy that takes CONNECT and keeps the first line of what it was asked.
fn proxy() -> (u16, std::sync::Arc<Watched<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Watched::new(Vec::new());
    let told = std::sync::Arc::clone(&asked);
    // Ends with the test's process; the machine's network keeps it from everyone else.
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let line = relay(client);
            told.update(|asked: &mut Vec<String>| asked.push(line));
        }
    });
    (port, asked)
}

/// Connects a client to where it wants to go.
fn relay(mut client: TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if !matches!(client.read(&mut byte), Ok(1)) {
            return "nothing".to_owned();
        }
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    let place = line.split(' ').nth(1).unwrap_or_default();
    let Ok(server) = TcpStream::connect(place) else { return line };
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let ends = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let ((mut from, mut to), (mut back, mut answers)) = (ends(), ends());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    thread::spawn(move || std::io::copy(&mut answers, &mut back));
    line
}

#[test]
fn the_proxy_of_the_configuration_is_used_and_no_other() {
    for configured in [true, false] {
        let (machine, log) = machine();
        let gateway = Gateway::start();
        let ((port, asked), (other, never)) = (proxy(), proxy());
        let key = format!("api_key='{}'\n", account::CLICKATELL_KEY);
        let delivery = format!("[delivery]\nproxy='http://127.0.0.1:{port}'\n");
        let delivery = if configured { &delivery } else { "" };
        machine.config(&(delivery.to_owned() + &clickatell(&machine, &gateway) + &key));

        let ambient = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            .map(|name| format!("{name}=http://127.0.0.1:{other}"));
        let ambient = ambient.each_ref().map(String::as_str);
        let client = Client::new(&machine, "sms").under(&["/usr/bin/env"]).under(&ambient);
        log_in_through(&gateway, client.user("alice").answer("stdin").spawn(), &log);

        let connect = format!("CONNECT localhost:{} HTTP/1.1", gateway.port());
        let expected = if configured { vec![connect] } else { Vec::new() };
        assert_eq!(asked.look(Clone::clone), expected);
        assert_eq!(never.look(Clone::clone), Vec::<String>::new(), "a proxy of the caller's");
    }
}

#[test]
fn trap_6_an_empty_key_is_no_key() {
    for empty in ["", " "] {
        let (machine, log) = machine();
        machine.config(&format!("[[provider]]\nkind='clickatell'\napi_key='{empty}'\n"));
        let run = Client::new(&machine, "sms").user("alice").answer("null").run();
        assert_eq!(run.result, 3, "{:?}", log.lines());
        log.wait_for("`api_key` is empty");
    }
}
