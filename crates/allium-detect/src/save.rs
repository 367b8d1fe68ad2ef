//! The state of a detector as bytes, so that it can go on where it stopped.
//!
//! The bytes begin with a line that names their form and its version, then a checksum (FNV-1a, little-endian) of the rest: settings,
//! who the relays are, and what was learned, in postcard. They are complete: with the same lists afterwards, a restored detector
//! finds exactly what the saved one would have found, to the last digit. That is why the order of scopes and of their members is part
//! of the state: sums are made in it.
//!
//! Stability: the form belongs to one version of the program. Bytes of another version are refused, and the detector is built again
//! from the stored history, which gives the same state.

use std::net::IpAddr;

use allium_model::{Asn, CountryCode, Fingerprint, fnv_1a};
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx, RelayInfo};
use crate::detector::{Detector, State};
use crate::scope::Scope;
use crate::settings::Settings;

/// The first line; its number rises with every change of the state's form or meaning.
const HEADER: &[u8] = b"allium detector state 4\n";

/// The reason why bytes cannot be restored.
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

impl Detector {
    /// Everything that it knows and remembers.
    pub fn save(&self) -> Vec<u8> {
        let (settings, book, state) = self.parts();
        let saved = postcard::to_allocvec(&(settings, SavedBook::of(book), state))
            .expect("a state has a form in bytes: no map with odd keys, no failing writer");
        [HEADER, &checksum(&saved), &saved].concat()
    }

    /// A detector that goes on where the saved one stopped, with the same relays by the same numbers.
    ///
    /// # Errors
    /// If the bytes are not from [`Detector::save`] of this version with these settings.
    pub fn restore(bytes: &[u8], settings: Settings) -> Result<Self, RestoreError> {
        let bytes = bytes.strip_prefix(HEADER).ok_or(RestoreError::Version)?;
        let (sum, saved) = bytes.split_first_chunk::<8>().ok_or(RestoreError::Damaged)?;
        (*sum == checksum(saved)).then_some(()).ok_or(RestoreError::Damaged)?;
        let (written, book, state): (Settings, SavedBook<'_>, State) = postcard::from_bytes(saved).map_err(|_| RestoreError::Damaged)?;
        (written == settings).then_some(()).ok_or(RestoreError::Mismatch)?;
        let book = book.restore().filter(|book| state.n_relays() == book.n_relays()).ok_or(RestoreError::Damaged)?;
        Ok(Self::of(settings, book, state))
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    fnv_1a(bytes.iter().copied()).to_le_bytes()
}

/// The relays, the scopes and their members, each in the order in which they are numbered.
#[derive(Serialize, Deserialize)]
struct SavedBook<'a> {
    #[serde(borrow)]
    relays: Vec<SavedRelay<'a>>,
    scopes: Vec<Scope>,
    members: Vec<Vec<RelayIdx>>,
}

impl<'a> SavedBook<'a> {
    fn of(book: &'a Book) -> Self {
        let (infos, scopes, members) = book.parts();
        Self { relays: infos.iter().map(SavedRelay::of).collect(), scopes: scopes.to_vec(), members: members.to_vec() }
    }

    fn restore(self) -> Option<Book> {
        let infos = self.relays.into_iter().map(SavedRelay::restore).collect::<Option<_>>()?;
        Book::of(infos, self.scopes, self.members)
    }
}

/// A [`RelayInfo`] as it is saved.
#[derive(Serialize, Deserialize)]
struct SavedRelay<'a> {
    fingerprint: [u8; 20],
    nickname: Option<&'a str>,
    asn: Option<u32>,
    country: Option<&'a str>,
    address: Option<IpAddr>,
    version: Option<&'a str>,
    family: Option<[u8; 20]>,
    operator: Option<&'a str>,
    weight: Option<f64>,
}

impl<'a> SavedRelay<'a> {
    fn of(info: &'a RelayInfo) -> Self {
        Self {
            fingerprint: *info.fingerprint.as_bytes(),
            nickname: info.nickname.as_deref(),
            asn: info.asn.map(|asn| asn.0),
            country: info.country.as_ref().map(CountryCode::as_str),
            address: info.address,
            version: info.version.as_deref(),
            family: info.family.map(|family| *family.as_bytes()),
            operator: info.operator.as_deref(),
            weight: info.weight,
        }
    }

    fn restore(self) -> Option<RelayInfo> {
        Some(RelayInfo {
            fingerprint: Fingerprint::new(self.fingerprint),
            nickname: self.nickname.map(str::to_owned),
            asn: self.asn.map(Asn),
            country: self.country.map(str::parse).transpose().ok()?,
            address: self.address,
            version: self.version.map(Into::into),
            family: self.family.map(Fingerprint::new),
            operator: self.operator.map(Into::into),
            weight: self.weight,
        })
    }
}
