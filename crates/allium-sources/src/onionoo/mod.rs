//! Onionoo, the service that describes each relay of the network once an hour.
//!
//! Input: one of its documents, whole and decompressed. Output: relays or histories in the units of the model, with a header that has the
//! consensus it is as of and what could not be understood.
//!
//! The protocol promises little and changes without notice, so nothing is required but a fingerprint; unknown members,
//! flags and periods are accepted; and a field that cannot be read is a reject that keeps its relay. What is refused as
//! a whole: documents that are truncated, of another kind than expected, or without a consensus hour.

mod bandwidth;
mod cache;
pub mod client;
mod details;
mod envelope;
mod fields;
mod frozen;
mod graph;
mod histories;
mod json;
mod rejects;
mod salvage;
mod sniff;
mod summary;
mod text;
mod uptime;
mod weights;
mod wire;

use std::path::Path;

use allium_model::{Bounds, DocumentKind};

pub use client::{Client, ClientOptions, Fetched};
pub use details::DetailsDocument;
pub use envelope::Header;
pub use histories::HistoriesDocument;
pub use sniff::{kind_of_path, sniff};
pub use summary::{SummaryDocument, SummaryRelay};

use self::histories::MemberOf;
use crate::error::Error;
use crate::read::{Limits, read_file};

/// A decoded document.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// Names and addresses.
    Summary(SummaryDocument),
    /// Attributes.
    Details(DetailsDocument),
    /// Graphs of uptime, bandwidth or weights.
    Histories(HistoriesDocument),
}

impl Document {
    /// Facts about the document as a whole.
    pub const fn header(&self) -> &Header {
        match self {
            Self::Summary(document) => &document.header,
            Self::Details(document) => &document.header,
            Self::Histories(document) => &document.header,
        }
    }

    /// Number of relays that were understood.
    pub const fn n_relays(&self) -> usize {
        match self {
            Self::Summary(document) => document.relays.len(),
            Self::Details(document) => document.relays.len(),
            Self::Histories(document) => document.relays.len(),
        }
    }
}

/// Decodes a document of this kind. `origin` is the file or address named in errors and rejects; times outside `bounds` are refused.
///
/// # Errors
/// The document is empty, no JSON, truncated, malformed outside its relays, of another kind, or does not state which consensus it is as
/// of, or one that cannot be.
pub fn decode(kind: DocumentKind, bytes: &[u8], origin: &str, bounds: Bounds) -> Result<Document, Error> {
    if let Some(found) = sniff(bytes).filter(|found| *found != kind) {
        return Err(Error::WrongKind { origin: origin.to_owned(), expected: kind, found });
    }
    Ok(match content(kind) {
        Content::Names => Document::Summary(summary::decode(bytes, origin, bounds)?),
        Content::Attributes => Document::Details(details::decode(bytes, origin, bounds)?),
        Content::Graphs(member) => Document::Histories(histories::decode(kind, member, bytes, origin, bounds)?),
    })
}

/// The form in which a kind of document describes relays.
enum Content {
    Names,
    Attributes,
    /// Graphs, with what the members of an entry are.
    Graphs(MemberOf),
}

/// The kinds of document, a line each.
const fn content(kind: DocumentKind) -> Content {
    match kind {
        DocumentKind::Summary => Content::Names,
        DocumentKind::Details => Content::Attributes,
        DocumentKind::Uptime => Content::Graphs(uptime::member),
        DocumentKind::Bandwidth => Content::Graphs(bandwidth::member),
        DocumentKind::Weights => Content::Graphs(weights::member),
    }
}

/// Reads and decodes a file, plain or compressed. Its name shows the kind of document (`details.json.zst`), else its content does.
///
/// # Errors
/// As [`read_file`] and [`decode`]; or neither name nor content show the kind.
pub fn decode_file(path: &Path, limits: &Limits, bounds: Bounds) -> Result<Document, Error> {
    let origin = path.display().to_string();
    let bytes = read_file(path, limits)?;
    match kind_of_path(path).or_else(|| sniff(&bytes)) {
        Some(kind) => decode(kind, &bytes, &origin, bounds),
        // A text that cannot be a document at all has a clearer error than an unknown kind.
        None => Err(envelope::check(&bytes, &origin, bounds).err().unwrap_or(Error::UnknownKind { origin })),
    }
}
