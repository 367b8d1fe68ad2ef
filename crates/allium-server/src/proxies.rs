//! Proxies that are believed: by address, by prefix, or all that come over a unix socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use allium_model::IpPrefix;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A program that connects from this address.
    At(IpAddr),
    /// A program on this machine that connects to a unix socket.
    Unix,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::At(address.ip().to_canonical())
    }
}

/// Proxies that are believed in what they say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxies(Vec<Proxy>);

impl Proxies {
    /// These, and no others.
    pub fn new(proxies: impl IntoIterator<Item = Proxy>) -> Self {
        Self(proxies.into_iter().collect())
    }

    pub(crate) fn trust(&self, peer: Peer) -> bool {
        self.0.iter().any(|proxy| proxy.is(peer))
    }
}

impl Default for Proxies {
    /// Those on this machine.
    fn default() -> Self {
        let loopback = |address: IpAddr, n_bits| IpPrefix::new(address, n_bits).map(Proxy::Within);
        let all = [loopback(Ipv4Addr::LOCALHOST.into(), 8), loopback(Ipv6Addr::LOCALHOST.into(), 128), Some(Proxy::Unix)];
        Self(all.into_iter().flatten().collect())
    }
}

/// One proxy, or those of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// All whose address begins with the same bits as this one.
    Within(IpPrefix),
    /// All that connect to a unix socket.
    Unix,
}

impl Proxy {
    fn is(self, peer: Peer) -> bool {
        match (self, peer) {
            (Self::Unix, Peer::Unix) => true,
            (Self::Within(prefix), Peer::At(peer)) => prefix.contains(peer),
            _ => false,
        }
    }
}

/// The reason why a text names no proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError(String);

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected an address, a prefix such as 10.0.0.0/8, or unix; found {:?}", self.0)
    }
}

impl std::error::Error for ProxyError {}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let read = || match text.split_once('/') {
            Some((address, n_bits)) => IpPrefix::new(address.parse().ok()?, n_bits.parse().ok()?),
            None => text.parse().ok().map(IpPrefix::of_one),
        };
        read().map(Self::Within).ok_or_else(|| ProxyError(text.chars().take(60).collect()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_prefix_is_its_addresses_and_no_others() {
        let trusts = |proxy: &str, peer: &str| Proxies::new([proxy.parse().unwrap()]).trust(Peer::At(peer.parse().unwrap()));
        for (proxy, peer) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::/32", "2001:db8:ffff::1"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("::/0", "2001:db8::1"),
        ] {
            assert!(trusts(proxy, peer), "{proxy} {peer}");
        }
        for (proxy, peer) in [("10.0.0.0/8", "11.0.0.1"), ("192.0.2.7", "192.0.2.8"), ("::/0", "192.0.2.1"), ("unix", "127.0.0.1")] {
            assert!(!trusts(proxy, peer), "{proxy} {peer}");
        }
        assert!(Proxies::default().trust(Peer::At("127.0.0.53".parse().unwrap())) && Proxies::default().trust(Peer::Unix));
        assert!(Proxies::default().trust(Peer::from("[::ffff:127.0.0.1]:80".parse::<SocketAddr>().unwrap())));
        assert!(!Proxies::default().trust(Peer::At("192.0.2.1".parse().unwrap())));
        assert!(!Proxies::new([]).trust(Peer::Unix));
    }

    #[test]
    fn what_names_no_proxy_is_refused() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::1/129", "10.0.0/8", "127.0.0.1:80", " 127.0.0.1"] {
            assert!(text.parse::<Proxy>().unwrap_err().to_string().starts_with("expected an address, a prefix"), "{text}");
        }
    }
}
