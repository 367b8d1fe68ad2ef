//! From consensus weights to selection probabilities.
//!
//! Method (dir-spec, section 3.8.3): a relay is selected for a position with probability w·W / Σ w·W, where w is its consensus
//! weight and W the bandwidth weight of the consensus for that position and the relay's role: Wgg and Wmg for Guard, Wme and Wee for
//! Exit, Wgd, Wmd and Wed for both, Wmm for neither. Only guards are selected as guards, only exits as exits; a relay with BadExit
//! is not an exit. Where a source has no bandwidth weights (details documents have none), probabilities are unknown.

use std::collections::BTreeMap;

use crate::flags::{RelayFlag, RelayFlags};

/// A class of relays by the flags that decide for which positions they are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WeightRole {
    /// Guard, not an exit.
    Guard,
    /// Exit, not a guard.
    Exit,
    /// Guard and exit.
    Both,
    /// Neither.
    Middle,
}

impl WeightRole {
    /// All roles; arrays by role are in this order.
    pub const ALL: [Self; 4] = [Self::Guard, Self::Exit, Self::Both, Self::Middle];

    /// The role of a relay with these flags.
    pub const fn of_flags(flags: RelayFlags) -> Self {
        let is_exit = flags.contains(RelayFlag::Exit) && !flags.contains(RelayFlag::BadExit);
        match (flags.contains(RelayFlag::Guard), is_exit) {
            (true, true) => Self::Both,
            (true, false) => Self::Guard,
            (false, true) => Self::Exit,
            (false, false) => Self::Middle,
        }
    }
}

/// The bandwidth weights of a consensus by name (`Wgg`, `Wmd`, …), in units of 1/10,000; empty where a source has none.
///
/// All names are kept, those included that no probability rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BandwidthWeights(BTreeMap<String, i64>);

impl BandwidthWeights {
    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and weights, by name.
    pub const fn by_name(&self) -> &BTreeMap<String, i64> {
        &self.0
    }

    /// One weight as a factor; 0 where the consensus leaves it out.
    fn factor(&self, name: &str) -> f64 {
        self.0.get(name).map_or(0.0, |weight| *weight as f64 / 10_000.0)
    }
}

impl From<BTreeMap<String, i64>> for BandwidthWeights {
    fn from(by_name: BTreeMap<String, i64>) -> Self {
        Self(by_name)
    }
}

impl<const N: usize> From<[(&str, i64); N]> for BandwidthWeights {
    fn from(weights: [(&str, i64); N]) -> Self {
        Self(weights.into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect())
    }
}

/// The factors by which consensus weight counts for each position, by role.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PositionFactors {
    /// As a guard.
    pub guard: [f64; 4],
    /// As a middle relay.
    pub middle: [f64; 4],
    /// As an exit.
    pub exit: [f64; 4],
}

impl PositionFactors {
    const fn by_position(&self) -> [[f64; 4]; 3] {
        [self.guard, self.middle, self.exit]
    }
}

impl From<&BandwidthWeights> for PositionFactors {
    fn from(weights: &BandwidthWeights) -> Self {
        let w = |name| weights.factor(name);
        Self {
            guard: [w("Wgg"), 0.0, w("Wgd"), 0.0],
            middle: [w("Wmg"), w("Wme"), w("Wmd"), w("Wmm")],
            exit: [0.0, w("Wee"), w("Wed"), 0.0],
        }
    }
}

/// Selection probabilities of relays of one consensus.
#[derive(Debug, Clone)]
pub struct SelectionProbabilities {
    /// By position, then role.
    factors: [[f64; 4]; 3],
    /// Σ w·W by position.
    totals: [f64; 3],
    weight: f64,
    has_bandwidth_weights: bool,
}

impl SelectionProbabilities {
    /// From the consensus weight of the network by role, and the factors where the source has bandwidth weights.
    pub fn new(weight_by_role: [f64; 4], factors: Option<PositionFactors>) -> Self {
        let has_bandwidth_weights = factors.is_some();
        let factors = factors.unwrap_or_default().by_position();
        let totals = factors.map(|factors| weighted_sum(&factors, weight_by_role));
        Self { factors, totals, weight: weight_by_role.iter().sum(), has_bandwidth_weights }
    }

    /// The consensus weight of the network.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// The probability that one of some relays is selected as guard, middle relay and exit, from their consensus weight by role; `None`
    /// where it is unknown.
    pub fn of_group(&self, weight_by_role: [f64; 4]) -> [Option<f64>; 3] {
        let part = |position: usize| weighted_sum(&self.factors[position], weight_by_role);
        let is_known = |position: usize| self.has_bandwidth_weights && self.totals[position] > 0.0;
        [0, 1, 2].map(|position| is_known(position).then(|| part(position) / self.totals[position]))
    }

    /// As [`SelectionProbabilities::of_group`], of one relay.
    pub fn of_relay(&self, role: WeightRole, weight: f64) -> [Option<f64>; 3] {
        let mut weight_by_role = [0.0; 4];
        weight_by_role[role as usize] = weight;
        self.of_group(weight_by_role)
    }
}

fn weighted_sum(factors: &[f64; 4], weight_by_role: [f64; 4]) -> f64 {
    factors.iter().zip(weight_by_role).map(|(factor, weight)| factor * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(flags: &[RelayFlag]) -> WeightRole {
        WeightRole::of_flags(flags.iter().copied().collect())
    }

    #[test]
    fn roles_follow_from_guard_exit_and_bad_exit() {
        use RelayFlag::{BadExit, Exit, Fast, Guard};
        assert_eq!(role(&[Fast]), WeightRole::Middle);
        assert_eq!(role(&[Guard, Fast]), WeightRole::Guard);
        assert_eq!(role(&[Exit]), WeightRole::Exit);
        assert_eq!(role(&[Exit, Guard]), WeightRole::Both);
        assert_eq!(role(&[Exit, BadExit, Guard]), WeightRole::Guard);
        assert_eq!(WeightRole::ALL.map(|role| role as usize), [0, 1, 2, 3]);
    }

    #[test]
    fn probabilities_are_shares_of_weighted_sums() {
        let weights = BandwidthWeights::from([("Wgg", 5000), ("Wmg", 5000), ("Wmm", 10_000), ("Wee", 10_000), ("Wxx", 1)]);
        let network = SelectionProbabilities::new([100.0, 50.0, 0.0, 50.0], Some((&weights).into()));
        assert_eq!(network.weight(), 200.0);
        assert_eq!(network.of_relay(WeightRole::Guard, 10.0), [Some(0.1), Some(0.05), Some(0.0)]);
        assert_eq!(network.of_relay(WeightRole::Exit, 10.0), [Some(0.0), Some(0.0), Some(0.2)]);
        assert_eq!(network.of_group([100.0, 50.0, 0.0, 50.0]), [Some(1.0); 3]);
        assert_eq!(weights.by_name().len(), 5, "names without a meaning here are kept");
    }

    #[test]
    fn without_bandwidth_weights_probabilities_are_unknown() {
        let network = SelectionProbabilities::new([100.0, 0.0, 0.0, 0.0], None);
        assert_eq!(network.of_relay(WeightRole::Guard, 10.0), [None; 3]);
        let only_guards = SelectionProbabilities::new([0.0; 4], Some(PositionFactors { guard: [1.0; 4], ..Default::default() }));
        assert_eq!(only_guards.of_group([0.0; 4]), [None; 3], "nobody can be selected");
    }
}
