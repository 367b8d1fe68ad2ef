//! Known answers from SciPy (`known/make_counts.py`) and edges.

use allium_stats::{count_interval, ln_choose, ln_count_tail, ln_gamma};

/// Count, mean, dispersion, natural logarithm of the tail.
const TAILS: [(u64, f64, f64, f64); 6] = [
    (1, 0.5, 1.0, -0.932752129567),
    (8, 0.02, 1.3, -16.1335848845),
    (20, 3.0, 1.3, -15.4339112143),
    (30, 25.0, 2.0, -1.3930824777),
    (3, 10.0, 1.0, -0.00277323758657),
    (150, 30.0, 1.5, -66.9138472163),
];

#[track_caller]
fn assert_near(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)), "{found:?} is not {expected}");
}

#[test]
fn tails_are_those_of_scipy() {
    for (n, mean, dispersion, expected) in TAILS {
        assert_near(ln_count_tail(n, mean, dispersion), expected);
    }
}

#[test]
fn logarithms_of_the_gamma_function_and_of_choices_are_those_of_scipy() {
    assert_near(ln_gamma(0.3), 1.0957979948180756);
    assert_near(ln_gamma(123.4), 469.3360974421906);
    assert_near(ln_choose(9000, 120), 633.9883267113764);
    assert_eq!((ln_choose(5, 0), ln_choose(5, 5), ln_choose(5, 6), ln_gamma(0.0)), (Some(0.0), Some(0.0), None, None));
}

#[test]
fn intervals_of_counts_are_near_the_exact_ones() {
    // chi2.ppf(0.025, 2 n) / 2 and chi2.ppf(0.975, 2 n + 2) / 2 of SciPy.
    for (n, low, high) in [(0, 0.0, 3.6889), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.3640, 121.6273)] {
        let (found_low, found_high) = count_interval(n);
        assert!(
            (found_low - low).abs() <= 0.02 * low.max(1.0) && (found_high - high).abs() <= 0.01 * high,
            "{n}: {found_low} {found_high}"
        );
    }
}

#[test]
fn what_cannot_be_is_no_number() {
    assert_eq!(ln_count_tail(0, 0.0, 1.0), Some(0.0));
    assert_eq!(ln_count_tail(1, 0.0, 1.0), Some(f64::NEG_INFINITY));
    for (mean, dispersion) in [(-1.0, 1.0), (f64::NAN, 1.0), (1.0, 0.5), (1.0, f64::INFINITY)] {
        assert_eq!(ln_count_tail(1, mean, dispersion), None);
    }
}
