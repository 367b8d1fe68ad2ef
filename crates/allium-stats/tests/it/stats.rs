//! Known answers from SciPy and NumPy (`known/make_known.py`), and properties.

use allium_stats::{
    kendall_tau, mad, mean, median, quantile, quantiles, quantiles_of_sorted, std_dev, summary, theil_sen, theil_sen_with, variance,
    weighted_mean,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;

/// Relative to the larger of the two numbers and 1.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    weights: Vec<f64>,
    mean: f64,
    weighted_mean: f64,
    variance: f64,
    levels: [f64; 7],
    quantiles: [f64; 7],
    mad: f64,
    tau: f64,
    slope: f64,
    low: f64,
    high: f64,
}

#[track_caller]
fn assert_near(found: Option<f64>, expected: f64, what: &str) {
    let found = found.unwrap_or_else(|| panic!("{what}: nothing found"));
    assert!((found - expected).abs() <= TOLERANCE * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}

#[test]
fn answers_are_those_of_scipy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("known/known.json")).unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let what = |figure: &str| format!("{figure} of {}", case.name);
        assert_near(mean(&case.y), case.mean, &what("mean"));
        assert_near(weighted_mean(&case.y, &case.weights), case.weighted_mean, &what("weighted mean"));
        assert_near(variance(&case.y), case.variance, &what("variance"));
        for (found, expected) in quantiles(&case.y, case.levels).unwrap().into_iter().zip(case.quantiles) {
            assert_near(Some(found), expected, &what("quantile"));
        }
        assert_near(median(&case.y), case.quantiles[3], &what("median"));
        assert_near(mad(&case.y), case.mad, &what("MAD"));
        assert_near(kendall_tau(&case.x, &case.y), case.tau, &what("tau"));
        let trend = theil_sen(&case.x, &case.y).unwrap();
        assert_near(Some(trend.slope), case.slope, &what("slope"));
        assert_near(Some(trend.low), case.low, &what("lower bound"));
        assert_near(Some(trend.high), case.high, &what("upper bound"));
    }
}

#[test]
fn too_little_gives_nothing() {
    let nothing: [Option<f64>; 6] = [mean(&[]), median(&[]), mad(&[]), quantile(&[], 0.5), variance(&[1.0]), std_dev(&[1.0])];
    assert_eq!(nothing, [None; 6]);
    assert_eq!(summary(&[]), None);
    assert_eq!(theil_sen(&[0.0], &[1.0]), None);
    assert_eq!(kendall_tau(&[0.0], &[1.0]), None);
    assert_eq!(weighted_mean(&[1.0], &[0.0]), None);
    assert_eq!(quantiles_of_sorted(&[], [0.5]), None);
}

#[test]
fn what_makes_no_sense_gives_nothing() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let values = [0.5, odd, 0.25];
        assert_eq!([mean(&values), median(&values), mad(&values), variance(&values), quantile(&values, 0.5)], [None; 5]);
        assert_eq!(summary(&values), None);
        assert_eq!(theil_sen(&[0.0, 1.0, 2.0], &values), None);
        assert_eq!(theil_sen(&values, &[0.0, 1.0, 2.0]), None);
        assert_eq!(kendall_tau(&[0.0, 1.0, 2.0], &values), None);
    }
    assert_eq!(quantile(&[1.0], 1.5), None);
    assert_eq!(quantile(&[1.0], f64::NAN), None);
    assert_eq!(weighted_mean(&[1.0, 2.0], &[1.0]), None);
    assert_eq!(weighted_mean(&[1.0, 2.0], &[2.0, -1.0]), None);
    assert_eq!(theil_sen(&[0.0, 0.0], &[1.0, 2.0]), None, "times must rise");
    assert_eq!(theil_sen(&[0.0, 1.0], &[1.0]), None);
    assert_eq!(kendall_tau(&[0.0, 1.0], &[1.0, 1.0]), None, "a constant has no ranking");
}

#[test]
fn a_single_value_describes_itself() {
    let one = summary(&[0.25]).unwrap();
    assert_eq!((one.n, one.mean, one.min, one.median, one.max, one.std_dev), (1, 0.25, 0.25, 0.25, 0.25, None));
}

#[test]
fn a_line_has_its_slope_and_a_constant_has_none() {
    let days: Vec<f64> = (0..60).map(f64::from).collect();
    let line: Vec<f64> = days.iter().map(|day| 4.0 - 0.25 * day).collect();
    let trend = theil_sen(&days, &line).unwrap();
    assert_eq!((trend.slope, trend.low, trend.high, trend.n), (-0.25, -0.25, -0.25, 60));
    let flat = theil_sen(&days, &vec![0.7; 60]).unwrap();
    assert_eq!((flat.slope, flat.low, flat.high), (0.0, 0.0, 0.0));
}

/// The slope and interval by sorting all slopes, as the textbook says.
fn theil_sen_by_sorting(x: &[f64], y: &[f64]) -> [f64; 3] {
    let pairs = (0..x.len()).flat_map(|i| (i + 1..x.len()).map(move |j| (i, j)));
    let mut slopes: Vec<f64> = pairs.map(|(i, j)| (y[j] - y[i]) / (x[j] - x[i])).collect();
    slopes.sort_by(f64::total_cmp);
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|group| group.len() as f64).map(|t| t * (t - 1.0) * (2.0 * t + 5.0)).sum();
    let (n, pairs) = (y.len() as f64, slopes.len() as f64);
    let sigma = ((n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0).sqrt();
    let low = ((pairs - 1.959963984540054 * sigma) / 2.0).round_ties_even() - 1.0;
    let high = ((pairs + 1.959963984540054 * sigma) / 2.0).round_ties_even();
    [median(&slopes).expect("two points have a slope"), slopes[low.max(0.0) as usize], slopes[(high as usize).min(slopes.len() - 1)]]
}

/// Days with gaps and uptimes that are often tied, as relays have them.
fn points() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let value = prop_oneof![4 => Just(1.0), 1 => Just(0.0), 3 => (0u8..12).prop_map(|k| f64::from(k) / 12.0), 1 => -1e3..1e3];
    vec((1u8..5, value), 2..60).prop_map(|points| {
        let mut day = 0.0;
        let mut next_day = |step: u8| {
            day += f64::from(step);
            day
        };
        points.into_iter().map(|(step, y)| (next_day(step), y)).unzip()
    })
}

proptest! {
    #[test]
    fn short_cuts_change_no_slope((x, y) in points()) {
        let mut buffer = vec![f64::NAN; 7];
        let found = theil_sen_with(&x, &y, &mut buffer).unwrap();
        prop_assert_eq!(Some(found), theil_sen(&x, &y));
        let expected = theil_sen_by_sorting(&x, &y);
        for (found, expected) in [found.slope, found.low, found.high].into_iter().zip(expected) {
            prop_assert!((found - expected).abs() <= TOLERANCE * expected.abs().max(1.0), "{} is not {}", found, expected);
        }
        prop_assert!(found.low <= found.slope && found.slope <= found.high);
    }

    #[test]
    fn turning_the_values_over_turns_the_slope_over((x, y) in points()) {
        let negated: Vec<f64> = y.iter().map(|y| -y).collect();
        let (up, down) = (theil_sen(&x, &y).unwrap(), theil_sen(&x, &negated).unwrap());
        prop_assert!((up.slope + down.slope).abs() <= TOLERANCE * up.slope.abs().max(1.0));
        if let (Some(up), Some(down)) = (kendall_tau(&x, &y), kendall_tau(&x, &negated)) {
            prop_assert!((up + down).abs() <= TOLERANCE && up.abs() <= 1.0);
        }
    }

    #[test]
    fn quantiles_rise_and_stay_inside(values in vec(-1e6..1e6f64, 1..80), mut levels in proptest::array::uniform5(0.0..=1.0f64)) {
        levels.sort_by(f64::total_cmp);
        let found = quantiles(&values, levels).unwrap();
        let whole = summary(&values).unwrap();
        let slack = TOLERANCE * whole.max.abs().max(whole.min.abs());
        prop_assert!(found.windows(2).all(|pair| pair[0] <= pair[1] + slack));
        prop_assert!(found.iter().all(|q| (whole.min - slack..=whole.max + slack).contains(q)));
        prop_assert!(whole.min - slack <= whole.mean && whole.mean <= whole.max + slack);
        prop_assert_eq!(Some(whole.median), quantile(&values, 0.5));
        prop_assert!((whole.median - median(&values).unwrap()).abs() <= slack);
    }

    #[test]
    fn spread_ignores_the_place(values in vec(-1e3..1e3f64, 2..80), shift in -1e3..1e3f64) {
        let shifted: Vec<f64> = values.iter().map(|x| x + shift).collect();
        prop_assert!((mad(&values).unwrap() - mad(&shifted).unwrap()).abs() < 1e-9);
        prop_assert!((std_dev(&values).unwrap() - std_dev(&shifted).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn equal_weights_change_no_mean(values in vec(-1e3..1e3f64, 1..80), weight in 0.1..1e6f64) {
        let weights = vec![weight; values.len()];
        prop_assert!((mean(&values).unwrap() - weighted_mean(&values, &weights).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_ever_nan(values in vec(any::<f64>(), 0..20), p in any::<f64>()) {
        let days: Vec<f64> = (0..values.len()).map(|day| day as f64).collect();
        let trend = theil_sen(&days, &values);
        let all = [mean(&values), median(&values), mad(&values), variance(&values), std_dev(&values), quantile(&values, p),
            weighted_mean(&values, &values), kendall_tau(&days, &values), kendall_tau(&values, &days),
            trend.map(|t| t.slope), trend.map(|t| t.low), trend.map(|t| t.high)];
        prop_assert!(all.into_iter().flatten().all(f64::is_finite));
    }
}
