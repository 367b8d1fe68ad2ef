//! Relays that leave a scope one after the other over days, which no single list shows.
//!
//! Looked for once in 24 lists, over the last 3, 7 and 14 days. Of the relays that were mature before, those count as gone that have
//! been absent for a day and belong to no loss of that time. How probable that is for one relay is the share that is gone of all
//! relays in the network of its age that left about as often; the search for losses within an hour then finds the scope that lost
//! more. It must have lost a part that matters, and less than half of it in one list.

use serde::{Deserialize, Serialize};

use crate::book::RelayIdx;
use crate::cases::Start;
use crate::context::Context;
use crate::incident::Kind;
use crate::network::Network;
use crate::risk::{Lost, clip};
use crate::scan::{Cluster, Thresholds};
use crate::track::{Ages, N_AGES, Track};

/// The [`crate::Incident::detail`] of a slow outage.
const DECLINE: &str = "decline";
/// Lists between two searches.
const EVERY: u32 = 24;
/// Windows, in hours.
const WINDOWS: [i32; 3] = [3 * 24, 7 * 24, 14 * 24];
/// Hours of absence after which a relay counts as gone.
const GONE_HOURS: i32 = 24;
/// Fewest relays.
const MIN_GONE: u32 = 12;
/// Smallest part of the relays at risk.
const MIN_SHARE: f64 = 0.1;
const LN_ALPHA: f64 = -12.0;
/// Variance over mean of the count: operators take several relays down.
const DISPERSION: f64 = 2.0;
/// Members less likely to be gone than this are looked at on their own as well.
const STABLE: [f64; 2] = [0.05, 0.02];
/// Upper ends of classes of hazards, in departures per hour.
const HAZARDS: [f32; 5] = [0.0005, 0.001, 0.002, 0.005, 0.02];
/// Relays gone and at risk that every class is granted.
const PRIOR: [f64; 2] = [0.5, 10.0];

/// Relays gone and relays at risk.
type Class = [f64; 2];

/// Variation of the part of a scope where more than usual are concerned elsewhere.
const UNEVEN: f64 = 0.3;

/// Watches for declines. Remembers nothing: what it compares is in the tracks of relays.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Declines;

impl Declines {
    /// Opens a case for each cluster of relays that left over days.
    pub(super) fn step(self, context: &mut Context<'_>) {
        if !context.network.n_lists().is_multiple_of(EVERY) {
            return;
        }
        let known_for = context.network.known_for();
        for window in WINDOWS.into_iter().filter(|window| known_for > *window) {
            let since = context.network.hour() - window;
            for cluster in slowly_lost(since, context) {
                open(&cluster, since, context);
            }
        }
    }
}

fn open(cluster: &Cluster, since: i32, context: &mut Context<'_>) {
    let started = cluster.lost.iter().map(|relay| context.network.track(*relay).last_seen).min().unwrap_or(since);
    let index = context.open(Start { kind: Kind::Outage, detail: Some(DECLINE.to_owned()), flag: 0, cluster, started });
    context.cases.claim(index, context.network);
}

fn slowly_lost(since: i32, context: &mut Context<'_>) -> Vec<Cluster> {
    let (pool, hazards) = gone_and_standing(since, context);
    if pool.len() < MIN_GONE as usize {
        return Vec::new();
    }
    let thresholds = Thresholds {
        min_lost: MIN_GONE,
        min_narrow_lost: MIN_GONE,
        ln_alpha: LN_ALPHA,
        ln_alpha_network: f64::NEG_INFINITY,
        dispersion: DISPERSION,
        network_dispersion: DISPERSION,
        stable_risk: STABLE,
        uneven: UNEVEN,
        scatter: None,
    };
    let mut found = context.clusters(pool, &hazards, 1.0, &thresholds);
    let is_large = |cluster: &Cluster| f64::from(cluster.look.n_lost) >= MIN_SHARE * f64::from(cluster.look.n_at_risk);
    found.retain(|cluster| is_large(cluster) && is_slow(&cluster.lost, context.network));
    found
}

/// The relays that are gone, and per relay that stands how probable it was to be gone, negative for all others.
fn gone_and_standing(since: i32, context: &Context<'_>) -> (Vec<Lost>, Vec<f32>) {
    let network = &*context.network;
    let was_mature = |relay: &RelayIdx| network.track(*relay).is_mature(since, context.settings.mature_hours);
    let all = 0..network.tracks().len() as RelayIdx;
    let gone: Vec<RelayIdx> = all.filter(|relay| was_mature(relay) && is_gone(*relay, since, context)).collect();
    let standing: Vec<RelayIdx> = network.running().iter().copied().filter(was_mature).collect();
    let class = |relay: RelayIdx| class(network.track(relay), since);
    let mut classes = vec![PRIOR; N_AGES * (HAZARDS.len() + 1)];
    gone.iter().for_each(|relay| classes[class(*relay)][0] += 1.0);
    gone.iter().chain(&standing).for_each(|relay| classes[class(*relay)][1] += 1.0);
    let risk = |relay: RelayIdx| clip(share(classes[class(relay)]));
    let mut hazards = vec![-1.0; network.tracks().len()];
    standing.iter().for_each(|relay| hazards[*relay as usize] = risk(*relay) as f32);
    (gone.into_iter().map(|relay| Lost { relay, risk: risk(relay) }).collect(), hazards)
}

/// True if a relay left since then and has stayed away, for no reason that is known.
fn is_gone(relay: RelayIdx, since: i32, context: &Context<'_>) -> bool {
    let track = context.network.track(relay);
    let is_away = !track.running && track.last_seen >= since && track.last_seen <= context.network.hour() - GONE_HOURS;
    is_away && context.cases.claiming(track.case).is_none_or(|case| case.last_wave < since && !case.status.is_open())
}

/// True if less than half of them left in one list.
fn is_slow(lost: &[RelayIdx], network: &Network) -> bool {
    let mut last_seen: Vec<i32> = lost.iter().map(|relay| network.track(*relay).last_seen).collect();
    last_seen.sort_unstable();
    last_seen.chunk_by(|a, b| a == b).all(|together| 2 * together.len() < lost.len())
}

fn class(track: &Track, since: i32) -> usize {
    let hazard = HAZARDS.iter().position(|end| track.hazard < *end).unwrap_or(HAZARDS.len());
    Ages::class(since.saturating_sub(track.first_seen)) * (HAZARDS.len() + 1) + hazard
}

fn share([n_gone, n_at_risk]: Class) -> f64 {
    n_gone / n_at_risk
}
