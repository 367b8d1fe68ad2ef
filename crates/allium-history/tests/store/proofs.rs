//! What domains say of the relays that claim them.

use allium_history::{Error, History, SqliteHistory};
use allium_model::{AroiResult, ProofMethod, ProofStanding, ProofVerdict, Timestamp};
use rusqlite::Connection;

use crate::common::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_771_178_400 + 60 * minute).unwrap()
}

fn standing(number: u32, result: AroiResult) -> ProofStanding {
    let reason = if result == AroiResult::Validated { "" } else { "HTTP status 404" };
    ProofStanding {
        relay: fingerprint(number),
        domain: "example.org".parse().unwrap(),
        method: ProofMethod::UriRsa,
        verdict: Some(ProofVerdict { result, reason: reason.to_owned(), found_at: at(1) }),
        asked_at: at(1),
        n_failures: u32::from(result != AroiResult::Validated),
        trouble: None,
    }
}

fn store() -> SqliteHistory {
    let mut store = SqliteHistory::open_in_memory().unwrap();
    store.apply(&details(hour(0), (1..=4).map(|number| full(number, hour(0))).collect())).unwrap();
    store
}

#[test]
fn what_was_found_is_kept_and_comes_with_the_relay() {
    let mut store = store();
    let unanswered =
        ProofStanding { verdict: None, trouble: Some("timed out".to_owned()), n_failures: 2, ..standing(3, AroiResult::Misconfigured) };
    let noted =
        [standing(1, AroiResult::Validated), standing(2, AroiResult::Unauthorised), unanswered, standing(99, AroiResult::Validated)];
    assert_eq!(store.note_proofs(&noted).unwrap(), 3, "a relay that nobody knows has no claim");
    assert_eq!(store.proofs().unwrap(), noted[..3]);
    assert_eq!(store.stats().unwrap().n_proofs, 3);
    assert!(store.check().unwrap().is_sound());
    let checks: Vec<_> = store.load().unwrap().unwrap().relays.into_iter().map(|relay| relay.relay.aroi_check).collect();
    assert_eq!(checks, [noted[0].check(), noted[1].check(), None, None]);
    assert_eq!(checks[1].as_ref().unwrap().reason, "HTTP status 404");
    assert_eq!(store.exact().unwrap().relays[0].aroi_check, noted[0].check());
}

#[test]
fn a_later_attempt_replaces_the_one_before() {
    let mut store = store();
    store.note_proofs(&[standing(1, AroiResult::Validated)]).unwrap();
    let kept = ProofStanding { asked_at: at(9), n_failures: 1, trouble: Some("timed out".into()), ..standing(1, AroiResult::Validated) };
    store.note_proofs(std::slice::from_ref(&kept)).unwrap();
    assert_eq!(store.proofs().unwrap(), [kept]);
    let moved = ProofStanding { domain: "other.example".parse().unwrap(), ..standing(1, AroiResult::Unauthorised) };
    store.note_proofs(std::slice::from_ref(&moved)).unwrap();
    assert_eq!(store.proofs().unwrap(), [moved], "a relay makes one claim at a time");
}

#[test]
fn a_new_document_leaves_proofs_alone_and_the_past_has_none() {
    let mut store = store();
    store.note_proofs(&[standing(1, AroiResult::Validated)]).unwrap();
    store.apply(&details(hour(1), (1..=4).map(|number| full(number, hour(1))).collect())).unwrap();
    assert!(store.load().unwrap().unwrap().relays[0].relay.aroi_check.is_some());
    assert!(store.load_as_of(hour(1)).unwrap().unwrap().relays.iter().all(|relay| relay.relay.aroi_check.is_none()));
}

#[test]
fn proofs_go_with_their_relays() {
    let mut store = store();
    store.note_proofs(&[standing(1, AroiResult::Validated), standing(2, AroiResult::Validated)]).unwrap();
    store.apply(&details(hour(100), vec![full(2, hour(100))])).unwrap();
    store.prune(hour(50)).unwrap();
    assert_eq!(store.proofs().unwrap(), [standing(2, AroiResult::Validated)]);
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn a_store_of_version_7_gets_room_for_proofs() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v7");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(include_str!("../../testdata/v1.sql")).unwrap();
    for script in [
        include_str!("../../schema/v2.sql"),
        include_str!("../../schema/v3.sql"),
        include_str!("../../schema/v4.sql"),
        include_str!("../../schema/v5.sql"),
        include_str!("../../schema/v6.sql"),
        include_str!("../../schema/v7.sql"),
    ] {
        conn.execute_batch(script).unwrap();
    }
    conn.execute_batch("PRAGMA user_version = 7").unwrap();
    drop(conn);
    assert!(matches!(SqliteHistory::open_read_only(&path), Err(Error::PastVersion { found: 7, supported: 10, .. })));
    let mut store = SqliteHistory::open(&path).unwrap();
    let relay = store.load().unwrap().unwrap().relays[0].relay.fingerprint;
    let standing = ProofStanding { relay, ..standing(0, AroiResult::Validated) };
    assert_eq!(store.note_proofs(std::slice::from_ref(&standing)).unwrap(), 1);
    drop(store);
    assert_eq!(SqliteHistory::open_read_only(&path).unwrap().proofs().unwrap(), [standing]);
}

#[test]
fn damaged_proofs_are_found_and_named() {
    let damages = [
        "UPDATE proofs SET domain = 'localhost'",
        "UPDATE proofs SET method = 'pgp'",
        "UPDATE proofs SET method = 'uri-ed25519'",
        "UPDATE proofs SET result = 'perhaps'",
        "UPDATE proofs SET result = NULL",
        "UPDATE proofs SET result = NULL, checked_at = NULL",
        "UPDATE proofs SET checked_at = NULL",
        "UPDATE proofs SET checked_at = '2030-01-01T00:00:00Z'",
        "UPDATE proofs SET asked_at = 'yesterday'",
        "UPDATE proofs SET n_failures = -1",
        "UPDATE proofs SET reason = 'because'",
        "UPDATE proofs SET trouble = 'timed out'",
        "PRAGMA foreign_keys = OFF; UPDATE proofs SET relay_id = 77",
    ];
    for damage in damages {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("store");
        let mut store = SqliteHistory::open(&path).unwrap();
        store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
        store.note_proofs(&[standing(1, AroiResult::Validated)]).unwrap();
        drop(store);
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let store = SqliteHistory::open(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let _must_not_panic = (store.load(), store.proofs());
    }
}
