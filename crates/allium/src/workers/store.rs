//! The store as workers use it: any number read, one writes, and one whole history lies in memory at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use allium_history::{Error, SqliteHistory};

/// A store that workers share.
pub struct Store {
    path: PathBuf,
    is_writable: bool,
    writing: Mutex<()>,
    reading_whole: Mutex<()>,
}

impl Store {
    /// The store at a path, which workers may write to or only read.
    pub fn new(path: impl Into<PathBuf>, is_writable: bool) -> Self {
        Self { path: path.into(), is_writable, writing: Mutex::default(), reading_whole: Mutex::default() }
    }

    /// File of the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether workers may write to it.
    pub const fn is_writable(&self) -> bool {
        self.is_writable
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// As [`SqliteHistory::open_read_only`].
    pub fn read(&self) -> Result<SqliteHistory, Error> {
        SqliteHistory::open_read_only(&self.path)
    }

    /// Reads the whole exact history; whoever else wants to waits, as it takes much memory.
    ///
    /// # Errors
    /// If the store cannot be opened, or those of `read`.
    pub fn read_whole<T>(&self, read: impl FnOnce(&SqliteHistory) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let _reading = self.reading_whole.lock().unwrap_or_else(PoisonError::into_inner);
        read(&self.read()?)
    }

    /// Writes to it; whoever else wants to waits.
    ///
    /// # Errors
    /// If the store cannot be opened, or those of `write`.
    pub fn write<T>(&self, write: impl FnOnce(&mut SqliteHistory) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut SqliteHistory::open(&self.path)?)
    }
}
