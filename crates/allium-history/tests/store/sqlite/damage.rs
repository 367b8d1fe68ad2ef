//! Damage: it is found, named, and never a panic.

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Notes as _, Record as _, Sources as _, State as _, Upkeep as _};
use allium_model::{AroiResult, NoteAction};

use super::{Place, tamper};
use crate::common::*;
use crate::conformance::{notes, proofs};

#[test]
fn damaged_graphs_are_named_by_relay() {
    let damages =
        ["x''", "x'00'", "x'01ffffffff'", "x'0110000000'", "substr(graphs, 1, length(graphs) - 1)", "CAST(graphs || x'00' AS BLOB)", "7"];
    for damage in damages {
        let place = Place::new();
        let path = place.store();
        tamper(&path, &format!("UPDATE published_histories SET graphs = {damage}"));
        let store = SqliteStore::open(&path).unwrap();
        let error = store.load().unwrap_err();
        assert!(matches!(&error, Error::Corrupt { what, .. } if what.contains(&fingerprint(1).to_string())), "{damage}: {error}");
        assert!(!store.check().unwrap().is_sound());
    }
}

#[test]
fn damage_of_any_kind_is_an_error_and_found_by_a_check() {
    let damages = [
        "UPDATE spans SET start_hour = start_hour + 1",
        "UPDATE spans SET end_hour = start_hour",
        "INSERT INTO spans SELECT relay_id, start_hour - 5, NULL, state_id FROM spans",
        "UPDATE spans SET start_hour = -2147483648",
        "UPDATE spans SET end_hour = 2147483647",
        "UPDATE spans SET start_hour = 9223372036854775807",
        "UPDATE consensuses SET hour = 2147483647",
        "UPDATE consensuses SET hour = 9223372036854775807",
        "UPDATE documents SET published_hour = 2147483647",
        "UPDATE published_histories SET published_hour = -2147483648",
        "UPDATE relays SET last_seen_hour = 2147483647",
        "UPDATE consensuses SET n_running = n_running + 1",
        "UPDATE consensuses SET hour = hour + 1",
        "PRAGMA foreign_keys = OFF; DELETE FROM states",
        "PRAGMA foreign_keys = OFF; DELETE FROM families",
        "PRAGMA foreign_keys = OFF; DELETE FROM relays",
        "UPDATE relays SET or_addresses = '[\"nowhere\"]'",
        "UPDATE relays SET exit_policy = '{'",
        "UPDATE relays SET country = 'Germany'",
        "UPDATE relays SET guard_probability = 1.5",
        "UPDATE relays SET asn = -1",
        "UPDATE relays SET exit_policy_summary = '{\"maybe\": []}'",
        "UPDATE families SET members = '[1]'",
        "UPDATE documents SET obtained_at = 'yesterday'",
        "UPDATE documents SET published_hour = published_hour - 1",
        "UPDATE published_histories SET kind = 'gossip'",
    ];
    for damage in damages {
        let place = Place::new();
        let path = place.store();
        tamper(&path, damage);
        let mut store = SqliteStore::open(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let _must_not_panic = (store.load(), store.timeline(), store.stats());
        let _must_not_panic = store.append_consensus(&consensus(hour(-5)), &[(fingerprint(1), state(1))]);
        let _must_not_panic = store.apply(&details(hour(9), vec![full(1, hour(9))]));
    }
}

#[test]
fn damaged_pages_are_reported() {
    let place = Place::new();
    let path = place.store();
    let mut bytes = std::fs::read(&path).unwrap();
    let n_bytes = bytes.len();
    bytes[4096..n_bytes].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&path, bytes).unwrap();
    let outcome = SqliteStore::open(&path).and_then(|store| store.load());
    assert!(matches!(outcome, Err(Error::Corrupt { .. })), "{outcome:?}");
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
        let mut store = SqliteStore::open(&path).unwrap();
        store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
        store.record_proofs(&[proofs::standing(1, AroiResult::Validated)]).unwrap();
        drop(store);
        tamper(&path, damage);
        let store = SqliteStore::open(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let _must_not_panic = (store.load(), store.proofs());
    }
}

#[test]
fn a_damaged_state_is_found_and_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    SqliteStore::open(&path).unwrap().save_state("detector", b"seen").unwrap();
    for damage in ["x''", "x'02'", "x'0100000050'", "substr(content, 1, length(content) - 1)", "7"] {
        tamper(&path, &format!("UPDATE worker_states SET content = {damage}"));
        let store = SqliteStore::open(&path).unwrap();
        assert!(!store.check().unwrap().is_sound(), "{damage}");
        let error = store.load_state("detector").unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{damage}: {error}");
    }
}

#[test]
fn a_note_that_nobody_can_read_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tor.db");
    let mut store = SqliteStore::open(&path).unwrap();
    store.add_token("x", &[1; 32], notes::at("2026-02-15T18:00:00Z")).unwrap();
    store.add_incident_note(&notes::note(1, NoteAction::Annotate, "said")).unwrap();
    drop(store);
    tamper(&path, "UPDATE incident_notes SET action = 'merge'");
    let problems = SqliteStore::open(&path).unwrap().check().unwrap().problems;
    assert_eq!(problems, ["note 1 on an incident: unknown action"]);
}
