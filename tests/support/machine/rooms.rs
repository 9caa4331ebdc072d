//! What a machine consists of: folders, devices, people.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::namespace::{device, mount, name_the_host};
use super::{HOST_NAME, Machine, at};

/// Folders whose changes stay in the machine.
const COPY_ON_WRITE: [&str; 5] = ["/etc", "/home", "/root", "/usr", "/var"];

/// Who lives here: name, uid and gid, home, shell, and the password as `crypt("$6$rounds=1000$")`
/// made it. The ids are outside of what useradd and systemd hand out.
const PEOPLE: [(&str, u32, &str, &str, &str); 3] = [
    ("_pam-sms", 60_900, "/nonexistent", "/usr/sbin/nologin", "*"),
    (
        "alice",
        61_001,
        "/home/alice",
        "/bin/sh",
        "$6$rounds=1000$lookingglass$7NfbItt6MhNbAzFa/7cpkoBJqVMJyvVS5YD/gX7lgtKz/W6p8L4PY7eWeGU3\
         lGKeejCB7trtoaFdeFqRFIVyD1",
    ),
    (
        "bob",
        61_002,
        "/home/bob",
        "/bin/sh",
        "$6$rounds=1000$lookingglass$JXk2/46b8N0il5s5FsK/xvQ0.Ug/wZWFme.TBQxIRMk4NxDF3/g71BJIdBdG\
         89d3FW/HEGaXyKKhEOwSDTurt1",
    ),
];

/// Copy-on-write folders and an empty /run, out of memory.
pub fn build_folders() {
    // Nothing that is mounted from here on shows on the host.
    mount("none", "/", "", libc::MS_REC | libc::MS_PRIVATE, "");
    // The changes live in a /run that is then hidden under a clean one.
    mount("pam-sms-changes", "/run", "tmpfs", 0, "mode=0755");
    for folder in COPY_ON_WRITE {
        let (upper, work) = (format!("/run/upper{folder}"), format!("/run/work{folder}"));
        let mode = at(folder, fs::metadata(folder)).permissions();
        for made in [&upper, &work] {
            at(made, fs::create_dir_all(made));
            // The upper folder's mode is the one that is seen.
            at(made, fs::set_permissions(made, mode.clone()));
        }
        let layers = format!("lowerdir={folder},upperdir={upper},workdir={work}");
        mount("pam-sms", folder, "overlay", 0, &layers);
    }
    mount("pam-sms-run", "/run", "tmpfs", libc::MS_NODEV | libc::MS_NOSUID, "mode=0755");
    for folder in ["/run/sshd", "/run/lock"] {
        at(folder, fs::create_dir(folder));
    }
    // Who is logged in: nobody, and sshd and login find a place to write it down.
    at("/run/utmp", fs::write("/run/utmp", ""));
}

/// A /dev with what programs need, where `/dev/log` and the terminals are ours.
pub fn build_dev() {
    mount("pam-sms-dev", "/dev", "tmpfs", libc::MS_NOSUID, "mode=0755");
    let devices =
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9)];
    for (name, major, minor) in devices.into_iter().chain([("tty", 5, 0)]) {
        device(&format!("/dev/{name}"), major, minor);
    }
    for folder in ["/dev/pts", "/dev/shm"] {
        at(folder, fs::create_dir(folder));
    }
    // Group 5 is tty on Debian.
    let terminals = "newinstance,ptmxmode=0666,mode=0620,gid=5";
    mount("pam-sms-pts", "/dev/pts", "devpts", libc::MS_NOSUID | libc::MS_NOEXEC, terminals);
    mount("pam-sms-shm", "/dev/shm", "tmpfs", libc::MS_NODEV | libc::MS_NOSUID, "mode=1777");
    let links = [
        ("pts/ptmx", "/dev/ptmx"),
        ("/proc/self/fd", "/dev/fd"),
        ("/proc/self/fd/0", "/dev/stdin"),
        ("/proc/self/fd/1", "/dev/stdout"),
        ("/proc/self/fd/2", "/dev/stderr"),
    ];
    for (target, link) in links {
        at(link, symlink(target, link));
    }
}

/// Users, groups, passwords, homes, names and sudo's rules.
pub fn move_in(machine: &Machine) {
    let (mut users, mut groups, mut passwords) = (String::new(), String::new(), String::new());
    for (name, id, home, shell, password) in PEOPLE {
        users += &format!("{name}:x:{id}:{id}::{home}:{shell}\n");
        groups += &format!("{name}:x:{id}:\n");
        passwords += &format!("{name}:{password}:20000:0:99999:7:::\n");
        if home.starts_with("/home") {
            at(home, fs::create_dir_all(home));
            at(home, chown(home, Some(id), Some(id)));
        }
    }
    let strangers = |path: &str| {
        let theirs = at(path, fs::read_to_string(path));
        let ours = |line: &&str| PEOPLE.iter().any(|who| line.split(':').next() == Some(who.0));
        theirs.lines().filter(|line| !ours(line)).fold(String::new(), |all, line| all + line + "\n")
    };
    machine.file("/etc/passwd", strangers("/etc/passwd") + &users, 0o644);
    machine.file("/etc/group", strangers("/etc/group") + &groups, 0o644);
    machine.file("/etc/shadow", strangers("/etc/shadow") + &passwords, 0o640);

    name_the_host(HOST_NAME);
    machine.file("/etc/hosts", format!("127.0.0.1 localhost {HOST_NAME}\n::1 localhost\n"), 0o644);
    machine.file("/etc/hostname", format!("{HOST_NAME}\n"), 0o644);
    // Often a link into /run; nobody listens at this address, so look-ups fail at once.
    let _ = fs::remove_file("/etc/resolv.conf");
    machine.file("/etc/resolv.conf", "nameserver 127.0.0.1\n", 0o644);
    let rules = "Defaults lecture = never\nalice ALL = (ALL:ALL) ALL\n";
    machine.file("/etc/sudoers.d/alice", rules, 0o440);

    // What the host says to sshd, to pam_limits and to us is not for this machine.
    for folder in ["/etc/ssh", "/etc/security/limits.d", "/etc/pam-sms", "/var/lib/pam-sms"] {
        let _ = fs::remove_dir_all(folder);
    }
    at("/etc/ssh", fs::create_dir_all("/etc/ssh/sshd_config.d"));
    at("/etc/pam-sms", fs::create_dir("/etc/pam-sms"));
    at("/etc/pam-sms", fs::set_permissions("/etc/pam-sms", Permissions::from_mode(0o700)));
}
