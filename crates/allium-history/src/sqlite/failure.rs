//! Failures of SQLite, and the public errors that they become.

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;
use crate::url::StoreUrl;

/// A failure while the name of the store is not known.
#[derive(Debug)]
pub(super) enum Failure {
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
    /// The damage, if the failure is one; itself otherwise.
    pub(super) fn damage(self) -> Result<String, Self> {
        match self {
            Self::Corrupt(what) => Ok(what),
            Self::Sql(source) if is_unreadable(&source) => Ok(source.to_string()),
            other => Err(other),
        }
    }

    /// True if there is an unfinished change that only a writer can undo.
    pub(super) fn is_unfinished_change(&self) -> bool {
        let codes = [ffi::SQLITE_READONLY_ROLLBACK, ffi::SQLITE_READONLY_RECOVERY];
        matches!(self, Self::Sql(source) if source.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code)))
    }

    /// True if the files that SQLite needs beside a store cannot be made or written.
    pub(super) fn is_unwritable_folder(&self) -> bool {
        let codes = [ErrorCode::ReadOnly, ErrorCode::CannotOpen];
        matches!(self, Self::Sql(source) if source.sqlite_error_code().is_some_and(|code| codes.contains(&code)))
    }

    /// The public error, for this store.
    pub(super) fn at(self, store: &StoreUrl) -> Error {
        match self {
            Self::Complete(error) => error,
            Self::Corrupt(what) => Error::Corrupt { store: store.clone(), what },
            Self::Sql(source) => classify(source, store.clone()),
        }
    }
}

/// Failures to lock a file, or to share the index of its log.
const OF_FILE_SYSTEMS: [i32; 6] = [
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMMAP,
];

fn classify(source: rusqlite::Error, store: StoreUrl) -> Error {
    if is_unreadable(&source) {
        return Error::Corrupt { store, what: source.to_string() };
    }
    // A full disk has no room for the index of the log, which readers need too; SQLite calls that an error of its own.
    if source.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
        return Error::DiskFull { store };
    }
    if source.sqlite_error().is_some_and(|error| OF_FILE_SYSTEMS.contains(&error.extended_code)) {
        return Error::FileSystem { store };
    }
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked { store },
        Some(ErrorCode::ReadOnly) => Error::ReadOnly { store },
        Some(ErrorCode::DiskFull) => Error::DiskFull { store },
        Some(ErrorCode::NotADatabase) => Error::NotAStore { store },
        _ => Error::Database { store, source: source.into() },
    }
}

/// True if the content is at fault: damaged pages, or values of another type than every version of this program writes.
fn is_unreadable(source: &rusqlite::Error) -> bool {
    use rusqlite::Error as Sql;
    let is_of_wrong_type = matches!(
        source,
        Sql::FromSqlConversionFailure(..) | Sql::IntegralValueOutOfRange(..) | Sql::InvalidColumnType(..) | Sql::Utf8Error(..)
    );
    is_of_wrong_type || source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}
