//! Quantiles and what is built from medians.
//!
//! Hyndman, Fan (1996), "Sample Quantiles in Statistical Packages", definition 7, the default of R and NumPy: with the values
//! sorted as x₀ … xₙ₋₁ and h = (n − 1)p, the quantile is x₍⌊h⌋₎ + (h − ⌊h⌋)(x₍⌊h⌋₊₁₎ − x₍⌊h⌋₎).

/// The quantile at level `p`, 0 to 1. Needs 1 point; `None` for a level outside 0..=1.
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    quantiles(values, [p]).map(|[q]| q)
}

/// Several quantiles of the same values, sorting once. Needs 1 point; `None` if a level lies outside 0..=1.
pub fn quantiles<const N: usize>(values: &[f64], levels: [f64; N]) -> Option<[f64; N]> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantiles_of_sorted(&sorted, levels)
}

/// Several quantiles of values that are sorted already, smallest first. Needs 1 point; `None` if a level lies outside 0..=1.
///
/// The order is not checked: unsorted values give a number that is no quantile.
pub fn quantiles_of_sorted<const N: usize>(sorted: &[f64], levels: [f64; N]) -> Option<[f64; N]> {
    let levels_fit = levels.iter().all(|p| (0.0..=1.0).contains(p));
    // Sorted in total order, anything that is not finite stands at the ends.
    let values_fit = sorted.first().is_some_and(|x| x.is_finite()) && sorted.last().is_some_and(|x| x.is_finite());
    (levels_fit && values_fit).then(|| levels.map(|p| interpolate(sorted, p)))
}

/// The median: the quantile at 0.5. Needs 1 point.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut scratch = values.to_vec();
    median_in_place(&mut scratch)
}

/// Median absolute deviation from the median, unscaled (not multiplied by 1.4826). Needs 1 point.
pub fn mad(values: &[f64]) -> Option<f64> {
    let mut scratch = values.to_vec();
    let centre = median_in_place(&mut scratch)?;
    scratch.iter_mut().for_each(|x| *x = (*x - centre).abs());
    median_in_place(&mut scratch)
}

/// The median by selection instead of sorting; leaves the values in another order.
pub(crate) fn median_in_place(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    Some(if is_odd { upper } else { midpoint(lower, upper) })
}

/// Half-way between two numbers; exact where they are equal and safe from overflow.
pub(crate) fn midpoint(low: f64, high: f64) -> f64 {
    if low == high { low } else { low / 2.0 + high / 2.0 }
}

fn interpolate(sorted: &[f64], p: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * p;
    let low = position.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    let share = position - position.floor();
    if sorted[low] == sorted[high] { sorted[low] } else { sorted[low] * (1.0 - share) + sorted[high] * share }
}
