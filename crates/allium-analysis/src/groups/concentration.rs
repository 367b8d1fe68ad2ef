//! How far the network's consensus weight lies in few hands.

use allium_model::Fraction;

use super::Group;

/// How weight is spread over groups that do not overlap.
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

impl Concentration {
    /// How many of the largest [`Concentration::top`] sums up.
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
}
