//! The state of a [`Watch`] as bytes.
//!
//! The form belongs to one version of the program: a line that names it, SHA-256 of the rest, what stands beside the detector, the
//! detector. The state holds what it was made from, so that one that does not fit the store any more is noticed: the hours that the
//! detector was given, and when a pack of lists was last imported, which describes relays of all hours anew.

use allium_detect::{Detector, Settings};
use allium_history::{ConsensusSource, Error, Store};
use allium_model::{ConsensusHour, RelayFlags, Timestamp};
use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{MAX_BEHIND, Watch};
use crate::workers::effects::{Effects, SavedEffects};

/// Changes with every change of the state's form or meaning, and with the version of the program.
const MAGIC: &[u8] = concat!("allium watch 1, program ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

const DIGEST_LEN: usize = 32;

/// State that is saved beside that of the detector.
#[derive(Serialize, Deserialize)]
struct Beside {
    /// Hours with the flags of their lists.
    given: Vec<(i32, u32)>,
    reports_from: Option<i32>,
    pack_read_at: Option<i64>,
    /// Weighed hours in the store when it was saved.
    n_weighed: u64,
    effects: SavedEffects,
}

impl Watch {
    /// Everything that it remembers; `store` is the one whose history it follows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn save(&self, store: &dyn Store) -> anyhow::Result<Vec<u8>> {
        let beside = Beside {
            given: self.given.iter().map(|(hour, flags)| (hour.get(), flags.bits())).collect(),
            reports_from: self.reports_from.map(ConsensusHour::get),
            pack_read_at: self.pack_read_at.map(Timestamp::as_second),
            n_weighed: store.stats()?.n_weighed,
            effects: self.effects.save(),
        };
        let content = [postcard::to_allocvec(&beside)?, self.detector.save()].concat();
        Ok([MAGIC, Sha256::digest(&content).as_slice(), &content].concat())
    }

    /// A watch that goes on where the saved one stopped. Whether the history goes on from there is for [`Watch::follow`] to see.
    ///
    /// # Errors
    /// If the bytes are not from [`Watch::save`] of this version with these settings, or were made from other packs of lists than the
    /// store holds.
    pub fn restore(bytes: &[u8], settings: &Settings, store: &dyn Store) -> anyhow::Result<Self> {
        let rest = bytes.strip_prefix(MAGIC).context("not the state of this version of the program")?;
        let Some((digest, content)) = rest.split_at_checked(DIGEST_LEN) else { bail!("damaged state") };
        ensure!(Sha256::digest(content).as_slice() == digest, "damaged state");
        let (beside, detector): (Beside, _) = postcard::take_from_bytes(content)?;
        let pack_read_at = pack_read_at(store)?;
        ensure!(beside.pack_read_at == pack_read_at.map(Timestamp::as_second), "a pack of lists was imported since");
        let mut watch = Self::new(Detector::restore(detector, settings.clone())?, pack_read_at);
        watch.given = beside.given.into_iter().map(|(hour, flags)| (ConsensusHour::new(hour), RelayFlags::from_bits(flags))).collect();
        watch.reports_from = beside.reports_from.map(ConsensusHour::new);
        watch.refresh(0..watch.detector.n_incidents());
        let n_added = store.stats()?.n_weighed.checked_sub(beside.n_weighed);
        if n_added.is_some_and(|n_added| n_added <= MAX_BEHIND as u64) {
            watch.effects = Effects::restore(beside.effects);
            watch.changed.clear();
        }
        Ok(watch)
    }
}

/// Time at which a pack of lists was last imported.
pub(super) fn pack_read_at(store: &dyn Store) -> Result<Option<Timestamp>, Error> {
    let packs = store.sources()?.into_iter().find(|source| source.source == ConsensusSource::Presence.name());
    Ok(packs.map(|packs| packs.asked_at))
}
