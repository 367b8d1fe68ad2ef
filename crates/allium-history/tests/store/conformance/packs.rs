//! Packs of hourly lists: they add to the record, and give way to sources that know more.

use allium_history::{AppliedPack, ConsensusInfo, ConsensusSource, Error, Store};
use allium_model::{Asn, ConsensusHour, FirstSeen, NetworkRecord, Relay, RelayFlag, RelayFlags, RelayRecord, RelayState, StateSpan};
use proptest::prelude::*;

use super::Backend;
use crate::common::*;

fn lists(hours: impl IntoIterator<Item = i32>) -> Vec<ConsensusInfo> {
    hours.into_iter().map(|at| ConsensusInfo { source: ConsensusSource::Presence, verified: false, ..consensus(hour(at)) }).collect()
}

/// Relay `number` in lists of `[start, end)`, as Guard.
fn listed(number: u32, start: i32, end: i32) -> (allium_model::Fingerprint, StateSpan) {
    let state = RelayState {
        flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Guard]),
        country: Some("us".parse().unwrap()),
        asn: Some(Asn(64496)),
        version: None,
    };
    (fingerprint(number), StateSpan { start: hour(start), end: hour(end), state })
}

fn described(number: u32) -> Relay {
    Relay {
        nickname: Some(format!("pack{number}")),
        bare_address: Some("192.0.2.7".parse().unwrap()),
        country: Some("us".parse().unwrap()),
        asn: Some(Asn(64496)),
        as_name: Some("Pack".into()),
        contact: Some("pack\r\n<b>".into()),
        effective_family: vec![fingerprint(number), fingerprint(77)],
        ..Relay::unknown(fingerprint(number))
    }
}

/// Lists of the hours 0 to 4 with the relays 1, 2 and 3; relay 4 is described and never listed.
pub(crate) fn append(store: &mut dyn Store) -> AppliedPack {
    let spans = [listed(1, 0, 5), listed(2, 0, 2), listed(3, 1, 5)];
    store.append_pack(&lists(0..5), &mut spans.into_iter(), &[1, 2, 3, 4].map(described)).unwrap()
}

/// A details document of hour 3 that lists the relays 1 and 5 as running.
fn visit() -> allium_history::Update {
    details(hour(3), vec![full(1, hour(3)), full(5, hour(3))])
}

pub(crate) fn relay(record: &NetworkRecord, number: u32) -> &RelayRecord {
    record.relays.iter().find(|relay| relay.relay.fingerprint == fingerprint(number)).unwrap()
}

pub(crate) fn sound(store: &dyn Store) {
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

pub(crate) fn relays_that_only_a_pack_knows_are_described_by_it(backend: &dyn Backend) {
    let mut store = backend.empty();
    let applied = append(&mut *store);
    assert_eq!((applied.spans.n_consensuses, applied.spans.n_new_relays, applied.n_described), (5, 3, 4));
    sound(&*store);
    let record = store.load().unwrap().unwrap();
    let RelayRecord { relay: two, spans, .. } = relay(&record, 2);
    let expected = Relay {
        first_seen: FirstSeen::By(hour(0)),
        last_seen: Some(hour(1)),
        flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Guard]),
        ..described(2)
    };
    assert_eq!((two, spans.len()), (&expected, 1));
    assert!(relay(&record, 3).relay.running);
    assert_eq!(relay(&record, 3).relay.first_seen, FirstSeen::Recorded(hour(1)), "the list before did not have it");
    assert_eq!(record.relays.len(), 3, "a relay that no list names is not recorded");
}

pub(crate) fn a_second_time_changes_nothing(backend: &dyn Backend) {
    let mut store = backend.empty();
    append(&mut *store);
    let before = store.load().unwrap();
    let applied = append(&mut *store);
    assert_eq!((applied.spans.n_consensuses, applied.spans.n_already_known, applied.n_described), (0, 5, 0));
    assert_eq!(store.load().unwrap(), before);
}

pub(crate) fn the_order_of_pack_and_details_does_not_matter(backend: &dyn Backend) {
    let (mut pack_first, mut details_first) = (backend.empty(), backend.empty());
    append(&mut *pack_first);
    assert!(pack_first.apply(&visit()).unwrap().consensus_is_new, "details know more of an hour than a list");
    details_first.apply(&visit()).unwrap();
    append(&mut *details_first);
    for store in [&pack_first, &details_first] {
        sound(&**store);
    }
    let record = pack_first.load().unwrap().unwrap();
    assert_eq!(Some(&record), details_first.load().unwrap().as_ref());
    let (one, other) = (pack_first.timeline().unwrap(), details_first.timeline().unwrap());
    (0..5).for_each(|at| assert_eq!(one.listed_at(hour(at)), other.listed_at(hour(at))));
    let hours: Vec<_> = relay(&record, 3).spans.iter().map(|span| (span.start, span.end)).collect();
    assert_eq!(hours, [(hour(1), hour(3)), (hour(4), hour(5))], "the details document does not list it as running");
}

pub(crate) fn flags_that_a_list_does_not_have_stay_as_in_details(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&visit()).unwrap();
    append(&mut *store);
    let record = store.load().unwrap().unwrap();
    let one = &relay(&record, 1).relay;
    assert!(one.has(RelayFlag::Valid) && one.has(RelayFlag::Guard) && one.running);
    assert_eq!((one.asn, one.nickname.as_deref()), (Some(Asn(64496)), full(1, hour(3)).nickname.as_deref()));
    assert_eq!(record.known.of_flag(RelayFlag::Valid).hours(), [hour(3)]);
    assert_eq!(record.known.of_flag(RelayFlag::Guard).hours().len(), 5);
}

pub(crate) fn nothing_later_than_asked_for_is_loaded(backend: &dyn Backend) {
    let mut store = backend.empty();
    append(&mut *store);
    let record = store.load_as_of(hour(3)).unwrap().unwrap();
    assert_eq!(relay(&record, 1).relay.nickname.as_deref(), Some("pack1"), "packs describe at no particular time");
    assert_eq!(relay(&record, 1).relay.asn, Some(Asn(64496)), "spans have their own");
    assert_eq!(record.known.hours().len(), 4);
}

pub(crate) fn the_pack_that_reaches_further_describes(backend: &dyn Backend) {
    let older = |number| Relay { nickname: Some("older".into()), ..described(number) };
    for older_first in [true, false] {
        let mut store = backend.empty();
        let append_older = |store: &mut dyn Store| {
            let mut spans = [listed(1, -3, 0), listed(9, -3, 0)].into_iter();
            store.append_pack(&lists(-3..0), &mut spans, &[older(1), older(9)]).unwrap();
        };
        if older_first {
            append_older(&mut *store);
            append(&mut *store);
        } else {
            append(&mut *store);
            append_older(&mut *store);
        }
        let record = store.load().unwrap().unwrap();
        let names = [1, 9].map(|number| relay(&record, number).relay.nickname.clone().unwrap());
        assert_eq!(names, ["pack1", "older"], "{older_first}");
        sound(&*store);
    }
}

pub(crate) fn a_pack_with_overlaps_leaves_the_store_as_it_was(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&visit()).unwrap();
    let before = store.load().unwrap();
    let error = store.append_pack(&lists(0..3), &mut [listed(1, 0, 2), listed(1, 1, 3)].into_iter(), &[described(1)]).unwrap_err();
    assert!(matches!(error, Error::Overlap { .. }), "{error}");
    assert_eq!(store.load().unwrap(), before);
}

/// Whether an hour comes from a list, and the relays in it with their versions.
type Offer = (bool, Vec<(u32, u8)>);

fn offers() -> impl Strategy<Value = Vec<(ConsensusHour, Offer)>> {
    let listed = prop::collection::btree_map(0..3u32, 0..2u8, 0..4).prop_map(|map| map.into_iter().collect());
    prop::collection::vec(((0..8i32).prop_map(hour), (any::<bool>(), listed)), 1..14)
}

pub(crate) fn any_other_source_replaces_a_list_and_no_list_replaces_anything(backend: &dyn Backend) {
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) }, |(offers in offers(), as_spans in any::<bool>())| {
        let mut store = backend.empty();
        let mut expected = std::collections::BTreeMap::<ConsensusHour, Offer>::new();
        for (at, (is_list, listed)) in offers {
            let source = if is_list { ConsensusSource::Presence } else { ConsensusSource::Collector };
            let info = ConsensusInfo { source, ..consensus(at) };
            let states: Vec<_> = listed.iter().map(|(number, version)| (fingerprint(*number), state(*version))).collect();
            let is_better = expected.get(&at).is_none_or(|(kept_is_list, _)| *kept_is_list && !is_list);
            let taken = if as_spans {
                let span = |(relay, state)| (relay, StateSpan { start: at, end: at.next(), state });
                store.append_spans(&[info], &mut states.into_iter().map(span)).unwrap().n_consensuses == 1
            } else {
                store.append_consensus(&info, &states).unwrap()
            };
            prop_assert_eq!(taken, is_better);
            if is_better {
                expected.insert(at, (is_list, listed));
            }
            let report = store.check().unwrap();
            prop_assert!(report.is_sound(), "{:?}", report.problems);
        }
        let timeline = store.timeline().unwrap();
        for (at, (is_list, listed)) in &expected {
            let found: Vec<_> = timeline.listed_at(*at).unwrap().into_iter().map(|(relay, state)| (relay, state.clone())).collect();
            let listed: Vec<_> = listed.iter().map(|(number, version)| (fingerprint(*number), state(*version))).collect();
            prop_assert_eq!(found, listed);
            prop_assert_eq!(timeline.known().of_flag(RelayFlag::Valid).contains(*at), !is_list);
        }
    });
}
