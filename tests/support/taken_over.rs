//! A helper that somebody has taken over: gives root up and enters the jail as the helper does, and then
//! tries what it should not be able to. Prints a line for each attempt.
//!
//! ```text
//! taken-over GATEWAY PID [SPOOL]
//! ```

#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::{env, thread};

use pam_sms::helper::jail::Needs;
use pam_sms::helper::serve::become_unprivileged;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let [gateway, victim, spool @ ..] = &words[..] else { panic!("GATEWAY PID [SPOOL]") };
    let victim: i32 = victim.parse().expect("a process id");
    let needs = Needs { writable: spool.iter().map(Into::into).collect(), ..Needs::default() };
    become_unprivileged("_pam-sms", &needs).expect("the jail has a door");

    // What it is there for.
    tell("authorities", File::open("/etc/ssl/certs/ca-certificates.crt"));
    tell("resolv.conf", fs::read("/etc/resolv.conf"));
    tell("a name", ("localhost", 443).to_socket_addrs());
    tell("a name server", UdpSocket::bind("127.0.0.1:0").and_then(|s| s.connect("127.0.0.1:53")));
    tell("a provider", TcpStream::connect(gateway));
    tell("a thread", thread::Builder::new().spawn(|| ()).map(|thread| thread.join().is_ok()));
    for folder in spool {
        let (hidden, shown) = (format!("{folder}/a.LOCK"), format!("{folder}/a"));
        let spooled = fs::write(&hidden, "a").and_then(|()| fs::rename(&hidden, &shown));
        tell("the spool", spooled);
        tell("a link in the spool", std::os::unix::fs::symlink("/etc/shadow", &hidden));
    }

    // What any other process of that user could do.
    tell("accounts", fs::read("/etc/passwd"));
    tell("another process", fs::read(format!("/proc/{victim}/environ")));
    tell("its own memory", File::open("/proc/self/mem"));
    tell("a folder", fs::read_dir("/tmp"));
    tell("a file", File::create("/tmp/taken-over"));
    tell("a program", Command::new("/bin/true").status());
    tell("a server", TcpListener::bind("127.0.0.1:0"));
    tell("an abstract socket", abstract_socket());
    let call = |result: i64| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) };
    let own = i32::try_from(std::process::id()).expect("a process id");
    // SAFETY: all of these take numbers or NULL.
    unsafe {
        tell("a signal", call(libc::kill(victim, libc::SIGTERM).into()));
        tell("a signal to itself", call(libc::kill(own, 0).into()));
        tell("a trace", call(libc::ptrace(libc::PTRACE_ATTACH, victim, 0, 0)));
        tell("raw packets", call(libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0).into()));
        tell("a virtual socket", call(libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0).into()));
        tell("a world of its own", call(libc::unshare(libc::CLONE_NEWUSER).into()));
        let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
        let (world, null) = (libc::c_long::from(flags), std::ptr::null::<u8>());
        tell("a process there", call(libc::syscall(libc::SYS_clone, world, null, null, null, 0)));
        tell("a ring", call(libc::syscall(libc::SYS_io_uring_setup, 1, null)));
        tell("a key", call(libc::syscall(libc::SYS_keyctl, 0, -3, 1)));
        tell("root", call(libc::setuid(0).into()));
    }
}

fn tell<T>(what: &str, result: io::Result<T>) {
    match result {
        Ok(_) => println!("{what}: yes"),
        Err(error) => println!("{what}: no ({:?})", error.kind()),
    }
}

/// The test listens there.
fn abstract_socket() -> io::Result<UnixStream> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name("pam-sms-jail")?;
    UnixStream::connect_addr(&address)
}
