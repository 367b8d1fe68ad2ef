//! Addresses in a question: whole ones with or without port and brackets, networks, and beginnings that end at a dot or a colon.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use allium_model::IpPrefix;

use super::question::Condition;

/// The forms that are understood.
pub(super) const ALLOWED: &str = "an address such as 203.0.113.4, 203.0.113.4:9001, 2001:db8::20 or [2001:db8::20]:9001, a network such as \
     203.0.113.0/24 or 2001:db8::/32, or the beginning of an address up to a dot or a colon, such as 203.0.113. or 2001:db8:";

/// A text read as addresses: conditions of which one must hold, a broken address, or something else.
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
        conditions.extend(IpPrefix::new(IpAddr::V6(v6), (n * 16) as u8).filter(|_| n > 0).map(Condition::Network));
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
    let prefix = bits.parse().ok().and_then(|n_bits| IpPrefix::new(address, n_bits));
    prefix.map_or(Reading::Broken, |prefix| Reading::Of(vec![Condition::Network(prefix)]))
}

/// One to three numbers up to 255 with a dot behind each but perhaps the last.
fn beginning_v4(text: &str) -> Option<Condition> {
    let parts: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    let numbers = parts.iter().map(|part| part.parse::<u8>().ok()).collect::<Option<Vec<_>>>().filter(|numbers| numbers.len() <= 3)?;
    let octet = |i: usize| numbers.get(i).copied().unwrap_or(0);
    let address = Ipv4Addr::new(octet(0), octet(1), octet(2), 0);
    IpPrefix::new(IpAddr::V4(address), (numbers.len() * 8) as u8).map(Condition::Network)
}

/// One to seven groups with a colon behind each but perhaps the last.
fn beginning_v6(text: &str) -> Option<Condition> {
    let parts: Vec<&str> = text.strip_suffix(':').unwrap_or(text).split(':').collect();
    let group = |part: &&str| if part.len() <= 4 { u16::from_str_radix(part, 16).ok() } else { None };
    let groups = parts.iter().map(group).collect::<Option<Vec<u16>>>().filter(|groups| groups.len() <= 7)?;
    let mut segments = [0; 8];
    segments[..groups.len()].copy_from_slice(&groups);
    IpPrefix::new(IpAddr::V6(Ipv6Addr::from(segments)), (groups.len() * 16) as u8).map(Condition::Network)
}
