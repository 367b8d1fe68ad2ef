//! Sizes of the network and its parts: read from the store in full once, then the last days with each consensus.
//!
//! Older hours that become known later are noticed by the number of weighed hours in the store, and then everything is read anew.

use std::time::{Duration, Instant};

use allium_analysis::{SizeHour, SizeOf, Sizes};
use allium_history::{GroupHour, GroupKey, Grouping, Store};
use allium_model::{ConsensusHour, Fraction};

use super::{Context, Next, Step, Worker, network_of};
use crate::snapshot::{Patch, Snapshot};

/// Hours for which sizes are read: five years.
const LONGEST_HOURS: i32 = 5 * 366 * 24;
/// Hours that are read at a time.
const CHUNK_HOURS: i32 = 28 * 24;
/// Hours at the end that a new consensus may have changed.
const RECENT_HOURS: i32 = 48;
/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// Keeps sizes up to date with the network.
#[derive(Default)]
pub struct SizeWorker {
    /// Weighed hours that lie too far back to be read.
    n_beyond: u64,
}

impl Worker for SizeWorker {
    fn name(&self) -> &'static str {
        "sizes"
    }

    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let as_of = network_of(snapshot)?.as_of();
        let (sizes, n_beyond) = read(snapshot.sizes(), self.n_beyond, as_of, &*context.store.read()?)?;
        self.n_beyond = n_beyond;
        Ok(Step::then(Next::Network).with(Patch::Sizes(sizes)))
    }

    fn rest(&self, took: Duration) -> Duration {
        (took * 3).min(LONGEST_REST)
    }

    fn only_reads(&self) -> bool {
        true
    }
}

/// The sizes up to and including a consensus, and the number of weighed hours beyond what is read. `before` saves reading what cannot
/// have changed, as long as `n_beyond` is still the number of hours beyond it.
fn read(before: &Sizes, n_beyond: u64, as_of: ConsensusHour, store: &dyn Store) -> anyhow::Result<(Sizes, u64)> {
    let begun = Instant::now();
    let n_weighed = store.stats()?.n_weighed;
    let end = as_of.next();
    let mut sizes = before.clone();
    let recent = day_start(end.plus(-RECENT_HOURS));
    sizes.forget_from(recent);
    add(store, &mut sizes, recent, end)?;
    if sizes.n_weighed_hours() + n_beyond != n_weighed {
        sizes = Sizes::default();
        for from in filled(store, end, n_weighed)? {
            add(store, &mut sizes, from, from.plus(CHUNK_HOURS).min(end))?;
        }
    }
    tracing::info!(%as_of, hours = sizes.n_weighed_hours(), millis = begun.elapsed().as_millis(), "sizes read");
    let n_beyond = n_weighed.saturating_sub(sizes.n_weighed_hours());
    Ok((sizes, n_beyond))
}

/// The starts of the chunks before `end` of which anything is known, earliest first: as many as hold all weighed hours.
fn filled(store: &dyn Store, end: ConsensusHour, n_weighed: u64) -> anyhow::Result<Vec<ConsensusHour>> {
    let (mut from, mut n_found, mut starts) = (day_start(end.plus(-CHUNK_HOURS + 24)), 0, Vec::new());
    while n_found < n_weighed && end.hours_since(from) < LONGEST_HOURS {
        let hours = store.group_hours(Grouping::Network, from, from.plus(CHUNK_HOURS).min(end))?;
        n_found += hours.values().flatten().filter(|hour| hour.n_weighed > 0).count() as u64;
        starts.extend((!hours.is_empty()).then_some(from));
        from = from.plus(-CHUNK_HOURS);
    }
    starts.reverse();
    Ok(starts)
}

/// Adds the hours `[from, to)`, of which the first starts a day, to what was read of the time before.
fn add(store: &dyn Store, sizes: &mut Sizes, from: ConsensusHour, to: ConsensusHour) -> anyhow::Result<()> {
    for by in [Grouping::Network, Grouping::Flag, Grouping::Country, Grouping::AutonomousSystem] {
        for (key, hours) in store.group_hours(by, from, to)? {
            sizes.add(part(key), &hours.iter().map(size).collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn day_start(hour: ConsensusHour) -> ConsensusHour {
    ConsensusHour::new(hour.get().div_euclid(24) * 24)
}

const fn part(key: GroupKey) -> SizeOf {
    match key {
        GroupKey::Network => SizeOf::Network,
        GroupKey::Country(code) => SizeOf::Country(code),
        GroupKey::AutonomousSystem(asn) => SizeOf::As(asn),
        GroupKey::Flag(flag) => SizeOf::Flag(flag),
    }
}

fn size(of: &GroupHour) -> SizeHour {
    let share = |fraction: Option<Fraction>| fraction.map(Fraction::get);
    let rate = |rate: Option<u64>| rate.map(|rate| rate as f64);
    let values = [
        of.consensus_weight,
        share(of.consensus_weight_fraction),
        share(of.guard_probability),
        share(of.middle_probability),
        share(of.exit_probability),
        rate(of.advertised_bandwidth),
        rate(of.observed_bandwidth),
    ];
    SizeHour { hour: of.hour, values }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_analysis::SizeQuantity;
    use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed};
    use allium_model::{BandwidthWeights, Fingerprint, RelayFlag, RelayState, Timestamp};

    use super::*;

    fn append(store: &mut dyn Store, hour: ConsensusHour) {
        let relay = |n: u8, flag: RelayFlag| Listed {
            weight: Some(u64::from(n) * 100),
            ..Listed::of(
                Fingerprint::new([n; 20]),
                RelayState { flags: [RelayFlag::Running, flag].into_iter().collect(), ..RelayState::default() },
            )
        };
        let info = ConsensusInfo { hour, source: ConsensusSource::Collector, verified: true, received_at: Timestamp::UNIX_EPOCH };
        let listed = vec![relay(1, RelayFlag::Guard), relay(3, RelayFlag::Exit)];
        let consensus = FullConsensus { info, listed, bandwidth_weights: BandwidthWeights::default() };
        assert!(store.append_full_consensus(&consensus).unwrap());
    }

    #[test]
    fn reading_on_is_the_same_as_reading_anew() {
        let mut store = allium_history::in_memory().unwrap();
        let start = ConsensusHour::new(20_000 * 24);
        (0..30).for_each(|n| append(&mut *store, start.plus(n)));
        let nothing = Sizes::default();
        let (first, n_beyond) = read(&nothing, 0, start.plus(29), &*store).unwrap();
        assert_eq!((first.n_weighed_hours(), n_beyond), (30, 0));
        (30..200).step_by(7).for_each(|n| append(&mut *store, start.plus(n)));
        append(&mut *store, start.plus(-24 * 90));
        let as_of = start.plus(198);
        let (on, n_beyond) = read(&first, 0, as_of, &*store).unwrap();
        assert_eq!((&on, n_beyond), (&read(&nothing, 0, as_of, &*store).unwrap().0, 0));
        assert_eq!(on.n_weighed_hours(), 56);
        // Sizes that lie too far back are counted once and then left alone.
        append(&mut *store, start.plus(-LONGEST_HOURS * 2));
        let (again, n_beyond) = read(&on, 0, as_of, &*store).unwrap();
        assert_eq!((&again, n_beyond), (&on, 1));
        assert_eq!(read(&again, n_beyond, as_of, &*store).unwrap(), (on.clone(), 1));
        let edges = [start.start_secs(), start.plus(24).start_secs()];
        assert_eq!(on.series(SizeOf::Flag(RelayFlag::Exit), SizeQuantity::WeightShare, &edges), [Some(0.75)]);
        assert_eq!(on.series(SizeOf::Network, SizeQuantity::Weight, &edges), [Some(400.0)]);
        assert_eq!(on.series(SizeOf::Network, SizeQuantity::Exit, &edges), [None]);
    }
}
