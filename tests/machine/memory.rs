//! The module under valgrind, as a long-lived host would use it.

use crate::support::machine::{Machine, NO_LIMITS};
use crate::support::pam::Client;

const OUTBOX: &str = "outbox:/run/pam-sms/outbox";

#[test]
fn ten_logins_lose_no_memory_and_touch_none_that_is_not_theirs() {
    let machine = Machine::new();
    machine.config(NO_LIMITS);
    machine.users("alice = \"+4915123456723\"\n");
    machine.pam("sms", "auth requisite pam_sms.so debug\nauth required pam_permit.so\n");
    let log = machine.log();
    let valgrind = [
        "/usr/bin/valgrind",
        "--quiet",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite,indirect",
        "--error-exitcode=9",
        "--child-silent-after-fork=yes",
        // libpam unloads modules at its end, and frames without names tell nothing.
        "--keep-debuginfo=yes",
        "--num-callers=30",
    ];
    // The right code, after a wrong one, an empty answer, help and a resend that is too early.
    let run = Client::new(&machine, "sms")
        .under(&valgrind)
        .user("alice")
        .rhost("203.0.113.9")
        .answer("text:12345")
        .answer("empty")
        .answer("text:?")
        .answer("text:r")
        .answer(OUTBOX)
        .times(10)
        .run();
    assert_eq!(run.status, Some(0), "{}\n{:#?}", run.stderr, log.lines());
    assert_eq!(run.result, 0, "{:#?}", log.lines());
    assert_eq!(run.left, Some([0, 0, 0]), "descriptors, threads, children");
    assert_eq!(run.prompts.len(), 50);
}
