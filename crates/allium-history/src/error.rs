//! Errors of a store, split by what its user can do about them.

use std::path::PathBuf;

use allium_model::{ConsensusHour, DocumentKind, Fingerprint};

use crate::url::StoreUrl;

/// A refusal or failure of the store; nothing is half done in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no store; only [`StoreUrl::open`] creates one.
    #[error("there is no store at {store}")]
    Missing {
        /// The store asked for.
        store: StoreUrl,
    },
    /// There is something else.
    #[error("{store} is not an Allium store; if it was one, `allium store repair` looks for what is left of it")]
    NotAStore {
        /// The store.
        store: StoreUrl,
    },
    /// A newer Allium wrote the store.
    #[error("{store} has format version {found}, written by a newer Allium; this one reads up to version {supported}")]
    FutureVersion {
        /// The store.
        store: StoreUrl,
        /// Its format version.
        found: i64,
        /// The newest version that this program knows.
        supported: i64,
    },
    /// An older Allium wrote the store; only [`StoreUrl::open`] brings it to the present format.
    #[error("{store} has format version {found}; `allium store upgrade` brings it to version {supported}")]
    PastVersion {
        /// The store.
        store: StoreUrl,
        /// Its format version.
        found: i64,
        /// The version that this program reads.
        supported: i64,
    },
    /// Somebody else writes for longer than the busy timeout.
    #[error("{store} is being written by another process; one writer at a time")]
    Locked {
        /// The store.
        store: StoreUrl,
    },
    /// The store or this handle allows no writing.
    #[error(
        "{store} can only be read: this user may not write to the file or its folder, or their file system is mounted read-only; give it \
         the right, or name a store elsewhere with --store"
    )]
    ReadOnly {
        /// The store.
        store: StoreUrl,
    },
    /// Changes lie in a log beside the store, and reading them needs a folder that can be written.
    #[error(
        "{store} cannot be read: changes wait in a log beside it, and the folder {} cannot be written; let this user write to the \
         folder, or copy the store with the files beside it to one that can be written",
        folder.display()
    )]
    ReadOnlyFolder {
        /// The store.
        store: StoreUrl,
        /// Its folder.
        folder: PathBuf,
    },
    /// No space left; the transaction was undone.
    #[error("no space left on the device of {store}; what was stored before is unharmed, and the same work succeeds once there is space")]
    DiskFull {
        /// The store.
        store: StoreUrl,
    },
    /// The file was deleted or replaced while this handle was open; nothing more is written to it.
    #[error("the file of {store} was deleted or replaced while it was open: stop this program, put the store back, and start it again")]
    Gone {
        /// The store.
        store: StoreUrl,
    },
    /// The file system lacks what several programs need to share one store.
    #[error(
        "{store} lies on a file system that cannot lock files or share memory between programs, as network file systems often cannot; \
         put it on a local disk"
    )]
    FileSystem {
        /// The store.
        store: StoreUrl,
    },
    /// The content of the store is damaged.
    #[error("{store} is damaged: {what}; `allium store repair` makes a sound store of what can be read, or restore a backup")]
    Corrupt {
        /// The store.
        store: StoreUrl,
        /// The damage.
        what: String,
    },
    /// A document is older than the one in use; nothing of its update was taken.
    #[error("the {kind} document of {offered} from {origin} is older than the stored one of {stored}")]
    Older {
        /// The kind of document.
        kind: DocumentKind,
        /// The newest consensus that the stored one knows.
        stored: ConsensusHour,
        /// The newest consensus that the refused one knows.
        offered: ConsensusHour,
        /// File or address of the refused one.
        origin: String,
    },
    /// The graphs of one relay exceed what one entry may hold; a relay has some 4 kB.
    #[error("the {kind} graphs of relay {relay} take {n_bytes} bytes, more than a store accepts")]
    TooLarge {
        /// The relay.
        relay: Fingerprint,
        /// The document.
        kind: DocumentKind,
        /// Their size when encoded.
        n_bytes: usize,
    },
    /// The state of a worker exceeds what one entry may hold.
    #[error("the state of worker {name} has {n_bytes} bytes, more than a store accepts")]
    StateTooLarge {
        /// The worker.
        name: String,
        /// Size of its state.
        n_bytes: usize,
    },
    /// Spans offered for one relay overlap; nothing of their pack was taken.
    #[error("spans of relay {relay} overlap at {at}")]
    Overlap {
        /// The relay.
        relay: Fingerprint,
        /// The first hour of one of the two.
        at: ConsensusHour,
    },
    /// The target of a backup exists already and is left alone.
    #[error("{path} exists already")]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("cannot write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: std::io::Error,
    },
    /// Anything else that the database reports.
    #[error("cannot use {store}")]
    Database {
        /// The store.
        store: StoreUrl,
        /// Its report.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store is of a kind that this program was built without.
    #[error("{store}: this build has no {backend} backend")]
    NoBackend {
        /// The store.
        store: StoreUrl,
        /// The kind.
        backend: String,
    },
}
