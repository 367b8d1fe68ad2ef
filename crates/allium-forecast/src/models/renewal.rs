//! A renewal process of two states, up and down, each with an exponential stay, that ends for good with an age's hazard.
//!
//! Trivedi (2002), "Probability and Statistics with Reliability, Queuing, and Computer Science Applications", chapter 8. Rates
//! come from a relay's own outages of the last year, pulled towards a day of outage per 30 days of running; the distribution
//! of the share of time up is found by following [`N_PATHS`] paths with fixed draws. It needs no completed targets but for
//! the hazard, so it also serves where history is too short to learn from.

use std::sync::OnceLock;

use allium_stats::SplitMix64;
use serde::{Deserialize, Serialize};

use super::{Column, Predictor};
use crate::distribution::{Distribution, rounded};
use crate::training::Training;

const N_PATHS: usize = 60;
const HORIZON_HOURS: f64 = 720.0;
const AGES_DAYS: [f64; 5] = [1.0, 7.0, 30.0, 120.0, 365.0];

/// Shares of relays that left, by age class, down and Running.
const RECORD: [f64; 12] = [0.84, 0.0091, 0.8787, 0.0015, 0.6897, 0.001, 0.4695, 0.0004, 0.3356, 0.0001, 0.2748, 0.0003];

/// Departure hazards by age class and by whether the relay is Running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renewal {
    hazards: Vec<f64>,
}

impl Renewal {
    /// Counts departures in these rows, starting from one in ten of twenty.
    pub fn train(training: &Training) -> Self {
        let mut counts = vec![(2.0, 20.0); (AGES_DAYS.len() + 1) * 2];
        for (row, target) in training.rows().zip(&training.targets) {
            let count = &mut counts[class(row)];
            *count = (count.0 + f64::from(u8::from(*target <= 0.0)), count.1 + 1.0);
        }
        Self { hazards: counts.into_iter().map(|(gone, n)| rounded(gone / n)).collect() }
    }

    /// The shares of the public network's relays that were never Running again within 30 days, by class, over the hourly lists of
    /// 2024-05 to 2025-06: what to go by where a history leaves out those that are gone.
    pub fn of_record() -> Self {
        Self { hazards: RECORD.to_vec() }
    }

    /// The probability that a relay is never Running again within the horizon.
    pub fn p_gone(&self, row: &[f32]) -> f64 {
        self.hazards.get(class(row)).copied().unwrap_or(0.1)
    }
}

fn class(row: &[f32]) -> usize {
    let age = Column::new("age_days").of(row);
    let is_running = Column::new("running").of(row) > 0.5;
    AGES_DAYS.iter().filter(|limit| age >= **limit).count() * 2 + usize::from(is_running)
}

impl Predictor for Renewal {
    fn predict(&self, row: &[f32]) -> Distribution {
        let downs = Column::new("downs_365d").of(row) + 1.0;
        let known_hours = (Column::new("age_days").of(row) * 24.0).clamp(1.0, 365.0 * 24.0);
        let up_hours = (Column::new("up_365d").of(row) * known_hours + 720.0) / downs;
        let mean_outage = Column::new("outage_mean_h").of(row).clamp(0.0, 720.0);
        let down_hours = (mean_outage * (downs - 1.0) + 24.0) / downs;
        let is_running = Column::new("running").of(row) > 0.5;
        let p_gone = self.p_gone(row);
        let n_gone = (p_gone * N_PATHS as f64).round() as usize;
        let path = |i: usize| if i < n_gone { 0.0 } else { followed(i, is_running, up_hours, down_hours) };
        let shares: Vec<f64> = (0..N_PATHS).map(path).collect();
        Distribution::of_sample(&shares).unwrap_or(Distribution::near([0.0; 15]))
    }
}

/// The share of the horizon that a path is up.
fn followed(path: usize, mut is_up: bool, up_hours: f64, down_hours: f64) -> f64 {
    let mut draws = draws(path).iter();
    let (mut at, mut up) = (0.0, 0.0);
    while at < HORIZON_HOURS {
        let Some(draw) = draws.next() else { break };
        let stay = (draw * if is_up { up_hours } else { down_hours }).min(HORIZON_HOURS - at);
        up += if is_up { stay } else { 0.0 };
        at += stay;
        is_up = !is_up;
    }
    if at < HORIZON_HOURS { up / at.max(1e-9) } else { up / HORIZON_HOURS }
}

/// Exponential draws with mean 1, the same for every relay.
fn draws(path: usize) -> &'static [f64] {
    const PER_PATH: usize = 64;
    static DRAWS: OnceLock<Vec<f64>> = OnceLock::new();
    let all = DRAWS.get_or_init(|| {
        let mut dice = SplitMix64::new(1);
        (0..N_PATHS * PER_PATH).map(|_| -(1.0 - dice.unit()).ln()).collect()
    });
    &all[path * PER_PATH..(path + 1) * PER_PATH]
}
