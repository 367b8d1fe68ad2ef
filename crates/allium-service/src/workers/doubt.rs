//! Lists that are not believed: their hours are unknown to every figure, neither up nor down.
//!
//! Two judgements, each in one place: the detector reports lists as data quality incidents ([`Watch::doubted`]), and
//! [`allium_detect::sudden`] finds unverified lists with fewer than half of the relays of the list before. The detector itself sees every
//! list; everything else reads the store through [`leave_out`].

use std::collections::BTreeSet;

use allium_detect::{Listing, Settings, sudden};
use allium_history::{ConsensusSource, Error, KnownConsensus, Store, StoreUrl};
use allium_model::ConsensusHour;

use super::detector::Watch;

/// Share of the relays of a list that another one must lack before the detector can doubt it: below its own threshold, because relays
/// that join hide some that are missing.
const NOTICEABLE: f64 = 0.05;
/// Fewest relays that are noticed as missing.
const MIN_MISSING: u64 = 20;

/// Lets a handle leave out the hours that the detector doubts, and sudden lists.
///
/// # Errors
/// If the store cannot be read.
pub fn leave_out(store: &mut dyn Store, doubted: &BTreeSet<ConsensusHour>) -> Result<(), Error> {
    let sudden = sudden(&store.known()?.iter().map(listing).collect::<Vec<_>>());
    store.leave_out(&doubted.union(&sudden).copied().collect())
}

/// Opens a store for reading without lists that are not believed. Where some list lacks relays that the one before has, the detector
/// walks the history to judge it.
///
/// # Errors
/// If the store cannot be opened or read.
pub fn open_believed(url: &StoreUrl, settings: &Settings) -> Result<Box<dyn Store>, Error> {
    let mut store = url.open_read_only()?;
    let doubted = if is_noticeable(&store.known()?) { Watch::replay(&*store, settings.clone())?.doubted() } else { BTreeSet::new() };
    leave_out(&mut *store, &doubted)?;
    Ok(store)
}

/// True if some list lacks enough relays of the one before.
fn is_noticeable(known: &[KnownConsensus]) -> bool {
    known.windows(2).any(|pair| {
        let n_missing = pair[0].n_running.saturating_sub(pair[1].n_running);
        n_missing >= MIN_MISSING && n_missing as f64 >= NOTICEABLE * pair[0].n_running as f64
    })
}

/// A consensus as it counts for the judgement. A details document says of each relay whether it runs, and signatures vouch for a consensus.
fn listing(known: &KnownConsensus) -> Listing {
    let may_lack = !known.info.verified && matches!(known.info.source, ConsensusSource::Presence | ConsensusSource::Collector);
    Listing { hour: known.info.hour, n_running: known.n_running, may_lack }
}
