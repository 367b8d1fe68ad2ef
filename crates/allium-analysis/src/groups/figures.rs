//! The figures of a group of relays, whatever they have in common.
//!
//! Counts of relays and of unlike things are over current relays; weight, probabilities and bandwidth are sums over running ones,
//! all by the same roles: Guard has the flag Guard, Exit has Exit without BadExit, Middle has neither, and a relay with both counts
//! in both. Sums follow the order of the record, so equal input gives equal bits.

use allium_model::{FirstSeen, Fraction, Period};

use super::member::{ExitPolicy, Member};
use super::spread::{Change, Context, GroupUptime};
use crate::report::RoleCounts;
use crate::sum::sum_known;

/// Figures of a group of current relays.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFigures {
    /// Relays seen in the last 7 days.
    pub n_relays: usize,
    /// Of these Running in the newest consensus.
    pub n_running: usize,
    /// Running relays by role.
    pub running_by_role: RoleCounts,
    /// Relays that bandwidth authorities measured.
    pub n_measured: usize,
    /// Sum over running relays; `None` where none is known.
    pub consensus_weight: Option<u64>,
    /// Share of the running network's consensus weight; `None` where the network has none.
    pub weight_share: Option<Fraction>,
    /// Probability that a client's guard is one of them.
    pub guard_share: Option<Fraction>,
    /// Probability that the middle of a circuit is one of them.
    pub middle_share: Option<Fraction>,
    /// Probability that an exit is one of them.
    pub exit_share: Option<Fraction>,
    /// Advertised bandwidth of running relays, bytes per second.
    pub bandwidth: RoleBandwidth,
    /// Bytes that they wrote, as far as published graphs reach back; `None` where there are no such graphs.
    pub bytes_written: Option<f64>,
    /// Distinct autonomous systems.
    pub n_autonomous_systems: usize,
    /// Distinct operators, as far as they are known; see `docs/methods.md`.
    pub n_operators: usize,
    /// Distinct families of two relays and more.
    pub n_families: usize,
    /// Distinct countries.
    pub n_countries: usize,
    /// First appearance of the oldest.
    pub first_seen: FirstSeen,
    /// Mean time since first appearance of those whose date is known, days.
    pub mean_age_days: Option<f64>,
    /// The traffic that their exit policies let through.
    pub exit_policies: ExitPolicies,
    /// From 0, all in one hand, to 10; see `docs/methods.md`, "Diversity score".
    pub diversity: Option<f64>,
    /// Uptime, in the order of [`Period::ALL`](allium_model::Period::ALL).
    pub uptime: [Option<GroupUptime>; 7],
    /// Uptime in the last days against as many before, in the order of [`Recent::DAYS`](crate::Recent::DAYS).
    pub changes: [Option<Change>; 3],
}

/// Advertised bandwidth of running relays by role, bytes per second, `None` where none is known; see [`RoleCounts`] for the roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoleBandwidth {
    /// Of all.
    pub all: Option<u64>,
    /// Of guards.
    pub guard: Option<u64>,
    /// Of middle relays.
    pub middle: Option<u64>,
    /// Of exits.
    pub exit: Option<u64>,
}

/// Relays by what the summary of their exit policy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitPolicies {
    /// Nothing.
    pub nothing: usize,
    /// Some ports.
    pub some: usize,
    /// Every port.
    pub everything: usize,
    /// Nobody stated it.
    pub unknown: usize,
}

/// The wholes that shares are taken of: sums over the running network.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Whole {
    weight: f64,
    probabilities: [f64; 3],
}

impl Whole {
    pub(super) fn of(members: &[Member]) -> Self {
        let mut whole = Self::default();
        for member in members.iter().filter(|member| member.running) {
            whole.weight += member.weight;
            whole.probabilities.iter_mut().zip(member.probabilities).for_each(|(sum, part)| *sum += part);
        }
        whole
    }
}

/// The figures of a group; `group` holds members in their order.
pub(super) fn figures(context: &Context, group: &[&Member]) -> GroupFigures {
    with_uptime(context, group, context.uptime(group))
}

/// The same with uptime over one period only.
pub(super) fn figures_in(context: &Context, group: &[&Member], period: Period) -> GroupFigures {
    let mut uptime = [None; 7];
    uptime[period.index()] = context.uptime_in(group, period.index());
    with_uptime(context, group, uptime)
}

fn with_uptime(context: &Context, group: &[&Member], uptime: [Option<GroupUptime>; 7]) -> GroupFigures {
    let running = || group.iter().filter(|member| member.running);
    let count = |fits: fn(&Member) -> bool| running().filter(|member| fits(member)).count();
    let bandwidth = |fits: fn(&Member) -> bool| sum_known(running().filter(|member| fits(member)).map(|m| m.bandwidth));
    let probability = |role: usize| {
        let sum: f64 = running().map(|member| member.probabilities[role]).sum();
        // Published probabilities sum to 1 but for rounding; a network without any has no share.
        (context.whole.probabilities[role] > 0.0).then(|| Fraction::clamped(sum)).flatten()
    };
    let consensus_weight = sum_known(running().map(|member| member.consensus_weight));
    GroupFigures {
        n_relays: group.len(),
        n_running: running().count(),
        running_by_role: RoleCounts { guard: count(|m| m.has_guard), exit: count(|m| m.has_exit), middle: count(|m| m.is_middle) },
        n_measured: group.iter().filter(|member| member.measured).count(),
        consensus_weight,
        weight_share: consensus_weight.and_then(|weight| Fraction::of(weight as f64, context.whole.weight)),
        guard_share: probability(0),
        middle_share: probability(1),
        exit_share: probability(2),
        bandwidth: RoleBandwidth {
            all: bandwidth(|_| true),
            guard: bandwidth(|m| m.has_guard),
            middle: bandwidth(|m| m.is_middle),
            exit: bandwidth(|m| m.has_exit),
        },
        bytes_written: group.iter().filter_map(|member| member.bytes_written).fold(None, |sum, bytes| Some(sum.unwrap_or(0.0) + bytes)),
        n_autonomous_systems: distinct(group, |member| member.asn.map(|asn| asn.0)),
        n_operators: distinct(group, |member| member.operator),
        n_families: distinct(group, |member| member.family),
        n_countries: distinct(group, |member| member.country),
        first_seen: FirstSeen::earliest(group.iter().map(|member| member.first_seen)),
        mean_age_days: mean_age_days(context, group),
        exit_policies: exit_policies(group),
        diversity: diversity(group),
        uptime,
        changes: context.changes(group),
    }
}

fn distinct<K: Ord>(group: &[&Member], key: impl Fn(&Member) -> Option<K>) -> usize {
    let mut keys: Vec<K> = group.iter().filter_map(|member| key(member)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

fn mean_age_days(context: &Context, group: &[&Member]) -> Option<f64> {
    let hours = group.iter().filter_map(|member| member.first_seen.age_hours(context.as_of));
    let ages: Vec<f64> = hours.map(|hours| f64::from(hours) / 24.0).collect();
    allium_stats::mean(&ages)
}

fn exit_policies(group: &[&Member]) -> ExitPolicies {
    let mut policies = ExitPolicies::default();
    for member in group {
        *match member.exit_policy {
            ExitPolicy::Nothing => &mut policies.nothing,
            ExitPolicy::Some => &mut policies.some,
            ExitPolicy::Everything => &mut policies.everything,
            ExitPolicy::Unknown => &mut policies.unknown,
        } += 1;
    }
    policies
}

/// 10 × (½ of the spread over operators + ¼ over locations + ¼ over platforms), each 1 − Σ share² by weight of running relays.
fn diversity(group: &[&Member]) -> Option<f64> {
    let over = |key: fn(&Member) -> u32| {
        let keyed = group.iter().filter(|member| member.running).map(|member| (key(member), member.weight));
        herfindahl(keyed).map(|h| 1.0 - h)
    };
    Some(10.0 * (0.5 * over(|m| m.cluster)? + 0.25 * over(|m| m.location)? + 0.25 * over(|m| m.platform)?))
}

/// Σ share² over keys; `None` without a positive weight.
fn herfindahl(keyed: impl Iterator<Item = (u32, f64)>) -> Option<f64> {
    let mut parts: Vec<(u32, f64)> = keyed.collect();
    parts.sort_by_key(|(key, _)| *key);
    let sums: Vec<f64> = parts.chunk_by(|a, b| a.0 == b.0).map(|same| same.iter().map(|(_, weight)| weight).sum()).collect();
    let total: f64 = sums.iter().sum();
    (total > 0.0).then(|| sums.iter().map(|sum| (sum / total) * (sum / total)).sum())
}
