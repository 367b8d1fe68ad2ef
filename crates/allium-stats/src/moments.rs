//! Means and variances.
//!
//! Plain sums in double precision. Variance is computed in two passes around the mean, which keeps its digits where all
//! values lie close together.

/// Arithmetic mean. Needs 1 point.
pub fn mean(values: &[f64]) -> Option<f64> {
    finite(values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean of `values`, each counted by its weight: Σ wᵢxᵢ / Σ wᵢ.
///
/// Needs one positive weight. `None` for slices of different lengths and for negative weights.
pub fn weighted_mean(values: &[f64], weights: &[f64]) -> Option<f64> {
    if values.len() != weights.len() || weights.iter().any(|w| *w < 0.0) {
        return None;
    }
    let weighted: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
    finite(weighted / weights.iter().sum::<f64>())
}

/// Sample variance: Σ (xᵢ − mean)² / (n − 1). Needs 2 points.
pub fn variance(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|x| (x - centre) * (x - centre)).sum();
    finite(squares / (values.len() as f64 - 1.0))
}

/// Sample standard deviation: the square root of [`variance`]. Needs 2 points.
pub fn std_dev(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
