//! Documents go in, and the record comes out.

use allium_history::{ConsensusInfo, ConsensusSource, Error, Outcome, Store, Update, assemble};
use allium_model::{DocumentKind, NetworkRecord, Quantity, RelayFlag, RelayRecord};

use super::Backend;
use crate::common::*;

pub(crate) fn store_with(backend: &dyn Backend, updates: &[Update]) -> Box<dyn Store> {
    let mut store = backend.empty();
    for update in updates {
        store.apply(update).unwrap();
        let report = store.check().unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
    }
    store
}

fn loaded(backend: &dyn Backend, updates: &[Update]) -> NetworkRecord {
    store_with(backend, updates).load().unwrap().unwrap()
}

fn relay(record: &NetworkRecord, number: u32) -> &RelayRecord {
    record.relays.iter().find(|relay| relay.relay.fingerprint == fingerprint(number)).unwrap()
}

/// Details, uptime and bandwidth of one visit.
pub(crate) fn visit() -> Update {
    let mut gone = full(2, hour(-30));
    gone.running = false;
    let uptime = vec![
        histories(
            1,
            vec![
                graph(Quantity::Uptime, hour(0), &[Some(998), None, Some(999)]),
                graph(Quantity::Flag(RelayFlag::Exit), hour(0), &[Some(0)]),
            ],
        ),
        histories(9, vec![graph(Quantity::OtherFlag("Odd".into()), hour(0), &[Some(3), Some(4)])]),
    ];
    let bandwidth = vec![histories(1, vec![graph(Quantity::BytesRead, hour(-8), &[Some(5)])]), histories(2, vec![])];
    Update {
        histories: vec![(status(DocumentKind::Bandwidth, hour(0)), bandwidth), (status(DocumentKind::Uptime, hour(0)), uptime)],
        rejects: vec![
            (DocumentKind::Uptime, reject("b")),
            (DocumentKind::Details, reject("a")),
            (DocumentKind::Details, reject("c")),
            (DocumentKind::Weights, reject("of a document that is not there")),
        ],
        ..details(hour(0), vec![running(3, hour(0)), full(1, hour(0)), gone])
    }
}

pub(crate) fn a_store_gives_back_what_documents_brought(backend: &dyn Backend) {
    let assembled = assemble(&visit()).unwrap();
    assert_eq!(loaded(backend, &[visit()]), assembled);
    assert_eq!(relay(&assembled, 1).relay, full(1, hour(0)));
    assert_eq!(relay(&assembled, 1).published.len(), 3);
    assert_eq!(assembled.as_of, hour(0));
    assert_eq!(assembled.rejects.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(), ["a", "c", "b"]);
}

pub(crate) fn parts_of_a_visit_are_enough(backend: &dyn Backend) {
    let cases = [
        details(hour(0), vec![]),
        details(hour(0), vec![running(1, hour(-3))]),
        uptime(hour(0), vec![histories(1, vec![])]),
        uptime(hour(5), vec![histories(1, vec![graph(Quantity::Uptime, hour(0), &[Some(1), None])])]),
        details(hour(0), vec![running(1, hour(0)), full(1, hour(0))]),
    ];
    for update in cases {
        assert_eq!(store_with(backend, std::slice::from_ref(&update)).load().unwrap(), assemble(&update), "{update:?}");
    }
}

pub(crate) fn nothing_recorded_is_no_record(backend: &dyn Backend) {
    assert_eq!(store_with(backend, &[]).load().unwrap(), None);
    assert_eq!(store_with(backend, &[Update::default()]).load().unwrap(), None);
    assert_eq!(assemble(&Update::default()), None);
}

pub(crate) fn the_same_documents_again_change_nothing(backend: &dyn Backend) {
    let mut store = store_with(backend, &[visit()]);
    let before = store.load().unwrap();
    let applied = store.apply(&visit()).unwrap();
    assert!(applied.documents.iter().all(|document| document.outcome == Outcome::AlreadyStored));
    assert!(!applied.consensus_is_new);
    assert_eq!(store.load().unwrap(), before);
}

pub(crate) fn applied_counts_relays_seen_for_the_first_time(backend: &dyn Backend) {
    let mut store = store_with(backend, &[details(hour(0), vec![running(1, hour(0))])]);
    let applied = store.apply(&details(hour(1), vec![running(1, hour(1)), running(2, hour(1))])).unwrap();
    assert_eq!(applied.documents[0].n_new, 1);
    assert_eq!(applied.documents[0].outcome, Outcome::Stored);
    assert!(applied.consensus_is_new);
}

pub(crate) fn an_older_document_is_refused_and_nothing_of_its_visit_is_taken(backend: &dyn Backend) {
    let mut store = store_with(backend, &[visit()]);
    let before = store.load().unwrap();
    let mut mixed = uptime(hour(-1), vec![]);
    mixed.details = details(hour(1), vec![running(77, hour(1))]).details;
    for update in [details(hour(-1), vec![]), mixed] {
        let error = store.apply(&update).unwrap_err();
        assert!(matches!(&error, Error::Older { stored, offered, .. } if (*stored, *offered) == (hour(0), hour(-1))), "{error}");
        assert_eq!(store.load().unwrap(), before);
    }
}

pub(crate) fn a_relay_that_is_no_longer_listed_stays_as_it_was_and_is_down(backend: &dyn Backend) {
    let record = loaded(backend, &[visit(), details(hour(1), vec![running(3, hour(1))])]);
    let gone = relay(&record, 1);
    assert!(!gone.relay.running);
    assert_eq!(gone.relay.contact, full(1, hour(0)).contact);
    assert_eq!(gone.relay.last_seen, Some(hour(0)));
    assert_eq!((gone.spans[0].start, gone.spans[0].end), (hour(0), hour(1)));
    let stays = relay(&record, 3);
    assert!(stays.relay.running);
    assert_eq!((stays.spans.len(), stays.spans[0].end), (1, hour(2)));
}

pub(crate) fn graphs_of_relays_missing_from_a_newer_document_are_completed_with_downtime(backend: &dyn Backend) {
    let first = uptime(hour(5), vec![histories(1, vec![graph(Quantity::Uptime, hour(6), &[Some(999), Some(999)])])]);
    // Two days later: intervals of 4 hours end at 18 + 4 n hours.
    let second = |graphs| uptime(hour(53), vec![histories(2, graphs)]);
    let completed = |graphs| relay(&loaded(backend, &[first.clone(), second(graphs)]), 1).published[0].completed;
    assert_eq!(completed(vec![graph(Quantity::Uptime, hour(54), &[Some(1)])]), 12, "as far as the newer document reaches");
    assert_eq!(completed(vec![graph(Quantity::Uptime, hour(50), &[Some(1)])]), 11, "nobody measured the last interval");
    assert_eq!(completed(vec![]), 12, "the newer document has no such interval");
    assert_eq!(relay(&loaded(backend, std::slice::from_ref(&first)), 1).published[0].completed, 0);
}

pub(crate) fn rejects_are_those_of_the_documents_in_use(backend: &dyn Backend) {
    let second = Update { rejects: vec![(DocumentKind::Details, reject("newer"))], ..details(hour(1), vec![]) };
    let record = loaded(backend, &[visit(), second]);
    assert_eq!(record.rejects.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(), ["newer", "b"]);
}

pub(crate) fn the_state_is_that_of_later_consensuses(backend: &dyn Backend) {
    let mut store = store_with(backend, &[details(hour(0), vec![full(1, hour(0)), full(2, hour(0))])]);
    let mut moved = state(9);
    moved.flags.insert(RelayFlag::Guard);
    moved.country = Some("se".parse().unwrap());
    let info = ConsensusInfo { source: ConsensusSource::Details, ..consensus(hour(1)) };
    assert!(store.append_consensus(&info, &[(fingerprint(1), moved.clone())]).unwrap());
    let record = store.load().unwrap().unwrap();
    assert_eq!(record.as_of, hour(1));
    let relay_1 = &relay(&record, 1).relay;
    assert!(relay_1.running);
    assert_eq!((relay_1.flags, relay_1.country, relay_1.last_seen), (moved.flags, moved.country, Some(hour(1))));
    assert_eq!((relay_1.country_name.as_deref(), relay_1.version.as_deref()), (None, Some("0.4.9")));
    assert_eq!(relay_1.asn, full(1, hour(0)).asn, "unknown is no other one");
    assert!(!relay(&record, 2).relay.running);
}

pub(crate) fn as_of_an_earlier_hour_nothing_later_is_loaded(backend: &dyn Backend) {
    let mut store = store_with(backend, &[visit(), details(hour(2), vec![running(1, hour(2)), running(5, hour(2))])]);
    store.append_consensus(&consensus(hour(-2)), &[(fingerprint(3), state(1))]).unwrap();
    assert_eq!(store.load_as_of(hour(-3)).unwrap(), None);
    assert_eq!(store.load_as_of(hour(2)).unwrap(), store.load_as_of(hour(99)).unwrap());
    let record = store.load_as_of(hour(1)).unwrap().unwrap();
    assert_eq!(record.as_of, hour(0));
    assert_eq!(record.known.hours(), [hour(-2), hour(0)]);
    assert!(record.relays.iter().all(|relay| relay.relay.fingerprint != fingerprint(5)));
    assert_eq!(relay(&record, 1).relay.contact, full(1, hour(0)).contact);
    assert_eq!(relay(&record, 1).relay.consensus_weight, None, "weights are kept as last known, which is hour 2");
    assert_eq!(relay(&record, 1).spans[0].end, hour(1));
    assert_eq!(relay(&record, 3).spans.len(), 2);
    assert_eq!(record.sources.len(), 2);
}

pub(crate) fn stats_count_what_is_there(backend: &dyn Backend) {
    let stats = store_with(backend, &[visit()]).stats().unwrap();
    assert_eq!((stats.n_relays, stats.n_consensuses, stats.n_spans, stats.n_published, stats.n_rejects), (4, 1, 2, 4, 3));
    assert_eq!((stats.first, stats.last), (Some(hour(0)), Some(hour(0))));
    assert_eq!(stats.documents.len(), 3);
    assert!(stats.size_bytes > 0 && stats.published_bytes > 0);
}
