//! Consensuses in any order give one history.

use std::collections::BTreeMap;

use allium_history::{Error, Store};
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, RelayState, StateSpan};
use proptest::prelude::*;

use super::Backend;
use crate::common::*;

type Consensus = BTreeMap<Fingerprint, RelayState>;

fn append(store: &mut dyn Store, at: ConsensusHour, listed: &Consensus) -> bool {
    let listed: Vec<_> = listed.iter().map(|(fingerprint, state)| (*fingerprint, state.clone())).collect();
    store.append_consensus(&consensus(at), &listed).unwrap()
}

fn store_of(backend: &dyn Backend, consensuses: &[(ConsensusHour, Consensus)]) -> Box<dyn Store> {
    let mut store = backend.empty();
    for (at, listed) in consensuses {
        append(&mut *store, *at, listed);
    }
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    store
}

/// The relays of every known consensus, read back from spans.
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

pub(crate) fn spans_over_known_hours_are_exactly_what_was_put_in(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses())| {
        let record = store_of(backend, &consensuses).load().unwrap().unwrap();
        prop_assert_eq!(expanded(&record), consensuses.iter().cloned().collect());
    });
}

pub(crate) fn consensuses_given_as_spans_are_the_same_consensuses(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses(), n_single in 0..10usize, offset in 0..3i32)| {
        let (single, others) = consensuses.split_at(n_single.min(consensuses.len()));
        // Some hours of the pack are known already, with other content.
        let others: Vec<_> = others.iter().map(|(at, listed)| (at.plus(-offset), listed.clone())).collect();
        let pack = store_of(backend, &others).load().unwrap();
        let (mut infos, mut spans) = (Vec::new(), Vec::new());
        if let Some(pack) = pack {
            infos.extend(pack.known.hours().iter().map(|hour| consensus(*hour)));
            spans.extend(pack.relays.into_iter().flat_map(|relay| relay.spans.into_iter().map(move |span| (relay.relay.fingerprint, span))));
        }
        let mut store = store_of(backend, single);
        let applied = store.append_spans(&infos, &mut spans.into_iter().rev()).unwrap();
        prop_assert_eq!(applied.n_consensuses + applied.n_already_known, others.len());
        let report = store.check().unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.problems);
        let expected = store_of(backend, &[single, &others].concat()).load().unwrap();
        let loaded = store.load().unwrap();
        // Relays that only hours known already list are not recorded by a pack.
        let without_spans = |record: Option<NetworkRecord>| record.map(|record| (record.known.clone(), expanded(&record)));
        prop_assert_eq!(without_spans(loaded), without_spans(expected));
    });
}

pub(crate) fn a_timeline_has_the_same_as_the_consensuses(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses())| {
        let timeline = store_of(backend, &consensuses).timeline().unwrap();
        let sorted: BTreeMap<_, _> = consensuses.into_iter().collect();
        prop_assert_eq!(timeline.known().hours(), sorted.keys().copied().collect::<Vec<_>>());
        for (at, listed) in &sorted {
            let found: BTreeMap<_, _> = timeline.listed_at(*at).unwrap().into_iter().map(|(relay, state)| (relay, state.clone())).collect();
            prop_assert_eq!(&found, listed);
        }
        prop_assert_eq!(timeline.listed_at(hour(99)), None);
        let mut counted: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (index, listed) in sorted.values().enumerate() {
            for state in listed.values() {
                counted.entry(state.version.clone()).or_insert_with(|| vec![0; sorted.len()])[index] += 1;
            }
        }
        prop_assert_eq!(timeline.counts(|state| [state.version.clone()]), counted);
    });
}

pub(crate) fn bitmaps_are_the_spans(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses(), from in 0..12u32, to in 0..12u32)| {
        let timeline = store_of(backend, &consensuses).timeline().unwrap();
        for relay in timeline.relays() {
            let bits = timeline.running(relay);
            let in_spans: Vec<u32> = relay.spans.iter().flat_map(|span| span.start..span.end).collect();
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), in_spans.clone());
            let n_expected = in_spans.iter().filter(|index| (from..to).contains(index)).count();
            prop_assert_eq!(bits.count(from..to) as usize, n_expected);
            let touching: Vec<_> = relay.spans.iter().copied().filter(|span| span.start < to && span.end > from && from < to).collect();
            prop_assert_eq!(if from < to { relay.spans_in(from..to) } else { &[] }, touching);
        }
    });
}

pub(crate) fn spans_between_two_hours_are_what_was_listed_there(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses(), from in 0..12i32, to in 0..12i32, group in 0..2u8)| {
        let timeline = store_of(backend, &consensuses).timeline().unwrap();
        let (from, to, group) = (hour(from), hour(to), state(group));
        let spans: Vec<_> = timeline.spans_between(from, to, |state| *state == group).collect();
        prop_assert!(spans.is_sorted_by_key(|(relay, span)| (*relay, span.start)));
        let mut found: Vec<_> = spans.into_iter().flat_map(|(relay, span)| (span.start..span.end).map(move |index| (relay, index))).collect();
        found.sort_unstable();
        let hours = timeline.known().hours();
        let mut expected: Vec<_> = consensuses
            .iter()
            .filter(|(at, _)| (from..to).contains(at))
            .flat_map(|(at, listed)| listed.iter().map(move |(relay, state)| (*at, *relay, state)))
            .filter(|(.., state)| **state == group)
            .map(|(at, relay, _)| (relay, hours.binary_search(&at).unwrap() as u32))
            .collect();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    });
}

pub(crate) fn pruning_forgets_what_is_older_and_nothing_else(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses(), before in -1..13i32)| {
        let mut store = store_of(backend, &consensuses);
        let pruned = store.prune(hour(before)).unwrap();
        let report = store.check().unwrap();
        prop_assert!(report.is_sound(), "{:?}", report.problems);
        let kept: BTreeMap<_, _> = consensuses.iter().filter(|(at, _)| *at >= hour(before)).cloned().collect();
        prop_assert_eq!(pruned.n_consensuses, consensuses.len() - kept.len());
        prop_assert_eq!(store.load().unwrap().as_ref().map(expanded).unwrap_or_default(), kept);
    });
}

pub(crate) fn any_order_gives_the_same_spans(backend: &dyn Backend) {
    proptest!(ProptestConfig::with_cases(150), |(consensuses in consensuses())| {
        let mut sorted = consensuses.clone();
        sorted.sort_by_key(|(at, _)| *at);
        let (any, in_order) = (store_of(backend, &consensuses), store_of(backend, &sorted));
        prop_assert_eq!(any.load().unwrap(), in_order.load().unwrap());
    });
}

pub(crate) fn the_first_consensus_of_an_hour_is_kept(backend: &dyn Backend) {
    let mut store = store_of(backend, &[(hour(0), BTreeMap::from([(fingerprint(1), state(1))]))]);
    let before = store.load().unwrap();
    assert!(!append(&mut *store, hour(0), &BTreeMap::from([(fingerprint(2), state(2))])));
    assert_eq!(store.load().unwrap(), before);
}

pub(crate) fn overlapping_spans_are_refused_whole(backend: &dyn Backend) {
    let mut store = store_of(backend, &[(hour(9), Consensus::new())]);
    let before = store.load().unwrap();
    let span = |start, end| (fingerprint(1), StateSpan { start: hour(start), end: hour(end), state: state(1) });
    for spans in [[span(0, 3), span(2, 4)], [span(2, 4), span(0, 3)], [span(0, 4), span(1, 2)], [span(0, 1), span(0, 1)]] {
        let infos: Vec<_> = (0..4).map(|at| consensus(hour(at))).collect();
        let error = store.append_spans(&infos, &mut spans.into_iter()).unwrap_err();
        assert!(matches!(error, Error::Overlap { relay, .. } if relay == fingerprint(1)), "{error}");
        assert_eq!(store.load().unwrap(), before);
    }
}

pub(crate) fn pruning_keeps_relays_that_are_still_seen(backend: &dyn Backend) {
    let mut store = backend.empty();
    let mut gone = full(2, hour(-200));
    gone.running = false;
    let mut update = details(hour(0), vec![full(1, hour(0)), gone]);
    update.histories = uptime(hour(0), vec![histories(3, vec![])]).histories;
    store.apply(&update).unwrap();
    store.append_consensus(&consensus(hour(-300)), &[(fingerprint(4), state(1))]).unwrap();
    let pruned = store.prune(hour(-100)).unwrap();
    assert_eq!((pruned.n_consensuses, pruned.n_spans, pruned.n_relays), (1, 1, 2));
    let record = store.load().unwrap().unwrap();
    assert_eq!(record.relays.iter().map(|relay| relay.relay.fingerprint).collect::<Vec<_>>(), [fingerprint(1), fingerprint(3)]);
    assert!(store.check().unwrap().is_sound());
}

pub(crate) fn a_consensus_in_the_middle_splits_and_a_missing_one_does_not(backend: &dyn Backend) {
    let listed = BTreeMap::from([(fingerprint(1), state(1))]);
    let mut store = store_of(backend, &[(hour(0), listed.clone()), (hour(4), listed.clone())]);
    let spans = |store: &dyn Store| {
        let record = store.load().unwrap().unwrap();
        record.relays[0].spans.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>()
    };
    assert_eq!(spans(&*store), [(hour(0), hour(5))], "nothing is said of the hours between");
    append(&mut *store, hour(2), &Consensus::new());
    assert_eq!(spans(&*store), [(hour(0), hour(1)), (hour(4), hour(5))]);
    append(&mut *store, hour(3), &listed);
    assert_eq!(spans(&*store), [(hour(0), hour(1)), (hour(3), hour(5))]);
    append(&mut *store, hour(1), &listed);
    assert_eq!(spans(&*store), [(hour(0), hour(2)), (hour(3), hour(5))]);
}
