//! The store as workers use it: any number read, one writes, and one worker at a time works on a whole history.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use allium_history::{Error, Store, StoreUrl};
use allium_model::ConsensusHour;
use allium_words::format;
use allium_words::inert::inert;

use super::doubt;

/// A store that workers share.
pub struct SharedStore {
    url: StoreUrl,
    is_writable: bool,
    writing: Mutex<()>,
    n_write_failures: AtomicU64,
    heavy: Mutex<()>,
    doubted: Mutex<BTreeSet<ConsensusHour>>,
}

impl SharedStore {
    /// The store at an address, which workers may write to or only read.
    pub fn new(url: StoreUrl, is_writable: bool) -> Self {
        let (writing, n_write_failures, heavy, doubted) = Default::default();
        Self { url, is_writable, writing, n_write_failures, heavy, doubted }
    }

    /// Address of the store.
    pub const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// True where workers may write to it.
    pub const fn is_writable(&self) -> bool {
        self.is_writable
    }

    /// A reason for a failure as everybody may read it: inert, and without the folder of the store.
    pub fn in_public(&self, reason: &str) -> String {
        let address = self.url.to_string();
        inert(&reason.replace(&address, format::origin(&address)))
    }

    /// Opens it for reading; lists that are not believed are left out of its answers.
    ///
    /// # Errors
    /// As [`StoreUrl::open_read_only`].
    pub fn read(&self) -> Result<Box<dyn Store>, Error> {
        let mut store = self.read_every_list()?;
        doubt::leave_out(&mut *store, &self.doubted.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(store)
    }

    /// Opens it for reading with every list, believed or not: for the detector, which judges them, and for sources.
    ///
    /// # Errors
    /// As [`StoreUrl::open_read_only`].
    pub fn read_every_list(&self) -> Result<Box<dyn Store>, Error> {
        self.url.open_read_only()
    }

    /// Says which lists the detector does not believe; true if these are others than before.
    pub fn doubt(&self, hours: BTreeSet<ConsensusHour>) -> bool {
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *doubted, hours) != *doubted
    }

    /// Reads a whole history and works on it; others that want to wait, so that what these take never adds up. The network that pages
    /// show is loaded beside it.
    ///
    /// # Errors
    /// If the store cannot be opened, or those of `read`.
    pub fn read_whole<T>(&self, read: impl FnOnce(&dyn Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let _working = self.heavy.lock().unwrap_or_else(PoisonError::into_inner);
        read(&*self.read()?)
    }

    /// As [`SharedStore::read_whole`], with every list.
    ///
    /// # Errors
    /// As [`SharedStore::read_whole`].
    pub fn read_whole_with_every_list<T>(&self, read: impl FnOnce(&dyn Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let _working = self.heavy.lock().unwrap_or_else(PoisonError::into_inner);
        read(&*self.read_every_list()?)
    }

    /// Writes to it; others that want to wait. A store whose file was deleted is not made again, empty as it would be.
    ///
    /// # Errors
    /// If the store cannot be opened, or those of `write`.
    pub fn write<T>(&self, write: impl FnOnce(&mut dyn Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.url.open_existing().map_err(anyhow::Error::from).and_then(|mut store| write(&mut *store));
        self.n_write_failures.fetch_add(u64::from(written.is_err()), Ordering::Relaxed);
        written
    }

    /// Number of times that it could not be written since the start.
    pub fn n_write_failures(&self) -> u64 {
        self.n_write_failures.load(Ordering::Relaxed)
    }
}
