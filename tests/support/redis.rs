//! The real redis-server, with TLS and an ACL, and hosts that share it.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::gateway::as_files;
use super::log::wait_until;
use super::machine::Machine;

/// The password of the ACL user that hosts are.
pub const PASSWORD: &str = "correct-horse-battery";
pub(super) const ADMIN: &str = "queen-of-hearts";
/// What the user may do, as docs/limits.md has it.
const RULES: &str = "resetchannels ~pam-sms:* -@all +select +info +eval +time +get +set +del +wait";
/// The lines of a configuration about TLS, for servers and sentinels.
pub(super) const TLS: &str = "tls-cert-file /etc/redis/server.pem\ntls-key-file /etc/redis/server.key\n\
    tls-ca-cert-file /etc/redis/ca.pem\ntls-auth-clients no\n";
/// How long hosts wait for each other.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running server; it is killed when it is dropped.
pub struct Redis<'a> {
    machine: &'a Machine,
    child: Option<Child>,
    ca: String,
    port: u16,
}

impl<'a> Redis<'a> {
    /// Runs one at port 6379 of all addresses of the machine, where it is called `redis.test`.
    pub fn start(machine: &'a Machine) -> Self {
        Self::with(machine, "")
    }

    /// The same with `more` in its configuration.
    pub fn with(machine: &'a Machine, more: &str) -> Self {
        let [ca, certificate, key] = as_files(&["redis.test"]);
        machine.file("/etc/redis/ca.pem", &ca, 0o644);
        machine.file("/etc/redis/server.pem", certificate, 0o644);
        machine.file("/etc/redis/server.key", key, 0o600);
        let acl = format!(
            "user default off\nuser pam-sms on >{PASSWORD} {RULES}\nuser admin on >{ADMIN} ~* &* +@all\n"
        );
        machine.file("/etc/redis/users.acl", acl, 0o600);
        machine.file("/etc/hosts", "127.0.0.1 localhost redis.test\n", 0o644);
        Self::at(machine, ca, 6379, more)
    }

    /// Another with the same files at another port.
    pub fn beside(&self, port: u16, more: &str) -> Self {
        Self::at(self.machine, self.ca.clone(), port, more)
    }

    fn at(machine: &'a Machine, ca: String, port: u16, more: &str) -> Self {
        let mut redis = Self { machine, child: None, ca, port };
        machine.file(format!("/run/redis-{port}/kept"), "", 0o600);
        let config = format!(
            "port 0\ntls-port {port}\nbind 0.0.0.0\nprotected-mode no\ndir /run/redis-{port}\n\
             {TLS}aclfile /etc/redis/users.acl\nsave \"\"\nappendonly yes\nappendfsync always\n{more}"
        );
        machine.file(redis.config(), config, 0o600);
        redis.run();
        redis
    }

    fn config(&self) -> String {
        format!("/etc/redis/{}.conf", self.port)
    }

    /// Runs it again, with what it has kept on the disk.
    pub fn run(&mut self) {
        let child = self
            .machine
            .command("/usr/bin/redis-server")
            .arg(self.config())
            .stdout(Stdio::null())
            .spawn()
            .expect("start redis-server");
        self.child = Some(child);
        wait_until("redis-server", || TcpStream::connect(("127.0.0.1", self.port)).ok());
        wait_until("redis-server to have loaded", || (self.cli(&["PING"]) == "PONG").then_some(()));
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What an admin of it is told.
    pub fn cli(&self, words: &[&str]) -> String {
        cli(self.machine, self.port, words)
    }

    /// The names of all keys.
    pub fn keys(&self) -> Vec<String> {
        self.cli(&["KEYS", "*"]).lines().map(str::to_owned).collect()
    }
}

impl Drop for Redis<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the admin of what listens at this port of `redis.test` is told.
pub(super) fn cli(machine: &Machine, port: u16, words: &[&str]) -> String {
    let port = port.to_string();
    let tls = ["--tls", "--cacert", "/etc/redis/ca.pem", "-h", "redis.test", "-p", &port];
    let auth = ["--user", "admin", "--pass", ADMIN, "--no-auth-warning"];
    let run = machine.run("/usr/bin/redis-cli", &[&tls[..], &auth, words].concat());
    String::from_utf8_lossy(&run.stdout).trim_end().to_owned()
}

/// Lines of `[limits]` for a machine that shares a store, whose files are put into it.
pub fn settings(machine: &Machine, ca: &str) -> &'static str {
    machine.file("/etc/pam-sms/store.password", format!("{PASSWORD}\n"), 0o600);
    machine.file("/etc/pam-sms/store-ca.pem", ca, 0o644);
    "store = 'rediss://redis.test'\nstore_user = 'pam-sms'\n\
     store_password_file = '/etc/pam-sms/store.password'\n\
     store_ca_file = '/etc/pam-sms/store-ca.pem'\n"
}

impl Redis<'_> {
    /// Lines of `[limits]` for the server's own machine.
    pub fn settings(&self) -> &'static str {
        settings(self.machine, &self.ca)
    }
}

/// One of two hosts that go on together.
pub struct Meeting {
    tell: Sender<()>,
    told: Receiver<()>,
}

impl Meeting {
    /// Waits until the other is as far.
    pub fn meet(&self) {
        self.tell.send(()).expect("the other host is gone");
        self.told.recv_timeout(PATIENCE).expect("the other host does not come");
    }
}

/// Two hosts, each with a network and a /run of its own, that share the Redis on the first.
pub fn two_hosts(
    one: impl FnOnce(&Machine, &Redis<'_>, &Meeting),
    other: impl FnOnce(&Machine, &str, &Meeting) + Send,
) {
    let (tell_pid, pid) = channel();
    let (tell_ca, ca) = channel::<String>();
    let ((tell_one, told_one), (tell_other, told_other)) = (channel(), channel());
    thread::scope(|scope| {
        // Before this thread moves into a machine, or the other would be inside it.
        scope.spawn(move || {
            let machine = Machine::new();
            // A process by which the other end of the cable finds this network.
            let sleeper = machine.command("/usr/bin/sleep").arg("600").spawn();
            tell_pid.send(sleeper.expect("start sleep").id()).unwrap();
            let ca = ca.recv().expect("the first host is gone");
            ip(&machine, &["addr", "add", "10.77.0.2/24", "dev", "cable1"]);
            ip(&machine, &["link", "set", "cable1", "up"]);
            machine.file("/etc/hosts", "127.0.0.1 localhost\n10.77.0.1 redis.test\n", 0o644);
            other(&machine, &ca, &Meeting { tell: tell_one, told: told_other });
        });
        let machine = Machine::new();
        let redis = Redis::start(&machine);
        let pid: u32 = pid.recv().expect("the second host is gone");
        let pid = pid.to_string();
        let cable = ["type", "veth", "peer", "name", "cable1", "netns", pid.as_str()];
        ip(&machine, &[&["link", "add", "cable0"], &cable[..]].concat());
        ip(&machine, &["addr", "add", "10.77.0.1/24", "dev", "cable0"]);
        ip(&machine, &["link", "set", "cable0", "up"]);
        tell_ca.send(redis.ca.clone()).expect("the second host is gone");
        one(&machine, &redis, &Meeting { tell: tell_other, told: told_one });
    });
}

fn ip(machine: &Machine, words: &[&str]) {
    let run = machine.run("/usr/sbin/ip", words);
    assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
}
