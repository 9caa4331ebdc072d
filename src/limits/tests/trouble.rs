//! State that is damaged, held, not to be believed, or written to by many at once.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::authenticate::BootClock;

/// What an admin may find, each a denial that says where.
#[test]
fn state_that_cannot_be_believed_is_a_denial_and_never_an_empty_state() {
    type Break = fn(&Path);
    let cases: [(&str, Break); 9] = [
        ("damaged", |file| fs::write(file, "garbage").unwrap()),
        ("damaged", |file| fs::write(file, "").unwrap()),
        ("damaged", |file| fs::write(file, "pam-sms-state 2\nboot any\nend\n").unwrap()),
        ("larger than", |file| {
            fs::File::options().write(true).open(file).unwrap().set_len(1 << 30).unwrap();
        }),
        ("not UTF-8", |file| fs::write(file, [0xff; 64]).unwrap()),
        ("is a symlink", |file| {
            fs::rename(file, file.with_extension("moved")).unwrap();
            std::os::unix::fs::symlink(file.with_extension("moved"), file).unwrap();
        }),
        ("belongs to uid 65534", |file| {
            std::os::unix::fs::chown(file, Some(65534), None).unwrap();
        }),
        ("can be written by others", |file| {
            fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("not a regular file", |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
    ];
    for (reason, damage) in cases {
        for name in ["user-alice.state", "host.state", "key.state"] {
            let machine = Machine::new("");
            machine.books("alice").reserve(&phone()).unwrap();
            let file = machine.state(name);
            damage(&file);
            let denied = machine.books("alice").reserve(&phone()).unwrap_err();
            let Barrier::Unusable(said) = denied else { panic!("{name} {reason}: {denied}") };
            assert!(said.contains(reason) || name == "key.state", "{name} {reason}: {said}");
            assert!(said.contains(file.to_str().unwrap()), "{said}");
        }
    }
}

#[test]
fn unlock_mends_what_is_damaged() {
    for name in ["user-alice.state", "key.state"] {
        let machine = Machine::new("");
        machine.books("alice").reserve(&phone()).unwrap();
        fs::write(machine.state(name), "garbage").unwrap();
        machine.books("alice").reserve(&phone()).unwrap_err();
        assert!(machine.books("alice").unlock(&[phone()]).unwrap(), "{name}");
        machine.books("alice").reserve(&phone()).unwrap();
    }
    let machine = Machine::new("");
    machine.books("alice").add_backup_codes(1, None).unwrap();
    fs::write(machine.places.lib.join("backup-alice.state"), "garbage").unwrap();
    let said = machine.books("alice").backup_codes().unwrap_err().to_string();
    assert!(said.ends_with("run `pam-sms backup-codes --revoke-all` for its owner"), "{said}");
    machine.books("alice").revoke_backup_codes().unwrap();
    assert_eq!(machine.books("alice").backup_codes(), Ok(0));
}

#[test]
fn a_folder_that_others_may_write_is_no_place_for_state() {
    let machine = Machine::new("");
    fs::create_dir(&machine.places.run).unwrap();
    fs::set_permissions(&machine.places.run, fs::Permissions::from_mode(0o777)).unwrap();
    let denied = machine.books("alice").reserve(&phone()).unwrap_err();
    assert!(denied.to_string().contains("can be written by others"), "{denied}");
    assert!(machine.folder.path().join("run").read_dir().unwrap().next().is_none());
}

#[test]
fn files_are_roots_alone_and_name_no_number() {
    let machine = Machine::new("");
    machine.books("alice").reserve(&phone()).unwrap();
    machine.books("a/../b").reserve(&phone()).unwrap();
    machine.fail("alice").unwrap();
    for folder in [&machine.places.run, &machine.places.lib] {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        for entry in folder.read_dir().unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{entry:?}");
            let text = fs::read_to_string(entry.path()).unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(!format!("{name} {text}").contains("5123456"), "{name}: {text}");
        }
    }
}

#[test]
fn parallel_logins_leave_their_files_in_order() {
    let machine = Machine::new("sends_per_host = '10000/1h'\nfailures_per_user = '10000/1h'");
    let places = &machine.places;
    std::thread::scope(|scope| {
        for user in ["alice", "bob", "carol", "dave", "alice", "bob", "carol", "dave"] {
            let rules = &machine.rules;
            scope.spawn(move || {
                let books = Ledger::new(places, rules, user, &BootClock);
                for _ in 0..50 {
                    // That a limit is reached is well; that a file is damaged is not.
                    for said in [books.reserve(&phone()).err(), books.count_try().err()] {
                        assert!(!matches!(said, Some(Barrier::Unusable(_))), "{said:?}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_machine_counter_that_somebody_holds_shuts_out_nobody() {
    let machine = Machine::new("");
    machine.books("alice").reserve(&phone()).unwrap();
    let lock = fs::File::open(machine.state("host.lock")).unwrap();
    crate::sys::lock_exclusively(&lock, wait(1)).unwrap();
    assert!(machine.books("alice").reserve(&phone()).unwrap().host_was_busy);
}

#[test]
fn a_number_that_is_only_claimed_gets_few_messages_and_its_owner_keeps_theirs() {
    let machine = Machine::new("");
    for _ in 0..3 {
        machine.books("mallory").confirming().reserve(&phone()).unwrap();
    }
    let denied = machine.books("mallory").confirming().reserve(&phone()).unwrap_err();
    assert_eq!(denied, sends(SendLimit::Number, 24 * 3600));
    for _ in 0..5 {
        machine.books("alice").reserve(&phone()).unwrap();
    }
}

#[test]
fn trap_4_the_lock_outlives_every_change() {
    use std::os::unix::fs::MetadataExt;
    let machine = Machine::new("");
    machine.books("alice").reserve(&phone()).unwrap();
    let lock = machine.state("user-alice.lock");
    let inode = lock.metadata().unwrap().ino();
    machine.fail("alice").unwrap();
    machine.books("alice").unlock(&[phone()]).unwrap();
    machine.books("alice").reserve(&phone()).unwrap();
    assert_eq!(lock.metadata().unwrap().ino(), inode);
}

#[test]
fn a_lock_that_is_not_given_back_is_a_denial_after_two_seconds() {
    let machine = Machine::new("");
    machine.books("alice").reserve(&phone()).unwrap();
    let lock = fs::File::open(machine.state("user-alice.lock")).unwrap();
    crate::sys::lock_exclusively(&lock, wait(1)).unwrap();
    let begun = std::time::Instant::now();
    let denied = machine.books("alice").reserve(&phone()).unwrap_err();
    assert!(denied.to_string().contains("another process holds the lock"), "{denied}");
    assert!(begun.elapsed() < wait(4), "{:?}", begun.elapsed());
    drop(lock);
    machine.books("alice").reserve(&phone()).unwrap();
}

/// Whoever waits for a lock comes with a time that has passed by then.
#[test]
fn trap_4_a_crowd_leaves_its_events_in_order_and_takes_back_what_it_added() {
    let limits = "sends_per_user = '1000/1h'\nsends_per_number = '1000/1h'\n\
                  requests_per_user = '1000/1h'\nsends_per_user_day = 250";
    let machine = Machine::new(limits);
    let (places, rules) = (&machine.places, &machine.rules);
    std::thread::scope(|scope| {
        for user in ["alice", "alice", "alice", "bob", "bob", "bob"] {
            scope.spawn(move || {
                let books = Ledger::new(places, rules, user, &BootClock);
                for _ in 0..40 {
                    let message = books.reserve(&phone()).unwrap();
                    let right = books.count_try().unwrap();
                    books.give_try_back(right).unwrap();
                    books.give_back(&phone(), message, Return::NotSent).unwrap();
                }
            });
        }
    });
    for user in ["alice", "bob"] {
        let standing = Ledger::new(places, rules, user, &BootClock).standing(&[phone()]).unwrap();
        assert_eq!((standing.sends.0, standing.sends_today.0), (0, 0), "{user}");
        assert_eq!((standing.failures.0, standing.failures_total.0), (0, 0), "{user}");
    }
}
