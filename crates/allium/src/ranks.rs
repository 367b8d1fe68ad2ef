//! Where operators stood in the leaderboards at earlier times, beside a running service.
//!
//! The past is computed from the store as it was known then, one time after the other, on a thread of its own and with rests, and
//! kept: an earlier time is computed again only if consensuses before it came in since. What fails is logged and tried again with the
//! next view.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allium_analysis::standings::{consensus_at, instants_before};
use allium_analysis::{NetworkReport, OperatorReport, PastStandings, Standings, relay_position};
use allium_history::StoreUrl;
use allium_model::{ConsensusHour, Known};
use allium_views::Site;
use allium_words::inert::inert;
use tokio::sync::oneshot;

/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// A time that was computed: its consensus, and how many consensuses up to it were known.
type Computed = BTreeMap<(ConsensusHour, usize), Option<Arc<Standings>>>;

/// Keeps earlier places of a site up to date with its view, for as long as the site is served.
pub(crate) async fn keep(site: Site, store: StoreUrl) {
    let mut views = site.changes();
    let mut computed = Computed::new();
    loop {
        views.mark_unchanged();
        if let Some(view) = site.view() {
            let wanted = wanted(&view.record.known, view.as_of());
            drop(view);
            computed.retain(|key, _| wanted.contains(key));
            publish(&site, &computed);
            // The newest first: movements are told from these.
            for key in wanted.iter().rev() {
                if !computed.contains_key(key) {
                    let begun = Instant::now();
                    computed.insert(*key, at(key.0, store.clone()).await);
                    publish(&site, &computed);
                    tokio::time::sleep((begun.elapsed() * 3).min(LONGEST_REST)).await;
                }
            }
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// The consensuses at which places are looked up, earliest first, each with how many are known up to it.
fn wanted(known: &Known, as_of: ConsensusHour) -> Vec<(ConsensusHour, usize)> {
    let mut wanted: Vec<_> = instants_before(as_of)
        .into_iter()
        .filter_map(|instant| consensus_at(known.hours(), instant))
        .map(|hour| (hour, known.index_of(hour.next())))
        .collect();
    wanted.dedup();
    wanted
}

fn publish(site: &Site, computed: &Computed) {
    site.set_past_standings(PastStandings::new(computed.values().flatten().cloned().collect()));
}

/// The places at one consensus; `None` where they cannot be worked out.
async fn at(hour: ConsensusHour, store: StoreUrl) -> Option<Arc<Standings>> {
    let (done, outcome) = oneshot::channel();
    let thread = std::thread::Builder::new().name("ranks".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody waits any more when the program ends.
        let _ = done.send(worked_out(hour, &store));
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for earlier places");
    }
    match outcome.await {
        Ok(Ok(standings)) => standings.map(Arc::new),
        Ok(Err(error)) => {
            let reason = inert(&format!("{error:#}"));
            tracing::error!(%reason, %hour, "earlier places not worked out");
            None
        }
        Err(_) => None,
    }
}

fn worked_out(hour: ConsensusHour, store: &StoreUrl) -> anyhow::Result<Option<Standings>> {
    let begun = Instant::now();
    let history = store.open_read_only()?;
    let Some(mut record) = history.load_as_of(hour)? else { return Ok(None) };
    history.each_relay_day(hour, hour.next(), &mut |fingerprint, day| {
        if let Some(place) = relay_position(&record, fingerprint) {
            let whole = |figure: Option<f64>| figure.map(|figure| figure.round() as u64);
            let relay = &mut record.relays[place].relay;
            relay.consensus_weight = whole(day.consensus_weight);
            relay.advertised_bandwidth = whole(day.advertised_bandwidth);
            relay.observed_bandwidth = whole(day.observed_bandwidth);
        }
        ControlFlow::Continue(())
    })?;
    drop(history);
    let report = NetworkReport::compute(&record);
    let operators = OperatorReport::compute(&record, &report);
    let standings = Standings::of(&record, &report, &operators);
    tracing::info!(%hour, millis = begun.elapsed().as_millis(), "earlier places worked out");
    Ok(Some(standings))
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
    fn places_of_a_time_rest_on_what_was_known_then() {
        let scratch = tempfile::tempdir().unwrap();
        let path = StoreUrl::from(scratch.path().join("ranks.db"));
        let (then, now) = (ConsensusHour::new(490_000), ConsensusHour::new(490_720));
        let mut store = path.open().unwrap();
        let described = |n: u8| Relay { contact: Some(format!("operator {n}")), ..Relay::unknown(Fingerprint::new([n; 20])) };
        let listed = ConsensusInfo { source: ConsensusSource::Presence, ..consensus(then.plus(-1), 1).info };
        let span = |n: u8| (Fingerprint::new([n; 20]), StateSpan { start: then.plus(-1), end: then, state: RelayState::default() });
        store.append_pack(&[listed], &mut [1, 2].map(span).into_iter(), &[described(1), described(2)]).unwrap();
        store.append_full_consensus(&consensus(then, 300)).unwrap();
        let before = worked_out(then, &path).unwrap().unwrap();
        store.append_full_consensus(&consensus(now, 1)).unwrap();
        let after = worked_out(then, &path).unwrap().unwrap();
        assert_eq!(before, after, "a later consensus changes nothing");
        let rank = |standings: &Standings, n: u8| {
            standings.rank(&OperatorId::of_contact(&format!("operator {n}")).unwrap(), Category::ConsensusWeight)
        };
        assert_eq!((rank(&after, 1), rank(&after, 2)), (Some(1), Some(2)));
        let later = worked_out(now, &path).unwrap().unwrap();
        assert_eq!((rank(&later, 1), rank(&later, 2)), (Some(2), Some(1)));
        assert_eq!(worked_out(ConsensusHour::new(1), &path).unwrap(), None, "nothing was known");
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
