//! Known answers from Panjer's recursion (`known/make_compound.py`) and edges.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_stats::ln_compound_tail;

/// Half of the smallest step of the sums: their approximation is continuous.
const HALF: f64 = 0.5;

#[track_caller]
fn check(jumps: &[(f64, f64)], expected: &[(f64, f64)]) {
    for (x, expected) in expected {
        let found = ln_compound_tail(jumps, x - HALF);
        assert!(found.is_some_and(|found| (found - expected).abs() <= 0.06), "{x}: {found:?} is not {expected}");
    }
}

#[test]
fn tails_are_near_the_exact_ones() {
    check(
        &[(3.0, 70.0), (1.5, 131.0), (0.4, 293.0)],
        &[(700.0, -1.441276), (1200.0, -4.069495), (2000.0, -9.832814), (4000.0, -29.348718)],
    );
    check(
        &[(20.0, 5.0), (6.0, 37.0), (2.0, 163.0), (1.0, 311.0), (0.5, 457.0)],
        &[(1500.0, -1.379334), (2500.0, -4.233838), (4000.0, -10.442267)],
    );
    let many: Vec<(f64, f64)> = (1..30).map(|k| (0.05 * f64::from(k), f64::from(11 * k + 3))).collect();
    check(&many, &[(6000.0, -2.038248), (8000.0, -5.759084), (10000.0, -11.217917)]);
}

#[test]
fn far_tails_go_on_falling() {
    let jumps = [(20.0, 0.05), (6.0, 0.4), (2.0, 1.6), (0.5, 4.6)];
    let tails: Vec<f64> = (1..200).map(|k| ln_compound_tail(&jumps, 10.0 * f64::from(k)).unwrap()).collect();
    assert!(tails.windows(2).all(|pair| pair[1] < pair[0]), "{tails:?}");
    assert!(tails[198] < -1000.0, "{}", tails[198]);
}

#[test]
fn what_cannot_be_is_no_number() {
    assert_eq!(ln_compound_tail(&[(2.0, 3.0)], 6.0), Some(0.0), "at the mean");
    for jumps in [&[(-1.0, 1.0)][..], &[(1.0, f64::NAN)], &[(1.0, 0.0), (0.0, 1.0)], &[]] {
        assert_eq!(ln_compound_tail(jumps, 1.0), None);
    }
    assert_eq!(ln_compound_tail(&[(1.0, 1.0)], f64::INFINITY), None);
}
