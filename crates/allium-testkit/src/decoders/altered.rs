//! A store of which one blob is replaced behind its back, as damage to the file would.

use std::cell::RefCell;

use allium_history::sqlite::SqliteStore;
use allium_history::{Store, StoreUrl};
use rusqlite::Connection;

use super::common::Scratch;

/// A store on disk, and a second connection to its database.
pub(crate) struct Altered {
    scratch: Scratch,
    behind: Connection,
    sealer: RefCell<SqliteStore>,
}

impl Altered {
    /// A store that `fill` has filled.
    pub(crate) fn new(fill: impl FnOnce(&mut dyn Store)) -> Self {
        let scratch = Scratch::new();
        let path = scratch.path("store");
        fill(&mut *StoreUrl::from(path.as_path()).open().expect("a store"));
        let behind = Connection::open(&path).expect("a store is a database");
        behind.execute_batch("PRAGMA synchronous = OFF").expect("nothing need survive");
        let sealer = RefCell::new(SqliteStore::open(&path).expect("the store just made"));
        Self { scratch, behind, sealer }
    }

    /// The store as its readers see it.
    pub(crate) fn history(&self) -> Box<dyn Store> {
        StoreUrl::from(self.scratch.path("store").as_path()).open_read_only().expect("the store just made")
    }

    /// Replaces the blob of the only row that `update` changes, as a program with a fault would: its page has the sum of what it holds.
    pub(crate) fn replace(&self, update: &str, blob: &[u8]) {
        assert_eq!(self.behind.execute(update, [blob]).expect("the store just made"), 1);
        self.sealer.borrow_mut().accept_pages().expect("the store just made");
    }

    /// The raw bytes of the only blob that `select` gives, of at most so many.
    pub(crate) fn raw(&self, select: &str, max_bytes: usize) -> Vec<u8> {
        let blob: Vec<u8> = self.behind.query_row(select, [], |row| row.get(0)).expect("one row");
        zstd::bulk::decompress(&blob[5..], max_bytes).expect("a version byte, a length, a frame")
    }
}
