//! Many consensuses as spans of states.
//!
//! A month of consensuses lists ten thousand relays 720 times, nearly always in the state of the hour before. A batch keeps
//! 8 bytes for each listing and hands out one span for each stretch of its consensuses in which nothing changed. The
//! consensuses may come in any order; the same ones give the same spans.

use std::collections::{BTreeMap, HashMap};

use allium_model::{ConsensusHour, Fingerprint, RelayState, StateSpan};

use super::Consensus;

/// Consensuses to be stored together.
#[derive(Debug, Default)]
pub struct Batch {
    relays: Interned<Fingerprint>,
    states: Interned<RelayState>,
    consensuses: BTreeMap<ConsensusHour, Vec<Listing>>,
    n_listed: usize,
}

/// A relay and its state, by number.
#[derive(Debug, Clone, Copy)]
struct Listing {
    relay: u32,
    state: u32,
}

impl Batch {
    /// Adds a consensus; `false` if the batch has one of its hour, which is kept.
    pub fn add(&mut self, consensus: &Consensus) -> bool {
        if self.consensuses.contains_key(&consensus.hour) {
            return false;
        }
        let listings: Vec<Listing> = consensus
            .states()
            .map(|(fingerprint, state)| Listing { relay: self.relays.number(fingerprint), state: self.states.number(state) })
            .collect();
        self.n_listed += listings.len();
        self.consensuses.insert(consensus.hour, listings);
        true
    }

    /// Number of relays that its consensuses list, together.
    pub fn n_listed(&self) -> usize {
        self.n_listed
    }

    /// Its hours, earliest first.
    pub fn hours(&self) -> impl Iterator<Item = ConsensusHour> + '_ {
        self.consensuses.keys().copied()
    }

    /// Its spans, by relay and time. A span speaks for the consensuses of this batch only: hours between them are not known to it.
    pub fn spans(&self) -> Vec<(Fingerprint, StateSpan)> {
        let mut open: Vec<Option<Run>> = vec![None; self.relays.values.len()];
        let mut runs = Vec::new();
        for (index, (hour, listings)) in self.consensuses.iter().enumerate() {
            for Listing { relay, state } in listings {
                let run = &mut open[*relay as usize];
                match run {
                    Some(run) if run.last_index + 1 == index && run.state == *state => (run.last, run.last_index) = (*hour, index),
                    _ => {
                        let next = Run { start: *hour, last: *hour, last_index: index, state: *state };
                        runs.extend(run.replace(next).map(|ended| (*relay, ended)));
                    }
                }
            }
        }
        runs.extend(open.into_iter().zip(0..).filter_map(|(run, relay)| Some((relay, run?))));
        let mut spans: Vec<_> = runs.into_iter().map(|(relay, run)| self.span(relay, run)).collect();
        spans.sort_unstable_by_key(|(fingerprint, span)| (*fingerprint, span.start));
        spans
    }

    fn span(&self, relay: u32, run: Run) -> (Fingerprint, StateSpan) {
        let state = self.states.values[run.state as usize].clone();
        (self.relays.values[relay as usize], StateSpan { start: run.start, end: run.last.next(), state })
    }
}

/// A stretch of consensuses with one state.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: ConsensusHour,
    last: ConsensusHour,
    last_index: usize,
    state: u32,
}

/// Values by number, each stored once.
#[derive(Debug)]
struct Interned<T> {
    numbers: HashMap<T, u32>,
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn number(&mut self, value: T) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).expect("memory ends before four billion relays or states");
        self.numbers.insert(value.clone(), number);
        self.values.push(value);
        number
    }
}
