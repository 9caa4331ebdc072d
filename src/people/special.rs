//! Numbers that cost their caller a fortune, or that nobody carries in a pocket.
//!
//! Who can have texts sent to such numbers earns by every one of them, so they are refused unless the
//! admin allows them by name. The international ranges are those of ITU-T E.164 (list of assigned
//! country codes, 2016 and later amendments); the national ones stand in the countries' own numbering
//! plans, as the ITU publishes them, and only those are listed that are premium as a whole.

use serde::Deserialize;

use super::PhoneNumber;

/// A kind of special number, by the name that the configuration uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// Inmarsat, global mobile satellite systems, international networks.
    Satellite,
    /// Premium rate.
    Premium,
    /// Freephone and shared cost: they lead to no phone that takes messages.
    Service,
    /// Numbers that follow a person, at the caller's expense.
    Personal,
}

const RANGES: [(Special, &[&str]); 4] = [
    (Special::Satellite, &["870", "881", "882", "883"]),
    (
        Special::Premium,
        &[
            "979", "1900", "30900", "30901", "30909", "31900", "31906", "31909", "3290", "3389",
            "34803", "34806", "34807", "35315", "358600", "358700", "3690", "39899", "40900",
            "40903", "40906", "41900", "41901", "41906", "42090", "43900", "43901", "43930",
            "43931", "449", "4590", "46900", "46939", "46944", "4782", "4870", "49900", "6119",
            "7809",
        ],
    ),
    (Special::Service, &["800", "808"]),
    (Special::Personal, &["878", "4470"]),
];

impl Special {
    /// What is special about a number, if anything is.
    #[must_use]
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        let holds = |prefixes: &[&str]| prefixes.iter().any(|p| number.digits().starts_with(p));
        RANGES.iter().find(|(_, prefixes)| holds(prefixes)).map(|(special, _)| *special)
    }

    /// The name that the configuration uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Satellite => "satellite",
            Self::Premium => "premium",
            Self::Service => "service",
            Self::Personal => "personal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_numbers_are_known_and_ordinary_ones_are_not() {
        for (number, special) in [
            ("+881612345678", Some(Special::Satellite)),
            ("+870773123456", Some(Special::Satellite)),
            ("+979123456789", Some(Special::Premium)),
            ("+19005550123", Some(Special::Premium)),
            ("+449061234567", Some(Special::Premium)),
            ("+80012345678", Some(Special::Service)),
            ("+447012345678", Some(Special::Personal)),
            ("+447712345678", None),
            ("+4915123456789", None),
            ("+14155550123", None),
            ("+79091234567", None),
            ("+358401234567", None),
        ] {
            assert_eq!(Special::of(&number.parse().unwrap()), special, "{number}");
        }
    }
}
