//! Real sentinels over two real redis-servers, one of which copies the other.

use std::net::TcpStream;
use std::process::{Child, Stdio};

use super::log::wait_until;
use super::machine::Machine;
use super::redis::{ADMIN, PASSWORD, Redis, TLS, cli};

/// Where the sentinels listen. The first lets nobody in without a password, the others everybody.
pub const PORTS: [u16; 3] = [26379, 26380, 26381];

/// Two servers and three sentinels that know them as `house`; all end when it is dropped.
pub struct House<'a> {
    machine: &'a Machine,
    /// The one that others copy, at the beginning.
    pub first: Redis<'a>,
    /// The one that copies it.
    pub second: Redis<'a>,
    sentinels: Vec<Child>,
}

impl<'a> House<'a> {
    /// Runs them, and waits until each knows all others.
    pub fn start(machine: &'a Machine) -> Self {
        let copying = format!(
            "tls-replication yes\nmasteruser admin\nmasterauth {ADMIN}\n\
             replica-announce-ip redis.test\nrepl-diskless-sync-delay 0\n"
        );
        let first = Redis::with(machine, &copying);
        let second = first.beside(6380, &format!("{copying}replicaof redis.test 6379\n"));
        wait_until("the second server to have a copy", || {
            first.cli(&["INFO", "replication"]).contains("state=online").then_some(())
        });
        let mut house = Self { machine, first, second, sentinels: Vec::new() };
        for port in PORTS {
            house.sentinels.push(sentinel(machine, port));
        }
        for port in PORTS {
            wait_until("a sentinel that knows the house", || {
                let known = cli(machine, port, &["SENTINEL", "master", "house"]);
                let says = |name: &str, value: &str| known.contains(&format!("{name}\n{value}\n"));
                (says("num-slaves", "1") && says("num-other-sentinels", "2")).then_some(())
            });
        }
        house
    }

    /// Lines of `[limits]` for the machine.
    pub fn settings(&self) -> String {
        let all = PORTS.map(|port| format!("'rediss://redis.test:{port}'")).join(", ");
        let one = "store = 'rediss://redis.test'\n";
        self.first.settings().replace(one, &format!("store = [{all}]\nstore_master = 'house'\n"))
    }

    /// Kills all sentinels but the first: there is no majority for another server any more.
    pub fn kill_the_majority(&mut self) {
        for mut sentinel in self.sentinels.drain(1..) {
            let _ = sentinel.kill();
            let _ = sentinel.wait();
        }
    }

    /// Waits until all sentinels lead to the second server.
    pub fn wait_for_the_second(&self) {
        for port in PORTS {
            wait_until("the second server to have taken over", || {
                let ask = ["SENTINEL", "get-master-addr-by-name", "house"];
                (cli(self.machine, port, &ask) == "redis.test\n6380").then_some(())
            });
        }
    }
}

impl Drop for House<'_> {
    fn drop(&mut self) {
        for sentinel in &mut self.sentinels {
            let _ = sentinel.kill();
            let _ = sentinel.wait();
        }
    }
}

fn sentinel(machine: &Machine, port: u16) -> Child {
    let door = match port {
        26379 => {
            let right = "-@all +sentinel|get-master-addr-by-name";
            format!("user default off\nuser pam-sms on >{PASSWORD} resetchannels {right}\n")
        }
        _ => "user default on nopass ~* &* +@all\n".to_owned(),
    };
    let config = format!(
        "port 0\ntls-port {port}\nprotected-mode no\ndir /run/redis-{port}\n{TLS}tls-replication yes\n{door}\
         user admin on >{ADMIN} ~* &* +@all\n\
         sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n\
         sentinel announce-ip redis.test\n\
         sentinel sentinel-user admin\nsentinel sentinel-pass {ADMIN}\n\
         sentinel monitor house redis.test 6379 2\nsentinel auth-user house admin\n\
         sentinel auth-pass house {ADMIN}\nsentinel down-after-milliseconds house 500\n\
         sentinel failover-timeout house 5000\n"
    );
    machine.file(format!("/run/redis-{port}/sentinel.conf"), config, 0o600);
    let child = machine
        .command("/usr/bin/redis-server")
        .args([&format!("/run/redis-{port}/sentinel.conf"), "--sentinel"])
        .stdout(Stdio::null())
        .spawn()
        .expect("start a sentinel");
    wait_until("a sentinel", || TcpStream::connect(("127.0.0.1", port)).ok());
    child
}
