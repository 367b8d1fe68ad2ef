//! Search, filter and sort: the relays that a visitor means.
//!
//! The text of a query is split at white space into terms, and a relay must fit all of them. It fits a term, in either case, with
//! a part of its nickname, contact, AS name or country name, with the beginning of its fingerprint (four digits, or a leading
//! `$`), with a part of one of its addresses, or with its whole AS number or country code. A term such as `192.0.2.0/24` means
//! the addresses in that network. Results are in the wanted order; equal relays follow by fingerprint, and relays without a value
//! come last either way.

use std::fmt::Write as _;

use allium_model::{Fingerprint, NetworkRecord, Relay};

use crate::query::{RelayQuery, SortKey};
use crate::report::{NetworkReport, RelayReport};
use crate::term::{Term, addresses};

/// The most terms of a text that are looked at.
const MAX_TERMS: usize = 8;

/// Prepared texts and orders of the relays of one record; build it once per record.
#[derive(Debug, Clone)]
pub struct SearchIndex {
    /// Everything in which a part may match, lower-cased, one field per line, all relays behind each other.
    parts: String,
    /// The index in `parts` at which the lines of relay `i` end.
    part_ends: Vec<usize>,
    /// Rank in the order of nicknames; `None` for relays without one.
    nickname_ranks: Vec<Option<u32>>,
    /// Rank in the order of versions.
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

    /// The indices in `NetworkRecord::relays` of the relays that fit a query, in the wanted order.
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

    /// The sort key of a relay, as a number that keeps the order.
    fn key(&self, sort: SortKey, i: usize, relay: &Relay, report: &RelayReport) -> Option<f64> {
        match sort {
            SortKey::ConsensusWeight => relay.consensus_weight.filter(|_| relay.running).map(|weight| weight as f64),
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

/// Relays are stored by fingerprint, so their index is that order.
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

/// Ranks in sorted order, equal values sharing one.
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
