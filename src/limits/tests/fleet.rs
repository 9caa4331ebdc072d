//! Hosts that share a store: what one counts holds on the others, and what happens without the store.

use super::*;

fn hosts(limits: &str) -> (std::rc::Rc<Memory>, Machine, Machine) {
    let store = Memory::new();
    let [one, other] = [(); 2].map(|()| Machine::sharing(&store, limits));
    (store, one, other)
}

#[test]
fn wrong_codes_and_messages_on_one_host_count_on_the_other() {
    let (_, one, other) = hosts("sends_per_user = '2/10m'");
    for _ in 0..5 {
        one.fail("alice").unwrap();
        other.fail("alice").unwrap();
    }
    for host in [&one, &other] {
        assert_eq!(host.books("alice").count_try(), Err(Barrier::Locked(wait(3600))));
        let standing = host.books("alice").standing(&[phone()]).unwrap();
        assert_eq!((standing.failures.0, standing.failures_total.0), (10, 10));
        assert_eq!(standing.barrier, Some(Barrier::Locked(wait(3600))));
    }
    one.books("bob").reserve(&phone()).unwrap();
    other.books("bob").reserve(&phone()).unwrap();
    assert_eq!(one.books("bob").reserve(&phone()), Err(sends(SendLimit::User, 600)));
}

#[test]
fn an_unlock_on_one_host_opens_all_though_another_counted_ten() {
    let (_, one, other) = hosts("");
    for _ in 0..10 {
        one.fail("alice").unwrap();
    }
    other.books("alice").count_try().unwrap_err();
    assert!(other.books("alice").unlock(&[phone()]).unwrap());
    one.books("alice").count_try().unwrap();
    other.books("alice").reserve(&phone()).unwrap();
}

#[test]
fn what_is_one_hosts_own_stays_there() {
    let (store, one, other) = hosts("sends_per_host = '1/1h'\nrequests_per_user = '5/1h'");
    one.books("alice").reserve(&phone()).unwrap();
    for _ in 0..6 {
        let denied = one.books("bob").reserve(&other_phone()).unwrap_err();
        assert_eq!(denied, sends(SendLimit::Host, 3600));
    }
    // What never left the host counts against nobody.
    assert_eq!(one.books("bob").standing(&[]).unwrap().sends.0, 0);
    other.books("bob").reserve(&other_phone()).unwrap();
    assert!(!store.texts.borrow().keys().any(|name| name == "host" || name == "key"));

    let visit = Visit { service: "sshd".to_owned(), address: "203.0.113.9".parse().unwrap() };
    let pending = Pending { remember: Some((visit.clone(), wait(3600))), ..Pending::default() };
    one.books("alice").settle(&pending, Some(&phone())).unwrap();
    assert!(one.books("alice").is_remembered(&visit, &[phone()]).unwrap());
    assert!(!other.books("alice").is_remembered(&visit, &[phone()]).unwrap());
}

#[test]
fn trap_12_a_store_that_may_have_forgotten_does_not_open_what_this_host_has_closed() {
    let (store, one, other) = hosts("");
    for _ in 0..10 {
        one.fail("alice").unwrap();
    }
    store.start_anew();
    assert_eq!(one.books("alice").count_try(), Err(Barrier::Locked(wait(3600))));
    assert_eq!(one.books("alice").reserve(&phone()), Err(Barrier::Locked(wait(3600))));
    // The other host has nothing against it.
    other.books("alice").count_try().unwrap();
    // And a day later the store knows all that counts.
    other.later(24 * 3600);
    one.books("alice").count_try().unwrap();
}

#[test]
fn without_the_store_each_host_counts_alone_and_says_so_once_in_a_login() {
    let (store, one, other) = hosts("");
    for _ in 0..4 {
        one.fail("alice").unwrap();
    }
    store.is_away.set(true);
    let asked = store.questions.borrow().len();
    for _ in 0..2 {
        let books = one.books("alice");
        books.reserve(&phone()).unwrap();
        for _ in 0..3 {
            books.count_try().unwrap();
            books.was_wrong().unwrap();
        }
    }
    assert_eq!(store.questions.borrow().len(), asked + 2, "is waited for once in a login");
    let warnings = store.warnings.borrow().clone();
    let said = "the store of the limits is out of reach: connect: no route to host; this host \
                counts alone";
    assert_eq!(warnings, [said, said]);
    assert_eq!(one.books("alice").count_try(), Err(Barrier::Locked(wait(3600))), "4 and 6");
    other.books("alice").count_try().unwrap();

    // What was counted alone is not in the store, and nothing is taken from it.
    store.is_away.set(false);
    let books = one.books("alice");
    let right = books.count_try().unwrap();
    books.give_try_back(right).unwrap();
    assert_eq!(books.standing(&[]).unwrap().failures.0, 4);
}

#[test]
fn without_the_store_nobody_is_asked_where_that_is_wanted() {
    let (store, one, _) = hosts("store_unreachable = 'deny'");
    store.is_away.set(true);
    for denied in [
        one.books("alice").reserve(&phone()).map(drop),
        one.books("alice").count_try().map(drop),
        one.books("alice").would_reserve(Some(&phone())),
    ] {
        assert!(matches!(denied, Err(Barrier::OutOfReach(_))), "{denied:?}");
    }
    assert!(store.warnings.borrow().is_empty());
    assert!(one.places.run.read_dir().is_err(), "nothing was counted");
}

#[test]
fn who_is_excepted_is_counted_on_each_host_and_not_in_the_store() {
    let (store, one, other) = hosts("store_except_users = ['root']\nstore_unreachable = 'deny'");
    for _ in 0..10 {
        one.fail("root").unwrap();
    }
    assert_eq!(one.books("root").count_try(), Err(Barrier::Locked(wait(3600))));
    store.is_away.set(true);
    other.books("root").reserve(&phone()).unwrap();
    other.books("root").count_try().unwrap();
    assert!(other.books("alice").count_try().is_err());
    assert_eq!(store.questions.borrow().len(), 1, "alice's");
    assert!(store.texts.borrow().is_empty());
}

#[test]
fn a_backup_code_reopens_the_account_on_all_hosts() {
    let (_, one, other) = hosts("failures_total = 3");
    for _ in 0..3 {
        one.fail("alice").unwrap();
    }
    assert_eq!(other.books("alice").reserve(&phone()), Err(Barrier::Closed));
    let reopen = Pending { reopen: true, ..Pending::default() };
    other.books("alice").settle(&reopen, Some(&phone())).unwrap();
    one.books("alice").reserve(&phone()).unwrap();
}

#[test]
fn what_the_store_holds_and_is_no_record_is_a_denial() {
    let (store, one, _) = hosts("");
    one.books("alice").reserve(&phone()).unwrap();
    for text in ["", "garbage", "pam-sms-state 2\nboot any\nend\n"] {
        store.texts.borrow_mut().get_mut("user-alice").unwrap().0 = text.to_owned();
        let denied = one.books("alice").reserve(&phone()).unwrap_err();
        let said = "`pam-sms:user-alice` in the store: is damaged or of another version: run \
                    `pam-sms unlock` for it, or remove it to count from zero";
        assert_eq!(denied.to_string(), said);
    }
    assert!(one.books("alice").unlock(&[]).unwrap());
    one.books("alice").reserve(&phone()).unwrap();
}
