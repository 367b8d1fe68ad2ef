//! Files: what is refused, what is shared, what is copied.

use std::path::PathBuf;
use std::time::Duration;

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Record as _, Upkeep as _};
use rusqlite::Connection;

use super::{Place, tamper};
use crate::common::*;

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let place = Place::new();
    let text = place.file("notes.txt");
    std::fs::write(&text, "these are somebody's notes, longer than a header\n".repeat(50)).unwrap();
    let other = place.file("other.sqlite");
    tamper(&other, "CREATE TABLE bookmarks (url TEXT)");
    for path in [&text, &other] {
        let before = std::fs::read(path).unwrap();
        assert!(matches!(SqliteStore::open(path), Err(Error::NotAStore { .. })));
        assert!(matches!(SqliteStore::open_read_only(path), Err(Error::NotAStore { .. })));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn only_open_creates() {
    let place = Place::new();
    let path = place.file("none");
    assert!(matches!(SqliteStore::open_read_only(&path), Err(Error::Missing { .. })));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(matches!(SqliteStore::open_read_only(&path), Err(Error::NotAStore { .. })), "an empty file is no store yet");
    SqliteStore::open(&path).unwrap();
    assert_eq!(SqliteStore::open_read_only(&path).unwrap().load().unwrap(), None);
}

#[test]
fn a_version_from_the_future_is_refused() {
    let place = Place::new();
    let path = place.store();
    tamper(&path, "PRAGMA user_version = 99");
    for result in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::FutureVersion { found: 99, supported: 12, .. }));
        assert!(error.to_string().contains("written by a newer Allium"), "{error}");
    }
}

#[test]
fn a_second_writer_is_told_which_file_is_busy() {
    let place = Place::new();
    let path = place.store();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    store.set_busy_timeout(Duration::from_millis(50)).unwrap();
    let error = store.apply(&details(hour(1), vec![])).unwrap_err();
    assert!(matches!(&error, Error::Locked { store: named } if *named == path.as_path().into()), "{error}");
    assert!(error.to_string().contains("one writer at a time"));
    other.execute_batch("COMMIT").unwrap();
    store.apply(&details(hour(1), vec![])).unwrap();
}

#[test]
fn nothing_is_written_into_a_file_that_was_deleted_or_replaced() {
    let place = Place::new();
    let path = place.store();
    let mut store = SqliteStore::open(&path).unwrap();
    std::fs::rename(&path, place.file("elsewhere")).unwrap();
    let error = store.apply(&details(hour(1), vec![])).unwrap_err();
    assert!(error.to_string().contains("was deleted or replaced while it was open"), "{error}");
    std::fs::write(&path, "another file").unwrap();
    assert!(matches!(store.apply(&details(hour(1), vec![])), Err(Error::Gone { .. })));
}

#[test]
fn a_full_disk_undoes_the_whole_update() {
    let place = Place::new();
    let path = place.store();
    let before = SqliteStore::open(&path).unwrap().load().unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    store.set_max_size(0).unwrap();
    let relays = (0..500).map(|number| full(number, hour(1))).collect();
    assert!(matches!(store.apply(&details(hour(1), relays)), Err(Error::DiskFull { .. })));
    assert_eq!(store.load().unwrap(), before);
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn a_backup_is_a_complete_store_and_replaces_nothing() {
    let place = Place::new();
    let store = SqliteStore::open(place.store()).unwrap();
    let copy = place.file("copy");
    store.backup(&copy).unwrap();
    let copied = SqliteStore::open_read_only(&copy).unwrap();
    assert_eq!(copied.load().unwrap(), store.load().unwrap());
    assert!(copied.check().unwrap().is_sound());
    assert!(matches!(store.backup(&copy), Err(Error::Exists { .. })));
    assert!(matches!(store.backup(&place.file("no/such/directory")), Err(Error::Database { .. } | Error::Io { .. })));
    assert_eq!(
        std::fs::read_dir(place.0.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().ends_with("copy.partial")).count(),
        0
    );
}

/// SQLite makes the first page of a store with a rollback journal, before the write-ahead log.
#[test]
fn a_file_whose_making_was_interrupted_is_no_store_and_becomes_one() {
    let place = Place::new();
    let (path, unfinished) = (place.file("killed"), place.file("unfinished"));
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE t (x); DROP TABLE t; VACUUM; PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (x)").unwrap();
    for _ in 0..200 {
        conn.execute("INSERT INTO t VALUES (zeroblob(4000))", []).unwrap();
    }
    // A killed program leaves pages of a change that was not committed, and the journal that undoes it.
    for suffix in ["", "-journal"] {
        let name = |path: &PathBuf| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(name(&path), name(&unfinished)).unwrap();
    }
    let read_only = Connection::open_with_flags(&unfinished, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert!(read_only.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_err(), "the journal is in use");
    drop(read_only);
    assert!(matches!(SqliteStore::open_read_only(&unfinished), Err(Error::NotAStore { .. })));
    assert!(SqliteStore::open(&unfinished).unwrap().check().unwrap().is_sound());
}

#[test]
fn a_store_is_compacted_without_a_change() {
    let place = Place::new();
    let path = place.store();
    tamper(&path, "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(1000000)); DROP TABLE t");
    let mut store = SqliteStore::open(&path).unwrap();
    let record = store.load().unwrap();
    let size = || std::fs::metadata(&path).unwrap().len();
    let reader = SqliteStore::open_read_only(&path).unwrap();
    let before = size();
    store.compact().unwrap();
    assert!(size() + 900_000 < before, "{before} to {}", size());
    assert!(store.check().unwrap().is_sound());
    assert_eq!(store.load().unwrap(), record);
    assert_eq!(reader.load().unwrap(), record);
}
