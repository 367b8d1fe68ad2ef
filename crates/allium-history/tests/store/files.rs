//! Files: what is refused, what is shared, what is copied.

use std::path::PathBuf;
use std::time::Duration;

use allium_history::{Error, History, SqliteHistory};
use allium_model::Quantity;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::common::*;

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
        let mut store = SqliteHistory::open(&path).unwrap();
        store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
        store.apply(&uptime(hour(0), vec![histories(1, vec![graph(Quantity::Uptime, hour(-2), &[Some(1), None])])])).unwrap();
        path
    }
}

/// Changes a closed store behind its back.
fn tamper(path: &PathBuf, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_store_outlives_the_program() {
    let place = Place::new();
    let path = place.store();
    let first = SqliteHistory::open(&path).unwrap().load().unwrap();
    assert!(first.is_some());
    assert_eq!(SqliteHistory::open_read_only(&path).unwrap().load().unwrap(), first);
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let place = Place::new();
    let text = place.file("notes.txt");
    std::fs::write(&text, "these are somebody's notes, longer than a header\n".repeat(50)).unwrap();
    let other = place.file("other.sqlite");
    tamper(&other, "CREATE TABLE bookmarks (url TEXT)");
    for path in [&text, &other] {
        let before = std::fs::read(path).unwrap();
        assert!(matches!(SqliteHistory::open(path), Err(Error::NotAStore { .. })));
        assert!(matches!(SqliteHistory::open_read_only(path), Err(Error::NotAStore { .. })));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn only_open_creates() {
    let place = Place::new();
    let path = place.file("none");
    assert!(matches!(SqliteHistory::open_read_only(&path), Err(Error::Missing { .. })));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(matches!(SqliteHistory::open_read_only(&path), Err(Error::NotAStore { .. })), "an empty file is no store yet");
    SqliteHistory::open(&path).unwrap();
    assert_eq!(SqliteHistory::open_read_only(&path).unwrap().load().unwrap(), None);
}

#[test]
fn a_version_from_the_future_is_refused() {
    let place = Place::new();
    let path = place.store();
    tamper(&path, "PRAGMA user_version = 99");
    for result in [SqliteHistory::open(&path), SqliteHistory::open_read_only(&path)] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::FutureVersion { found: 99, supported: 10, .. }));
        assert!(error.to_string().contains("written by a newer Allium"), "{error}");
    }
}

#[test]
fn a_second_writer_is_told_which_file_is_busy() {
    let place = Place::new();
    let path = place.store();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut store = SqliteHistory::open(&path).unwrap();
    store.set_busy_timeout(Duration::from_millis(50)).unwrap();
    let error = store.apply(&details(hour(1), vec![])).unwrap_err();
    assert!(matches!(&error, Error::Locked { path: named } if *named == path), "{error}");
    assert!(error.to_string().contains("one writer at a time"));
    other.execute_batch("COMMIT").unwrap();
    store.apply(&details(hour(1), vec![])).unwrap();
}

#[test]
fn readers_see_each_change_whole_while_a_writer_has_the_store_open() {
    let place = Place::new();
    let path = place.store();
    let mut writer = SqliteHistory::open(&path).unwrap();
    let reader = SqliteHistory::open_read_only(&path).unwrap();
    let as_of = || reader.load().unwrap().unwrap().as_of;
    assert_eq!(as_of(), hour(0));
    writer.apply(&details(hour(1), vec![])).unwrap();
    assert_eq!(as_of(), hour(1));
}

#[test]
fn several_questions_are_answered_as_of_one_moment() {
    let place = Place::new();
    let path = place.store();
    let mut writer = SqliteHistory::open(&path).unwrap();
    let reader = SqliteHistory::open_read_only(&path).unwrap();
    let as_of = |store: &SqliteHistory| (store.load().unwrap().unwrap().as_of, store.stats().unwrap().last);
    let answers = reader.as_of_one_moment(|store| {
        let before = as_of(store);
        writer.apply(&details(hour(1), vec![])).unwrap();
        (before, as_of(store))
    });
    let then = (hour(0), Some(hour(0)));
    assert_eq!(answers.unwrap(), (then, then));
    assert_eq!(as_of(&reader), (hour(1), Some(hour(1))));
}

#[test]
fn a_handle_for_reading_does_not_write() {
    let place = Place::new();
    let mut store = SqliteHistory::open_read_only(place.store()).unwrap();
    assert!(matches!(store.apply(&details(hour(1), vec![])), Err(Error::ReadOnly { .. })));
}

#[test]
fn a_full_disk_undoes_the_whole_update() {
    let place = Place::new();
    let path = place.store();
    let before = SqliteHistory::open(&path).unwrap().load().unwrap();
    let mut store = SqliteHistory::open(&path).unwrap();
    store.set_max_size(0).unwrap();
    let relays = (0..500).map(|number| full(number, hour(1))).collect();
    assert!(matches!(store.apply(&details(hour(1), relays)), Err(Error::DiskFull { .. })));
    assert_eq!(store.load().unwrap(), before);
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn damaged_graphs_are_named_by_relay() {
    let damages =
        ["x''", "x'00'", "x'01ffffffff'", "x'0110000000'", "substr(graphs, 1, length(graphs) - 1)", "CAST(graphs || x'00' AS BLOB)", "7"];
    for damage in damages {
        let place = Place::new();
        let path = place.store();
        tamper(&path, &format!("UPDATE published_histories SET graphs = {damage}"));
        let store = SqliteHistory::open(&path).unwrap();
        let error = store.load().unwrap_err();
        assert!(matches!(&error, Error::Corrupt { what, .. } if what.contains(&fingerprint(1).to_string())), "{damage}: {error}");
        assert!(!store.check().unwrap().is_sound());
    }
}

#[test]
fn damage_of_any_kind_is_an_error_and_found_by_a_check() {
    let damages = [
        "UPDATE spans SET start_hour = start_hour + 1",
        "UPDATE spans SET end_hour = start_hour",
        "INSERT INTO spans SELECT relay_id, start_hour - 5, NULL, state_id FROM spans",
        "UPDATE spans SET start_hour = -2147483648",
        "UPDATE spans SET end_hour = 2147483647",
        "UPDATE spans SET start_hour = 9223372036854775807",
        "UPDATE consensuses SET hour = 2147483647",
        "UPDATE consensuses SET hour = 9223372036854775807",
        "UPDATE documents SET published_hour = 2147483647",
        "UPDATE published_histories SET published_hour = -2147483648",
        "UPDATE relays SET last_seen_hour = 2147483647",
        "UPDATE consensuses SET n_running = n_running + 1",
        "UPDATE consensuses SET hour = hour + 1",
        "PRAGMA foreign_keys = OFF; DELETE FROM states",
        "PRAGMA foreign_keys = OFF; DELETE FROM families",
        "PRAGMA foreign_keys = OFF; DELETE FROM relays",
        "UPDATE relays SET or_addresses = '[\"nowhere\"]'",
        "UPDATE relays SET exit_policy = '{'",
        "UPDATE relays SET country = 'Germany'",
        "UPDATE relays SET guard_probability = 1.5",
        "UPDATE relays SET asn = -1",
        "UPDATE relays SET exit_policy_summary = '{\"maybe\": []}'",
        "UPDATE families SET members = '[1]'",
        "UPDATE documents SET obtained_at = 'yesterday'",
        "UPDATE documents SET published_hour = published_hour - 1",
        "UPDATE published_histories SET kind = 'gossip'",
    ];
    for damage in damages {
        let place = Place::new();
        let path = place.store();
        tamper(&path, damage);
        let mut store = SqliteHistory::open(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let _must_not_panic = (store.load(), store.timeline(), store.stats());
        let _must_not_panic = store.append_consensus(&consensus(hour(-5)), &[(fingerprint(1), state(1))]);
        let _must_not_panic = store.apply(&details(hour(9), vec![full(1, hour(9))]));
    }
}

#[test]
fn damaged_pages_are_reported() {
    let place = Place::new();
    let path = place.store();
    let mut bytes = std::fs::read(&path).unwrap();
    let n_bytes = bytes.len();
    bytes[4096..n_bytes].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&path, bytes).unwrap();
    let outcome = SqliteHistory::open(&path).and_then(|store| store.load());
    assert!(matches!(outcome, Err(Error::Corrupt { .. })), "{outcome:?}");
}

#[test]
fn a_backup_is_a_complete_store_and_replaces_nothing() {
    let place = Place::new();
    let store = SqliteHistory::open(place.store()).unwrap();
    let copy = place.file("copy");
    store.backup(&copy).unwrap();
    let copied = SqliteHistory::open_read_only(&copy).unwrap();
    assert_eq!(copied.load().unwrap(), store.load().unwrap());
    assert!(copied.check().unwrap().is_sound());
    assert!(matches!(store.backup(&copy), Err(Error::Exists { .. })));
    assert!(matches!(store.backup(&place.file("no/such/directory")), Err(Error::Sqlite { .. } | Error::Io { .. })));
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
    // What a killed program leaves: pages of a change that was not committed, and the journal that undoes it.
    for suffix in ["", "-journal"] {
        let name = |path: &PathBuf| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(name(&path), name(&unfinished)).unwrap();
    }
    let read_only = Connection::open_with_flags(&unfinished, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert!(read_only.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_err(), "the journal is in use");
    drop(read_only);
    assert!(matches!(SqliteHistory::open_read_only(&unfinished), Err(Error::NotAStore { .. })));
    assert!(SqliteHistory::open(&unfinished).unwrap().check().unwrap().is_sound());
}

#[test]
fn a_store_is_compacted_without_a_change() {
    let place = Place::new();
    let path = place.store();
    tamper(&path, "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(1000000)); DROP TABLE t");
    let mut store = SqliteHistory::open(&path).unwrap();
    let record = store.load().unwrap();
    let size = || std::fs::metadata(&path).unwrap().len();
    let reader = SqliteHistory::open_read_only(&path).unwrap();
    let before = size();
    store.compact().unwrap();
    assert!(size() + 900_000 < before, "{before} to {}", size());
    assert!(store.check().unwrap().is_sound());
    assert_eq!(store.load().unwrap(), record);
    assert_eq!(reader.load().unwrap(), record);
}
