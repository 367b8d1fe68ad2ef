//! A distribution as its quantiles are stated, so that closed intervals cover what they say.
//!
//! If more than a tenth of the probability lies at 1, the 0.9 quantile is 1 and the closed interval from the 0.1 quantile to it
//! covers up to nine in ten: no interval of such a distribution covers 0.8 exactly. Ending some of them just below 1 does so on
//! average. The intervals that end there are those of relays less likely than a limit to run without any gap; each central
//! interval (50, 80 and 95 %) of each age class has its own limit, chosen on held-out origins, wider intervals no higher ones:
//! Mondrian conformal prediction (Vovk, Gammerman, Shafer 2005), so that young relays, of which few run without a gap, are
//! covered like the others.

use serde::{Deserialize, Serialize};

use crate::distribution::{Distribution, LEVELS};

/// The central intervals that are held to what they say.
pub(crate) const CENTRALS: [f64; 3] = [0.5, 0.8, 0.95];
/// The end of intervals that leave out a month without any gap: half a consensus of a month short of 1.
pub(crate) const CEILING: f64 = 1.0 - 0.5 / 720.0;

/// Ages at which the next class begins, days.
const AGES_DAYS: [f64; 2] = [30.0, 365.0];
/// Fewest held-out forecasts of an age class that set its limits; a smaller one has those of all ages.
const CLASS_MIN: usize = 200;

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

    /// True if the closed central interval holds the truth.
    pub(crate) fn is_covered(&self, truth: f64, central: f64) -> bool {
        (self.quantile((1.0 - central) / 2.0)..=self.quantile(upper(central))).contains(&truth)
    }
}

/// The level of the upper end of a central interval.
fn upper(central: f64) -> f64 {
    f64::midpoint(1.0, central)
}

/// The limits of all age classes: how likely a month without any gap must be for an interval to reach 1, by [`CENTRALS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ends {
    perfect_from: [[f64; 3]; AGES_DAYS.len() + 1],
}

impl Ends {
    /// Intervals as distributions have them.
    pub(crate) fn open() -> Self {
        Self { perfect_from: [[0.0; 3]; AGES_DAYS.len() + 1] }
    }

    /// The limits with which closed intervals of these forecasts cover what they say, or as little more as they can. Truths and
    /// ages, in days, are those of the forecasts, in their order.
    pub(crate) fn of(forecasts: &[Distribution], truths: &[f64], ages_days: &[f64]) -> Self {
        let all: Vec<_> = forecasts.iter().copied().zip(truths.iter().copied()).collect();
        let of_all = perfect_from(&all);
        let mut classes = vec![Vec::new(); AGES_DAYS.len() + 1];
        all.iter().zip(ages_days).for_each(|(pair, age)| classes[class(*age)].push(*pair));
        let limits = |i: usize| if classes[i].len() < CLASS_MIN { of_all } else { perfect_from(&classes[i]) };
        Self { perfect_from: std::array::from_fn(limits) }
    }

    /// The forecast of a relay of this age, with the ends of its class.
    pub(crate) fn limited(&self, distribution: Distribution, age_days: f64) -> Stated {
        Stated::limited(distribution, &self.perfect_from[class(age_days)])
    }
}

/// The class of an age; of an unknown one the youngest.
fn class(age_days: f64) -> usize {
    AGES_DAYS.iter().filter(|limit| age_days >= **limit).count()
}

fn perfect_from(forecasts: &[(Distribution, f64)]) -> [f64; 3] {
    let covered = |central: f64, limit: f64| {
        let is_covered = |(forecast, truth): &&(Distribution, f64)| Stated::limited(*forecast, &[limit; 3]).is_covered(*truth, central);
        forecasts.iter().filter(is_covered).count() as f64 / forecasts.len().max(1) as f64
    };
    let mut limits = CENTRALS.map(|central| (0..100).map(|i| f64::from(i) / 100.0).find(|limit| covered(central, *limit) <= central));
    // A quantile must not lie above one of a higher level.
    for i in (0..limits.len() - 1).rev() {
        limits[i] = Some(limits[i].unwrap_or(0.0).max(limits[i + 1].unwrap_or(0.0)));
    }
    limits.map(|limit| limit.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::LIMITS;

    /// A thousand relays of one age, a share of which runs without a gap; forecasts are right on average and differ.
    fn relays(age_days: f64, perfect: f64) -> impl Iterator<Item = (Distribution, f64, f64)> {
        (0..1000).map(move |i| {
            let rank = (f64::from(i) + 0.5) / 1000.0;
            let p_one = (perfect + (f64::from(i % 10) - 4.5) * 0.02).clamp(0.0, 1.0);
            let distribution = Distribution::near(LIMITS.map(|limit| limit * (1.0 - p_one)));
            (distribution, if rank < perfect { 1.0 } else { (rank - perfect) / (1.0 - perfect) }, age_days)
        })
    }

    #[test]
    fn intervals_of_young_and_of_old_relays_cover_alike() {
        let all: Vec<_> = relays(10.0, 0.4).chain(relays(100.0, 0.6)).chain(relays(700.0, 0.8)).collect();
        let forecasts: Vec<Distribution> = all.iter().map(|(forecast, ..)| *forecast).collect();
        let (truths, ages): (Vec<f64>, Vec<f64>) = all.iter().map(|(_, truth, age)| (*truth, *age)).unzip();
        let ends = Ends::of(&forecasts, &truths, &ages);
        for of_age in all.chunks(1000) {
            let is_covered = |(forecast, truth, age): &&(Distribution, f64, f64)| ends.limited(*forecast, *age).is_covered(*truth, 0.8);
            let covered = of_age.iter().filter(is_covered).count() as f64 / 1000.0;
            assert!((0.7..=0.8).contains(&covered), "{covered} at {} days", of_age[0].2);
        }
    }
}
