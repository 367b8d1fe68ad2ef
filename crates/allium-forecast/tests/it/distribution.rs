//! Distributions of shares, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_forecast::{Distribution, LEVELS, LIMITS};
use proptest::prelude::*;

#[test]
fn masses_at_zero_and_one_are_kept() {
    // A tenth never runs, a half runs without a gap.
    let sample: Vec<f64> = [0.0].into_iter().chain((0..4).map(|i| 0.9 + f64::from(i) * 0.02)).chain([1.0; 5]).collect();
    let distribution = Distribution::of_sample(&sample).unwrap();
    assert!((distribution.p_zero() - 0.1).abs() < 1e-12);
    assert!((distribution.p_one() - 0.5).abs() < 1e-12);
    assert_eq!((distribution.quantile(0.05), distribution.quantile(0.55)), (0.0, 1.0));
    assert_eq!(distribution.ranks(1.0), (distribution.at_most()[14], 1.0));
}

#[test]
fn what_is_no_number_is_no_surprise() {
    let distribution = Distribution::near([f64::NAN; 15]);
    assert_eq!((distribution.mean(), distribution.p_one()), (1.0, 1.0));
    assert_eq!(Distribution::of_sample(&[]), None);
}

proptest! {
    #[test]
    fn quantiles_ascend_and_stay_shares(at_most in prop::array::uniform15(-0.5f64..1.5)) {
        let distribution = Distribution::near(at_most);
        let quantiles = distribution.quantiles();
        prop_assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{quantiles:?}");
        prop_assert!(quantiles.iter().chain([&distribution.mean()]).all(|share| (0.0..=1.0).contains(share)));
        prop_assert!(quantiles[0] <= distribution.mean() + 0.95);
    }

    #[test]
    fn ranks_undo_quantiles(at_most in prop::array::uniform15(0.0f64..1.0)) {
        let distribution = Distribution::near(at_most);
        for level in LEVELS {
            let quantile = distribution.quantile(level);
            let (below, upto) = distribution.ranks(quantile);
            // Nothing but 1 is told apart from 1 above the last limit.
            prop_assert!(below <= level + 1e-9 && upto >= level - 1e-9 || quantile >= LIMITS[14], "{level} {quantile} {below} {upto}");
        }
    }

    #[test]
    fn order_is_restored_and_order_is_kept(mut at_most in prop::array::uniform15(0.0f64..1.0)) {
        at_most.sort_by(f64::total_cmp);
        prop_assert_eq!(*Distribution::near(at_most).at_most(), at_most);
    }
}
