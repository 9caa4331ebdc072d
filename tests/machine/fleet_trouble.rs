//! A Redis that is killed, silent, strange or does not know us.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::books::code_for;
use crate::support::log::wait_until;
use crate::support::machine::Machine;
use crate::support::pam::Client;
use crate::support::redis::{PASSWORD, Redis};

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

#[test]
fn a_store_that_is_killed_in_the_middle_of_a_login_lets_hosts_count_alone() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let log = machine.log();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    redis.kill();
    session.answer_line("12345");
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
    let said = log.ours();
    let warned: Vec<_> = said.iter().filter(|line| line.contains("out of reach")).collect();
    assert_eq!(warned.len(), 1, "{said:#?}");
    assert!(
        warned[0].contains("the store of the limits is out of reach: redis.test:6379: connect: "),
        "{warned:?}"
    );
    assert!(warned[0].contains("; this host counts alone"), "{warned:?}");

    // It is back, and counts.
    redis.run();
    log.clear();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
    assert!(!log.ours().iter().any(|line| line.contains("out of reach")), "{:#?}", log.ours());
    assert!(redis.keys().contains(&"pam-sms:user-alice".to_owned()), "{:?}", redis.keys());
}

#[test]
fn a_store_that_is_killed_in_the_middle_of_a_login_ends_it_where_that_is_wanted() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "store_unreachable = 'deny'");
    let log = machine.log();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    redis.kill();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SERVICE_ERR, "{:#?}", log.ours());
    let said = log.ours();
    assert!(
        said.iter().any(|line| line.contains("event=error") && line.contains("out of reach")),
        "{said:#?}"
    );

    redis.run();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
}

#[test]
fn a_store_that_accepts_and_never_answers_costs_its_time_once() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    let store = redis.settings();
    drop(redis);
    // A backlog that takes connections, and nobody who reads from them.
    let _silent = TcpListener::bind("127.0.0.1:6379").unwrap();
    set_up(&machine, store, "store_timeout = '1s'");
    let log = machine.log();
    let begun = Instant::now();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    // While the helper waits: it is nobody's, and nothing about it is in its arguments.
    let helper = wait_until("the helper", || {
        let all = machine.processes();
        all.into_iter().find(|(_, words)| words.contains("pam-sms-helper"))
    });
    assert_eq!(helper.1.trim_end(), "/usr/libexec/pam-sms-helper");
    session.prompt();
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let said = log.ours();
    assert!(said.iter().any(|line| line.contains("timeout: no answer in time")), "{said:#?}");
}

#[test]
fn a_machine_without_ports_does_not_count_alone() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let log = machine.log();
    // Anybody with a shell can take all of them, and would have the limits of each host alone.
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001").unwrap();
    let taken = [(); 2].map(|()| TcpStream::connect("127.0.0.1:6379").unwrap());
    let login = || Client::new(&machine, "sms").user("alice").answer("text:12345").run().result;
    assert_eq!(login(), SERVICE_ERR, "{:#?}", log.ours());
    let said = log.wait_for("event=error");
    let reason = "this machine cannot ask the store of the limits: redis.test:6379: local: connect: \
                  Cannot assign requested address";
    assert!(said.contains(reason), "{said}");
    drop(taken);
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999").unwrap();
    assert_eq!(login(), MAXTRIES, "{:#?}", log.ours());
}

#[test]
fn an_address_that_this_machine_has_no_way_to_is_no_shortage() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let log = machine.log();
    // One of each family, and no IPv6 here: what the kernel says is what it says without ports.
    let hosts = "127.0.0.1 localhost redis.test\n2001:db8::1 redis.test\n";
    machine.file("/etc/hosts", hosts, 0o644);
    redis.kill();
    let run = Client::new(&machine, "sms").user("alice").answer("text:12345").run();
    assert_eq!(run.result, MAXTRIES, "{:#?}", log.ours());
    log.wait_for("this host counts alone");
}

#[test]
fn a_store_that_does_not_know_us_or_is_not_trusted_is_said_to_be_that() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    let store = redis.settings();
    set_up(&machine, store, "store_unreachable = 'deny'");
    let denied = |said: &str| {
        let log = machine.log();
        let run = Client::new(&machine, "sms").user("alice").answer("text:").run();
        let lines = log.ours();
        assert_eq!(run.result, SERVICE_ERR, "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains(said)), "{said}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("wrong-horse")), "{lines:#?}");
    };
    machine.file("/etc/pam-sms/store.password", "wrong-horse\n", 0o600);
    denied("redis.test:6379: auth: WRONGPASS");
    machine.file("/etc/pam-sms/store.password", "\n", 0o600);
    denied("must hold one line, and not an empty one");
    machine.file("/etc/pam-sms/store.password", PASSWORD, 0o600);
    // The system's authorities do not know it.
    let untrusted = store.replace("store_ca_file", "# store_ca_file");
    set_up(&machine, &untrusted, "store_unreachable = 'deny'");
    denied("redis.test:6379: certificate: ");
    set_up(&machine, store, "store_unreachable = 'deny'");
    redis.cli(&["ACL", "SETUSER", "pam-sms", "-eval"]);
    denied("redis.test:6379: server: NOPERM");
    redis.cli(&["ACL", "SETUSER", "pam-sms", "+eval"]);
    redis.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    denied("it is a replica");
    redis.cli(&["REPLICAOF", "NO", "ONE"]);
    // Of several the first that is there is asked.
    let two =
        store.replace("'rediss://redis.test'", "['rediss://localhost:1', 'rediss://redis.test']");
    set_up(&machine, &two, "store_unreachable = 'deny'");
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS);
}

#[test]
fn trap_12_a_store_that_was_emptied_does_not_open_what_this_host_has_locked() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "failures_per_user = '2/1h'");
    let log = machine.log();
    let guess = || Client::new(&machine, "sms").user("alice").answer("text:12345").run().result;
    assert_eq!(guess(), MAXTRIES);
    redis.cli(&["FLUSHALL"]);
    log.clear();
    assert_eq!(guess(), MAXTRIES);
    assert!(log.ours().iter().any(|line| line.contains("event=locked")), "{:#?}", log.ours());
    // And one that was started anew, with all that it knew: what it says and what is here agree.
    redis.kill();
    redis.run();
    assert_eq!(guess(), MAXTRIES);
    // What never left this host counts on none.
    assert!(!redis.cli(&["GET", "pam-sms:user-alice"]).contains("\nsends "), "{:?}", redis.keys());
    let unlocked = machine.run("/usr/sbin/pam-sms", &["unlock", "alice"]);
    assert!(unlocked.status.success());
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
}

#[test]
fn check_finds_what_a_store_would_forget() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "");
    let check = |wanted: &[&str]| {
        let run = machine.run("/usr/sbin/pam-sms", &["check", "--json"]);
        let said = String::from_utf8(run.stdout).unwrap();
        for id in ["store", "store-evicts", "store-forgets", "store-latency"] {
            let found = said.contains(&format!("\"id\": \"{id}\""));
            assert_eq!(found, wanted.contains(&id), "{id}: {said}");
        }
        said
    };
    let said = check(&["store-latency"]);
    assert!(said.contains("the store answers in "), "{said}");
    redis.cli(&["CONFIG", "SET", "appendonly", "no"]);
    redis.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
    redis.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    check(&["store-evicts", "store-forgets", "store-latency"]);
    redis.kill();
    let said = check(&["store"]);
    assert!(said.contains("connect: Connection refused"), "{said}");
    set_up(&machine, "store = 'redis://10.0.0.1'\n", "");
    let said = String::from_utf8(machine.run("/usr/sbin/pam-sms", &["check"]).stdout).unwrap();
    assert!(said.contains("config.toml:2:9") && said.contains("is not encrypted"), "{said}");
}

#[test]
fn what_one_login_costs_the_store_and_the_person() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    let limits = "sends_per_user_day = 250\nrequests_per_user = '1000/1h'\n";
    let stats = || {
        let info = redis.cli(&["INFO", "stats"]);
        let number = |name: &str| -> i64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().parse().unwrap()
        };
        [
            "total_connections_received:",
            "total_commands_processed:",
            "total_net_input_bytes:",
            "total_net_output_bytes:",
        ]
        .map(number)
    };
    let log_in = || {
        let begun = Instant::now();
        let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
        session.prompt();
        session.answer_line(&code_for(NUMBER));
        assert_eq!(session.finish().result, SUCCESS);
        begun.elapsed()
    };
    let fastest = || (0..9).map(|_| log_in()).min().unwrap();
    set_up(&machine, "", limits);
    let files = fastest();
    set_up(&machine, redis.settings(), limits);
    let shared = fastest();
    // Asking costs something, too: as much as it does a second time.
    let (first, second) = (stats(), stats());
    log_in();
    let third = stats();
    let cost: Vec<_> = (0..4).map(|i| third[i] - second[i] - (second[i] - first[i])).collect();
    println!("connections, commands, bytes in, bytes out: {cost:?}");
    let ratio = shared.as_secs_f64() / files.as_secs_f64();
    println!("a login with files {files:?}, with the store {shared:?}: {ratio:.1} times");
    assert_eq!(cost[0], 4, "one connection for each decision");
    assert!(cost[1] < 80 && cost[2] < 16_384 && cost[3] < 32_768, "{cost:?}");
}
