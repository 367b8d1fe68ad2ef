//! The concentration of the network's consensus weight in few hands.
//!
//! The bounds of [`ConcentrationLevel`] are those by which the guidelines for mergers of the United States' Department of Justice and
//! Federal Trade Commission (2010) call markets moderately and highly concentrated.

use allium_model::Fraction;

use super::Group;

/// The index from which concentration is moderate.
const MODERATE_HHI: f64 = 0.15;
/// The index from which concentration is high.
const HIGH_HHI: f64 = 0.25;
/// The share of the ten largest groups below which weight is well spread.
const GOOD_TOP_TEN: f64 = 0.4;

/// The spread of weight over groups that do not overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    /// Groups with a running relay.
    pub n_groups: usize,
    /// Share of the largest 1, 3, 5 and 10.
    pub top: [Fraction; 4],
    /// Herfindahl–Hirschman index: the sum of squared shares, 0 to 1.
    pub hhi: Fraction,
    /// So many groups of equal size would be as concentrated: 1 / index.
    pub effective: f64,
}

/// A class of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConcentrationLevel {
    /// An index below 0.15.
    Low,
    /// An index from 0.15 to below 0.25.
    Moderate,
    /// An index of 0.25 or more.
    High,
}

impl Concentration {
    /// Numbers of the largest groups that [`Concentration::top`] sums up.
    pub const TOP: [usize; 4] = [1, 3, 5, 10];

    /// The concentration over groups, of which no relay is in two; `None` where none has weight.
    pub fn of<K>(groups: &[Group<K>]) -> Option<Self> {
        let mut shares: Vec<f64> = groups.iter().filter_map(|group| group.figures.weight_share).map(Fraction::get).collect();
        shares.sort_unstable_by(|a, b| b.total_cmp(a));
        let hhi: f64 = shares.iter().map(|share| share * share).sum();
        let n_groups = groups.iter().filter(|group| group.figures.n_running > 0).count();
        (hhi > 0.0).then(|| Self {
            n_groups,
            top: Self::TOP.map(|n| Fraction::clamped(shares.iter().take(n).sum()).unwrap_or(Fraction::ZERO)),
            hhi: Fraction::clamped(hhi).unwrap_or(Fraction::ONE),
            effective: 1.0 / hhi,
        })
    }

    /// The class of the index.
    pub fn level(&self) -> ConcentrationLevel {
        match self.hhi.get() {
            hhi if hhi < MODERATE_HHI => ConcentrationLevel::Low,
            hhi if hhi < HIGH_HHI => ConcentrationLevel::Moderate,
            _ => ConcentrationLevel::High,
        }
    }

    /// True if the ten largest groups hold less than 40 % of the weight.
    pub fn is_well_spread(&self) -> bool {
        self.top[3].get() < GOOD_TOP_TEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_begin_at_their_bounds() {
        let level = |hhi| {
            let hhi = Fraction::new(hhi).unwrap();
            Concentration { n_groups: 1, top: [Fraction::ONE; 4], hhi, effective: 1.0 }.level()
        };
        assert_eq!([0.149, 0.15, 0.249, 0.25].map(level), {
            use ConcentrationLevel::{High, Low, Moderate};
            [Low, Moderate, Moderate, High]
        });
    }
}
