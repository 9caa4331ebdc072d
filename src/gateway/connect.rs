//! The way to a provider: its address, whom to trust, the proxy.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use reqwest::{Client, Url, redirect};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use super::Attempt;
use super::http::Parts;
use crate::sys::names::{NoAddress, addresses};

/// Longest time for a connection, in which nothing of the message leaves.
pub const CONNECT: Duration = Duration::from_secs(3);
/// Where distributions keep the authorities that they trust.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A client for one request to `url`, or to the proxy on the way there.
pub fn client(parts: &Parts, url: &Url, deadline: Instant) -> Result<Client, Attempt> {
    let failed = |said: String| Attempt::Failed(format!("local: {said}"));
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut builder = Client::builder()
        .user_agent(concat!("pam-sms/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(0);
    let mut peer = url.clone();
    if let Some(proxy) = &parts.proxy {
        peer = proxy.clone();
        let proxy = reqwest::Proxy::all(peer.clone());
        builder = builder.proxy(proxy.map_err(|error| failed(error.to_string()))?);
    }
    let port = peer.port_or_known_default().unwrap_or(443);
    // Begun here, since to read the system's authorities takes as long as a near name server.
    let look_up = peer.domain().map(|host| (host.to_owned(), LookUp::begin(host, port)));
    // Also where nothing is encrypted: without, reqwest looks for a TLS of its own and panics.
    let encrypted = url.scheme() == "https" || peer.scheme() == "https";
    let tls = if encrypted { tls(parts.authorities.as_deref()) } else { no_tls() };
    builder = builder.tls_backend_preconfigured(tls.map_err(failed)?);
    if let Some((host, look_up)) = look_up {
        let found = look_up.and_then(|it| it.end((left() / 2).min(CONNECT)));
        let addresses = found.map_err(|reason| meaning(&host, &reason))?;
        builder = builder.resolve_to_addrs(&host, &addresses);
    }
    let connect = (left() * 3 / 4).min(CONNECT);
    builder.connect_timeout(connect).build().map_err(|error| failed(error.to_string()))
}

/// A TLS that trusts these authorities, in a PEM file, or else the system's.
///
/// # Errors
/// In words, when there are none.
pub fn tls(authorities_file: Option<&[u8]>) -> Result<ClientConfig, String> {
    trusting(roots(authorities_file)?)
}

/// The authorities in a PEM file, or else the system's.
///
/// # Errors
/// In words, when there are none.
pub fn roots(authorities_file: Option<&[u8]>) -> Result<RootCertStore, String> {
    if let Some(pem) = authorities_file {
        return authorities(pem);
    }
    let pem = SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok());
    authorities(&pem.ok_or("no authorities: install ca-certificates or set ca_file")?)
}

/// A TLS that trusts nobody, for plain http.
fn no_tls() -> Result<ClientConfig, String> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities in a PEM file.
pub fn authorities(pem: &[u8]) -> Result<RootCertStore, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err("`ca_file` holds no certificate in PEM form".to_owned()),
        _ => Ok(roots),
    }
}

/// The address of a proxy, as `[delivery] proxy` has it.
///
/// # Errors
/// In words without the address: a password may stand in it.
pub fn proxy(written: &str) -> Result<Url, String> {
    let wrong = || "`proxy` must be an address like http://proxy.example.org:3128".to_owned();
    let url = Url::parse(written).map_err(|error| format!("{}: {error}", wrong()))?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && is_bare { Ok(url) } else { Err(wrong()) }
}

/// Looks a name up in bounded time.
///
/// # Errors
/// With the reason.
pub fn resolve(host: &str, port: u16, time: Duration) -> Result<Vec<SocketAddr>, NoAddress> {
    LookUp::begin(host, port)?.end(time)
}

/// A look-up under way, in a thread that is left behind if it is late.
struct LookUp(Receiver<Result<Vec<SocketAddr>, NoAddress>>);

impl LookUp {
    fn begin(host: &str, port: u16) -> Result<Self, NoAddress> {
        let (tell, told) = mpsc::channel();
        let name = host.to_owned();
        let thread = std::thread::Builder::new().spawn(move || {
            // Nobody listens any more when the time is over.
            let _ = tell.send(addresses(&name, port));
        });
        thread.map_err(|error| NoAddress::Ours(error.to_string()))?;
        Ok(Self(told))
    }

    fn end(self, time: Duration) -> Result<Vec<SocketAddr>, NoAddress> {
        found(self.0.recv_timeout(time))
    }
}

/// What came of a look-up. A thread that died is our own fault and no outage.
fn found(
    told: Result<Result<Vec<SocketAddr>, NoAddress>, RecvTimeoutError>,
) -> Result<Vec<SocketAddr>, NoAddress> {
    match told {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(NoAddress::Never("it has none".into())),
        Ok(found) => found,
        Err(RecvTimeoutError::Timeout) => Err(NoAddress::NotNow),
        Err(RecvTimeoutError::Disconnected) => {
            Err(NoAddress::Ours("the look-up panicked".to_owned()))
        }
    }
}

/// Only a name server that does not answer is out of reach.
fn meaning(host: &str, reason: &NoAddress) -> Attempt {
    let said = no_address(host, reason);
    match reason {
        NoAddress::NotNow => Attempt::OutOfReach(said),
        NoAddress::Never(_) | NoAddress::Ours(_) => Attempt::Failed(said),
    }
}

/// The reason in words, which begin with its class.
pub fn no_address(host: &str, reason: &NoAddress) -> String {
    match reason {
        NoAddress::NotNow => format!("address: no name server answers for {host}"),
        NoAddress::Never(words) => format!("address: {host}: {words}"),
        NoAddress::Ours(words) => format!("local: the address of {host}: {words}"),
    }
}

/// Whether this machine has too little of something to connect to an address, or to speak there: descriptors,
/// memory, ports. Anybody with a shell can see to that, so it is no outage of what is at the other end.
pub fn is_shortage(error: &io::Error, to: SocketAddr) -> bool {
    const SHORTAGES: [i32; 5] =
        [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS, libc::EAGAIN];
    match error.raw_os_error() {
        Some(libc::EADDRNOTAVAIL) => has_source_for(to),
        Some(number) => SHORTAGES.contains(&number),
        // Without a number it is no error of the kernel's: a time that is over, a certificate.
        None => false,
    }
}

/// Whether this machine has an address from which that one could be reached: the kernel says the same where
/// it has none, as without IPv6, and where no port is left. A socket for datagrams needs none of those ports.
fn has_source_for(to: SocketAddr) -> bool {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // One that cannot be had is a shortage, too.
    UdpSocket::bind((any, 0)).map_or(true, |socket| socket.connect(to).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_with_a_shell_can_take_away_is_a_shortage_and_no_outage() {
        let here = "127.0.0.1:1".parse().unwrap();
        let of = |number, to| is_shortage(&io::Error::from_raw_os_error(number), to);
        for number in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN] {
            assert!(of(number, here), "{number}");
        }
        // Also what a firewall or a route on the way says.
        for number in [libc::ECONNREFUSED, libc::EACCES, libc::EPERM, libc::ENETUNREACH] {
            assert!(!of(number, here), "{number}");
        }
        assert!(of(libc::EADDRNOTAVAIL, here));
        assert!(!is_shortage(&io::ErrorKind::TimedOut.into(), here));
        assert!(!is_shortage(&io::Error::other("tls"), here));
    }

    #[test]
    fn only_a_name_server_that_does_not_answer_is_out_of_reach() {
        let out_of_reach = |told| {
            let reason = found(told).unwrap_err();
            matches!(meaning("sms.example", &reason), Attempt::OutOfReach(_))
        };
        assert!(out_of_reach(Ok(Err(NoAddress::NotNow))));
        assert!(out_of_reach(Err(RecvTimeoutError::Timeout)));
        assert!(!out_of_reach(Err(RecvTimeoutError::Disconnected)));
        assert!(!out_of_reach(Ok(Err(NoAddress::Never("no such name".to_owned())))));
        assert!(!out_of_reach(Ok(Err(NoAddress::Ours("too many open files".to_owned())))));
        assert!(!out_of_reach(Ok(Ok(Vec::new()))));
        let none = NoAddress::Never("no such name".to_owned());
        assert_eq!(no_address("sms.example", &none), "address: sms.example: no such name");
    }

    #[test]
    fn a_proxy_is_an_address_and_nothing_more() {
        for good in
            ["http://proxy.example.org:3128", "https://10.0.0.1", "http://me:secret@[::1]:1/"]
        {
            assert!(proxy(good).is_ok(), "{good}");
        }
        for bad in
            ["", "proxy:3128", "10.0.0.1:3128", "socks5://proxy:1080", "http://", "http://p/x"]
        {
            let said = proxy(bad).unwrap_err();
            assert!(said.contains("like http://proxy.example.org:3128"), "{bad}: {said}");
        }
        assert!(!proxy("http://me:secret@p:99999").unwrap_err().contains("secret"));
    }
}
