//! What a helper that somebody has taken over can still do: names, authorities, connections.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::chown;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;

use crate::support::example;
use crate::support::machine::Machine;

/// Of `_pam-sms`, in a machine.
const HELPERS_ID: u32 = 60900;

/// What it needs, and may therefore.
const NEEDED: [&str; 8] = [
    "authorities",
    "resolv.conf",
    "a name",
    "a name server",
    "a provider",
    "a thread",
    "a signal to itself",
    "the spool",
];

#[test]
fn a_helper_that_was_taken_over_can_connect_and_nothing_else() {
    let machine = Machine::new();
    let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gateway.local_addr().unwrap().to_string();
    let name = SocketAddr::from_abstract_name("pam-sms-jail").unwrap();
    let _abstract_socket = UnixListener::bind_addr(&name).unwrap();
    machine.file("/etc/resolv.conf", "nameserver 127.0.0.1\n", 0o644);
    machine.file("/run/spool/.keep", "", 0o644);
    chown("/run/spool", Some(HELPERS_ID), Some(HELPERS_ID)).unwrap();
    // Another process of the same user, which it could signal and trace if it were free.
    let mut sleep = machine.command("setpriv");
    sleep.args(["--reuid=60900", "--regid=60900", "--clear-groups", "sleep", "600"]);
    let mut victim = sleep.spawn().unwrap();

    let pid = victim.id().to_string();
    let tries = Command::new(example("taken-over")).args([&address, &pid, "/run/spool"]).output();
    let tries = tries.unwrap();
    assert!(tries.status.success(), "{}", String::from_utf8_lossy(&tries.stderr));
    let said = String::from_utf8(tries.stdout).unwrap();
    let said: BTreeMap<_, _> = said.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert!(said.len() > 25, "{said:?}");
    for (what, became) in &said {
        let wanted = if NEEDED.contains(what) { "yes" } else { "no (PermissionDenied)" };
        assert_eq!(*became, wanted, "{what}: {said:#?}");
    }
    assert!(victim.try_wait().unwrap().is_none(), "the victim was killed");
    victim.kill().unwrap();
    victim.wait().unwrap();
}
