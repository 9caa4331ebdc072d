//! People and groups that only a name service knows, as on hosts of a company: who is found, in what they are,
//! what that costs, and what happens when the service gives no answer.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::support::books::code_for;
use crate::support::log::Log;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::{Client, Run};
use crate::support::person::Person;

const SUCCESS: i32 = 0;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";
const NUMBER: &str = "+4915123456723";
const STACK: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";
const ASKED: &str = "/run/nss/asked";
const DOWN: &str = "/run/nss/down";

/// A machine with `carol` in its name service, who is in `oncall`, which is in `operators`, which is in
/// `engineers`; and `dave`, who is in nothing.
fn machine(policy: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.company();
    let people = "carol:x:70001:70000::/home/carol:/bin/sh\ndave:x:70002:70000::/:/bin/sh\n";
    machine.file("/run/nss/passwd", people, 0o644);
    let groups = "everybody:x:70000:\nengineers:x:70010:@operators\noperators:x:70011:@oncall\n\
                  oncall:x:70012:carol\n";
    machine.file("/run/nss/group", groups, 0o644);
    machine.file(ASKED, "", 0o666);
    machine.config(policy);
    machine.users(&format!("carol = '{NUMBER}'\ndave = '{NUMBER}'\nalice = '{NUMBER}'\n"));
    machine.pam("sms", STACK);
    let log = machine.log();
    (machine, log)
}

fn login(machine: &Machine, user: &str) -> Run {
    Client::new(machine, "sms").user(user).rhost("203.0.113.9").answer(OUTBOX).run()
}

/// What the name service was asked since the last time.
fn questions(machine: &Machine) -> Vec<String> {
    let asked = fs::read_to_string(ASKED).unwrap();
    machine.file(ASKED, "", 0o666);
    asked.lines().map(str::to_owned).collect()
}

#[test]
fn who_is_only_in_the_name_service_logs_in_over_ssh_and_is_managed_like_others() {
    let (machine, log) = machine("");
    machine.users("");
    let shadow = fs::read_to_string("/etc/shadow").unwrap();
    let alice = shadow.lines().find(|line| line.starts_with("alice:")).unwrap();
    machine.file("/run/nss/shadow", alice.replace("alice:", "carol:") + "\n", 0o600);
    fs::create_dir_all("/home/carol").unwrap();
    std::os::unix::fs::chown("/home/carol", Some(70_001), Some(70_000)).unwrap();
    machine.pam_example("sshd-password");
    let _sshd = machine.sshd("");

    let set = machine.run("/usr/sbin/pam-sms", &["user", "set", "carol", NUMBER]);
    assert!(set.status.success(), "{set:?}");
    let mut carol = Person::ssh("carol", &[]);
    carol.see("assword:");
    carol.type_line(ALICE_PASSWORD);
    carol.see("or ? for help: ");
    carol.type_line("12345");
    carol.see("or ? for help: ");
    carol.type_line(&code_for(NUMBER));
    carol.see("$ ");
    log.wait_for("event=accepted rhost=127.0.0.1");
    let status = machine.run("/usr/sbin/pam-sms", &["status", "carol"]);
    assert!(status.status.success(), "{status:?}");
    assert!(String::from_utf8(status.stdout).unwrap().contains("1 of 20 in 24 hours"));
    let unknown = machine.run("/usr/sbin/pam-sms", &["status", "erin"]);
    assert!(!unknown.status.success());
}

#[test]
fn groups_in_groups_count_as_the_name_service_has_them() {
    let (machine, log) = machine("");
    for (policy, user, is_asked) in [
        ("skip_groups = ['oncall']", "carol", false),
        ("skip_groups = ['operators']", "carol", false),
        ("skip_groups = ['engineers']", "carol", false),
        ("skip_groups = ['everybody']", "carol", false),
        ("skip_groups = ['engineers']", "dave", true),
        ("skip_groups = ['engineers']", "alice", true),
        ("skip_users = ['carol']\nrequire_groups = ['engineers']", "carol", true),
        ("skip_users = ['dave']\nrequire_groups = ['engineers']", "dave", false),
    ] {
        machine.config(&format!("[policy]\n{policy}\n"));
        let run = login(&machine, user);
        assert_eq!(run.result, SUCCESS, "{policy}: {:#?}", log.ours());
        assert_eq!(!run.prompts.is_empty(), is_asked, "{policy}, {user}: {:#?}", log.ours());
    }
    // check knows them, too.
    machine.config("[policy]\nskip_groups = ['engineers']\nskip_users = ['carol', 'u999999']\n");
    let check = machine.run("/usr/sbin/pam-sms", &["check"]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(!said.contains("[policy-group]") && !said.contains("[policy-user]"), "{said}");
}

#[test]
fn many_groups_and_many_members_lose_nobody() {
    let (machine, log) = machine("[policy]\nskip_groups = ['g2999']\n");
    let mut groups = String::new();
    for n in 0..3000 {
        let _ = writeln!(groups, "g{n}:x:{}:carol", 71_000 + n);
    }
    machine.file("/run/nss/group", &groups, 0o644);
    let run = login(&machine, "carol");
    assert!(run.result == SUCCESS && run.prompts.is_empty(), "{:#?}", log.ours());

    // A row of the group database of more than a megabyte.
    let members: Vec<_> = (0..100_000).map(|n| format!("u{n}")).collect();
    let _ = writeln!(groups, "crowd:x:80000:{},carol", members.join(","));
    machine.file("/run/nss/group", &groups, 0o644);
    machine.config("[policy]\nskip_groups = ['crowd']\n");
    let run = login(&machine, "carol");
    assert!(run.result == SUCCESS && run.prompts.is_empty(), "{:#?}", log.ours());
}

#[test]
fn trap_10_a_name_service_that_gives_no_answer_spares_nobody() {
    let policy = "[policy]\nskip_users = ['alice']\nskip_groups = ['engineers']\nskip_networks = ['203.0.113.0/24']\n";
    for how in ["unavail", "tryagain"] {
        let (machine, log) = machine(policy);
        assert!(login(&machine, "carol").prompts.is_empty(), "{:#?}", log.ours());
        machine.file(DOWN, how, 0o644);
        // Who is only there is nobody, and who is in the files is still somebody.
        let run = login(&machine, "carol");
        assert!(run.result != SUCCESS && run.prompts.is_empty(), "{how}: {:#?}", log.ours());
        let line = log.wait_for("event=error");
        assert!(line.contains("the user database cannot be asked"), "{how}: {line}");
        let run = login(&machine, "alice");
        assert!(run.result == SUCCESS && run.prompts.is_empty(), "{how}: {:#?}", log.ours());
        // Whom a group might require is asked, whatever else would spare them.
        machine.config(&format!("{policy}require_groups = ['engineers']\n"));
        let run = login(&machine, "alice");
        assert!(run.result == SUCCESS && !run.prompts.is_empty(), "{how}: {:#?}", log.ours());
        let line = log.wait_for("event=warning");
        assert!(line.contains("the group `engineers` cannot be looked up"), "{how}: {line}");
    }
}

#[test]
fn a_group_on_the_host_itself_hides_the_companys_of_the_same_name() {
    let (machine, log) = machine("[policy]\nskip_groups = ['engineers']\n");
    assert!(login(&machine, "carol").prompts.is_empty(), "{:#?}", log.ours());
    let own = fs::read_to_string("/etc/group").unwrap() + "engineers:x:60999:\n";
    machine.file("/etc/group", own, 0o644);
    assert!(!login(&machine, "carol").prompts.is_empty(), "{:#?}", log.ours());
}

#[test]
fn a_name_service_that_goes_away_at_the_prompt_changes_no_verdict() {
    let (machine, log) = machine("");
    let mut session = Client::new(&machine, "sms").user("carol").answer("stdin").spawn();
    session.prompt();
    machine.file(DOWN, "unavail", 0o644);
    session.answer_line("12345");
    session.prompt();
    session.answer_line(&code_for(NUMBER));
    assert_eq!(session.finish().result, SUCCESS, "{:#?}", log.ours());
}

#[test]
fn a_login_asks_the_name_service_a_known_number_of_questions() {
    let (machine, log) = machine("");
    questions(&machine);
    login(&machine, "carol");
    let plain = questions(&machine);
    assert_eq!(plain, ["getpwnam carol"], "{:#?}", log.ours());
    machine.config(
        "[policy]\nrequire_groups = ['oncall', 'engineers']\nskip_groups = ['engineers', 'operators']\n",
    );
    login(&machine, "dave");
    let grouped = questions(&machine);
    let of = |what: &str| grouped.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((of("getpwnam"), of("getgrnam"), of("initgroups")), (1, 4, 1), "{grouped:#?}");
}

/// The middle one of several logins of people whose numbers are one file each.
fn middle(machine: &Machine, people: &[u32]) -> Duration {
    let mut took: Vec<_> = people
        .iter()
        .map(|n| {
            let begun = Instant::now();
            let run = login(machine, &format!("u{n}"));
            assert_eq!(run.result, SUCCESS);
            begun.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

#[test]
fn a_million_accounts_in_the_name_service_cost_a_login_no_more_than_ten() {
    let (machine, _log) = machine(crate::support::machine::NO_LIMITS);
    let (few, many) =
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 9, 99, 999, 9_999, 99_999, 500_000, 777_777, 999_999]);
    for n in few.into_iter().chain(many) {
        let record = format!("phones = ['+4915{n:09}']\n");
        machine.file(format!("/etc/pam-sms/users.d/u{n}.toml"), record, 0o600);
    }
    let (few, many) = (middle(&machine, &few), middle(&machine, &many));
    println!("ten {few:?}, a million {many:?}");
    assert!(many < few * 3, "{few:?} and {many:?}");
}
