//! Which relays a visitor means: search, filter, sort.
//!
//! The text of a query is split at white space into terms, and a relay must fit all of them. It fits a term, in either case, with
//! a part of its nickname, contact, AS name or country name, with the beginning of its fingerprint (four digits, or a leading `$`), with a part of one of its
//! addresses, or with its whole AS number or country code. A term such as `192.0.2.0/24` means the addresses in that network.
//! Results are in the wanted order; equal relays follow by fingerprint, and relays without a value come last either way.

use std::fmt::Write as _;
use std::net::IpAddr;

use allium_model::{Asn, CountryCode, Fingerprint, NetworkRecord, Period, Relay, RelayFlags};

use crate::report::{NetworkReport, RelayReport};

/// The most terms of a text that are looked at.
const MAX_TERMS: usize = 8;
/// Digits from which on a term without leading `$` is taken for the beginning of a fingerprint: fewer are more often meant as text.
const MIN_FINGERPRINT_DIGITS: usize = 4;

/// What a visitor asks for; the default asks for all current relays, heaviest first.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayQuery {
    /// Terms that a relay must fit, all of them.
    pub text: String,
    /// Flags that it must have.
    pub flags: RelayFlags,
    /// Whether it must be Running, or must not.
    pub running: Option<bool>,
    /// Its country.
    pub country: Option<CountryCode>,
    /// Its autonomous system.
    pub asn: Option<Asn>,
    /// Its version of Tor, or the beginning of it up to a dot: `0.4.8` includes `0.4.8.12`.
    pub version: Option<String>,
    /// Members of this relay's effective family, itself included.
    pub family_of: Option<Fingerprint>,
    /// Whether relays not seen in the last 7 days are included.
    pub include_gone: bool,
    /// What to sort by.
    pub sort: SortKey,
    /// Largest first.
    pub descending: bool,
}

impl Default for RelayQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            flags: RelayFlags::EMPTY,
            running: None,
            country: None,
            asn: None,
            version: None,
            family_of: None,
            include_gone: false,
            sort: SortKey::ConsensusWeight,
            descending: true,
        }
    }
}

/// What relays are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortKey {
    /// Consensus weight.
    ConsensusWeight,
    /// Advertised bandwidth.
    Bandwidth,
    /// Nickname, in either case.
    Nickname,
    /// Fingerprint.
    Fingerprint,
    /// First appearance.
    FirstSeen,
    /// Newest appearance.
    LastSeen,
    /// Country code.
    Country,
    /// Number of the autonomous system.
    AutonomousSystem,
    /// Version of Tor, by its numbers.
    Version,
    /// Theil–Sen trend of uptime.
    Trend,
    /// Hours down in the last year.
    Downtime,
    /// Uptime in a period.
    Uptime(Period),
}

impl SortKey {
    /// All keys.
    pub const ALL: [Self; 18] = [
        Self::ConsensusWeight,
        Self::Bandwidth,
        Self::Nickname,
        Self::Fingerprint,
        Self::FirstSeen,
        Self::LastSeen,
        Self::Country,
        Self::AutonomousSystem,
        Self::Version,
        Self::Trend,
        Self::Downtime,
        Self::Uptime(Period::OneDay),
        Self::Uptime(Period::SevenDays),
        Self::Uptime(Period::ThirtyDays),
        Self::Uptime(Period::OneMonth),
        Self::Uptime(Period::SixMonths),
        Self::Uptime(Period::OneYear),
        Self::Uptime(Period::FiveYears),
    ];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsensusWeight => "weight",
            Self::Bandwidth => "bandwidth",
            Self::Nickname => "nickname",
            Self::Fingerprint => "fingerprint",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
            Self::Country => "country",
            Self::AutonomousSystem => "as",
            Self::Version => "version",
            Self::Trend => "trend",
            Self::Downtime => "downtime",
            Self::Uptime(Period::OneDay) => "uptime_1_day",
            Self::Uptime(Period::SevenDays) => "uptime_7_days",
            Self::Uptime(Period::ThirtyDays) => "uptime_30_days",
            Self::Uptime(Period::OneMonth) => "uptime_1_month",
            Self::Uptime(Period::SixMonths) => "uptime_6_months",
            Self::Uptime(Period::OneYear) => "uptime_1_year",
            Self::Uptime(Period::FiveYears) => "uptime_5_years",
        }
    }

    /// The key of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}

/// Prepared texts and orders of the relays of one record; build it once per record.
#[derive(Debug, Clone)]
pub struct SearchIndex {
    /// Everything in which a part may match, lower-cased, one field per line, all relays behind each other.
    parts: String,
    /// Where the lines of relay `i` end in `parts`.
    part_ends: Vec<usize>,
    /// Place in the order of nicknames; `None` for relays without one.
    nickname_ranks: Vec<Option<u32>>,
    /// Place in the order of versions.
    version_ranks: Vec<Option<u32>>,
}

impl SearchIndex {
    /// Prepares the relays of a record.
    pub fn build(record: &NetworkRecord) -> Self {
        let mut parts = String::new();
        let mut part_ends = Vec::with_capacity(record.relays.len());
        for relay in &record.relays {
            push_parts(&mut parts, &relay.relay);
            part_ends.push(parts.len());
        }
        let relays = || record.relays.iter().map(|relay| &relay.relay);
        let nickname_ranks = ranks(relays().map(|relay| relay.nickname.as_deref().map(str::to_lowercase)));
        let version_ranks = ranks(relays().map(|relay| relay.version.as_deref().map(version_key)));
        Self { parts, part_ends, nickname_ranks, version_ranks }
    }

    /// The places in `NetworkRecord::relays` of the relays that fit a query, in the wanted order.
    ///
    /// The record and report must be those that the index was built for.
    pub fn select(&self, query: &RelayQuery, record: &NetworkRecord, report: &NetworkReport) -> Vec<usize> {
        let terms: Vec<Term> = query.text.split_whitespace().take(MAX_TERMS).map(Term::new).collect();
        let family = query.family_of.map(|of| Family::new(of, record));
        let fits = |i: &usize| {
            let relay = &record.relays[*i].relay;
            (query.include_gone || report.relays[*i].current)
                && fits_filters(query, relay)
                && family.as_ref().is_none_or(|family| family.has(relay))
                && terms.iter().all(|term| term.fits(relay, self.parts_of(*i)))
        };
        let n = record.relays.len().min(report.relays.len()).min(self.part_ends.len());
        let mut found: Vec<(Option<f64>, usize)> =
            (0..n).filter(fits).map(|i| (self.key(query.sort, i, &record.relays[i].relay, &report.relays[i]), i)).collect();
        found.sort_unstable_by(|(a, i), (b, j)| compare(*a, *b, query.descending).then_with(|| by_place(query, *i, *j)));
        found.into_iter().map(|(_, i)| i).collect()
    }

    fn parts_of(&self, i: usize) -> &str {
        let start = if i == 0 { 0 } else { self.part_ends[i - 1] };
        &self.parts[start..self.part_ends[i]]
    }

    /// What a relay is sorted by, as a number that keeps the order.
    fn key(&self, sort: SortKey, i: usize, relay: &Relay, report: &RelayReport) -> Option<f64> {
        match sort {
            SortKey::ConsensusWeight => relay.consensus_weight.map(|weight| weight as f64),
            SortKey::Bandwidth => relay.advertised_bandwidth.map(|rate| rate as f64),
            SortKey::Nickname => self.nickname_ranks[i].map(f64::from),
            SortKey::Fingerprint => Some(0.0),
            SortKey::FirstSeen => relay.first_seen.map(|hour| f64::from(hour.get())),
            SortKey::LastSeen => relay.last_seen.map(|hour| f64::from(hour.get())),
            SortKey::Country => relay.country.map(|country| country.as_str().bytes().fold(0.0, |sum, b| sum * 256.0 + f64::from(b))),
            SortKey::AutonomousSystem => relay.asn.map(|asn| f64::from(asn.0)),
            SortKey::Version => self.version_ranks[i].map(f64::from),
            SortKey::Trend => report.trend.map(|trend| trend.per_30_days),
            SortKey::Downtime => report.outages.as_ref().map(crate::OutageSummary::down_hours),
            SortKey::Uptime(period) => report.uptime_in(period).map(allium_model::Fraction::get),
        }
    }
}

/// Orders values as wanted, missing ones last either way.
fn compare(a: Option<f64>, b: Option<f64>, descending: bool) -> std::cmp::Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.is_none().cmp(&b.is_none()),
    }
}

/// Relays are stored by fingerprint, so their place is that order.
fn by_place(query: &RelayQuery, i: usize, j: usize) -> std::cmp::Ordering {
    if query.sort == SortKey::Fingerprint && query.descending { j.cmp(&i) } else { i.cmp(&j) }
}

fn fits_filters(query: &RelayQuery, relay: &Relay) -> bool {
    query.flags.iter().all(|flag| relay.has(flag))
        && query.running.is_none_or(|running| relay.running == running)
        && query.country.is_none_or(|country| relay.country == Some(country))
        && query.asn.is_none_or(|asn| relay.asn == Some(asn))
        && query.version.as_deref().is_none_or(|wanted| relay.version.as_deref().is_some_and(|version| is_version(version, wanted)))
}

fn is_version(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted.trim_end_matches('.')).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// Relays whose family a relay's effective family names.
struct Family {
    of: Fingerprint,
    members: Vec<Fingerprint>,
}

impl Family {
    fn new(of: Fingerprint, record: &NetworkRecord) -> Self {
        let mut members = crate::relay_position(record, &of).map(|i| record.relays[i].relay.effective_family.clone()).unwrap_or_default();
        members.sort_unstable();
        Self { of, members }
    }

    fn has(&self, relay: &Relay) -> bool {
        relay.fingerprint == self.of || self.members.binary_search(&relay.fingerprint).is_ok()
    }
}

/// One term of a text, in the forms in which it may match.
struct Term {
    /// Lower-cased; matches as a part of a field.
    text: String,
    fingerprint: Option<FingerprintPrefix>,
    asn: Option<Asn>,
    country: Option<CountryCode>,
    network: Option<(IpAddr, u8)>,
}

impl Term {
    fn new(term: &str) -> Self {
        // Addresses are matched without port; IPv6 ones are written in brackets where there is one.
        let bare = term
            .parse()
            .map_or_else(|_| term.trim_matches(['[', ']']).to_lowercase(), |socket: std::net::SocketAddr| socket.ip().to_string());
        let address = bare.parse().map(|ip: IpAddr| ip.to_string());
        Self {
            text: address.unwrap_or(bare),
            fingerprint: FingerprintPrefix::new(term),
            asn: term.to_uppercase().parse().ok(),
            country: term.parse().ok(),
            network: parse_network(term),
        }
    }

    fn fits(&self, relay: &Relay, parts: &str) -> bool {
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

fn addresses(relay: &Relay) -> impl Iterator<Item = IpAddr> {
    relay.or_addresses.iter().map(std::net::SocketAddr::ip).chain(relay.exit_addresses.iter().copied())
}

fn push_parts(parts: &mut String, relay: &Relay) {
    let texts = [&relay.nickname, &relay.contact, &relay.as_name, &relay.country_name];
    for text in texts.into_iter().flatten() {
        parts.push_str(&text.to_lowercase());
        parts.push('\n');
    }
    for address in addresses(relay) {
        // Writing to a String cannot fail.
        let _ = writeln!(parts, "{address}");
    }
}

/// Places in sorted order, equal values sharing one.
fn ranks<K: Ord>(keys: impl Iterator<Item = Option<K>>) -> Vec<Option<u32>> {
    let keys: Vec<Option<K>> = keys.collect();
    let mut order: Vec<usize> = (0..keys.len()).filter(|i| keys[*i].is_some()).collect();
    order.sort_unstable_by(|a, b| keys[*a].cmp(&keys[*b]));
    let mut ranks = vec![None; keys.len()];
    for (rank, group) in order.chunk_by(|a, b| keys[*a] == keys[*b]).enumerate() {
        group.iter().for_each(|i| ranks[*i] = Some(rank as u32));
    }
    ranks
}

/// The numbers of a version, then what follows them: `0.4.9.2-alpha` comes after `0.4.8.12` and before `0.4.9.2`.
fn version_key(version: &str) -> (Vec<u64>, bool, String) {
    let (numbers, tail) = version.split_at(version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len()));
    (numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect(), tail.is_empty(), tail.to_owned())
}
