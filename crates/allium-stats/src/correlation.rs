//! Correlation of two samples.

use crate::moments::mean;

/// Pearson's correlation coefficient, −1 to 1. Needs 2 points.
///
/// `None` for slices of different lengths and where either side is constant.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 {
        return None;
    }
    let (x_mean, y_mean) = (mean(x)?, mean(y)?);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (dx, dy) = (a - x_mean, b - y_mean);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    let scale = xx.sqrt() * yy.sqrt();
    (scale > 0.0).then(|| xy / scale).filter(|r| r.is_finite()).map(|r| r.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, −1 to 1: Pearson's coefficient of the ranks, equal values sharing the mean of their ranks.
///
/// Needs 2 points. `None` for slices of different lengths and where either side is constant. O(n log n).
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.iter().chain(y).any(|value| !value.is_finite()) {
        return None;
    }
    pearson(&shared_ranks(x), &shared_ranks(y))
}

/// The rank of each value, from 1; equal values share the mean of the ranks that they take up.
fn shared_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut taken = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let shared = taken as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|i| ranks[*i] = shared);
        taken += group.len();
    }
    ranks
}
