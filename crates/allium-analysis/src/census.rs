//! The network counted through: what runs, how old and how large it is, where, on what, and who says who runs it.
//!
//! Counts are over running relays unless a field says otherwise. A fact that no document states of any relay is `None` or 0 beside the
//! number of relays of which it is known; see `docs/methods.md`, "The network in figures".

use std::collections::BTreeMap;

use allium_model::{CountryCode, Fraction, NetworkRecord, PortSummary, Relay, RelayFlag, TorVersion};
use allium_stats::{mean, median};

use crate::operators::{AroiState, OperatorReport, platform};
use crate::report::NetworkReport;
use crate::sum::sum_known;

/// The days within which relays count as new.
pub const NEW_DAYS: [i32; 4] = [1, 30, 182, 365];

/// Countries of the Five Eyes agreement.
const FIVE_EYES: [&str; 5] = ["au", "ca", "gb", "nz", "us"];

/// Countries of the Fourteen Eyes agreement beside these.
const NINE_MORE: [&str; 9] = ["be", "de", "dk", "es", "fr", "it", "nl", "no", "se"];

/// The first version whose relays can prove their family by a key.
const FAMILY_KEYS: [u64; 4] = [0, 4, 9, 1];

/// The network counted through.
#[derive(Debug, Clone, PartialEq)]
pub struct Census {
    /// Running relays.
    pub n_running: usize,
    /// Running relays known to have been seen first within [`NEW_DAYS`] days.
    pub n_new: [usize; 4],
    /// Running relays whose date of first appearance is known.
    pub n_dated: usize,
    /// Mean and median age of these, days.
    pub age_days: Option<(f64, f64)>,
    /// Advertised and observed bandwidth of running relays, bytes per second; `None` where none is known.
    pub bandwidth: (Option<u64>, Option<u64>),
    /// Mean and median advertised bandwidth per running relay, bytes per second.
    pub bandwidth_per_relay: Option<(f64, f64)>,
    /// Running relays that saw themselves sustain as much as their configured rate.
    pub n_rate_limited: usize,
    /// Running relays measured by bandwidth authorities, and those of which that is known.
    pub n_measured: (usize, usize),
    /// Running relays with an IPv6 address.
    pub n_ipv6: usize,
    /// Running exits by what the summary of their policy lets through: every port, some, nothing; and unknown.
    pub exits: [usize; 4],
    /// Share of consensus weight in the European Union, in the Five and in the Fourteen Eyes.
    pub weight_in: [Option<Fraction>; 3],
    /// Autonomous systems with a single running relay.
    pub n_single_relay_systems: usize,
    /// Running relays whose version is recommended, and those of which that is known.
    pub n_recommended: (usize, usize),
    /// Running relays whose version can prove their family by a key, and those whose version is known.
    pub n_family_keys: (usize, usize),
    /// Running relays by version, most frequent first.
    pub versions: Vec<(String, usize)>,
    /// Running relays by operating system, most frequent first.
    pub platforms: Vec<(String, usize)>,
    /// Running relays by what the claim in their contact is worth, in the order of [`AroiState::ALL`].
    pub aroi: [usize; 6],
    /// Running relays without a contact.
    pub n_without_contact: usize,
    /// Running relays in a family of two and more.
    pub n_in_families: usize,
}

impl Census {
    /// Counts the relays of a record; report and operators must be those of the record.
    pub fn of(record: &NetworkRecord, report: &NetworkReport, operators: &OperatorReport) -> Self {
        let running: Vec<(usize, &Relay)> = record
            .relays
            .iter()
            .enumerate()
            .filter(|(i, record)| record.relay.running && report.relays[*i].current)
            .map(|(i, record)| (i, &record.relay))
            .collect();
        let relays = || running.iter().map(|(_, relay)| *relay);
        let count = |fits: &dyn Fn(&Relay) -> bool| relays().filter(|relay| fits(relay)).count();
        let age_days = |relay: &Relay| relay.first_seen.age_hours(record.as_of).map(|hours| f64::from(hours) / 24.0);
        let sum = |of: fn(&Relay) -> Option<u64>| sum_known(relays().map(of));
        Self {
            n_running: running.len(),
            n_new: NEW_DAYS.map(|days| count(&|relay| age_days(relay).is_some_and(|age| age < f64::from(days)))),
            n_dated: count(&|relay| relay.first_seen.date().is_some()),
            age_days: centre(relays().filter_map(age_days)),
            bandwidth: (sum(|relay| relay.advertised_bandwidth), sum(|relay| relay.observed_bandwidth)),
            bandwidth_per_relay: centre(relays().filter_map(|relay| relay.advertised_bandwidth).map(|bytes| bytes as f64)),
            n_rate_limited: count(&|relay| relay.bandwidth_rate.zip(relay.observed_bandwidth).is_some_and(|(rate, seen)| seen >= rate)),
            n_measured: (count(&|relay| relay.measured == Some(true)), count(&|relay| relay.measured.is_some())),
            n_ipv6: count(&|relay| relay.or_addresses.iter().any(std::net::SocketAddr::is_ipv6)),
            exits: exits(relays()),
            weight_in: weight_in(&running),
            n_single_relay_systems: times(relays().filter_map(|relay| relay.asn)).values().filter(|n| **n == 1).count(),
            n_recommended: (count(&|relay| relay.recommended_version == Some(true)), count(&|relay| relay.recommended_version.is_some())),
            n_family_keys: (count(&|relay| relay.version.as_deref().is_some_and(has_family_keys)), count(&|relay| relay.version.is_some())),
            versions: ranked_versions(relays().filter_map(|relay| relay.version.clone())),
            platforms: ranked(relays().filter_map(platform).map(str::to_owned)),
            aroi: AroiState::ALL.map(|state| running.iter().filter(|(i, _)| operators.aroi[*i] == state).count()),
            n_without_contact: count(&|relay| relay.contact.is_none()),
            n_in_families: running.iter().filter(|(i, _)| operators.directory.families.of_relay[*i].is_some()).count(),
        }
    }
}

fn centre(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let values: Vec<f64> = values.collect();
    mean(&values).zip(median(&values))
}

fn times<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut times = BTreeMap::new();
    keys.for_each(|key| *times.entry(key).or_default() += 1);
    times
}

/// Versions, those of equal number in the order in which they were made.
fn ranked_versions(versions: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut ranked = ranked(versions);
    ranked.sort_by_cached_key(|(version, n)| (std::cmp::Reverse(*n), TorVersion::of(version)));
    ranked
}

fn ranked(keys: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut ranked: Vec<(String, usize)> = times(keys).into_iter().collect();
    ranked.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    ranked
}

fn exits<'a>(relays: impl Iterator<Item = &'a Relay>) -> [usize; 4] {
    let mut counts = [0; 4];
    for relay in relays.filter(|relay| relay.has(RelayFlag::Exit) && !relay.has(RelayFlag::BadExit)) {
        let is_all = |ports: &[String]| matches!(ports, [all] if all == "1-65535");
        let index = match &relay.exit_policy_summary {
            None => 3,
            Some(PortSummary::Accept(ports)) if is_all(ports) => 0,
            Some(PortSummary::Reject(ports)) if ports.is_empty() => 0,
            Some(PortSummary::Accept(ports)) if ports.is_empty() => 2,
            Some(PortSummary::Reject(ports)) if is_all(ports) => 2,
            Some(_) => 1,
        };
        counts[index] += 1;
    }
    counts
}

fn weight_in(running: &[(usize, &Relay)]) -> [Option<Fraction>; 3] {
    let weight = |relay: &Relay| relay.consensus_weight.unwrap_or(0) as f64;
    let total: f64 = running.iter().map(|(_, relay)| weight(relay)).sum();
    let is_eye = |code: &str| FIVE_EYES.contains(&code);
    let within = |fits: &dyn Fn(CountryCode) -> bool| {
        let inside = running.iter().filter(|(_, relay)| relay.country.is_some_and(fits));
        let sum: f64 = inside.map(|(_, relay)| weight(relay)).sum();
        Fraction::of(sum, total)
    };
    [
        within(&crate::leaderboards::is_of_union),
        within(&|code| is_eye(code.as_str())),
        within(&|code| is_eye(code.as_str()) || NINE_MORE.contains(&code.as_str())),
    ]
}

/// True if a version is 0.4.9.1 or later, whatever stands behind its numbers.
fn has_family_keys(version: &str) -> bool {
    TorVersion::of(version).tor_numbers().is_some_and(|numbers| numbers.len() >= 3 && numbers >= FAMILY_KEYS.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let cases = [
            ("0.4.9.1-alpha", true),
            ("0.4.9.3-alpha-dev", true),
            ("0.4.10.1", true),
            ("0.5.0.0", true),
            ("0.4.9.0", false),
            ("0.4.8.21", false),
            ("0.4", false),
            ("", false),
            ("x.y", false),
        ];
        for (version, expected) in cases {
            assert_eq!(has_family_keys(version), expected, "{version}");
        }
    }
}
