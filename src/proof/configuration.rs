//! What an admin writes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use reqwest::Url;

use super::text_of;
use crate::config::file::Trust;
use crate::config::model::{Config, IfUnreachable, Unenrolled};
use crate::config::source::Sources;
use crate::gateway::Gateway;
use crate::gateway::description::Description;
use crate::gateway::judge::{Answer, judge};
use crate::gateway::variables::Variables;
use crate::login::policy::{Network, numeric};
use crate::people::PhoneNumber;
use crate::secret::Secret;

/// A configuration opens no door that its text does not name, and no error tells a key.
pub fn configuration(data: &[u8]) {
    const KEY: &str = "s3cr3t-k3y";
    let Some(text) = text_of(data) else { return };
    let sources = Sources::from_text("/etc/pam-sms/config.toml", text);
    let says = |error: &dyn ToString| {
        let said = error.to_string();
        assert!(!said.contains(KEY), "a key is told: {said}");
    };
    match sources.parse::<Config>() {
        Ok(config) => {
            // Where TOML writes letters by number, the words need not stand there.
            let names = |word: &str| text.contains(word) || text.contains('\\');
            assert!(config.delivery.if_unreachable == IfUnreachable::Deny || names("allow"));
            assert!(config.users.unenrolled != Unenrolled::Skip || names("skip"));
            assert!(config.users.unenrolled != Unenrolled::Enrol || names("enrol"));
            let policy = &config.policy;
            let spares = !policy.skip_users.is_empty()
                || !policy.skip_groups.is_empty()
                || !policy.skip_networks.is_empty();
            assert!(!spares || names("skip"));
            assert!((6..=10).contains(&config.code.digits.get()));
            assert!((1..=10).contains(&config.code.attempts.get()));
            assert!((30..=600).contains(&config.code.lifetime.get().as_secs()));
        }
        Err(error) => says(&error),
    }
    let path = Path::new("/etc/pam-sms/config.toml");
    // Files of the host that it names are not opened.
    if !["_file", "description", "path", "spool"].iter().any(|word| text.contains(word)) {
        if let Err(error) = Gateway::check(&sources, path, Trust::Anyone) {
            says(&error);
        }
    }
}

/// A description that is taken sends to the provider and to nobody else, whatever stands in keys and
/// message.
pub fn description(data: &[u8]) {
    const HOSTILE: &str = "a/../@evil.example:80?x#y\r\nZ: {to}\"<";
    let Some(text) = text_of(data) else { return };
    let Ok(description) = Sources::from_text("acme.toml", text).parse::<Description>() else {
        return;
    };
    if description.check().is_err() {
        return;
    }
    let keys: BTreeMap<_, _> = description
        .keys
        .keys()
        .map(|key| (key.clone(), Secret::from(HOSTILE.to_owned())))
        .collect();
    let to: PhoneNumber = "+4915123456789".parse().expect("a number");
    let message = Secret::from(HOSTILE.to_owned());
    let variables = Variables::new(&keys, Some((&to, &message))).called(HOSTILE);
    let base = Url::parse("https://api.example:8443/v1").expect("an address");
    let requests = [
        Some(&description.request),
        description.balance.as_ref().map(|one| &one.request),
        description.voice.as_ref().map(|one| &one.request),
        description.check.as_ref().map(|one| &one.request),
        description.status.as_ref().map(|one| &one.request),
    ];
    for request in requests.into_iter().flatten() {
        let Ok(url) = variables.url(&base, request) else { continue };
        assert_eq!(url.origin(), base.origin(), "{url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        let _ = variables.outline(&base, request);
    }
    let answer = Answer { status: 418, body: text.to_owned() };
    let said = judge(&answer, &description, |said| variables.conceal(said)).words();
    assert!(said.chars().count() < 500, "{said}");
}

/// `network\naddress`: an address is in a network where their leading bits are the same, written in
/// whichever form; a name is no address.
pub fn network(data: &[u8]) {
    let Some((net, host)) = text_of(data).and_then(|text| text.split_once('\n')) else { return };
    let address = numeric(host);
    if let Some(address) = address {
        assert!(host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'), "{host}");
        assert_eq!(numeric(&address.to_string()), Some(address));
    }
    let Ok(network) = net.parse::<Network>() else { return };
    let Some(address) = address else { return };
    let held = network.holds(address);
    if let IpAddr::V4(v4) = address {
        assert_eq!(network.holds(v4.to_ipv6_mapped().into()), held);
    }
    assert_eq!(held, holds(net, address), "{net} {address}");
}

/// The same, worked out another way: all as addresses of IPv6.
fn holds(net: &str, address: IpAddr) -> bool {
    let (first, length) = net.split_once('/').map_or((net, None), |(a, b)| (a, b.parse().ok()));
    let wide = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let first: IpAddr = first.parse().expect("it is a network");
    let length: u32 = match (first, length) {
        (_, None) => 128,
        (IpAddr::V4(_), Some(length)) => 96 + length,
        (IpAddr::V6(_), Some(length)) => length,
    };
    let is_mapped = |bits: u128| bits >> 32 == wide(Ipv4Addr::UNSPECIFIED.into()) >> 32;
    // A network of IPv6 that is wider than all mapped addresses is none of IPv4.
    if is_mapped(wide(address)) && length < 96 {
        return false;
    }
    (wide(first) ^ wide(address)).checked_shr(128 - length).unwrap_or(0) == 0
}
