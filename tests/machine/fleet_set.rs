//! Several servers of which one is copied by the others, and sentinels that say which.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::support::books::code_for;
use crate::support::machine::Machine;
use crate::support::pam::{Client, Hold, Session};
use crate::support::sentinel::House;

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const MAXTRIES: i32 = 11;
const NUMBER: &str = "+4915123456723";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";

fn set_up(machine: &Machine, store: &str, limits: &str) {
    machine.config(&format!("[limits]\n{store}{limits}\n"));
    machine.users(&format!("alice = '{NUMBER}'\n"));
    machine.pam("sms", STACK);
}

fn at_the_prompt(machine: &Machine) -> Session {
    let mut session = Client::new(machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session
}

#[test]
fn a_failover_in_the_middle_of_logins_forgets_no_wrong_code() {
    let machine = Machine::new();
    let mut house = House::start(&machine);
    set_up(
        &machine,
        &house.settings(),
        "failures_per_user = '4/1h'\nstore_unreachable = 'deny'\nstore_timeout = '5s'",
    );
    let log = machine.log();
    let (mut one, mut other) = (at_the_prompt(&machine), at_the_prompt(&machine));
    one.answer_line("12345");
    one.prompt();
    house.first.kill();
    house.wait_for_the_second();
    // What was counted is there, and what the new one counts goes on from it.
    let kept = || house.second.cli(&["GET", "pam-sms:user-alice"]);
    assert!(kept().contains("\ntotal 1\n"), "{}", kept());
    one.answer_line("12345");
    one.prompt();
    other.answer_line("12345");
    other.prompt();
    other.answer_line("12345");
    assert_eq!(other.finish().result, MAXTRIES);
    one.answer_line(&code_for(NUMBER));
    assert_eq!(one.finish().result, MAXTRIES);
    assert!(kept().contains("\ntotal 4\n"), "{}", kept());
    for line in log.ours() {
        assert!(!line.contains("out of reach"), "{line}");
    }

    // The old one comes back, believes for a moment that it is the one, and is not asked.
    house.first.run();
    let unlocked = machine.run("/usr/sbin/pam-sms", &["unlock", "alice"]);
    assert!(unlocked.status.success(), "{unlocked:?}");
    let mut session = at_the_prompt(&machine);
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
    assert!(kept().contains("\nday "), "{}", kept());
}

#[test]
fn those_who_guess_while_another_server_takes_over_get_no_more_guesses() {
    let machine = Machine::new();
    let mut house = House::start(&machine);
    let limits = "sends_per_user = '1000/1h'\nsends_per_number = '1000/1h'\nsends_per_user_day = 250\n\
                  requests_per_user = '1000/1h'\nstore_unreachable = 'deny'\nstore_timeout = '5s'";
    set_up(&machine, &house.settings(), limits);
    let log = machine.log_of_a_crowd();
    let hold = Hold::new();
    let crowd: Vec<_> = (0..30)
        .map(|_| {
            let client = Client::new(&machine, "sms").user("alice").answer("text:12345");
            let mut session = client.hold_at_prompt(&hold).spawn();
            session.prompt();
            session
        })
        .collect();
    hold.release();
    log.wait_for("event=rejected");
    house.first.kill();
    house.wait_for_the_second();
    for run in crowd.into_iter().map(Session::finish) {
        assert_ne!(run.result, SUCCESS);
    }
    for _ in 0..10 {
        let run = Client::new(&machine, "sms").user("alice").answer("text:12345").run();
        assert_ne!(run.result, SUCCESS);
    }
    let lines = log.ours();
    let is_try = |line: &&String| line.contains("event=rejected") && line.contains("tries=");
    let compared = lines.iter().filter(is_try).count();
    println!("compared before, during and after the failover: {compared}");
    assert!((1..=10).contains(&compared), "{compared}: {lines:#?}");
    let last = Client::new(&machine, "sms").user("alice").answer("null").run();
    assert_eq!(last.result, MAXTRIES, "{lines:#?}");
}

#[test]
fn where_no_other_server_takes_over_the_store_is_out_of_reach() {
    let machine = Machine::new();
    let mut house = House::start(&machine);
    set_up(&machine, &house.settings(), "store_timeout = '5s'");
    house.kill_the_majority();
    let mut session = at_the_prompt(&machine);
    house.first.kill();
    let log = machine.log();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
    let said = log.wait_for("out of reach");
    for wanted in [
        "redis.test:6379: connect: ",
        "redis.test:26380: connect: ",
        "redis.test:26381: connect: ",
        "; this host counts alone",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    house.first.run();
    log.clear();
    at_the_prompt(&machine);
    assert!(!log.ours().iter().any(|line| line.contains("out of reach")), "{:#?}", log.ours());
}

/// A login that is denied with these words in the log.
fn denied(machine: &Machine, said: &str) {
    let log = machine.log();
    let run = Client::new(machine, "sms").user("alice").answer("text:").run();
    let lines = log.ours();
    assert_eq!(run.result, SERVICE_ERR, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains(said)), "{said}: {lines:#?}");
}

#[test]
fn what_a_sentinel_does_not_know_or_must_not_name_is_said() {
    let machine = Machine::new();
    let house = House::start(&machine);
    let deny = "store_unreachable = 'deny'";
    let settings = house.settings();
    set_up(&machine, &settings.replace("'house'", "'castle'"), deny);
    denied(&machine, "redis.test:26379: server: it knows no servers by the name `castle`");
    // A server is no sentinel.
    set_up(&machine, &settings.replace(":26379", ":6379"), deny);
    at_the_prompt(&machine);
    set_up(&machine, &settings.replace(":2638", ":638").replace(":26379", ":6379"), deny);
    denied(&machine, "redis.test:6379: server: ");
    machine.file("/etc/pam-sms/store.password", "wrong-horse\n", 0o600);
    set_up(&machine, &settings, deny);
    denied(&machine, "redis.test:26379: auth: WRONGPASS");
    drop(house);

    // One on this host that is not encrypted leads to no other host.
    let liar = TcpListener::bind("127.0.0.1:26379").unwrap();
    thread::spawn(move || {
        for stream in liar.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            if lines.any(|line| line.is_ok_and(|line| line == "house")) {
                let mut stream = stream;
                let _ = stream.write_all(b"*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n");
            }
        }
    });
    let plain = "store = 'redis://127.0.0.1'\nstore_master = 'house'\n\
                 store_password_file = '/etc/pam-sms/store.password'\n";
    set_up(&machine, plain, deny);
    denied(&machine, "127.0.0.1:26379: server: it names 10.0.0.1, which is not encrypted");
}

#[test]
fn of_several_servers_the_one_that_others_copy_is_found_without_sentinels() {
    let machine = Machine::new();
    let mut house = House::start(&machine);
    let one = "'rediss://redis.test'";
    let both = "['rediss://redis.test:6380', 'rediss://redis.test:6379']";
    let store = house.first.settings().replace(one, both);
    set_up(&machine, &store, "store_unreachable = 'deny'");
    let count =
        |house: &House<'_>| house.first.cli(&["INFO", "commandstats"]).contains("cmdstat_eval");
    assert!(!count(&house));
    let mut session = at_the_prompt(&machine);
    assert!(count(&house), "the replica was asked");
    // By hand, as docs/limits.md says.
    house.kill_the_majority();
    house.first.kill();
    house.second.cli(&["REPLICAOF", "NO", "ONE"]);
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS);
}
