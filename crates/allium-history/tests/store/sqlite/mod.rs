//! SQLite: the suite that every backend passes, and what is true of its files.

mod damage;
mod files;
mod migrations;
mod power_loss;
mod random_damage;
mod repair;

use std::path::PathBuf;

use allium_history::sqlite::SqliteStore;
use allium_history::{Record as _, Store};
use allium_model::Quantity;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::common::*;
use crate::conformance::{Backend, Shared};

mod conformance {
    crate::conformance::conformance!(crate::sqlite::Sqlite);
}

/// Stores in memory and in files.
struct Sqlite;

impl Backend for Sqlite {
    fn empty(&self) -> Box<dyn Store> {
        allium_history::in_memory().unwrap()
    }

    fn shared(&self) -> Shared {
        let place = TempDir::new().unwrap();
        Shared { url: place.path().join("store").into(), _keep: Box::new(place) }
    }
}

/// A directory for stores.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A store with a relay and its uptime.
    fn store(&self) -> PathBuf {
        let path = self.file("store");
        let mut store = SqliteStore::open(&path).unwrap();
        store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
        store.apply(&uptime(hour(0), vec![histories(1, vec![graph(Quantity::Uptime, hour(-2), &[Some(1), None])])])).unwrap();
        path
    }
}

/// Changes a closed store as a program with a fault would: what it holds is wrong, and every page has the sum of what it holds.
fn tamper(path: &PathBuf, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
    // What is no store has no sums.
    if let Ok(mut store) = SqliteStore::open(path) {
        store.accept_pages().unwrap();
    }
}
