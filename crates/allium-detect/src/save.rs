//! The state of a detector as bytes, so that it can go on where it stopped.
//!
//! The form belongs to one version of the program: bytes of another version are refused, and the detector is built again from the
//! stored history, which gives the same state.

use crate::book::RelayInfo;
use crate::detector::{Detector, State};
use crate::settings::Settings;

/// Changes with every change of the state's form or meaning.
const MAGIC: &[u8] = b"allium detector 3\n";

/// Bytes that are no state, or not one that fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// They were written by another version of the program, or by another program.
    #[error("not the state of this version of the detector")]
    Version,
    /// They are damaged.
    #[error("damaged state of the detector")]
    Damaged,
    /// They were written with other settings or for other relays.
    #[error("state of a detector with other settings or relays")]
    Mismatch,
}

impl Detector {
    /// Everything that it remembers; who the relays are is not part of it.
    pub fn save(&self) -> Vec<u8> {
        let state = postcard::to_allocvec(&(&self.settings, &self.state))
            .expect("a state has a form in bytes: no map with odd keys, no failing writer");
        [MAGIC, &state].concat()
    }

    /// A detector that goes on where the saved one stopped. `relays` are those that it had, in the same order.
    ///
    /// # Errors
    /// If the bytes are not from [`Detector::save`] of this version, with these settings and as many relays.
    pub fn restore(bytes: &[u8], settings: Settings, relays: Vec<RelayInfo>) -> Result<Self, RestoreError> {
        let state = bytes.strip_prefix(MAGIC).ok_or(RestoreError::Version)?;
        let (saved, state): (Settings, State) = postcard::from_bytes(state).map_err(|_| RestoreError::Damaged)?;
        let fits = saved == settings && state.tracks.len() == relays.len();
        fits.then_some(()).ok_or(RestoreError::Mismatch)?;
        Ok(Self { state, ..Self::new(settings, relays) })
    }
}
