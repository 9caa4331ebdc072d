//! The way to a provider: its address, whom to trust, the proxy.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::{Url, redirect};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use super::Attempt;
use super::http::Parts;
use crate::sys::names::{NoAddress, addresses};

/// Longest time for a connection, in which nothing of the message leaves.
const CONNECT: Duration = Duration::from_secs(3);
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
        peer = Url::parse(proxy).map_err(|error| failed(format!("`proxy`: {error}")))?;
        let proxy = reqwest::Proxy::all(proxy).map_err(|error| failed(error.to_string()))?;
        builder = builder.proxy(proxy);
    }
    // Also where nothing is encrypted: without, reqwest looks for a TLS of its own and panics.
    let encrypted = url.scheme() == "https" || peer.scheme() == "https";
    let tls = if encrypted { tls(parts) } else { no_tls() };
    builder = builder.tls_backend_preconfigured(tls.map_err(failed)?);
    if let Some(host) = peer.domain() {
        let port = peer.port_or_known_default().unwrap_or(443);
        let addresses = look_up(host, port, (left() / 2).min(CONNECT))?;
        builder = builder.resolve_to_addrs(host, &addresses);
    }
    let connect = (left() * 3 / 4).min(CONNECT);
    builder.connect_timeout(connect).build().map_err(|error| failed(error.to_string()))
}

fn tls(parts: &Parts) -> Result<ClientConfig, String> {
    let roots = match &parts.authorities {
        Some(pem) => authorities(pem)?,
        None => {
            let pem = SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok());
            authorities(&pem.ok_or("no authorities: install ca-certificates or set ca_file")?)?
        }
    };
    trusting(roots)
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

/// Looks a name up in bounded time. The thread of a look-up that is late is left behind.
fn look_up(host: &str, port: u16, time: Duration) -> Result<Vec<SocketAddr>, Attempt> {
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    std::thread::spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = tell.send(addresses(&name, port));
    });
    match told.recv_timeout(time) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(Attempt::Failed(format!("address: {host} has none"))),
        Ok(Err(NoAddress::Never(words))) => {
            Err(Attempt::Failed(format!("address: {host}: {words}")))
        }
        Ok(Err(NoAddress::NotNow)) | Err(_) => {
            Err(Attempt::OutOfReach(format!("address: no name server answers for {host}")))
        }
    }
}
