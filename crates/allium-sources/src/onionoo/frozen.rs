//! Known-down intervals for relays that disappeared.
//!
//! Onionoo rewrites the uptime document of a relay only while consensuses list it. When a relay disappears its graphs
//! freeze, and the outage that goes on is not in them. It is known, however, that the relay is in none of the
//! consensuses since, up to the document's newest one.
//!
//! How it is recognised: the graphs of all relays end together, at the last complete interval before the hour after the newest
//! consensus. A relay is frozen if its finest uptime graph ends before that. Let that graph end at `e`, with intervals
//! of length `i`. It was last written for some hour in `[e, e + i)`, before the next interval was complete. So:
//!
//! - An interval that starts at `e` or before may hold the relay's last appearances. Their number is not in this
//!   document, so it is *missing*: an unknown share of it was up.
//! - An interval that starts later is *down*, 0, provided that its consensuses are known.
//! - It is *missing* where no relay of the document has a value for it (the source had no consensuses then).
//!
//! On the real documents of 2026-02-15 the rule can be checked against `last_seen` of the details: of 893 relays with a
//! month's graph that are not Running, each ended 0 to 3 hours before the hour after its last appearance, as it should;
//! 809 of them are frozen, and no Running relay is.
//!
//! Up to one interval per graph is left open this way, which also means that a graph that is one interval short for any
//! other reason is never taken for downtime. Coarser graphs of the relay, and those of its flags, follow its finest uptime graph.
//! Only complete intervals are appended. Relays with a graph whose end is not certain are left alone.

use std::collections::{BTreeMap, HashSet};

use allium_model::{ConsensusHour, PublishedGraph, Quantity, RelayHistories, Series};

use super::graph::MAX_INTERVALS;

/// From this many graphs on, an end that none of them reaches is the source's and not theirs: a whole network does not
/// disappear, but the few relays of a small answer may.
const WHOLE_NETWORK: usize = 50;
/// Number of different lengths of interval that are handled; documents have four.
const MAX_INTERVAL_LENGTHS: usize = 32;
/// Number of intervals that are appended to all graphs of a document together. Real documents need half a million.
const MAX_COMPLETED: usize = 32_000_000;

/// Ends of the graphs of an uptime document, and intervals that have values, by length of interval.
pub(super) struct Ends {
    graphs_end_secs: i64,
    by_interval: BTreeMap<u32, IntervalEnds>,
}

/// Counts of what was done to the graphs of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Completion {
    /// Relays that are frozen.
    pub(super) n_frozen: usize,
    /// Intervals appended to their graphs.
    n_intervals: usize,
    /// Graphs of these that stopped too long ago to be completed.
    pub(super) n_given_up: usize,
}

impl Ends {
    /// Reads the ends of a document as of `published`, without the relays with `uncertain` indexes.
    pub(super) fn new(relays: &[RelayHistories], uncertain: &HashSet<usize>, published: ConsensusHour) -> Self {
        let graphs_end_secs = published.next().start_secs();
        let mut by_interval: BTreeMap<u32, IntervalEnds> = BTreeMap::new();
        let certain = relays.iter().enumerate().filter(|(relay_idx, _)| !uncertain.contains(relay_idx));
        for series in certain.flat_map(|(_, relay)| uptime_graphs(relay)) {
            let interval_secs = series.interval_secs();
            if by_interval.len() < MAX_INTERVAL_LENGTHS || by_interval.contains_key(&interval_secs) {
                by_interval.entry(interval_secs).or_insert_with(|| IntervalEnds::new(graphs_end_secs, interval_secs)).add(series);
            }
        }
        Self { graphs_end_secs, by_interval }
    }

    /// Completes the graphs of frozen relays.
    pub(super) fn complete(&self, relays: &mut [RelayHistories], uncertain: &HashSet<usize>) -> Completion {
        let mut completion = Completion::default();
        for (_, relay) in relays.iter_mut().enumerate().filter(|(relay_idx, _)| !uncertain.contains(relay_idx)) {
            self.complete_relay(relay, &mut completion);
        }
        completion
    }

    fn complete_relay(&self, relay: &mut RelayHistories, completion: &mut Completion) {
        let Some(finest) = uptime_graphs(relay).min_by_key(|series| series.interval_secs()) else { return };
        let frozen_at_secs = finest.end_secs();
        if frozen_at_secs >= self.end_secs(finest.interval_secs()) {
            return;
        }
        completion.n_frozen += 1;
        for graph in &mut relay.graphs {
            self.complete_graph(graph, frozen_at_secs, completion);
        }
    }

    fn complete_graph(&self, graph: &mut PublishedGraph, frozen_at_secs: i64, completion: &mut Completion) {
        let interval_secs = graph.series.interval_secs();
        let gap_secs = self.end_secs(interval_secs) - graph.series.end_secs();
        let n = usize::try_from(gap_secs / i64::from(interval_secs)).unwrap_or(0);
        if graph.series.len() + n > MAX_INTERVALS || completion.n_intervals + n > MAX_COMPLETED {
            completion.n_given_up += 1;
            return;
        }
        for _ in 0..n {
            let start_secs = graph.series.end_secs();
            let is_down = start_secs > frozen_at_secs && self.is_known(start_secs, interval_secs);
            graph.series.extend_with(1, is_down.then_some(0));
        }
        graph.completed = n;
        completion.n_intervals += n;
    }

    /// End of the graphs with this interval that are up to date.
    fn end_secs(&self, interval_secs: u32) -> i64 {
        match self.by_interval.get(&interval_secs) {
            Some(ends) if ends.n_graphs >= WHOLE_NETWORK => ends.reach_secs,
            _ => self.graphs_end_secs.div_euclid(i64::from(interval_secs)) * i64::from(interval_secs),
        }
    }

    fn is_known(&self, start_secs: i64, interval_secs: u32) -> bool {
        let interval_idx = start_secs.div_euclid(i64::from(interval_secs));
        self.by_interval.get(&interval_secs).is_none_or(|ends| ends.measured(interval_idx) != Measured::Missing)
    }
}

/// Ends and values of the graphs with one length of interval.
struct IntervalEnds {
    n_graphs: usize,
    reach_secs: i64,
    /// The number, counted from 1970, of the first interval of `values`.
    first: i64,
    /// Values of the newest [`MAX_INTERVALS`] intervals.
    values: Vec<Measured>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Measured {
    /// Outside all graphs.
    Nothing,
    /// Inside graphs, but missing in each.
    Missing,
    /// Some graph has a value.
    Value,
}

impl IntervalEnds {
    fn new(graphs_end_secs: i64, interval_secs: u32) -> Self {
        // Graphs may reach one interval beyond the newest consensus, and their starts need not be multiples of the interval.
        let end = graphs_end_secs.div_euclid(i64::from(interval_secs)) + 2;
        Self { n_graphs: 0, reach_secs: 0, first: end - MAX_INTERVALS as i64, values: vec![Measured::Nothing; MAX_INTERVALS] }
    }

    fn add(&mut self, series: &Series) {
        self.n_graphs += 1;
        self.reach_secs = self.reach_secs.max(series.end_secs());
        let start = series.start_secs().div_euclid(i64::from(series.interval_secs()));
        for (i, code) in series.codes().enumerate() {
            if let Some(value) = self.index(start + i as i64).and_then(|index| self.values.get_mut(index)) {
                *value = (*value).max(if code.is_some() { Measured::Value } else { Measured::Missing });
            }
        }
    }

    fn measured(&self, interval_idx: i64) -> Measured {
        self.index(interval_idx).and_then(|index| self.values.get(index)).copied().unwrap_or(Measured::Nothing)
    }

    fn index(&self, interval_idx: i64) -> Option<usize> {
        usize::try_from(interval_idx - self.first).ok()
    }
}

fn uptime_graphs(relay: &RelayHistories) -> impl Iterator<Item = &Series> {
    relay.graphs.iter().filter(|graph| graph.quantity == Quantity::Uptime).map(|graph| &graph.series)
}
