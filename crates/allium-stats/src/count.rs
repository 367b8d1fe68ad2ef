//! Tails of counts: how surprising is it to see this many events where so many are expected?

/// The natural logarithm of the gamma function, for `x > 0`; `None` otherwise.
///
/// Stirling's series after shifting `x` above 10 (Abramowitz and Stegun 6.1.41); relative error below 1e-12.
pub fn ln_gamma(x: f64) -> Option<f64> {
    (x > 0.0 && x.is_finite()).then(|| ln_gamma_of_positive(x))
}

fn ln_gamma_of_positive(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

/// The natural logarithm of the number of ways to choose `k` of `n`; `None` if `k > n`.
pub fn ln_choose(n: u64, k: u64) -> Option<f64> {
    let ln_factorial = |m: u64| ln_gamma_of_positive(m as f64 + 1.0);
    (k <= n).then(|| if k == 0 || k == n { 0.0 } else { ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k) })
}

/// The natural logarithm of P(X ≥ `n`) for a count with this mean and variance `mean × dispersion`.
///
/// With `dispersion` 1 the count is Poisson, above 1 negative binomial (a Poisson whose rate varies as a gamma). A mean of 0
/// allows no event at all: the answer is 0 for `n = 0` and minus infinity else. `None` for a negative or infinite mean and a
/// dispersion below 1.
pub fn ln_count_tail(n: u64, mean: f64, dispersion: f64) -> Option<f64> {
    if !mean.is_finite() || mean < 0.0 || !dispersion.is_finite() || dispersion < 1.0 {
        return None;
    }
    if n == 0 {
        return Some(0.0);
    }
    if mean == 0.0 {
        return Some(f64::NEG_INFINITY);
    }
    let count = Count::new(mean, dispersion);
    Some(if n as f64 > mean { count.ln_upper(n) } else { count.ln_of_the_rest(n) })
}

/// The 95 % confidence interval of the mean of a Poisson count of which `n` was seen: Byar's approximation of the exact one, within
/// 1 % of it but for the lower end below 3.
pub fn count_interval(n: u64) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    let end = |n: f64, z: f64| if n == 0.0 { 0.0 } else { n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3) };
    (end(n as f64, -Z).max(0.0), end(n as f64 + 1.0, Z))
}

/// A negative binomial count, or its Poisson limit.
struct Count {
    mean: f64,
    /// `(size, 1 - success probability)` where it is not Poisson.
    spread: Option<(f64, f64)>,
}

impl Count {
    fn new(mean: f64, dispersion: f64) -> Self {
        let is_spread = dispersion > 1.0 + 1e-9;
        Self { mean, spread: is_spread.then(|| (mean / (dispersion - 1.0), 1.0 - 1.0 / dispersion)) }
    }

    fn ln_probability(&self, k: u64) -> f64 {
        let k = k as f64;
        let ln_factorial = ln_gamma_of_positive(k + 1.0);
        match self.spread {
            None => k * self.mean.ln() - self.mean - ln_factorial,
            Some((size, q)) => {
                ln_gamma_of_positive(k + size) - ln_gamma_of_positive(size) - ln_factorial + size * (1.0 - q).ln() + k * q.ln()
            }
        }
    }

    /// P(k + 1) / P(k).
    fn ratio(&self, k: u64) -> f64 {
        match self.spread {
            None => self.mean / (k + 1) as f64,
            Some((size, q)) => q * (k as f64 + size) / (k + 1) as f64,
        }
    }

    /// Sums upwards from `n`, above the mean, where terms fall.
    fn ln_upper(&self, n: u64) -> f64 {
        let (mut sum, mut term, mut k) = (1.0, 1.0, n);
        while term > sum * 1e-16 {
            term *= self.ratio(k);
            sum += term;
            k += 1;
        }
        self.ln_probability(n) + f64::ln(sum)
    }

    /// One minus the sum below `n`, at or below the mean.
    fn ln_of_the_rest(&self, n: u64) -> f64 {
        let (mut sum, mut term) = (1.0, 1.0);
        for k in (0..n - 1).rev() {
            term /= self.ratio(k);
            sum += term;
        }
        let below = (self.ln_probability(n - 1) + f64::ln(sum)).exp();
        (1.0 - below).max(f64::MIN_POSITIVE).ln()
    }
}
