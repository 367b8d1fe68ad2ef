//! Uptime of a group with its interval, and how it changed against the network.
//!
//! Relays of one operator fail together, so they are no independent points: the variance of a mean is that of cluster sums (Cameron,
//! Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference"), with operators as clusters. Few clusters show little of
//! their own variance; as in Smyth (2004), "Linear Models and Empirical Bayes Methods", it is moderated by the network's, which
//! counts for two clusters. With G clusters, n relays and the sums eₖ of deviations from the mean in cluster k:
//!
//! variance = (2 × s² / G + (G − 1) × v) / (G + 1), v = G / (G − 1) × Σ eₖ² / n², s² the variance over all relays of the network;
//!
//! the interval is the mean ± t(0.975, G + 1 degrees of freedom) × √variance, cut to 0..=1.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Fraction};
use allium_stats::{mean, student_critical, student_p, variance, weighted_mean};

use super::figures::Whole;
use super::member::Member;

/// Clusters for which the network's variance counts.
const PRIOR_CLUSTERS: f64 = 2.0;

/// Relays that a change needs.
const MIN_RELAYS: usize = 3;

/// The smallest change against the network that has a direction: half a percentage point.
const SMALLEST_CHANGE: f64 = 0.005;

/// Uptime of a group of relays in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupUptime {
    /// Relays with a figure.
    pub n_relays: usize,
    /// Operators among them; relays of unknown operators count one each.
    pub n_clusters: usize,
    /// Mean over relays, each counted once.
    pub mean: Fraction,
    /// Median over relays.
    pub median: Fraction,
    /// Mean by last consensus weight.
    pub weighted_mean: Option<Fraction>,
    /// 95 % confidence interval of the mean; `None` where the network has fewer than two relays.
    pub interval: Option<(Fraction, Fraction)>,
    /// Relay-hours known.
    pub known_hours: f64,
    /// Variance of the mean.
    pub(super) variance: f64,
}

impl GroupUptime {
    /// Degrees of freedom of the variance.
    pub(super) fn degrees_of_freedom(&self) -> f64 {
        degrees_of_freedom(self.n_clusters)
    }
}

fn degrees_of_freedom(n_clusters: usize) -> f64 {
    n_clusters as f64 - 1.0 + PRIOR_CLUSTERS
}

/// The two-sided p-value of a difference; 1 where its variance is not known.
pub(super) fn p_of(difference: f64, variance: f64, degrees_of_freedom: f64) -> f64 {
    if variance > 0.0 { student_p(difference / variance.sqrt(), degrees_of_freedom).unwrap_or(1.0) } else { 1.0 }
}

/// Mean uptime in the last days against as many before, over the relays known in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Relays known in both.
    pub n_relays: usize,
    /// Mean over the last days.
    pub last: Fraction,
    /// Mean over the days before.
    pub before: Fraction,
    /// The change less the network's change, which holds what is the same for all.
    pub against_network: f64,
    /// Lower bound of the 95 % confidence interval of `against_network`.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Variance of the mean change.
    variance: f64,
    n_clusters: usize,
}

/// The direction in which a group goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Better than the network's change, beyond chance.
    Improving,
    /// Neither.
    Stable,
    /// Worse than the network's change, beyond chance.
    Declining,
}

impl Change {
    /// The probability of so large a difference where the group is like the network: two-sided, by Student's t.
    pub fn p_value(&self) -> f64 {
        p_of(self.against_network, self.variance, degrees_of_freedom(self.n_clusters))
    }

    /// The direction: at least half a percentage point against the network, three relays, and an interval without 0.
    pub fn direction(&self) -> Direction {
        let is_large = self.n_relays >= MIN_RELAYS && self.against_network.abs() >= SMALLEST_CHANGE;
        match self {
            _ if is_large && self.low > 0.0 => Direction::Improving,
            _ if is_large && self.high < 0.0 => Direction::Declining,
            _ => Direction::Stable,
        }
    }
}

/// The figures that all groups are compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Context {
    pub(super) as_of: ConsensusHour,
    pub(super) whole: Whole,
    /// Variance of uptime over all relays, per period.
    variances: [Option<f64>; 7],
    /// Mean and variance of the change over all relays, per number of days.
    changes: [Option<(f64, f64)>; 3],
    /// t(0.975) for up to 64 degrees of freedom.
    critical: BTreeMap<usize, f64>,
}

impl Context {
    pub(super) fn of(as_of: ConsensusHour, members: &[Member]) -> Self {
        let column = |value: &dyn Fn(&Member) -> Option<f64>| -> Vec<f64> { members.iter().filter_map(value).collect() };
        Self {
            as_of,
            whole: Whole::of(members),
            variances: std::array::from_fn(|p| variance(&column(&|member| member.uptime[p]))),
            changes: std::array::from_fn(|w| {
                let changes = column(&|member| member.recent[w].change());
                mean(&changes).zip(variance(&changes))
            }),
            critical: (1..=64).filter_map(|df| Some((df, student_critical(0.05, df as f64)?))).collect(),
        }
    }

    pub(super) fn uptime(&self, group: &[&Member]) -> [Option<GroupUptime>; 7] {
        let clusters = Clusters::of(group);
        std::array::from_fn(|p| self.period(group, &clusters, p))
    }

    /// The same in the period with this index in [`Period::ALL`](allium_model::Period::ALL).
    pub(super) fn uptime_in(&self, group: &[&Member], p: usize) -> Option<GroupUptime> {
        self.period(group, &Clusters::of(group), p)
    }

    fn period(&self, group: &[&Member], clusters: &Clusters<'_>, p: usize) -> Option<GroupUptime> {
        let (mut values, weights): (Vec<f64>, Vec<f64>) =
            group.iter().filter_map(|member| member.uptime[p].map(|uptime| (uptime, member.weight))).unzip();
        let mean = mean(&values)?;
        let weighted_mean = weighted_mean(&values, &weights).and_then(Fraction::clamped);
        let (n_clusters, variance) = self.moderated(clusters, mean, self.variances[p].unwrap_or(0.0), |member| member.uptime[p]);
        let half = self.critical(n_clusters) * variance.sqrt();
        let interval = self.variances[p].and_then(|_| Fraction::clamped(mean - half).zip(Fraction::clamped(mean + half)));
        values.sort_unstable_by(f64::total_cmp);
        let [median] = allium_stats::quantiles_of_sorted(&values, [0.5])?;
        Some(GroupUptime {
            n_relays: values.len(),
            n_clusters,
            mean: Fraction::clamped(mean)?,
            median: Fraction::clamped(median)?,
            weighted_mean,
            interval,
            known_hours: group.iter().map(|member| member.known_hours[p]).sum(),
            variance,
        })
    }

    pub(super) fn changes(&self, group: &[&Member]) -> [Option<Change>; 3] {
        let clusters = Clusters::of(group);
        std::array::from_fn(|w| self.change(group, &clusters, w))
    }

    fn change(&self, group: &[&Member], clusters: &Clusters<'_>, w: usize) -> Option<Change> {
        let (network_mean, network_variance) = self.changes[w]?;
        let both = group.iter().filter_map(|member| member.recent[w].last.zip(member.recent[w].before));
        let (last, before): (Vec<f64>, Vec<f64>) = both.map(|(last, before)| (last.get(), before.get())).unzip();
        let (last_mean, before_mean) = (mean(&last)?, mean(&before)?);
        let change = last_mean - before_mean;
        let (n_clusters, variance) = self.moderated(clusters, change, network_variance, |member| member.recent[w].change());
        let against_network = change - network_mean;
        let half = self.critical(n_clusters) * variance.sqrt();
        Some(Change {
            n_relays: last.len(),
            last: Fraction::clamped(last_mean)?,
            before: Fraction::clamped(before_mean)?,
            against_network,
            low: against_network - half,
            high: against_network + half,
            variance,
            n_clusters,
        })
    }

    /// Clusters with a value, and the moderated variance of the mean.
    fn moderated(&self, clusters: &Clusters<'_>, mean: f64, prior: f64, value: impl Fn(&Member) -> Option<f64>) -> (usize, f64) {
        let (mut n_clusters, mut n, mut squares) = (0.0, 0.0, 0.0);
        for cluster in clusters.each() {
            let (size, sum) = cluster.iter().filter_map(|member| value(member)).fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + (x - mean)));
            if size > 0.0 {
                n_clusters += 1.0;
                n += size;
                squares += sum * sum;
            }
        }
        if n_clusters == 0.0 {
            return (0, 0.0);
        }
        // (G − 1) × v, which is 0 for a single cluster.
        let own = if n_clusters > 1.0 { n_clusters * squares / (n * n) } else { 0.0 };
        let variance = (PRIOR_CLUSTERS * prior / n_clusters + own) / (n_clusters - 1.0 + PRIOR_CLUSTERS);
        (n_clusters as usize, variance)
    }

    fn critical(&self, n_clusters: usize) -> f64 {
        let degrees_of_freedom = n_clusters + 1;
        self.critical.get(&degrees_of_freedom).copied().unwrap_or_else(|| critical_of_many(degrees_of_freedom as f64))
    }
}

/// t(0.975) for more than 64 degrees of freedom, to six digits: the expansion of Cornish and Fisher.
fn critical_of_many(degrees_of_freedom: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let first = (Z.powi(3) + Z) / 4.0;
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
    Z + first / degrees_of_freedom + second / (degrees_of_freedom * degrees_of_freedom)
}

/// The members of a group, those of one cluster side by side.
struct Clusters<'a> {
    members: Vec<&'a Member>,
}

impl<'a> Clusters<'a> {
    fn of(group: &[&'a Member]) -> Self {
        let mut members = group.to_vec();
        members.sort_by_key(|member| member.cluster);
        Self { members }
    }

    fn each(&self) -> impl Iterator<Item = &[&'a Member]> {
        self.members.chunk_by(|a, b| a.cluster == b.cluster)
    }
}
