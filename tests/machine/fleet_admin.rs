//! What an admin sees and does where hosts share their limits, with the store and without it.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::books::code_for;
use crate::support::machine::Machine;
use crate::support::pam::Client;
use crate::support::redis::Redis;

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const MAXTRIES: i32 = 11;
const NUMBER: &str = "+4915123456723";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";

fn set_up(machine: &Machine, store: &str, limits: &str) {
    machine.config(&format!("[limits]\n{store}{limits}\n"));
    machine.users(&format!("alice = '{NUMBER}'\nbob = '{NUMBER}'\nroot = '+14155550123'\n"));
    machine.pam("sms", STACK);
}

/// What the admin's program says on its two outputs, and its exit code.
fn pam_sms(machine: &Machine, words: &[&str]) -> (String, String, i32) {
    let run = machine.run("/usr/sbin/pam-sms", words);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(run.stdout), text(run.stderr), run.status.code().unwrap())
}

fn login(machine: &Machine, user: &str, answer: &str) -> i32 {
    Client::new(machine, "sms").user(user).answer(answer).run().result
}

/// Logs `user` in with the right code.
fn log_in(machine: &Machine, user: &str, number: &str) -> i32 {
    let mut session = Client::new(machine, "sms").user(user).answer("stdin").spawn();
    session.prompt();
    session.answer_line(&code_for(number));
    session.finish().result
}

#[test]
fn without_the_store_an_admin_is_told_what_this_host_knows_and_that_it_is_no_more() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    let away = "the store of the limits is out of reach: redis.test:6379: connect: Connection refused \
                (os error 111)";
    for policy in ["local", "deny"] {
        set_up(
            &machine,
            redis.settings(),
            &format!("store_unreachable = '{policy}'\nstore_except_users = ['root']"),
        );
        assert_eq!(login(&machine, "alice", "text:12345"), MAXTRIES);
        assert_eq!(login(&machine, "bob", "text:12345"), MAXTRIES);
        let (shown, said, code) = pam_sms(&machine, &["status", "alice", "--json"]);
        assert_eq!((said.as_str(), code), ("", 0));
        assert!(shown.contains("\"counted_by\": \"fleet\""), "{shown}");
        redis.kill();

        let (shown, said, code) = pam_sms(&machine, &["status", "alice"]);
        assert!(shown.contains("wrong codes   3 of 10 in 60 minutes"), "{shown}");
        let state = if policy == "deny" { away } else { "open" };
        assert!(shown.contains(&format!("codes by SMS  {state}\n")), "{shown}");
        let end = format!("error: {away}; what is shown is what this host has counted\n");
        assert_eq!((said, code), (end.clone(), 1));
        let (shown, said, code) = pam_sms(&machine, &["status", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&shown).unwrap();
        for account in json["accounts"].as_array().unwrap() {
            assert_eq!(account["counted_by"], "host");
            assert_eq!(account["state"], if policy == "deny" { "unusable" } else { "open" });
        }
        assert!(said.ends_with(&end) && code == 1, "{said}");

        let (shown, said, code) = pam_sms(&machine, &["unlock", "alice"]);
        let done =
            "alice: unlocked on this host only, what counted against it is forgotten (changed)\n";
        assert_eq!(shown, done);
        let stays = format!(
            "error: what counts against alice on other hosts stays: {away}; unlock it again later\n"
        );
        assert_eq!((said, code), (stays.clone(), 1));
        let (shown, said, code) = pam_sms(&machine, &["unlock", "alice"]);
        let done = "alice: nothing counted against it on this host only (unchanged)\n";
        assert_eq!((shown.as_str(), said, code), (done, stays, 1));
        let (_, said, code) = pam_sms(&machine, &["user", "remove", "bob"]);
        let stays = format!(
            "error: what other hosts counted of bob stays: {away}; remove it again later\n"
        );
        assert_eq!((said, code), (stays, 1));

        // It stays there, and goes when it can.
        redis.run();
        let kept = redis.cli(&["GET", "pam-sms:user-alice"]);
        assert!(kept.contains("\ntotal 3\n"), "{kept}");
        let (shown, said, code) = pam_sms(&machine, &["unlock", "alice"]);
        let done = "alice: unlocked, what counted against it is forgotten (changed)\n";
        assert_eq!((shown.as_str(), said.as_str(), code), (done, "", 0));
        assert_eq!(pam_sms(&machine, &["user", "remove", "bob"]).2, 0);
        assert_eq!(redis.keys(), ["pam-sms:since"]);
    }
}

#[test]
fn a_store_that_says_nothing_is_waited_for_once_however_many_accounts_are_shown() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "store_timeout = '1s'");
    for user in ["alice", "bob", "root"] {
        assert_eq!(login(&machine, user, "text:12345"), MAXTRIES);
    }
    drop(redis);
    let _silent = std::net::TcpListener::bind("127.0.0.1:6379").unwrap();
    let begun = Instant::now();
    let (shown, said, code) = pam_sms(&machine, &["status"]);
    assert!(begun.elapsed() < Duration::from_millis(1900), "{:?}", begun.elapsed());
    assert_eq!((shown.matches("wrong codes   3 of 10").count(), code), (3, 1), "{shown}{said}");
}

#[test]
fn accounts_that_are_excepted_get_in_whatever_becomes_of_the_store() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    let limits = "store_unreachable = 'deny'\nstore_except_users = ['root']";
    set_up(&machine, redis.settings(), limits);
    assert_eq!(log_in(&machine, "alice", NUMBER), SUCCESS);
    assert_eq!(log_in(&machine, "root", "+14155550123"), SUCCESS);
    // Nothing of theirs is in the store, and nothing that is there locks them out.
    assert!(!redis.keys().contains(&"pam-sms:user-root".to_owned()), "{:?}", redis.keys());
    redis.cli(&["SET", "pam-sms:user-root", "nonsense"]);
    assert_eq!(log_in(&machine, "root", "+14155550123"), SUCCESS);
    let (shown, said, code) = pam_sms(&machine, &["status", "root", "--json"]);
    assert!(shown.contains("\"counted_by\": \"host\""), "{shown}");
    assert_eq!((said.as_str(), code), ("", 0));

    redis.kill();
    assert_eq!(login(&machine, "alice", "null"), SERVICE_ERR);
    assert_eq!(log_in(&machine, "root", "+14155550123"), SUCCESS);
    let (_, said, code) = pam_sms(&machine, &["unlock", "root"]);
    assert_eq!((said.as_str(), code), ("", 0));
    // Nor does a password that is not there.
    fs::remove_file("/etc/pam-sms/store.password").unwrap();
    assert_eq!(log_in(&machine, "root", "+14155550123"), SUCCESS);
    // They are counted here, and locked here.
    set_up(&machine, redis.settings(), &format!("{limits}\nfailures_per_user = '2/1h'"));
    login(&machine, "root", "text:12345");
    assert_ne!(login(&machine, "root", "null"), SUCCESS);
    assert!(pam_sms(&machine, &["status", "root"]).0.contains("locked for"));
}

#[test]
fn metrics_are_this_hosts_and_need_no_store() {
    let machine = Machine::new();
    let mut redis = Redis::start(&machine);
    set_up(&machine, redis.settings(), "failures_per_user = '3/1h'");
    machine.file("/var/log/auth.log", "", 0o640);
    login(&machine, "alice", "text:12345");
    redis.kill();
    let (shown, said, code) = pam_sms(&machine, &["metrics"]);
    assert_eq!((said.as_str(), code), ("", 0), "{shown}");
    for line in [
        "# HELP pam_sms_accounts_locked Accounts that this host has locked after wrong codes.",
        "pam_sms_accounts_locked 1",
        "# HELP pam_sms_messages_24h Messages of this host in the last 24 hours.",
        "pam_sms_messages_24h 1",
    ] {
        assert!(shown.lines().any(|one| one == line), "{line}: {shown}");
    }
}

#[test]
fn check_finds_a_password_of_the_store_that_is_missing_or_readable_or_in_the_address() {
    let machine = Machine::new();
    let redis = Redis::start(&machine);
    let settings = redis.settings();
    let check = |store: &str, limits: &str| {
        set_up(&machine, store, limits);
        pam_sms(&machine, &["check"]).0
    };
    let said = check(settings, "");
    assert!(!said.contains("store.password") && !said.contains("[store-denies]"), "{said}");
    machine.file("/etc/pam-sms/store.password", "correct-horse-battery\n", 0o644);
    let said = pam_sms(&machine, &["check"]).0;
    let line =
        "error: /etc/pam-sms/store.password: can be read by others (mode 0644) [file-readable]";
    assert!(said.contains(line), "{said}");
    fs::remove_file("/etc/pam-sms/store.password").unwrap();
    let said = pam_sms(&machine, &["check"]).0;
    assert!(
        said.contains("error: /etc/pam-sms/store.password: does not exist [configuration]"),
        "{said}"
    );

    let inside = settings.replace("rediss://", "rediss://pam-sms:hunter2@");
    let said = check(&inside, "");
    assert!(
        said.contains("error: /etc/pam-sms/config.toml:2:9: `store` holds a name or a password"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");

    let deny = "store_unreachable = 'deny'";
    let said = check(settings, deny);
    assert!(said.contains("config.toml:6:21: `store_unreachable` is \"deny\", and"), "{said}");
    assert!(said.contains("[store-denies]"), "{said}");
    let said = check(settings, &format!("{deny}\nstore_except_users = ['root', 'nobdy']"));
    assert!(!said.contains("[store-denies]"), "{said}");
    assert!(said.contains("`store_except_users` names the account `nobdy`"), "{said}");
}
