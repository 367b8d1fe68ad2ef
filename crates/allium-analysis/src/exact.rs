//! Our own consensus-by-consensus history of one relay.
//!
//! Hours are turned into *indices*: the number of known consensuses before them. In indices there are no gaps, so every question
//! is the overlap of a few integer ranges, and an unknown hour cannot be counted by mistake.

use allium_model::{ConsensusHour, Known, RelayFlag, RelayRecord};

/// Known consensuses, and those of them in which the relay had the flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) known: usize,
    pub(crate) with: usize,
}

/// The known consensuses in which a relay had a flag, from its first appearance on.
pub(crate) struct Exact<'a> {
    pub(crate) known: &'a Known,
    /// Before this hour nothing is known: the relay had not appeared yet.
    pub(crate) first_seen: ConsensusHour,
    pub(crate) runs: Runs,
}

impl<'a> Exact<'a> {
    /// The history of a flag over the hours for which it is known; `None` if there are none or the relay never appeared.
    pub(crate) fn new(record: &RelayRecord, known: &'a Known, flag: RelayFlag) -> Option<Self> {
        let known = known.of_flag(flag);
        known.first()?;
        let first_span = record.spans.first().map(|span| span.start);
        let first_seen = record.relay.first_seen.latest().into_iter().chain(first_span).min()?;
        Some(Self { known, first_seen, runs: Runs::new(record, known, flag) })
    }

    /// Counts over `[start, end)`, without the hours before the first appearance.
    pub(crate) fn count(&self, start: ConsensusHour, end: ConsensusHour) -> Count {
        let (from, to) = (self.known.index_of(start.max(self.first_seen)), self.known.index_of(end));
        if from >= to {
            return Count { known: 0, with: 0 };
        }
        Count { known: to - from, with: self.runs.until(to) - self.runs.until(from) }
    }

    /// True if this history says as much about `[start, end)` as can be said: it begins before, or before the relay did, and
    /// at least half of the hours since are known.
    pub(crate) fn covers(&self, start: ConsensusHour, end: ConsensusHour) -> bool {
        let begins_in_time = self.known.first().is_some_and(|first| first <= start || first <= self.first_seen);
        let hours = end.hours_since(start.max(self.first_seen));
        begins_in_time && hours > 0 && is_dense(self.count(start, end).known, hours)
    }

    /// The last known consensus in which the relay had the flag.
    pub(crate) fn last_with(&self) -> Option<ConsensusHour> {
        self.runs.runs.last().map(|run| self.known.hours()[run.end - 1])
    }
}

/// True if so many known consensuses are enough to speak for so many hours: at least half. Their number stands with the figure.
pub(crate) fn is_dense(n_known: usize, hours: i32) -> bool {
    2 * n_known as i64 >= i64::from(hours)
}

/// Disjoint, sorted ranges of indices that never touch.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) runs: Vec<Run>,
}

/// Indices `[start, end)`, and the number of indices that the runs before it hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
    before: usize,
}

impl Runs {
    fn new(record: &RelayRecord, known: &Known, flag: RelayFlag) -> Self {
        let mut runs = Self::default();
        for span in record.spans.iter().filter(|span| span.state.flags.contains(flag)) {
            runs.push(known.index_of(span.start), known.index_of(span.end));
        }
        runs
    }

    fn push(&mut self, start: usize, end: usize) {
        match self.runs.last_mut() {
            _ if start >= end => {}
            Some(last) if start <= last.end => last.end = last.end.max(end),
            last => {
                let before = last.map_or(0, |run| run.before + run.end - run.start);
                self.runs.push(Run { start, end, before });
            }
        }
    }

    /// Number of indices before `index` that lie in a run.
    fn until(&self, index: usize) -> usize {
        match self.runs.partition_point(|run| run.start < index).checked_sub(1) {
            Some(i) => self.runs[i].before + index.min(self.runs[i].end) - self.runs[i].start,
            None => 0,
        }
    }
}
