//! Lists that are not believed: their hours are unknown to every figure, neither up nor down.
//!
//! Two judgements, each in one place: the detector reports lists as data quality incidents ([`Watch::doubted`]), and
//! [`allium_detect::sudden`] finds unverified lists with fewer than half of the relays of the list before. The detector itself sees every
//! list; everything else reads the store through [`leave_out`].

use std::collections::BTreeSet;
use std::ops::Range;

use allium_detect::{Listing, Settings, sudden};
use allium_history::{ConsensusSource, Error, KnownConsensus, RelayTimeline, Store, StoreUrl, Timeline};
use allium_model::{ConsensusHour, RelayFlag};

use super::detector::Watch;

/// Fewest missing relays that the detector doubts.
const MIN_MISSING: usize = 50;

/// Lets a handle leave out the hours that the detector doubts, and sudden lists.
///
/// # Errors
/// If the store cannot be read.
pub fn leave_out(store: &mut dyn Store, doubted: &BTreeSet<ConsensusHour>) -> Result<(), Error> {
    let sudden = sudden(&store.known()?.iter().map(listing).collect::<Vec<_>>());
    store.leave_out(&doubted.union(&sudden).copied().collect())
}

/// Opens a store for reading without lists that are not believed. Only where some list lacks so many relays that the detector may doubt
/// it does the detector walk the history, which takes twenty times as long as reading it.
///
/// # Errors
/// If the store cannot be opened or read.
pub fn open_believed(url: &StoreUrl, settings: &Settings) -> Result<Box<dyn Store>, Error> {
    let mut store = url.open_read_only()?;
    let is_to_judge = is_noticeable(&store.known()?, &store.timeline()?, settings);
    let doubted = if is_to_judge { Watch::replay(&*store, settings.clone())?.doubted() } else { BTreeSet::new() };
    leave_out(&mut *store, &doubted)?;
    Ok(store)
}

/// True if some list lacks so many mature relays of the one before that the detector may doubt it, by the detector's own threshold.
fn is_noticeable(known: &[KnownConsensus], timeline: &Timeline, settings: &Settings) -> bool {
    let hours = timeline.known().hours();
    let mut missing = vec![0_usize; hours.len()];
    for relay in timeline.relays() {
        let first = relay.spans.first().map_or(0, |span| span.start as usize);
        let is_mature = |index: usize| first == 0 || hours[index].hours_since(hours[first]) >= settings.mature_hours;
        let left = running(timeline, relay).into_iter().map(|stretch| stretch.end).filter(|end| *end < hours.len());
        left.filter(|end| is_mature(*end)).for_each(|end| missing[end] += 1);
    }
    let is_large = |index: usize| missing[index] as f64 >= settings.incomplete_share * known[index - 1].n_running as f64;
    (settings.warm_up_lists as usize + 1..hours.len()).any(|index| missing[index] >= MIN_MISSING && is_large(index))
}

/// The stretches of indices of known hours in which a relay was Running, whatever its other flags.
fn running(timeline: &Timeline, relay: &RelayTimeline) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for span in relay.spans.iter().filter(|span| timeline.state(span).flags.contains(RelayFlag::Running)) {
        let (start, end) = (span.start as usize, span.end as usize);
        match stretches.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => stretches.push(start..end),
        }
    }
    stretches
}

/// A consensus as it counts for the judgement. A details document says of each relay whether it runs, and signatures vouch for a consensus.
fn listing(known: &KnownConsensus) -> Listing {
    let may_lack = !known.info.verified && matches!(known.info.source, ConsensusSource::Presence | ConsensusSource::Collector);
    Listing { hour: known.info.hour, n_running: known.n_running, may_lack }
}
