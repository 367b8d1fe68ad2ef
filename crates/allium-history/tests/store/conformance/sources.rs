//! Visits to sources and their failures.

use allium_history::{SourceVisit, Store};
use allium_model::{SourceFailure, Timestamp};

use super::Backend;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn visit(source: &str, at: Timestamp, failure: Option<&str>) -> SourceVisit {
    SourceVisit { source: source.to_owned(), at, newest: None, failure: failure.map(str::to_owned), rejects: None }
}

pub(crate) fn failures_stay_for_a_week_whatever_follows(backend: &dyn Backend) {
    let shared = backend.shared();
    let mut store = shared.url.open().unwrap();
    let (first, second, third) = (at("2026-02-01T00:00:00Z"), at("2026-02-01T00:05:00Z"), at("2026-02-08T00:00:01Z"));
    for (source, at, failure) in [
        ("onionoo", first, Some("refused")),
        ("directory", first, None),
        ("onionoo", second, Some("504")),
        ("onionoo", second, Some("504")),
        ("directory", second, Some("no answer")),
    ] {
        store.record_visit(&visit(source, at, failure)).unwrap();
    }
    let failed = |at, reason: &str| SourceFailure { at, reason: reason.to_owned() };
    let failures = |store: &dyn Store| -> Vec<_> { store.sources().unwrap().into_iter().map(|report| report.failures).collect() };
    assert_eq!(failures(&*store), [vec![failed(second, "no answer")], vec![failed(first, "refused"), failed(second, "504")]]);
    store.record_visit(&visit("onionoo", third, None)).unwrap();
    drop(store);
    let store = shared.url.open_read_only().unwrap();
    assert_eq!(failures(&*store), [vec![failed(second, "no answer")], vec![failed(second, "504")]]);
    assert_eq!(store.sources().unwrap()[1].failure, None);
    assert!(store.check().unwrap().is_sound());
}
