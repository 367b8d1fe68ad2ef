//! Published graphs as the store keeps them. A damaged store is an error or other graphs, never a panic.

use allium_history::{StoreUrl, Update};
use allium_model::{ConsensusHour, DocumentKind, Fingerprint, PublishedGraph, Relay, RelayHistories, SourceStatus};
use rusqlite::Connection;

use super::common::{Scratch, stored_form};

/// Raw graphs above this are refused.
const MAX_RAW_BYTES: usize = 16 << 20;

thread_local! {
    static STORE: Store = Store::new();
}

/// A store of one relay, whose graphs are replaced behind its back.
struct Store {
    _scratch: Scratch,
    behind: Connection,
    history: Box<dyn allium_history::Store>,
}

/// The raw graphs in the store's form, and the bytes as if they had that form.
pub(crate) fn published_graphs(bytes: &[u8]) {
    let blob = stored_form(bytes);
    STORE.with(|store| [&blob, bytes].into_iter().for_each(|blob| store.check(blob)));
}

impl Store {
    fn new() -> Self {
        let scratch = Scratch::new();
        let path = scratch.path("store");
        StoreUrl::from(path.as_path()).open().and_then(|mut store| store.apply(&update(Vec::new()))).expect("a store of one relay");
        let behind = Connection::open(&path).expect("a store is a database");
        behind.execute_batch("PRAGMA synchronous = OFF").expect("nothing need survive");
        Self { _scratch: scratch, behind, history: StoreUrl::from(path.as_path()).open_read_only().expect("the store just made") }
    }

    fn check(&self, blob: &[u8]) {
        let n_changed = self.behind.execute("UPDATE published_histories SET graphs = ?1", [blob]).expect("the store just made");
        assert_eq!(n_changed, 1);
        let loaded = graphs(&*self.history);
        assert_eq!(loaded, graphs(&*self.history), "the same bytes");
        let report = self.history.check().expect("a check tells");
        let Ok(graphs) = loaded else {
            assert!(!report.is_sound(), "what cannot be loaded is not sound");
            return;
        };
        assert!(report.is_sound(), "{:?}", report.problems);
        for graph in &graphs {
            assert!(graph.series.scale().is_finite() && graph.series.interval_secs() > 0 && graph.completed <= graph.series.len());
        }
        assert!(graphs.iter().map(|graph| graph.series.len() * 2).sum::<usize>() <= MAX_RAW_BYTES);
        come_back(graphs);
    }
}

/// What was read is written and read again.
fn come_back(read: Vec<PublishedGraph>) {
    let mut store = allium_history::in_memory().expect("memory is enough");
    store.apply(&update(read.clone())).expect("what was read can be written");
    assert_eq!(graphs(&*store), Ok(read));
}

fn graphs(store: &dyn allium_history::Store) -> Result<Vec<PublishedGraph>, String> {
    let record = store.load().map_err(|error| error.to_string())?;
    Ok(record.expect("a consensus is recorded").relays.remove(0).published)
}

/// One relay with these graphs.
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
    let scratch = Scratch::new();
    let path = scratch.path("store");
    StoreUrl::from(path.as_path()).open().and_then(|mut store| store.apply(&update(graphs))).expect("a store of one relay");
    let behind = Connection::open(&path).expect("a store is a database");
    let blob: Vec<u8> = behind.query_row("SELECT graphs FROM published_histories", [], |row| row.get(0)).expect("one row");
    zstd::bulk::decompress(&blob[5..], MAX_RAW_BYTES).expect("a version byte, a length, a frame")
}
