//! Published graphs as the store keeps them. A damaged store is an error or other graphs, never a panic.

use allium_history::{Store as AnyStore, Update};
use allium_model::{ConsensusHour, DocumentKind, Fingerprint, PublishedGraph, Relay, RelayHistories, SourceStatus};

use super::altered::Altered;
use super::common::stored_form;

/// Raw graphs above this are refused.
const MAX_RAW_BYTES: usize = 16 << 20;

thread_local! {
    static STORE: Store = Store::new();
}

/// A store of one relay, whose graphs are replaced behind its back.
struct Store {
    altered: Altered,
    history: Box<dyn AnyStore>,
}

/// The raw graphs in the store's form, and the bytes as if they had that form.
pub(crate) fn published_graphs(bytes: &[u8]) {
    let blob = stored_form(bytes);
    STORE.with(|store| [&blob, bytes].into_iter().for_each(|blob| store.check(blob)));
}

impl Store {
    fn new() -> Self {
        let altered = Altered::new(|store| fill(store, Vec::new()));
        Self { history: altered.history(), altered }
    }

    fn check(&self, blob: &[u8]) {
        self.altered.replace("UPDATE published_histories SET graphs = ?1", blob);
        let loaded = graphs(&*self.history);
        assert_eq!(loaded, graphs(&*self.history), "the same bytes");
        let report = self.history.check().expect("a check ends");
        let Ok(graphs) = loaded else {
            assert!(!report.is_sound(), "what cannot be loaded is not sound");
            return;
        };
        assert!(report.is_sound(), "{:?}", report.problems);
        for graph in &graphs {
            assert!(graph.series.scale().is_finite() && graph.series.interval_secs() > 0 && graph.completed <= graph.series.len());
        }
        assert!(graphs.iter().map(|graph| graph.series.len() * 2).sum::<usize>() <= MAX_RAW_BYTES);
        round_trip(graphs);
    }
}

/// Holds that what was read can be written and read again.
fn round_trip(read: Vec<PublishedGraph>) {
    let mut store = allium_history::in_memory().expect("memory is enough");
    fill(&mut *store, read.clone());
    assert_eq!(graphs(&*store), Ok(read));
}

fn graphs(store: &dyn AnyStore) -> Result<Vec<PublishedGraph>, String> {
    let record = store.load().map_err(|error| error.to_string())?;
    Ok(record.expect("a consensus is recorded").relays.remove(0).published)
}

/// Stores one relay with these graphs.
fn fill(store: &mut dyn AnyStore, graphs: Vec<PublishedGraph>) {
    store.apply(&update(graphs)).expect("a store takes graphs that can be read");
}

fn update(graphs: Vec<PublishedGraph>) -> Update {
    let (fingerprint, published) = (Fingerprint::new([7; 20]), ConsensusHour::new(492_000));
    let status = |kind| SourceStatus {
        kind,
        origin: "input".into(),
        published,
        obtained_at: published.start(),
        size_bytes: 1,
        n_relays: 1,
        n_rejects: 0,
    };
    let relay = Relay { last_seen: Some(published), running: true, ..Relay::unknown(fingerprint) };
    let histories = vec![(status(DocumentKind::Uptime), vec![RelayHistories { fingerprint, graphs }])];
    Update { details: Some((status(DocumentKind::Details), vec![relay])), histories, ..Update::default() }
}

/// The raw graphs of the store's form of these.
pub(crate) fn raw(graphs: Vec<PublishedGraph>) -> Vec<u8> {
    Altered::new(|store| fill(store, graphs)).raw("SELECT graphs FROM published_histories", MAX_RAW_BYTES)
}
