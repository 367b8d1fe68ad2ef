//! The usual description of a sample in one go.

use crate::moments::{mean, std_dev};
use crate::quantile::quantiles_of_sorted;

/// Size, centre and spread of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation (n − 1); `None` for a single value.
    pub std_dev: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Quantile at 0.25 (R type 7).
    pub lower_quartile: f64,
    /// Median.
    pub median: f64,
    /// Quantile at 0.75 (R type 7).
    pub upper_quartile: f64,
    /// Largest value.
    pub max: f64,
}

/// Describes a sample. Needs 1 point.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let [min, lower_quartile, median, upper_quartile, max] = quantiles_of_sorted(&sorted, [0.0, 0.25, 0.5, 0.75, 1.0])?;
    // Summing in sorted order makes the figures independent of the order of the input to the last bit.
    Some(Summary { n: sorted.len(), mean: mean(&sorted)?, std_dev: std_dev(&sorted), min, lower_quartile, median, upper_quartile, max })
}
