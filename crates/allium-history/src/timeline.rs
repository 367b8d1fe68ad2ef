//! The whole exact history in memory: what questions about all relays and hours are answered from.
//!
//! Input: every known consensus and every span of the store. Times are *places*: positions in the list of known
//! hours, so that an hour whose consensus is not known does not exist here and is counted neither as up nor as down.
//! A span takes 12 bytes, a bitmap one bit per known consensus of a relay's life.

use std::collections::BTreeMap;
use std::ops::Range;

use allium_model::{ConsensusHour, Fingerprint, Known, RelayFlag, RelayState};
use rusqlite::Connection;

use crate::error::Failure;
use crate::relays::{hour, optional_hour};
use crate::spans::{known, states};

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
    pub spans: Vec<PlaceSpan>,
}

/// A stretch of known consensuses that listed a relay in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceSpan {
    /// Place of the first one in [`Timeline::known`].
    pub start: u32,
    /// Place after the last one.
    pub end: u32,
    /// Number of the state; see [`Timeline::state`].
    pub state: u32,
}

impl Timeline {
    /// The hours whose consensus is known; places are positions in this list.
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
    pub fn state(&self, span: &PlaceSpan) -> &RelayState {
        &self.states[span.state as usize]
    }

    /// The network at one hour: every relay that its consensus lists, by fingerprint. `None` if that consensus is not known.
    pub fn listed_at(&self, hour: ConsensusHour) -> Option<Vec<(Fingerprint, &RelayState)>> {
        let place = self.known.hours().binary_search(&hour).ok()? as u32;
        let listed = |relay: &RelayTimeline| relay.span_at(place).map(|span| (relay.fingerprint, &self.states[span.state as usize]));
        Some(self.relays.iter().filter_map(listed).collect())
    }

    /// The spans of relays in a state that fulfils the condition, cut to the known hours in `[start, end)`, by relay and time. The
    /// condition makes the group: a country, an AS, a flag, anybody.
    pub fn spans_between(
        &self,
        start: ConsensusHour,
        end: ConsensusHour,
        condition: impl Fn(&RelayState) -> bool,
    ) -> impl Iterator<Item = (Fingerprint, PlaceSpan)> {
        let places = self.places(start, end);
        let fulfilled: Vec<bool> = self.states.iter().map(condition).collect();
        self.relays.iter().flat_map(move |relay| {
            let spans = relay.spans_in(places.clone()).iter().filter(|span| fulfilled[span.state as usize]);
            let cut = spans.map(|span| PlaceSpan { start: span.start.max(places.start), end: span.end.min(places.end), ..*span });
            cut.map(|span| (relay.fingerprint, span)).collect::<Vec<_>>()
        })
    }

    /// The places of the known hours in `[start, end)`.
    pub fn places(&self, start: ConsensusHour, end: ConsensusHour) -> Range<u32> {
        let start = self.known.index_of(start) as u32;
        start..(self.known.index_of(end) as u32).max(start)
    }

    /// The number of relays per known consensus, by any attribute of their state.
    ///
    /// `attributes` gives the groups that a state belongs to: none, one (its country) or several (its flags). Each group
    /// has one count per place; groups without relays are missing.
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
        Bits::of(relay.spans.iter().filter(|span| condition(self.state(span))).map(|span| span.start..span.end))
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
    let (_after_the_last, changes) = changes.split_last().expect("one more than there are places");
    let sums = changes.iter().scan(0, |sum, change| {
        *sum += change;
        Some(*sum)
    });
    sums.map(i32::unsigned_abs).collect()
}

impl RelayTimeline {
    /// The span in which a place lies.
    pub fn span_at(&self, place: u32) -> Option<&PlaceSpan> {
        let i = self.spans.partition_point(|span| span.end <= place);
        self.spans.get(i).filter(|span| span.start <= place)
    }

    /// The spans that touch these places; the first and the last one may reach beyond.
    pub fn spans_in(&self, places: Range<u32>) -> &[PlaceSpan] {
        let first = self.spans.partition_point(|span| span.end <= places.start);
        let end = self.spans.partition_point(|span| span.start < places.end);
        &self.spans[first..end.max(first)]
    }
}

/// A set of places, one bit each between the first and the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bits {
    first_word: usize,
    words: Vec<u64>,
}

impl Bits {
    /// The union of sorted, disjoint ranges.
    pub fn of(ranges: impl Iterator<Item = Range<u32>>) -> Self {
        let mut bits = Self::default();
        for range in ranges.filter(|range| !range.is_empty()) {
            bits.insert(range.start as usize, range.end as usize);
        }
        bits
    }

    /// Sets `[start, end)`, which is not empty and lies after all places set before.
    fn insert(&mut self, start: usize, end: usize) {
        if self.words.is_empty() {
            self.first_word = start / 64;
        }
        self.words.resize((end - 1) / 64 + 1 - self.first_word, 0);
        for (word, mask) in masks(start, end) {
            self.words[word - self.first_word] |= mask;
        }
    }

    /// Whether a place is in the set.
    pub fn contains(&self, place: u32) -> bool {
        let word = (place as usize / 64).checked_sub(self.first_word).and_then(|i| self.words.get(i));
        word.is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// How many of these places are in the set.
    pub fn count(&self, places: Range<u32>) -> u32 {
        let start = (places.start as usize).max(self.first_word * 64);
        let end = (places.end as usize).min((self.first_word + self.words.len()) * 64);
        masks(start, end).map(|(word, mask)| (self.words[word - self.first_word] & mask).count_ones()).sum()
    }

    /// The places in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let end = (self.first_word + self.words.len()) * 64;
        (self.first_word as u32 * 64..end as u32).filter(|place| self.contains(*place))
    }

    /// Memory that the set takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.words.len() * size_of::<u64>()
    }
}

/// The words that `[start, end)` touches, each with the bits that belong to it.
fn masks(start: usize, end: usize) -> impl Iterator<Item = (usize, u64)> {
    let words = if start < end { start / 64..(end - 1) / 64 + 1 } else { 0..0 };
    words.map(move |word| {
        let first = start.saturating_sub(word * 64);
        let n_after = (word * 64 + 64).saturating_sub(end);
        (word, (u64::MAX << first) & (u64::MAX >> n_after))
    })
}

/// Reads the timeline from a store, through an hour where one is given. What comes later leaves no trace in it.
pub(crate) fn load(conn: &Connection, until: Option<ConsensusHour>) -> Result<Timeline, Failure> {
    let known = known(conn, until.unwrap_or(ConsensusHour::new(i32::MAX)))?;
    let states = states(conn)?;
    let mut relays = load_spans(conn, &known, &states.keys().copied().collect::<Vec<_>>())?;
    relays.retain(|relay| !relay.spans.is_empty());
    relays.sort_unstable_by_key(|relay| relay.fingerprint);
    let states = number_states(&mut relays, states.into_values().collect());
    Ok(Timeline { known, states, relays })
}

/// Numbers states in the order in which relays are in them; those of no span are left out.
fn number_states(relays: &mut [RelayTimeline], states: Vec<RelayState>) -> Vec<RelayState> {
    let mut states: Vec<Option<RelayState>> = states.into_iter().map(Some).collect();
    let mut numbers = vec![0; states.len()];
    let mut numbered = Vec::new();
    for span in relays.iter_mut().flat_map(|relay| &mut relay.spans) {
        let place = span.state as usize;
        if let Some(state) = states[place].take() {
            numbers[place] = numbered.len() as u32;
            numbered.push(state);
        }
        span.state = numbers[place];
    }
    numbered
}

/// The spans of each relay; a state is its place in the list of numbers.
fn load_spans(conn: &Connection, known: &Known, state_ids: &[i64]) -> Result<Vec<RelayTimeline>, Failure> {
    let mut statement = conn.prepare(
        "SELECT r.id, r.fingerprint, s.start_hour, s.end_hour, s.state_id FROM spans s JOIN relays r ON r.id = s.relay_id
         ORDER BY s.relay_id, s.start_hour",
    )?;
    let mut rows = statement.query([])?;
    let mut relays: Vec<RelayTimeline> = Vec::new();
    let mut previous = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if previous.replace(id) != Some(id) {
            relays.push(RelayTimeline { fingerprint: Fingerprint::new(row.get(1)?), spans: Vec::new() });
        }
        let end = optional_hour(row, 3)?.map_or(known.hours().len(), |end| known.index_of(end));
        let start = known.index_of(hour(row, 2)?);
        let state = state_ids.binary_search(&row.get(4)?).map_err(|_| Failure::Corrupt("a span whose state is missing".into()))?;
        if let Some(relay) = relays.last_mut().filter(|_| start < end) {
            relay.spans.push(PlaceSpan { start: start as u32, end: end as u32, state: state as u32 });
        }
    }
    Ok(relays)
}
