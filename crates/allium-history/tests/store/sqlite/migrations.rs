//! Stores of older formats.

use allium_history::sqlite::SqliteStore;
use allium_history::{Error, Record as _, Sources as _, State as _, Update, Upkeep as _};
use allium_model::{AroiResult, Asn, DocumentKind, ProofStanding, Quantity, Relay, SourceFailure};
use rusqlite::Connection;

use super::Sqlite;
use crate::common::*;
use crate::conformance::{documents, packs, proofs, sources};

/// The documents that the store in `testdata/v1.sql` was made from.
fn history_of_version_1() -> Vec<Update> {
    let listed = vec![running(3, hour(3)), full(4, hour(3))];
    let graphs = vec![graph(Quantity::Uptime, hour(6), &[Some(7)])];
    vec![documents::visit(), Update { histories: uptime(hour(3), vec![histories(9, graphs)]).histories, ..details(hour(3), listed) }]
}

/// If this fails after a change of the format, the change needs a migration; the dump stays as it is.
#[test]
fn a_store_of_version_1_reads_the_same_for_ever() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    Connection::open(&path).unwrap().execute_batch(include_str!("../../../testdata/v1.sql")).unwrap();
    let old = SqliteStore::open(&path).unwrap();
    let mut new = documents::store_with(&Sqlite, &history_of_version_1());
    new.append_consensus(&consensus(hour(1)), &[(fingerprint(3), state(0)), (fingerprint(5), state(5))]).unwrap();
    assert_eq!(old.load().unwrap(), new.load().unwrap());
    assert_eq!(old.timeline().unwrap(), new.timeline().unwrap());
    assert!(old.check().unwrap().is_sound());
}

#[test]
fn a_store_of_an_older_format_is_read_after_one_opening_for_writing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    Connection::open(&path).unwrap().execute_batch(include_str!("../../../testdata/v1.sql")).unwrap();
    let error = SqliteStore::open_read_only(&path).unwrap_err();
    assert!(matches!(error, Error::PastVersion { found: 1, supported: 12, .. }), "{error}");
    packs::append(&mut SqliteStore::open(&path).unwrap());
    packs::sound(&SqliteStore::open_read_only(&path).unwrap());
    assert_eq!(SqliteStore::open_read_only(&path).unwrap().stats().unwrap().documents[0].kind, DocumentKind::Details);
}

#[test]
fn a_store_of_version_2_keeps_what_packs_and_documents_have() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(concat!(include_str!("../../../src/sqlite/schema/v1.sql"), include_str!("../../../src/sqlite/schema/v2.sql")))
        .unwrap();
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
    let store = SqliteStore::open(&path).unwrap();
    packs::sound(&store);
    for record in [store.load().unwrap().unwrap(), store.load_as_of(hour(0)).unwrap().unwrap()] {
        let [one, two] = [1, 2].map(|number| &packs::relay(&record, number).relay);
        let words = |relay: &Relay| [&relay.nickname, &relay.contact, &relay.as_name].map(|text| text.clone().unwrap_or_default());
        assert_eq!((words(one), words(two)), (["pack", "same", "Pack"].map(String::from), ["details", "same", ""].map(String::from)));
        assert_eq!((one.bare_address, &one.effective_family), ("192.0.2.7".parse().ok(), &vec![fingerprint(1)]));
        assert_eq!((one.asn, two.or_addresses.len()), (Some(Asn(64496)), 1));
    }
}

#[test]
fn a_store_of_version_7_gets_room_for_proofs() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v7");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(include_str!("../../../testdata/v1.sql")).unwrap();
    for script in [
        include_str!("../../../src/sqlite/schema/v2.sql"),
        include_str!("../../../src/sqlite/schema/v3.sql"),
        include_str!("../../../src/sqlite/schema/v4.sql"),
        include_str!("../../../src/sqlite/schema/v5.sql"),
        include_str!("../../../src/sqlite/schema/v6.sql"),
        include_str!("../../../src/sqlite/schema/v7.sql"),
    ] {
        conn.execute_batch(script).unwrap();
    }
    conn.execute_batch("PRAGMA user_version = 7").unwrap();
    drop(conn);
    assert!(matches!(SqliteStore::open_read_only(&path), Err(Error::PastVersion { found: 7, supported: 12, .. })));
    let mut store = SqliteStore::open(&path).unwrap();
    let relay = store.load().unwrap().unwrap().relays[0].relay.fingerprint;
    let standing = ProofStanding { relay, ..proofs::standing(0, AroiResult::Validated) };
    assert_eq!(store.record_proofs(std::slice::from_ref(&standing)).unwrap(), 1);
    drop(store);
    assert_eq!(SqliteStore::open_read_only(&path).unwrap().proofs().unwrap(), [standing]);
}

#[test]
fn a_store_of_version_8_keeps_the_failure_that_it_had() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v8");
    let mut store = SqliteStore::open(&path).unwrap();
    let asked = sources::at("2026-02-01T00:00:00Z");
    store.record_visit(&sources::visit("directory", asked, Some("no answer"))).unwrap();
    store.record_visit(&sources::visit("onionoo", asked, None)).unwrap();
    drop(store);
    Connection::open(&path)
        .unwrap()
        .execute_batch("DROP TABLE source_failures; DROP TABLE worker_states; DROP TABLE statements; DROP TABLE page_sums; DROP TABLE page_seal; PRAGMA user_version = 8")
        .unwrap();
    assert!(matches!(SqliteStore::open_read_only(&path), Err(Error::PastVersion { found: 8, .. })));
    let reports = SqliteStore::open(&path).unwrap().sources().unwrap();
    assert_eq!(reports[0].failures, [SourceFailure { at: asked, reason: "no answer".to_owned() }]);
    assert_eq!(reports[1].failures, []);
}

#[test]
fn a_store_of_version_9_gets_room_for_states() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("v9");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "DROP TABLE worker_states; DROP TABLE statements; DROP TABLE page_sums; DROP TABLE page_seal; PRAGMA user_version = 9",
        )
        .unwrap();
    assert!(matches!(SqliteStore::open_read_only(&path), Err(Error::PastVersion { found: 9, supported: 12, .. })));
    let mut store = SqliteStore::open(&path).unwrap();
    store.save_state("detector", b"seen").unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}
