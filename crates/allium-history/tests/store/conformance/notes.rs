//! Tokens and notes: texts come back exactly, revoked tokens stay named.

use allium_history::NewNote;
use allium_model::{IncidentNote, NoteAction, Timestamp};

use super::Backend;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn note(token_id: i64, action: NoteAction, text: &str) -> NewNote {
    NewNote { incident: "00000000000000a1".to_owned(), at: at("2026-02-15T19:00:01Z"), token_id, action, text: text.to_owned() }
}

pub(crate) fn notes_come_back_with_the_name_of_their_token_also_when_it_is_revoked(backend: &dyn Backend) {
    let shared = backend.shared();
    let mut store = shared.url.open().unwrap();
    assert!(store.add_token("night shift", &[7; 32], at("2026-02-15T18:00:00Z")).unwrap());
    assert!(!store.add_token("night shift", &[8; 32], at("2026-02-15T18:00:00Z")).unwrap(), "names are unique");
    let token = store.tokens().unwrap().remove(0);
    assert_eq!((token.hash, token.revoked_at), ([7; 32], None));
    let hostile = "<b>\u{202E}\0'; DROP TABLE tokens; --\r\n";
    for (action, text) in [
        (NoteAction::Acknowledge, ""),
        (NoteAction::Annotate, hostile),
        (NoteAction::Merge("00000000000000a2".to_owned()), "one cable"),
        (NoteAction::Separate, ""),
    ] {
        store.add_incident_note(&note(token.id, action, text)).unwrap();
    }
    assert!(store.add_incident_note(&note(99, NoteAction::Annotate, "nobody")).is_err(), "the token must exist");
    assert!(store.revoke_token("night shift", at("2026-02-15T20:00:00Z")).unwrap());
    assert!(!store.revoke_token("night shift", at("2026-02-15T21:00:00Z")).unwrap(), "once");
    drop(store);

    let store = shared.url.open_read_only().unwrap();
    assert_eq!(store.tokens().unwrap()[0].revoked_at, Some(at("2026-02-15T20:00:00Z")));
    let notes = store.incident_notes().unwrap();
    assert_eq!(notes.len(), 4);
    let expected = IncidentNote {
        id: 2,
        incident: "00000000000000a1".to_owned(),
        at: at("2026-02-15T19:00:01Z"),
        by: "night shift".to_owned(),
        action: NoteAction::Annotate,
        text: hostile.to_owned(),
    };
    assert_eq!(notes[1], expected);
    assert_eq!(notes[2].action, NoteAction::Merge("00000000000000a2".to_owned()));
    assert!(store.check().unwrap().problems.is_empty());
}
