//! Groups of relays over time: their uptime together, how many of them ran, and how they moved between states.
//!
//! Everything here is computed when it is asked for, from the record as it stands: one pass over the spans of all relays, or over
//! the histories of the members. Intervals of which no consensus is known have no value.

use std::collections::BTreeMap;

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fraction, Known, NetworkRecord, Quantity, RelayFlag, RelayRecord, RelayState, Series, StateSpan};

use crate::exact::Exact;
use crate::grid::{Grid, Sums};
use crate::report::Strip;
use crate::strip::cells;
use crate::timeline::{DenseDays, Timeline};

/// The uptime of several relays together from `from` to the newest consensus, in intervals of `step_secs`: of all their known hours
/// the share in which they ran. Cost grows with the histories of the members.
pub fn group_strip<'a>(
    record: &NetworkRecord,
    members: impl IntoIterator<Item = &'a RelayRecord>,
    from: ConsensusHour,
    step_secs: i64,
) -> Strip {
    let end = record.as_of.next();
    let grid = Grid::covering(from.min(end).start_secs(), end.start_secs(), step_secs.max(HOUR_SECS), &record.known);
    let dense = DenseDays::new(&record.known, grid.start_secs, end);
    let (mut sums, mut own) = (Sums::default(), Sums::default());
    sums.reset(grid.n);
    for member in members {
        own.reset(grid.n);
        Timeline::compose(member, &record.known, &dense, grid.start_secs, end).add_to(&grid, &mut own);
        for i in 0..grid.n {
            sums.known[i] += own.known[i];
            sums.up[i] += own.up[i];
        }
    }
    cells(&grid, &sums, 0)
}

/// The share of the known consensuses of `[from, to)` in which a relay ran, from its first appearance on; `None` where none is known.
pub fn uptime_between(relay: &RelayRecord, known: &Known, from: ConsensusHour, to: ConsensusHour) -> Option<Fraction> {
    let count = Exact::new(relay, known, RelayFlag::Running)?.count(from, to);
    Fraction::of(count.with as f64, count.known as f64)
}

/// The concentration of something in the parts of a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    /// The Herfindahl–Hirschman index Σ p² over the shares of the parts, above 0 up to 1.
    pub index: f64,
    /// The share of the ten largest parts together, 0 to 1.
    pub top_10: f64,
}

impl Concentration {
    /// That of parts of these sizes, in any order and unit; `None` where their sum is 0.
    pub fn of(mut sizes: Vec<f64>) -> Option<Self> {
        sizes.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = sizes.iter().sum();
        let index = sizes.iter().map(|size| (size / total).powi(2)).sum();
        (total > 0.0).then(|| Self { index, top_10: (sizes.iter().take(10).sum::<f64>() / total).min(1.0) })
    }

    /// The number of equally large parts that would be as concentrated: 1 / Σ p², the inverse Simpson index.
    pub fn effective(&self) -> f64 {
        1.0 / self.index
    }
}

/// The concentration of the running relays in autonomous systems and in countries, each relay counted once, at the last known
/// consensus before each of these instants, which must rise. `None` where none is known within a day, or nothing ran.
pub fn diversity(record: &NetworkRecord, instants: &[i64]) -> [Vec<Option<Concentration>>; 2] {
    let at = |secs: &i64| record.known.before(hour(*secs)).filter(|known| hour(*secs).hours_since(*known) <= 24);
    // The instants of which a consensus is known, with its hour.
    let known: Vec<(usize, ConsensusHour)> = instants.iter().enumerate().filter_map(|(i, secs)| Some((i, at(secs)?))).collect();
    let (mut systems, mut countries) = (Parts::new(known.len()), Parts::new(known.len()));
    let (Some((_, first)), Some((_, last))) = (known.first(), known.last()) else {
        return [vec![None; instants.len()], vec![None; instants.len()]];
    };
    let index = |at: ConsensusHour| known.partition_point(|(_, hour)| *hour < at);
    for relay in &record.relays {
        for span in spans_from(relay, *first).iter().take_while(|span| span.start <= *last) {
            if span.state.flags.contains(RelayFlag::Running) {
                let there = index(span.start)..index(span.end);
                systems.add(span.state.asn, &there);
                countries.add(span.state.country, &there);
            }
        }
    }
    let spread = |found: Vec<Option<Concentration>>| {
        let mut all = vec![None; instants.len()];
        known.iter().zip(found).for_each(|((i, _), found)| all[*i] = found);
        all
    };
    [spread(systems.concentrations()), spread(countries.concentrations())]
}

/// The spans of a relay that end after an hour; spans are in the order of time and do not overlap.
fn spans_from(relay: &RelayRecord, hour: ConsensusHour) -> &[StateSpan] {
    &relay.spans[relay.spans.partition_point(|span| span.end <= hour)..]
}

/// Numbers of relays in each part of the network at each index of a list of consensuses, as changes from one to the next.
struct Parts<K> {
    changes: BTreeMap<K, Vec<i32>>,
    n: usize,
}

impl<K: Ord> Parts<K> {
    const fn new(n: usize) -> Self {
        Self { changes: BTreeMap::new(), n }
    }

    fn add(&mut self, part: Option<K>, there: &std::ops::Range<usize>) {
        let Some(part) = part.filter(|_| !there.is_empty()) else { return };
        let changes = self.changes.entry(part).or_insert_with(|| vec![0; self.n + 1]);
        changes[there.start] += 1;
        changes[there.end] -= 1;
    }

    fn concentrations(self) -> Vec<Option<Concentration>> {
        let mut sizes = vec![Vec::new(); self.n];
        for changes in self.changes.into_values() {
            let mut size = 0;
            for (sizes, change) in sizes.iter_mut().zip(changes) {
                size += change;
                if size > 0 {
                    sizes.push(f64::from(size));
                }
            }
        }
        sizes.into_iter().map(Concentration::of).collect()
    }
}

/// Published graphs of relays added up: the sum of a quantity over the relays that have a value in each interval
/// `[edge, next edge)`, in seconds since 1970-01-01T00:00:00Z; of each relay the finest graph that reaches there, as the mean of its
/// values in the interval. `None` where no relay has a value. A relay without a value adds nothing, so the past of relays that have
/// left, of which sources publish nothing any more, is missing from the sum.
pub fn published_sums<'a>(members: impl IntoIterator<Item = &'a RelayRecord>, quantity: &Quantity, edges: &[i64]) -> Vec<Option<f64>> {
    let mut sums: Vec<Option<f64>> = vec![None; edges.len().saturating_sub(1)];
    for member in members {
        let mut graphs: Vec<&Series> =
            member.published.iter().filter(|graph| graph.quantity == *quantity).map(|graph| &graph.series).collect();
        graphs.sort_by_key(|series| series.interval_secs());
        if graphs.is_empty() {
            continue;
        }
        for (sum, pair) in sums.iter_mut().zip(edges.windows(2)) {
            if let Some(value) = graphs.iter().find_map(|series| mean_between(series, pair[0], pair[1])) {
                *sum = Some(sum.unwrap_or(0.0) + value);
            }
        }
    }
    sums
}

/// The mean of the values whose intervals have their middle in `[from, to)`, or the value in whose interval the middle of it lies.
fn mean_between(series: &Series, from_secs: i64, to_secs: i64) -> Option<f64> {
    let step = i64::from(series.interval_secs());
    let index = |secs: i64| usize::try_from((secs - series.start_secs()).div_euclid(step)).ok();
    if to_secs - from_secs < step {
        return index(i64::midpoint(from_secs, to_secs)).and_then(|i| series.get(i));
    }
    let first = index(from_secs - step / 2 + step - 1).unwrap_or(0);
    let end = index(to_secs - step / 2 + step - 1).unwrap_or(0).min(series.len());
    let known: Vec<f64> = (first..end).filter_map(|i| series.get(i)).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The states that count: a flag that must be held beside Running, and a location.
pub struct Selection<'a> {
    /// A flag that must be held; the hours in which it is not known are left out.
    pub flag: RelayFlag,
    /// Further conditions.
    pub fits: &'a dyn Fn(&RelayState) -> bool,
}

/// The number of these relays that ran on average over the known consensuses of each interval `[edge, next edge)`, in seconds since
/// 1970-01-01T00:00:00Z, from our own consensuses. `None` where none is known.
pub fn running_counts<'a>(
    known: &Known,
    relays: impl IntoIterator<Item = &'a RelayRecord>,
    selection: &Selection<'_>,
    edges: &[i64],
) -> Vec<Option<f64>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let known = known.of_flag(selection.flag);
    let (from, to) = (known.index_of(hour(*first)), known.index_of(hour(*last)));
    // Counted in indices among the known consensuses, where there are no gaps.
    let mut changes = vec![0i64; to.saturating_sub(from) + 1];
    for relay in relays {
        for span in spans_from(relay, hour(*first)).iter().take_while(|span| span.start < hour(*last)) {
            let state = &span.state;
            if state.flags.contains(RelayFlag::Running) && state.flags.contains(selection.flag) && (selection.fits)(state) {
                let index = |at: ConsensusHour| known.index_of(at).clamp(from, to) - from;
                changes[index(span.start)] += 1;
                changes[index(span.end)] -= 1;
            }
        }
    }
    let running = changes.iter().scan(0i64, |running, change| {
        *running += change;
        Some(*running)
    });
    let sums: Vec<i64> = std::iter::once(0)
        .chain(running)
        .scan(0i64, |sum, n| {
            *sum += n;
            Some(*sum)
        })
        .collect();
    means(edges, known, &sums, from)
}

/// Sums of the values before each index, as means between edges.
fn means(edges: &[i64], known: &Known, sums: &[i64], from: usize) -> Vec<Option<f64>> {
    let mean = |pair: &[i64]| {
        let [start, end] = [pair[0], pair[1]].map(|edge| known.index_of(hour(edge)).saturating_sub(from));
        (end > start).then(|| (sums[end] - sums[start]) as f64 / (end - start) as f64)
    };
    edges.windows(2).map(mean).collect()
}

fn hour(secs: i64) -> ConsensusHour {
    ConsensusHour::new(i32::try_from(secs.div_euclid(HOUR_SECS)).unwrap_or(i32::MAX))
}

/// The standing of a relay at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Running with Guard and Exit.
    GuardAndExit,
    /// Running with Guard.
    Guard,
    /// Running with Exit.
    Exit,
    /// Running with neither.
    Middle,
    /// Not Running, and seen in the 7 days before.
    Down,
    /// Not seen in the 7 days before, or not yet.
    Absent,
}

impl Standing {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::GuardAndExit, Self::Guard, Self::Exit, Self::Middle, Self::Down, Self::Absent];

    /// The standing of a relay in a consensus, by our own history.
    pub fn at(relay: &RelayRecord, hour: ConsensusHour) -> Self {
        let after = relay.spans.partition_point(|span| span.start <= hour);
        let Some(span) = after.checked_sub(1).map(|i| &relay.spans[i]) else { return Self::Absent };
        let flags = span.state.flags;
        let is_running = span.end > hour && flags.contains(RelayFlag::Running);
        match (is_running, flags.contains(RelayFlag::Guard), flags.contains(RelayFlag::Exit)) {
            (true, true, true) => Self::GuardAndExit,
            (true, true, false) => Self::Guard,
            (true, false, true) => Self::Exit,
            (true, false, false) => Self::Middle,
            (false, ..) if hour.hours_since(span.end) < RelayRecord::CURRENT_HOURS => Self::Down,
            (false, ..) => Self::Absent,
        }
    }
}

/// The number of relays that went from each standing to each between two consensuses, by [`Standing::ALL`]; both must be known. Relays that
/// are absent at both are left out.
pub fn flows<'a>(relays: impl IntoIterator<Item = &'a RelayRecord>, from: ConsensusHour, to: ConsensusHour) -> [[u64; 6]; 6] {
    let mut counts = [[0; 6]; 6];
    for relay in relays {
        let (before, after) = (Standing::at(relay, from), Standing::at(relay, to));
        if (before, after) != (Standing::Absent, Standing::Absent) {
            counts[before as usize][after as usize] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use allium_model::{Fingerprint, Relay};

    use super::*;

    fn h(n: i32) -> ConsensusHour {
        ConsensusHour::new(480_000 + n)
    }

    /// A relay with stretches `[start, end)` with Guard or without.
    fn relay(n: u8, stretches: &[(i32, i32, bool)]) -> RelayRecord {
        let span = |(start, end, guard): &(i32, i32, bool)| {
            let flags = [Some(RelayFlag::Running), guard.then_some(RelayFlag::Guard)].into_iter().flatten().collect();
            StateSpan { start: h(*start), end: h(*end), state: RelayState { flags, ..RelayState::default() } }
        };
        RelayRecord {
            relay: Relay { first_seen: Some(h(0)).into(), ..Relay::unknown(Fingerprint::new([n; 20])) },
            spans: stretches.iter().map(span).collect(),
            published: Vec::new(),
        }
    }

    fn record(relays: Vec<RelayRecord>) -> NetworkRecord {
        // Hours 4 and 5 are not known.
        let hours = (0..12).filter(|n| ![4, 5].contains(n)).map(h).collect();
        NetworkRecord { as_of: h(11), known: Known::new(hours), relays, sources: Vec::new(), rejects: Vec::new() }
    }

    #[test]
    fn counts_are_means_over_known_consensuses() {
        let record = record(vec![relay(1, &[(0, 12, false)]), relay(2, &[(1, 3, true), (6, 8, false)]), relay(3, &[(3, 9, true)])]);
        let edges: Vec<i64> = [0, 2, 4, 6, 8, 12].iter().map(|n| h(*n).start_secs()).collect();
        let all = running_counts(&record.known, &record.relays, &Selection { flag: RelayFlag::Running, fits: &|_| true }, &edges);
        assert_eq!(all, [Some(1.5), Some(2.0), None, Some(3.0), Some(1.25)]);
        let guards = running_counts(&record.known, &record.relays, &Selection { flag: RelayFlag::Guard, fits: &|_| true }, &edges);
        assert_eq!(guards, [Some(0.5), Some(1.0), None, Some(1.0), Some(0.25)]);
        assert!(running_counts(&record.known, &record.relays, &Selection { flag: RelayFlag::Running, fits: &|_| true }, &[]).is_empty());
    }

    #[test]
    fn diversity_is_the_number_of_equal_groups() {
        let mut relays = vec![relay(1, &[(0, 12, false)]), relay(2, &[(0, 12, false)]), relay(3, &[(0, 2, false)])];
        for (n, relay) in relays.iter_mut().enumerate() {
            relay.spans[0].state.asn = Some(allium_model::Asn(1 + n as u32));
            relay.spans[0].state.country = "de".parse().ok();
        }
        let [systems, countries] = diversity(&record(relays), &[h(2).start_secs(), h(4).start_secs(), h(400).start_secs()]);
        let effective = |found: &[Option<Concentration>]| found.iter().map(|c| c.map(|c| c.effective().round())).collect::<Vec<_>>();
        assert_eq!(effective(&systems), [Some(3.0), Some(2.0), None]);
        assert_eq!(effective(&countries), [Some(1.0), Some(1.0), None]);
    }

    #[test]
    fn uptime_between_two_hours_counts_known_consensuses() {
        let record = record(vec![relay(1, &[(0, 7, false)])]);
        let share = |from, to| uptime_between(&record.relays[0], &record.known, h(from), h(to)).map(Fraction::get);
        assert_eq!((share(0, 12), share(2, 8), share(4, 6)), (Some(0.5), Some(0.75), None));
    }

    #[test]
    fn standings_tell_down_from_absent() {
        let relay = relay(1, &[(2, 4, true), (6, 8, false)]);
        let cases = [
            (0, Standing::Absent),
            (2, Standing::Guard),
            (5, Standing::Down),
            (7, Standing::Middle),
            (9, Standing::Down),
            (500, Standing::Absent),
        ];
        for (at, expected) in cases {
            assert_eq!(Standing::at(&relay, h(at)), expected, "{at}");
        }
        let counts = flows([&relay], h(2), h(7));
        assert_eq!(counts[Standing::Guard as usize][Standing::Middle as usize], 1);
        assert_eq!(counts.iter().flatten().sum::<u64>(), 1);
        assert_eq!(flows([&relay], h(0), h(500)).iter().flatten().sum::<u64>(), 0);
    }

    #[test]
    fn a_group_is_up_for_its_share_of_known_hours() {
        let record = record(vec![relay(1, &[(0, 12, false)]), relay(2, &[(0, 2, false)])]);
        let strip = group_strip(&record, &record.relays, h(0), HOUR_SECS);
        let known: Vec<f64> = strip.cells.iter().filter_map(|cell| cell.uptime.map(Fraction::get)).collect();
        assert!(known.contains(&1.0) && known.contains(&0.5), "{known:?}");
        assert!(group_strip(&record, [], h(0), HOUR_SECS).cells.iter().all(|cell| cell.uptime.is_none()));
    }

    #[test]
    fn concentration_has_known_answers() {
        // Shares 0.4, 0.3, 0.2, 0.1: Σ p² = 0.3.
        let found = Concentration::of(vec![3.0, 1.0, 4.0, 2.0]).unwrap();
        assert!((found.index - 0.3).abs() < 1e-12 && (found.effective() - 1.0 / 0.3).abs() < 1e-9);
        assert_eq!(Concentration::of((0..20).map(|_| 1.0).collect()).unwrap().top_10, 0.5);
        assert_eq!(Concentration::of(vec![0.0]), None);
    }

    #[test]
    fn published_values_are_summed_where_there_are_any() {
        let graph = |start: i64, interval_secs: u32, codes: &[Option<u16>]| allium_model::PublishedGraph {
            quantity: Quantity::BytesWritten,
            period: allium_model::GraphPeriod::Named(allium_model::Period::OneMonth),
            series: Series::from_codes(start, interval_secs, 1.0, codes.iter().copied()).unwrap(),
            completed: 0,
        };
        let with = |n, graphs| RelayRecord { published: graphs, ..relay(n, &[]) };
        let day = 86_400;
        let fine = with(
            1,
            vec![graph(10 * day, 43_200, &[Some(10), Some(30), None, None]), graph(8 * day, 86_400, &[Some(7), Some(9), Some(1), Some(5)])],
        );
        let other = with(2, vec![graph(11 * day, 86_400, &[Some(100)])]);
        let edges: Vec<i64> = (8..=13).map(|i| i * day).collect();
        // The day without a fine value falls back to the coarse graph.
        assert_eq!(published_sums([&fine, &other], &Quantity::BytesWritten, &edges), [Some(7.0), Some(9.0), Some(20.0), Some(105.0), None]);
        assert_eq!(published_sums([&fine], &Quantity::BytesRead, &edges), vec![None; 5]);
        assert_eq!(published_sums([&other], &Quantity::BytesWritten, &[11 * day, 11 * day + 3_600]), [Some(100.0)]);
    }
}
