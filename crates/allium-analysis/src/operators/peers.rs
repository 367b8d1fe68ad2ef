//! Operators among operators of like size.
//!
//! The mean over many relays varies less than the uptime of one, so an operator is compared with operators who run about as many
//! relays, never with single relays.

use allium_model::{Fraction, Period};

use super::OperatorFigures;

/// A class of operators by their number of relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeClass {
    /// The least number of relays.
    pub from: usize,
    /// The largest number of relays.
    pub to: usize,
}

/// The classes, smallest first.
pub const SIZE_CLASSES: [SizeClass; 6] = [
    SizeClass { from: 1, to: 1 },
    SizeClass { from: 2, to: 4 },
    SizeClass { from: 5, to: 9 },
    SizeClass { from: 10, to: 24 },
    SizeClass { from: 25, to: 99 },
    SizeClass { from: 100, to: usize::MAX },
];

/// Operators that a class needs for a rank in it to mean anything.
pub const MIN_PEERS: usize = 10;

/// The rank of an operator among its peers in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeerRank {
    /// Its peers: operators with so many relays with a figure.
    pub class: SizeClass,
    /// Operators in the class, itself included.
    pub n_operators: usize,
    /// Share of the peers with a lower mean uptime, those with the same counted by half, itself left out.
    pub percentile: Fraction,
}

/// Gives every operator its rank in each period.
pub(super) fn rank_peers(figures: &mut [OperatorFigures]) {
    for period in Period::ALL {
        for class in SIZE_CLASSES {
            let uptime = |figures: &OperatorFigures| {
                let uptime = figures.members.uptime[period.index()]?;
                (class.from..=class.to).contains(&uptime.n_relays).then_some(uptime.mean.get())
            };
            let mut sorted: Vec<f64> = figures.iter().filter_map(uptime).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            if sorted.len() < MIN_PEERS {
                continue;
            }
            for operator in figures.iter_mut() {
                let Some(own) = uptime(operator) else { continue };
                operator.peers[period.index()] =
                    percentile(&sorted, own).map(|percentile| PeerRank { class, n_operators: sorted.len(), percentile });
            }
        }
    }
}

fn percentile(sorted: &[f64], own: f64) -> Option<Fraction> {
    let below = sorted.partition_point(|other| *other < own);
    let equal = sorted.partition_point(|other| *other <= own) - below;
    Fraction::of(below as f64 + (equal as f64 - 1.0) / 2.0, sorted.len() as f64 - 1.0)
}
