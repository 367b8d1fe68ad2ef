//! The record as of an hour, from a store that has since learned more.

use std::collections::BTreeMap;

use allium_history::{ConsensusInfo, ConsensusSource, Store};
use allium_model::{Asn, ConsensusHour, NetworkRecord, Relay, RelayFlag, StateSpan};
use proptest::prelude::*;

use super::Backend;
use crate::common::*;

/// A relay as a details document describes it; `version` tells descriptions apart.
fn described(number: u32, version: u8, at: ConsensusHour) -> Relay {
    Relay {
        nickname: Some(format!("name{version}")),
        contact: (version > 0).then(|| format!("contact{version}")),
        or_addresses: vec![format!("192.0.2.{}:9001", version + 1).parse().unwrap()],
        as_name: Some(format!("AS name {version}")),
        asn: Some(Asn(64496 + u32::from(version))),
        effective_family: vec![fingerprint(number), fingerprint(100 + u32::from(version))],
        ..full(number, at)
    }
}

fn packed(number: u32) -> Relay {
    Relay {
        nickname: Some("pack".into()),
        bare_address: Some("198.51.100.1".parse().unwrap()),
        contact: Some("pack contact".into()),
        ..Relay::unknown(fingerprint(number))
    }
}

fn relay(record: &NetworkRecord, number: u32) -> &Relay {
    &record.relays.iter().find(|relay| relay.relay.fingerprint == fingerprint(number)).unwrap().relay
}

pub(crate) fn a_newer_document_does_not_erase_what_was_known(backend: &dyn Backend) {
    let mut store = backend.empty();
    for (at, version) in [(0, 0), (1, 0), (2, 1), (5, 2)] {
        store.apply(&details(hour(at), vec![described(1, version, hour(at))])).unwrap();
    }
    for (at, version) in [(0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (99, 2)] {
        let record = store.load_as_of(hour(at)).unwrap().unwrap();
        let (found, expected) = (relay(&record, 1), described(1, version, hour(at)));
        assert_eq!(
            (&found.nickname, &found.contact, &found.or_addresses, &found.as_name, &found.effective_family),
            (&expected.nickname, &expected.contact, &expected.or_addresses, &expected.as_name, &expected.effective_family),
            "{at}"
        );
        assert_eq!((found.country, found.flags, &found.version), (expected.country, expected.flags, &expected.version));
        assert_eq!(found.first_seen, expected.first_seen);
        assert_eq!(found.consensus_weight, None, "weights change with every document");
        assert_eq!(store.exact_as_of(hour(at)).unwrap().relays, std::slice::from_ref(found));
    }
    assert_eq!(store.stats().unwrap().n_descriptions, 3, "the same again costs nothing");
    assert_eq!(relay(&store.load().unwrap().unwrap(), 1), &described(1, 2, hour(5)));
}

pub(crate) fn a_pack_describes_relays_that_no_document_has_listed_by_then(backend: &dyn Backend) {
    for pack_first in [true, false] {
        let mut store = backend.empty();
        let pack = |store: &mut dyn Store| {
            let infos: Vec<_> = (0..6).map(|at| ConsensusInfo { source: ConsensusSource::Presence, ..consensus(hour(at)) }).collect();
            let span = |number| (fingerprint(number), StateSpan { start: hour(0), end: hour(6), state: state(0) });
            store.append_pack(&infos, &mut [span(1), span(2)].into_iter(), &[packed(1), packed(2)]).unwrap();
        };
        let document = |store: &mut dyn Store| drop(store.apply(&details(hour(3), vec![described(1, 1, hour(3))])).unwrap());
        if pack_first {
            pack(&mut *store);
            document(&mut *store);
        } else {
            document(&mut *store);
            pack(&mut *store);
        }
        for (at, expected) in [(0, ["pack", "pack"]), (2, ["pack", "pack"]), (3, ["name1", "pack"]), (5, ["name1", "pack"])] {
            let record = store.load_as_of(hour(at)).unwrap().unwrap();
            let names = [1, 2].map(|number| relay(&record, number).nickname.clone().unwrap());
            assert_eq!(names, expected, "{pack_first} {at}");
        }
        let now = store.load().unwrap().unwrap();
        assert_eq!([1, 2].map(|number| relay(&now, number).nickname.clone().unwrap()), ["name1", "pack"]);
        assert!(store.check().unwrap().is_sound());
    }
}

pub(crate) fn flags_that_a_list_does_not_have_are_those_of_the_consensus_before(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.append_consensus(&consensus(hour(0)), &[(fingerprint(1), state(7))]).unwrap();
    let list = ConsensusInfo { source: ConsensusSource::Presence, ..consensus(hour(1)) };
    let mut listed = state(0);
    listed.flags = [RelayFlag::Running, RelayFlag::Guard].into_iter().collect();
    store.append_consensus(&list, &[(fingerprint(1), listed)]).unwrap();
    let record = store.load_as_of(hour(1)).unwrap().unwrap();
    let flags: Vec<_> = relay(&record, 1).flags.iter().collect();
    assert_eq!(flags, [RelayFlag::Guard, RelayFlag::Running, RelayFlag::Valid]);
    assert_eq!(relay(&record, 1).version.as_deref(), Some("0.4.7"));
}

pub(crate) fn pruning_keeps_the_descriptions_that_hold(backend: &dyn Backend) {
    let mut store = backend.empty();
    for (at, version) in [(0, 0), (2, 1), (5, 2)] {
        store.apply(&details(hour(at), vec![described(1, version, hour(at))])).unwrap();
    }
    let before = store.load_as_of(hour(5)).unwrap().unwrap();
    store.prune(hour(5)).unwrap();
    assert_eq!(store.stats().unwrap().n_descriptions, 1);
    assert_eq!(relay(&store.load_as_of(hour(5)).unwrap().unwrap(), 1).nickname, relay(&before, 1).nickname);
    assert!(store.check().unwrap().is_sound());
}

/// The relays of an hour: in a details document, with whether they run, or in a consensus.
type Learned = BTreeMap<i32, (bool, Vec<(u32, u8, bool)>)>;

fn learned() -> impl Strategy<Value = Learned> {
    let listed = prop::collection::btree_map(0..3u32, (0..3u8, any::<bool>()), 0..4);
    let listed = listed.prop_map(|map| map.into_iter().map(|(number, (version, runs))| (number, version, runs)).collect());
    prop::collection::btree_map(0..10i32, (any::<bool>(), listed), 1..9)
}

fn store_of(backend: &dyn Backend, learned: &Learned, with_pack: bool, pack_first: bool, until: i32) -> Box<dyn Store> {
    let mut store = backend.empty();
    let pack = |store: &mut dyn Store| {
        let infos: Vec<_> =
            (0..6).filter(|at| *at <= until).map(|at| ConsensusInfo { source: ConsensusSource::Presence, ..consensus(hour(at)) }).collect();
        let span = (fingerprint(1), StateSpan { start: hour(0), end: hour(6), state: state(0) });
        store.append_pack(&infos, &mut std::iter::once(span), &[packed(1), packed(2)]).unwrap();
    };
    if with_pack && pack_first {
        pack(&mut *store);
    }
    for (at, (is_document, listed)) in learned.iter().filter(|(at, _)| **at <= until) {
        if *is_document {
            let of = |(number, version, runs): &(u32, u8, bool)| Relay { running: *runs, ..described(*number, *version, hour(*at)) };
            store.apply(&details(hour(*at), listed.iter().map(of).collect())).unwrap();
        } else {
            let states: Vec<_> = listed.iter().map(|(number, version, _)| (fingerprint(*number), state(*version))).collect();
            store.append_consensus(&consensus(hour(*at)), &states).unwrap();
        }
    }
    if with_pack && !pack_first {
        pack(&mut *store);
    }
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    store
}

pub(crate) fn what_was_known_does_not_depend_on_what_came_later(backend: &dyn Backend) {
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) }, |(learned in learned(), with_pack in any::<bool>(), orders in any::<[bool; 2]>(), at in 0..10i32)| {
        let all = store_of(backend, &learned, with_pack, orders[0], i32::MAX);
        let then = store_of(backend, &learned, with_pack, orders[1], at);
        // Source status is kept of the newest document only.
        let known = |store: &dyn Store| {
            store.load_as_of(hour(at)).unwrap().map(|record| NetworkRecord { sources: Vec::new(), ..record })
        };
        prop_assert_eq!(known(&*all), known(&*then));
        prop_assert_eq!(all.exact_as_of(hour(at)).unwrap(), then.exact_as_of(hour(at)).unwrap());
        let timeline = then.timeline().unwrap();
        prop_assert_eq!(all.exact_as_of(hour(at)).unwrap().timeline, timeline);
    });
}
