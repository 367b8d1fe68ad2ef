//! Search, filter and sort: the relays that a visitor means.
//!
//! A [`Question`] is taken apart into terms (`grammar.rs` has the grammar, `docs/api.md` says it for people), and a relay must fit all
//! of them. A term with a form of its own means what it names: a whole fingerprint, an address, a mail address, an AS are compared by
//! value and never by characters. Other words may be meant in several ways, of which one must fit. [`SearchIndex`] keeps what
//! comparison needs. Results are in the wanted order; equal relays follow by fingerprint, and relays without a value come last either
//! way.

mod address;
mod bare;
mod country;
mod days;
mod error;
mod fields;
mod fits;
mod grammar;
mod identity;
mod key;
mod mail;
mod question;
mod versions;

use std::collections::BTreeSet;

use allium_model::{Families, Fingerprint, NetworkRecord, Relay, RelayFlag, TorVersion};
use sha1::{Digest as _, Sha1};

pub use self::days::Days;
pub use self::error::QuestionError;
use self::fields::Fields;
use self::fits::Candidate;
pub use self::identity::Prefix;
pub use self::key::Key;
pub use self::question::{Condition, MOST_BYTES, MOST_TERMS, Question, Term};
pub use self::versions::Versions;
use crate::query::{RelayQuery, SortKey};
use crate::report::{NetworkReport, RelayReport};

/// A number beyond every consensus weight.
const MORE_THAN_ANY_WEIGHT: f64 = 1e12;

/// Prepared texts and orders of the relays of one record; build it once per record.
#[derive(Debug, Clone)]
pub struct SearchIndex {
    fields: Fields,
    /// The SHA-1 digest of each fingerprint, by which Onionoo also knows relays.
    hashed: Vec<Fingerprint>,
    /// The family of each relay.
    family_of: Vec<Option<u32>>,
    /// The fingerprints, in the order of the relays.
    fingerprints: Vec<Fingerprint>,
    /// Flags that relays have and Allium has no name for.
    other_flags: BTreeSet<String>,
    /// Codes of countries that relays are in.
    countries: BTreeSet<String>,
    /// Rank in the order of nicknames; `None` for relays without one.
    nickname_ranks: Vec<Option<u32>>,
    /// Rank in the order of versions.
    version_ranks: Vec<Option<u32>>,
}

impl SearchIndex {
    /// Prepares the relays of a record, whose families these are.
    pub fn build(record: &NetworkRecord, families: &Families) -> Self {
        let relays = || record.relays.iter().map(|relay| &relay.relay);
        Self {
            fields: Fields::of(record),
            hashed: relays().map(|relay| hashed(&relay.fingerprint)).collect(),
            family_of: families.of_relay.clone(),
            fingerprints: relays().map(|relay| relay.fingerprint).collect(),
            other_flags: relays().flat_map(|relay| relay.other_flags.iter().cloned()).collect(),
            countries: relays().filter_map(|relay| relay.country).map(|code| code.to_string()).collect(),
            nickname_ranks: ranks(relays().map(|relay| relay.nickname.as_deref().map(str::to_lowercase))),
            version_ranks: ranks(relays().map(|relay| relay.version.as_deref().map(TorVersion::of))),
        }
    }

    /// Checks that what a term names exists: a flag that some relay has or that Allium knows, a country.
    ///
    /// # Errors
    /// The value, with those that are there.
    pub fn check(&self, term: &Term) -> Result<(), QuestionError> {
        let flags = || RelayFlag::ALL.map(RelayFlag::name).into_iter().chain(self.other_flags.iter().map(String::as_str));
        for condition in &term.any {
            match condition {
                Condition::Flags(names)
                    if names.is_empty() || !names.iter().all(|name| flags().any(|flag| flag.eq_ignore_ascii_case(name))) =>
                {
                    return Err(QuestionError::bad(&term.to_string(), &flags().collect::<Vec<_>>().join(", ")));
                }
                Condition::Country(all) if !all.iter().flatten().all(|code| self.is_country(code.as_str())) => {
                    return Err(QuestionError::bad(&term.to_string(), Key::Country.allowed()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn is_country(&self, code: &str) -> bool {
        self.countries.contains(code) || country::coded(code).is_some()
    }

    /// The indices in `NetworkRecord::relays` of the relays that fit a query, in the wanted order.
    ///
    /// The record and report must be those that the index was built for.
    pub fn select(&self, query: &RelayQuery, record: &NetworkRecord, report: &NetworkReport) -> Vec<usize> {
        let includes_gone = query.include_gone || query.question.asks_for_gone();
        let fits = |i: &usize| (includes_gone || report.relays[*i].current) && self.fits_query(*i, query, record);
        let n = record.relays.len().min(report.relays.len()).min(self.fields.len());
        let mut found: Vec<(Option<f64>, usize)> =
            (0..n).filter(fits).map(|i| (self.key(query, i, record, &report.relays[i]), i)).collect();
        found.sort_unstable_by(|(a, i), (b, j)| compare(*a, *b, query.descending).then_with(|| by_place(query, *i, *j)));
        found.into_iter().map(|(_, i)| i).collect()
    }

    /// True if the relay at this index fits a term.
    pub fn fits(&self, relay_idx: usize, term: &Term, record: &NetworkRecord) -> bool {
        self.candidate(relay_idx, record).fits(term)
    }

    /// True if a term names exactly the relay at this index, and not by a part of its name.
    pub fn is_named_by(&self, relay_idx: usize, term: &Term, record: &NetworkRecord) -> bool {
        self.candidate(relay_idx, record).is_named_by(term)
    }

    fn fits_query(&self, relay_idx: usize, query: &RelayQuery, record: &NetworkRecord) -> bool {
        let candidate = self.candidate(relay_idx, record);
        query.running.is_none_or(|running| candidate.relay.running == running)
            && query.filters.iter().chain(query.question.terms()).all(|term| candidate.fits(term))
    }

    fn candidate<'a>(&'a self, relay_idx: usize, record: &'a NetworkRecord) -> Candidate<'a> {
        Candidate { index: self, relay_idx, relay: &record.relays[relay_idx].relay, as_of: record.as_of }
    }

    /// True if a relay is in the family of another one; each is in its own.
    fn is_family(&self, relay_idx: usize, fingerprint: &Fingerprint, of: &Fingerprint) -> bool {
        let family = self.fingerprints.binary_search(of).ok().and_then(|i| self.family_of.get(i).copied().flatten());
        fingerprint == of || family.is_some_and(|family| self.family_of.get(relay_idx).copied().flatten() == Some(family))
    }

    /// The sort key of a relay, as a number that keeps the order.
    fn key(&self, query: &RelayQuery, i: usize, record: &NetworkRecord, report: &RelayReport) -> Option<f64> {
        let relay: &Relay = &record.relays[i].relay;
        match query.sort {
            SortKey::Match => {
                let candidate = self.candidate(i, record);
                let n_named = query.question.terms().iter().filter(|term| candidate.is_named_by(term)).count() as f64;
                let weight = relay.consensus_weight.filter(|_| relay.running).map_or(-1.0, |weight| weight as f64);
                Some(n_named * MORE_THAN_ANY_WEIGHT + weight)
            }
            SortKey::ConsensusWeight => relay.consensus_weight.filter(|_| relay.running).map(|weight| weight as f64),
            SortKey::Bandwidth => relay.advertised_bandwidth.map(|rate| rate as f64),
            SortKey::Nickname => self.nickname_ranks[i].map(f64::from),
            SortKey::Fingerprint => Some(0.0),
            SortKey::FirstSeen => relay.first_seen.latest().map(|hour| f64::from(hour.get())),
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

/// The SHA-1 digest of a fingerprint.
fn hashed(fingerprint: &Fingerprint) -> Fingerprint {
    Fingerprint::new(Sha1::digest(fingerprint.as_bytes()).into())
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
