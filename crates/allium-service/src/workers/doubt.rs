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
const NOTICEABLE: f64 = 0.08;
/// Fewest relays that are noticed as missing.
const MIN_MISSING: u64 = 30;
/// Lists after it in which relays come back, where it was the list that lacked them.
const FOLLOWING: usize = 6;
/// Share of the missing that come back then; whoever stays away was lost.
const BACK: f64 = 0.3;

/// The hours of a store whose list has too few relays to be believed, with its number of running relays.
///
/// # Errors
/// If the store cannot be read.
pub fn sudden_lists(store: &dyn Store) -> Result<Vec<(ConsensusHour, u64)>, Error> {
    let known = store.known()?;
    let sudden = sudden(&known.iter().map(listing).collect::<Vec<_>>());
    Ok(known.iter().filter(|known| sudden.contains(&known.info.hour)).map(|known| (known.info.hour, known.n_running)).collect())
}

/// Lets a handle leave out the hours that the detector doubts, and sudden lists.
///
/// # Errors
/// If the store cannot be read.
pub fn leave_out(store: &mut dyn Store, doubted: &BTreeSet<ConsensusHour>) -> Result<(), Error> {
    let sudden = sudden_lists(store)?.into_iter().map(|(hour, _)| hour);
    store.leave_out(&doubted.iter().copied().chain(sudden).collect())
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

/// True if some list lacks enough relays of the one before, and enough come back in one of the next, or may do so yet.
fn is_noticeable(known: &[KnownConsensus]) -> bool {
    let running: Vec<u64> = known.iter().map(|known| known.n_running).collect();
    (1..running.len()).any(|index| {
        let (before, n, following) = (running[index - 1], running[index], &running[index + 1..running.len().min(index + 1 + FOLLOWING)]);
        let n_missing = before.saturating_sub(n);
        let are_back = |later: &u64| later.saturating_sub(n) as f64 >= BACK * n_missing as f64;
        let is_large = n_missing >= MIN_MISSING && n_missing as f64 >= NOTICEABLE * before as f64;
        is_large && (following.len() < FOLLOWING || following.iter().any(are_back))
    })
}

/// A consensus as it counts for the judgement. A details document says of each relay whether it runs, and signatures vouch for a consensus.
fn listing(known: &KnownConsensus) -> Listing {
    let may_lack = !known.info.verified && matches!(known.info.source, ConsensusSource::Presence | ConsensusSource::Collector);
    Listing { hour: known.info.hour, n_running: known.n_running, may_lack }
}
