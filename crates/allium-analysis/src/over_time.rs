//! Groups of relays over time: their uptime together, how many of them ran, and how they moved between states.
//!
//! Everything here is computed when it is asked for, from the record as it stands: one pass over the spans of all relays, or over
//! the histories of the members. Intervals of which no consensus is known have no value.

use std::collections::BTreeMap;

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Fraction, Known, NetworkRecord, RelayFlag, RelayRecord, RelayState};

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

/// How many autonomous systems and countries the running relays would be in if all of these had equally many (inverse Simpson index,
/// 1 / Σ p²), at the last known consensus before each of these instants. `None` where none is known within a day, or nothing ran.
pub fn diversity(record: &NetworkRecord, instants: &[i64]) -> [Vec<Option<f64>>; 2] {
    let at = |secs: &i64| record.known.before(hour(*secs)).filter(|known| hour(*secs).hours_since(*known) <= 24);
    let hours: Vec<Option<ConsensusHour>> = instants.iter().map(at).collect();
    let (mut systems, mut countries) = (vec![BTreeMap::new(); hours.len()], vec![BTreeMap::new(); hours.len()]);
    for span in record.relays.iter().flat_map(|relay| &relay.spans).filter(|span| span.state.flags.contains(RelayFlag::Running)) {
        for (i, _) in hours.iter().enumerate().filter(|(_, hour)| hour.is_some_and(|hour| span.start <= hour && hour < span.end)) {
            if let Some(asn) = span.state.asn {
                *systems[i].entry(asn).or_insert(0u64) += 1;
            }
            if let Some(country) = span.state.country {
                *countries[i].entry(country).or_insert(0u64) += 1;
            }
        }
    }
    [systems.iter().map(inverse_simpson).collect(), countries.iter().map(inverse_simpson).collect()]
}

fn inverse_simpson<K>(counts: &BTreeMap<K, u64>) -> Option<f64> {
    let total: u64 = counts.values().sum();
    let sum: f64 = counts.values().map(|n| (*n as f64 / total as f64).powi(2)).sum();
    (total > 0).then(|| 1.0 / sum)
}

/// Which states count: a flag that must be held beside Running, and a place.
pub struct Selection<'a> {
    /// A flag that must be held; the hours in which it is not known are left out.
    pub flag: RelayFlag,
    /// Further conditions.
    pub fits: &'a dyn Fn(&RelayState) -> bool,
}

/// How many relays ran on average over the known consensuses of each interval `[edge, next edge)`, in seconds since
/// 1970-01-01T00:00:00Z, from our own consensuses. `None` where none is known.
pub fn running_counts(record: &NetworkRecord, selection: &Selection<'_>, edges: &[i64]) -> Vec<Option<f64>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let known = record.known.of_flag(selection.flag);
    let (from, to) = (known.place(hour(*first)), known.place(hour(*last)));
    // Counted in places among the known consensuses, where there are no gaps.
    let mut changes = vec![0i64; to.saturating_sub(from) + 1];
    for relay in &record.relays {
        for span in relay.spans.iter().filter(|span| span.end > hour(*first) && span.start < hour(*last)) {
            let state = &span.state;
            if state.flags.contains(RelayFlag::Running) && state.flags.contains(selection.flag) && (selection.fits)(state) {
                let place = |at: ConsensusHour| known.place(at).clamp(from, to) - from;
                changes[place(span.start)] += 1;
                changes[place(span.end)] -= 1;
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

/// Sums of the values before each place, as means between edges.
fn means(edges: &[i64], known: &Known, sums: &[i64], from: usize) -> Vec<Option<f64>> {
    let mean = |pair: &[i64]| {
        let [start, end] = [pair[0], pair[1]].map(|edge| known.place(hour(edge)).saturating_sub(from));
        (end > start).then(|| (sums[end] - sums[start]) as f64 / (end - start) as f64)
    };
    edges.windows(2).map(mean).collect()
}

fn hour(secs: i64) -> ConsensusHour {
    ConsensusHour::new(i32::try_from(secs.div_euclid(HOUR_SECS)).unwrap_or(i32::MAX))
}

/// What a relay is at a moment.
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

/// How many relays went from which standing to which between two consensuses, by [`Standing::ALL`]; both must be known. Relays that
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
    use allium_model::{Fingerprint, Relay, StateSpan};

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
            relay: Relay { first_seen: Some(h(0)), ..Relay::unknown(Fingerprint::new([n; 20])) },
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
        let all = running_counts(&record, &Selection { flag: RelayFlag::Running, fits: &|_| true }, &edges);
        assert_eq!(all, [Some(1.5), Some(2.0), None, Some(3.0), Some(1.25)]);
        let guards = running_counts(&record, &Selection { flag: RelayFlag::Guard, fits: &|_| true }, &edges);
        assert_eq!(guards, [Some(0.5), Some(1.0), None, Some(1.0), Some(0.25)]);
        assert!(running_counts(&record, &Selection { flag: RelayFlag::Running, fits: &|_| true }, &[]).is_empty());
    }

    #[test]
    fn diversity_is_the_number_of_equal_groups() {
        let mut relays = vec![relay(1, &[(0, 12, false)]), relay(2, &[(0, 12, false)]), relay(3, &[(0, 2, false)])];
        for (n, relay) in relays.iter_mut().enumerate() {
            relay.spans[0].state.asn = Some(allium_model::Asn(1 + n as u32));
            relay.spans[0].state.country = "de".parse().ok();
        }
        let [systems, countries] = diversity(&record(relays), &[h(2).start_secs(), h(4).start_secs(), h(400).start_secs()]);
        assert_eq!(systems.iter().map(|n| n.map(f64::round)).collect::<Vec<_>>(), [Some(3.0), Some(2.0), None]);
        assert_eq!(countries, [Some(1.0), Some(1.0), None]);
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
}
