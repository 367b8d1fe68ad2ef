//! Uptime per period, and the share of consensuses with a flag.
//!
//! Exact where our own history covers the period: it begins before the period or before the relay, and at least half of the hours
//! are known. Published otherwise: a period that the source publishes a graph for takes that graph whole, with the intervals since
//! the relay disappeared as down; the shorter periods (1, 7, 30 days) take the part of the finest graph that reaches back as far as
//! any does. Missing intervals count neither way. A period for which there is neither is `None`.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fraction, GraphPeriod, Period, PublishedGraph, Quantity, RelayFlag, RelayFlags, RelayRecord, Series};

use crate::exact::Exact;
use crate::grid::{DAY_SECS, hour_at};
use crate::report::{FlagUptime, UptimeFigure, UptimeSource};

/// The periods that end with the newest consensus.
pub(crate) struct Periods {
    /// The hour after the newest consensus.
    pub(crate) end: ConsensusHour,
    /// The first hour of each, in the order of [`Period::ALL`].
    pub(crate) starts: [ConsensusHour; 7],
}

impl Periods {
    pub(crate) fn before(end: ConsensusHour) -> Self {
        Self { end, starts: Period::ALL.map(|period| period.start_before(end)) }
    }

    pub(crate) const fn start(&self, period: Period) -> ConsensusHour {
        self.starts[period.index()]
    }

    fn hours(&self, period: Period) -> f64 {
        f64::from(self.end.hours_since(self.start(period)))
    }

    /// Before which hour a relay must have appeared to have a figure for this period: as in Onionoo, a long period says nothing
    /// that the next shorter one does not while the relay is younger than that.
    fn oldest_start(&self, period: Period) -> ConsensusHour {
        match period {
            Period::OneDay | Period::SevenDays | Period::ThirtyDays | Period::OneMonth => self.end,
            Period::SixMonths => self.start(Period::OneMonth),
            Period::OneYear => self.start(Period::SixMonths),
            Period::FiveYears => self.start(Period::OneYear),
        }
    }
}

/// The uptime of a relay in each period.
pub(crate) fn uptime(periods: &Periods, record: &RelayRecord, exact: Option<&Exact<'_>>) -> [Option<UptimeFigure>; 7] {
    shares(periods, record, exact, &Quantity::Uptime)
}

/// The share of consensuses with each flag that the relay has a history of, Running aside.
pub(crate) fn flag_uptime(periods: &Periods, record: &RelayRecord, known_exact: Option<&Exact<'_>>) -> Vec<FlagUptime> {
    let flags_published: RelayFlags = record.published.iter().filter_map(published_flag).collect();
    let flags_own: RelayFlags = record.spans.iter().flat_map(|span| span.state.flags.iter()).collect();
    let covered = known_exact.filter(|exact| Period::ALL.iter().any(|period| exact.covers(periods.start(*period), periods.end)));
    let has_history = |flag: RelayFlag| flag != RelayFlag::Running && (flags_published.contains(flag) || flags_own.contains(flag));
    let flag_uptime = |flag: RelayFlag| {
        let exact = covered.and_then(|exact| Exact::new(record, exact.known, flag));
        // A flag held in unknown hours only, and published by nobody, has no history.
        let exact = exact.filter(|exact| flags_published.contains(flag) || exact.last_with().is_some());
        let share = shares(periods, record, exact.as_ref(), &Quantity::Flag(flag)).map(|figure| figure.map(|f| f.uptime));
        share.iter().any(Option::is_some).then_some(FlagUptime { flag, share })
    };
    RelayFlag::ALL.into_iter().filter(|flag| has_history(*flag)).filter_map(flag_uptime).collect()
}

fn published_flag(graph: &PublishedGraph) -> Option<RelayFlag> {
    match graph.quantity {
        Quantity::Flag(flag) => Some(flag),
        _ => None,
    }
}

fn shares(periods: &Periods, record: &RelayRecord, exact: Option<&Exact<'_>>, quantity: &Quantity) -> [Option<UptimeFigure>; 7] {
    Period::ALL.map(|period| {
        let from_own = exact.and_then(|exact| exact_share(periods, period, exact));
        from_own.or_else(|| match period {
            Period::OneDay | Period::SevenDays | Period::ThirtyDays => window_share(periods, period, record, quantity),
            Period::OneMonth | Period::SixMonths | Period::OneYear | Period::FiveYears => graph_share(periods, period, record, quantity),
        })
    })
}

fn exact_share(periods: &Periods, period: Period, exact: &Exact<'_>) -> Option<UptimeFigure> {
    let start = periods.start(period);
    if !exact.covers(start, periods.end) || exact.first_seen >= periods.oldest_start(period) {
        return None;
    }
    let count = exact.count(start, periods.end);
    Some(UptimeFigure {
        uptime: Fraction::of(count.with as f64, count.known as f64)?,
        as_published: None,
        source: UptimeSource::Exact { n_consensuses: count.known as u32 },
        from_secs: start.max(exact.first_seen).start_secs(),
        to_secs: periods.end.start_secs(),
        known_hours: count.known as f64,
        coverage: Fraction::of(count.known as f64, periods.hours(period))?,
    })
}

/// The graph that the source publishes for this very period.
fn graph_share(periods: &Periods, period: Period, record: &RelayRecord, quantity: &Quantity) -> Option<UptimeFigure> {
    let is_wanted = |graph: &&PublishedGraph| graph.quantity == *quantity && graph.period == GraphPeriod::Named(period);
    let graph = record.published.iter().find(is_wanted)?;
    let series = &graph.series;
    if series.end_secs() <= periods.start(period).start_secs() {
        return None;
    }
    let whole = mean(series, first_in_period(graph, period), series.len())?;
    let as_published = match graph.completed {
        0 => Some(whole.mean),
        completed => mean(series, 0, series.len().saturating_sub(completed)).map(|published| published.mean),
    };
    let known_hours = whole.n as f64 * interval_hours(series);
    Some(UptimeFigure {
        uptime: whole.mean,
        as_published,
        source: UptimeSource::Published { interval_secs: series.interval_secs(), n_intervals: whole.n as u32 },
        from_secs: series.interval_start_secs(whole.first),
        to_secs: series.interval_start_secs(whole.last + 1),
        known_hours,
        coverage: Fraction::of(known_hours, periods.hours(period))?,
    })
}

/// The first interval of a graph that belongs to its period.
///
/// A graph that was completed reaches further back than the period; its source would have cut it at the interval in which the
/// period, counted back from the graph's end, starts.
fn first_in_period(graph: &PublishedGraph, period: Period) -> usize {
    let series = &graph.series;
    if graph.completed == 0 {
        return 0;
    }
    let start_secs = period.start_before(hour_at(series.end_secs())).start_secs();
    usize::try_from((start_secs - series.start_secs()).div_euclid(i64::from(series.interval_secs()))).unwrap_or(0)
}

/// Mean over the measured intervals of a stretch of a series.
struct Mean {
    mean: Fraction,
    n: usize,
    first: usize,
    last: usize,
}

fn mean(series: &Series, from: usize, to: usize) -> Option<Mean> {
    let (mut sum, mut n, mut first, mut last) = (0u64, 0usize, None, 0);
    // Summing codes keeps the sum exact.
    for (i, code) in series.codes().enumerate().take(to).skip(from) {
        if let Some(code) = code {
            sum += u64::from(code);
            n += 1;
            first.get_or_insert(i);
            last = i;
        }
    }
    let mean = Fraction::clamped(sum as f64 * series.scale() / n as f64)?;
    Some(Mean { mean, n, first: first?, last })
}

/// The part of a graph that lies in one of the last days, its intervals weighted by how much of them does.
fn window_share(periods: &Periods, period: Period, record: &RelayRecord, quantity: &Quantity) -> Option<UptimeFigure> {
    let (from, to) = (periods.start(period).start_secs(), periods.end.start_secs());
    let series = finest_reaching(record, quantity, from, to)?;
    let step = i64::from(series.interval_secs());
    let first = ((from - series.start_secs()).max(0) / step) as usize;
    let (mut up_secs, mut known_secs, mut n) = (0.0, 0i64, 0u32);
    let mut covered: Option<(i64, i64)> = None;
    for i in first..series.len() {
        let (start, end) = (series.interval_start_secs(i).max(from), series.interval_start_secs(i + 1).min(to));
        if start >= end {
            break;
        }
        if let Some(value) = series.get(i) {
            up_secs += (end - start) as f64 * value;
            known_secs += end - start;
            n += 1;
            covered = Some((covered.map_or(start, |(from, _)| from), end));
        }
    }
    let (from_secs, to_secs) = covered?;
    let known_hours = known_secs as f64 / HOUR_SECS as f64;
    Some(UptimeFigure {
        uptime: Fraction::of(up_secs, known_secs as f64)?,
        as_published: None,
        source: UptimeSource::Published { interval_secs: series.interval_secs(), n_intervals: n },
        from_secs,
        to_secs,
        known_hours,
        coverage: Fraction::of(known_hours, periods.hours(period))?,
    })
}

/// The graph with the shortest interval that reaches back as far as the window, or within a day of as far as any graph does.
fn finest_reaching<'a>(record: &'a RelayRecord, quantity: &Quantity, from_secs: i64, to_secs: i64) -> Option<&'a Series> {
    let touching = || {
        let graphs = record.published.iter().filter(|graph| graph.quantity == *quantity).map(|graph| &graph.series);
        graphs.filter(|series| !series.is_empty() && series.start_secs() < to_secs && series.end_secs() > from_secs)
    };
    let earliest = touching().map(Series::start_secs).min()?.max(from_secs);
    touching().filter(|series| series.start_secs() <= earliest + DAY_SECS).min_by_key(|series| series.interval_secs())
}

fn interval_hours(series: &Series) -> f64 {
    f64::from(series.interval_secs()) / HOUR_SECS as f64
}
