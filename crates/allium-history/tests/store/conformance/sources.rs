//! How it goes with the sources.

use allium_history::{Error, History as _, SourceVisit, SqliteHistory};
use allium_model::{SourceFailure, Timestamp};
use rusqlite::Connection;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn visit(source: &str, at: Timestamp, failure: Option<&str>) -> SourceVisit {
    SourceVisit { source: source.to_owned(), at, newest: None, failure: failure.map(str::to_owned), rejects: None }
}

#[test]
fn failures_stay_for_a_week_whatever_follows() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    let mut store = SqliteHistory::open(&path).unwrap();
    let (first, second, third) = (at("2026-02-01T00:00:00Z"), at("2026-02-01T00:05:00Z"), at("2026-02-08T00:00:01Z"));
    for (source, at, failure) in [
        ("onionoo", first, Some("refused")),
        ("directory", first, None),
        ("onionoo", second, Some("504")),
        ("onionoo", second, Some("504")),
        ("directory", second, Some("no answer")),
    ] {
        store.note_source(&visit(source, at, failure)).unwrap();
    }
    let failed = |at, reason: &str| SourceFailure { at, reason: reason.to_owned() };
    let failures = |store: &SqliteHistory| -> Vec<_> { store.sources().unwrap().into_iter().map(|report| report.failures).collect() };
    assert_eq!(failures(&store), [vec![failed(second, "no answer")], vec![failed(first, "refused"), failed(second, "504")]]);
    store.note_source(&visit("onionoo", third, None)).unwrap();
    drop(store);
    let store = SqliteHistory::open_read_only(&path).unwrap();
    assert_eq!(failures(&store), [vec![failed(second, "no answer")], vec![failed(second, "504")]]);
    assert_eq!(store.sources().unwrap()[1].failure, None);
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn a_store_of_version_8_keeps_the_failure_that_it_had() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v8");
    let mut store = SqliteHistory::open(&path).unwrap();
    let asked = at("2026-02-01T00:00:00Z");
    store.note_source(&visit("directory", asked, Some("no answer"))).unwrap();
    store.note_source(&visit("onionoo", asked, None)).unwrap();
    drop(store);
    Connection::open(&path).unwrap().execute_batch("DROP TABLE source_failures; PRAGMA user_version = 8").unwrap();
    assert!(matches!(SqliteHistory::open_read_only(&path), Err(Error::PastVersion { found: 8, .. })));
    let reports = SqliteHistory::open(&path).unwrap().sources().unwrap();
    assert_eq!(reports[0].failures, [SourceFailure { at: asked, reason: "no answer".to_owned() }]);
    assert_eq!(reports[1].failures, []);
}
