//! The whole exact history in memory, for questions about all relays and hours.
//!
//! Input: every known consensus and every span of the store. Times are indices into the list of known
//! hours, so that an hour whose consensus is not known does not exist here and is counted neither as up nor as down.
//! A span takes 12 bytes, a bitmap one bit per known consensus of a relay's life.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_model::{ConsensusHour, Fingerprint, Known, RelayFlag, RelayState};

use crate::bits::Bits;

/// The exact history of all relays that were ever listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    known: Known,
    states: Vec<RelayState>,
    relays: Vec<RelayTimeline>,
}

/// The exact history of one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTimeline {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Its spans: sorted, disjoint, each as long as its state held.
    pub spans: Vec<IndexSpan>,
}

/// A stretch of known consensuses that listed a relay in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexSpan {
    /// Index of the first one in [`Timeline::known`].
    pub start: u32,
    /// Index after the last one.
    pub end: u32,
    /// Number of the state; see [`Timeline::state`].
    pub state: u32,
}

impl Timeline {
    /// From spans whose states are indices into `states`. Relays without a span and states of no span are left out.
    pub(crate) fn new(known: Known, states: Vec<RelayState>, mut relays: Vec<RelayTimeline>) -> Self {
        relays.retain(|relay| !relay.spans.is_empty());
        relays.sort_unstable_by_key(|relay| relay.fingerprint);
        let states = number_states(&mut relays, states);
        Self { known, states, relays }
    }

    /// The hours whose consensus is known; times are indices into this list.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Relays with at least one span, sorted by fingerprint.
    pub fn relays(&self) -> &[RelayTimeline] {
        &self.relays
    }

    /// The history of one relay; `None` if no known consensus lists it.
    pub fn relay(&self, fingerprint: &Fingerprint) -> Option<&RelayTimeline> {
        self.relays.binary_search_by_key(fingerprint, |relay| relay.fingerprint).ok().map(|i| &self.relays[i])
    }

    /// The state of a span.
    pub fn state(&self, span: &IndexSpan) -> &RelayState {
        &self.states[span.state as usize]
    }

    /// The network at one hour: every relay that its consensus lists, by fingerprint. `None` if that consensus is not known.
    pub fn listed_at(&self, hour: ConsensusHour) -> Option<Vec<(Fingerprint, &RelayState)>> {
        let index = self.known.hours().binary_search(&hour).ok()? as u32;
        let listed = |relay: &RelayTimeline| relay.span_at(index).map(|span| (relay.fingerprint, &self.states[span.state as usize]));
        Some(self.relays.iter().filter_map(listed).collect())
    }

    /// The spans of relays in a state that fulfils the condition, cut to the known hours in `[start, end)`, by relay and time. The
    /// condition makes the group: a country, an AS, a flag, anybody.
    pub fn spans_between(
        &self,
        start: ConsensusHour,
        end: ConsensusHour,
        condition: impl Fn(&RelayState) -> bool,
    ) -> impl Iterator<Item = (Fingerprint, IndexSpan)> {
        let indices = self.indices(start, end);
        let fulfilled: Vec<bool> = self.states.iter().map(condition).collect();
        self.relays.iter().flat_map(move |relay| {
            let spans = relay.spans_in(indices.clone()).iter().filter(|span| fulfilled[span.state as usize]);
            let cut = spans.map(|span| IndexSpan { start: span.start.max(indices.start), end: span.end.min(indices.end), ..*span });
            cut.map(|span| (relay.fingerprint, span)).collect::<Vec<_>>()
        })
    }

    /// The indices of the known hours in `[start, end)`.
    pub fn indices(&self, start: ConsensusHour, end: ConsensusHour) -> Range<u32> {
        let start = self.known.index_of(start) as u32;
        start..(self.known.index_of(end) as u32).max(start)
    }

    /// The number of relays per known consensus, by any attribute of their state.
    ///
    /// `attributes` gives the groups that a state belongs to: none, one (its country) or several (its flags). Each group
    /// has one count per known hour; groups without relays are missing.
    pub fn counts<K, G>(&self, mut attributes: impl FnMut(&RelayState) -> G) -> BTreeMap<K, Vec<u32>>
    where
        K: Ord,
        G: IntoIterator<Item = K>,
    {
        let mut groups: BTreeMap<K, usize> = BTreeMap::new();
        let groups_of_state: Vec<Vec<usize>> = self.states.iter().map(|state| numbers(&mut groups, attributes(state))).collect();
        let mut changes = vec![vec![0i32; self.known.hours().len() + 1]; groups.len()];
        for span in self.relays.iter().flat_map(|relay| &relay.spans) {
            for group in &groups_of_state[span.state as usize] {
                changes[*group][span.start as usize] += 1;
                changes[*group][span.end as usize] -= 1;
            }
        }
        let counts = groups.into_iter().map(|(key, group)| (key, running_sums(&changes[group])));
        counts.filter(|(_, counts)| counts.iter().any(|count| *count > 0)).collect()
    }

    /// The known consensuses in which a relay was Running.
    pub fn running(&self, relay: &RelayTimeline) -> Bits {
        self.bits(relay, |state| state.flags.contains(RelayFlag::Running))
    }

    /// The known consensuses that list a relay in a state that fulfils the condition.
    pub fn bits(&self, relay: &RelayTimeline, condition: impl Fn(&RelayState) -> bool) -> Bits {
        Bits::from_ranges(relay.spans.iter().filter(|span| condition(self.state(span))).map(|span| span.start..span.end))
    }
}

fn numbers<K: Ord>(groups: &mut BTreeMap<K, usize>, keys: impl IntoIterator<Item = K>) -> Vec<usize> {
    let mut numbers: Vec<usize> = keys
        .into_iter()
        .map(|key| {
            let next = groups.len();
            *groups.entry(key).or_insert(next)
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn running_sums(changes: &[i32]) -> Vec<u32> {
    let (_after_the_last, changes) = changes.split_last().expect("one more than there are hours");
    let sums = changes.iter().scan(0, |sum, change| {
        *sum += change;
        Some(*sum)
    });
    sums.map(i32::unsigned_abs).collect()
}

impl RelayTimeline {
    /// The span in which an index lies.
    pub fn span_at(&self, index: u32) -> Option<&IndexSpan> {
        let i = self.spans.partition_point(|span| span.end <= index);
        self.spans.get(i).filter(|span| span.start <= index)
    }

    /// The spans that touch these indices; the first and the last one may reach beyond.
    pub fn spans_in(&self, indices: Range<u32>) -> &[IndexSpan] {
        let first = self.spans.partition_point(|span| span.end <= indices.start);
        let end = self.spans.partition_point(|span| span.start < indices.end);
        &self.spans[first..end.max(first)]
    }
}

/// Numbers states in the order in which relays are in them; those of no span are left out.
fn number_states(relays: &mut [RelayTimeline], states: Vec<RelayState>) -> Vec<RelayState> {
    let mut states: Vec<Option<RelayState>> = states.into_iter().map(Some).collect();
    let mut numbers = vec![0; states.len()];
    let mut numbered = Vec::new();
    for span in relays.iter_mut().flat_map(|relay| &mut relay.spans) {
        let index = span.state as usize;
        if let Some(state) = states[index].take() {
            numbers[index] = numbered.len() as u32;
            numbered.push(state);
        }
        span.state = numbers[index];
    }
    numbered
}
