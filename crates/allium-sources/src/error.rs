//! Errors of reading, decoding and fetching documents.

use std::io;
use std::path::PathBuf;

use allium_model::{ConsensusHour, DocumentKind, ImpossibleTime};

use crate::consensus::Flavour;

/// Reason why a document could not be read, decoded, fetched or kept. A defect inside a document that is otherwise good is no error but a
/// [`Reject`](allium_model::Reject).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: io::Error,
    },
    /// A directory, pipe, socket or device, where a file should be.
    #[error("{}: not a file", path.display())]
    NotFile {
        /// Its path.
        path: PathBuf,
    },
    /// The document has no content.
    #[error("{origin}: empty")]
    Empty {
        /// File or address.
        origin: String,
    },
    /// More bytes than allowed; reading stopped there.
    #[error("{origin}: more than {limit_bytes} bytes {stage}")]
    TooLarge {
        /// File or address.
        origin: String,
        /// Number of bytes allowed.
        limit_bytes: u64,
        /// Before or after decompression.
        stage: Stage,
    },
    /// Compressed data that cannot be decompressed: damaged, cut short, or in need of too much memory.
    #[error("{origin}: damaged {format} data")]
    Compression {
        /// File or address.
        origin: String,
        /// The compression that its first bytes name.
        format: &'static str,
        /// Error of the decompressor.
        #[source]
        source: io::Error,
    },
    /// Something else than JSON, such as an HTML error page.
    #[error("{origin}: not a JSON document, it begins with: {beginning}")]
    NotJson {
        /// File or address.
        origin: String,
        /// Its first characters, control characters escaped.
        beginning: String,
    },
    /// A file or archive that ends too early, is damaged, or decompresses to more than allowed.
    #[error("{origin}: cannot be read to the end")]
    Archive {
        /// File, and member where the file is an archive.
        origin: String,
        /// Error of the reader or decompressor.
        #[source]
        source: io::Error,
    },
    /// Something else than a consensus of version 3.
    #[error("{origin}: not a consensus, it begins with: {beginning}")]
    NotConsensus {
        /// File or address.
        origin: String,
        /// Its first characters, control characters escaped.
        beginning: String,
    },
    /// A consensus of the other flavour than asked for.
    #[error("{origin}: expected a consensus of flavour {expected}, found {found}")]
    WrongFlavour {
        /// File or address.
        origin: String,
        /// Flavour asked for.
        expected: Flavour,
        /// Flavour found.
        found: Flavour,
    },
    /// A consensus of another hour than its name states.
    #[error("{origin}: expected the consensus of {expected}, found that of {found}")]
    WrongHour {
        /// File or address.
        origin: String,
        /// Hour in its name.
        expected: ConsensusHour,
        /// Hour found.
        found: ConsensusHour,
    },
    /// A file that is not the one that its index lists.
    #[error("{origin}: its SHA-256 differs from the index")]
    Digest {
        /// File or address.
        origin: String,
    },
    /// Some entries of an index are none; the others are used.
    #[error("{origin}: entries that cannot be read: {n}; the others are used")]
    BadEntries {
        /// The index.
        origin: String,
        /// Number of these entries.
        n: usize,
    },
    /// Too few trusted authorities signed a consensus.
    #[error("{origin}: good signatures of {n_good} authorities, {n_needed} are needed ({n_missing} lack a certificate)")]
    Unverified {
        /// File or address.
        origin: String,
        /// Trusted authorities with a good signature.
        n_good: usize,
        /// More than half of all trusted authorities.
        n_needed: usize,
        /// Trusted authorities whose signature cannot be checked for want of a certificate.
        n_missing: usize,
    },
    /// The document ends before it is complete; nothing of it may be used.
    #[error("{origin}: truncated at byte {byte}, after {n_understood} complete relays")]
    Truncated {
        /// File or address.
        origin: String,
        /// Byte at which it ends.
        byte: u64,
        /// Number of relays before that byte.
        n_understood: usize,
    },
    /// The frame of the document, outside its relays, is malformed.
    #[error("{origin}: malformed at byte {byte}: {reason}")]
    Malformed {
        /// File or address.
        origin: String,
        /// Byte at which the defect is.
        byte: u64,
        /// Description of the defect.
        reason: String,
    },
    /// A table that is damaged as a whole, lacks a column, or has no usable row.
    #[error("{origin}: no usable table: {reason}")]
    Table {
        /// File or address.
        origin: String,
        /// Description of the defect.
        reason: String,
    },
    /// The document does not state which consensus it is as of.
    #[error("{origin}: no usable relays_published: {reason}")]
    NoPublished {
        /// File or address.
        origin: String,
        /// Description of the defect.
        reason: String,
    },
    /// A document or consensus of a time that cannot be.
    #[error("{origin}: refused, its {what} {reason}")]
    ImpossibleTime {
        /// File or address.
        origin: String,
        /// Name of the time in the document: `relays_published`, `valid-after`.
        what: &'static str,
        /// Reason.
        reason: ImpossibleTime,
    },
    /// A document of another kind than expected.
    #[error("{origin}: expected a document of kind {expected}, found {found}")]
    WrongKind {
        /// File or address.
        origin: String,
        /// Kind expected.
        expected: DocumentKind,
        /// Kind found.
        found: DocumentKind,
    },
    /// Neither name nor content show which kind of document it is.
    #[error("{origin}: unknown kind of document")]
    UnknownKind {
        /// File or address.
        origin: String,
    },
    /// An address, proxy or other option that cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// The option, with its value.
        option: String,
        /// Reason.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{url}: HTTP status {status}")]
    Status {
        /// The address asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server redirected to another host; that is not followed.
    #[error("{url}: redirected to another host or to plain HTTP")]
    Redirected {
        /// The address asked.
        url: String,
    },
    /// No answer in time.
    #[error("{url}: timed out")]
    TimedOut {
        /// The address asked.
        url: String,
    },
    /// A visit to a source that took too long as a whole.
    #[error("the visit took longer than {limit_secs} s and was ended; what came before is kept")]
    VisitTooLong {
        /// The limit.
        limit_secs: u64,
    },
    /// No complete answer: no connection, or one that broke.
    #[error("{url}: no complete answer")]
    Transport {
        /// The address asked.
        url: String,
        /// Error of the connection.
        #[source]
        source: reqwest::Error,
    },
    /// An older document than the one in the cache; the cached one is kept.
    #[error("{origin}: as of {published}, older than the stored document as of {stored}")]
    Older {
        /// The address asked.
        origin: String,
        /// Consensus that the refused document is as of.
        published: ConsensusHour,
        /// Consensus that the stored one is as of.
        stored: ConsensusHour,
    },
    /// The cache cannot be read or written.
    #[error("cannot read or write the cache file {}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: io::Error,
    },
    /// The program is shutting down.
    #[error("interrupted")]
    Interrupted,
}

/// Stage at which a size was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As stored or sent.
    Compressed,
    /// After decompression.
    Decompressed,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Compressed => "before decompression",
            Self::Decompressed => "after decompression",
        })
    }
}
