//! SQLite: the suite that every backend passes, and what is true of its files.

mod damage;
mod files;
mod migrations;
mod random_damage;

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

/// Changes a closed store as a program with a fault would have left it before there were sums of pages: what it holds is wrong, and the
/// next opening for writing gives every page the sum of what it holds.
fn tamper(path: &PathBuf, sql: &str) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(sql).unwrap();
    let is_store = conn.query_row("SELECT count(*) = 2 FROM sqlite_schema WHERE name IN ('page_sums', 'page_seal')", [], |row| row.get(0));
    if is_store.unwrap() {
        let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        let before_sums =
            format!("DROP TABLE page_sums; DROP TABLE page_seal; PRAGMA user_version = {}", if version == 12 { 11 } else { version });
        conn.execute_batch(&before_sums).unwrap();
    }
}
