//! The real sshd, in a machine of its own and so on its own port.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::super::log::PATIENCE;
use super::{Machine, at, succeed};

/// What [`Machine::sshd`] says to sshd unless the test says otherwise.
const SSHD_DEFAULTS: [&str; 9] = [
    "ListenAddress 127.0.0.1",
    "Port 22",
    "HostKey /etc/ssh/ssh_host_ed25519_key",
    "UsePAM yes",
    "KbdInteractiveAuthentication yes",
    "PasswordAuthentication no",
    "PrintMotd no",
    // Many people at once from one address are what some tests are about.
    "MaxStartups 200",
    "PerSourcePenalties no",
];

/// A running sshd; it stops listening when it is dropped.
pub struct Sshd {
    child: Child,
    messages: PathBuf,
}

impl Sshd {
    pub(super) fn start(machine: &Machine, extra: &str) -> Self {
        let (config, messages) = ("/etc/ssh/sshd_config", PathBuf::from("/run/sshd.log"));
        install_host_key(machine);
        machine.file(config, sshd_config(machine, extra), 0o644);
        let mut child = machine
            .command("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", config])
            .stdout(Stdio::null())
            .stderr(at(&messages, File::create(&messages)))
            .spawn()
            .expect("start sshd");

        let patience_ends = Instant::now() + PATIENCE;
        while TcpStream::connect("127.0.0.1:22").is_err() {
            let gone = child.try_wait().expect("ask after sshd").is_some();
            if gone || Instant::now() > patience_ends {
                panic!("sshd does not listen: {}", at(&messages, fs::read_to_string(&messages)));
            }
            // Between two tries of a connection that is refused at once.
            thread::sleep(Duration::from_millis(2));
        }
        Self { child, messages }
    }

    /// What sshd itself said so far.
    pub fn diagnostics(&self) -> String {
        fs::read_to_string(&self.messages).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Without one sshd does not even say what its configuration is.
pub fn install_host_key(machine: &Machine) {
    machine.file("/etc/ssh/ssh_host_ed25519_key", host_key(machine), 0o600);
}

/// One host key for all machines of this test run.
fn host_key(machine: &Machine) -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let path = "/run/host-key";
        let options = ["-q", "-t", "ed25519", "-N", "", "-f", path];
        succeed(&machine.run("/usr/bin/ssh-keygen", &options));
        at(path, fs::read_to_string(path))
    })
}

/// The first to say something wins in sshd_config, except that a `Match` ends it: so the test's
/// lines come last and our defaults make way for them.
fn sshd_config(machine: &Machine, extra: &str) -> String {
    let keyword = |line: &str| line.split_whitespace().next().unwrap_or("").to_lowercase();
    let global = extra.lines().take_while(|line| keyword(line) != "match");
    let said: Vec<String> = global.map(keyword).collect();
    let mut lines = vec!["Include /etc/ssh/sshd_config.d/*.conf"];
    for default in SSHD_DEFAULTS {
        // Penalties are new in OpenSSH 9.8; one that does not know them has none.
        let known = !default.starts_with("PerSource")
            || machine.run("/usr/sbin/sshd", &["-G", "-o", default]).status.success();
        if known && !said.contains(&keyword(default)) {
            lines.push(default);
        }
    }
    lines.push(extra);
    lines.join("\n") + "\n"
}
