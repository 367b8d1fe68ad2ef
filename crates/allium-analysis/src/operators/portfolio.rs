//! The reliability of one operator in detail: relays unlike their siblings, what is offline, flags, bandwidth, versions.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Fraction, Period, RelayFlag};
use allium_stats::{mad, median};

use super::members::{Network, platform};
use crate::carried::{Carried, carried};
use crate::report::{NetworkReport, RoleCounts};
use crate::sum::sum_known;

/// Siblings with a figure that a relay needs to be called unlike them, itself included.
pub const MIN_SIBLINGS: usize = 6;

/// The distance from the median, in scaled deviations, from which a relay is unlike its siblings: Iglewicz and Hoaglin (1993).
pub const UNLIKE_Z: f64 = 3.5;

/// The least deviation that siblings count as having: half a percentage point, so that nearly equal ones make no outliers.
pub const LEAST_MAD: f64 = 0.005;

/// Everything on the page of an operator beyond [`super::MemberFigures`].
#[derive(Debug, Clone, PartialEq)]
pub struct Portfolio {
    /// Relays unlike their siblings, per period in the order of [`Period::ALL`]; `None` where there are too few.
    pub unlike: [Option<Vec<UnlikeSibling>>; 7],
    /// Current relays that do not run.
    pub offline: OfflineRelays,
    /// Flags over the life of its relays: priority Exit, Guard, Fast, then the rest.
    pub flags: Vec<FlagShare>,
    /// Number of relays that each flag is the most important one of.
    pub relevant: Vec<(RelevantFlag, usize)>,
    /// The traffic of its relays, where their bandwidth is known: six months and five years.
    pub carried: [Option<BandwidthFigures>; 2],
    /// The standing of its versions of Tor with the authorities.
    pub versions: VersionFigures,
    /// Effective number of countries, autonomous systems and operating systems of its running relays.
    pub diversity: Option<[f64; 3]>,
}

/// A relay and its uptime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sibling {
    /// Its index in the record.
    pub relay_idx: u32,
    /// Its uptime.
    pub uptime: Fraction,
}

/// A relay whose uptime is unlike that of its operator's other relays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnlikeSibling {
    /// The relay and its uptime.
    pub relay: Sibling,
    /// The median of all of them.
    pub median: Fraction,
    /// Its distance from the median, in scaled median absolute deviations; negative below.
    pub z: f64,
}

/// Current relays that do not run. Each counts once, whatever flags it has.
#[derive(Debug, Clone, PartialEq)]
pub struct OfflineRelays {
    /// Their indices in the record with the consensus that listed them last, those longest down first.
    pub relays: Vec<(u32, Option<ConsensusHour>)>,
    /// Guards, exits and others among them by the flags of their last consensus; a relay with Guard and Exit is in both.
    pub by_role: RoleCounts,
    /// Their last consensus weight, each relay once; `None` where none is known.
    pub consensus_weight: Option<u64>,
    /// The same as a share of that of all of the operator's current relays.
    pub share_of_operator: Option<Fraction>,
    /// The same as a share of the running network's weight.
    pub share_of_network: Option<Fraction>,
    /// Their last advertised bandwidth, bytes per second; `None` where none is known.
    pub advertised_bandwidth: Option<u64>,
}

/// The flag that matters most for what a relay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelevantFlag {
    /// It may leave the network.
    Exit,
    /// It is an entry guard.
    Guard,
    /// It is fast enough for most circuits.
    Fast,
    /// None of these.
    Running,
}

impl RelevantFlag {
    /// All, most important first.
    pub const ALL: [Self; 4] = [Self::Exit, Self::Guard, Self::Fast, Self::Running];

    /// The flag itself.
    pub const fn flag(self) -> RelayFlag {
        match self {
            Self::Exit => RelayFlag::Exit,
            Self::Guard => RelayFlag::Guard,
            Self::Fast => RelayFlag::Fast,
            Self::Running => RelayFlag::Running,
        }
    }
}

/// The share of time for which relays had a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagShare {
    /// The flag.
    pub flag: RelayFlag,
    /// Relays that have it at their last appearance.
    pub n_relays: usize,
    /// Mean share of time with the flag over those relays, in the order of [`Period::ALL`].
    pub with_flag: [Option<Fraction>; 7],
    /// Mean share of time Running over the same relays and periods.
    pub running: [Option<Fraction>; 7],
}

/// The traffic of relays together over a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandwidthFigures {
    /// Mean of the sums, bytes per second written.
    pub mean_rate: f64,
    /// Standard deviation of the sums over their mean; 0.1 is steady.
    pub variation: Option<f64>,
    /// The last third of the time against the first, as a share of the first; needs 60 intervals.
    pub growth: Option<f64>,
    /// Intervals of time with a value.
    pub n_intervals: usize,
    /// Length of an interval in seconds.
    pub interval_secs: u32,
    /// Relays with a history.
    pub n_relays: usize,
}

/// The standing of versions of Tor with the authorities.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VersionFigures {
    /// Relays by the status of their version, most frequent first.
    pub by_status: Vec<(String, usize)>,
    /// Relays whose version the authorities recommend.
    pub n_recommended: usize,
    /// Relays of whose version they say anything.
    pub n_known: usize,
}

/// The details of the operator that runs the relays with these indices in the record.
pub fn portfolio(record: &allium_model::NetworkRecord, report: &NetworkReport, members: &[u32]) -> Portfolio {
    let network = Network::of(record, report);
    let current: Vec<u32> = members.iter().copied().filter(|i| network.is_current(*i)).collect();
    Portfolio {
        unlike: Period::ALL.map(|period| unlike_siblings(&network, &current, period)),
        offline: offline(&network, &current),
        flags: flags(&network, &current),
        relevant: RelevantFlag::ALL.map(|flag| (flag, current.iter().filter(|i| relevant(&network, **i) == flag).count())).to_vec(),
        carried: [Period::SixMonths, Period::FiveYears]
            .map(|period| carried(current.iter().map(|i| &record.relays[*i as usize]), period).map(|carried| bandwidth(&carried))),
        versions: versions(&network, &current),
        diversity: diversity(&network, &current),
    }
}

fn unlike_siblings(network: &Network<'_>, current: &[u32], period: Period) -> Option<Vec<UnlikeSibling>> {
    let siblings: Vec<Sibling> =
        current.iter().filter_map(|i| network.report(*i).uptime_in(period).map(|uptime| Sibling { relay_idx: *i, uptime })).collect();
    if siblings.len() < MIN_SIBLINGS {
        return None;
    }
    let values: Vec<f64> = siblings.iter().map(|sibling| sibling.uptime.get()).collect();
    let (centre, spread) = (median(&values)?, mad(&values)?.max(LEAST_MAD));
    let unlike = |relay: Sibling| {
        let z = 0.6745 * (relay.uptime.get() - centre) / spread;
        (z.abs() > UNLIKE_Z).then_some(UnlikeSibling { relay, median: Fraction::clamped(centre)?, z })
    };
    let mut found: Vec<UnlikeSibling> = siblings.into_iter().filter_map(unlike).collect();
    found.sort_by(|a, b| a.z.total_cmp(&b.z).then(a.relay.relay_idx.cmp(&b.relay.relay_idx)));
    Some(found)
}

fn offline(network: &Network<'_>, current: &[u32]) -> OfflineRelays {
    let mut relays: Vec<(u32, Option<ConsensusHour>)> =
        current.iter().filter(|i| !network.relay(**i).running).map(|i| (*i, network.relay(*i).last_seen)).collect();
    relays.sort_by_key(|(i, seen)| (*seen, *i));
    let weight = |i: u32| network.relay(i).consensus_weight;
    let consensus_weight = sum_known(relays.iter().map(|(i, _)| weight(*i)));
    let of_operator = sum_known(current.iter().map(|i| weight(*i))).unwrap_or(0);
    let mut by_role = RoleCounts::default();
    for (i, _) in &relays {
        let (guard, exit) = (network.relay(*i).has(RelayFlag::Guard), network.relay(*i).has(RelayFlag::Exit));
        by_role.guard += usize::from(guard);
        by_role.exit += usize::from(exit && !network.relay(*i).has(RelayFlag::BadExit));
        by_role.middle += usize::from(!guard && !exit);
    }
    OfflineRelays {
        by_role,
        consensus_weight,
        share_of_operator: consensus_weight.and_then(|weight| Fraction::of(weight as f64, of_operator as f64)),
        share_of_network: consensus_weight.and_then(|weight| Fraction::of(weight as f64, network.total_weight() as f64)),
        advertised_bandwidth: sum_known(relays.iter().map(|(i, _)| network.relay(*i).advertised_bandwidth)),
        relays,
    }
}

/// The flags that are looked at, most important first.
const FLAGS: [RelayFlag; 5] = [RelayFlag::Exit, RelayFlag::Guard, RelayFlag::Fast, RelayFlag::HSDir, RelayFlag::Stable];

fn flags(network: &Network<'_>, current: &[u32]) -> Vec<FlagShare> {
    let share = |flag: RelayFlag| {
        let holders: Vec<u32> = current.iter().copied().filter(|i| network.relay(*i).has(flag)).collect();
        let share_of = |i: u32, period: Period| {
            let flag_uptime = network.report(i).flag_uptime.iter().find(|f| f.flag == flag)?.share[period.index()]?;
            Some((flag_uptime.get(), network.report(i).uptime_in(period)?.get()))
        };
        let mean = |period: Period| {
            let pairs: Vec<(f64, f64)> = holders.iter().filter_map(|i| share_of(*i, period)).collect();
            let sum = |of: fn(&(f64, f64)) -> f64| Fraction::of(pairs.iter().map(of).sum(), pairs.len() as f64);
            (sum(|pair| pair.0), sum(|pair| pair.1))
        };
        let means = Period::ALL.map(mean);
        FlagShare { flag, n_relays: holders.len(), with_flag: means.map(|mean| mean.0), running: means.map(|mean| mean.1) }
    };
    FLAGS.into_iter().map(share).filter(|share| share.n_relays > 0).collect()
}

fn relevant(network: &Network<'_>, relay_idx: u32) -> RelevantFlag {
    let relay = network.relay(relay_idx);
    RelevantFlag::ALL.into_iter().find(|relevant| relay.has(relevant.flag())).unwrap_or(RelevantFlag::Running)
}

pub(crate) fn bandwidth(carried: &Carried) -> BandwidthFigures {
    let known: Vec<f64> = carried.rates.iter().copied().flatten().collect();
    let n = known.len() as f64;
    let mean_rate = known.iter().sum::<f64>() / n;
    let third = known.len() / 3;
    let mean_of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let growth = (known.len() >= 60).then(|| mean_of(&known[known.len() - third..]) / mean_of(&known[..third]) - 1.0);
    BandwidthFigures {
        mean_rate,
        variation: allium_stats::std_dev(&known).filter(|_| mean_rate > 0.0).map(|deviation| deviation / mean_rate),
        growth: growth.filter(|growth| growth.is_finite()),
        n_intervals: known.len(),
        interval_secs: carried.interval_secs,
        n_relays: carried.n_relays,
    }
}

fn versions(network: &Network<'_>, current: &[u32]) -> VersionFigures {
    let mut by_status: BTreeMap<&str, usize> = BTreeMap::new();
    for status in current.iter().filter_map(|i| network.relay(*i).version_status.as_deref()) {
        *by_status.entry(status).or_default() += 1;
    }
    let mut by_status: Vec<(String, usize)> = by_status.into_iter().map(|(status, n)| (status.to_owned(), n)).collect();
    by_status.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let known = || current.iter().filter_map(|i| network.relay(*i).recommended_version);
    VersionFigures { by_status, n_recommended: known().filter(|recommended| *recommended).count(), n_known: known().count() }
}

fn diversity(network: &Network<'_>, current: &[u32]) -> Option<[f64; 3]> {
    let running = || current.iter().map(|i| network.relay(*i)).filter(|relay| relay.running);
    Some([
        effective_number(running().filter_map(|relay| relay.country))?,
        effective_number(running().filter_map(|relay| relay.asn))?,
        effective_number(running().filter_map(platform)).unwrap_or(0.0),
    ])
}

/// The effective number of kinds: 1 / Σ p², the inverse of Simpson's index. Needs 1 thing.
pub(crate) fn effective_number<K: Ord>(kinds: impl Iterator<Item = K>) -> Option<f64> {
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    kinds.for_each(|kind| *counts.entry(kind).or_default() += 1);
    let total: u64 = counts.values().sum();
    let squares: u64 = counts.values().map(|n| n * n).sum();
    (total > 0).then(|| (total * total) as f64 / squares as f64)
}
