//! Tails of sums of jumps: how surprising is so much of something, where each event brings its own amount?

/// Steps of Newton's method at most.
const STEPS: usize = 100;
/// Largest exponent that is tried.
const MAX_EXPONENT: f64 = 200.0;

/// The natural logarithm of P(X ≥ `x`) for `X = Σ wⱼ Nⱼ`, with independent Poisson counts `Nⱼ`.
///
/// `jumps` holds the mean of each count and the size `wⱼ` of its jumps, neither negative. The saddlepoint approximation of Lugannani
/// and Rice (1980) for continuous sums: within a few percent of the tail where jumps have many sizes; for counts (a single size)
/// it lies between P(X ≥ x) and P(X > x). At or below the mean the answer is 0, as if the probability were 1. `None` for jumps that
/// are negative or not finite, and where no jump is possible.
pub fn ln_compound_tail(jumps: &[(f64, f64)], x: f64) -> Option<f64> {
    let is_sound = |(mean, size): &(f64, f64)| mean.is_finite() && size.is_finite() && *mean >= 0.0 && *size >= 0.0;
    if !x.is_finite() || !jumps.iter().all(is_sound) {
        return None;
    }
    let largest = jumps.iter().filter(|(mean, _)| *mean > 0.0).map(|(_, size)| *size).fold(0.0, f64::max);
    if largest == 0.0 {
        return None;
    }
    if x <= jumps.iter().map(|(mean, size)| mean * size).sum() {
        return Some(0.0);
    }
    let tilt = tilt(jumps, x, MAX_EXPONENT / largest);
    let cumulant: f64 = jumps.iter().map(|(mean, size)| mean * (tilt * size).exp_m1()).sum();
    let variance: f64 = jumps.iter().map(|(mean, size)| mean * size * size * (tilt * size).exp()).sum();
    let distance = (2.0 * (tilt * x - cumulant)).max(0.0).sqrt();
    let spread = tilt * variance.sqrt();
    if distance < 1e-3 || spread < 1e-3 {
        return Some(0.5f64.ln());
    }
    let factor = (mills(distance) + 1.0 / spread - 1.0 / distance).max(f64::MIN_POSITIVE);
    Some((factor.ln() - 0.5 * distance * distance - 0.5 * (2.0 * std::f64::consts::PI).ln()).min(0.0))
}

/// The exponent by which probabilities are tilted so that the mean becomes `x`. The logarithm of the tilted mean is increasing and
/// convex in it, and nearly straight: Newton's method meets the root from above within a few steps.
fn tilt(jumps: &[(f64, f64)], x: f64, most: f64) -> f64 {
    let mut tilt: f64 = 0.0;
    for _ in 0..STEPS {
        let (mut mean, mut slope) = (0.0, 0.0);
        for (count, size) in jumps {
            let term = count * size * (tilt * size).exp();
            mean += term;
            slope += term * size;
        }
        let next = (tilt + (x / mean).ln() * mean / slope).clamp(0.0, most);
        if (next - tilt).abs() <= 1e-10 * next {
            return next;
        }
        tilt = next;
    }
    tilt
}

/// The upper tail of the standard normal distribution over its density.
fn mills(x: f64) -> f64 {
    if x > 2.0 {
        return 1.0 / (1..=80).rev().fold(x, |below, k| x + f64::from(k) / below);
    }
    let (mut term, mut sum, mut k) = (x, x, 1.0);
    while term > sum * 1e-17 {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    (std::f64::consts::PI / 2.0).sqrt() * (0.5 * x * x).exp() - sum
}
