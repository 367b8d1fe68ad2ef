//! Known answers of the scores; `scores.py` works them out another way.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_forecast::scores::{auc, brier, calibration_error, covered_share, crps, pit_histogram, reliability};
use allium_forecast::{Distribution, LEVELS};

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} {b}");
}

#[test]
fn crps_of_quantiles() {
    near(crps(&LEVELS, 0.5), KNOWN[0]);
    near(crps(&LEVELS, 1.0), KNOWN[1]);
    near(crps(&[0.8; 19], 0.3), KNOWN[2]);
    near(crps(&LEVELS.map(|level| level * level), 0.0), KNOWN[3]);
}

#[test]
fn auc_counts_ties_half() {
    let forecasts = [(0.1, false), (0.4, false), (0.35, true), (0.8, true), (0.4, true), (0.4, false)];
    near(auc(&forecasts).unwrap(), KNOWN[4]);
    assert_eq!(auc(&[(0.5, true)]), None);
    near(brier(&forecasts).unwrap(), KNOWN[5]);
}

#[test]
fn calibration_is_the_distance_between_probability_and_frequency() {
    let forecasts = [(0.05, false), (0.08, true), (0.55, true), (0.52, false), (0.51, true), (1.0, true)];
    let bins = reliability(&forecasts);
    assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [2, 3, 1]);
    near(calibration_error(&bins).unwrap(), KNOWN[6]);
}

#[test]
fn a_truth_at_a_mass_is_spread_over_its_ranks() {
    // Half of the mass at 1, the rest spread evenly over the stretch that ends at 0.9.
    let mut at_most = [0.0; 15];
    at_most[8..].fill(0.5);
    let distribution = Distribution::near(at_most);
    let histogram = pit_histogram(&[(distribution, 1.0)]);
    near(histogram[..10].iter().sum(), 0.0);
    near(histogram[10], 0.1);
    near(covered_share(&distribution, 1.0, 0.8), 0.8);
    near(covered_share(&distribution, 0.85, 0.8), 1.0);
    near(covered_share(&distribution, 0.81, 0.8), 0.0);
}

/// What `scores.py` prints with NumPy 2.4.6.
const KNOWN: [f64; 7] = [0.08684210526315789, 0.35, 0.5, 0.17500000000000002, 0.6666666666666666, 0.19208333333333336, 0.21499999999999994];
