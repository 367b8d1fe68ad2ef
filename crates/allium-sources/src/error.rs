//! Why a document could not be had.

use std::io;
use std::path::PathBuf;

use allium_model::{ConsensusHour, DocumentKind};

use crate::consensus::Flavour;

/// Why a document could not be read, decoded, fetched or kept. What is wrong inside a document that is otherwise good
/// is no error but a [`Reject`](allium_model::Reject).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
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
        /// How many are allowed.
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
        /// What the decompressor says.
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
    #[error("{origin}: cannot be read to its end")]
    Archive {
        /// File, and member where the file is an archive.
        origin: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// Something else than a consensus of version 3.
    #[error("{origin}: no consensus, it begins with: {beginning}")]
    NotConsensus {
        /// File or address.
        origin: String,
        /// What gives it away, control characters escaped.
        beginning: String,
    },
    /// A consensus of the other flavour than asked for.
    #[error("{origin}: expected a consensus of flavour {expected}, found {found}")]
    WrongFlavour {
        /// Where it came from.
        origin: String,
        /// What was asked for.
        expected: Flavour,
        /// What it is.
        found: Flavour,
    },
    /// A consensus of another hour than its name says.
    #[error("{origin}: expected the consensus of {expected}, found that of {found}")]
    WrongHour {
        /// Where it came from.
        origin: String,
        /// What its name says.
        expected: ConsensusHour,
        /// What it is.
        found: ConsensusHour,
    },
    /// A file that is not the one that its index lists.
    #[error("{origin}: its SHA-256 is not that of the index")]
    Digest {
        /// Where it came from.
        origin: String,
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
        /// Where it ends.
        byte: u64,
        /// Relays before that place.
        n_understood: usize,
    },
    /// The frame of the document, outside its relays, is not as it should be.
    #[error("{origin}: malformed at byte {byte}: {reason}")]
    Malformed {
        /// File or address.
        origin: String,
        /// Where.
        byte: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A table that is damaged as a whole, lacks a column, or has nothing in it that can be used.
    #[error("{origin}: no usable table: {reason}")]
    Table {
        /// File or address.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document does not say as of which consensus it is.
    #[error("{origin}: no usable relays_published: {reason}")]
    NoPublished {
        /// File or address.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A document of another kind than expected.
    #[error("{origin}: expected a document of kind {expected}, found {found}")]
    WrongKind {
        /// File or address.
        origin: String,
        /// What was expected.
        expected: DocumentKind,
        /// What it is.
        found: DocumentKind,
    },
    /// Neither name nor content tell which kind of document it is.
    #[error("{origin}: cannot tell which kind of document this is")]
    UnknownKind {
        /// File or address.
        origin: String,
    },
    /// An address, proxy or other option that cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// Which option, with its value.
        option: String,
        /// Why not.
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
    /// The server sent us to another host; that is not followed.
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
    /// No complete answer: no connection, or one that broke.
    #[error("{url}: no complete answer")]
    Transport {
        /// The address asked.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// An older document than the one in the cache; the cached one is kept.
    #[error("{origin}: as of {published}, older than the stored document as of {stored}")]
    Older {
        /// The address asked.
        origin: String,
        /// As of which consensus the refused document is.
        published: ConsensusHour,
        /// As of which consensus the stored one is.
        stored: ConsensusHour,
    },
    /// The cache cannot be read or written.
    #[error("cache file {}", path.display())]
    Cache {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The program is shutting down.
    #[error("interrupted")]
    Interrupted,
}

/// Where a size was measured.
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
