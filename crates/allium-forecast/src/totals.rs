//! The mean uptime of several relays to come, with an interval that knows that relays fail together.
//!
//! Relays of one operator share hosts, providers and hands, so their mean is less certain than that of as many strangers. How
//! far they fare alike is measured on past forecasts whose outcome is known ([`likeness`]): the correlation of the ranks of
//! outcomes in their own forecasts, over pairs of relays of one group. The total then draws each relay's outcome from its own
//! forecast, with probability √ρ at a rank that all relays of the draw share and else at a rank of its own; two ranks so drawn
//! correlate by ρ. Draws come from a fixed sequence, so the same forecasts give the same interval.

use std::collections::BTreeMap;

use allium_model::Fraction;

use crate::distribution::LEVELS;
use crate::forecast::Forecast;
use crate::past::Past;

/// Draws at most and at least, and relays times draws at most.
const MOST_DRAWS: usize = 2_000;
const LEAST_DRAWS: usize = 100;
const WORK: usize = 100_000;
/// Pairs of one group that count at most, so that no group decides alone.
const MOST_MEMBERS: usize = 30;
/// Fewest pairs to measure likeness on.
const LEAST_PAIRS: usize = 100;

/// The likeness of the fates of relays of one group: the rank correlation of their outcomes, given their forecasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// The correlation, 0 to 1.
    pub rho: f64,
    /// Pairs that it was measured on; none where it is assumed.
    pub n_pairs: usize,
}

impl Likeness {
    /// The likeness where nothing could be measured: as unsure as half of the way to failing all together.
    pub const ASSUMED: Self = Self { rho: 0.5, n_pairs: 0 };
}

/// The expectation for several relays together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Relays.
    pub n_relays: usize,
    /// The expected value of their mean uptime.
    ///
    /// It may lie outside of the interval: where all of them rarely fail together, a few bad outcomes pull it down.
    pub mean: Fraction,
    /// The median of their mean uptime.
    pub median: Fraction,
    /// The 0.1 and 0.9 quantile of their mean uptime.
    pub interval: (Fraction, Fraction),
    /// The same if each failed for itself.
    pub interval_if_independent: (Fraction, Fraction),
    /// Their mean uptime over the 30 days before, over those for which it is known.
    pub recent: Option<Fraction>,
}

impl Total {
    /// The total of these forecasts; `None` for none.
    pub fn of<'a>(forecasts: impl IntoIterator<Item = &'a Forecast>, likeness: Likeness) -> Option<Self> {
        let forecasts: Vec<&Forecast> = forecasts.into_iter().collect();
        let curves: Vec<Curve> = forecasts.iter().map(|forecast| Curve::of(forecast)).collect();
        let means: Vec<f64> = forecasts.iter().map(|forecast| forecast.mean.get()).collect();
        let recent: Vec<f64> = forecasts.iter().filter_map(|forecast| forecast.recent).map(Fraction::get).collect();
        let [low, median, high] = spread(&curves, likeness.rho)?;
        let [low_alone, _, high_alone] = spread(&curves, 0.0)?;
        Some(Self {
            n_relays: forecasts.len(),
            mean: allium_stats::mean(&means).and_then(Fraction::clamped)?,
            median,
            interval: (low, high),
            interval_if_independent: (low_alone, high_alone),
            recent: allium_stats::mean(&recent).and_then(Fraction::clamped),
        })
    }
}

/// The 0.1, 0.5 and 0.9 quantile of the mean.
fn spread(curves: &[Curve], rho: f64) -> Option<[Fraction; 3]> {
    let n_draws = (WORK / curves.len().max(1)).clamp(LEAST_DRAWS, MOST_DRAWS);
    let shared = rho.clamp(0.0, 1.0).sqrt();
    let mut draws = Draws(0x9E37_79B9_7F4A_7C15);
    let mean = |draw: usize| {
        // Shared ranks are spread evenly: fewer draws do.
        let together = (draw as f64 + 0.5) / n_draws as f64;
        let outcome = |curve: &Curve| curve.at(if draws.next() < shared { together } else { draws.next() });
        curves.iter().map(outcome).sum::<f64>() / curves.len() as f64
    };
    let means: Vec<f64> = (0..n_draws).map(mean).collect();
    let [low, median, high] = allium_stats::quantiles(&means, [0.1, 0.5, 0.9])?;
    Some([Fraction::clamped(low)?, Fraction::clamped(median)?, Fraction::clamped(high)?])
}

/// A forecast as a quantile curve whose mean is the stated one: its lower end follows from that.
struct Curve {
    quantiles: [f64; 21],
}

impl Curve {
    fn of(forecast: &Forecast) -> Self {
        let mut quantiles = [0.0; 21];
        for (knot, quantile) in quantiles[1..].iter_mut().zip(&forecast.quantiles) {
            *knot = quantile.get();
        }
        quantiles[20] = (2.0 * quantiles[19] - quantiles[18]).min(1.0);
        let inner: f64 = quantiles[1..].windows(2).map(|ends| f64::midpoint(ends[0], ends[1])).sum();
        quantiles[0] = (2.0 * (forecast.mean.get() * 20.0 - inner) - quantiles[1]).clamp(0.0, quantiles[1]);
        Self { quantiles }
    }

    fn at(&self, rank: f64) -> f64 {
        let position = (rank * 20.0).clamp(0.0, 19.999_999);
        let (step, share) = (position as usize, position.fract());
        self.quantiles[step] + share * (self.quantiles[step + 1] - self.quantiles[step])
    }
}

/// Even numbers from 0 to 1 out of a fixed sequence: the upper bits of a linear congruential generator.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// Measures the likeness of relays of one group in the outcomes of these forecasts; forecasts whose horizon is not over in `past` do not
/// count. `group_of` names the group of a relay, if it has one.
pub fn likeness(past: &Past, forecasts: &[Forecast], group_of: impl Fn(&Forecast) -> Option<u32>) -> Likeness {
    let mut ranks: BTreeMap<(i32, u32), Vec<f64>> = BTreeMap::new();
    for forecast in forecasts.iter().filter(|forecast| forecast.running) {
        let Some((group, rank)) = group_of(forecast).zip(rank(past, forecast)) else { continue };
        ranks.entry((forecast.as_of.get(), group)).or_default().push(rank);
    }
    let all: Vec<f64> = ranks.values().flatten().copied().collect();
    let (mean, variance) = (allium_stats::mean(&all).unwrap_or(0.5), allium_stats::variance(&all).unwrap_or(0.0));
    let (mut sum, mut n_pairs) = (0.0, 0);
    for group in ranks.values() {
        let members: Vec<f64> = group.iter().take(MOST_MEMBERS).map(|rank| rank - mean).collect();
        for (i, a) in members.iter().enumerate() {
            sum += members[..i].iter().map(|b| a * b).sum::<f64>();
            n_pairs += i;
        }
    }
    if n_pairs < LEAST_PAIRS || variance <= 0.0 {
        return Likeness::ASSUMED;
    }
    Likeness { rho: (sum / n_pairs as f64 / variance).clamp(0.0, 1.0), n_pairs }
}

/// The rank of the outcome in its forecast: the middle of the ranks of the quantiles that equal it.
fn rank(past: &Past, forecast: &Forecast) -> Option<f64> {
    let end = forecast.as_of.next().plus(24 * i32::from(forecast.horizon_days));
    if past.hours().last().is_none_or(|last| last.next() < end) {
        return None;
    }
    let relay = past.relays().binary_search_by_key(&forecast.fingerprint, |relay| relay.fingerprint).ok()?;
    let truth = *past.targets(&[relay], forecast.as_of, 24 * i32::from(forecast.horizon_days))?.first()?;
    let below = forecast.quantiles.iter().filter(|quantile| quantile.get() < truth - 1e-9).count();
    let at_most = forecast.quantiles.iter().filter(|quantile| quantile.get() <= truth + 1e-9).count();
    let level = |n: usize| (n as f64 + 0.5) / (LEVELS.len() + 1) as f64;
    Some(f64::midpoint(level(below), level(at_most)))
}
