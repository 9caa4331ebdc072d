//! Who is asked, from real libpam: groups of the real user database, addresses, whose phone it is,
//! what is remembered, and a rehearsal.

use crate::support::log::Log;
use crate::support::machine::{BOB_PASSWORD, Machine};
use crate::support::pam::{ANY_PASSWORD, Client, Run};
use crate::support::person::Person;

const SUCCESS: i32 = 0;
const AUTH_ERR: i32 = 7;
const OUTBOX: &str = "outbox:/run/pam-sms/outbox";

/// A machine whose service `sms` asks for any password and for a code, and settles.
fn machine(config: &str) -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(config);
    machine.users("alice = \"+4915123456723\"\nbob = \"+4915123456789\"\n");
    machine.pam(
        "sms",
        &format!(
            "{ANY_PASSWORD}auth requisite pam_sms.so\nauth required pam_permit.so\n\
             account required pam_permit.so\naccount required pam_sms.so\n"
        ),
    );
    let log = machine.log();
    (machine, log)
}

fn login(machine: &Machine, user: &str, rhost: &str) -> Run {
    let client = Client::new(machine, "sms").user(user).rhost(rhost).authtok("hunter2");
    client.answer(OUTBOX).flag("--acct").run()
}

/// The prompts of the second factor.
fn asked(run: &Run) -> usize {
    run.prompts.iter().filter(|prompt| prompt.contains("or ? for help")).count()
}

#[test]
fn people_groups_and_networks_are_spared_unless_they_are_required() {
    let (machine, log) = machine("");
    for command in [&["groupadd", "automation"][..], &["usermod", "-aG", "automation", "alice"]] {
        assert!(machine.run(command[0], &command[1..]).status.success());
    }
    for (policy, user, rhost, times) in [
        ("skip_users = ['alice']", "alice", "203.0.113.9", 0),
        ("skip_users = ['alice']", "bob", "203.0.113.9", 1),
        // A supplementary group, and a primary one.
        ("skip_groups = ['automation']", "alice", "203.0.113.9", 0),
        ("skip_groups = ['bob']", "bob", "203.0.113.9", 0),
        ("skip_groups = ['automation']", "bob", "203.0.113.9", 1),
        ("skip_groups = ['ghosts']", "alice", "203.0.113.9", 1),
        ("skip_networks = ['203.0.113.0/24']", "alice", "203.0.113.9", 0),
        ("skip_networks = ['203.0.113.0/24']", "alice", "::ffff:203.0.113.9", 0),
        ("skip_networks = ['203.0.113.0/24']", "alice", "203.0.114.9", 1),
        ("skip_networks = ['0.0.0.0/0', '::/0']", "alice", "203.0.113.9.example.org", 1),
        ("skip_users = ['alice']\nrequire_users = ['alice']", "alice", "203.0.113.9", 1),
        ("skip_users = ['alice']\nrequire_groups = ['automation']", "alice", "203.0.113.9", 1),
        ("skip_users = ['alice']\nrequire_groups = ['ghosts']", "alice", "203.0.113.9", 1),
    ] {
        machine.config(&format!("[policy]\n{policy}\n"));
        let run = login(&machine, user, rhost);
        assert_eq!(run.result, SUCCESS, "{policy}: {:#?}", log.lines());
        assert_eq!(asked(&run), times, "{policy} for {user} at {rhost}");
    }
    log.wait_for("event=skipped rhost=203.0.113.9 reason=skip_groups user=alice");
    log.wait_for("the group `ghosts` cannot be looked up: there is no such group");
}

#[test]
fn a_spared_person_needs_no_number_and_a_broken_users_file_does_not_stop_them() {
    let (machine, log) = machine("[policy]\nskip_users = ['alice']\n");
    machine.users("alice = what\n");
    let run = login(&machine, "alice", "203.0.113.9");
    assert_eq!((run.result, asked(&run)), (SUCCESS, 0), "{:#?}", log.lines());
}

#[test]
fn su_asks_the_callers_phone_where_it_is_told_so() {
    let machine = Machine::new();
    machine.config("[policy]\nsubject = { su = 'caller' }\n");
    machine.users("alice = \"+4915123456723\"\nbob = \"+4915123456789\"\n");
    machine.pam_example("su");
    let log = machine.log();
    let mut alice = Person::su("bob");
    alice.see("Password:");
    alice.type_line(BOB_PASSWORD);
    alice.see("SMS sent to the phone ending in 23.");
    alice.type_keys("\x04");
    alice.gone();
    log.wait_for("event=sent to=*23 via=outbox");
    // Without a caller there is no phone.
    machine.pam("su", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let run = Client::new(&machine, "su").user("bob").answer("null").run();
    assert_eq!(run.result, AUTH_ERR);
    log.wait_for("reason=\"unknown caller\"");
}

#[test]
fn trap_8_a_visit_is_remembered_only_behind_a_first_factor_and_an_address() {
    let (machine, log) = machine("[policy]\nremember = '1h'\n");
    let here = "203.0.113.9";
    assert_eq!(asked(&login(&machine, "alice", here)), 1);
    let again = login(&machine, "alice", here);
    assert_eq!((again.result, asked(&again)), (SUCCESS, 0), "{:#?}", log.lines());
    log.wait_for("event=remembered rhost=203.0.113.9 user=alice");
    for (user, rhost) in [("alice", "203.0.113.10"), ("bob", here), ("alice", "host.example")] {
        assert_eq!(asked(&login(&machine, user, rhost)), 1, "{user} at {rhost}");
    }
    assert_eq!(asked(&login(&machine, "alice", "host.example")), 1, "a name is no address");

    // No password before: `sufficient` in front of the password must not open the door.
    machine.pam("sms", "auth sufficient pam_sms.so\nauth requisite pam_deny.so\n");
    let run = Client::new(&machine, "sms").user("alice").rhost(here).answer("null").run();
    assert_eq!(asked(&run), 1, "{:#?}", log.lines());
    assert_ne!(run.result, SUCCESS);

    // Another number: whoever has the old phone gains nothing.
    machine.users("alice = \"+4915123456700\"\n");
    let run = Client::new(&machine, "sms").user("alice").rhost(here).answer("null").run();
    assert_ne!(run.result, SUCCESS);
}

#[test]
fn trap_2_nothing_is_remembered_of_a_login_that_failed_after_the_code() {
    let (machine, log) = machine("[policy]\nremember = '1h'\n");
    // As with `required pam_unix`: the code is right, the password was not.
    machine.pam(
        "sms",
        &format!(
            "auth required pam_deny.so\n{ANY_PASSWORD}auth required pam_sms.so\n\
             account required pam_permit.so\naccount required pam_sms.so\n"
        ),
    );
    let run = login(&machine, "alice", "203.0.113.9");
    assert_ne!(run.result, SUCCESS);
    log.wait_for("event=accepted");
    assert_eq!(asked(&login(&machine, "alice", "203.0.113.9")), 1);
}

#[test]
fn a_rehearsal_logs_what_would_happen_and_sends_nothing() {
    let (machine, log) = machine("");
    let rehearse = |policy: &str| {
        machine.config(&format!("[policy]\nobserve_until = 2099-12-31\n{policy}\n"));
        log.clear();
        let run = login(&machine, "alice", "203.0.113.9");
        assert_eq!((run.result, asked(&run)), (SUCCESS, 0), "{policy}: {:#?}", log.lines());
    };
    rehearse("");
    log.wait_for("event=observed rhost=203.0.113.9 would=ask to=*23 user=alice");
    rehearse("skip_users = ['alice']");
    log.wait_for("would=\"skip: skip_users\" user=alice");
    rehearse("[limits]\ncountries = ['+1']");
    log.wait_for("would=\"deny: the country is not in [limits] countries\"");
    machine.users("bob = \"+4915123456789\"\n");
    rehearse("");
    log.wait_for("would=\"deny: unenrolled\"");
    assert!(!std::fs::exists("/run/pam-sms/outbox").unwrap());

    machine.users("alice = \"+4915123456723\"\n");
    machine.config("[policy]\nobserve_until = 2001-12-31\n");
    assert_eq!(asked(&login(&machine, "alice", "203.0.113.9")), 1, "that day is over");
}
