//! Hosts that live long: one process loads the module for each of very many logins and closes it again.
//!
//! Here it is a few hundred; `PAM_SMS_LIFETIME` says how many, and `make soak-lifetime` does 100,000.

use std::env;
use std::time::Duration;

use crate::support::crowd::{self, LOGINS_EACH, PERSON, UNLIMITED};
use crate::support::machine::Machine;
use crate::support::pam::{Client, Run};

const SUCCESS: i32 = 0;
const MAXTRIES: i32 = 11;

/// Of so many logins one is with wrong codes.
const WRONG: usize = 10;
/// A cache of the C library would count as in use, and takes thousands of logins to fill.
const NO_CACHE: [&str; 2] = ["/usr/bin/env", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"];
/// Kilobytes by which a host may be larger after all logins than after a tenth of them, and bytes by which
/// what is in use may differ: the smallest block in each of a hundred logins would be more.
const GROWTH: (i32, i32) = (64, 2000);
/// The C library gives threads heaps of their own, some of them later than others.
const HEAPS: (i32, i32) = (256, 2000);

fn logins() -> usize {
    env::var("PAM_SMS_LIFETIME").map_or(200, |count| count.parse().expect("a number of logins"))
}

/// So many logins in one process, as `how` has it.
fn live(how: impl Fn(Client) -> Client, logins: usize) -> Run {
    let machine = Machine::new();
    // A hundred wrong codes would close an account, so that everybody's turn to be wrong must come alike.
    let enough = logins.div_ceil(LOGINS_EACH).max(logins / WRONG / 30).max(WRONG + 1);
    let people = (enough..).find(|people| people % 2 != 0 && people % 5 != 0).unwrap();
    crowd::move_in(&machine, people);
    machine.config(UNLIMITED);
    machine.pam(
        "sms",
        "auth requisite pam_sms.so\nauth required pam_permit.so\n\
         account required pam_sms.so\naccount required pam_permit.so\n",
    );
    let log = machine.log_of_a_crowd();
    let client = Client::new(&machine, "sms").user(PERSON).people(people).wrong_every(WRONG);
    let client = client.under(&NO_CACHE).flag("--acct").flag("--setcred").flag("--quiet");
    let client = how(client.answer("own:/run/pam-sms/outbox"));
    // On a busy machine; a login takes some milliseconds.
    let patience = Duration::from_secs(120) + Duration::from_millis(100) * logins as u32;
    let run = client.spawn().finish_within(patience).unwrap_or_else(|said| panic!("{said}"));

    let count = |code| run.results.iter().filter(|&&result| result == code).count();
    let last = log.ours().split_off(log.ours().len().saturating_sub(20));
    assert_eq!(count(SUCCESS), logins - logins / WRONG, "right codes are in: {last:#?}");
    assert_eq!(count(MAXTRIES), logins / WRONG, "wrong codes are out: {last:#?}");
    let compared = log.ours().iter().filter(|line| line.contains(" tries=3 ")).count();
    assert_eq!(compared, logins / WRONG, "nobody is locked: {last:#?}");
    assert_eq!(run.left, Some([0, 0, 0]), "descriptors, threads, children");
    assert_eq!(run.lifted, Some(0), "the limit of open files");
    assert_eq!(run.stderr, "");
    run
}

#[test]
fn one_process_after_many_logins_is_as_it_was() {
    let logins = logins();
    let run = live(|client| client.times(logins), logins);
    report("one after the other", logins, &run, GROWTH);
}

#[test]
fn one_process_after_many_logins_each_in_a_thread_of_its_own_is_as_it_was() {
    let logins = logins() / 4 * 4;
    let run = live(|client| client.threads(4).times(logins / 4), logins);
    report("four at once, each in a new thread", logins, &run, HEAPS);
}

/// Prints what it was like at the beginning and at the end, and sees that it is the same.
#[track_caller]
fn report(how: &str, logins: usize, run: &Run, growth: (i32, i32)) {
    let (memory, mappings, allocated) = (&run.memory, &run.mappings, &run.allocated);
    println!(
        "{logins} logins, {how}, in {:?}: {memory:?} kB of its own, {mappings:?} mappings and \
         {allocated:?} bytes allocated after the first and each tenth; {} mappings are still the module's; descriptors, threads and children \
         as at the beginning",
        run.elapsed,
        run.still_loaded.unwrap_or(-1),
    );
    assert_eq!([memory, mappings, allocated].map(Vec::len), [11; 3]);
    assert!(allocated[10] - allocated[1] <= growth.1, "it loses memory: {allocated:?} bytes");
    assert!(memory[10] - memory[1] <= growth.0, "it grows: {memory:?} kB");
    assert_eq!(mappings[10], mappings[1], "mappings");
}
