//! The past as it is known: the input of every model.
//!
//! Times are *indices* into the list of known consensuses. An hour whose consensus is not known has no index, so it
//! counts neither as up nor as down.

use std::ops::Range;

use allium_model::{Asn, ConsensusHour, CountryCode, Fingerprint, FirstSeen};

/// The exact history of all relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    hours: Vec<ConsensusHour>,
    relays: Vec<RelayPast>,
    survivors_only: bool,
}

/// The exact history of one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPast {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Stretches in which consensuses list it: sorted, disjoint, not empty.
    pub spans: Vec<PastSpan>,
    /// Stretches in which it was Running, each as long as it held.
    runs: Vec<Range<u32>>,
}

/// A stretch of known consensuses that list a relay in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastSpan {
    /// Index of the first one.
    pub start: u32,
    /// Index after the last one.
    pub end: u32,
    /// True if it was Running.
    pub running: bool,
    /// True if it had the Guard flag.
    pub guard: bool,
    /// True if it had the Exit flag.
    pub exit: bool,
    /// Autonomous system of its address.
    pub asn: Option<Asn>,
    /// Country of its address.
    pub country: Option<CountryCode>,
}

impl RelayPast {
    /// The history of a relay with these spans, in any order; empty ones, and the parts of a span that an earlier one
    /// covers, are dropped.
    pub fn new(fingerprint: Fingerprint, mut spans: Vec<PastSpan>) -> Self {
        spans.sort_by_key(|span| (span.start, span.end));
        let mut end = 0;
        spans.retain_mut(|span| {
            span.start = span.start.max(end);
            end = end.max(span.end);
            span.start < span.end
        });
        let runs = runs(&spans);
        Self { fingerprint, spans, runs }
    }

    /// Stretches in which it was Running, earliest first.
    pub fn runs(&self) -> &[Range<u32>] {
        &self.runs
    }

    /// The runs before an index; the last one may reach beyond it.
    pub(crate) fn runs_before(&self, index: u32) -> &[Range<u32>] {
        &self.runs[..self.runs.partition_point(|run| run.start < index)]
    }

    /// The spans before an index; the last one may reach beyond it.
    pub(crate) fn spans_before(&self, index: u32) -> &[PastSpan] {
        &self.spans[..self.spans.partition_point(|span| span.start < index)]
    }

    /// Number of these consensuses in which it was Running.
    pub(crate) fn up_in(&self, indices: &Range<u32>) -> u32 {
        let overlap = |run: &Range<u32>| run.end.min(indices.end).saturating_sub(run.start.max(indices.start));
        let runs = self.runs_before(indices.end);
        runs.iter().rev().take_while(|run| run.end > indices.start).map(overlap).sum()
    }

    /// The last index before `index` at which it was listed.
    pub(crate) fn last_listed(&self, index: u32) -> Option<u32> {
        self.spans_before(index).last().map(|span| span.end.min(index) - 1)
    }

    /// The first index at which it was listed.
    pub(crate) fn first_listed(&self) -> Option<u32> {
        self.spans.first().map(|span| span.start)
    }

    /// The same index where the relay was new then: not in the first known hour, nor in one after a gap, by which it may be older.
    pub(crate) fn debut(&self, hours: &[ConsensusHour]) -> Option<u32> {
        let first = self.first_listed()?;
        let (before, at) = (hours.get((first as usize).checked_sub(1)?)?, hours.get(first as usize)?);
        (at.hours_since(*before) <= FirstSeen::MAX_GAP_HOURS).then_some(first)
    }
}

fn runs(spans: &[PastSpan]) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for span in spans.iter().filter(|span| span.running) {
        match runs.last_mut() {
            Some(run) if run.end == span.start => run.end = span.end,
            _ => runs.push(span.start..span.end),
        }
    }
    runs
}

impl Past {
    /// The histories of these relays over these consensuses (sorted, without repetitions); what lies beyond the last is cut off.
    pub fn new(hours: Vec<ConsensusHour>, relays: Vec<RelayPast>) -> Self {
        let n = hours.len() as u32;
        let mut relays: Vec<_> = relays.into_iter().filter_map(|relay| cut(relay, n)).collect();
        relays.sort_by_key(|relay| relay.fingerprint);
        Self { hours, relays, survivors_only: false }
    }

    /// The same history, known to leave out relays that are gone.
    #[must_use]
    pub(crate) fn of_survivors(self) -> Self {
        Self { survivors_only: true, ..self }
    }

    /// True if relays that are gone are left out, so that departures cannot be counted.
    pub fn is_of_survivors(&self) -> bool {
        self.survivors_only
    }

    /// The hours whose consensus is known; indices are into this list.
    pub fn hours(&self) -> &[ConsensusHour] {
        &self.hours
    }

    /// The relays, sorted by fingerprint; each was listed at least once.
    pub fn relays(&self) -> &[RelayPast] {
        &self.relays
    }

    /// The past as it was known at an hour: that consensus and all before it.
    pub fn as_of(&self, hour: ConsensusHour) -> Self {
        let n = self.index_after(hour) as usize;
        Self { survivors_only: self.survivors_only, ..Self::new(self.hours[..n].to_vec(), self.relays.clone()) }
    }

    /// Number of known consensuses before `hour`.
    pub fn index(&self, hour: ConsensusHour) -> u32 {
        self.hours.partition_point(|h| *h < hour) as u32
    }

    /// Number of known consensuses before the end of `hour`: the end of what is known as of it.
    pub fn index_after(&self, hour: ConsensusHour) -> u32 {
        self.index(hour.next())
    }

    /// Indices of the known consensuses in the `hours` hours up to and including `as_of`.
    pub(crate) fn window(&self, as_of: ConsensusHour, hours: i32) -> Range<u32> {
        self.index(as_of.next().plus(-hours))..self.index_after(as_of)
    }

    /// The relays seen in the 7 days before an hour, by their number in [`Past::relays`].
    pub fn current(&self, as_of: ConsensusHour) -> Vec<usize> {
        let seen = self.window(as_of, CURRENT_HOURS + 1);
        let is_current = |relay: &RelayPast| relay.last_listed(seen.end).is_some_and(|index| index >= seen.start);
        (0..self.relays.len()).filter(|i| is_current(&self.relays[*i])).collect()
    }

    /// The share of known consensuses in the `horizon_hours` after `as_of` in which each of these relays was Running.
    /// `None` if none of those consensuses is known.
    pub fn targets(&self, relays: &[usize], as_of: ConsensusHour, horizon_hours: i32) -> Option<Vec<f64>> {
        let indices = self.index_after(as_of)..self.index(as_of.next().plus(horizon_hours));
        let n = f64::from(indices.len() as u32);
        (n > 0.0).then(|| relays.iter().map(|i| f64::from(self.relays[*i].up_in(&indices)) / n).collect())
    }
}

/// Hours after its last appearance for which a relay is still part of the network: 7 days, as in Onionoo.
pub(crate) const CURRENT_HOURS: i32 = 7 * 24;

fn cut(mut relay: RelayPast, n: u32) -> Option<RelayPast> {
    relay.spans.retain_mut(|span| {
        span.end = span.end.min(n);
        span.start < span.end
    });
    relay.runs.retain_mut(|run| {
        run.end = run.end.min(n);
        run.start < run.end
    });
    (!relay.spans.is_empty()).then_some(relay)
}

/// Numbers of spans that hold each of the first indices.
pub(crate) struct Tally {
    /// The change of the number at each index, and at the end.
    changes: Vec<i64>,
}

impl Tally {
    /// Of no spans, over `n` indices.
    pub(crate) fn new(n: usize) -> Self {
        Self { changes: vec![0; n + 1] }
    }

    /// Takes in the indices from `start` up to `end`, as far as they are counted; none where `end` is not beyond `start`.
    pub(crate) fn add(&mut self, start: u32, end: u32) {
        let n = self.changes.len() - 1;
        let (start, end) = ((start as usize).min(n), (end as usize).min(n));
        if start < end {
            self.changes[start] += 1;
            self.changes[end] -= 1;
        }
    }

    /// The number of spans at each index.
    pub(crate) fn counts(&self) -> Vec<f64> {
        let mut count = 0;
        self.changes[..self.changes.len() - 1]
            .iter()
            .map(|change| {
                count += change;
                count as f64
            })
            .collect()
    }
}
