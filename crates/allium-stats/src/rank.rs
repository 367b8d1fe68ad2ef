//! Statistics on the order of values: Kendall's tau, and the Theil–Sen slope with Sen's confidence interval.
//!
//! Sen (1968), "Estimates of the Regression Coefficient Based on Kendall's Tau": the slope is the median of the slopes of all
//! pairs of points; the interval is cut from the sorted slopes at ranks that the variance of Kendall's statistic gives,
//! corrected for ties. It assumes independent errors: a series whose neighbours resemble each other has a wider true interval.
//!
//! All n(n − 1)/2 slopes need not exist to find three of them in sorted order. Their signs are counted first, on ranks: where
//! a wanted rank falls among the slopes that are exactly zero, as it does for a series that mostly stays at one value, the
//! answer is zero. Otherwise only slopes of the wanted sign are collected and selected from, in O(n²).

use crate::quantile::midpoint;

/// The standard normal quantile at 0.975, for intervals of 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// A Theil–Sen slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    /// Change of y per unit of x.
    pub slope: f64,
    /// Lower bound of the 95 % confidence interval.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Points it rests on.
    pub n: usize,
}

/// The Theil–Sen slope of `y` over `x` with Sen's 95 % confidence interval.
///
/// Needs 2 points, and about 10 for the interval to mean what it says. `x` must rise strictly: leave gaps out of both slices.
/// `None` for slices of different lengths.
pub fn theil_sen(x: &[f64], y: &[f64]) -> Option<TheilSen> {
    theil_sen_with(x, y, &mut Vec::new())
}

/// [`theil_sen`] with a buffer that many calls can share; what it holds before does not matter.
pub fn theil_sen_with(x: &[f64], y: &[f64], buffer: &mut Vec<f64>) -> Option<TheilSen> {
    let is_usable = x.len() == y.len() && x.len() >= 2 && x.windows(2).all(|pair| pair[0] < pair[1]) && all_finite(x) && all_finite(y);
    if !is_usable {
        return None;
    }
    if y.iter().all(|value| *value == y[0]) {
        return Some(TheilSen { slope: 0.0, low: 0.0, high: 0.0, n: y.len() });
    }
    let ranks = Ranks::new(y);
    let signs = ranks.signs();
    let (low_place, high_place) = sen_places(&signs, ranks.tie_sum);
    let last = signs.n_pairs() - 1;
    let wanted = [low_place, last / 2, last.div_ceil(2), high_place];
    let [low, lower_middle, upper_middle, high] = slopes_at(x, y, &signs, wanted, buffer);
    let estimate = TheilSen { slope: midpoint(lower_middle, upper_middle), low, high, n: y.len() };
    all_finite(&[estimate.slope, low, high]).then_some(estimate)
}

/// Kendall's tau-b: the correlation of two rankings, corrected for ties, from −1 to 1.
///
/// Needs 2 points. `None` for slices of different lengths and where either side is constant. O(n²).
pub fn kendall_tau(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || !all_finite(x) || !all_finite(y) {
        return None;
    }
    let (mut agreement, mut x_untied, mut y_untied) = (0i64, 0i64, 0i64);
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
            agreement += dx * dy;
            x_untied += dx.abs();
            y_untied += dy.abs();
        }
    }
    let scale = (x_untied as f64).sqrt() * (y_untied as f64).sqrt();
    (scale > 0.0).then(|| (agreement as f64 / scale).clamp(-1.0, 1.0))
}

fn sign(from: f64, to: f64) -> i64 {
    i64::from(to > from) - i64::from(to < from)
}

fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// Values replaced by their rank among the distinct values.
struct Ranks {
    ranks: Vec<u32>,
    /// Σ t(t − 1)(2t + 5) over groups of t equal values.
    tie_sum: f64,
}

impl Ranks {
    fn new(values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_unstable_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
        let mut ranks = vec![0; values.len()];
        let mut tie_sum = 0.0;
        // −0.0 sorts before 0.0 but equals it, so groups are cut by equality.
        for (rank, group) in order.chunk_by(|a, b| values[*a as usize] == values[*b as usize]).enumerate() {
            let t = group.len() as f64;
            tie_sum += t * (t - 1.0) * (2.0 * t + 5.0);
            group.iter().for_each(|i| ranks[*i as usize] = rank as u32);
        }
        Self { ranks, tie_sum }
    }

    /// Counts pairs by the sign of their slope. Comparing small integers lets the compiler do several at once.
    fn signs(&self) -> Signs {
        let (mut falling, mut rising) = (0usize, 0usize);
        for (i, from) in self.ranks.iter().enumerate() {
            let rest = &self.ranks[i + 1..];
            let (fall, rise) = rest.iter().fold((0u32, 0u32), |(f, r), to| (f + u32::from(to < from), r + u32::from(to > from)));
            falling += fall as usize;
            rising += rise as usize;
        }
        Signs { n: self.ranks.len(), falling, rising }
    }
}

/// Numbers of the pairwise slopes that are negative and positive.
struct Signs {
    n: usize,
    falling: usize,
    rising: usize,
}

impl Signs {
    fn n_pairs(&self) -> usize {
        self.n * (self.n - 1) / 2
    }

    fn level(&self) -> usize {
        self.n_pairs() - self.falling - self.rising
    }
}

/// The ranks of the interval's bounds among the sorted slopes, as SciPy's `theilslopes` rounds them.
fn sen_places(signs: &Signs, tie_sum: f64) -> (usize, usize) {
    let (n, pairs) = (signs.n as f64, signs.n_pairs() as f64);
    let sigma = ((n * (n - 1.0) * (2.0 * n + 5.0) - tie_sum) / 18.0).max(0.0).sqrt();
    let low = ((pairs - Z_95 * sigma) / 2.0).round_ties_even() - 1.0;
    let high = ((pairs + Z_95 * sigma) / 2.0).round_ties_even();
    // Casting to usize cuts at zero.
    (low as usize, (high as usize).min(signs.n_pairs() - 1))
}

/// The slopes at these ranks, which must not fall, of the sorted list of all pairwise slopes.
fn slopes_at(x: &[f64], y: &[f64], signs: &Signs, wanted: [usize; 4], buffer: &mut Vec<f64>) -> [f64; 4] {
    let level_end = signs.falling + signs.level();
    let mut found = [0.0; 4];
    let (n_falling, n_until_level) = (wanted.partition_point(|p| *p < signs.falling), wanted.partition_point(|p| *p < level_end));
    if n_falling > 0 {
        collect_slopes(x, y, |from, to| to < from, buffer);
        select(buffer, 0, &wanted[..n_falling], &mut found[..n_falling]);
    }
    if n_until_level < wanted.len() {
        collect_slopes(x, y, |from, to| to > from, buffer);
        select(buffer, level_end, &wanted[n_until_level..], &mut found[n_until_level..]);
    }
    found
}

fn collect_slopes(x: &[f64], y: &[f64], wants: impl Fn(f64, f64) -> bool, buffer: &mut Vec<f64>) {
    buffer.clear();
    for i in 0..x.len() {
        let rest = x[i + 1..].iter().zip(&y[i + 1..]);
        buffer.extend(rest.filter(|(_, to)| wants(y[i], **to)).map(|(at, to)| (to - y[i]) / (at - x[i])));
    }
}

/// Finds the values at ranks that do not fall, counted from `offset`: the middle one first, the others on either side of it.
fn select(values: &mut [f64], offset: usize, ranks: &[usize], found: &mut [f64]) {
    let Some(&rank) = ranks.get(ranks.len() / 2) else { return };
    let (start, end) = (ranks.partition_point(|p| *p < rank), ranks.partition_point(|p| *p <= rank));
    let (below, value, above) = values.select_nth_unstable_by(rank - offset, f64::total_cmp);
    found[start..end].fill(*value);
    select(below, offset, &ranks[..start], &mut found[..start]);
    select(above, rank + 1, &ranks[end..], &mut found[end..]);
}
