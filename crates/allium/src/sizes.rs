//! Sizes of the network and its parts beside a running service: read from the store in full once, then the last days of it with each
//! new view.
//!
//! The work runs on a thread of its own, a few weeks of the store at a time, and rests three times as long as it took, up to an hour;
//! meanwhile pages show what there is. Older hours that become known later are noticed by the number of weighed hours in the store,
//! and then everything is read anew. What fails is logged and tried again with the next view.

use std::time::{Duration, Instant};

use allium_analysis::{SizeHour, SizeOf, Sizes};
use allium_history::{GroupHour, GroupKey, Grouping, Store, StoreUrl};
use allium_model::{ConsensusHour, Fraction};
use allium_views::Site;
use allium_words::inert::inert;
use tokio::sync::oneshot;

/// How far back sizes are read: five years.
const LONGEST_HOURS: i32 = 5 * 366 * 24;
/// Hours that are read at a time.
const CHUNK_HOURS: i32 = 28 * 24;
/// Hours at the end that a new view may have changed.
const RECENT_HOURS: i32 = 48;
/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// Keeps the sizes of a site up to date with its view, for as long as the site is served.
pub(crate) async fn keep(site: Site, store: StoreUrl) {
    let mut views = site.changes();
    let mut n_beyond = 0;
    loop {
        views.mark_unchanged();
        if let Some(view) = site.view() {
            let begun = Instant::now();
            n_beyond = step(&site, view.as_of(), n_beyond, store.clone()).await;
            tokio::time::sleep((begun.elapsed() * 3).min(LONGEST_REST)).await;
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// One round; gives the number of weighed hours that lie too far back to be read.
async fn step(site: &Site, as_of: ConsensusHour, n_beyond: u64, store: StoreUrl) -> u64 {
    let (done, outcome) = oneshot::channel();
    let before = site.sizes();
    // A thread of the runtime's own would keep the program from ending meanwhile.
    let spawned = std::thread::Builder::new().name("sizes".to_owned()).spawn(move || {
        // Nobody waits any more when the program ends.
        let _ = done.send(read(&before, n_beyond, as_of, &store));
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for sizes");
    }
    match outcome.await {
        Ok(Ok((sizes, n_beyond))) => {
            site.set_sizes(sizes);
            n_beyond
        }
        Ok(Err(error)) => {
            let reason = inert(&format!("{error:#}"));
            tracing::error!(%reason, "sizes not read");
            n_beyond
        }
        Err(_) => n_beyond,
    }
}

/// The sizes up to and including a consensus, and the number of weighed hours beyond what is read. `before` saves reading what cannot
/// have changed, as long as `n_beyond` is still the number of hours beyond it.
fn read(before: &Sizes, n_beyond: u64, as_of: ConsensusHour, store: &StoreUrl) -> anyhow::Result<(Sizes, u64)> {
    let begun = Instant::now();
    let store = store.open_read_only()?;
    let n_weighed = store.stats()?.n_weighed;
    let end = as_of.next();
    let mut sizes = before.clone();
    let recent = day_start(end.plus(-RECENT_HOURS));
    sizes.forget_from(recent);
    add(&*store, &mut sizes, recent, end)?;
    if sizes.n_weighed_hours() + n_beyond != n_weighed {
        sizes = Sizes::default();
        for from in filled(&*store, end, n_weighed)? {
            add(&*store, &mut sizes, from, from.plus(CHUNK_HOURS).min(end))?;
        }
    }
    tracing::info!(%as_of, hours = sizes.n_weighed_hours(), millis = begun.elapsed().as_millis(), "sizes read");
    let n_beyond = n_weighed.saturating_sub(sizes.n_weighed_hours());
    Ok((sizes, n_beyond))
}

/// The starts of the chunks before `end` in which anything is told, earliest first: as many as hold all weighed hours.
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
        let scratch = tempfile::tempdir().unwrap();
        let path = StoreUrl::from(scratch.path().join("store.db"));
        let mut store = path.open().unwrap();
        let start = ConsensusHour::new(20_000 * 24);
        (0..30).for_each(|n| append(&mut *store, start.plus(n)));
        let nothing = Sizes::default();
        let (first, n_beyond) = read(&nothing, 0, start.plus(29), &path).unwrap();
        assert_eq!((first.n_weighed_hours(), n_beyond), (30, 0));
        (30..200).step_by(7).for_each(|n| append(&mut *store, start.plus(n)));
        append(&mut *store, start.plus(-24 * 90));
        let as_of = start.plus(198);
        let (on, n_beyond) = read(&first, 0, as_of, &path).unwrap();
        assert_eq!((&on, n_beyond), (&read(&nothing, 0, as_of, &path).unwrap().0, 0));
        assert_eq!(on.n_weighed_hours(), 56);
        // What lies too far back is counted once and then left alone.
        append(&mut *store, start.plus(-LONGEST_HOURS * 2));
        let (again, n_beyond) = read(&on, 0, as_of, &path).unwrap();
        assert_eq!((&again, n_beyond), (&on, 1));
        assert_eq!(read(&again, n_beyond, as_of, &path).unwrap(), (on.clone(), 1));
        let edges = [start.start_secs(), start.plus(24).start_secs()];
        assert_eq!(on.series(SizeOf::Flag(RelayFlag::Exit), SizeQuantity::WeightShare, &edges), [Some(0.75)]);
        assert_eq!(on.series(SizeOf::Network, SizeQuantity::Weight, &edges), [Some(400.0)]);
        assert_eq!(on.series(SizeOf::Network, SizeQuantity::Exit, &edges), [None]);
    }
}
