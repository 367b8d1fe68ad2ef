//! What can go wrong with a store, split by what its user can do about it.

use std::path::{Path, PathBuf};

use allium_model::{ConsensusHour, DocumentKind, Fingerprint};
use rusqlite::{ErrorCode, ffi};

/// Why the store refused or failed; nothing is half done in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no file of that name; only [`crate::SqliteHistory::open`] creates one.
    #[error("there is no store at {path}")]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{path} is not an Allium store")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer Allium wrote the file.
    #[error("{path} has format version {found}, written by a newer Allium; this one reads up to version {supported}")]
    FutureVersion {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: i64,
        /// The newest version that this program knows.
        supported: i64,
    },
    /// An older Allium wrote the file; only [`crate::SqliteHistory::open`] brings it to the present format.
    #[error("{path} has format version {found}; `allium store upgrade` brings it to version {supported}")]
    PastVersion {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: i64,
        /// The version that this program reads.
        supported: i64,
    },
    /// Somebody else writes for longer than the busy timeout.
    #[error("{path} is being written by another process; one writer at a time")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file, its directory or this handle allows no writing.
    #[error("{path} can only be read")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No space left; the transaction was undone.
    #[error("no space left on the device of {path}")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The content of the file is damaged.
    #[error("{path} is damaged: {what}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where and how.
        what: String,
    },
    /// A document is older than the one in use; nothing of its update was taken.
    #[error("the {kind} document of {offered} from {origin} is older than the stored one of {stored}")]
    Older {
        /// Which kind of document.
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
        /// Which document.
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
        /// Where one of the two begins.
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
    /// Anything else that SQLite reports.
    #[error("cannot use {path}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Its report.
        #[source]
        source: rusqlite::Error,
    },
}

/// A failure inside the crate, where the name of the file is not known.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Reported by SQLite.
    Sql(rusqlite::Error),
    /// Content that no version of this program writes.
    Corrupt(String),
    /// Complete already.
    Complete(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sql(source)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Complete(error)
    }
}

impl Failure {
    /// What is damaged, if that is what the failure says; itself otherwise.
    pub(crate) fn damage(self) -> Result<String, Self> {
        match self {
            Self::Corrupt(what) => Ok(what),
            Self::Sql(source) if is_unreadable(&source) => Ok(source.to_string()),
            other => Err(other),
        }
    }

    /// Whether somebody left a change unfinished that only a writer can undo.
    pub(crate) fn is_unfinished_change(&self) -> bool {
        let codes = [ffi::SQLITE_READONLY_ROLLBACK, ffi::SQLITE_READONLY_RECOVERY];
        matches!(self, Self::Sql(source) if source.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code)))
    }

    /// The public error, for this file.
    pub(crate) fn at(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        match self {
            Self::Complete(error) => error,
            Self::Corrupt(what) => Error::Corrupt { path, what },
            Self::Sql(source) => classify(source, path),
        }
    }
}

fn classify(source: rusqlite::Error, path: PathBuf) -> Error {
    if is_unreadable(&source) {
        return Error::Corrupt { path, what: source.to_string() };
    }
    // A full disk has no room for the index of the log, which readers need too; SQLite calls that an error of its own.
    if source.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
        return Error::DiskFull { path };
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked { path },
        Some(ErrorCode::ReadOnly) => Error::ReadOnly { path },
        Some(ErrorCode::DiskFull) => Error::DiskFull { path },
        Some(ErrorCode::NotADatabase) => Error::NotAStore { path },
        _ => Error::Sqlite { path, source },
    }
}

/// Whether the content is at fault: damaged pages, or values of another type than every version of this program writes.
fn is_unreadable(source: &rusqlite::Error) -> bool {
    use rusqlite::Error as Sql;
    let is_of_wrong_type = matches!(
        source,
        Sql::FromSqlConversionFailure(..) | Sql::IntegralValueOutOfRange(..) | Sql::InvalidColumnType(..) | Sql::Utf8Error(..)
    );
    is_of_wrong_type || source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}
