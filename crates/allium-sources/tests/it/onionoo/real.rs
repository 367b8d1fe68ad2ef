//! Real documents, where they are at hand.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use allium_model::{Bounds, Fingerprint, GraphPeriod, Period, Quantity};
use allium_sources::Error;
use allium_sources::onionoo::{DetailsDocument, Document, HistoriesDocument, decode_file};
use allium_sources::read::Limits;

fn real_data() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !dir.is_dir() {
        println!("skipped: no real data");
        return None;
    }
    Some(dir)
}

fn decode(dir: &Path, name: &str) -> Document {
    decode_file(&dir.join(name), &Limits::default(), Bounds::default()).unwrap()
}

fn network(dir: &Path) -> (DetailsDocument, HistoriesDocument) {
    match (decode(dir, "onionoo-2026-02-15/details.json.zst"), decode(dir, "onionoo-2026-02-15/uptime.json.zst")) {
        (Document::Details(details), Document::Histories(histories)) => (details, histories),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_whole_network_decodes_without_rejects() {
    let Some(dir) = real_data() else { return };
    let (details, uptime) = network(&dir);
    assert_eq!((details.relays.len(), uptime.relays.len()), (10_703, 10_695));
    assert_eq!(details.relays.iter().filter(|relay| relay.running).count(), 9_707);
    assert_eq!((details.n_stale, details.n_stubs, details.n_duplicates), (0, 0, 0));
    assert_eq!((uptime.n_stubs, uptime.n_duplicates), (109, 0));
    for header in [&details.header, &uptime.header] {
        assert_eq!(header.published.to_string(), "2026-02-15T18:00:00Z");
        assert_eq!(header.n_rejects, 0, "{:?}", header.rejects);
    }
}

#[test]
fn no_running_relay_is_taken_for_frozen() {
    let Some(dir) = real_data() else { return };
    let (details, uptime) = network(&dir);
    let running: HashMap<Fingerprint, bool> = details.relays.iter().map(|relay| (relay.fingerprint, relay.running)).collect();
    let is_month = |period: &GraphPeriod| *period == GraphPeriod::Named(Period::OneMonth);
    let mut n_completed = 0;
    for relay in &uptime.relays {
        for graph in relay.graphs.iter().filter(|graph| graph.completed > 0) {
            assert_eq!(running.get(&relay.fingerprint), Some(&false), "{}", relay.fingerprint);
            n_completed += usize::from(graph.quantity == Quantity::Uptime && is_month(&graph.period));
        }
    }
    assert_eq!((n_completed, uptime.n_frozen), (809, 809));
}

#[test]
fn shares_of_the_whole_network_lie_between_zero_and_one() {
    let Some(dir) = real_data() else { return };
    let (_, uptime) = network(&dir);
    let graphs = uptime.relays.iter().flat_map(|relay| &relay.graphs);
    assert!(graphs.flat_map(|graph| graph.series.values()).flatten().all(|value| (0.0..=1.0).contains(&value)));
}

#[test]
fn small_answers_decode_but_for_their_shortened_values() {
    let Some(dir) = real_data() else { return };
    for file in std::fs::read_dir(dir.join("onionoo-samples")).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().contains("clients") {
            // Clients of bridges: no kind of document that we read.
            assert!(matches!(decode_file(&path, &Limits::default(), Bounds::default()), Err(Error::UnknownKind { .. })));
            continue;
        }
        let document = decode_file(&path, &Limits::default(), Bounds::default()).unwrap();
        assert!(document.n_relays() > 0);
        for reject in &document.header().rejects {
            assert!(reject.reason.starts_with("last does not fit first"), "{reject:?}");
        }
    }
}
