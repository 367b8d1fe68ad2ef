//! History in its two forms: exact spans of consensuses, and the binned graphs that others publish.

use std::sync::Arc;

use crate::flags::{RelayFlag, RelayFlags};
use crate::identity::{Asn, CountryCode, Fingerprint};
use crate::period::Period;
use crate::series::Series;
use crate::time::ConsensusHour;

/// What consensuses said of a relay over a stretch of time.
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
/// The spans of a relay are sorted and disjoint. In a known consensus outside its spans the relay is down; in an hour
/// whose consensus is not known nothing is said, even inside a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSpan {
    /// The first consensus.
    pub start: ConsensusHour,
    /// The hour after the last consensus known so far.
    pub end: ConsensusHour,
    /// The state.
    pub state: RelayState,
}

/// The hours whose consensus is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    hours: Vec<ConsensusHour>,
}

impl Known {
    /// Sorts the hours and drops repetitions.
    pub fn new(mut hours: Vec<ConsensusHour>) -> Self {
        hours.sort_unstable();
        hours.dedup();
        Self { hours }
    }

    /// The hours, earliest first.
    pub fn hours(&self) -> &[ConsensusHour] {
        &self.hours
    }

    /// The number of known consensuses in `[start, end)`.
    pub fn count(&self, start: ConsensusHour, end: ConsensusHour) -> usize {
        self.place(end).saturating_sub(self.place(start))
    }

    /// Whether the consensus of this hour is known.
    pub fn contains(&self, hour: ConsensusHour) -> bool {
        self.hours.binary_search(&hour).is_ok()
    }

    /// The newest known consensus before `hour`.
    pub fn before(&self, hour: ConsensusHour) -> Option<ConsensusHour> {
        self.place(hour).checked_sub(1).map(|i| self.hours[i])
    }

    /// The earliest known consensus.
    pub fn first(&self) -> Option<ConsensusHour> {
        self.hours.first().copied()
    }

    /// The newest known consensus.
    pub fn last(&self) -> Option<ConsensusHour> {
        self.hours.last().copied()
    }

    /// How many known consensuses lie before `hour`.
    pub fn place(&self, hour: ConsensusHour) -> usize {
        self.hours.partition_point(|h| *h < hour)
    }
}

/// What a published graph measures.
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
    /// What is measured.
    pub quantity: Quantity,
    /// For which period.
    pub period: GraphPeriod,
    /// The values; shares are 0 to 1.
    ///
    /// Graphs of [`Quantity::Uptime`] and flags that ended before the document's newest consensus, because the source
    /// stops rewriting them when a relay disappears, are completed with known-down intervals.
    pub series: Series,
    /// How many intervals at the end of `series` were completed so; 0 for a graph that was up to date.
    pub completed: usize,
}

/// The graphs that one document publishes of one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayHistories {
    /// The relay.
    pub fingerprint: Fingerprint,
    /// Its graphs.
    pub graphs: Vec<PublishedGraph>,
}
