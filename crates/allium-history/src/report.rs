//! Visits to sources, and reports on the store itself.

use allium_model::{ConsensusHour, Reject, SourceStatus, Timestamp};

/// The outcome of a visit to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceVisit {
    /// Name of the source; `onionoo` or that of a [`crate::ConsensusSource`].
    pub source: String,
    /// Time of the visit.
    pub at: Timestamp,
    /// The newest consensus that it brought or is known to have; `None` leaves the recorded one.
    pub newest: Option<ConsensusHour>,
    /// The failure; `None` if the source answered as it should, though it may have had nothing newer.
    pub failure: Option<String>,
    /// The number of rejects in the consensuses or the pack that it brought, and the first of them; `None` leaves the recorded ones.
    pub rejects: Option<(usize, Vec<Reject>)>,
}

/// The amount that a prune forgot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Consensuses.
    pub n_consensuses: usize,
    /// Spans that ended before; others were cut.
    pub n_spans: usize,
    /// Relays.
    pub n_relays: usize,
}

/// The things at impossible times that were removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mended {
    /// The things, a phrase each, such as "consensus of 2036-03-10T12:00:00Z"; empty where there was nothing to mend.
    pub removed: Vec<String>,
}

/// The outcome of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// Pages that were damaged or missing, by number.
    pub damaged: Vec<u32>,
    /// Those of them that were made again, byte for byte.
    pub restored: Vec<u32>,
    /// True if every page could be compared with its sum; else what is kept is what hangs together.
    pub is_judged: bool,
    /// True if changes that waited in the log could not be read.
    pub is_log_lost: bool,
    /// Tables, where not every page could be made again and rows were copied one by one.
    pub tables: Vec<SalvagedTable>,
}

/// A table in a repaired store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Name of the table.
    pub name: String,
    /// Rows that could be read.
    pub n_rows: usize,
    /// Pages that could not, with all rows that lie on them or behind them.
    pub n_unread_pages: usize,
    /// Rows of which a part lies on such a page.
    pub n_cut_rows: usize,
    /// Rows in the repaired store: without those that rest on lost ones.
    pub n_kept: usize,
}

impl SalvagedTable {
    /// True if anything of the table is lost, or may be.
    pub const fn has_losses(&self) -> bool {
        self.n_unread_pages > 0 || self.n_cut_rows > 0 || self.n_kept < self.n_rows
    }
}

/// The amount of everything in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Version of the format.
    pub format_version: i64,
    /// Size in bytes without the write-ahead log.
    pub size_bytes: u64,
    /// Relays ever recorded.
    pub n_relays: u64,
    /// Known consensuses.
    pub n_consensuses: u64,
    /// The earliest of them.
    pub first: Option<ConsensusHour>,
    /// The newest of them.
    pub last: Option<ConsensusHour>,
    /// Spans.
    pub n_spans: u64,
    /// Distinct states in them.
    pub n_states: u64,
    /// Descriptions of relays, by details documents and by packs.
    pub n_descriptions: u64,
    /// Hours whose consensus weights are known.
    pub n_weighed: u64,
    /// Bytes of weights and bandwidths, compressed.
    pub measures_bytes: u64,
    /// Restarts, changes of address, overloads.
    pub n_events: u64,
    /// Relays whose claim of a domain was checked, with success or not.
    pub n_proofs: u64,
    /// Relay and document pairs with published graphs.
    pub n_published: u64,
    /// Bytes of these, compressed.
    pub published_bytes: u64,
    /// Listed rejects of the documents in use.
    pub n_rejects: u64,
    /// The documents in use.
    pub documents: Vec<SourceStatus>,
}

/// The findings of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Problems, a sentence each, at most [`CheckReport::MAX_PROBLEMS`].
    pub problems: Vec<String>,
    /// Relays checked.
    pub n_relays: u64,
    /// Spans checked.
    pub n_spans: u64,
    /// Consensuses whose totals were counted again.
    pub n_consensuses: u64,
    /// Blobs of published graphs that were decoded.
    pub n_published: u64,
}

impl CheckReport {
    /// The most problems that are listed.
    pub const MAX_PROBLEMS: usize = 100;

    /// Lists a problem, unless enough are listed.
    pub(crate) fn add(&mut self, problem: impl FnOnce() -> String) {
        if self.problems.len() < Self::MAX_PROBLEMS {
            self.problems.push(problem());
        }
    }

    /// True if no problem was found.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}
