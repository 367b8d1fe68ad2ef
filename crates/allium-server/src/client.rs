//! The client behind a connection or a request, as far as it can be told apart from others.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::HeaderMap;

use crate::outside::forwarded_for;
use crate::proxies::{Peer, Proxies};

/// Bits of an address of IPv6 that belong to whoever has it: a network has that many addresses at no cost.
const NETWORK_BITS: u32 = 64;

/// A client with a share of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// Whoever has this address; of IPv6 its network.
    At(IpAddr),
    /// Somebody behind a proxy that does not say who, or behind an onion service: many people, or one.
    Unknown,
}

impl Client {
    /// The client at the other end of a connection.
    pub(crate) fn of_peer(peer: Peer, proxies: &Proxies) -> Self {
        match peer {
            Peer::At(address) if !address.is_loopback() && !proxies.trust(peer) => Self::at(address),
            _ => Self::Unknown,
        }
    }

    /// The client that sent a request: as a trusted proxy says, else the other end of the connection.
    pub(crate) fn of_request(peer: Option<Peer>, proxies: &Proxies, headers: &HeaderMap) -> Self {
        match peer {
            Some(peer) if proxies.trust(peer) => forwarded_for(headers, proxies).map_or(Self::Unknown, Self::at),
            Some(peer) => Self::of_peer(peer, proxies),
            None => Self::Unknown,
        }
    }

    fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::At(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - NETWORK_BITS))).into()),
            address => Self::At(address),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::At(text.parse().unwrap())
    }

    #[test]
    fn an_address_means_something_unless_many_share_it() {
        let proxies = Proxies::new(["10.0.0.0/8".parse().unwrap()]);
        let of = |text| Client::of_peer(peer(text), &proxies);
        assert_eq!(of("192.0.2.1"), Client::At("192.0.2.1".parse().unwrap()));
        assert_eq!(of("2001:db8::1:2:3:4"), of("2001:db8::4:3:2:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!([of("127.0.0.9"), of("::1"), of("10.1.2.3"), Client::of_peer(Peer::Unix, &proxies)], [Client::Unknown; 4]);
    }

    #[test]
    fn a_trusted_proxy_says_who_asks_and_nobody_else_does() {
        let proxies = Proxies::new(["10.0.0.0/8".parse().unwrap()]);
        let of = |from: &str, name: &'static str, value: &str| {
            let headers = HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), value.parse().unwrap())]);
            Client::of_request(Some(peer(from)), &proxies, &headers)
        };
        let known = Client::At("192.0.2.7".parse().unwrap());
        assert_eq!(of("10.0.0.1", "x-forwarded-for", "203.0.113.1, 192.0.2.7"), known, "the last value is the proxy's own");
        assert_eq!(of("10.0.0.1", "x-forwarded-for", "192.0.2.7, 10.0.0.9"), known, "proxies behind proxies");
        assert_eq!(of("10.0.0.1", "forwarded", "for=203.0.113.1, for=\"192.0.2.7:80\";proto=https"), known);
        assert_eq!(of("10.0.0.1", "forwarded", "for=_hidden"), Client::Unknown);
        assert_eq!(of("10.0.0.1", "x-forwarded-for", "unknown"), Client::Unknown);
        assert_eq!(of("192.0.2.7", "x-forwarded-for", "203.0.113.1"), known, "a client says nothing about itself");
    }
}
