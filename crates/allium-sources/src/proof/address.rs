//! Names and addresses that may be asked: those of the public internet, and no others.
//!
//! The author of a contact chooses the name that we look up, and the holder of the name chooses the address that we connect to. Neither
//! may
//! lead to machines beside this one. Ranges: IANA's registries of special-purpose addresses (RFC 6890) and of special-use
//! names (RFC 6761), with the names that RFC 6762 (appendix G) and ICANN keep for private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use allium_model::AroiDomain;

/// Last labels that the public DNS does not have or that lead nowhere.
const PRIVATE_TOPS: &[&str] = &[
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "i2p",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

/// True if a name can be in the public DNS.
pub(crate) fn is_public_name(domain: &AroiDomain) -> bool {
    domain.as_str().rsplit('.').next().is_some_and(|top| !PRIVATE_TOPS.contains(&top))
}

/// True if an address belongs to the public internet. IPv6 addresses that stand for an IPv4 address are judged by that.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => embedded_v4(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private, loopback; multicast and reserved from 224 on.
        (0 | 10 | 127 | 224.., ..) => true,
        // Carrier-grade translation, 100.64.0.0/10.
        (100, 64..=127, _) => true,
        // Link-local.
        (169, 254, _) => true,
        // Private.
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, relays of 6to4.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => true,
        // Benchmarks.
        (198, 18 | 19, _) => true,
        _ => false,
    };
    !special
}

/// Only 2000::/3 is assigned, and within it some ranges are for special purposes.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let special = match (a, b) {
        // Protocol assignments, with Teredo, benchmarks and ORCHID.
        (0x2001, ..=0x01ff) => true,
        // Documentation.
        (0x2001, 0x0db8) | (0x3fff, ..=0x0fff) => true,
        // 6to4, whose relays are gone.
        (0x2002, _) => true,
        _ => false,
    };
    a & 0xe000 == 0x2000 && !special
}

/// The address of IPv4 in one that is mapped (`::ffff:0:0/96`) or translated (NAT64, `64:ff9b::/96`).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., g, h] = address.segments();
    let low = || Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    let is_nat64 = address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    address.to_ipv4_mapped().or_else(|| is_nat64.then(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_beside_the_public_internet_are_told() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:192.168.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        let public = [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2a00::1",
            "2620:7:6000::1",
            "3fff:1000::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn names_that_the_public_dns_cannot_have_are_told() {
        let is_public = |name: &str| is_public_name(&name.parse().unwrap());
        for name in ["router.local", "a.b.internal", "x.onion", "4.3.2.1.in-addr.arpa", "db.test", "host.localhost", "op.example"] {
            assert!(!is_public(name), "{name}");
        }
        for name in ["example.org", "local.example.com", "xn--bcher-kva.example.net"] {
            assert!(is_public(name), "{name}");
        }
    }
}
