//! The network as of one consensus: built once, then only read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use allium_analysis::{
    Groups, NetworkReport, NetworkStatistics, OperatorReport, RelayQuery, RelayReport, SearchIndex, SortKey, Strip, operators_of,
};
use allium_model::{Asn, Bounds, CLOCK_TOLERANCE_SECS, ConsensusHour, CountryCode, Fingerprint, NetworkRecord, RelayRecord, Timestamp};

use crate::derived::Derived;
use crate::memo::Memo;

/// Hours after its valid-after time for which the newest consensus counts as fresh: its own validity.
pub const FRESH_HOURS: i32 = 3;

/// The network as of one consensus, with what searching and listing need.
pub struct View {
    /// The record of the network.
    pub record: NetworkRecord,
    /// The figures that follow from it.
    pub report: NetworkReport,
    /// Its relays by what they have in common.
    pub groups: Groups,
    /// Countries of current relays with a name and their number of relays, by code.
    pub countries: BTreeMap<CountryCode, Group>,
    /// Autonomous systems of current relays likewise, by number.
    pub autonomous_systems: BTreeMap<Asn, Group>,
    /// Operators and families, and who leads in what.
    pub operators: OperatorReport,
    /// Distribution of uptime over relays.
    pub statistics: NetworkStatistics,
    pub(crate) index: SearchIndex,
    /// The fingerprints of the record's relays, close together: lists look thousands of them up.
    fingerprints: Vec<Fingerprint>,
    group_strips: Mutex<BTreeMap<StripKey, Arc<Strip>>>,
    pub(crate) derived: Derived,
    memo: Memo,
}

/// Relays whose uptime is asked for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Members {
    /// All current relays.
    Network,
    /// Those of a country.
    Country(CountryCode),
    /// Those of an autonomous system.
    As(Asn),
    /// The family of a relay.
    Family(Fingerprint),
    /// Those of the operator at this index.
    Operator(u32),
}

/// Members, first instant and step in seconds.
type StripKey = (Members, i64, i64);

/// Strips of groups that are kept; beyond that they are computed again.
const KEPT_STRIPS: usize = 256;

/// Relays that share a country or an autonomous system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Name as the first relay of the group has it.
    pub name: Option<String>,
    /// Current relays in it.
    pub n_relays: usize,
}

impl View {
    /// Prepares the record and its report, which must belong together, for the pages.
    pub fn new(record: NetworkRecord, report: NetworkReport) -> Self {
        let mut countries = BTreeMap::new();
        let mut autonomous_systems = BTreeMap::new();
        for relay in record.relays.iter().filter(|r| r.is_current(record.as_of)).map(|r| &r.relay) {
            if let Some(country) = relay.country {
                join(&mut countries, country, relay.country_name.as_deref());
            }
            if let Some(asn) = relay.asn {
                join(&mut autonomous_systems, asn, relay.as_name.as_deref());
            }
        }
        let identities = operators_of(&record);
        let (index, operators, groups, statistics) = std::thread::scope(|scope| {
            let groups = scope.spawn(|| Groups::compute(&record, &report, &identities));
            let operators = OperatorReport::of(&record, &report, identities.clone());
            let (index, statistics) = (SearchIndex::build(&record, &identities.families), NetworkStatistics::compute(&record, &report));
            (index, operators, groups.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), statistics)
        });
        let fingerprints = record.relays.iter().map(|relay| relay.relay.fingerprint).collect();
        Self {
            fingerprints,
            record,
            report,
            groups,
            countries,
            autonomous_systems,
            operators,
            statistics,
            index,
            group_strips: Mutex::default(),
            derived: Derived::default(),
            memo: Memo::default(),
        }
    }

    /// The kept value of a type, which lives as long as the view: pages keep charts there.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.memo.kept()
    }

    /// The consensus that everything is as of.
    pub fn as_of(&self) -> ConsensusHour {
        self.record.as_of
    }

    /// The index of a relay in the record and the report.
    pub fn relay_idx(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.fingerprints.binary_search(fingerprint).ok()
    }

    /// The relay at this index with its figures.
    pub fn relay(&self, relay_idx: usize) -> Option<(&RelayRecord, &RelayReport)> {
        self.record.relays.get(relay_idx).zip(self.report.relays.get(relay_idx))
    }

    /// The indices of the relays that fit a query, in its order.
    ///
    /// By weight, relays without a share of the network's weight come last: what is down has none, whatever its last
    /// consensus said.
    pub fn select(&self, query: &RelayQuery) -> Vec<usize> {
        let mut found = self.index.select(query, &self.record, &self.report);
        if query.sort == SortKey::ConsensusWeight {
            found.sort_by_key(|i| self.record.relays[*i].relay.consensus_weight_fraction.is_none());
        }
        found
    }

    /// The index of the family of a relay among the families; `None` where it stands alone.
    fn family_of(&self, fingerprint: &Fingerprint) -> Option<u32> {
        self.operators.directory.families.of_relay.get(self.relay_idx(fingerprint)?).copied().flatten()
    }

    /// The current relays of a group.
    pub fn members(&self, members: Members) -> Vec<usize> {
        let family = match members {
            Members::Family(fingerprint) => self.family_of(&fingerprint),
            _ => None,
        };
        let of_relay = &self.operators.directory.families.of_relay;
        let fits = |i: usize, relay: &allium_model::Relay| match members {
            Members::Network => true,
            Members::Operator(operator_idx) => self.operators.directory.of_relay.get(i).copied().flatten() == Some(operator_idx),
            Members::Country(code) => relay.country == Some(code),
            Members::As(asn) => relay.asn == Some(asn),
            Members::Family(fingerprint) => {
                relay.fingerprint == fingerprint || (family.is_some() && of_relay.get(i).copied().flatten() == family)
            }
        };
        let counts = |report: &RelayReport| match members {
            Members::Operator(_) | Members::Family(_) => report.is_current_key(),
            Members::Network | Members::Country(_) | Members::As(_) => report.current,
        };
        let is_member = |i: &usize| self.relay(*i).is_some_and(|(record, report)| counts(report) && fits(*i, &record.relay));
        (0..self.record.relays.len()).filter(is_member).collect()
    }

    /// The uptime of a group from an instant on, in intervals of `step_secs`; computed once.
    pub fn group_strip(&self, members: Members, from_secs: i64, step_secs: i64) -> Arc<Strip> {
        let key = (members, from_secs, step_secs);
        let kept = || self.group_strips.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(strip) = kept().get(&key) {
            return Arc::clone(strip);
        }
        let relays = self.members(members).into_iter().filter_map(|i| self.record.relays.get(i));
        let from = ConsensusHour::containing(allium_words::format::at_secs(from_secs));
        let strip = Arc::new(allium_analysis::group_strip(&self.record, relays, from, step_secs));
        let mut kept = kept();
        if kept.len() < KEPT_STRIPS {
            kept.insert(key, Arc::clone(&strip));
        }
        strip
    }

    /// The relay with this fingerprint.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&RelayRecord> {
        self.relay_idx(fingerprint).and_then(|i| self.record.relays.get(i))
    }

    /// Up to `n` relays whose fingerprints share the longest beginning with the digits, longest first.
    pub fn nearest(&self, digits: &str, n: usize) -> Vec<&RelayRecord> {
        let digits = digits.strip_prefix('$').unwrap_or(digits).to_ascii_uppercase();
        let shared = |record: &RelayRecord| {
            let fingerprint = record.relay.fingerprint.to_string();
            fingerprint.bytes().zip(digits.bytes()).take_while(|(a, b)| a == b).count()
        };
        let index = self.record.relays.partition_point(|r| r.relay.fingerprint.to_string() < digits);
        let around = index.saturating_sub(n)..(index + n).min(self.record.relays.len());
        let mut near: Vec<_> = self.record.relays[around].iter().map(|r| (shared(r), r)).filter(|(shared, _)| *shared > 0).collect();
        near.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
        near.into_iter().take(n).map(|(_, record)| record).collect()
    }

    /// The age of the newest consensus in hours; 0 where it lies in the future.
    pub fn age_hours(&self, now: Timestamp) -> i32 {
        ConsensusHour::containing(now).hours_since(self.as_of()).max(0)
    }

    /// True where a newer consensus should have arrived, because the newest one is no longer valid; and where it lies ahead of the clock.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.age_hours(now) > FRESH_HOURS || self.is_ahead(now)
    }

    /// True where the newest consensus lies further ahead of the clock than clocks differ: then nothing that is shown is of today.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        !Bounds::at(now, CLOCK_TOLERANCE_SECS).contain(self.as_of())
    }

    /// Seconds since valid-after of the newest consensus, at least 0; `None` where it lies ahead of the clock.
    pub fn age_secs(&self, now: Timestamp) -> Option<i64> {
        (!self.is_ahead(now)).then(|| (now.as_second() - self.as_of().start_secs()).max(0))
    }

    /// The origin of the figures, in words.
    pub fn origin_words(&self) -> &'static str {
        match (self.record.sources.is_empty(), self.record.known.hours().is_empty()) {
            (false, false) => "Onionoo and our own record of consensuses",
            (false, true) => "Onionoo",
            (true, false) => "our own record of consensuses",
            (true, true) => "no source",
        }
    }

    /// The stretches of our own history without a consensus, as `[start, end)`, earliest first.
    pub fn gaps(&self) -> Vec<(ConsensusHour, ConsensusHour)> {
        let ends = std::iter::once(self.as_of().next());
        let hours = self.record.known.hours();
        hours
            .iter()
            .zip(hours.iter().skip(1).copied().chain(ends))
            .map(|(before, after)| (before.next(), after))
            .filter(|(start, end)| start < end)
            .collect()
    }
}

fn join<K: Ord>(groups: &mut BTreeMap<K, Group>, key: K, name: Option<&str>) {
    let group = groups.entry(key).or_default();
    group.n_relays += 1;
    if group.name.is_none() {
        group.name = name.map(str::to_owned);
    }
}
