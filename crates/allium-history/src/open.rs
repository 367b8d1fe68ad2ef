//! Opening a store: the one place that knows the backends.

use std::borrow::Cow;
use std::path::Path;

use crate::error::Error;
use crate::report::Repaired;
use crate::sqlite::{self, SqliteStore};
use crate::store::Store;
use crate::url::{Address, StoreUrl};

/// A way to open a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// For writing; a store that is not there is made.
    Create,
    /// For writing; the store has to be there.
    Existing,
    /// For reading; the store has to be there.
    ReadOnly,
}

impl StoreUrl {
    /// Opens the store for writing; creates it if there is none, and brings an older format to the present one.
    ///
    /// # Errors
    /// [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::Corrupt`], [`Error::NoBackend`]; [`Error::ReadOnly`] and
    /// [`Error::Database`] if the store cannot be written.
    pub fn open(&self) -> Result<Box<dyn Store>, Error> {
        self.open_as(Mode::Create)
    }

    /// Opens the store for reading; others may write to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NotAStore`], [`Error::FutureVersion`], [`Error::PastVersion`], [`Error::Corrupt`],
    /// [`Error::ReadOnlyFolder`], [`Error::NoBackend`].
    pub fn open_read_only(&self) -> Result<Box<dyn Store>, Error> {
        self.open_as(Mode::ReadOnly)
    }

    /// As [`StoreUrl::open`], of a store that exists.
    ///
    /// # Errors
    /// [`Error::Missing`]; else as [`StoreUrl::open`].
    pub fn open_existing(&self) -> Result<Box<dyn Store>, Error> {
        self.open_as(Mode::Existing)
    }

    /// Makes a sound store at `to`, where no file is, of this one, which may be damaged in any way and stays as it is. Nobody should
    /// write to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Exists`], [`Error::Io`], [`Error::DiskFull`], [`Error::NoBackend`]; [`Error::Corrupt`] if nothing can
    /// be read.
    pub fn repair(&self, to: &Path) -> Result<Repaired, Error> {
        match &self.0 {
            Address::Sqlite(path) => sqlite::repair(&literal(path), to),
            Address::Other(scheme, _) => Err(self.no_backend(scheme)),
        }
    }

    /// The backends, a line each.
    fn open_as(&self, mode: Mode) -> Result<Box<dyn Store>, Error> {
        match &self.0 {
            Address::Sqlite(path) => Ok(Box::new(self.sqlite(&literal(path), mode)?)),
            Address::Other(scheme, _) => Err(self.no_backend(scheme)),
        }
    }

    fn sqlite(&self, path: &Path, mode: Mode) -> Result<SqliteStore, Error> {
        match mode {
            Mode::ReadOnly => SqliteStore::open_read_only(path),
            Mode::Existing if !path.exists() => Err(Error::Missing { store: self.clone() }),
            Mode::Create | Mode::Existing => SqliteStore::open(path),
        }
    }

    fn no_backend(&self, scheme: &str) -> Error {
        let backend = if matches!(scheme, "postgres" | "postgresql") { "PostgreSQL" } else { scheme };
        Error::NoBackend { store: self.clone(), backend: backend.to_owned() }
    }
}

/// The path as SQLite takes it for the file of that name: `file:x.db` would be a URI to it, and `:memory:` no file at all.
fn literal(path: &Path) -> Cow<'_, Path> {
    let is_special = path.to_str().is_some_and(|path| path.starts_with("file:") || path.starts_with(':'));
    if is_special { Cow::Owned(Path::new(".").join(path)) } else { Cow::Borrowed(path) }
}

/// Opens a store that is gone when the value is dropped.
///
/// # Errors
/// [`Error::Database`] if there is not enough memory.
pub fn in_memory() -> Result<Box<dyn Store>, Error> {
    Ok(Box::new(SqliteStore::open_in_memory()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_that_is_not_there_is_named() {
        let url = StoreUrl::from("postgres://allium:secret@db.example/tor");
        for error in [url.open().unwrap_err(), url.open_read_only().unwrap_err(), url.open_existing().unwrap_err()] {
            assert_eq!(error.to_string(), "postgres://db.example/tor: this build has no PostgreSQL backend");
        }
        assert!(StoreUrl::from("mysql://x").open().unwrap_err().to_string().ends_with("this build has no mysql backend"));
    }
}
