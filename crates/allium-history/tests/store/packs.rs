//! Packs of hourly lists: what they add, and what has the word where others know more.

use crate::common::*;
use allium_history::{AppliedPack, ConsensusInfo, ConsensusSource, Error, History, SqliteHistory};
use allium_model::{Asn, ConsensusHour, DocumentKind, NetworkRecord, Relay, RelayFlag, RelayFlags, RelayRecord, RelayState, StateSpan};
use proptest::prelude::*;

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
fn append(store: &mut SqliteHistory) -> AppliedPack {
    let spans = [listed(1, 0, 5), listed(2, 0, 2), listed(3, 1, 5)];
    store.append_pack(&lists(0..5), &mut spans.into_iter(), &[1, 2, 3, 4].map(described)).unwrap()
}

/// A details document of hour 3 that lists the relays 1 and 5 as running.
fn visit() -> allium_history::Update {
    details(hour(3), vec![full(1, hour(3)), full(5, hour(3))])
}

fn relay(record: &NetworkRecord, number: u32) -> &RelayRecord {
    record.relays.iter().find(|relay| relay.relay.fingerprint == fingerprint(number)).unwrap()
}

fn sound(store: &SqliteHistory) {
    let report = store.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

#[test]
fn relays_that_only_a_pack_knows_are_described_by_it() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    let applied = append(&mut store);
    assert_eq!((applied.spans.n_consensuses, applied.spans.n_new_relays, applied.n_described), (5, 3, 4));
    sound(&store);
    let record = store.load().unwrap().unwrap();
    let RelayRecord { relay: two, spans, .. } = relay(&record, 2);
    let expected = Relay {
        first_seen: Some(hour(0)),
        last_seen: Some(hour(1)),
        flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Guard]),
        ..described(2)
    };
    assert_eq!((two, spans.len()), (&expected, 1));
    assert!(relay(&record, 3).relay.running);
    assert_eq!(record.relays.len(), 3, "a relay that no list names is not recorded");
}

#[test]
fn a_second_time_changes_nothing() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    append(&mut store);
    let before = store.load().unwrap();
    let applied = append(&mut store);
    assert_eq!((applied.spans.n_consensuses, applied.spans.n_already_known, applied.n_described), (0, 5, 0));
    assert_eq!(store.load().unwrap(), before);
}

#[test]
fn the_order_of_pack_and_details_does_not_matter() {
    let (mut pack_first, mut details_first) = (SqliteHistory::open_in_memory().unwrap(), SqliteHistory::open_in_memory().unwrap());
    append(&mut pack_first);
    assert!(pack_first.apply(&visit()).unwrap().consensus_is_new, "details know more of an hour than a list");
    details_first.apply(&visit()).unwrap();
    append(&mut details_first);
    for store in [&pack_first, &details_first] {
        sound(store);
    }
    let record = pack_first.load().unwrap().unwrap();
    assert_eq!(Some(&record), details_first.load().unwrap().as_ref());
    let (one, other) = (pack_first.timeline().unwrap(), details_first.timeline().unwrap());
    (0..5).for_each(|at| assert_eq!(one.listed_at(hour(at)), other.listed_at(hour(at))));
    let hours: Vec<_> = relay(&record, 3).spans.iter().map(|span| (span.start, span.end)).collect();
    assert_eq!(hours, [(hour(1), hour(3)), (hour(4), hour(5))], "the details document does not list it as running");
}

#[test]
fn what_a_list_does_not_tell_stays_as_details_said() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    store.apply(&visit()).unwrap();
    append(&mut store);
    let record = store.load().unwrap().unwrap();
    let one = &relay(&record, 1).relay;
    assert!(one.has(RelayFlag::Valid) && one.has(RelayFlag::Guard) && one.running);
    assert_eq!((one.asn, one.nickname.as_deref()), (Some(Asn(64496)), full(1, hour(3)).nickname.as_deref()));
    assert_eq!(record.known.of_flag(RelayFlag::Valid).hours(), [hour(3)]);
    assert_eq!(record.known.of_flag(RelayFlag::Guard).hours().len(), 5);
}

#[test]
fn nothing_later_than_asked_for_is_told() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    append(&mut store);
    let record = store.load_as_of(hour(3)).unwrap().unwrap();
    assert_eq!(relay(&record, 1).relay.nickname.as_deref(), Some("pack1"), "packs describe at no particular time");
    assert_eq!(relay(&record, 1).relay.asn, Some(Asn(64496)), "spans have their own");
    assert_eq!(record.known.hours().len(), 4);
}

#[test]
fn the_pack_that_reaches_further_describes() {
    let older = |number| Relay { nickname: Some("older".into()), ..described(number) };
    for older_first in [true, false] {
        let mut store = SqliteHistory::open_in_memory().unwrap();
        let append_older = |store: &mut SqliteHistory| {
            let mut spans = [listed(1, -3, 0), listed(9, -3, 0)].into_iter();
            store.append_pack(&lists(-3..0), &mut spans, &[older(1), older(9)]).unwrap();
        };
        if older_first {
            append_older(&mut store);
            append(&mut store);
        } else {
            append(&mut store);
            append_older(&mut store);
        }
        let record = store.load().unwrap().unwrap();
        let names = [1, 9].map(|number| relay(&record, number).relay.nickname.clone().unwrap());
        assert_eq!(names, ["pack1", "older"], "{older_first}");
        sound(&store);
    }
}

#[test]
fn a_pack_with_overlaps_leaves_the_store_as_it_was() {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    store.apply(&visit()).unwrap();
    let before = store.load().unwrap();
    let error = store.append_pack(&lists(0..3), &mut [listed(1, 0, 2), listed(1, 1, 3)].into_iter(), &[described(1)]).unwrap_err();
    assert!(matches!(error, Error::Overlap { .. }), "{error}");
    assert_eq!(store.load().unwrap(), before);
}

#[test]
fn a_store_of_an_older_format_is_read_after_one_opening_for_writing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    rusqlite::Connection::open(&path).unwrap().execute_batch(include_str!("../../testdata/v1.sql")).unwrap();
    let error = SqliteHistory::open_read_only(&path).unwrap_err();
    assert!(matches!(error, Error::PastVersion { found: 1, supported: 10, .. }), "{error}");
    append(&mut SqliteHistory::open(&path).unwrap());
    sound(&SqliteHistory::open_read_only(&path).unwrap());
    assert_eq!(SqliteHistory::open_read_only(&path).unwrap().stats().unwrap().documents[0].kind, DocumentKind::Details);
}

#[test]
fn a_store_of_version_2_keeps_what_packs_and_documents_said() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(concat!(include_str!("../../schema/v1.sql"), include_str!("../../schema/v2.sql"))).unwrap();
    conn.execute_batch(&format!(
        "PRAGMA application_id = 1097624681; PRAGMA user_version = 2;
         INSERT INTO consensuses VALUES ({0}, 'presence', 0, '2026-02-15T19:05:00Z', 2, 2, 0, 0);
         INSERT INTO families VALUES (5, '[\"{1}\"]');
         INSERT INTO states VALUES (1, 256, 'us', 64496, NULL);
         INSERT INTO relays (id, fingerprint, described_hour, nickname, bare_address, country, asn, as_name, contact, effective_family_id)
         VALUES (1, x'{1}', {0}, 'pack', '192.0.2.7', 'us', 64496, 'Pack', 'same', 5);
         INSERT INTO relays (id, fingerprint, details_hour, nickname, or_addresses, contact, flags, running, hibernating)
         VALUES (2, x'{2}', {0}, 'details', '[\"192.0.2.8:9001\"]', 'same', 256, 1, 0);
         INSERT INTO spans VALUES (1, {0}, NULL, 1), (2, {0}, NULL, 1);",
        hour(0).get(),
        fingerprint(1),
        fingerprint(2)
    ))
    .unwrap();
    drop(conn);
    let store = SqliteHistory::open(&path).unwrap();
    sound(&store);
    for record in [store.load().unwrap().unwrap(), store.load_as_of(hour(0)).unwrap().unwrap()] {
        let [one, two] = [1, 2].map(|number| &relay(&record, number).relay);
        let words = |relay: &Relay| [&relay.nickname, &relay.contact, &relay.as_name].map(|text| text.clone().unwrap_or_default());
        assert_eq!((words(one), words(two)), (["pack", "same", "Pack"].map(String::from), ["details", "same", ""].map(String::from)));
        assert_eq!((one.bare_address, &one.effective_family), ("192.0.2.7".parse().ok(), &vec![fingerprint(1)]));
        assert_eq!((one.asn, two.or_addresses.len()), (Some(Asn(64496)), 1));
    }
}

/// Who brought an hour, and which relays are in it, with what version.
type Offer = (bool, Vec<(u32, u8)>);

fn offers() -> impl Strategy<Value = Vec<(ConsensusHour, Offer)>> {
    let listed = prop::collection::btree_map(0..3u32, 0..2u8, 0..4).prop_map(|map| map.into_iter().collect());
    prop::collection::vec(((0..8i32).prop_map(hour), (any::<bool>(), listed)), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_other_source_replaces_a_list_and_no_list_replaces_anything(offers in offers(), as_spans in any::<bool>()) {
        let mut store = SqliteHistory::open_in_memory().unwrap();
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
            let told: Vec<_> = timeline.listed_at(*at).unwrap().into_iter().map(|(relay, state)| (relay, state.clone())).collect();
            let listed: Vec<_> = listed.iter().map(|(number, version)| (fingerprint(*number), state(*version))).collect();
            prop_assert_eq!(told, listed);
            prop_assert_eq!(timeline.known().of_flag(RelayFlag::Valid).contains(*at), !is_list);
        }
    }
}
