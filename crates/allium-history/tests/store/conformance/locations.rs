//! Country and AS where consensuses do not have them.

use std::collections::BTreeMap;

use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed, Store};
use allium_model::{Asn, BandwidthWeights, ConsensusHour, Fingerprint, Relay, RelayState, StateSpan};
use proptest::prelude::*;

use super::Backend;
use crate::common::*;

fn info(source: ConsensusSource, at: i32) -> ConsensusInfo {
    ConsensusInfo { source, ..consensus(hour(at)) }
}

/// Running in a country of its own number; nowhere known for 0.
fn located(location: u8) -> RelayState {
    let country = (location > 0).then(|| format!("x{location}").parse().unwrap());
    RelayState { country, asn: (location > 0).then(|| Asn(u32::from(location))), ..state(1) }
}

/// The location of a relay at every hour at which it is listed.
fn locations(store: &dyn Store, number: u32) -> BTreeMap<i32, Option<Asn>> {
    let timeline = store.timeline().unwrap();
    let hours = timeline.known().hours().to_vec();
    let Some(relay) = timeline.relay(&fingerprint(number)) else { return BTreeMap::new() };
    let at = |(index, at): (usize, &ConsensusHour)| {
        let state = timeline.state(relay.span_at(index as u32)?);
        assert_eq!(state.country.is_some(), state.asn.is_some());
        Some((at.hours_since(hour(0)), state.asn))
    };
    hours.iter().enumerate().filter_map(at).collect()
}

fn sound(store: &dyn Store) {
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

fn document(at: i32, relays: &[(u32, u8)]) -> allium_history::Update {
    let relay = |(number, location): &(u32, u8)| {
        let RelayState { country, asn, version, flags } = located(*location);
        Relay { country, asn, version: version.map(|version| version.to_string()), flags, ..running(*number, hour(at)) }
    };
    details(hour(at), relays.iter().map(relay).collect())
}

pub(crate) fn consensuses_between_documents_cost_no_span(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&document(0, &[(1, 3)])).unwrap();
    for at in 1..6 {
        assert!(store.append_consensus(&info(ConsensusSource::Directory, at), &[(fingerprint(1), located(0))]).unwrap());
        if at % 2 == 0 {
            assert!(!store.apply(&document(at, &[(1, 3)])).unwrap().consensus_is_new);
        }
        sound(&*store);
    }
    assert_eq!(store.stats().unwrap().n_spans, 1);
    assert_eq!(locations(&*store, 1), (0..6).map(|at| (at, Some(Asn(3)))).collect());
}

pub(crate) fn a_later_document_of_the_same_hour_fills_in(backend: &dyn Backend) {
    let mut store = backend.empty();
    for at in 0..3 {
        store
            .append_consensus(&info(ConsensusSource::Directory, at), &[(fingerprint(1), located(0)), (fingerprint(2), located(0))])
            .unwrap();
    }
    store.apply(&document(1, &[(1, 3)])).unwrap();
    sound(&*store);
    assert_eq!(locations(&*store, 1), BTreeMap::from([(0, None), (1, Some(Asn(3))), (2, Some(Asn(3)))]));
    assert_eq!(locations(&*store, 2), BTreeMap::from([(0, None), (1, None), (2, None)]));
    store.apply(&document(2, &[(1, 4), (2, 5)])).unwrap();
    sound(&*store);
    assert_eq!(locations(&*store, 1), BTreeMap::from([(0, None), (1, Some(Asn(3))), (2, Some(Asn(4)))]));
    assert_eq!(locations(&*store, 2)[&2], Some(Asn(5)));
    let exact = store.exact().unwrap();
    assert!(exact.consensuses.iter().all(|known| known.info.source == ConsensusSource::Directory && known.info.verified));
}

pub(crate) fn a_relay_that_was_gone_is_where_it_was(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&document(0, &[(1, 3)])).unwrap();
    store.append_consensus(&info(ConsensusSource::Directory, 1), &[]).unwrap();
    store.append_consensus(&info(ConsensusSource::Directory, 2), &[(fingerprint(1), located(0))]).unwrap();
    sound(&*store);
    assert_eq!(locations(&*store, 1), BTreeMap::from([(0, Some(Asn(3))), (2, Some(Asn(3)))]));
}

pub(crate) fn a_relay_at_another_address_is_nowhere_until_a_document_knows(backend: &dyn Backend) {
    let mut store = backend.empty();
    let mut update = document(0, &[(1, 3)]);
    update.details.as_mut().unwrap().1[0].or_addresses = vec!["192.0.2.1:9001".parse().unwrap()];
    store.apply(&update).unwrap();
    for (at, address) in [(1, "192.0.2.1"), (2, "192.0.2.2"), (3, "192.0.2.2")] {
        let listed = Listed { address: address.parse().ok(), ..Listed::of(fingerprint(1), located(0)) };
        let info = info(ConsensusSource::Directory, at);
        store.append_full_consensus(&FullConsensus { info, listed: vec![listed], bandwidth_weights: BandwidthWeights::default() }).unwrap();
        sound(&*store);
    }
    store.apply(&document(4, &[(1, 5)])).unwrap();
    sound(&*store);
    let expected = [(0, Some(Asn(3))), (1, Some(Asn(3))), (2, None), (3, None), (4, Some(Asn(5)))];
    assert_eq!(locations(&*store, 1), BTreeMap::from(expected));
}

pub(crate) fn pruning_keeps_locations_of_relays_that_stay(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&document(0, &[(1, 3)])).unwrap();
    for at in 1..4 {
        store.append_consensus(&info(ConsensusSource::Directory, at), &[(fingerprint(1), located(0))]).unwrap();
    }
    store.prune(hour(2)).unwrap();
    sound(&*store);
    store.append_consensus(&info(ConsensusSource::Directory, 4), &[(fingerprint(1), located(0))]).unwrap();
    assert_eq!(locations(&*store, 1), (2..5).map(|at| (at, Some(Asn(3)))).collect());
}

/// Whether the source of an hour knows locations, and the locations of its relays.
type Offers = BTreeMap<i32, (bool, BTreeMap<u32, u8>)>;

fn offers() -> impl Strategy<Value = Offers> {
    let listed = prop::collection::btree_map(1..4u32, 1..4u8, 0..4);
    prop::collection::btree_map(0..12i32, (any::<bool>(), listed), 1..10)
}

/// The locations by the rule: as known, else as last known.
fn expected(offers: &Offers, number: u32) -> BTreeMap<i32, Option<Asn>> {
    let mut last = None;
    let mut expected = BTreeMap::new();
    for (at, (is_located, listed)) in offers {
        let Some(location) = listed.get(&number) else { continue };
        if *is_located {
            last = Some(Asn(u32::from(*location)));
        }
        expected.insert(*at, last);
    }
    expected
}

pub(crate) fn locations_are_as_last_known_whatever_the_order(backend: &dyn Backend) {
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) }, |(order in offers().prop_flat_map(|offers| Just(offers.into_iter().collect::<Vec<_>>()).prop_shuffle()), n_batch in 0..5usize)| {
        let offers: Offers = order.iter().cloned().collect();
        let mut store = backend.empty();
        let source = |is_located: bool| if is_located { ConsensusSource::Details } else { ConsensusSource::Collector };
        let states = |listed: &BTreeMap<u32, u8>| -> Vec<(Fingerprint, RelayState)> {
            listed.iter().map(|(number, location)| (fingerprint(*number), located(*location))).collect()
        };
        let (batch, single) = order.split_at(n_batch.min(order.len()));
        let infos: Vec<_> = batch.iter().map(|(at, (is_located, _))| info(source(*is_located), *at)).collect();
        let spans = batch.iter().flat_map(|(at, (_, listed))| {
            states(listed).into_iter().map(|(relay, state)| (relay, StateSpan { start: hour(*at), end: hour(*at).next(), state }))
        });
        store.append_spans(&infos, &mut spans.collect::<Vec<_>>().into_iter()).unwrap();
        for (at, (is_located, listed)) in single {
            store.append_consensus(&info(source(*is_located), *at), &states(listed)).unwrap();
            let report = store.check().unwrap();
            prop_assert!(report.is_sound(), "{:?}", report.problems);
        }
        for number in 1..4 {
            prop_assert_eq!(locations(&*store, number), expected(&offers, number));
        }
    });
}

pub(crate) fn a_document_fills_in_as_if_the_hour_were_its_own(backend: &dyn Backend) {
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) }, |(offers in offers(), last in 0..12i32)| {
        let source = |is_located: bool| if is_located { ConsensusSource::Presence } else { ConsensusSource::Directory };
        let mut store = backend.empty();
        let mut filled = offers.clone();
        for (at, (is_located, listed)) in &offers {
            let states: Vec<_> = listed.iter().map(|(number, location)| (fingerprint(*number), located(*location))).collect();
            store.append_consensus(&info(source(*is_located), *at), &states).unwrap();
        }
        if let Some((at, (is_located, listed))) = filled.range_mut(last..).next().filter(|(_, (is_located, _))| !is_located) {
            store.apply(&document(*at, &listed.iter().map(|(number, location)| (*number, *location)).collect::<Vec<_>>())).unwrap();
            *is_located = true;
        }
        sound(&*store);
        for number in 1..4 {
            prop_assert_eq!(locations(&*store, number), expected(&filled, number));
        }
    });
}
