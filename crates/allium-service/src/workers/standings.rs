//! Ranks of operators in the leaderboards at earlier times.
//!
//! The past is computed from the store as it was known then, one time after the other and with rests, and kept: an earlier time is
//! computed again only if consensuses before it came in since.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allium_analysis::standings::{consensus_at, instants_before};
use allium_analysis::{NetworkReport, OperatorReport, PastStandings, Standings, relay_position};
use allium_history::Store;
use allium_model::{ConsensusHour, Known, NetworkRecord};
use anyhow::Context as _;

use super::{Context, Next, Step, Worker, network_of};
use crate::snapshot::{Patch, Snapshot};

/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// An earlier time: its consensus, and how many consensuses up to it are known.
type Key = (ConsensusHour, usize);

/// Keeps earlier ranks up to date with the network.
#[derive(Default)]
pub struct StandingsWorker {
    /// Times at which ranks are looked up, earliest first; `None` before the first step.
    wanted: Option<Vec<Key>>,
    /// Ranks by time; `None` where nothing was known then.
    computed: BTreeMap<Key, Option<Arc<Standings>>>,
    /// Times whose ranks could not be computed, which are left alone until other times are wanted.
    failed: BTreeSet<Key>,
}

impl Worker for StandingsWorker {
    fn name(&self) -> &'static str {
        "standings"
    }

    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let view = network_of(snapshot)?;
        let is_first_look = self.want(wanted(&view.record.known, view.as_of()));
        if !is_first_look && let Some(key) = self.missing() {
            self.failed.insert(key);
            let standings = context.store.read_whole(|store| compute(key.0, store)).with_context(|| format!("ranks as of {}", key.0))?;
            self.failed.remove(&key);
            self.computed.insert(key, standings.map(Arc::new));
        }
        let next = if self.missing().is_some() { Next::Now } else { Next::Network };
        let standings = PastStandings::new(self.computed.values().flatten().cloned().collect());
        Ok(Step::then(next).with(Patch::Standings(standings)))
    }

    fn rest(&self, took: Duration) -> Duration {
        (took * 3).min(LONGEST_REST)
    }

    fn only_reads(&self) -> bool {
        true
    }
}

impl StandingsWorker {
    /// Drops what is not wanted any more; `false` if the same times are wanted as before.
    fn want(&mut self, wanted: Vec<Key>) -> bool {
        if self.wanted.as_ref() == Some(&wanted) {
            return false;
        }
        self.computed.retain(|key, _| wanted.contains(key));
        self.failed.clear();
        self.wanted = Some(wanted);
        true
    }

    /// The newest time that is to be computed: movements are shown from these.
    fn missing(&self) -> Option<Key> {
        let is_missing = |key: &&Key| !self.computed.contains_key(key) && !self.failed.contains(key);
        self.wanted.iter().flatten().rev().find(is_missing).copied()
    }
}

/// The consensuses at which ranks are looked up, earliest first, each with how many are known up to it.
fn wanted(known: &Known, as_of: ConsensusHour) -> Vec<Key> {
    let mut wanted: Vec<_> = instants_before(as_of)
        .into_iter()
        .filter_map(|instant| consensus_at(known.hours(), instant))
        .map(|hour| (hour, known.index_of(hour.next())))
        .collect();
    wanted.dedup();
    wanted
}

/// The ranks at one consensus; `None` where nothing was known then.
fn compute(hour: ConsensusHour, store: &dyn Store) -> anyhow::Result<Option<Standings>> {
    let begun = Instant::now();
    let Some(mut record) = store.load_as_of(hour)? else { return Ok(None) };
    add_sizes(&mut record, hour, store)?;
    let report = NetworkReport::compute(&record);
    let operators = OperatorReport::compute(&record, &report);
    let standings = Standings::of(&record, &report, &operators);
    tracing::info!(%hour, millis = begun.elapsed().as_millis(), "earlier ranks computed");
    Ok(Some(standings))
}

/// Adds the weights and bandwidths of the relays at that hour, which a record of the past leaves out.
fn add_sizes(record: &mut NetworkRecord, hour: ConsensusHour, store: &dyn Store) -> anyhow::Result<()> {
    store.each_relay_day(hour, hour.next(), &mut |fingerprint, day| {
        if let Some(relay_idx) = relay_position(record, fingerprint) {
            let whole = |figure: Option<f64>| figure.map(|figure| figure.round() as u64);
            let relay = &mut record.relays[relay_idx].relay;
            relay.consensus_weight = whole(day.consensus_weight);
            relay.advertised_bandwidth = whole(day.advertised_bandwidth);
            relay.observed_bandwidth = whole(day.observed_bandwidth);
        }
        ControlFlow::Continue(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_analysis::Category;
    use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed};
    use allium_model::{BandwidthWeights, Fingerprint, OperatorId, Relay, RelayFlag, RelayFlags, RelayState, StateSpan};

    use super::*;

    /// Two relays of two operators at an hour, of which the first has this weight.
    fn consensus(hour: ConsensusHour, weight: u64) -> FullConsensus {
        let flags = RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Guard]);
        let listed = |n: u8, weight: u64| Listed {
            weight: Some(weight),
            ..Listed::of(Fingerprint::new([n; 20]), RelayState { flags, ..RelayState::default() })
        };
        FullConsensus {
            info: ConsensusInfo { hour, source: ConsensusSource::Collector, verified: true, received_at: hour.start() },
            listed: vec![listed(1, weight), listed(2, 100)],
            bandwidth_weights: BandwidthWeights::default(),
        }
    }

    #[test]
    fn ranks_of_a_time_rest_on_what_was_known_then() {
        let (then, now) = (ConsensusHour::new(490_000), ConsensusHour::new(490_720));
        let mut store = allium_history::in_memory().unwrap();
        let described = |n: u8| Relay { contact: Some(format!("operator {n}")), ..Relay::unknown(Fingerprint::new([n; 20])) };
        let listed = ConsensusInfo { source: ConsensusSource::Presence, ..consensus(then.plus(-1), 1).info };
        let span = |n: u8| (Fingerprint::new([n; 20]), StateSpan { start: then.plus(-1), end: then, state: RelayState::default() });
        store.append_pack(&[listed], &mut [1, 2].map(span).into_iter(), &[described(1), described(2)]).unwrap();
        store.append_full_consensus(&consensus(then, 300)).unwrap();
        let before = compute(then, &*store).unwrap().unwrap();
        store.append_full_consensus(&consensus(now, 1)).unwrap();
        let after = compute(then, &*store).unwrap().unwrap();
        assert_eq!(before, after, "a later consensus changes nothing");
        let rank = |standings: &Standings, n: u8| {
            standings.rank(&OperatorId::of_contact(&format!("operator {n}")).unwrap(), Category::ConsensusWeight)
        };
        assert_eq!((rank(&after, 1), rank(&after, 2)), (Some(1), Some(2)));
        let later = compute(now, &*store).unwrap().unwrap();
        assert_eq!((rank(&later, 1), rank(&later, 2)), (Some(2), Some(1)));
        assert_eq!(compute(ConsensusHour::new(1), &*store).unwrap(), None, "nothing was known");
    }

    #[test]
    fn a_time_is_computed_again_when_earlier_consensuses_come_in() {
        let as_of: ConsensusHour = "2026-02-15T18:00:00Z".parse().unwrap_or_else(|_| unreachable!());
        let hours = |from: i32| Known::new((from..=0).map(|h| as_of.plus(h)).collect());
        let (few, more) = (wanted(&hours(-24 * 40), as_of), wanted(&hours(-24 * 41), as_of));
        assert_eq!(few.iter().map(|key| key.0.to_string()).collect::<Vec<_>>(), ["2026-01-16T00:00:00Z", "2026-02-01T00:00:00Z"]);
        assert!(few.iter().zip(&more).all(|(a, b)| a.0 == b.0 && a.1 + 24 == b.1));
        assert!(wanted(&hours(-24), as_of).is_empty(), "a young record has no past");
    }
}
