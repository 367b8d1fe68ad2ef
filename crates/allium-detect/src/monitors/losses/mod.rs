//! Relays that left together: outages, their waves, recovery, and flapping.
//!
//! In every step open cases first move along ([`returns`]), and relays that follow in their scope join them. What left within the
//! last list, and within the last three, is then searched for clusters, and each becomes a case or part of one ([`attribution`]).
//! Last, what belongs to no case is learned from ([`dispersion`]).

mod attribution;
mod dispersion;
mod returns;

use allium_stats::ln_count_tail;
use serde::{Deserialize, Serialize};

pub(super) use dispersion::LossDispersion;

use crate::book::{NETWORK, RelayIdx};
use crate::case::Case;
use crate::context::Context;
use crate::network::Network;
use crate::risk::{Lost, Standing, clip};
use crate::scan::{Cluster, Thresholds};
use crate::scatter::{Scatter, weigh};

/// Lists over which slow waves are added up.
const WINDOW: usize = 3;
/// A wave joins an open case of the same scope that last grew so many hours ago at most.
const WAVE_HOURS: i32 = 6;
/// Fewest relays of a wave.
const MIN_WAVE: usize = 2;
/// Natural logarithm of the largest p-value of a wave.
const LN_ALPHA_WAVE: f64 = -7.0;
/// Variation of the part of a scope where more than usual are concerned elsewhere.
const UNEVEN: f64 = 0.3;

/// Watches for losses.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Losses {
    dispersion: LossDispersion,
    scatter: Scatter,
    /// Per relay its hazard if it could be lost, else a negative number; made anew in every step.
    #[serde(skip)]
    hazards: Vec<f32>,
}

impl Losses {
    /// The variation of the count of losses in the whole network.
    pub(super) fn dispersion(&self) -> &LossDispersion {
        &self.dispersion
    }

    /// Moves open cases along, and opens or widens one for each cluster of relays that left.
    pub(super) fn step(&mut self, context: &mut Context<'_>) {
        self.note_hazards(context);
        returns::recover(context);
        returns::reopen(context);
        self.join_waves(context);
        for window in [1, context.network.window(WINDOW)] {
            for cluster in self.lost_together(window, context) {
                attribution::attribute(&cluster, window, context);
            }
        }
        self.learn(context);
    }

    /// Notes the hazards of the relays that could be lost.
    fn note_hazards(&mut self, context: &Context<'_>) {
        let network = &*context.network;
        let calibration = self.dispersion.calibration() as f32;
        self.hazards.clear();
        self.hazards.resize(network.tracks().len(), -1.0);
        for relay in network.running() {
            let track = network.track(*relay);
            if track.is_mature(network.hour(), context.settings.mature_hours) {
                self.hazards[*relay as usize] = track.hazard * calibration;
            }
        }
    }

    /// Adds what left the scope of an open case shortly after it, where that is more than chance.
    fn join_waves(&self, context: &mut Context<'_>) {
        for index in 0..context.cases.len() {
            if let Some(wave) = self.wave(context.cases.case(index), context) {
                context.cases.grow(index, &wave, context.book, context.network);
            }
        }
    }

    /// Relays that left with the last list and belong to a case that has just begun or grown.
    fn wave(&self, case: &Case, context: &Context<'_>) -> Option<Vec<RelayIdx>> {
        if !is_fresh(case, context.network.hour()) {
            return None;
        }
        let scope = context.book.find_scope(&case.scope).filter(|scope| *scope != NETWORK)?;
        let mut wave = self.pool(1, false, context);
        wave.retain(|lost| context.book.belongs(lost.relay, scope));
        let expected: f64 = self.standing(context.network).risks(context.book.members(scope)).sum();
        let ln_p = ln_count_tail(wave.len() as u64, expected, context.settings.dispersion).unwrap_or(0.0);
        let is_wave = wave.len() >= MIN_WAVE && ln_p < LN_ALPHA_WAVE;
        is_wave.then(|| wave.iter().map(|lost| lost.relay).collect())
    }

    /// Finds clusters among what left in the last `window` lists.
    fn lost_together(&self, window: usize, context: &mut Context<'_>) -> Vec<Cluster> {
        let pool = self.pool(window, window > 1, context);
        let settings = context.settings;
        if pool.len() < settings.min_lost as usize {
            return Vec::new();
        }
        let elapsed = context.network.elapsed(window);
        let thresholds = Thresholds {
            min_lost: settings.min_lost,
            min_narrow_lost: settings.min_narrow_lost,
            ln_alpha: settings.ln_alpha_loss,
            ln_alpha_network: settings.ln_alpha_network,
            dispersion: settings.dispersion,
            network_dispersion: self.dispersion.dispersion().max(settings.dispersion),
            stable_risk: settings.stable_hazards.map(|hazard| hazard * elapsed),
            uneven: UNEVEN,
            scatter: Some(self.scatter.scale),
        };
        context.clusters(pool, &self.hazards, elapsed, &thresholds)
    }

    /// Relays that left in the last `window` lists, are still gone, and belong to no open case, or to one just opened.
    fn pool(&self, window: usize, with_young_cases: bool, context: &Context<'_>) -> Vec<Lost> {
        let network = &*context.network;
        let elapsed = network.elapsed(window) * self.dispersion.calibration();
        let lost = network.recent(window).iter().flat_map(|changes| &changes.lost);
        let mut pool: Vec<Lost> = lost.map(|(relay, hazard)| Lost { relay: *relay, risk: clip(f64::from(*hazard) * elapsed) }).collect();
        pool.retain(|lost| !network.track(lost.relay).running && is_free(lost.relay, with_young_cases, context));
        pool.sort_unstable_by_key(|lost| lost.relay);
        pool.dedup_by_key(|lost| lost.relay);
        pool
    }

    /// The relays that could have been lost with the last list and were not.
    fn standing<'a>(&'a self, network: &'a Network) -> Standing<'a> {
        Standing { relays: network.running(), hazards: &self.hazards, elapsed: network.elapsed(1) }
    }

    /// Learns how much the count of lost relays varies, from what belongs to no case.
    fn learn(&mut self, context: &Context<'_>) {
        let pool = self.pool(1, false, context);
        let standing = self.standing(context.network);
        let expected: f64 = standing.risks(standing.relays).sum();
        let (elapsed, weighed) = (standing.elapsed, weigh(context.book, &pool, &standing));
        self.scatter.learn(&weighed);
        self.dispersion.learn(pool.len(), expected, elapsed);
    }
}

/// True if a case last grew within the last hours, but not with the last list.
fn is_fresh(case: &Case, hour: i32) -> bool {
    case.is_loss() && case.status.is_open() && hour - case.last_wave <= WAVE_HOURS && case.last_wave < hour
}

fn is_free(relay: RelayIdx, with_young_cases: bool, context: &Context<'_>) -> bool {
    let open = context.cases.open_index(context.network.track(relay).case);
    open.is_none_or(|index| with_young_cases && is_young(context.cases.case(index), context.network.n_lists()))
}

/// True if a case was opened within the window.
fn is_young(case: &Case, n_lists: u32) -> bool {
    case.n_drops == 1 && n_lists - case.opened_at_list < WINDOW as u32
}
