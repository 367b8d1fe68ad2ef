//! The distribution of a share between 0 and 1 that may well be exactly 0 or exactly 1.
//!
//! Three of five relays run without a gap for a month, and one in fifty never comes back: a smooth curve misses both. So a
//! distribution is the probability of at most each of a few limits; between two limits it is spread evenly. What lies at the
//! first limit is the mass at 0, what lies above the last one the mass at 1.

use serde::{Deserialize, Serialize};

use crate::trees::N_OUTPUTS;

/// The limits whose probabilities the models give, ascending. The last one stands for "less than 1".
pub const LIMITS: [f64; N_OUTPUTS] = [0.0, 0.03, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.9985, 0.999_99];

/// The levels of the quantiles by which forecasts are scored: 0.05, 0.10 … 0.95.
pub const LEVELS: [f64; 19] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// The index of 0.9 in [`LIMITS`].
const NINETY: usize = 8;

/// A distribution of a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Probability of at most each limit; ascending, 0 to 1.
    at_most: [f64; N_OUTPUTS],
}

impl Distribution {
    /// The distribution nearest to these probabilities of at most each of [`LIMITS`], which may be out of order or out of range.
    ///
    /// Order is restored by pooling adjacent violators (Ayer et al. 1955). What is not a number counts as 0.
    pub fn near(at_most: [f64; N_OUTPUTS]) -> Self {
        let mut pools: Vec<(f64, usize)> = Vec::with_capacity(N_OUTPUTS);
        for p in at_most {
            let mut pool = (if p.is_nan() { 0.0 } else { p.clamp(0.0, 1.0) }, 1);
            while let Some((mean, n)) = pools.pop_if(|(mean, _)| *mean > pool.0) {
                pool = ((mean * n as f64 + pool.0 * pool.1 as f64) / (n + pool.1) as f64, n + pool.1);
            }
            pools.push(pool);
        }
        let mut pooled = pools.iter().flat_map(|(mean, n)| std::iter::repeat_n(*mean, *n));
        Self { at_most: std::array::from_fn(|_| pooled.next().unwrap_or(1.0)) }
    }

    /// The share of these values that is at most each limit; `None` without values.
    pub fn of_sample(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        (n > 0.0).then(|| Self::near(LIMITS.map(|limit| values.iter().filter(|value| **value <= limit).count() as f64 / n).map(rounded)))
    }

    /// The same distribution if with probability `p` the share is 0 for another reason.
    pub(crate) fn or_zero(&self, p: f64) -> Self {
        Self::near(self.at_most.map(|at_most| p + (1.0 - p) * at_most))
    }

    /// The probability of at most each of [`LIMITS`].
    pub fn at_most(&self) -> &[f64; N_OUTPUTS] {
        &self.at_most
    }

    /// The probability of exactly 0.
    pub fn p_zero(&self) -> f64 {
        self.at_most[0]
    }

    /// The probability of exactly 1.
    pub fn p_one(&self) -> f64 {
        1.0 - self.at_most[N_OUTPUTS - 1]
    }

    /// The probability of less than 0.9.
    pub fn p_below_90(&self) -> f64 {
        self.at_most[NINETY]
    }

    /// The least share that is not exceeded with probability `level`.
    pub fn quantile(&self, level: f64) -> f64 {
        let k = self.at_most.partition_point(|p| *p < level);
        match k {
            0 => 0.0,
            N_OUTPUTS => 1.0,
            _ => {
                let (below, above) = (self.at_most[k - 1], self.at_most[k]);
                let share = if above > below { (level - below) / (above - below) } else { 1.0 };
                LIMITS[k - 1] + share * (limit_end(k) - LIMITS[k - 1])
            }
        }
    }

    /// The quantiles at [`LEVELS`].
    pub fn quantiles(&self) -> [f64; 19] {
        LEVELS.map(|level| self.quantile(level))
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        let inner = (1..N_OUTPUTS).map(|k| (self.at_most[k] - self.at_most[k - 1]) * f64::midpoint(LIMITS[k - 1], limit_end(k)));
        (inner.sum::<f64>() + self.p_one()).clamp(0.0, 1.0)
    }

    /// The probability of less than `value` and of at most `value`: equal but at 0 and 1, where mass lies.
    pub fn ranks(&self, value: f64) -> (f64, f64) {
        if value <= 0.0 {
            return (0.0, self.p_zero());
        }
        if value >= LIMITS[N_OUTPUTS - 1] {
            return (self.at_most[N_OUTPUTS - 1], 1.0);
        }
        let k = LIMITS.partition_point(|limit| *limit < value);
        let share = (value - LIMITS[k - 1]) / (limit_end(k) - LIMITS[k - 1]);
        let rank = self.at_most[k - 1] + share.min(1.0) * (self.at_most[k] - self.at_most[k - 1]);
        (rank, rank)
    }
}

/// The end of the stretch below a limit; the last one ends at 1, to which nothing but 1 itself is nearer.
fn limit_end(k: usize) -> f64 {
    if k == N_OUTPUTS - 1 { 1.0 } else { LIMITS[k] }
}

/// Nine decimals: such a number comes back exactly from a file.
pub(crate) fn rounded(x: f64) -> f64 {
    (x * 1e9).round() / 1e9
}
