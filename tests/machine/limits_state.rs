//! State that cannot be used: the verdict and the line in the log for each way that it breaks.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Stdio;
use std::time::Duration;

use crate::support::books::{Books, LIB, RUN};
use crate::support::log::{Log, wait_until};
use crate::support::machine::{Machine, fill};
use crate::support::pam::{Client, Run};
use crate::support::process::Process;

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const MAXTRIES: i32 = 11;

/// Not among the state, which some of these tests make unusable.
const OUTBOX: &str = "/run/outbox";
const USER: &str = "/run/pam-sms/user-alice.state";
const NUMBERS: &str = "/run/pam-sms/number-";
/// A code of the wrong length, so that it is never right by chance.
const WRONG: &str = "text:12345";

fn machine() -> (Machine, Log) {
    let machine = Machine::new();
    machine.config(&format!("[[provider]]\nkind = 'outbox'\npath = '{OUTBOX}'\n"));
    machine.users("alice = '+4915123456723'\n");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    let log = machine.log();
    (machine, log)
}

fn login(machine: &Machine, answers: &[&str]) -> Run {
    let client = Client::new(machine, "sms").user("alice");
    answers.iter().fold(client, |client, answer| client.answer(answer)).run()
}

fn right() -> String {
    format!("outbox:{OUTBOX}")
}

fn messages() -> usize {
    fs::read_to_string(OUTBOX).unwrap_or_default().lines().count()
}

/// A way to spoil the state of a machine on which alice has logged in.
type Spoil = fn(&Machine);

const SPOILT: [(&str, Spoil); 18] = [
    ("user-alice.state: No space left on device (os error 28)", |machine| {
        machine.tmpfs(RUN, "mode=0700,size=64k");
        fill(RUN);
    }),
    ("user-alice.lock: Read-only file system (os error 30)", |machine| {
        machine.tmpfs(RUN, "mode=0700");
        machine.make_read_only(RUN);
    }),
    ("the folder /run/pam-sms belongs to uid 61001", |_| {
        chown(RUN, Some(61001), None).unwrap();
    }),
    ("the folder /run/pam-sms can be written by others (mode 0777)", |_| {
        fs::set_permissions(RUN, Permissions::from_mode(0o777)).unwrap();
    }),
    ("the folder /run/pam-sms belongs to uid 61001", |_| {
        fs::rename(RUN, "/run/elsewhere").unwrap();
        chown("/run/elsewhere", Some(61001), None).unwrap();
        symlink("/run/elsewhere", RUN).unwrap();
    }),
    ("the folder /run/pam-sms does not exist", |_| {
        fs::remove_dir_all(RUN).unwrap();
        symlink("/run/nowhere", RUN).unwrap();
    }),
    ("/run/pam-sms is not a folder", |_| {
        fs::remove_dir_all(RUN).unwrap();
        fs::write(RUN, "").unwrap();
    }),
    ("user-alice.state: is a symlink", |_| {
        fs::rename(USER, "/run/elsewhere").unwrap();
        symlink("/run/elsewhere", USER).unwrap();
    }),
    ("user-alice.state: belongs to uid 61001", |_| {
        chown(USER, Some(61001), None).unwrap();
    }),
    ("user-alice.state: can be written by others (mode 0666)", |_| {
        fs::set_permissions(USER, Permissions::from_mode(0o666)).unwrap();
    }),
    ("user-alice.state: is damaged or of another version", |_| {
        fs::write(USER, "garbage").unwrap();
    }),
    ("user-alice.state: is damaged or of another version", |_| {
        let text = fs::read_to_string(USER).unwrap();
        fs::write(USER, text.replacen("pam-sms-state 1", "pam-sms-state 2", 1)).unwrap();
    }),
    ("user-alice.state: is damaged or of another version", |_| fs::write(USER, "").unwrap()),
    ("user-alice.state: is larger than", |_| {
        File::options().write(true).open(USER).unwrap().set_len(1 << 30).unwrap();
    }),
    ("host.state: is damaged or of another version", |_| {
        fs::write("/run/pam-sms/host.state", "garbage").unwrap();
    }),
    ("key.state: is damaged", |_| fs::write("/run/pam-sms/key.state", "short").unwrap()),
    ("user-alice.lock: is not a regular file of root's", |_| {
        chown("/run/pam-sms/user-alice.lock", Some(61001), None).unwrap();
    }),
    ("failures-alice.state: is damaged or of another version", |machine| {
        fs::remove_file(USER).unwrap();
        machine.file("/var/lib/pam-sms/failures-alice.state", "garbage", 0o600);
        fs::set_permissions(LIB, Permissions::from_mode(0o700)).unwrap();
    }),
];

#[test]
fn state_that_cannot_be_used_is_a_denial_that_says_where() {
    for (said, spoil) in SPOILT {
        let (machine, log) = machine();
        assert_eq!(login(&machine, &[&right()]).result, SUCCESS);
        spoil(&machine);
        log.clear();
        let run = login(&machine, &[&right()]);
        assert_eq!(run.result, SERVICE_ERR, "{said}: {:#?}", log.lines());
        let line = log.wait_for("event=error");
        assert!(line.contains(said) && line.ends_with("user=alice"), "{said}: {line}");
        assert_eq!(messages(), 1, "{said}: sent without being counted");
        assert_eq!(log.ours().len(), 1, "{said}: {:#?}", log.ours());
        assert!(run.elapsed < Duration::from_secs(5), "{said}: {:?}", run.elapsed);
    }
}

/// Only root can put one there, and may want the state on another disk.
#[test]
fn a_folder_that_is_a_link_to_a_safe_one_is_as_good_as_that() {
    let (machine, log) = machine();
    assert_eq!(login(&machine, &[&right()]).result, SUCCESS);
    fs::rename(RUN, "/run/elsewhere").unwrap();
    symlink("/run/elsewhere", RUN).unwrap();
    assert_eq!(login(&machine, &[WRONG, &right()]).result, SUCCESS, "{:#?}", log.lines());
    assert_eq!(Books::new("").standing("alice").failures.0, 1);
    assert!(fs::exists("/run/elsewhere/user-alice.state").unwrap());
}

/// Another process has the lock and does not go on.
struct Stopped(std::process::Child);

impl Stopped {
    fn with(machine: &Machine, lock: &str) -> Self {
        let mut flock = machine.command("/usr/bin/flock");
        flock.args(["--no-fork", lock, "/bin/sleep", "600"]).stdout(Stdio::null());
        let child = flock.spawn().unwrap();
        let stopped = Self(child);
        wait_until("a lock that is held", || is_locked(lock).then_some(()));
        Process(i32::try_from(stopped.0.id()).unwrap()).signal(libc::SIGSTOP);
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[allow(unsafe_code)]
fn is_locked(lock: &str) -> bool {
    let file = File::options().read(true).write(true).open(lock).unwrap();
    // SAFETY: flock takes no pointers, and the descriptor is open.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) != 0 }
}

#[test]
fn a_lock_of_a_stopped_process_is_a_denial_after_two_seconds() {
    let (machine, log) = machine();
    assert_eq!(login(&machine, &[&right()]).result, SUCCESS);
    let number = wait_until("the lock of a number", || {
        let names = fs::read_dir(RUN).unwrap().flatten().map(|entry| entry.path());
        let mut names = names.filter_map(|path| path.to_str().map(str::to_owned));
        names.find(|path| path.starts_with(NUMBERS) && path.ends_with(".lock"))
    });
    let locks = ["/run/pam-sms/user-alice.lock", &number];
    for lock in locks {
        let stopped = Stopped::with(&machine, lock);
        log.clear();
        let run = login(&machine, &[&right()]);
        assert_eq!(run.result, SERVICE_ERR, "{lock}: {:#?}", log.lines());
        let line = log.wait_for("event=error");
        assert!(line.contains(&format!("{lock}: another process holds the lock")), "{line}");
        assert!(run.elapsed < Duration::from_secs(8), "{lock}: {:?}", run.elapsed);
        // The account's own lock is not needed by others, nor kept by who waited for another.
        drop(stopped);
        wait_until("an end of the lock", || (!is_locked(lock)).then_some(()));
        assert_eq!(login(&machine, &[&right()]).result, SUCCESS, "{lock}: {:#?}", log.lines());
    }
    assert_eq!(messages(), 1 + locks.len());
}

#[test]
fn a_lock_on_the_counter_of_the_machine_is_a_warning_and_shuts_out_nobody() {
    let (machine, log) = machine();
    assert_eq!(login(&machine, &[&right()]).result, SUCCESS);
    let _stopped = Stopped::with(&machine, "/run/pam-sms/host.lock");
    assert_eq!(login(&machine, &[&right()]).result, SUCCESS, "{:#?}", log.lines());
    let line = log.wait_for("event=warning");
    assert!(line.contains("the lock on host.state is held"), "{line}");
}

/// Ways in which what lasts cannot be written.
const LASTING: [(&str, Spoil); 2] = [
    ("state: No space left on device", |machine| {
        machine.tmpfs(LIB, "mode=0700,size=64k");
        fill(LIB);
    }),
    ("lock: Read-only file system", |machine| {
        machine.tmpfs(LIB, "mode=0700");
        machine.make_read_only(LIB);
    }),
];

#[test]
fn a_disk_that_cannot_be_written_locks_nobody_out_and_nothing_goes_uncounted() {
    for (said, spoil) in LASTING {
        let (machine, log) = machine();
        spoil(&machine);
        assert_eq!(login(&machine, &[&right()]).result, SUCCESS, "{said}: {:#?}", log.lines());
        assert!(log.ours().iter().all(|line| !line.contains("warning")), "{:#?}", log.ours());

        // A wrong code first: it cannot be kept for good, and that is said.
        let run = login(&machine, &[WRONG, &right()]);
        assert_eq!(run.result, SUCCESS, "{said}: {:#?}", log.lines());
        let line = log.wait_for("event=warning");
        assert!(line.contains(&format!("/var/lib/pam-sms/failures-alice.{said}")), "{line}");

        // The counters of this boot have them all: one is left from above.
        for _ in 0..3 {
            assert_eq!(login(&machine, &[WRONG]).result, MAXTRIES, "{said}: {:#?}", log.lines());
        }
        let standing = Books::new("").standing("alice");
        assert_eq!(standing.failures, (10, 10), "{said}");
        log.clear();
        assert_eq!(login(&machine, &[&right()]).result, MAXTRIES, "{said}: {:#?}", log.lines());
        log.wait_for("event=locked");
    }
}

#[test]
fn a_backup_code_that_cannot_be_burnt_lets_nobody_in() {
    let lasting: [(&str, Spoil); 2] = [
        ("No space left on device", |_| fill(LIB)),
        ("Read-only file system", |machine| machine.make_read_only(LIB)),
    ];
    for (said, spoil) in lasting {
        let (machine, log) = machine();
        machine.tmpfs(LIB, "mode=0700,size=64k");
        let code = format!("text:{}", Books::new("").backup_codes("alice", 1)[0]);
        spoil(&machine);
        let run = login(&machine, &[&code]);
        assert_eq!(run.result, SERVICE_ERR, "{said}: {:#?}", log.lines());
        let line = log.wait_for("event=error");
        assert!(line.contains("/var/lib/pam-sms/backup-alice.") && line.contains(said), "{line}");
        assert_eq!(Books::new("").standing("alice").backup_codes, 1, "{said}");
    }
}
