//! Consensuses in any order give one history.

use std::collections::BTreeMap;

use crate::common::*;
use allium_history::{History, SqliteHistory};
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, RelayState};
use proptest::prelude::*;

type Consensus = BTreeMap<Fingerprint, RelayState>;

fn append(store: &mut SqliteHistory, at: ConsensusHour, listed: &Consensus) -> bool {
    let listed: Vec<_> = listed.iter().map(|(fingerprint, state)| (*fingerprint, state.clone())).collect();
    store.append_consensus(&consensus(at), &listed).unwrap()
}

fn store_of(consensuses: &[(ConsensusHour, Consensus)]) -> SqliteHistory {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    for (at, listed) in consensuses {
        append(&mut store, *at, listed);
    }
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    store
}

/// What every known consensus listed, read back from spans.
fn expanded(record: &NetworkRecord) -> BTreeMap<ConsensusHour, Consensus> {
    let mut expanded: BTreeMap<_, Consensus> = record.known.hours().iter().map(|hour| (*hour, Consensus::new())).collect();
    for relay in &record.relays {
        for span in &relay.spans {
            for (_, listed) in expanded.range_mut(span.start..span.end) {
                assert_eq!(listed.insert(relay.relay.fingerprint, span.state.clone()), None, "spans are disjoint");
            }
        }
    }
    expanded
}

/// Consensuses at distinct hours, with gaps, in any order.
fn consensuses() -> impl Strategy<Value = Vec<(ConsensusHour, Consensus)>> {
    let listed = prop::collection::btree_map((0..4u32).prop_map(fingerprint), (0..2u8).prop_map(state), 0..5);
    prop::collection::btree_map((0..12i32).prop_map(hour), listed, 1..10).prop_map(|map| map.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn spans_over_known_hours_are_exactly_what_was_put_in(consensuses in consensuses()) {
        let record = store_of(&consensuses).load().unwrap().unwrap();
        prop_assert_eq!(expanded(&record), consensuses.iter().cloned().collect());
    }

    #[test]
    fn any_order_gives_the_same_spans(consensuses in consensuses()) {
        let mut sorted = consensuses.clone();
        sorted.sort_by_key(|(at, _)| *at);
        let (any, in_order) = (store_of(&consensuses), store_of(&sorted));
        prop_assert_eq!(any.load().unwrap(), in_order.load().unwrap());
    }
}

#[test]
fn the_first_consensus_of_an_hour_is_kept() {
    let mut store = store_of(&[(hour(0), BTreeMap::from([(fingerprint(1), state(1))]))]);
    let before = store.load().unwrap();
    assert!(!append(&mut store, hour(0), &BTreeMap::from([(fingerprint(2), state(2))])));
    assert_eq!(store.load().unwrap(), before);
}

#[test]
fn a_consensus_in_the_middle_splits_and_a_missing_one_does_not() {
    let listed = BTreeMap::from([(fingerprint(1), state(1))]);
    let mut store = store_of(&[(hour(0), listed.clone()), (hour(4), listed.clone())]);
    let spans = |store: &SqliteHistory| {
        let record = store.load().unwrap().unwrap();
        record.relays[0].spans.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>()
    };
    assert_eq!(spans(&store), [(hour(0), hour(5))], "nothing is said of the hours between");
    append(&mut store, hour(2), &Consensus::new());
    assert_eq!(spans(&store), [(hour(0), hour(1)), (hour(4), hour(5))]);
    append(&mut store, hour(3), &listed);
    assert_eq!(spans(&store), [(hour(0), hour(1)), (hour(3), hour(5))]);
    append(&mut store, hour(1), &listed);
    assert_eq!(spans(&store), [(hour(0), hour(2)), (hour(3), hour(5))]);
}
