//! States of workers: bytes come back, one state per worker, damage is found.

use allium_history::{Error, History as _, SqliteHistory, State as _};
use rusqlite::Connection;

use crate::common::*;

#[test]
fn the_last_state_of_each_worker_comes_back() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    assert_eq!(store.load_state("detector").unwrap(), None);
    let large: Vec<u8> = (0..3_000_000u32).flat_map(|number| number.to_le_bytes()).collect();
    store.save_state("detector", b"first").unwrap();
    store.save_state("detector", &large).unwrap();
    store.save_state("other", b"").unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), large);
    assert_eq!(store.load_state("other").unwrap().unwrap(), b"");
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn states_leave_the_record_alone_and_outlive_a_prune() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
    let before = store.load().unwrap();
    store.save_state("detector", b"seen").unwrap();
    assert_eq!(store.load().unwrap(), before);
    store.prune(hour(1)).unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}

#[test]
fn a_handle_for_reading_saves_no_state() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    SqliteHistory::open(&path).unwrap().save_state("detector", b"seen").unwrap();
    let mut store = SqliteHistory::open_read_only(&path).unwrap();
    assert!(matches!(store.save_state("detector", b"more"), Err(Error::ReadOnly { .. })));
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}

#[test]
fn a_store_of_version_9_gets_room_for_states() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v9");
    drop(SqliteHistory::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("DROP TABLE worker_states; PRAGMA user_version = 9").unwrap();
    assert!(matches!(SqliteHistory::open_read_only(&path), Err(Error::PastVersion { found: 9, supported: 10, .. })));
    let mut store = SqliteHistory::open(&path).unwrap();
    store.save_state("detector", b"seen").unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}

#[test]
fn a_damaged_state_is_found_and_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    SqliteHistory::open(&path).unwrap().save_state("detector", b"seen").unwrap();
    for damage in ["x''", "x'02'", "x'0100000050'", "substr(content, 1, length(content) - 1)", "7"] {
        Connection::open(&path).unwrap().execute_batch(&format!("UPDATE worker_states SET content = {damage}")).unwrap();
        let store = SqliteHistory::open_read_only(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let error = store.load_state("detector").unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{damage}: {error}");
    }
}
