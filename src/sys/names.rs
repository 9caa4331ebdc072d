//! Host names, looked up as every program of the machine does.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};

/// Where the C library reads which name servers to ask.
const RESOLVERS: &str = "/etc/resolv.conf";

/// Why a host name led to no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAddress {
    /// No name server could say whether it has one: none answered, or one had trouble of its own.
    NotNow,
    /// It has none; in the C library's words.
    Never(String),
    /// This machine could not ask, or not hear what was said.
    Ours(String),
}

/// The addresses of `host` for TCP, in the order in which they are to be tried. Blocks for as long
/// as the C library likes.
///
/// std does the same, and tells the two reasons apart only in words.
///
/// # Errors
/// With the reason.
pub fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
    let name = CString::new(host).map_err(|error| NoAddress::Never(error.to_string()))?;
    let hints = libc::addrinfo {
        ai_flags: 0,
        ai_family: libc::AF_UNSPEC,
        // Else each address comes once for every kind of socket.
        ai_socktype: libc::SOCK_STREAM,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: std::ptr::null_mut(),
        ai_canonname: std::ptr::null_mut(),
        ai_next: std::ptr::null_mut(),
    };
    let mut list = List(std::ptr::null_mut());
    // SAFETY: the name ends in NUL, NULL stands for no service, and all pointers are valid for the
    // call; what it leaves in `list` is freed with it, once.
    let code = unsafe {
        libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list.0)
    };
    match code {
        0 => Ok(list.sockets().map(|socket| with_port(socket, port)).collect()),
        code => Err(no_address(code)),
    }
}

fn no_address(code: libc::c_int) -> NoAddress {
    match code {
        libc::EAI_AGAIN => could_ask().err().map_or(NoAddress::NotNow, |error| {
            NoAddress::Ours(format!("this machine cannot ask a name server: {error}"))
        }),
        libc::EAI_SYSTEM => NoAddress::Ours(io::Error::last_os_error().to_string()),
        libc::EAI_MEMORY => NoAddress::Ours(words(code)),
        code => NoAddress::Never(words(code)),
    }
}

fn words(code: libc::c_int) -> String {
    // SAFETY: returns a string that ends in NUL and is never freed, whatever the code.
    let words = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
    words.to_string_lossy().into_owned()
}

/// Whether this process could have asked a name server at all. The C library says "try again" also
/// where every port of this machine is taken, which anybody with a shell can see to, and where it may
/// not read which server to ask. (Without descriptors it says something else; measured, glibc 2.36.)
fn could_ask() -> io::Result<()> {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    match File::open(RESOLVERS) {
        // Without this file the name server is on this machine.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn with_port(mut socket: SocketAddr, port: u16) -> SocketAddr {
    socket.set_port(port);
    socket
}

/// What `getaddrinfo` returns, or null.
struct List(*mut libc::addrinfo);

impl List {
    fn sockets(&self) -> impl Iterator<Item = SocketAddr> {
        // SAFETY: each pointer is null or leads to an entry of the list, which lives as `self` does.
        let first = unsafe { self.0.as_ref() };
        // SAFETY: as above.
        let all = std::iter::successors(first, |entry| unsafe { entry.ai_next.as_ref() });
        all.filter_map(socket)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the list is `getaddrinfo`'s own and nothing borrows from it any more.
            unsafe { libc::freeaddrinfo(self.0) };
        }
    }
}

/// The address of an entry; none of a family that is not the internet's.
fn socket(entry: &libc::addrinfo) -> Option<SocketAddr> {
    match entry.ai_family {
        libc::AF_INET => {
            // SAFETY: null, or the address of an entry of this family, which is a `sockaddr_in`.
            let found = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().as_ref() }?;
            let ip = Ipv4Addr::from(u32::from_be(found.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, 0).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, with a `sockaddr_in6`.
            let found = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().as_ref() }?;
            let ip = Ipv6Addr::from(found.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, 0, found.sin6_flowinfo, found.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_the_machine_itself_need_no_name_server() {
        for (host, shown) in [
            ("127.0.0.1", "127.0.0.1:443"),
            ("::1", "[::1]:443"),
            ("2001:db8::7", "[2001:db8::7]:443"),
            ("fe80::1%1", "[fe80::1%1]:443"),
        ] {
            let found = addresses(host, 443).unwrap();
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [shown]);
        }
        let found = addresses("localhost", 8443).unwrap();
        assert!(found.iter().all(|socket| socket.ip().is_loopback() && socket.port() == 8443));
        assert!(!found.is_empty());
    }

    #[test]
    fn what_cannot_be_a_name_has_no_address() {
        for host in ["", "sms\0.example", &"a".repeat(300)] {
            match addresses(host, 443) {
                Err(NoAddress::Never(words)) => assert!(!words.is_empty(), "{host:?}"),
                other => panic!("{host:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn only_trouble_that_may_pass_is_not_now() {
        assert_eq!(no_address(libc::EAI_AGAIN), NoAddress::NotNow);
        for code in [libc::EAI_NONAME, libc::EAI_FAIL, 1] {
            assert!(matches!(no_address(code), NoAddress::Never(_)), "{code}");
        }
        for code in [libc::EAI_MEMORY, libc::EAI_SYSTEM] {
            assert!(matches!(no_address(code), NoAddress::Ours(_)), "{code}");
        }
    }
}
