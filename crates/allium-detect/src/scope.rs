//! Scopes: what relays can have in common, and thus where an incident can happen.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The kind of a [`Scope`], from the widest to what is narrow for other reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ScopeKind {
    /// All relays.
    Network,
    /// Relays in one country.
    Country,
    /// Relays in one autonomous system.
    As,
    /// Relays of one operator.
    Operator,
    /// Relays of one effective family.
    Family,
    /// Relays with addresses close to each other.
    Prefix,
    /// Relays with one version of Tor.
    Version,
    /// Relays whose nicknames begin alike.
    Nickname,
}

impl ScopeKind {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Network, Self::Country, Self::As, Self::Operator, Self::Family, Self::Prefix, Self::Version, Self::Nickname];

    /// The name in JSON and addresses, such as `as`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Country => "country",
            Self::As => "as",
            Self::Operator => "operator",
            Self::Family => "family",
            Self::Prefix => "prefix",
            Self::Version => "version",
            Self::Nickname => "nickname",
        }
    }

    /// True if one machine can be all of it: a handful of such relays that leave together are no incident.
    pub(crate) const fn is_narrow(self) -> bool {
        matches!(self, Self::Family | Self::Prefix | Self::Nickname)
    }

    /// The prior odds of a common fault of this kind against one of an operator, as a natural logarithm.
    pub(crate) const fn ln_prior(self) -> f64 {
        match self {
            Self::Operator => 0.0,
            Self::As => -0.3,
            Self::Country => -1.0,
            Self::Network => -2.0,
            Self::Family => -3.0,
            Self::Prefix => -5.0,
            Self::Version => -6.0,
            Self::Nickname => -12.0,
        }
    }
}

/// The relays that share something: where an incident happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The kind of thing that they share.
    pub kind: ScopeKind,
    /// Its value: `AS24940`, `de`, an operator's id, a family's smallest fingerprint, `192.0.2.0/24`, `0.4.8.14`; `*` for the network.
    pub key: String,
}

impl Scope {
    /// All relays.
    pub fn network() -> Self {
        Self { kind: ScopeKind::Network, key: "*".to_owned() }
    }

    /// True if it is the network as a whole.
    pub(crate) fn is_network(&self) -> bool {
        self.kind == ScopeKind::Network
    }

    pub(crate) fn new(kind: ScopeKind, key: impl fmt::Display) -> Self {
        Self { kind, key: key.to_string() }
    }

    /// The networks around an address: /16 and /24 of IPv4, /32 and /48 of IPv6.
    pub(crate) fn prefixes(address: IpAddr) -> [Self; 2] {
        let lengths = if address.is_ipv4() { [16, 24] } else { [32, 48] };
        lengths.map(|length| Self::new(ScopeKind::Prefix, Prefix { address, length }))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ScopeKind::Network => f.write_str("the network"),
            ScopeKind::As => f.write_str(&self.key),
            kind => write!(f, "{} {}", kind.name(), self.key),
        }
    }
}

/// A network in CIDR notation.
struct Prefix {
    address: IpAddr,
    length: u32,
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network: IpAddr = match self.address {
            IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & (u32::MAX << (32 - self.length))).into()),
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << (128 - self.length))).into()),
        };
        write!(f, "{network}/{}", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_networks_in_cidr_notation() {
        let keys = |address: &str| Scope::prefixes(address.parse().unwrap()).map(|scope| scope.key);
        assert_eq!(keys("192.0.2.77"), ["192.0.0.0/16", "192.0.2.0/24"]);
        assert_eq!(keys("2001:db8:1:2::3"), ["2001:db8::/32", "2001:db8:1::/48"]);
    }
}
