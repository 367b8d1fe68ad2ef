//! Current relays, each with what groups are made of and what they sum.

use std::collections::BTreeMap;

use allium_model::{
    Asn, CountryCode, FirstSeen, NetworkRecord, Operators, Period, PortSummary, PublishedGraph, Quantity, Relay, RelayFlag, RelayRecord,
};

use crate::report::{NetworkReport, Recent, RelayReport};

/// A current relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its index in `NetworkRecord::relays` and `NetworkReport::relays`.
    pub relay_idx: usize,
    /// True if the newest consensus lists it as Running.
    pub running: bool,
    /// Country of its primary address.
    pub country: Option<CountryCode>,
    /// Autonomous system of its primary address.
    pub asn: Option<Asn>,
    /// The index of its operator in [`Groups::operators`](super::Groups::operators).
    pub operator: Option<u32>,
    /// The index of its family among the families of the operators.
    pub family: Option<u32>,
    /// Uptime per period, in the order of [`Period::ALL`].
    pub uptime: [Option<f64>; 7],
    /// Last consensus weight.
    pub weight: f64,
    /// Operator, or the relay itself where that is not known: relays of one cluster fail together.
    pub(super) cluster: u32,
    /// Country and autonomous system together.
    pub(super) location: u32,
    pub(super) platform: u32,
    pub(super) known_hours: [f64; 7],
    pub(super) recent: [Recent; 3],
    pub(super) has_guard: bool,
    pub(super) has_exit: bool,
    pub(super) is_middle: bool,
    pub(super) measured: bool,
    pub(super) consensus_weight: Option<u64>,
    /// Probability to be chosen as guard, middle, exit.
    pub(super) probabilities: [f64; 3],
    pub(super) bandwidth: Option<u64>,
    pub(super) first_seen: FirstSeen,
    pub(super) exit_policy: ExitPolicy,
    pub(super) bytes_written: Option<f64>,
}

/// The traffic that an exit policy lets through, by its summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitPolicy {
    Nothing,
    Some,
    Everything,
    Unknown,
}

/// The current relays of a record, in its order.
pub(super) fn members(record: &NetworkRecord, report: &NetworkReport, operators: &Operators) -> Vec<Member> {
    let mut names = Names::default();
    let is_current = |i: &usize| report.relays.get(*i).is_some_and(|relay| relay.current);
    let current = (0..record.relays.len()).filter(is_current);
    current.map(|i| member(i, &record.relays[i], &report.relays[i], operators, &mut names)).collect()
}

/// Numbers for what is only compared.
#[derive(Default)]
struct Names {
    locations: BTreeMap<(Option<CountryCode>, Option<Asn>), u32>,
    platforms: BTreeMap<String, u32>,
}

fn number<K: Ord>(names: &mut BTreeMap<K, u32>, name: K) -> u32 {
    let next = names.len() as u32;
    *names.entry(name).or_insert(next)
}

fn member(relay_idx: usize, record: &RelayRecord, report: &RelayReport, operators: &Operators, names: &mut Names) -> Member {
    let relay = &record.relay;
    let operator = operators.of_relay.get(relay_idx).copied().flatten();
    let (guard, exit) = (relay.has(RelayFlag::Guard), relay.has(RelayFlag::Exit));
    let probability = |share: Option<allium_model::Fraction>| share.map_or(0.0, allium_model::Fraction::get);
    Member {
        relay_idx,
        running: relay.running,
        country: relay.country,
        asn: relay.asn,
        operator,
        family: operators.families.of_relay.get(relay_idx).copied().flatten(),
        uptime: Period::ALL.map(|period| report.uptime_in(period).map(allium_model::Fraction::get)),
        weight: relay.consensus_weight.unwrap_or(0) as f64,
        cluster: operator.unwrap_or((operators.operators.len() + relay_idx) as u32),
        location: number(&mut names.locations, (relay.country, relay.asn)),
        platform: number(&mut names.platforms, platform_name(relay).unwrap_or_default()),
        known_hours: Period::ALL.map(|period| report.uptime[period.index()].map_or(0.0, |figure| figure.known_hours)),
        recent: report.recent,
        has_guard: guard,
        has_exit: exit && !relay.has(RelayFlag::BadExit),
        is_middle: !guard && !exit,
        measured: relay.measured == Some(true),
        consensus_weight: relay.consensus_weight,
        probabilities: [relay.guard_probability, relay.middle_probability, relay.exit_probability].map(probability),
        bandwidth: relay.advertised_bandwidth,
        first_seen: relay.first_seen,
        exit_policy: exit_policy(relay),
        bytes_written: bytes_written(&record.published),
    }
}

/// The operating system that a relay names after `on`: `Linux`, `FreeBSD`, `Windows` of whatever kind.
pub(super) fn platform_name(relay: &Relay) -> Option<String> {
    let system = relay.platform.as_deref()?.rsplit_once(" on ")?.1.trim();
    let first = system.split_whitespace().next()?;
    Some(if first == "Windows" { first.to_owned() } else { system.to_owned() })
}

fn exit_policy(relay: &Relay) -> ExitPolicy {
    let is_all = |ports: &[String]| matches!(ports, [all] if all == "1-65535");
    match &relay.exit_policy_summary {
        None => ExitPolicy::Unknown,
        Some(PortSummary::Accept(ports)) if ports.is_empty() => ExitPolicy::Nothing,
        Some(PortSummary::Reject(ports)) if is_all(ports) => ExitPolicy::Nothing,
        Some(PortSummary::Accept(ports)) if is_all(ports) => ExitPolicy::Everything,
        Some(PortSummary::Reject(ports)) if ports.is_empty() => ExitPolicy::Everything,
        Some(_) => ExitPolicy::Some,
    }
}

/// Bytes that a relay wrote, as far as graphs reach back: the finest graph for each moment, each moment once.
fn bytes_written(published: &[PublishedGraph]) -> Option<f64> {
    let mut graphs: Vec<_> = published.iter().filter(|graph| graph.quantity == Quantity::BytesWritten).map(|graph| &graph.series).collect();
    graphs.sort_by_key(|series| series.interval_secs());
    let mut sum = None;
    let mut free_until_secs = i64::MAX;
    for series in graphs {
        for (i, rate) in series.values().enumerate() {
            let (start, end) = (series.interval_start_secs(i), series.interval_start_secs(i + 1).min(free_until_secs));
            if let Some(rate) = rate.filter(|_| start < end) {
                *sum.get_or_insert(0.0) += rate * (end - start) as f64;
            }
        }
        free_until_secs = free_until_secs.min(series.start_secs());
    }
    sum
}
