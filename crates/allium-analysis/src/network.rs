//! Figures of the whole network, over its current relays.
//!
//! A relay without a figure for a period is left out of that period: it is not 0. Values are summed in sorted order, so the figures
//! do not depend on the order of the relays to the last bit.

use std::collections::HashSet;

use allium_model::{Fraction, NetworkRecord, Period, RelayFlag, RelayRecord};
use allium_stats::{mean, quantiles_of_sorted, std_dev, weighted_mean};

use crate::grid::{Grid, Sums};
use crate::report::{FlagFigures, NetworkFigures, PeriodFigures, RelayReport, RoleCounts, Strip};
use crate::strip::cells;
use crate::sum::sum_known;

/// Days of the network's own strip.
const STRIP_DAYS: usize = 30;

/// All figures of the network; `reports` are in the order of the record's relays.
pub(crate) fn network_figures(record: &NetworkRecord, reports: &[RelayReport], daily: Strip) -> NetworkFigures {
    let members: Vec<Member<'_>> =
        record.relays.iter().zip(reports).filter(|(_, report)| report.current).map(|(record, report)| Member { record, report }).collect();
    let running = || members.iter().map(|member| &member.record.relay).filter(|relay| relay.running);
    let by_uptime = Period::ALL.map(|period| sorted_by_uptime(&members, period));
    NetworkFigures {
        n_relays: members.len(),
        n_running: running().count(),
        running_by_role: count_roles(running().map(|relay| relay.flags)),
        consensus_weight: sum_known(running().map(|relay| relay.consensus_weight)),
        advertised_bandwidth: sum_known(running().map(|relay| relay.advertised_bandwidth)),
        n_autonomous_systems: running().filter_map(|relay| relay.asn).collect::<HashSet<_>>().len(),
        n_countries: running().filter_map(|relay| relay.country).collect::<HashSet<_>>().len(),
        uptime: by_uptime.each_ref().map(|points| period_figures(points.iter())),
        by_flag: RelayFlag::ALL.into_iter().filter_map(|flag| flag_figures(flag, &members, &by_uptime)).collect(),
        daily,
    }
}

struct Member<'a> {
    record: &'a RelayRecord,
    report: &'a RelayReport,
}

/// A relay's uptime in a period with what weighs and selects it.
struct Point<'a> {
    uptime: f64,
    record: &'a RelayRecord,
}

impl Point<'_> {
    fn weight(&self) -> f64 {
        self.record.relay.consensus_weight.unwrap_or(0) as f64
    }
}

fn sorted_by_uptime<'a>(members: &[Member<'a>], period: Period) -> Vec<Point<'a>> {
    let uptime = |member: &Member<'_>| member.report.uptime_in(period);
    let mut points: Vec<Point<'a>> =
        members.iter().filter_map(|member| uptime(member).map(|up| Point { uptime: up.get(), record: member.record })).collect();
    points.sort_unstable_by(|a, b| a.uptime.total_cmp(&b.uptime).then_with(|| a.weight().total_cmp(&b.weight())));
    points
}

fn period_figures<'a>(points: impl Iterator<Item = &'a Point<'a>>) -> Option<PeriodFigures> {
    let (values, weights): (Vec<f64>, Vec<f64>) = points.map(|point| (point.uptime, point.weight())).unzip();
    let [q05, q25, q50, q75, q95] = quantiles_of_sorted(&values, PeriodFigures::LEVELS)?.map(Fraction::clamped);
    Some(PeriodFigures {
        n_relays: values.len(),
        mean: mean(&values).and_then(Fraction::clamped)?,
        weighted_mean: weighted_mean(&values, &weights).and_then(Fraction::clamped),
        quantiles: [q05?, q25?, q50?, q75?, q95?],
        std_dev: std_dev(&values),
    })
}

fn flag_figures(flag: RelayFlag, members: &[Member<'_>], by_uptime: &[Vec<Point<'_>>; 7]) -> Option<FlagFigures> {
    let holders = || members.iter().filter(|member| member.record.relay.has(flag));
    let n_relays = holders().count();
    (n_relays > 0).then(|| FlagFigures {
        flag,
        n_relays,
        n_running: holders().filter(|member| member.record.relay.running).count(),
        uptime: by_uptime.each_ref().map(|points| period_figures(points.iter().filter(|point| point.record.relay.has(flag)))),
    })
}

fn count_roles(flags: impl Iterator<Item = allium_model::RelayFlags>) -> RoleCounts {
    let mut roles = RoleCounts::default();
    for flags in flags {
        let (guard, exit) = (flags.contains(RelayFlag::Guard), flags.contains(RelayFlag::Exit));
        roles.guard += usize::from(guard);
        roles.exit += usize::from(exit && !flags.contains(RelayFlag::BadExit));
        roles.middle += usize::from(!guard && !exit);
    }
    roles
}

/// Known and up time of all current relays per day.
pub(crate) struct DailyTotals {
    sums: Sums,
}

impl DailyTotals {
    pub(crate) fn new(days: &Grid) -> Self {
        let mut sums = Sums::default();
        sums.reset(days.n);
        Self { sums }
    }

    pub(crate) fn add(&mut self, relay: &Sums) {
        let first = relay.known.len().saturating_sub(STRIP_DAYS);
        for i in first..relay.known.len() {
            self.sums.known[i] += relay.known[i];
            self.sums.up[i] += relay.up[i];
        }
    }

    /// Adds what other relays sum up to.
    pub(crate) fn append(&mut self, other: &Self) {
        self.add(&other.sums);
    }

    /// The last 30 days: of all known relay-hours, the share that was up.
    pub(crate) fn strip(&self, days: &Grid) -> Strip {
        cells(days, &self.sums, days.n.saturating_sub(STRIP_DAYS))
    }
}
