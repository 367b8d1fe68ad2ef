//! Addresses in a question: whole ones with or without port and brackets, networks, and beginnings that end at a dot or a colon.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::question::Condition;

/// The forms that are understood.
pub(super) const ALLOWED: &str = "an address such as 203.0.113.4, 203.0.113.4:9001, 2001:db8::20 or [2001:db8::20]:9001, a network such as \
     203.0.113.0/24 or 2001:db8::/32, or the beginning of an address up to a dot or a colon, such as 203.0.113. or 2001:db8:";

/// What a text says about addresses: nothing, conditions of which one must hold, or something that is no address although it looks like one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// It is about something else.
    Other,
    /// Addresses.
    Of(Vec<Condition>),
    /// It looks like an address and is none.
    Broken,
}

/// Reads a word.
pub(super) fn read(text: &str) -> Reading {
    if let Some(whole) = whole(text) {
        return Reading::Of(whole);
    }
    if let Some((address, bits)) = text.split_once('/') {
        return network(address, bits);
    }
    let text = text.trim_end_matches('*');
    if text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return beginning_v4(text).map_or(Reading::Broken, |network| Reading::Of(vec![network]));
    }
    if text.contains(':') && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
        return beginning_v6(text).map_or(Reading::Broken, |network| Reading::Of(vec![network]));
    }
    let has_address = |(address, port): (&str, &str)| ip(address).is_some() && port.bytes().all(|b| b.is_ascii_digit());
    if text.rsplit_once(':').is_some_and(has_address) { Reading::Broken } else { Reading::Other }
}

/// An address, with its port where that stands there.
fn whole(text: &str) -> Option<Vec<Condition>> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(vec![Condition::Address(socket.ip().to_canonical(), Some(socket.port()))]);
    }
    let address = ip(text)?;
    let mut conditions = vec![Condition::Address(address, None)];
    // `2001:db8::` is an address, and people write the beginning of addresses so.
    if let (IpAddr::V6(v6), Some(groups)) = (address, text.strip_suffix("::")) {
        let n = groups.split(':').filter(|group| !group.is_empty()).count();
        conditions.extend((n > 0).then_some(Condition::Network(IpAddr::V6(v6), (n * 16) as u8)));
    }
    Some(conditions)
}

/// An address with or without brackets; one of IPv4 in the form of IPv6 is one of IPv4.
fn ip(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn network(address: &str, bits: &str) -> Reading {
    let Some(address) = ip(address) else {
        let looks_like_one = address.contains(['.', ':']) && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':');
        return if looks_like_one { Reading::Broken } else { Reading::Other };
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    match bits.parse::<u8>() {
        Ok(bits) if bits <= most => Reading::Of(vec![Condition::Network(address, bits)]),
        _ => Reading::Broken,
    }
}

/// One to three numbers up to 255 with a dot behind each but perhaps the last.
fn beginning_v4(text: &str) -> Option<Condition> {
    let parts: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let numbers = parts.iter().map(|part| part.parse::<u8>().ok()).collect::<Option<Vec<_>>>().filter(|numbers| numbers.len() <= 3)?;
    let octet = |i: usize| numbers.get(i).copied().unwrap_or(0);
    let address = Ipv4Addr::new(octet(0), octet(1), octet(2), 0);
    Some(Condition::Network(IpAddr::V4(address), (numbers.len() * 8) as u8))
}

/// One to seven groups with a colon behind each but perhaps the last.
fn beginning_v6(text: &str) -> Option<Condition> {
    let parts: Vec<&str> = text.strip_suffix(':').unwrap_or(text).split(':').collect();
    let group = |part: &&str| if part.len() <= 4 { u16::from_str_radix(part, 16).ok() } else { None };
    let groups = parts.iter().map(group).collect::<Option<Vec<u16>>>().filter(|groups| groups.len() <= 7)?;
    let mut segments = [0; 8];
    segments[..groups.len()].copy_from_slice(&groups);
    Some(Condition::Network(IpAddr::V6(Ipv6Addr::from(segments)), (groups.len() * 16) as u8))
}

/// True for an address of a network with so many leading bits.
pub(super) fn is_in(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits),
        _ => false,
    }
}
