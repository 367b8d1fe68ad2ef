//! Figures of a set of relays that somebody runs together.

use std::collections::BTreeSet;
use std::net::IpAddr;

use allium_model::{CountryCode, FirstSeen, Fraction, NetworkRecord, Period, Relay, RelayFlag};
use allium_stats::{mean, quantiles_of_sorted, std_dev};

use crate::report::{NetworkReport, RelayReport, RoleCounts};
use crate::sum::sum_known;

/// Figures of some relays, over those of them that are current.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberFigures {
    /// Current relays, each once whatever keys it had.
    pub n_relays: usize,
    /// Keys that they had before, as far as our record shows.
    pub n_earlier_keys: usize,
    /// Of these, Running in the newest consensus.
    pub n_running: usize,
    /// Running relays by role.
    pub running_by_role: RoleCounts,
    /// Consensus weight of the running ones; `None` where none is known.
    pub consensus_weight: Option<u64>,
    /// Their share of the weight of all running relays; `None` where no weight is known.
    pub weight_share: Option<Fraction>,
    /// Weight of running guards as a share of all running guards' weight.
    pub guard_share: Option<Fraction>,
    /// Weight of running exits as a share of all running exits' weight.
    pub exit_share: Option<Fraction>,
    /// Weight of running relays that are neither as a share of all such relays' weight.
    pub middle_share: Option<Fraction>,
    /// Advertised bandwidth of the running ones, bytes per second; `None` where none is known.
    pub advertised_bandwidth: Option<u64>,
    /// Observed bandwidth of the running ones, bytes per second; `None` where none is known.
    pub observed_bandwidth: Option<u64>,
    /// Distinct autonomous systems of current relays.
    pub n_autonomous_systems: usize,
    /// Distinct countries of current relays.
    pub n_countries: usize,
    /// Distinct operating systems of current relays.
    pub n_platforms: usize,
    /// Distinct IPv4 addresses of running relays.
    pub n_ipv4: usize,
    /// Distinct IPv6 addresses of running relays.
    pub n_ipv6: usize,
    /// Current relays whose version is known to be recommended.
    pub n_recommended: usize,
    /// Current relays of whose version the authorities say anything.
    pub n_version_known: usize,
    /// The first consensus that listed one of the current relays.
    pub first_seen: FirstSeen,
    /// Uptime of current relays, in the order of [`Period::ALL`].
    pub uptime: [Option<MemberUptime>; 7],
}

/// The reliability of some relays in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberUptime {
    /// Relays with a figure.
    pub n_relays: usize,
    /// Mean over relays, each counted once.
    pub mean: Fraction,
    /// Hours up over hours observed, of all relays together: a relay counts as long as it was watched.
    pub by_hours: Fraction,
    /// Hours observed of all relays together.
    pub known_hours: f64,
    /// Mean over relays, each counted by its consensus weight; `None` where no weight is known.
    pub weighted_mean: Option<Fraction>,
    /// The lowest.
    pub min: Fraction,
    /// The median (R type 7).
    pub median: Fraction,
    /// The highest.
    pub max: Fraction,
    /// Standard deviation (n − 1); `None` for a single relay.
    pub std_dev: Option<f64>,
}

/// The relays of a record with what is the same for all sets.
pub(crate) struct Network<'a> {
    pub(crate) record: &'a NetworkRecord,
    pub(crate) report: &'a NetworkReport,
    weight: RoleWeights,
}

impl<'a> Network<'a> {
    pub(crate) fn of(record: &'a NetworkRecord, report: &'a NetworkReport) -> Self {
        let current = record.relays.iter().zip(&report.relays).filter(|(_, report)| report.current);
        Self { weight: RoleWeights::of(current.map(|(record, _)| &record.relay)), record, report }
    }

    pub(crate) fn relay(&self, relay_idx: u32) -> &'a Relay {
        &self.record.relays[relay_idx as usize].relay
    }

    pub(crate) fn report(&self, relay_idx: u32) -> &'a RelayReport {
        &self.report.relays[relay_idx as usize]
    }

    /// True if the relay is current and no earlier key of another one.
    pub(crate) fn is_current(&self, relay_idx: u32) -> bool {
        self.report(relay_idx).is_current_key()
    }

    pub(crate) fn total_weight(&self) -> u64 {
        self.weight.all
    }
}

/// Consensus weight of running relays, all and by role.
#[derive(Default)]
struct RoleWeights {
    all: u64,
    guard: u64,
    exit: u64,
    middle: u64,
}

impl RoleWeights {
    fn of<'a>(relays: impl Iterator<Item = &'a Relay>) -> Self {
        let mut sums = Self::default();
        for relay in relays.filter(|relay| relay.running) {
            let weight = relay.consensus_weight.unwrap_or(0);
            let (guard, exit) = (relay.has(RelayFlag::Guard), relay.has(RelayFlag::Exit));
            let add = |sum: &mut u64, counts: bool| *sum = sum.saturating_add(if counts { weight } else { 0 });
            add(&mut sums.all, true);
            add(&mut sums.guard, guard);
            add(&mut sums.exit, exit && !relay.has(RelayFlag::BadExit));
            add(&mut sums.middle, !guard && !exit);
        }
        sums
    }
}

impl MemberFigures {
    /// The figures of the relays with these indices in the record.
    pub(crate) fn of(network: &Network<'_>, members: &[u32]) -> Self {
        let current: Vec<u32> = members.iter().copied().filter(|i| network.is_current(*i)).collect();
        let relays = || current.iter().map(|i| network.relay(*i));
        let running = || relays().filter(|relay| relay.running);
        let weight = RoleWeights::of(relays());
        let share = |part: u64, whole: u64| Fraction::of(part as f64, whole as f64);
        let sum = |of: fn(&Relay) -> Option<u64>| sum_known(running().map(of));
        let consensus_weight = sum(|relay| relay.consensus_weight);
        let share = |part: u64, whole: u64| share(part, whole).filter(|_| consensus_weight.is_some());
        let addresses: BTreeSet<IpAddr> = running().flat_map(|relay| relay.or_addresses.iter().map(std::net::SocketAddr::ip)).collect();
        let platforms: BTreeSet<&str> = relays().filter_map(platform).collect();
        let countries: BTreeSet<CountryCode> = relays().filter_map(|relay| relay.country).collect();
        let autonomous_systems: BTreeSet<_> = relays().filter_map(|relay| relay.asn).collect();
        Self {
            n_relays: current.len(),
            n_earlier_keys: members.iter().filter(|i| network.report(**i).followed_by.is_some()).count(),
            n_running: running().count(),
            running_by_role: roles(running()),
            consensus_weight,
            weight_share: share(weight.all, network.weight.all),
            guard_share: share(weight.guard, network.weight.guard),
            exit_share: share(weight.exit, network.weight.exit),
            middle_share: share(weight.middle, network.weight.middle),
            advertised_bandwidth: sum(|relay| relay.advertised_bandwidth),
            observed_bandwidth: sum(|relay| relay.observed_bandwidth),
            n_autonomous_systems: autonomous_systems.len(),
            n_countries: countries.len(),
            n_platforms: platforms.len(),
            n_ipv4: addresses.iter().filter(|address| address.is_ipv4()).count(),
            n_ipv6: addresses.iter().filter(|address| address.is_ipv6()).count(),
            n_recommended: relays().filter(|relay| relay.recommended_version == Some(true)).count(),
            n_version_known: relays().filter(|relay| relay.recommended_version.is_some()).count(),
            first_seen: FirstSeen::earliest(relays().map(|relay| relay.first_seen)),
            uptime: Period::ALL.map(|period| MemberUptime::of(network, &current, period)),
        }
    }

    /// The mean uptime over its relays in a period.
    pub fn uptime_in(&self, period: Period) -> Option<Fraction> {
        self.uptime[period.index()].map(|uptime| uptime.mean)
    }
}

impl MemberUptime {
    fn of(network: &Network<'_>, current: &[u32], period: Period) -> Option<Self> {
        let figures = || current.iter().filter_map(|i| network.report(*i).uptime[period.index()].map(|figure| (figure, network.relay(*i))));
        let mut values: Vec<f64> = figures().map(|(figure, _)| figure.uptime.get()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let [min, median, max] = quantiles_of_sorted(&values, [0.0, 0.5, 1.0])?.map(Fraction::clamped);
        let (known_hours, up_hours) = figures()
            .fold((0.0, 0.0), |(known, up), (figure, _)| (known + figure.known_hours, up + figure.known_hours * figure.uptime.get()));
        let weight = |relay: &Relay| relay.consensus_weight.unwrap_or(0) as f64;
        let (weights, weighted) =
            figures().fold((0.0, 0.0), |(sum, up), (figure, relay)| (sum + weight(relay), up + weight(relay) * figure.uptime.get()));
        Some(Self {
            n_relays: values.len(),
            mean: mean(&values).and_then(Fraction::clamped)?,
            by_hours: Fraction::of(up_hours, known_hours)?,
            known_hours,
            weighted_mean: Fraction::of(weighted, weights),
            min: min?,
            median: median?,
            max: max?,
            std_dev: std_dev(&values),
        })
    }
}

fn roles<'a>(relays: impl Iterator<Item = &'a Relay>) -> RoleCounts {
    let mut roles = RoleCounts::default();
    for relay in relays {
        let (guard, exit) = (relay.has(RelayFlag::Guard), relay.has(RelayFlag::Exit));
        roles.guard += usize::from(guard);
        roles.exit += usize::from(exit && !relay.has(RelayFlag::BadExit));
        roles.middle += usize::from(!guard && !exit);
    }
    roles
}

/// The operating system that a relay names behind `on`: `Tor 0.4.8.12 on Linux` gives `Linux`.
pub(crate) fn platform(relay: &Relay) -> Option<&str> {
    let words = relay.platform.as_deref()?.split_once(" on ")?.1;
    words.split_whitespace().next()
}

/// The statements of a relay about its family, and those of the others about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FamilyState {
    /// It names nobody and nobody names it back.
    Standalone,
    /// Every relay that it names, names it back.
    Effective,
    /// Some of the relays that it names do not name it back.
    Mixed,
    /// None of the relays that it names names it back.
    Alleged,
}

impl FamilyState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Effective, Self::Mixed, Self::Alleged, Self::Standalone];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Effective => "effective",
            Self::Mixed => "mixed",
            Self::Alleged => "alleged",
        }
    }

    /// The state of a relay.
    pub fn of(relay: &Relay) -> Self {
        let has_effective = relay.effective_family.iter().any(|member| *member != relay.fingerprint);
        match (has_effective, relay.alleged_family.is_empty()) {
            (false, true) => Self::Standalone,
            (true, true) => Self::Effective,
            (true, false) => Self::Mixed,
            (false, false) => Self::Alleged,
        }
    }

    /// True if it names relays that do not name it back.
    pub const fn is_misconfigured(self) -> bool {
        matches!(self, Self::Mixed | Self::Alleged)
    }
}
