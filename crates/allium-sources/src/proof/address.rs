//! Names and addresses that may be asked: those of the public internet, and no others.
//!
//! The author of a contact chooses the name that we look up, and the holder of the name chooses the address that we connect to. Neither
//! may lead to machines beside this one. Ranges: IANA's registries of special-purpose addresses (RFC 6890) and of special-use
//! names (RFC 6761), with the names that RFC 6762 (appendix G) and ICANN keep for private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use allium_model::AroiDomain;

/// Last labels that the public DNS does not have or that lead nowhere.
const PRIVATE_TOPS: &[&str] = &[
    "alt",
    "arpa",
    "corp",
    "example",
    "exit",
    "home",
    "i2p",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
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
        // AS112 and tunnels of multicast, where no web server is.
        (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => true,
        // Benchmarks.
        (198, 18 | 19, _) => true,
        _ => false,
    };
    !special
}

/// Only 2000::/3 is assigned, and within it some ranges are for special purposes.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let special = match (a, b, c) {
        // Protocol assignments, with Teredo, benchmarks and ORCHID.
        (0x2001, ..=0x01ff, _) => true,
        // Documentation.
        (0x2001, 0x0db8, _) | (0x3fff, ..=0x0fff, _) => true,
        // 6to4, whose relays are gone.
        (0x2002, ..) => true,
        // AS112.
        (0x2620, 0x004f, 0x8000) => true,
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

    /// The registries of special-purpose addresses, with multicast and what was set apart earlier: name, first and last address.
    const SPECIAL: &[(&str, &str, &str)] = &[
        ("this network", "0.0.0.0", "0.255.255.255"),
        ("private", "10.0.0.0", "10.255.255.255"),
        ("carrier-grade translation", "100.64.0.0", "100.127.255.255"),
        ("loopback", "127.0.0.0", "127.255.255.255"),
        ("link-local, with metadata of clouds", "169.254.0.0", "169.254.255.255"),
        ("private", "172.16.0.0", "172.31.255.255"),
        ("protocol assignments", "192.0.0.0", "192.0.0.255"),
        ("documentation 1", "192.0.2.0", "192.0.2.255"),
        ("AS112", "192.31.196.0", "192.31.196.255"),
        ("AMT", "192.52.193.0", "192.52.193.255"),
        ("relays of 6to4", "192.88.99.0", "192.88.99.255"),
        ("private", "192.168.0.0", "192.168.255.255"),
        ("AS112, direct", "192.175.48.0", "192.175.48.255"),
        ("benchmarks", "198.18.0.0", "198.19.255.255"),
        ("documentation 2", "198.51.100.0", "198.51.100.255"),
        ("documentation 3", "203.0.113.0", "203.0.113.255"),
        ("multicast", "224.0.0.0", "239.255.255.255"),
        ("reserved and broadcast", "240.0.0.0", "255.255.255.255"),
        ("unspecified, loopback, compatible with IPv4", "::", "::ffff:ffff"),
        ("mapped this network", "::ffff:0.0.0.0", "::ffff:0.255.255.255"),
        ("mapped private", "::ffff:10.0.0.0", "::ffff:10.255.255.255"),
        ("mapped loopback", "::ffff:127.0.0.0", "::ffff:127.255.255.255"),
        ("mapped link-local", "::ffff:169.254.0.0", "::ffff:169.254.255.255"),
        ("mapped private", "::ffff:192.168.0.0", "::ffff:192.168.255.255"),
        ("translated by SIIT", "::ffff:0:0:0", "::ffff:0:ffff:ffff"),
        ("NAT64 of private", "64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255"),
        ("NAT64 of loopback", "64:ff9b::127.0.0.0", "64:ff9b::127.255.255.255"),
        ("NAT64 of link-local", "64:ff9b::169.254.0.0", "64:ff9b::169.254.255.255"),
        ("beside NAT64", "64:ff9b:0:0:0:1::", "64:ff9b::ffff:ffff:ffff"),
        ("local NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("discard", "100::", "100::ffff:ffff:ffff:ffff"),
        ("dummy", "100:0:0:1::", "100::1:ffff:ffff:ffff:ffff"),
        ("Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("benchmarks", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
        ("ORCHID", "2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("protocol assignments", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
        ("documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("SRv6", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("not assigned", "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];

    /// Neighbours of special ranges, and addresses of well-known machines.
    const PUBLIC: &[&str] = &[
        "1.0.0.0",
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.31.195.255",
        "192.31.197.0",
        "192.52.194.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "192.175.49.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2000::",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:4860:4860::8888",
        "2003::",
        "2a00::1",
        "2620:4f:7fff::1",
        "2620:4f:8001::1",
        "2620:7:6000::1",
        "3fff:1000::",
    ];

    #[test]
    fn addresses_beside_the_public_internet_are_told() {
        let middle = |first: IpAddr, last: IpAddr| -> IpAddr {
            match (first, last) {
                (IpAddr::V4(first), IpAddr::V4(last)) => Ipv4Addr::from(u32::from(first).midpoint(u32::from(last))).into(),
                (IpAddr::V6(first), IpAddr::V6(last)) => Ipv6Addr::from(u128::from(first).midpoint(u128::from(last))).into(),
                _ => unreachable!("a range is of one family"),
            }
        };
        for (name, first, last) in SPECIAL {
            let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
            for address in [first, middle(first, last), last] {
                assert!(!is_public(address), "{name}: {address}");
            }
        }
        for address in PUBLIC {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn names_that_the_public_dns_cannot_have_are_told() {
        let is_public = |name: &str| is_public_name(&name.parse().unwrap());
        for name in [
            "router.local",
            "a.b.internal",
            "x.onion",
            "4.3.2.1.in-addr.arpa",
            "db.test",
            "host.localhost",
            "op.example",
            "printer.home.arpa",
            "relay.exit",
        ] {
            assert!(!is_public(name), "{name}");
        }
        for name in ["example.org", "local.example.com", "xn--bcher-kva.example.net"] {
            assert!(is_public(name), "{name}");
        }
    }
}
