//! Documents of Onionoo.

use std::collections::BTreeSet;

use allium_model::{Bounds, DocumentKind, Fingerprint, PublishedGraph, RelayHistories, TOR_BEGAN};
use allium_sources::onionoo::{DetailsDocument, Document, Header, HistoriesDocument, SummaryDocument, decode, sniff};

use super::common::{is_clean, rejects_are_counted, twice};

/// Digits of a fingerprint and quotes.
const LEAST_ENTRY_BYTES: usize = 42;
const MAX_INTERVALS: usize = 20_000;
const MAX_GRAPHS: usize = 400;
const MAX_AMOUNT: u64 = 1_000_000_000_000;

pub(crate) fn summary(bytes: &[u8]) {
    let Some(Document::Summary(SummaryDocument { header, relays })) = decoded(DocumentKind::Summary, bytes) else { return };
    each_once(relays.iter().map(|relay| relay.fingerprint), &header);
    relays.iter().for_each(|relay| is_clean(relay.nickname.as_ref(), 64));
}

pub(crate) fn details(bytes: &[u8]) {
    let Some(Document::Details(document)) = decoded(DocumentKind::Details, bytes) else { return };
    let DetailsDocument { header, relays, n_stale, n_duplicates, .. } = document;
    each_once(relays.iter().map(|relay| relay.fingerprint), &header);
    assert!(n_stale <= relays.len() && n_duplicates <= header.n_rejects);
    for relay in &relays {
        is_clean(relay.nickname.as_ref(), 64);
        is_clean(relay.contact.as_ref(), 64 * 1024);
        is_clean(relay.as_name.as_ref(), 256);
        is_clean(relay.version.as_ref(), 64);
        relay.verified_host_names.iter().chain(&relay.other_flags).for_each(|text| is_clean(Some(text), 255));
        assert!(relay.first_seen.latest().is_none_or(|seen| seen >= TOR_BEGAN), "{relay:?}");
        assert!(relay.last_seen <= Some(header.published) && relay.first_seen.latest() <= Some(header.published), "{relay:?}");
        let amounts = [relay.consensus_weight, relay.observed_bandwidth, relay.advertised_bandwidth, relay.bandwidth_rate];
        assert!(amounts.into_iter().flatten().all(|amount| amount <= MAX_AMOUNT), "{relay:?}");
    }
}

pub(crate) fn uptime(bytes: &[u8]) {
    histories(DocumentKind::Uptime, bytes);
}

pub(crate) fn bandwidth(bytes: &[u8]) {
    histories(DocumentKind::Bandwidth, bytes);
}

pub(crate) fn weights(bytes: &[u8]) {
    histories(DocumentKind::Weights, bytes);
}

/// The document, held against what all of them have in common.
fn decoded(kind: DocumentKind, bytes: &[u8]) -> Option<Document> {
    let document = twice(|| decode(kind, bytes, "input", Bounds::default()))?;
    let header = document.header();
    assert_eq!((header.kind, header.size_bytes, header.origin.as_str()), (kind, bytes.len() as u64, "input"));
    assert!(sniff(bytes).is_none_or(|found| found == kind));
    rejects_are_counted(&header.rejects, header.n_rejects);
    // A document that is cut short is refused: a missing relay would read as a vanished one.
    let whole = bytes.trim_ascii_end();
    assert!(decode(kind, &whole[..whole.len() - 1], "input", Bounds::default()).is_err(), "accepted without its last bracket");
    Some(document)
}

fn each_once(relays: impl ExactSizeIterator<Item = Fingerprint>, header: &Header) {
    let n_relays = relays.len();
    assert_eq!(relays.collect::<BTreeSet<_>>().len(), n_relays, "a relay twice");
    assert!((n_relays * LEAST_ENTRY_BYTES) as u64 <= header.size_bytes, "{n_relays} relays from {} bytes", header.size_bytes);
}

fn histories(kind: DocumentKind, bytes: &[u8]) {
    let Some(Document::Histories(document)) = decoded(kind, bytes) else { return };
    let HistoriesDocument { header, relays, n_duplicates, n_stubs, n_frozen } = document;
    each_once(relays.iter().map(|relay| relay.fingerprint), &header);
    assert!(n_stubs <= relays.len() && n_frozen <= relays.len() && n_duplicates <= header.n_rejects);
    assert!(n_frozen == 0 || kind == DocumentKind::Uptime, "only uptime documents are completed");
    let graphs = || relays.iter().flat_map(|relay: &RelayHistories| &relay.graphs);
    assert!(relays.iter().all(|relay| relay.graphs.len() <= MAX_GRAPHS));
    let n_codes: usize = graphs().map(|graph| graph.series.len() - graph.completed).sum();
    // Each code takes a digit and what divides it from the next.
    assert!(n_codes * 2 <= bytes.len(), "{n_codes} codes from {} bytes", bytes.len());
    graphs().for_each(|graph| is_sensible(graph, &header));
}

fn is_sensible(graph: &PublishedGraph, header: &Header) {
    let series = &graph.series;
    assert!((1..=MAX_INTERVALS).contains(&series.len()) && series.start_secs() >= TOR_BEGAN.start_secs(), "{graph:?}");
    assert!(graph.completed == 0 || graph.quantity.is_share_of_consensuses(), "{graph:?}");
    assert!(series.end_secs() <= header.published.next().start_secs() + i64::from(series.interval_secs()), "after {}", header.published);
    let max = if graph.quantity.is_share() { 1.0 } else { MAX_AMOUNT as f64 };
    assert!(series.values().flatten().all(|value| (0.0..=max).contains(&value)), "{graph:?}");
    assert!(series.values().rev().take(graph.completed).all(|value| value.is_none_or(|value| value == 0.0)), "{graph:?}");
    assert!(series.mean().is_none_or(|(mean, n)| mean <= max * (1.0 + 1e-9) && n <= series.len()), "{graph:?}");
}
