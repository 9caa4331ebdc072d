//! Hosts with habits and limits of their own: the right code is in, a wrong one is out, and nothing of a
//! login is left in them. Where a login cannot be, it is denied, though outages would let people in.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::crowd::{self, PERSON, UNLIMITED};
use crate::support::gateway::Gateway;
use crate::support::log::Log;
use crate::support::machine::Machine;
use crate::support::pam::{Client, Run};

const SUCCESS: i32 = 0;
const SERVICE_ERR: i32 = 3;
const AUTHINFO_UNAVAIL: i32 = 9;
const MAXTRIES: i32 = 11;

/// The code for a prompt, as it arrived.
const OWN: &str = "own:/run/phones";
/// One right login and one wrong one, twice.
const LOGINS: usize = 4;
const THREADS: usize = 8;
/// Who has the host, where it is not root's.
const OWNER: &str = "62999";

struct Rig {
    machine: Machine,
    log: Log,
    gateway: Gateway,
}

impl Rig {
    fn new() -> Self {
        let (machine, gateway) = (Machine::new(), Gateway::start());
        crowd::move_in(&machine, 64);
        let provider = crowd::phones(&machine, &gateway);
        let delivery = "[delivery]\ntimeout = '30s'\nif_unreachable = 'allow'\n";
        machine.config(&format!("{UNLIMITED}{delivery}{provider}"));
        machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
        let log = machine.log_of_a_crowd();
        Self { machine, log, gateway }
    }

    fn client(&self, before: &[&str], options: &[&str]) -> Client<'_> {
        let client = Client::new(&self.machine, "sms").under(before).user(PERSON).people(64);
        options.iter().fold(client, |client, option| client.flag(option)).answer(OWN)
    }

    /// What must be true of every run, whatever its logins came to.
    #[track_caller]
    fn has_left_nothing(&self, run: &Run, what: &str) {
        assert_eq!(run.left, Some([0, 0, 0]), "{what}: descriptors, threads, children");
        assert_eq!(run.lifted, Some(0), "{what}: the limit of open files");
        assert_eq!(run.stderr, "", "{what}");
        let panics = self.log.ours().iter().filter(|line| line.contains("panic")).count();
        assert_eq!(panics, 0, "{what}: {:#?}", self.log.ours());
    }

    /// Each other login is with the right code.
    #[track_caller]
    fn right_is_in_and_wrong_is_out(&self, what: &str, client: Client) {
        let sent = self.gateway.messages().len();
        let run = client.times(LOGINS).wrong_every(2).run();
        let wanted = [SUCCESS, MAXTRIES, SUCCESS, MAXTRIES];
        assert_eq!(run.results, wanted, "{what}: {}\n{:#?}", run.stderr, self.log.lines());
        assert_eq!(self.gateway.messages().len() - sent, LOGINS, "{what}: messages");
        self.has_left_nothing(&run, what);
    }

    /// Nobody gets so far that a message is sent.
    #[track_caller]
    fn all_are_denied(&self, what: &str, client: Client, said: &str) {
        self.all_come_to(SERVICE_ERR, what, client);
        let lines = self.log.ours();
        assert!(said.is_empty() || lines.iter().any(|l| l.contains(said)), "{what}: {lines:#?}");
    }

    #[track_caller]
    fn all_come_to(&self, result: i32, what: &str, client: Client) {
        let sent = self.gateway.messages().len();
        let run = client.times(2).run();
        let lines = self.log.ours();
        assert_eq!(run.results, [result; 2], "{what}: {}\n{lines:#?}", run.stderr);
        assert_eq!(self.gateway.messages().len(), sent, "{what}: messages");
        self.has_left_nothing(&run, what);
    }
}

#[test]
fn odd_hosts_let_the_right_code_in_and_no_other() {
    let rig = Rig::new();
    let prlimit = "/usr/bin/prlimit";
    for (what, before, options) in [
        ("SIGCHLD ignored", &[][..], &["--sigchld-ignore"][..]),
        ("SIGPIPE as the kernel has it", &[], &["--sigpipe-default"]),
        ("no standard descriptors", &[], &["--close-standard"]),
        ("64 files", &[prlimit, "--nofile=64"], &[]),
        ("fewer files than a login takes", &[prlimit, "--nofile=7:64"], &[]),
        ("no more processes, but root's", &[prlimit, "--nproc=1:"], &[]),
        ("an older kernel", &[], &["--refuse", "new"]),
        ("an older container", &[], &["--refuse", "new-forbidden"]),
        (
            "all of it",
            &[prlimit, "--nofile=7:64", "--nproc=1:"],
            &["--sigchld-ignore", "--sigpipe-default", "--close-standard", "--refuse", "new"],
        ),
    ] {
        rig.right_is_in_and_wrong_is_out(what, rig.client(before, options));
    }
}

#[test]
fn hosts_that_may_start_nothing_deny() {
    let rig = Rig::new();
    // Without these, root's processes count like everybody's, and no limit is lifted.
    let bound = "--bounding-set=-sys_resource,-sys_admin";
    let poor = ["/usr/bin/prlimit", "--nproc=1", "/usr/bin/setpriv", bound, "--ruid", OWNER];
    for (what, before, options, said) in [
        ("no more processes", &poor[..], &[][..], "Resource temporarily unavailable"),
        (
            "a limit that nobody may lift",
            &["/usr/bin/prlimit", "--nproc=100:100", "/usr/bin/setpriv", bound],
            &[],
            "cannot be started: the hard limit of processes is 100, and 4096 are needed",
        ),
        ("no programs", &[], &["--refuse", "exec"], "cannot be started: Operation not permitted"),
        ("no children", &[], &["--refuse", "fork"], "cannot be started: Operation not permitted"),
        (
            "no line to a child",
            &[],
            &["--refuse", "socketpair"],
            "no line to it: Operation not perm",
        ),
    ] {
        for more in [&[][..], &["--sigchld-ignore", "--close-standard"]] {
            let client = rig.client(before, &[options, more].concat());
            rig.all_are_denied(what, client, said);
        }
        rig.log.clear();
    }
}

#[test]
fn trap_1_a_host_that_may_not_connect_is_no_outage() {
    let rig = Rig::new();
    // Nor can it be told to the log.
    let client = rig.client(&[], &["--refuse", "connect"]);
    rig.all_come_to(AUTHINFO_UNAVAIL, "no connections", client);
}

#[test]
fn a_host_that_runs_out_of_files_anywhere_in_a_login_lets_nobody_in_by_that() {
    let rig = Rig::new();
    let mut asked = Vec::new();
    // We would lift the limit to 64. libpam needs some files to find us at all.
    for free in 1..20 {
        let before = ["/usr/bin/prlimit", "--nofile=64:64"];
        let client = rig.client(&before, &["--files-left", &free.to_string()]);
        let run = client.times(2).wrong_every(1).run();
        let lines = rig.log.ours();
        assert!(run.results.iter().all(|&result| result != SUCCESS), "{free}: {lines:#?}");
        rig.has_left_nothing(&run, &format!("{free} free"));
        asked.push(run.results == [MAXTRIES; 2]);
    }
    let lines = rig.log.ours();
    assert!(lines.iter().all(|line| !line.contains("event=failopen")), "{lines:#?}");
    let enough = asked.iter().position(|&asked| asked).expect("never enough");
    assert!(asked[enough..].iter().all(|&asked| asked), "{asked:?}");
    println!("a login takes {} descriptors", enough + 1);
}

#[test]
fn a_host_in_another_root_folder_needs_what_is_in_there() {
    let rig = Rig::new();
    let root = "/srv/root";
    rig.machine.tmpfs("/srv", "mode=0755");
    for folder in ["/etc", "/usr", "/run", "/var", "/proc", "/dev"] {
        let inside = format!("{root}{folder}");
        fs::create_dir_all(&inside).unwrap();
        if !["/proc", "/dev"].contains(&folder) {
            rig.machine.show_as(folder, &inside);
        }
    }
    for link in ["bin", "lib", "lib64", "sbin"] {
        symlink(format!("usr/{link}"), format!("{root}/{link}")).unwrap();
    }
    let client = || rig.client(&[], &["--chroot", root]);
    rig.all_are_denied("no devices", client(), "");
    for device in ["null", "urandom", "log"] {
        let (outside, inside) = (format!("/dev/{device}"), format!("{root}/dev/{device}"));
        rig.machine.file(&inside, "", 0o666);
        rig.machine.show_as(&outside, &inside);
    }
    rig.all_are_denied("no /proc", client(), "/proc/sys/kernel/random/boot_id");
    rig.machine.show_as("/proc", &format!("{root}/proc"));
    rig.right_is_in_and_wrong_is_out("all of it", client());
    rig.log.wait_for("event=accepted");
    fs::remove_file("/usr/libexec/pam-sms-helper").unwrap();
    rig.all_are_denied("no helper", client(), "does not exist: install the package pam-sms");
}

#[test]
fn threads_of_one_host_log_in_at_once_and_none_has_the_verdict_of_another() {
    let rig = Rig::new();
    for (what, before, options) in [
        ("threads", &[][..], &[][..]),
        ("with small stacks", &[], &["--stack", "128"]),
        ("SIGCHLD ignored", &[], &["--sigchld-ignore"]),
        ("no standard descriptors", &[], &["--close-standard"]),
        ("a low limit of open files", &["/usr/bin/prlimit", "--nofile=48:1024"], &[]),
    ] {
        const ROUNDS: usize = 6;
        let sent = rig.gateway.messages().len();
        // Of each four logins one is wrong, so that right ones and wrong ones run beside each other.
        let client = rig.client(before, options).threads(THREADS).times(ROUNDS).wrong_every(4);
        let run = client.run();
        let count = |code| run.results.iter().filter(|&&result| result == code).count();
        let all = ROUNDS * THREADS;
        let wanted = (all - all / 4, all / 4);
        let lines = rig.log.ours();
        assert_eq!(
            (count(SUCCESS), count(MAXTRIES)),
            wanted,
            "{what}: {:?} {lines:#?}",
            run.stdout
        );
        assert_eq!(rig.gateway.messages().len() - sent, all, "{what}: messages");
        rig.has_left_nothing(&run, what);
    }
    // Whose login it was is known by its log lines, too.
    let lines = rig.log.ours();
    let accepted = |line: &&String| line.contains("event=accepted");
    for line in lines.iter().filter(accepted) {
        let user = line.rsplit("user=person").next().unwrap();
        assert_ne!((user.parse::<usize>().unwrap() + 1) % 4, 0, "{line}");
    }
}
