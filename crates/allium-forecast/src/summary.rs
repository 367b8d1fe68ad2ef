//! The forecasts of many relays in a few figures.

use allium_model::Fraction;

use crate::forecast::{Confidence, Forecast, Label};

/// The expectation for some relays.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Relays with a forecast.
    pub n_relays: usize,
    /// Those of them that were Running in the newest consensus.
    pub n_running: usize,
    /// Over running relays: the mean of their expected uptimes. `None` without running relays, as is what follows.
    pub mean: Option<Fraction>,
    /// The 0.1 and 0.9 quantiles for a running relay picked at random: the quantiles of all of them pooled with equal weight.
    ///
    /// This is how widely single relays spread. It is not the interval of the mean, which would need to know how far relays fail
    /// together.
    pub interval: Option<(Fraction, Fraction)>,
    /// Running relays that are expected to stay below 0.9: the sum of their probabilities.
    pub expected_below_90: f64,
    /// Running relays that are more likely than not to stay below 0.9.
    pub n_likely_below_90: usize,
    /// Running relays that are expected never to be Running again within the horizon: the sum of their probabilities.
    pub expected_gone: f64,
    /// Relays by label, in the order of [`Label::ALL`].
    pub by_label: [usize; 5],
    /// Relays by confidence, in the order of [`Confidence::ALL`].
    pub by_confidence: [usize; 3],
}

impl Summary {
    /// Sums up these forecasts; their order does not matter.
    pub fn of<'a>(forecasts: impl IntoIterator<Item = &'a Forecast>) -> Self {
        let all: Vec<&Forecast> = forecasts.into_iter().collect();
        let running: Vec<&Forecast> = all.iter().copied().filter(|forecast| forecast.running).collect();
        let sum = |share: fn(&Forecast) -> Fraction| running.iter().map(|forecast| share(forecast).get()).sum::<f64>();
        let means: Vec<f64> = running.iter().map(|forecast| forecast.mean.get()).collect();
        let pooled: Vec<f64> = running.iter().flat_map(|forecast| forecast.quantiles).map(Fraction::get).collect();
        let ends = allium_stats::quantiles(&pooled, [0.1, 0.9]).map(|ends| ends.map(Fraction::clamped));
        Self {
            n_relays: all.len(),
            n_running: running.len(),
            mean: allium_stats::mean(&means).and_then(Fraction::clamped),
            interval: ends.and_then(|[low, high]| low.zip(high)),
            expected_below_90: sum(|forecast| forecast.p_below_90),
            n_likely_below_90: running.iter().filter(|forecast| forecast.p_below_90.get() >= 0.5).count(),
            expected_gone: sum(|forecast| forecast.p_gone),
            by_label: Label::ALL.map(|label| all.iter().filter(|forecast| forecast.label == label).count()),
            by_confidence: Confidence::ALL.map(|confidence| all.iter().filter(|forecast| forecast.confidence == confidence).count()),
        }
    }

    /// Number of relays with this label.
    pub fn n_labelled(&self, label: Label) -> usize {
        Label::ALL.iter().zip(self.by_label).filter(|(each, _)| **each == label).map(|(_, n)| n).sum()
    }
}
