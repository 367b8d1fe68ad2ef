//! The loss that an incident brought to the network, and the shift of consensus weight afterwards.
//!
//! Measured, not inferred: the weights of the last weighed consensus before and of one after. A share that rose did not necessarily
//! rise because of the incident; the figure says what was so, and who had more of it.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Fingerprint};

use crate::incident::Incident;
use crate::scope::Scope;

/// Scopes that a shift names in each direction.
const NAMED: usize = 5;

/// The weight of a relay in a consensus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightAt {
    /// Its share of consensus weight, 0 to 1.
    pub share: f64,
    /// The probabilities to be chosen as guard, middle and exit; `None` where the source has no bandwidth weights.
    pub positions: Option<[f64; 3]>,
}

/// The weight that the relays of an incident had.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The consensus that has their weights.
    pub hour: ConsensusHour,
    /// Number of them that it weighs.
    pub n_weighed: usize,
    /// Their share of consensus weight, 0 to 1.
    pub weight_share: f64,
    /// The probability that a circuit's guard, middle and exit was one of them.
    pub positions: Option<[f64; 3]>,
    /// Of each scope of theirs its share of consensus weight, and how much of that was theirs; the most affected first.
    pub scopes: Vec<(Scope, f64, f64)>,
}

impl Loss {
    /// The probability that at least one of the three relays of a circuit was one of them, taken as independent choices.
    pub fn path_probability(&self) -> Option<f64> {
        self.positions.map(|positions| 1.0 - positions.iter().map(|p| 1.0 - p).product::<f64>())
    }
}

/// A change of a scope's share of consensus weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// The scope.
    pub scope: Scope,
    /// Before, 0 to 1.
    pub before: f64,
    /// After, 0 to 1.
    pub after: f64,
}

/// The effect of an incident on the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The loss.
    pub loss: Loss,
    /// The consensus afterwards that has weights; `None` while there is none.
    pub after: Option<ConsensusHour>,
    /// The scopes whose shares rose most, then those whose shares fell most.
    pub shifts: Vec<Shift>,
}

/// Measures it. The maps hold every relay that the two consensuses weigh; `scopes_of` are the scopes that shares are summed over.
pub fn effect(
    incident: &Incident,
    before: (ConsensusHour, &BTreeMap<Fingerprint, WeightAt>),
    after: Option<(ConsensusHour, &BTreeMap<Fingerprint, WeightAt>)>,
    scopes_of: &dyn Fn(&Fingerprint) -> Vec<Scope>,
) -> Effect {
    let (hour, weights) = before;
    let lost: Vec<(&Fingerprint, WeightAt)> =
        incident.relays.iter().filter_map(|relay| weights.get(relay).map(|weight| (relay, *weight))).collect();
    let shares = shares(weights, scopes_of);
    let mut mine: BTreeMap<Scope, f64> = BTreeMap::new();
    for (relay, weight) in &lost {
        scopes_of(relay).into_iter().for_each(|scope| *mine.entry(scope).or_default() += weight.share);
    }
    let mut scopes: Vec<(Scope, f64, f64)> = mine
        .into_iter()
        .map(|(scope, mine)| (shares.get(&scope).copied().unwrap_or(mine), scope, mine))
        .map(|(share, scope, mine)| (scope, share, mine))
        .collect();
    scopes.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let positions: Option<Vec<[f64; 3]>> = lost.iter().map(|(_, weight)| weight.positions).collect();
    let sum = |all: Vec<[f64; 3]>| [0, 1, 2].map(|position| all.iter().map(|p| p[position]).sum::<f64>().clamp(0.0, 1.0));
    let loss = Loss {
        hour,
        n_weighed: lost.len(),
        weight_share: lost.iter().map(|(_, weight)| weight.share).sum::<f64>().clamp(0.0, 1.0),
        positions: positions.filter(|all| !all.is_empty()).map(sum),
        scopes,
    };
    let shifts = after.map_or_else(Vec::new, |(_, weights)| shifts(&shares, &self::shares(weights, scopes_of)));
    Effect { loss, after: after.map(|(hour, _)| hour), shifts }
}

fn shares(weights: &BTreeMap<Fingerprint, WeightAt>, scopes_of: &dyn Fn(&Fingerprint) -> Vec<Scope>) -> BTreeMap<Scope, f64> {
    let mut shares: BTreeMap<Scope, f64> = BTreeMap::new();
    for (relay, weight) in weights {
        scopes_of(relay).into_iter().for_each(|scope| *shares.entry(scope).or_default() += weight.share);
    }
    shares
}

fn shifts(before: &BTreeMap<Scope, f64>, after: &BTreeMap<Scope, f64>) -> Vec<Shift> {
    let scopes: std::collections::BTreeSet<&Scope> = before.keys().chain(after.keys()).collect();
    let share = |of: &BTreeMap<Scope, f64>, scope: &Scope| of.get(scope).copied().unwrap_or(0.0);
    let shift = |scope: &Scope| Shift { before: share(before, scope), after: share(after, scope), scope: scope.clone() };
    let mut all: Vec<Shift> = scopes.into_iter().map(shift).filter(|shift| (shift.after - shift.before).abs() >= 1e-4).collect();
    all.sort_by(|a, b| (b.after - b.before).total_cmp(&(a.after - a.before)).then_with(|| a.scope.cmp(&b.scope)));
    let n_rose = all.iter().filter(|shift| shift.after > shift.before).count();
    let mut fell = all.split_off(n_rose);
    all.truncate(NAMED);
    fell.reverse();
    fell.truncate(NAMED);
    all.extend(fell);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeKind;

    /// Four relays of a quarter each, two per AS; both relays of the first AS are lost and the others share what they had.
    #[test]
    fn what_was_lost_and_who_has_it_now() {
        let relay = |n: u8| Fingerprint::new([n; 20]);
        let at = |share, positions| WeightAt { share, positions };
        let before: BTreeMap<_, _> = (0..4).map(|n| (relay(n), at(0.25, Some([0.2, 0.1, 0.0])))).collect();
        let after: BTreeMap<_, _> = (2..4).map(|n| (relay(n), at(0.5, None))).collect();
        let scopes_of =
            |fingerprint: &Fingerprint| vec![Scope { kind: ScopeKind::As, key: format!("AS{}", fingerprint.as_bytes()[0] / 2) }];
        let mut incident = crate::incident::tests::incident();
        incident.relays = vec![relay(0), relay(1), relay(9)];
        let [hour, later] = [0, 5].map(ConsensusHour::new);
        let found = effect(&incident, (hour, &before), Some((later, &after)), &scopes_of);
        assert_eq!((found.loss.n_weighed, found.loss.weight_share, found.loss.positions), (2, 0.5, Some([0.4, 0.2, 0.0])));
        assert!((found.loss.path_probability().unwrap() - (1.0 - 0.6 * 0.8)).abs() < 1e-12);
        assert_eq!(found.loss.scopes[0].1..=found.loss.scopes[0].2, 0.5..=0.5);
        let shifts: Vec<_> = found.shifts.iter().map(|shift| (shift.scope.key.as_str(), shift.before, shift.after)).collect();
        assert_eq!(shifts, [("AS1", 0.5, 1.0), ("AS0", 0.5, 0.0)]);
        let unweighed = effect(&incident, (hour, &after), None, &scopes_of);
        assert_eq!((unweighed.loss.n_weighed, unweighed.loss.path_probability(), unweighed.after), (0, None, None));
    }
}
