//! History in its two forms: exact spans of consensuses, and the binned graphs that others publish.

use std::sync::Arc;

use crate::flags::{RelayFlag, RelayFlags};
use crate::identity::{Asn, CountryCode, Fingerprint};
use crate::period::Period;
use crate::series::Series;
use crate::time::ConsensusHour;

/// State of a relay in consensuses over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelayState {
    /// Its flags; Running among them.
    pub flags: RelayFlags,
    /// Country of its primary address.
    pub country: Option<CountryCode>,
    /// Autonomous system of its primary address.
    pub asn: Option<Asn>,
    /// Version of Tor.
    pub version: Option<Arc<str>>,
}

/// A stretch `[start, end)` in which every known consensus listed the relay in this state.
///
/// The spans of a relay are sorted and disjoint. In a known consensus outside its spans the relay is down; an hour whose consensus is not
/// known is unknown, even inside a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSpan {
    /// The first consensus.
    pub start: ConsensusHour,
    /// The hour after the last consensus known so far.
    pub end: ConsensusHour,
    /// The state.
    pub state: RelayState,
}

/// The span in which an hour lies, among the sorted, disjoint spans of a relay.
pub fn span_at(spans: &[StateSpan], hour: ConsensusHour) -> Option<&StateSpan> {
    spans.get(spans.partition_point(|span| span.end <= hour)).filter(|span| span.start <= hour)
}

/// The hours whose consensus is known.
///
/// Of some hours only a list of running relays is known. It states the flags [`Known::LISTED_FLAGS`] and no others: in such an hour the
/// other flags are as unknown as in an hour without any consensus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    hours: Vec<ConsensusHour>,
    /// The hours of which every flag is known, where these are not all.
    complete: Option<Box<Known>>,
}

impl Known {
    /// Sorts the hours and drops repetitions.
    pub fn new(mut hours: Vec<ConsensusHour>) -> Self {
        hours.sort_unstable();
        hours.dedup();
        Self { hours, complete: None }
    }

    /// The flags that even a list of running relays states.
    pub const LISTED_FLAGS: [RelayFlag; 3] = [RelayFlag::Running, RelayFlag::Guard, RelayFlag::Exit];

    /// As [`Known::new`]; of the hours in `listed` only [`Known::LISTED_FLAGS`] are known.
    pub fn with_listed(hours: Vec<ConsensusHour>, listed: &Self) -> Self {
        let known = Self::new(hours);
        let complete: Vec<_> = known.hours.iter().copied().filter(|hour| !listed.contains(*hour)).collect();
        let are_all = complete.len() == known.hours.len();
        Self { complete: (!are_all).then(|| Box::new(Self::new(complete))), ..known }
    }

    /// The hours for which it is known which relays had this flag.
    pub fn of_flag(&self, flag: RelayFlag) -> &Self {
        match &self.complete {
            Some(complete) if !Self::LISTED_FLAGS.contains(&flag) => complete,
            _ => self,
        }
    }

    /// The hours, earliest first.
    pub fn hours(&self) -> &[ConsensusHour] {
        &self.hours
    }

    /// The number of known consensuses in `[start, end)`.
    pub fn count(&self, start: ConsensusHour, end: ConsensusHour) -> usize {
        self.index_of(end).saturating_sub(self.index_of(start))
    }

    /// True if the consensus of this hour is known.
    pub fn contains(&self, hour: ConsensusHour) -> bool {
        self.hours.binary_search(&hour).is_ok()
    }

    /// The newest known consensus before `hour`.
    pub fn before(&self, hour: ConsensusHour) -> Option<ConsensusHour> {
        self.index_of(hour).checked_sub(1).map(|i| self.hours[i])
    }

    /// The earliest known consensus.
    pub fn first(&self) -> Option<ConsensusHour> {
        self.hours.first().copied()
    }

    /// The newest known consensus.
    pub fn last(&self) -> Option<ConsensusHour> {
        self.hours.last().copied()
    }

    /// Number of known consensuses before `hour`: the index in [`Known::hours`] of the first one from `hour` on.
    pub fn index_of(&self, hour: ConsensusHour) -> usize {
        self.hours.partition_point(|h| *h < hour)
    }
}

/// The quantity that a published graph measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Share of known consensuses in which the relay is Running.
    Uptime,
    /// Share of known consensuses in which the relay has this flag.
    Flag(RelayFlag),
    /// The same for a flag that Allium has no name for.
    OtherFlag(String),
    /// Bytes written per second.
    BytesWritten,
    /// Bytes read per second.
    BytesRead,
    /// Consensus weight.
    ConsensusWeight,
    /// Share of the network's consensus weight.
    ConsensusWeightFraction,
    /// Probability to be chosen as guard.
    GuardProbability,
    /// Probability to be chosen as middle relay.
    MiddleProbability,
    /// Probability to be chosen as exit.
    ExitProbability,
}

impl Quantity {
    /// True for a share of known consensuses, of which a relay that is gone has 0.
    pub const fn is_share_of_consensuses(&self) -> bool {
        matches!(self, Self::Uptime | Self::Flag(_) | Self::OtherFlag(_))
    }

    /// True for values from 0 to 1; false for amounts.
    pub const fn is_share(&self) -> bool {
        match self {
            Self::Uptime | Self::Flag(_) | Self::OtherFlag(_) => true,
            Self::ConsensusWeightFraction | Self::GuardProbability | Self::MiddleProbability | Self::ExitProbability => true,
            Self::BytesWritten | Self::BytesRead | Self::ConsensusWeight => false,
        }
    }
}

/// The period for which a source publishes a graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GraphPeriod {
    /// One that Allium has a name for.
    Named(Period),
    /// Any other, as the source spells it.
    Other(String),
}

/// A relay's history of one quantity as a source publishes it: binned, and as old as the document.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedGraph {
    /// The quantity measured.
    pub quantity: Quantity,
    /// The period that it covers.
    pub period: GraphPeriod,
    /// The values; shares are 0 to 1.
    ///
    /// Graphs of [`Quantity::Uptime`] and flags that ended before the document's newest consensus, because the source
    /// stops rewriting them when a relay disappears, are completed with known-down intervals.
    pub series: Series,
    /// Number of intervals at the end of `series` that were completed in this way; 0 for a graph that was up to date.
    pub completed: usize,
}

impl PublishedGraph {
    /// The most intervals that one call of [`PublishedGraph::complete_down`] appends: seven years of hours, so that a
    /// document with absurd times cannot fill the memory.
    pub const MAX_COMPLETED: usize = 1 << 16;

    /// Completes a graph that its source stopped rewriting when the relay disappeared: appends known-down intervals.
    ///
    /// `until_secs` is the end of what was measured, exclusive: one hour after the newest consensus that the document
    /// knows. Only intervals that are complete by then are appended, as the source itself never shows the current one;
    /// they lie on multiples of the interval. Where *every* graph of that interval in a document ends earlier, the rest is missing, and
    /// the caller passes the latest of those ends instead.
    ///
    /// Only shares of consensuses can be completed; graphs of bandwidth, weights and probabilities, empty graphs, and
    /// graphs that already reach that far stay as they are. The interval in which the relay was last seen may be among
    /// the appended ones although the relay was up for part of it: its source did not publish it.
    pub fn complete_down(&mut self, until_secs: i64) {
        if !self.quantity.is_share_of_consensuses() || self.series.is_empty() {
            return;
        }
        let interval_secs = i64::from(self.series.interval_secs());
        let complete_until_secs = until_secs.saturating_sub(until_secs.rem_euclid(interval_secs));
        let n = complete_until_secs.saturating_sub(self.series.end_secs()).div_euclid(interval_secs);
        let n = usize::try_from(n).unwrap_or(0).min(Self::MAX_COMPLETED);
        self.series.extend_with(n, Some(0));
        self.completed += n;
    }
}

/// The graphs that one document publishes of one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayHistories {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Its graphs.
    pub graphs: Vec<PublishedGraph>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph of 4-hour intervals that starts at 1970-01-01T00:00:00Z.
    fn graph(quantity: Quantity, codes: &[Option<u16>]) -> PublishedGraph {
        let series = Series::from_codes(0, 4 * 3600, 0.001, codes.iter().copied()).unwrap();
        PublishedGraph { quantity, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 }
    }

    #[test]
    fn lists_of_running_relays_say_nothing_of_other_flags() {
        let hours = |hours: &[i32]| hours.iter().copied().map(ConsensusHour::new).collect::<Vec<_>>();
        let known = Known::with_listed(hours(&[3, 1, 2]), &Known::new(hours(&[1, 3, 9])));
        for (flag, expected) in [(RelayFlag::Running, &[1, 2, 3][..]), (RelayFlag::Exit, &[1, 2, 3]), (RelayFlag::Fast, &[2])] {
            assert_eq!(known.of_flag(flag).hours(), hours(expected), "{flag:?}");
        }
        let all = Known::with_listed(hours(&[1]), &Known::default());
        assert_eq!(all, Known::new(hours(&[1])));
        assert_eq!(all.of_flag(RelayFlag::Fast), &all);
    }

    #[test]
    fn frozen_graphs_are_completed_with_whole_intervals_of_known_downtime() {
        for (until_hours, expected) in [(0, 0), (8, 0), (11, 0), (12, 1), (15, 1), (16, 2)] {
            let mut frozen = graph(Quantity::Uptime, &[Some(999), Some(500)]);
            frozen.complete_down(until_hours * 3600);
            assert_eq!((frozen.completed, frozen.series.len()), (expected, 2 + expected), "{until_hours}");
            assert!(frozen.series.values().skip(2).all(|value| value == Some(0.0)));
        }
    }

    #[test]
    fn completing_twice_is_completing_once() {
        let mut once = graph(Quantity::Flag(RelayFlag::Guard), &[Some(1)]);
        once.complete_down(40 * 3600);
        let mut twice = once.clone();
        twice.complete_down(40 * 3600);
        assert_eq!(once, twice);
        twice.complete_down(44 * 3600);
        assert_eq!(twice.completed, once.completed + 1);
    }

    #[test]
    fn nothing_is_invented_for_other_quantities_or_from_nothing() {
        let mut written = graph(Quantity::BytesWritten, &[Some(1)]);
        written.complete_down(i64::MAX);
        assert_eq!(written.completed, 0);
        let mut empty = graph(Quantity::Uptime, &[]);
        empty.complete_down(i64::MAX);
        assert_eq!(empty.completed, 0);
    }

    #[test]
    fn absurd_times_are_bounded() {
        for until_secs in [i64::MIN, i64::MAX] {
            let mut frozen = graph(Quantity::Uptime, &[Some(1)]);
            frozen.complete_down(until_secs);
            assert!(frozen.completed <= PublishedGraph::MAX_COMPLETED);
        }
    }
}
