//! One word of a search, and whether a relay fits it.

use std::net::{IpAddr, SocketAddr};

use allium_model::{Asn, CountryCode, Fingerprint, Relay};

/// Digits from which on a term without leading `$` is read as the beginning of a fingerprint: fewer are more often meant as text.
const MIN_FINGERPRINT_DIGITS: usize = 4;

/// One term of a text, in the forms in which it may match.
pub(crate) struct Term {
    /// Lower-cased; matches as a part of a field.
    text: String,
    fingerprint: Option<FingerprintPrefix>,
    asn: Option<Asn>,
    country: Option<CountryCode>,
    network: Option<(IpAddr, u8)>,
}

impl Term {
    pub(crate) fn new(term: &str) -> Self {
        // Addresses are matched without port; IPv6 ones are written in brackets where there is one.
        let bare = term.parse().map_or_else(|_| term.trim_matches(['[', ']']).to_lowercase(), |socket: SocketAddr| socket.ip().to_string());
        let address = bare.parse().map(|ip: IpAddr| ip.to_string());
        Self {
            text: address.unwrap_or(bare),
            fingerprint: FingerprintPrefix::new(term),
            asn: term.to_uppercase().parse().ok(),
            country: term.parse().ok(),
            network: parse_network(term),
        }
    }

    pub(crate) fn fits(&self, relay: &Relay, parts: &str) -> bool {
        self.fingerprint.as_ref().is_some_and(|prefix| prefix.fits(&relay.fingerprint))
            || self.asn.is_some_and(|asn| relay.asn == Some(asn))
            || self.country.is_some_and(|country| relay.country == Some(country))
            || self.network.is_some_and(|network| addresses(relay).any(|address| is_in(network, address)))
            || parts.contains(&self.text)
    }
}

/// The beginning of a fingerprint, half bytes included.
struct FingerprintPrefix {
    nibbles: Vec<u8>,
}

impl FingerprintPrefix {
    fn new(term: &str) -> Option<Self> {
        let digits = term.strip_prefix('$').unwrap_or(term);
        let nibbles: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let shortest = if digits.len() < term.len() { 1 } else { MIN_FINGERPRINT_DIGITS };
        nibbles.filter(|nibbles| (shortest..=40).contains(&nibbles.len())).map(|nibbles| Self { nibbles })
    }

    fn fits(&self, fingerprint: &Fingerprint) -> bool {
        let nibble = |i: usize| if i.is_multiple_of(2) { fingerprint.as_bytes()[i / 2] >> 4 } else { fingerprint.as_bytes()[i / 2] & 15 };
        self.nibbles.iter().enumerate().all(|(i, wanted)| nibble(i) == *wanted)
    }
}

fn parse_network(term: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = term.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn is_in((network, bits): (IpAddr, u8), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits),
        _ => false,
    }
}

/// The addresses of a relay that can be searched for.
pub(crate) fn addresses(relay: &Relay) -> impl Iterator<Item = IpAddr> {
    relay.or_addresses.iter().map(SocketAddr::ip).chain(relay.exit_addresses.iter().copied())
}
