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
    /// Where the figures come from, one entry per kind of document.
    pub sources: Vec<SourceStatus>,
    /// What could not be understood in the documents in use.
    pub rejects: Vec<Reject>,
}

impl NetworkRecord {
    /// The index of a relay in [`NetworkRecord::relays`].
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.relays.binary_search_by_key(fingerprint, |recorded| recorded.relay.fingerprint).ok()
    }
}

/// Everything known of one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayRecord {
    /// Its attributes at its last appearance.
    pub relay: Relay,
    /// Our own exact history: sorted, disjoint.
    pub spans: Vec<StateSpan>,
    /// What others publish of its history.
    pub published: Vec<PublishedGraph>,
}

impl RelayRecord {
    /// How long after its last appearance a relay still counts as part of the network, in hours: 7 days, as in Onionoo.
    pub const CURRENT_HOURS: i32 = 7 * 24;

    /// Whether the relay was seen in the 7 days before `as_of`. A relay whose last appearance is not known is not.
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
    /// Which kind.
    pub kind: DocumentKind,
    /// File or address that it came from.
    pub origin: String,
    /// The newest consensus that it knows of.
    pub published: ConsensusHour,
    /// When it was fetched or read.
    pub obtained_at: Timestamp,
    /// Its size in bytes after decompression.
    pub size_bytes: u64,
    /// Relays understood in it.
    pub n_relays: usize,
    /// Rejects in it, whether listed or not.
    pub n_rejects: usize,
}

/// How it goes with a source, whatever it brings: documents, consensuses, packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Its name: `onionoo`, `directory`, `collector`, `presence`.
    pub source: String,
    /// When it was last asked or read.
    pub asked_at: Timestamp,
    /// When it last answered as it should; `None` if never.
    pub answered_at: Option<Timestamp>,
    /// The newest consensus that it is known to have.
    pub newest: Option<ConsensusHour>,
    /// What went wrong when it was last asked, in words that may hold text from the network.
    pub failure: Option<String>,
    /// What went wrong in the [`SourceReport::FAILURE_DAYS`] days up to when it was last asked, that time included; the oldest first.
    pub failures: Vec<SourceFailure>,
    /// Rejects in the consensuses or the pack that it last brought, listed or not. Those of documents are with the documents.
    pub n_rejects: usize,
    /// These rejects, the first thousand.
    pub rejects: Vec<Reject>,
}

impl SourceReport {
    /// For how many days a failure is kept.
    pub const FAILURE_DAYS: i64 = 7;
}

/// A visit in which a source failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFailure {
    /// When it was asked.
    pub at: Timestamp,
    /// What went wrong, in words that may hold text from the network.
    pub reason: String,
}

/// Something in a document that could not be understood; what surrounds it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// File or address of the document.
    pub origin: String,
    /// Where in it: byte, line, entry, field.
    pub place: String,
    /// The relay concerned, where that much could be read.
    pub relay: Option<Fingerprint>,
    /// What is wrong, in one line, with at most a short quote of the input.
    pub reason: String,
}
