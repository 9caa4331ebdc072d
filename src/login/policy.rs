//! Who is asked for a code: a decision about the person and where they are, before anything is sent.
//!
//! In this order: whom the rules require to be asked, is; whom they skip, is not; everybody else is.
//! A group that cannot be looked up never spares anybody: the user database may be out of reach, and
//! it does not always say so.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error};

use crate::config::model::PolicyRules;

/// Who logs in, as far as the rules care.
pub struct Who<'a> {
    /// The canonical account name.
    pub user: &'a str,
    /// Where the client is; nothing where the host program gave no numeric address.
    pub address: Option<IpAddr>,
    /// Asks the user database for groups.
    pub groups: &'a dyn Groups,
}

/// The groups of one account.
pub trait Groups {
    /// Whether the account is in `group`; `None` where there is no such group.
    ///
    /// # Errors
    /// When the user database could not be asked.
    fn hold(&self, group: &str) -> Result<Option<bool>, String>;
}

/// What the rules say about a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Ask, whatever is remembered.
    Require,
    /// Ask, unless a login from here is remembered.
    Ask,
    /// Do not ask, by this rule.
    Skip(&'static str),
}

/// Judges one login. What the admin should know is added to `warnings`.
#[must_use]
pub fn judge(rules: &PolicyRules, who: &Who<'_>, warnings: &mut Vec<String>) -> Ruling {
    let named = |users: &[String]| users.iter().any(|user| user == who.user);
    if named(&rules.require_users) {
        return Ruling::Require;
    }
    for group in &rules.require_groups {
        match is_in(group, "require_groups", who, warnings) {
            Some(false) => {}
            // Not knowing is no reason to spare somebody.
            Some(true) | None => return Ruling::Require,
        }
    }
    if named(&rules.skip_users) {
        return Ruling::Skip("skip_users");
    }
    for group in &rules.skip_groups {
        if is_in(group, "skip_groups", who, warnings) == Some(true) {
            return Ruling::Skip("skip_groups");
        }
    }
    let inside = |address| rules.skip_networks.iter().any(|network| network.holds(address));
    if who.address.is_some_and(inside) {
        return Ruling::Skip("skip_networks");
    }
    Ruling::Ask
}

/// Whether the person is in the group; `None` where that cannot be known.
fn is_in(group: &str, key: &str, who: &Who<'_>, warnings: &mut Vec<String>) -> Option<bool> {
    let problem = match who.groups.hold(group) {
        Ok(Some(member)) => return Some(member),
        Ok(None) => "there is no such group".to_owned(),
        Err(error) => error,
    };
    warnings.push(format!("[policy] {key}: the group `{group}` cannot be looked up: {problem}"));
    None
}

/// The address that the host program names, where it is one: a host name is what the owner of an
/// address says of it, and nothing is decided by that. Mapped IPv4 addresses are IPv4.
#[must_use]
pub fn numeric(rhost: &str) -> Option<IpAddr> {
    rhost.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no network: write it like 10.20.0.0/16 or 2001:db8::/32");
        let net = match text.split_once('/') {
            None => IpNet::from(address(text).ok_or_else(wrong)?.to_canonical()),
            // By ipnet itself 010.0.0.0/8 would be 10.0.0.0/8, which to many is 8.0.0.0/8.
            Some((first, length)) => {
                let is_plain = length.bytes().all(|byte| byte.is_ascii_digit());
                let length = length.parse().ok().filter(|_| is_plain);
                let net =
                    address(first).zip(length).map(|(first, length)| IpNet::new(first, length));
                unmapped(net.and_then(Result::ok).ok_or_else(wrong)?)
            }
        };
        if net.addr() != net.network() {
            // Someone who writes 10.20.3.0/16 may have meant either.
            return Err(format!("`{text}`: bits are set behind the mask: write {}", net.trunc()));
        }
        Ok(Self(net))
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// The IPv4 form of a network of mapped addresses.
fn unmapped(net: IpNet) -> IpNet {
    let IpAddr::V4(address) = net.addr().to_canonical() else { return net };
    match net.prefix_len().checked_sub(96).map(|length| IpNet::new(address.into(), length)) {
        Some(Ok(v4)) if matches!(net, IpNet::V6(_)) => v4,
        _ => net,
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::config::source::Sources;

    /// Alice is in `staff` and `automation`; the database does not know `ghosts`, and is out of reach
    /// for `remote`.
    struct Database;

    impl Groups for Database {
        fn hold(&self, group: &str) -> Result<Option<bool>, String> {
            match group {
                "staff" | "automation" => Ok(Some(true)),
                "wheel" => Ok(Some(false)),
                "ghosts" => Ok(None),
                _ => Err("out of reach".to_owned()),
            }
        }
    }

    fn ruling(rules: &str, rhost: &str) -> (Ruling, usize) {
        let rules = Sources::from_text("policy", rules).parse().unwrap();
        let who = Who { user: "alice", address: numeric(rhost), groups: &Database };
        let mut warnings = Vec::new();
        (judge(&rules, &who, &mut warnings), warnings.len())
    }

    #[test]
    fn whom_a_rule_requires_is_asked_whatever_spares_them() {
        let spared = "skip_users = ['alice']\nskip_groups = ['staff']\nskip_networks = ['::/0', '0.0.0.0/0']";
        for required in ["require_users = ['alice']", "require_groups = ['wheel', 'staff']"] {
            assert_eq!(ruling(&format!("{required}\n{spared}"), "10.0.0.1").0, Ruling::Require);
        }
    }

    #[test]
    fn people_groups_and_networks_are_spared_by_name() {
        for (rules, ruled) in [
            ("", Ruling::Ask),
            ("skip_users = ['bob', 'alice']", Ruling::Skip("skip_users")),
            ("skip_users = ['Alice', 'alic', 'alice ']", Ruling::Ask),
            ("skip_groups = ['automation']", Ruling::Skip("skip_groups")),
            ("skip_groups = ['wheel']", Ruling::Ask),
            ("skip_networks = ['10.20.0.0/16']", Ruling::Skip("skip_networks")),
            ("skip_networks = ['10.21.0.0/16', '10.20.1.3']", Ruling::Ask),
        ] {
            assert_eq!(ruling(rules, "10.20.1.2").0, ruled, "{rules}");
        }
    }

    #[test]
    fn trap_10_a_group_that_cannot_be_looked_up_spares_nobody() {
        let spared = "skip_users = ['alice']";
        for group in ["ghosts", "remote"] {
            let rules = format!("require_groups = ['{group}']\n{spared}");
            assert_eq!(ruling(&rules, "10.0.0.1"), (Ruling::Require, 1), "{group}");
            let rules = format!("skip_groups = ['{group}']");
            assert_eq!(ruling(&rules, "10.0.0.1"), (Ruling::Ask, 1), "{group}");
        }
    }

    #[test]
    fn a_host_name_is_no_address() {
        let rules = "skip_networks = ['0.0.0.0/0', '::/0']";
        for name in [
            "",
            "localhost",
            "10.0.0.1.example.org",
            "10.0.0.1 ",
            "10.0.1",
            "010.0.0.1",
            "0x7f.1",
            "2130706433",
            "[::1]",
            "fe80::1%eth0",
            "::ffff:10.0.0.1.example.org",
            "10.0.0.1\n",
        ] {
            assert_eq!(ruling(rules, name).0, Ruling::Ask, "{name:?}");
        }
    }

    #[test]
    fn every_length_of_prefix_is_compared_to_its_last_bit() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for length in 0..=128_u32 {
            let bits = (u128::from(random()) << 64) | u128::from(random());
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            // Not among the mapped addresses, which are another family.
            let base = (bits | 1 << 127) & mask;
            let network = format!("{}/{length}", Ipv6Addr::from(base));
            let network: Network = network.parse().unwrap();
            for host in [0, u128::MAX, bits] {
                let inside = Ipv6Addr::from(base | (host & !mask));
                assert!(
                    network.holds(inside.into()) || length == 0 || is_mapped(inside),
                    "{inside}"
                );
            }
            if length > 0 {
                let outside = Ipv6Addr::from((base ^ 1 << (128 - length)) | (bits & !mask));
                assert!(!network.holds(outside.into()), "{outside} in a /{length}");
            }
        }
        for length in 0..=32_u32 {
            let bits = u32::try_from(random() >> 32).unwrap();
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            let base = bits & mask;
            let plain: Network = format!("{}/{length}", Ipv4Addr::from(base)).parse().unwrap();
            let mapped = format!("::ffff:{}/{}", Ipv4Addr::from(base), length + 96);
            assert_eq!(mapped.parse(), Ok(plain), "{mapped}");
            let inside = Ipv4Addr::from(base | !mask);
            assert!(plain.holds(inside.into()) && plain.holds(inside.to_ipv6_mapped().into()));
            if length > 0 {
                let outside = Ipv4Addr::from(base ^ 1 << (32 - length));
                assert!(!plain.holds(outside.into()), "{outside} in a /{length}");
                assert!(!plain.holds(outside.to_ipv6_mapped().into()));
            }
        }
    }

    fn is_mapped(address: Ipv6Addr) -> bool {
        address.to_ipv4_mapped().is_some()
    }

    #[test]
    fn a_network_that_makes_no_sense_is_refused_with_what_to_write() {
        for (text, said) in [
            ("10.20.3.0/16", "write 10.20.0.0/16"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("10.20.0.0/33", "is no network"),
            ("10.20/16", "is no network"),
            ("010.0.0.0/8", "is no network"),
            ("10.00.0.0/16", "is no network"),
            ("10.0.0.0/+8", "is no network"),
            ("10.0.0.0/", "is no network"),
            ("example.org", "is no network"),
            ("", "is no network"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
