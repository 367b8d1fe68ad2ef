//! Relays that leave a scope one after the other over days, which no single list shows.
//!
//! Looked for once in 24 lists, over the last 3, 7 and 14 days. Of the relays that were mature before, those count as gone that have
//! been absent for a day and belong to no loss of that time. How probable that is for one relay is the share that is gone of all
//! relays in the network of its age that left about as often; the search for losses within an hour then finds the scope that lost
//! more. It must have lost a part that matters, and less than half of it in one list.

use crate::book::RelayIdx;
use crate::detector::{Detector, State, Step};
use crate::incident::Kind;
use crate::scan::{Cluster, Lost, Standing, Thresholds, clip, clusters};
use crate::track::{Ages, N_AGES, Track};

/// What [`crate::Incident::detail`] says of a slow outage.
pub(crate) const DECLINE: &str = "decline";
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

/// How much the part of a scope varies where more than usual are concerned elsewhere.
const UNEVEN: f64 = 0.3;

impl Detector {
    pub(crate) fn follow_declines(&mut self, step: &mut Step) {
        if !self.state.n_lists.is_multiple_of(EVERY) {
            return;
        }
        let known_for = self.state.hour - self.state.first_hour;
        for window in WINDOWS.into_iter().filter(|window| known_for > *window) {
            let since = self.state.hour - window;
            for cluster in self.slowly_lost(since) {
                let started = cluster.lost.iter().map(|relay| self.state.tracks[*relay as usize].last_seen).min().unwrap_or(since);
                let case = self.case(Kind::Outage, Some(DECLINE.to_owned()), 0, &cluster, started);
                let place = self.open(case, step);
                self.assign(place);
            }
        }
    }

    fn slowly_lost(&mut self, since: i32) -> Vec<Cluster> {
        let (pool, hazards) = self.gone_and_standing(since);
        if pool.len() < MIN_GONE as usize {
            return Vec::new();
        }
        let standing = Standing { relays: &self.state.running, hazards: &hazards, elapsed: 1.0 };
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
        let mut found = clusters(&self.book, pool, &standing, &thresholds, &mut self.scratch);
        found.retain(|cluster| {
            f64::from(cluster.look.n_lost) >= MIN_SHARE * f64::from(cluster.look.n_at_risk) && self.is_slow(&cluster.lost)
        });
        found
    }

    /// The relays that are gone, and per relay that stands how probable it was to be gone, negative for all others.
    fn gone_and_standing(&self, since: i32) -> (Vec<Lost>, Vec<f32>) {
        let State { tracks, running, .. } = &self.state;
        let was_mature = |track: &Track| track.is_mature(since, self.settings.mature_hours);
        let gone: Vec<RelayIdx> =
            (0..tracks.len() as RelayIdx).filter(|relay| was_mature(&tracks[*relay as usize]) && self.is_gone(*relay, since)).collect();
        let standing: Vec<RelayIdx> = running.iter().filter(|relay| was_mature(&tracks[**relay as usize])).copied().collect();
        let mut classes = vec![PRIOR; N_AGES * (HAZARDS.len() + 1)];
        gone.iter().for_each(|relay| classes[class(&tracks[*relay as usize], since)][0] += 1.0);
        gone.iter().chain(&standing).for_each(|relay| classes[class(&tracks[*relay as usize], since)][1] += 1.0);
        let risk = |relay: RelayIdx| clip(share(classes[class(&tracks[relay as usize], since)]));
        let mut hazards = vec![-1.0; tracks.len()];
        standing.iter().for_each(|relay| hazards[*relay as usize] = risk(*relay) as f32);
        (gone.into_iter().map(|relay| Lost { relay, risk: risk(relay) }).collect(), hazards)
    }

    /// Whether a relay left since then and has stayed away, for no reason that is known.
    fn is_gone(&self, relay: RelayIdx, since: i32) -> bool {
        let track = &self.state.tracks[relay as usize];
        let is_away = !track.running && track.last_seen >= since && track.last_seen <= self.state.hour - GONE_HOURS;
        let case = track.case.checked_sub(1).map(|place| &self.state.cases[place as usize]);
        is_away && case.is_none_or(|case| case.last_wave < since && !case.status.is_open())
    }

    /// Whether less than half of them left in one list.
    fn is_slow(&self, lost: &[RelayIdx]) -> bool {
        let mut last_seen: Vec<i32> = lost.iter().map(|relay| self.state.tracks[*relay as usize].last_seen).collect();
        last_seen.sort_unstable();
        last_seen.chunk_by(|a, b| a == b).all(|together| 2 * together.len() < lost.len())
    }
}

fn class(track: &Track, since: i32) -> usize {
    let hazard = HAZARDS.iter().position(|end| track.hazard < *end).unwrap_or(HAZARDS.len());
    Ages::class(since.saturating_sub(track.first_seen)) * (HAZARDS.len() + 1) + hazard
}

fn share([n_gone, n_at_risk]: Class) -> f64 {
    n_gone / n_at_risk
}
