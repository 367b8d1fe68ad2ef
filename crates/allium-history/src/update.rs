//! The documents of one visit to a source, and what became of them.

use allium_model::{Bounds, ConsensusHour, DocumentKind, Reject, Relay, RelayHistories, SourceStatus};

/// The documents of one visit to a source.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// A details document.
    pub details: Option<(SourceStatus, Vec<Relay>)>,
    /// Documents of graphs: uptime, bandwidth, weights.
    pub histories: Vec<(SourceStatus, Vec<RelayHistories>)>,
    /// Rejects of these documents; those of other kinds are ignored.
    pub rejects: Vec<(DocumentKind, Reject)>,
    /// Kinds whose document is a part: it describes the relays in it, says nothing of the others, and leaves the document in use in its place.
    pub parts: Vec<DocumentKind>,
    /// Times that can be: a stored document as of a time outside is no reason to refuse an older one.
    pub bounds: Bounds,
}

/// The outcome of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its documents: details first, then the others as they came.
    pub documents: Vec<AppliedDocument>,
    /// True if the details document brought a consensus that was not known.
    pub consensus_is_new: bool,
}

/// The outcome of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedDocument {
    /// Its kind.
    pub kind: DocumentKind,
    /// The newest consensus that it knows of.
    pub published: ConsensusHour,
    /// Stored, or stored already.
    pub outcome: Outcome,
    /// Relays in it.
    pub n_relays: usize,
    /// Relays that were recorded for the first time.
    pub n_new: usize,
}

/// The fate of a document that is not older than the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is newer than what was stored.
    Stored,
    /// It is a part: what it says of its relays is stored, and the document in use stays.
    Described,
    /// One of the same kind and hour is stored; nothing was done.
    AlreadyStored,
}
