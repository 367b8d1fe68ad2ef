//! Tokens, and the store that records the notes of their holders.
//!
//! A token is 256 random bits. Nobody can try out that many, so a plain SHA-256 of it is as good in the store as a slow hash of a
//! password would be, and cannot be used to keep the server busy. Hashes are compared in constant time, all of them each time.

use std::sync::Mutex;

use allium_history::{StoreUrl, Token};
use allium_model::IncidentNote;
use allium_words::inert::inert;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::notes::{MAX_NOTES, NewNote, NoteStore, StoreError};
use crate::site::Clock;

/// The beginning of tokens, so that people and scanners for secrets know one when they see it.
const PREFIX: &str = "allium_";

/// A token made from random bytes.
pub fn token(random: [u8; 32]) -> String {
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{digits}")
}

/// The hash of a token, which the store keeps.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Writes notes into the store; each is a change of its own.
pub struct StoredNotes {
    store: StoreUrl,
    clock: Clock,
    /// One at a time: what is counted before a note is written must hold when it is.
    writing: Mutex<()>,
}

impl StoredNotes {
    /// Notes in the store at this address.
    pub fn new(store: StoreUrl, clock: Clock) -> Self {
        Self { store, clock, writing: Mutex::new(()) }
    }

    /// The number of the token, if it is valid.
    fn authorised(&self, token: &str) -> Result<Option<i64>, allium_history::Error> {
        let hash = hash(token);
        let is_valid = |known: &Token| bool::from(known.hash.ct_eq(&hash)) && known.revoked_at.is_none();
        let tokens = self.store.open_read_only()?.tokens()?;
        Ok(tokens.iter().fold(None, |found, known| if is_valid(known) { Some(known.id) } else { found }))
    }

    fn written(&self, token_id: i64, note: NewNote) -> Result<Result<Vec<IncidentNote>, StoreError>, allium_history::Error> {
        let _writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut store = self.store.open_existing()?;
        let n = store.incident_notes()?.iter().filter(|known| known.incident == note.incident).count();
        if n >= MAX_NOTES {
            return Ok(Err(StoreError::Full));
        }
        let NewNote { incident, action, text } = note;
        store.add_incident_note(&allium_history::NewNote { incident, at: (self.clock)(), token_id, action, text })?;
        store.incident_notes().map(Ok)
    }
}

impl NoteStore for StoredNotes {
    fn record(&self, token: &str, note: NewNote) -> Result<Vec<IncidentNote>, StoreError> {
        let failed = |error: allium_history::Error| {
            let reason = inert(&error.to_string());
            tracing::error!(%reason, "a note on an incident was not stored");
            StoreError::Failed
        };
        let token_id = self.authorised(token).map_err(failed)?.ok_or(StoreError::WrongToken)?;
        self.written(token_id, note).map_err(failed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let token = token([0xab; 32]);
        assert_eq!(token, format!("allium_{}", "ab".repeat(32)));
        let digits: String = hash("abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-2, appendix B.1");
    }
}
