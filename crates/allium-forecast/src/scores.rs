//! Scores of forecasts.

use serde::{Deserialize, Serialize};

use crate::distribution::{Distribution, LEVELS};

/// The continuous ranked probability score of quantiles at [`LEVELS`]: twice the mean pinball loss. 0 is perfect.
///
/// Gneiting, Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation"; Laio, Tamea (2007) for the sum over levels.
pub fn crps(quantiles: &[f64; 19], truth: f64) -> f64 {
    let loss = |(quantile, level): (&f64, &f64)| {
        let above = truth - quantile;
        if above >= 0.0 { above * level } else { above * (level - 1.0) }
    };
    2.0 * quantiles.iter().zip(&LEVELS).map(loss).sum::<f64>() / LEVELS.len() as f64
}

/// The area under the receiver operating characteristic: how often an event had a higher probability than a non-event, ties
/// counting half. `None` without events or without non-events.
pub fn auc(forecasts: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut n_below, mut wins) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let n_events = tied.iter().filter(|(_, event)| *event).count() as f64;
        let n_others = tied.len() as f64 - n_events;
        wins += n_events * (n_below + n_others / 2.0);
        n_below += n_others;
    }
    let n_events = sorted.len() as f64 - n_below;
    (n_events > 0.0 && n_below > 0.0).then(|| wins / (n_events * n_below))
}

/// The Brier score: the mean squared difference between probability and outcome. `None` without forecasts.
pub fn brier(forecasts: &[(f64, bool)]) -> Option<f64> {
    let squares: Vec<f64> = forecasts.iter().map(|(p, event)| (p - f64::from(u8::from(*event))).powi(2)).collect();
    allium_stats::mean(&squares)
}

/// A group of forecasts of about the same probability, and how often the event came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean probability.
    pub forecast: f64,
    /// Share of events.
    pub observed: f64,
    /// Forecasts.
    pub n: usize,
}

/// Forecasts in ten bins of equal width by probability; empty bins are left out.
pub fn reliability(forecasts: &[(f64, bool)]) -> Vec<ReliabilityBin> {
    let mut bins = [(0.0, 0usize, 0usize); 10];
    for (p, event) in forecasts {
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        *bin = (bin.0 + p, bin.1 + usize::from(*event), bin.2 + 1);
    }
    let full = bins.into_iter().filter(|(_, _, n)| *n > 0);
    full.map(|(sum, events, n)| ReliabilityBin { forecast: sum / n as f64, observed: events as f64 / n as f64, n }).collect()
}

/// The expected calibration error: mean distance between probability and share of events over the bins, by their size.
pub fn calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let n: usize = bins.iter().map(|bin| bin.n).sum();
    let sum: f64 = bins.iter().map(|bin| (bin.forecast - bin.observed).abs() * bin.n as f64).sum();
    (n > 0).then(|| sum / n as f64)
}

/// Twenty equal bins of the probability integral transform: shares of truths by their rank in their own forecast; 0.05 each if
/// forecasts are calibrated. A truth at a mass is spread evenly over the ranks that the mass covers (Czado, Gneiting, Held 2009).
pub fn pit_histogram(forecasts: &[(Distribution, f64)]) -> [f64; 20] {
    let mut bins = [0.0; 20];
    for (distribution, truth) in forecasts {
        let (low, high) = distribution.ranks(*truth);
        for (i, bin) in bins.iter_mut().enumerate() {
            let (from, to) = (i as f64 / 20.0, (i + 1) as f64 / 20.0);
            let is_inside = (from..to).contains(&low) || (i == 19 && low >= 1.0);
            *bin += if high > low { (to.min(high) - from.max(low)).max(0.0) / (high - low) } else { f64::from(u8::from(is_inside)) };
        }
    }
    let n = forecasts.len().max(1) as f64;
    bins.map(|bin| bin / n)
}

/// The share of the ranks of a truth that lie in the central interval of this probability: what an interval covers where
/// a truth at a mass counts as covered in part.
pub fn covered_share(distribution: &Distribution, truth: f64, central: f64) -> f64 {
    let (from, to) = ((1.0 - central) / 2.0, f64::midpoint(1.0, central));
    let (low, high) = distribution.ranks(truth);
    if high > low { (to.min(high) - from.max(low)).max(0.0) / (high - low) } else { f64::from(u8::from((from..=to).contains(&low))) }
}
