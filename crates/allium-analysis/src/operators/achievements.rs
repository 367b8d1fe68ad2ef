//! Achievements of an operator: a score, the percentiles of its peers, its trophies.

use allium_model::{ConsensusHour, Fraction, Period};
use allium_stats::quantiles_of_sorted;

use super::peers::SizeClass;
use super::{MIN_PEERS, OperatorReport, SIZE_CLASSES, Sibling};
use crate::groups::Grade;
use crate::report::NetworkReport;

/// From this uptime on a relay is excellent; the same as for [`Grade::Excellent`].
const EXCELLENT: f64 = 0.97;

/// The periods that a score is taken from, the first that has a figure.
const PERIODS: [Period; 2] = [Period::SixMonths, Period::OneMonth];

/// The achievements of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Achievements {
    /// The period that everything here is of.
    pub period: Period,
    /// Hours up over hours observed, of all relays together.
    pub score: Fraction,
    /// The score in a word.
    pub grade: Grade,
    /// Its mean uptime, which peers are compared by.
    pub mean: Fraction,
    /// Peers by mean uptime; `None` where there are too few.
    pub benchmark: Option<Benchmark>,
    /// Relays with a figure.
    pub n_relays: usize,
    /// Of these, up for 97 % of the time or more.
    pub n_excellent: usize,
    /// The relay that was up most; of equals the heaviest.
    pub best: Option<Sibling>,
    /// The last outage of any of its relays in the last year; `None` where nothing is known of outages.
    pub last_issue: Option<LastIssue>,
}

/// Quantiles of the mean uptime of operators of like size.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// The class of operators that they are.
    pub class: SizeClass,
    /// Their number, this one included.
    pub n_operators: usize,
    /// At [`Benchmark::LEVELS`].
    pub quantiles: [Fraction; 5],
}

impl Benchmark {
    /// The levels of the quantiles.
    pub const LEVELS: [f64; 5] = [0.99, 0.95, 0.75, 0.5, 0.25];
}

/// The last outage of a relay of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastIssue {
    /// One is out now.
    Ongoing,
    /// The last outage ended so many whole days before the end of the newest consensus hour.
    Days(i64),
    /// None within the days that are known, up to a year.
    NoneIn(i64),
}

/// The achievements of the operator with this index; `None` where none of its relays has a figure.
pub fn achievements(
    report: &NetworkReport,
    operators: &OperatorReport,
    operator_idx: usize,
    weight: impl Fn(u32) -> u64,
) -> Option<Achievements> {
    let figures = operators.figures.get(operator_idx)?;
    let (period, uptime) = PERIODS.into_iter().find_map(|period| Some((period, figures.members.uptime[period.index()]?)))?;
    let members = &operators.list()[operator_idx].members;
    let current = || members.iter().copied().filter(|i| report.relays[*i as usize].is_current_key());
    let sibling = |i: u32| Some(Sibling { relay_idx: i, uptime: report.relays[i as usize].uptime_in(period)? });
    let siblings: Vec<Sibling> = current().filter_map(sibling).collect();
    let rank = |sibling: &Sibling| (weight(sibling.relay_idx), std::cmp::Reverse(sibling.relay_idx));
    Some(Achievements {
        period,
        score: uptime.by_hours,
        grade: Grade::of_share(uptime.by_hours),
        mean: uptime.mean,
        benchmark: benchmark(operators, uptime.n_relays, period),
        n_relays: siblings.len(),
        n_excellent: siblings.iter().filter(|sibling| sibling.uptime.get() >= EXCELLENT).count(),
        best: siblings.iter().copied().max_by(|a, b| a.uptime.get().total_cmp(&b.uptime.get()).then(rank(a).cmp(&rank(b)))),
        last_issue: last_issue(report, current(), report.as_of),
    })
}

fn benchmark(operators: &OperatorReport, n_relays: usize, period: Period) -> Option<Benchmark> {
    let class = SIZE_CLASSES.into_iter().find(|class| (class.from..=class.to).contains(&n_relays))?;
    let uptime = |figures: &super::OperatorFigures| {
        let uptime = figures.members.uptime[period.index()]?;
        (class.from..=class.to).contains(&uptime.n_relays).then_some(uptime.mean.get())
    };
    let mut sorted: Vec<f64> = operators.figures.iter().filter_map(uptime).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantiles = quantiles_of_sorted(&sorted, Benchmark::LEVELS).filter(|_| sorted.len() >= MIN_PEERS)?;
    let [a, b, c, d, e] = quantiles.map(Fraction::clamped);
    Some(Benchmark { class, n_operators: sorted.len(), quantiles: [a?, b?, c?, d?, e?] })
}

fn last_issue(report: &NetworkReport, current: impl Iterator<Item = u32>, as_of: ConsensusHour) -> Option<LastIssue> {
    let now_secs = as_of.next().start_secs();
    let days = |secs: i64| (now_secs - secs).max(0) / 86_400;
    let summaries: Vec<_> = current.filter_map(|i| report.relays[i as usize].outages.as_ref()).collect();
    let outages = || summaries.iter().flat_map(|summary| &summary.outages);
    if outages().any(|outage| outage.ongoing) {
        return Some(LastIssue::Ongoing);
    }
    match outages().map(|outage| outage.end_secs).max() {
        Some(end_secs) => Some(LastIssue::Days(days(end_secs))),
        None => summaries.iter().map(|summary| summary.from_secs).min().map(|from_secs| LastIssue::NoneIn(days(from_secs))),
    }
}
