//! The state of a detector as bytes, so that it can go on where it stopped.
//!
//! The form belongs to one version of the program: bytes of another version are refused, and the detector is built again from the
//! stored history, which gives the same state.

use serde::{Deserialize, Serialize};

use crate::book::{Book, SavedBook};
use crate::detector::{Detector, State};
use crate::settings::Settings;

/// Changes with every change of the state's form or meaning.
const MAGIC: &[u8] = b"allium detector 4\n";

/// Bytes that are no state, or not one that fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// They were written by another version of the program, or by another program.
    #[error("not the state of this version of the detector")]
    Version,
    /// They are damaged.
    #[error("damaged state of the detector")]
    Damaged,
    /// They were written with other settings.
    #[error("state of a detector with other settings")]
    Mismatch,
}

/// A detector in the form in which it is saved.
#[derive(Serialize, Deserialize)]
struct Saved<S, B, T> {
    settings: S,
    relays: B,
    state: T,
}

impl Detector {
    /// Everything that it remembers: its settings, who the relays are, and what it learned of them.
    pub fn save(&self) -> Vec<u8> {
        let saved = Saved { settings: &self.settings, relays: SavedBook::of(&self.book), state: &self.state };
        let bytes = postcard::to_allocvec(&saved).expect("a state has a form in bytes: no map with odd keys, no failing writer");
        [MAGIC, &bytes].concat()
    }

    /// A detector that goes on where the saved one stopped.
    ///
    /// # Errors
    /// If the bytes are not from [`Detector::save`] of this version with these settings.
    pub fn restore(bytes: &[u8], settings: Settings) -> Result<Self, RestoreError> {
        let bytes = bytes.strip_prefix(MAGIC).ok_or(RestoreError::Version)?;
        let saved: Saved<Settings, SavedBook, State> = postcard::from_bytes(bytes).map_err(|_| RestoreError::Damaged)?;
        if saved.settings != settings {
            return Err(RestoreError::Mismatch);
        }
        let book = Book::try_from(saved.relays)?;
        if saved.state.tracks.len() != book.n_relays() {
            return Err(RestoreError::Damaged);
        }
        Ok(Self { book, state: saved.state, ..Self::new(settings, Vec::new()) })
    }
}
