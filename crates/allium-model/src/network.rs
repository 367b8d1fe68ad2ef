//! Everything known at one moment, as the store hands it to the analysis.

use std::fmt;

use jiff::Timestamp;

use crate::history::{Known, PublishedGraph, StateSpan};
use crate::identity::Fingerprint;
use crate::relay::Relay;
use crate::time::ConsensusHour;

/// Everything known as of one consensus.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkRecord {
    /// The newest consensus taken in.
    pub as_of: ConsensusHour,
    /// The hours for which our own exact history has a consensus.
    pub known: Known,
    /// Every relay ever recorded, sorted by fingerprint; see [`RelayRecord::is_current`].
    pub relays: Vec<RelayRecord>,
    /// Sources of the figures, one entry per kind of document.
    pub sources: Vec<SourceStatus>,
    /// Parts of the documents in use that could not be understood, the first thousand of each; see [`NetworkRecord::n_rejects`].
    pub rejects: Vec<Reject>,
}

impl NetworkRecord {
    /// The index of a relay in [`NetworkRecord::relays`].
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.relays.binary_search_by_key(fingerprint, |recorded| recorded.relay.fingerprint).ok()
    }

    /// The number of parts that could not be understood, listed or not, in the documents in use and in what the sources last brought:
    /// the one number that pages, API, metrics and commands state.
    pub fn n_rejects(&self, reports: &[SourceReport]) -> usize {
        let of_documents = self.sources.iter().map(|source| source.n_rejects).sum::<usize>().max(self.rejects.len());
        of_documents + reports.iter().map(|report| report.n_rejects).sum::<usize>()
    }
}

/// Everything known of one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayRecord {
    /// Its attributes at its last appearance.
    pub relay: Relay,
    /// Our own exact history: sorted, disjoint.
    pub spans: Vec<StateSpan>,
    /// Its history as others publish it.
    pub published: Vec<PublishedGraph>,
}

impl RelayRecord {
    /// Hours after its last appearance for which a relay still counts as part of the network: 7 days, as in Onionoo.
    pub const CURRENT_HOURS: i32 = 7 * 24;

    /// True if the relay was seen in the 7 days before `as_of`; false if its last appearance is not known.
    pub fn is_current(&self, as_of: ConsensusHour) -> bool {
        self.relay.last_seen.is_some_and(|seen| as_of.hours_since(seen) <= Self::CURRENT_HOURS)
    }
}

/// A kind of document that the network publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// Onionoo's list of relays with names and addresses.
    Summary,
    /// Onionoo's attributes of relays.
    Details,
    /// Onionoo's uptime graphs.
    Uptime,
    /// Onionoo's bandwidth graphs.
    Bandwidth,
    /// Onionoo's weight graphs.
    Weights,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Summary, Self::Details, Self::Uptime, Self::Bandwidth, Self::Weights];

    /// The name in paths and tables, such as `details`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Details => "details",
            Self::Uptime => "uptime",
            Self::Bandwidth => "bandwidth",
            Self::Weights => "weights",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The newest accepted document of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// The kind.
    pub kind: DocumentKind,
    /// File or address that it came from.
    pub origin: String,
    /// The newest consensus that it knows of.
    pub published: ConsensusHour,
    /// Time at which it was fetched or read.
    pub obtained_at: Timestamp,
    /// Its size in bytes after decompression.
    pub size_bytes: u64,
    /// Relays understood in it.
    pub n_relays: usize,
    /// Rejects in it, whether listed or not.
    pub n_rejects: usize,
}

/// State of a source, whether it brings documents, consensuses or packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Its name: `onionoo`, `directory`, `collector`, `presence`.
    pub source: String,
    /// Time at which it was last asked or read.
    pub asked_at: Timestamp,
    /// Time of its last good answer; `None` if there was none.
    pub answered_at: Option<Timestamp>,
    /// The newest consensus that it is known to have.
    pub newest: Option<ConsensusHour>,
    /// Failure of the last visit, in words that may hold text from the network.
    pub failure: Option<String>,
    /// Failures of the [`SourceReport::FAILURE_DAYS`] days up to the last visit, that visit included; the oldest first.
    pub failures: Vec<SourceFailure>,
    /// Rejects in the consensuses or the pack that it last brought, listed or not. Those of documents are with the documents.
    pub n_rejects: usize,
    /// These rejects, the first thousand.
    pub rejects: Vec<Reject>,
}

impl SourceReport {
    /// Days for which a failure is kept.
    pub const FAILURE_DAYS: i64 = 7;
}

/// A visit in which a source failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFailure {
    /// Time of the visit.
    pub at: Timestamp,
    /// The failure, in words that may hold text from the network.
    pub reason: String,
}

/// Something in a document that could not be understood; what surrounds it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// File or address of the document.
    pub origin: String,
    /// Location in the document: byte, line, entry, field.
    pub location: String,
    /// The relay concerned, where that much could be read.
    pub relay: Option<Fingerprint>,
    /// Description of the defect in one line, with at most a short quote of the input.
    pub reason: String,
}
