//! A relay's history put together from the finest source for each moment.
//!
//! At each moment speaks, in this order: our own consensuses, on days of which at least half are known; the published graph with
//! the shortest interval that reaches there; whatever single consensuses of our own exist outside the published graphs. A missing
//! value inside a graph stays missing: a coarser graph's mean does not describe that moment in particular.
//!
//! A relay that is down as of the newest consensus is known to be down since its last appearance, also where the graphs froze;
//! the zeros with which a frozen graph was completed are left to the periods, because they begin before the relay was gone.
//!
//! Published values from 0.995 on read as 1: they are cut, not rounded, to 1/999 of the largest, so that 0.998 can be all of the
//! time, while one consensus missed of the 48 or fewer that an interval of up to 2 days holds is at most 0.98.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Known, PublishedGraph, Quantity, RelayFlag, RelayRecord, Series};

use crate::exact::{Exact, is_dense};
use crate::grid::{DAY_SECS, Grid, Sums, hour_at, hour_from};

/// From here on a published share of an interval is all of it.
const WHOLLY_UP: f64 = 0.995;

/// A stretch of history with one value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) start_secs: i64,
    pub(crate) end_secs: i64,
    /// The sampling step of what it rests on.
    pub(crate) interval_secs: u32,
    pub(crate) known_hours: f64,
    /// Share of the known hours.
    pub(crate) up: f64,
}

/// The days on which our own history is dense, as merged ranges of seconds.
pub(crate) struct DenseDays {
    ranges: Vec<(i64, i64)>,
}

impl DenseDays {
    /// Looks at every day of UTC that touches `[from_secs, end)`; the last one counts up to `end`.
    pub(crate) fn new(known: &Known, from_secs: i64, end: ConsensusHour) -> Self {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        let first_known_secs = known.first().map_or(i64::MAX, ConsensusHour::start_secs);
        let mut day = from_secs.max(first_known_secs).div_euclid(DAY_SECS).saturating_mul(DAY_SECS);
        while day < end.start_secs() {
            let day_end = (day + DAY_SECS).min(end.start_secs());
            let (start, stop) = (hour_at(day), hour_at(day_end));
            if is_dense(known.count(start, stop), stop.hours_since(start)) {
                match ranges.last_mut() {
                    Some(last) if last.1 == day => last.1 = day_end,
                    _ => ranges.push((day, day_end)),
                }
            }
            day += DAY_SECS;
        }
        Self { ranges }
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    /// Our own consensuses.
    Exact,
    /// A published graph, without completed intervals where these are known better.
    Graph(&'a Series),
    /// Down since the last appearance.
    Gone,
}

struct Part<'a> {
    from_secs: i64,
    to_secs: i64,
    source: Source<'a>,
}

/// A relay's history over a range of time.
pub(crate) struct Timeline<'a> {
    pub(crate) exact: Option<Exact<'a>>,
    /// Sorted, disjoint.
    parts: Vec<Part<'a>>,
}

impl<'a> Timeline<'a> {
    /// Puts `[from_secs, end)` together, where `end` is the hour after the newest consensus.
    pub(crate) fn compose(record: &'a RelayRecord, known: &'a Known, dense: &DenseDays, from_secs: i64, end: ConsensusHour) -> Self {
        let exact = Exact::new(record, known, RelayFlag::Running);
        let published = published_parts(record, from_secs, end);
        let parts = match &exact {
            Some(exact) => overlay(published, dense, from_secs.max(exact.first_seen.start_secs()), end.start_secs()),
            None => published,
        };
        Self { exact, parts }
    }

    /// Adds the history onto a grid.
    pub(crate) fn add_to(&self, grid: &Grid, sums: &mut Sums) {
        for part in &self.parts {
            match (&part.source, &self.exact) {
                (Source::Exact, Some(exact)) => add_exact(exact, part, grid, sums),
                (Source::Exact, None) => {}
                (Source::Graph(series), _) => each_interval(series, part, |s| sums.add_stretch(grid, s.start_secs, s.end_secs, s.up)),
                (Source::Gone, _) => sums.add_stretch(grid, part.from_secs, part.to_secs, 0.0),
            }
        }
    }

    /// Visits the history in the order of time, leaving out what is not known.
    pub(crate) fn each(&self, mut visit: impl FnMut(Stretch)) {
        for part in &self.parts {
            match (&part.source, &self.exact) {
                (Source::Exact, Some(exact)) => each_run(exact, part, &mut visit),
                (Source::Exact, None) => {}
                (Source::Graph(series), _) => each_interval(series, part, &mut visit),
                (Source::Gone, _) => visit(gone(part)),
            }
        }
    }
}

/// The graphs of uptime that a relay has, shortest interval first.
pub(crate) fn uptime_graphs(record: &RelayRecord) -> Vec<&PublishedGraph> {
    let mut graphs: Vec<_> = record.published.iter().filter(|g| g.quantity == Quantity::Uptime && !g.series.is_empty()).collect();
    graphs.sort_by_key(|graph| graph.series.interval_secs());
    graphs
}

fn published_parts(record: &RelayRecord, from_secs: i64, end: ConsensusHour) -> Vec<Part<'_>> {
    let gone_since_secs = gone_since(record, end).map(ConsensusHour::start_secs);
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut free_until_secs = end.start_secs();
    for graph in uptime_graphs(record) {
        let series = &graph.series;
        let n_published = if gone_since_secs.is_some() { series.len().saturating_sub(graph.completed) } else { series.len() };
        let from = series.start_secs().max(from_secs);
        let to = series.interval_start_secs(n_published).min(free_until_secs);
        if from < to {
            parts.push(Part { from_secs: from, to_secs: to, source: Source::Graph(series) });
        }
        free_until_secs = free_until_secs.min(series.start_secs());
    }
    parts.reverse();
    if let Some(since_secs) = gone_since_secs {
        let from = parts.last().map_or(from_secs, |part| part.to_secs).max(since_secs).max(from_secs);
        if from < end.start_secs() {
            parts.push(Part { from_secs: from, to_secs: end.start_secs(), source: Source::Gone });
        }
    }
    parts
}

/// The hour after the last appearance of a relay that is down.
fn gone_since(record: &RelayRecord, end: ConsensusHour) -> Option<ConsensusHour> {
    let seen = record.relay.last_seen.filter(|_| !record.relay.running)?;
    (seen.next() < end).then(|| seen.next())
}

/// Lets our own history speak on dense days and wherever nothing is published.
fn overlay<'a>(published: Vec<Part<'a>>, dense: &DenseDays, exact_from_secs: i64, to_secs: i64) -> Vec<Part<'a>> {
    let mut layers = Layers { parts: Vec::with_capacity(published.len() + dense.ranges.len() + 1), exact_from_secs };
    let mut at = i64::MIN;
    for part in published {
        layers.push_exact(at, part.from_secs);
        at = part.from_secs;
        for (start, end) in dense.ranges.iter().filter(|(start, end)| *end > part.from_secs && *start < part.to_secs) {
            let (start, end) = ((*start).max(exact_from_secs), (*end).min(part.to_secs));
            if start < end && at < end {
                layers.push(&part, at, start);
                layers.push_exact(at.max(start), end);
                at = end;
            }
        }
        layers.push(&part, at, part.to_secs);
        at = part.to_secs;
    }
    layers.push_exact(at, to_secs);
    layers.parts
}

struct Layers<'a> {
    parts: Vec<Part<'a>>,
    exact_from_secs: i64,
}

impl<'a> Layers<'a> {
    fn push(&mut self, part: &Part<'a>, from_secs: i64, to_secs: i64) {
        if from_secs < to_secs {
            self.parts.push(Part { from_secs, to_secs, source: part.source });
        }
    }

    fn push_exact(&mut self, from_secs: i64, to_secs: i64) {
        let from_secs = from_secs.max(self.exact_from_secs);
        match self.parts.last_mut() {
            _ if from_secs >= to_secs => {}
            Some(Part { to_secs: last, source: Source::Exact, .. }) if *last == from_secs => *last = to_secs,
            _ => self.parts.push(Part { from_secs, to_secs, source: Source::Exact }),
        }
    }
}

fn gone(part: &Part<'_>) -> Stretch {
    let known_hours = (part.to_secs - part.from_secs) as f64 / HOUR_SECS as f64;
    Stretch { start_secs: part.from_secs, end_secs: part.to_secs, interval_secs: HOUR_SECS as u32, known_hours, up: 0.0 }
}

/// Visits the measured intervals of a graph within a part; those on its edge are cut.
fn each_interval(series: &Series, part: &Part<'_>, mut visit: impl FnMut(Stretch)) {
    let step = i64::from(series.interval_secs());
    let first = (part.from_secs - series.start_secs()).max(0) / step;
    let mut start = series.start_secs() + first * step;
    let mut i = first as usize;
    while start < part.to_secs && i < series.len() {
        if let Some(value) = series.get(i) {
            let (start_secs, end_secs) = (start.max(part.from_secs), (start + step).min(part.to_secs));
            let known_hours = (end_secs - start_secs) as f64 / HOUR_SECS as f64;
            visit(Stretch { start_secs, end_secs, interval_secs: series.interval_secs(), known_hours, up: share(value) });
        }
        start += step;
        i += 1;
    }
}

fn share(value: f64) -> f64 {
    if value >= WHOLLY_UP { 1.0 } else { value.max(0.0) }
}

/// Visits the runs of known consensuses in which the relay was up, and those between them.
fn each_run(exact: &Exact<'_>, part: &Part<'_>, visit: &mut impl FnMut(Stretch)) {
    let (from, to) = (exact.known.index_of(hour_from(part.from_secs)), exact.known.index_of(hour_from(part.to_secs)));
    let mut emit = |start: usize, end: usize, up: f64| {
        if start < end {
            let hours = exact.known.hours();
            let (start_secs, end_secs) = (hours[start].start_secs(), hours[end - 1].next().start_secs());
            visit(Stretch { start_secs, end_secs, interval_secs: HOUR_SECS as u32, known_hours: (end - start) as f64, up });
        }
    };
    let mut at = from;
    for run in exact.runs.runs.iter().skip(exact.runs.runs.partition_point(|run| run.end <= from)) {
        if run.start >= to {
            break;
        }
        emit(at, run.start, 0.0);
        emit(run.start.max(from), run.end.min(to), 1.0);
        at = run.end.min(to);
    }
    emit(at, to, 0.0);
}

fn add_exact(exact: &Exact<'_>, part: &Part<'_>, grid: &Grid, sums: &mut Sums) {
    let (from_secs, to_secs) = (part.from_secs.max(grid.start_secs), part.to_secs.min(grid.end_secs()));
    if from_secs >= to_secs {
        return;
    }
    let (from, to) = (exact.known.index_of(hour_from(from_secs)), exact.known.index_of(hour_from(to_secs)));
    let (first, last) = (grid.index(from_secs), grid.index(to_secs - 1));
    let overlap = |i: usize, start: usize, end: usize| {
        let (start, end) = (start.max(grid.edge_index(i)), end.min(grid.edge_index(i + 1)));
        end.saturating_sub(start) as f64 * HOUR_SECS as f64
    };
    for i in first..=last {
        sums.known[i] += overlap(i, from, to);
    }
    let mut i = first;
    for run in exact.runs.runs.iter().skip(exact.runs.runs.partition_point(|run| run.end <= from)) {
        if run.start >= to {
            break;
        }
        let (start, end) = (run.start.max(from), run.end.min(to));
        while i < last && grid.edge_index(i + 1) <= start {
            i += 1;
        }
        let mut j = i;
        while j <= last && grid.edge_index(j) < end {
            sums.up[j] += overlap(j, start, end);
            j += 1;
        }
    }
}
