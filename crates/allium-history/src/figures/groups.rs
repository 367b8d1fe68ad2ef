//! The hours of groups: sums over the relays that a consensus lists in a group.

use allium_model::{ConsensusHour, Fraction, RelayFlags, RelayState, SelectionProbabilities, WeightRole};

use super::past::{HOURS_OF_DAY, Past};
use super::{GroupHour, GroupKey, Grouping};
use crate::blob::day::{ADVERTISED, Day, OBSERVED, WEIGHT};

/// Groups in their order, and the groups of each state, as indices.
pub(crate) struct Groups {
    keys: Vec<GroupKey>,
    of_state: Vec<Vec<usize>>,
}

impl Groups {
    pub(crate) fn new(by: Grouping, states: &[RelayState]) -> Self {
        let keys_of_state: Vec<Vec<GroupKey>> = states.iter().map(|state| by.keys(state)).collect();
        let mut keys = keys_of_state.concat();
        keys.sort_unstable();
        keys.dedup();
        let index = |key: &GroupKey| keys.binary_search(key).expect("it was put there");
        let of_state = keys_of_state.iter().map(|keys| keys.iter().map(index).collect()).collect();
        Self { of_state, keys }
    }

    /// The hours of the day that begins with hour `first`, by hour and group; those of which nothing is known are missing.
    pub(crate) fn hours(&self, past: &Past, first: i32, day: &Day) -> impl Iterator<Item = (&GroupKey, GroupHour)> {
        let n_groups = self.keys.len();
        let sums = self.sums(past, first, day).into_iter().enumerate();
        sums.filter_map(move |(i, sums)| {
            let hour = ConsensusHour::new(first + (i / n_groups) as i32);
            Some((&self.keys[i % n_groups], sums?.at(hour, past.network.get(&hour.get()))))
        })
    }

    /// Sums by hour of the day, then group.
    fn sums(&self, past: &Past, first: i32, day: &Day) -> Vec<Option<Sums>> {
        let mut sums = vec![None; self.keys.len() * HOURS_OF_DAY.len()];
        for (relay_id, measured) in &day.0 {
            for (hour_of_day, _, state) in past.listed(*relay_id, first) {
                let values = [WEIGHT, ADVERTISED, OBSERVED].map(|quantity| measured[quantity].get(hour_of_day));
                if values.iter().any(Option::is_some) {
                    let of_hour = &mut sums[self.keys.len() * hour_of_day as usize..];
                    for group in &self.of_state[state] {
                        of_hour[*group].get_or_insert_with(Sums::default).add(past.states[state].flags, values);
                    }
                }
            }
        }
        sums
    }
}

/// Sums of one group at one hour.
#[derive(Debug, Clone, Default)]
struct Sums {
    n_weighed: u32,
    weight_by_role: [f64; 4],
    advertised: Option<u64>,
    observed: Option<u64>,
}

impl Sums {
    fn add(&mut self, flags: RelayFlags, [weight, advertised, observed]: [Option<u64>; 3]) {
        if let Some(weight) = weight {
            self.n_weighed += 1;
            self.weight_by_role[WeightRole::of_flags(flags) as usize] += weight as f64;
        }
        let plus = |sum: Option<u64>, value: Option<u64>| value.map(|value| sum.unwrap_or(0).saturating_add(value)).or(sum);
        (self.advertised, self.observed) = (plus(self.advertised, advertised), plus(self.observed, observed));
    }

    fn at(&self, hour: ConsensusHour, network: Option<&SelectionProbabilities>) -> GroupHour {
        let weight: f64 = self.weight_by_role.iter().sum();
        let network = network.filter(|_| self.n_weighed > 0);
        let selected = network.map_or([None; 3], |network| network.of_group(self.weight_by_role));
        let [guard, middle, exit] = selected.map(|probability| probability.and_then(Fraction::clamped));
        GroupHour {
            hour,
            n_weighed: self.n_weighed,
            consensus_weight: (self.n_weighed > 0).then_some(weight),
            consensus_weight_fraction: network.and_then(|network| Fraction::of(weight, network.weight())),
            guard_probability: guard,
            middle_probability: middle,
            exit_probability: exit,
            advertised_bandwidth: self.advertised,
            observed_bandwidth: self.observed,
        }
    }
}

impl Grouping {
    fn keys(self, state: &RelayState) -> Vec<GroupKey> {
        match self {
            Self::Network => vec![GroupKey::Network],
            Self::Country => state.country.map(GroupKey::Country).into_iter().collect(),
            Self::AutonomousSystem => state.asn.map(GroupKey::AutonomousSystem).into_iter().collect(),
            Self::Flag => state.flags.iter().map(GroupKey::Flag).collect(),
        }
    }
}
