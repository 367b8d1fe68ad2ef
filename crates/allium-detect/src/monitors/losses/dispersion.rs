//! The variation of the count of losses in the whole network, by which its expectation is calibrated.

use std::collections::VecDeque;

use allium_stats::median;
use serde::{Deserialize, Serialize};

/// Lists from which the calibration and the dispersion are measured.
const LISTS: usize = 96;
/// The median of the square of a standard normal variable.
const MEDIAN_OF_CHI_SQUARE: f64 = 0.4549;

/// Seen losses against expected ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::monitors) struct LossDispersion {
    expected_per_hour: f64,
    /// Departures in the last lists: seen, and expected by the relays' own hazards.
    recent: VecDeque<(f64, f64)>,
    calibration: f64,
    dispersion: f64,
}

impl Default for LossDispersion {
    fn default() -> Self {
        Self { expected_per_hour: 0.0, recent: VecDeque::new(), calibration: 1.0, dispersion: 2.0 }
    }
}

impl LossDispersion {
    /// Departures that are expected per hour.
    pub(in crate::monitors) fn expected_per_hour(&self) -> f64 {
        self.expected_per_hour
    }

    /// The factor on the relays' own hazards with which their sum meets what is seen: a median.
    pub(super) fn calibration(&self) -> f64 {
        self.calibration
    }

    /// Variance of the count over its mean, by the median of squared deviations.
    pub(in crate::monitors) fn dispersion(&self) -> f64 {
        self.dispersion
    }

    /// Learns from a list: losses that belong to no case, those expected with the calibration so far, and hours since the list before.
    pub(super) fn learn(&mut self, n_lost: usize, expected: f64, elapsed: f64) {
        self.recent.push_back((n_lost as f64, expected / self.calibration));
        if self.recent.len() > LISTS {
            self.recent.pop_front();
        }
        let ratios: Vec<f64> = self.recent.iter().map(|(n, expected)| n / expected.max(1e-3)).collect();
        let calibration = median(&ratios).unwrap_or(1.0).clamp(0.25, 2.0);
        let surprise = |(n, expected): &(f64, f64)| (n - calibration * expected).powi(2) / (calibration * expected).max(1.0);
        let surprises: Vec<f64> = self.recent.iter().map(surprise).collect();
        self.dispersion = (median(&surprises).unwrap_or(1.0) / MEDIAN_OF_CHI_SQUARE).clamp(1.2, 4.0);
        self.calibration = calibration;
        self.expected_per_hour = expected / elapsed;
    }
}
