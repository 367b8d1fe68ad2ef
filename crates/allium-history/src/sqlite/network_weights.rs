//! From consensus weights to the probability of being chosen.
//!
//! Method (dir-spec, section 3.8.3): a relay is chosen for a position with probability w·W / Σ w·W, where w is its consensus
//! weight and W the bandwidth weight of the consensus for that position and its flags: Wgg and Wmg for Guard, Wme and Wee for
//! Exit, Wgd, Wmd and Wed for both, Wmm for neither. Only guards are chosen as guards, only exits as exits; BadExit is no exit.
//! Where the source tells no bandwidth weights (details documents do not), probabilities are unknown.

use std::collections::HashMap;

use allium_model::{ConsensusHour, RelayFlag, RelayFlags};
use rusqlite::Connection;

use crate::error::Failure;
use crate::relays::hour;

/// Relays by the flags that decide for which positions they are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Guard,
    Exit,
    Both,
    Middle,
}

impl Class {
    /// The class of a relay with these flags.
    pub(crate) fn of(flags: RelayFlags) -> Self {
        let is_exit = flags.contains(RelayFlag::Exit) && !flags.contains(RelayFlag::BadExit);
        match (flags.contains(RelayFlag::Guard), is_exit) {
            (true, true) => Self::Both,
            (true, false) => Self::Guard,
            (false, true) => Self::Exit,
            (false, false) => Self::Middle,
        }
    }
}

/// Sums of consensus weight by [`Class`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClassWeights(pub(crate) [u128; 4]);

/// From weights to probabilities, at one hour: guard, middle, exit.
#[derive(Debug, Clone)]
pub(crate) struct Chances {
    /// By position, then class.
    factors: [[f64; 4]; 3],
    totals: [f64; 3],
    /// Consensus weight of the network.
    pub(crate) weight: f64,
    /// Whether the source tells bandwidth weights.
    are_told: bool,
}

impl Chances {
    fn new(sums: [i64; 4], bandwidth_weights: Option<&HashMap<String, i64>>) -> Self {
        let w = |name: &str| bandwidth_weights.and_then(|weights| weights.get(name)).map_or(0.0, |w| *w as f64 / 10_000.0);
        let factors = [[w("Wgg"), 0.0, w("Wgd"), 0.0], [w("Wmg"), w("Wme"), w("Wmd"), w("Wmm")], [0.0, w("Wee"), w("Wed"), 0.0]];
        let sums = sums.map(|sum| sum as f64);
        let totals = factors.map(|factors| factors.iter().zip(sums).map(|(factor, sum)| factor * sum).sum());
        Self { factors, totals, weight: sums.iter().sum(), are_told: bandwidth_weights.is_some() }
    }

    /// The probability of relays with these weights by class, for each position.
    pub(crate) fn of(&self, weights: [f64; 4]) -> [Option<f64>; 3] {
        let part = |position: usize| self.factors[position].iter().zip(weights).map(|(factor, weight)| factor * weight).sum::<f64>();
        [0, 1, 2].map(|position| (self.are_told && self.totals[position] > 0.0).then(|| part(position) / self.totals[position]))
    }
}

/// What probabilities follow from at the hours `[from, to)`.
pub(crate) fn chances(conn: &Connection, from: ConsensusHour, to: ConsensusHour) -> Result<HashMap<i32, Chances>, Failure> {
    let mut statement = conn.prepare(
        "SELECT hour, guard_weight, exit_weight, both_weight, middle_weight, bandwidth_weights FROM hour_weights WHERE hour >= ? AND hour < ?",
    )?;
    let mut rows = statement.query([from.get(), to.get()])?;
    let mut chances = HashMap::new();
    while let Some(row) = rows.next()? {
        let at = hour(row, 0)?.get();
        let weights: Option<String> = row.get(5)?;
        let weights: Option<HashMap<String, i64>> = weights
            .map(|json| serde_json::from_str(&json).map_err(|_| Failure::Corrupt(format!("bandwidth weights of hour {at}"))))
            .transpose()?;
        chances.insert(at, Chances::new([row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?], weights.as_ref()));
    }
    Ok(chances)
}
