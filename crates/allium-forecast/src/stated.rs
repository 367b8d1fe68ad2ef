//! A distribution as its quantiles are stated, so that closed intervals cover what they say.
//!
//! Where more than a tenth of the probability lies at 1, the 0.9 quantile is 1 and the closed interval from the 0.1 quantile to it
//! covers up to nine in ten: no interval of such a distribution covers 0.8 exactly. Ending some of them just below 1 does so on
//! average. The intervals that end there are those of relays less likely than a limit to run without any gap; each central
//! interval (50, 80 and 95 %) has its own limit, chosen on held-out origins, wider intervals no higher ones.

use crate::distribution::{Distribution, LEVELS};

/// The central intervals that are held to what they say.
pub(crate) const CENTRALS: [f64; 3] = [0.5, 0.8, 0.95];
/// Where intervals end that leave out a month without any gap: half a consensus of a month short of 1.
pub(crate) const CEILING: f64 = 1.0 - 0.5 / 720.0;

/// One relay's forecast by one model, with the end of its intervals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated {
    pub(crate) distribution: Distribution,
    /// Quantiles are no higher than this, by the narrowest of [`CENTRALS`] that reaches as high.
    ceilings: [f64; 3],
}

impl Stated {
    /// The distribution as it is.
    pub(crate) fn exactly(distribution: Distribution) -> Self {
        Self { distribution, ceilings: [1.0; 3] }
    }

    /// With intervals of relays less likely than these limits to run without any gap ending at [`CEILING`].
    pub(crate) fn limited(distribution: Distribution, perfect_from: &[f64; 3]) -> Self {
        Self { distribution, ceilings: perfect_from.map(|limit| if distribution.p_one() < limit { CEILING } else { 1.0 }) }
    }

    /// The quantile at a level.
    pub(crate) fn quantile(&self, level: f64) -> f64 {
        let central = CENTRALS.iter().position(|central| level <= upper(*central) + 1e-9).unwrap_or(CENTRALS.len() - 1);
        self.distribution.quantile(level).min(self.ceilings[central])
    }

    /// The quantiles at [`LEVELS`].
    pub(crate) fn quantiles(&self) -> [f64; 19] {
        LEVELS.map(|level| self.quantile(level))
    }

    /// Whether the closed central interval holds the truth.
    pub(crate) fn is_covered(&self, truth: f64, central: f64) -> bool {
        (self.quantile((1.0 - central) / 2.0)..=self.quantile(upper(central))).contains(&truth)
    }
}

/// The level of the upper end of a central interval.
fn upper(central: f64) -> f64 {
    f64::midpoint(1.0, central)
}

/// The limits with which closed intervals of these forecasts cover what they say, or as little more as they can.
pub(crate) fn perfect_from(forecasts: &[Distribution], truths: &[f64]) -> [f64; 3] {
    let covered = |central: f64, limit: f64| {
        let is_covered = |(forecast, truth): (&Distribution, &f64)| Stated::limited(*forecast, &[limit; 3]).is_covered(*truth, central);
        forecasts.iter().zip(truths).filter(|pair| is_covered(*pair)).count() as f64 / truths.len().max(1) as f64
    };
    let mut limits = CENTRALS.map(|central| (0..100).map(|i| f64::from(i) / 100.0).find(|limit| covered(central, *limit) <= central));
    // A quantile must not lie above one of a higher level.
    for i in (0..limits.len() - 1).rev() {
        limits[i] = Some(limits[i].unwrap_or(0.0).max(limits[i + 1].unwrap_or(0.0)));
    }
    limits.map(|limit| limit.unwrap_or(0.0))
}
