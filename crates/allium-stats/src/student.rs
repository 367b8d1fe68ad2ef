//! Student's t distribution, for intervals and tests of means over few points.
//!
//! The distribution function is the regularised incomplete beta function, evaluated by Lentz's continued fraction (Press et al.,
//! "Numerical Recipes", 6.4) with the gamma function by Lanczos's sum; quantiles are found by bisection. Both are good to ten
//! digits for 1 to 10⁶ degrees of freedom.

/// The probability that |T| exceeds |t|: the two-sided p-value. Needs positive degrees of freedom; `None` for anything else.
///
/// ```
/// // R: 2 * pt(-2, 10)
/// assert!((allium_stats::student_p(2.0, 10.0).unwrap() - 0.073_388_03).abs() < 1e-8);
/// ```
pub fn student_p(t: f64, degrees_of_freedom: f64) -> Option<f64> {
    if t.is_nan() || !degrees_of_freedom.is_finite() || degrees_of_freedom <= 0.0 {
        return None;
    }
    if t.is_infinite() {
        return Some(0.0);
    }
    let x = degrees_of_freedom / (degrees_of_freedom + t * t);
    Some(incomplete_beta(degrees_of_freedom / 2.0, 0.5, x).clamp(0.0, 1.0))
}

/// The number that |T| exceeds with probability `p`, such as 0.05 for an interval of 95 %.
///
/// Needs positive degrees of freedom and 0 < p < 1; `None` for anything else.
pub fn student_critical(p: f64, degrees_of_freedom: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while student_p(high, degrees_of_freedom)? > p && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if student_p(middle, degrees_of_freedom)? > p { low = middle } else { high = middle }
    }
    Some(f64::midpoint(low, high))
}

/// The regularised incomplete beta function.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on one side of the mean; the other follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(a, b, x) / a } else { 1.0 - front * fraction(b, a, 1.0 - x) / b }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut found = d;
    for m in 1..=500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = found;
        for step in [even, odd] {
            d = 1.0 / kept(1.0 + step * d);
            c = kept(1.0 + step / c);
            found *= c * d;
        }
        if (found - before).abs() < 1e-15 * found.abs() {
            break;
        }
    }
    found
}

/// Lanczos's approximation of the logarithm of the gamma function, for positive numbers.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let reflected = (std::f64::consts::PI * x).sin().abs();
        return (std::f64::consts::PI / reflected).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = TERMS.iter().enumerate().fold(0.999_999_999_999_809_9, |sum, (i, term)| sum + term / (x + i as f64 + 1.0));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_critical_values_are_those_of_tables() {
        // R 4.3: 2 * pt(-t, df)
        for (t, df, p) in
            [(12.706_204_736, 1.0, 0.05), (4.302_652_730, 2.0, 0.05), (2.0, 10.0, 0.073_388_034_77), (3.0, 200.0, 0.003_043_1)]
        {
            assert!((student_p(t, df).unwrap() - p).abs() < 1e-6, "{t} {df}: {:?}", student_p(t, df));
        }
        // R 4.3: qt(0.975, df)
        for (df, t) in [(1.0, 12.706_204_736), (3.0, 3.182_446_305), (30.0, 2.042_272_456), (1e6, 1.959_966_357)] {
            assert!((student_critical(0.05, df).unwrap() - t).abs() < 1e-6 * t, "{df}: {:?}", student_critical(0.05, df));
        }
    }

    #[test]
    fn what_has_no_answer_has_none() {
        assert_eq!(student_p(f64::NAN, 3.0), None);
        assert_eq!(student_p(1.0, 0.0), None);
        assert_eq!(student_critical(1.0, 3.0), None);
        assert_eq!(student_critical(0.05, -1.0), None);
        assert_eq!(student_p(f64::INFINITY, 3.0), Some(0.0));
    }
}
