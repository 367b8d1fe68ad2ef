//! What documents leave in a store.

use crate::common::*;
use allium_history::{ConsensusInfo, ConsensusSource, Error, History, Outcome, SqliteHistory, Update, assemble};
use allium_model::{DocumentKind, NetworkRecord, Quantity, RelayFlag, RelayRecord};

fn store_with(updates: &[Update]) -> SqliteHistory {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    for update in updates {
        store.apply(update).unwrap();
        let report = store.check().unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
    }
    store
}

fn loaded(updates: &[Update]) -> NetworkRecord {
    store_with(updates).load().unwrap().unwrap()
}

fn relay(record: &NetworkRecord, number: u32) -> &RelayRecord {
    record.relays.iter().find(|relay| relay.relay.fingerprint == fingerprint(number)).unwrap()
}

/// Details, uptime and bandwidth of one visit.
fn visit() -> Update {
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

#[test]
fn a_store_gives_back_what_documents_brought() {
    let assembled = assemble(&visit()).unwrap();
    assert_eq!(loaded(&[visit()]), assembled);
    assert_eq!(relay(&assembled, 1).relay, full(1, hour(0)));
    assert_eq!(relay(&assembled, 1).published.len(), 3);
    assert_eq!(assembled.as_of, hour(0));
    assert_eq!(assembled.rejects.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(), ["a", "c", "b"]);
}

#[test]
fn parts_of_a_visit_are_enough() {
    let cases = [
        details(hour(0), vec![]),
        details(hour(0), vec![running(1, hour(-3))]),
        uptime(hour(0), vec![histories(1, vec![])]),
        uptime(hour(5), vec![histories(1, vec![graph(Quantity::Uptime, hour(0), &[Some(1), None])])]),
        details(hour(0), vec![running(1, hour(0)), full(1, hour(0))]),
    ];
    for update in cases {
        assert_eq!(store_with(std::slice::from_ref(&update)).load().unwrap(), assemble(&update), "{update:?}");
    }
}

#[test]
fn nothing_recorded_is_no_record() {
    assert_eq!(store_with(&[]).load().unwrap(), None);
    assert_eq!(store_with(&[Update::default()]).load().unwrap(), None);
    assert_eq!(assemble(&Update::default()), None);
}

#[test]
fn the_same_documents_again_change_nothing() {
    let mut store = store_with(&[visit()]);
    let before = store.load().unwrap();
    let applied = store.apply(&visit()).unwrap();
    assert!(applied.documents.iter().all(|document| document.outcome == Outcome::AlreadyStored));
    assert!(!applied.consensus_is_new);
    assert_eq!(store.load().unwrap(), before);
}

#[test]
fn applied_counts_relays_seen_for_the_first_time() {
    let mut store = store_with(&[details(hour(0), vec![running(1, hour(0))])]);
    let applied = store.apply(&details(hour(1), vec![running(1, hour(1)), running(2, hour(1))])).unwrap();
    assert_eq!(applied.documents[0].n_new, 1);
    assert_eq!(applied.documents[0].outcome, Outcome::Stored);
    assert!(applied.consensus_is_new);
}

#[test]
fn an_older_document_is_refused_and_nothing_of_its_visit_is_taken() {
    let mut store = store_with(&[visit()]);
    let before = store.load().unwrap();
    let mut mixed = uptime(hour(-1), vec![]);
    mixed.details = details(hour(1), vec![running(77, hour(1))]).details;
    for update in [details(hour(-1), vec![]), mixed] {
        let error = store.apply(&update).unwrap_err();
        assert!(matches!(&error, Error::Older { stored, offered, .. } if (*stored, *offered) == (hour(0), hour(-1))), "{error}");
        assert_eq!(store.load().unwrap(), before);
    }
}

#[test]
fn a_relay_that_is_no_longer_listed_stays_as_it_was_and_is_down() {
    let record = loaded(&[visit(), details(hour(1), vec![running(3, hour(1))])]);
    let gone = relay(&record, 1);
    assert!(!gone.relay.running);
    assert_eq!(gone.relay.contact, full(1, hour(0)).contact);
    assert_eq!(gone.relay.last_seen, Some(hour(0)));
    assert_eq!((gone.spans[0].start, gone.spans[0].end), (hour(0), hour(1)));
    let stays = relay(&record, 3);
    assert!(stays.relay.running);
    assert_eq!((stays.spans.len(), stays.spans[0].end), (1, hour(2)));
}

#[test]
fn graphs_of_relays_missing_from_a_newer_document_are_completed_with_downtime() {
    let first = uptime(hour(5), vec![histories(1, vec![graph(Quantity::Uptime, hour(6), &[Some(999), Some(999)])])]);
    // Two days later: intervals of 4 hours end at 18 + 4 n hours.
    let second = |graphs| uptime(hour(53), vec![histories(2, graphs)]);
    let completed = |graphs| relay(&loaded(&[first.clone(), second(graphs)]), 1).published[0].completed;
    assert_eq!(completed(vec![graph(Quantity::Uptime, hour(54), &[Some(1)])]), 12, "as far as the newer document reaches");
    assert_eq!(completed(vec![graph(Quantity::Uptime, hour(50), &[Some(1)])]), 11, "nobody measured the last interval");
    assert_eq!(completed(vec![]), 12, "the newer document has no such interval");
    assert_eq!(relay(&loaded(std::slice::from_ref(&first)), 1).published[0].completed, 0);
}

#[test]
fn rejects_are_those_of_the_documents_in_use() {
    let second = Update { rejects: vec![(DocumentKind::Details, reject("newer"))], ..details(hour(1), vec![]) };
    let record = loaded(&[visit(), second]);
    assert_eq!(record.rejects.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(), ["newer", "b"]);
}

#[test]
fn later_consensuses_have_the_word_on_state() {
    let mut store = store_with(&[details(hour(0), vec![full(1, hour(0)), full(2, hour(0))])]);
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

#[test]
fn as_of_an_earlier_hour_nothing_later_is_told() {
    let mut store = store_with(&[visit(), details(hour(2), vec![running(1, hour(2)), running(5, hour(2))])]);
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

#[test]
fn stats_count_what_is_there() {
    let stats = store_with(&[visit()]).stats().unwrap();
    assert_eq!((stats.n_relays, stats.n_consensuses, stats.n_spans, stats.n_published, stats.n_rejects), (4, 1, 2, 4, 3));
    assert_eq!((stats.first, stats.last), (Some(hour(0)), Some(hour(0))));
    assert_eq!(stats.documents.len(), 3);
    assert!(stats.size_bytes > 0 && stats.published_bytes > 0);
}

/// What the store in `testdata/v1.sql` was made from.
fn history_of_version_1() -> Vec<Update> {
    let listed = vec![running(3, hour(3)), full(4, hour(3))];
    let graphs = vec![graph(Quantity::Uptime, hour(6), &[Some(7)])];
    vec![visit(), Update { histories: uptime(hour(3), vec![histories(9, graphs)]).histories, ..details(hour(3), listed) }]
}

/// If this fails after a change of the format, the change needs a migration; the dump stays as it is.
#[test]
fn a_store_of_version_1_reads_the_same_for_ever() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    rusqlite::Connection::open(&path).unwrap().execute_batch(include_str!("../../testdata/v1.sql")).unwrap();
    let old = SqliteHistory::open(&path).unwrap();
    let mut new = store_with(&history_of_version_1());
    new.append_consensus(&consensus(hour(1)), &[(fingerprint(3), state(0)), (fingerprint(5), state(5))]).unwrap();
    assert_eq!(old.load().unwrap(), new.load().unwrap());
    assert_eq!(old.timeline().unwrap(), new.timeline().unwrap());
    assert!(old.check().unwrap().is_sound());
}
