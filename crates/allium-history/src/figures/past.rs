//! The days of relays, from hourly numbers and the states of relays at these hours.
//!
//! A day of a relay is a mean over the consensuses that list it and are asked for. Input: hourly weights and bandwidths
//! ([`crate::blob::day`]), spans, and the selection probabilities of each hour.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use allium_model::{ConsensusHour, Fraction, RelayState, SelectionProbabilities, WeightRole};

use super::RelayDay;
use crate::blob::day::{ADVERTISED, DAY_HOURS, Measured, OBSERVED, WEIGHT};

/// The hours of a day, from 0.
pub(crate) const HOURS_OF_DAY: Range<u32> = 0..DAY_HOURS.unsigned_abs();

/// States of relays and selection probabilities at the hours that are asked for.
pub(crate) struct Past {
    pub(crate) asked: Range<i32>,
    /// Hours among these that are left out.
    pub(crate) left_out: BTreeSet<i32>,
    /// By hour; hours without weights are missing.
    pub(crate) network: HashMap<i32, SelectionProbabilities>,
    pub(crate) states: Vec<RelayState>,
    /// By the number of the relay, earliest first: hours, and the index of a state.
    pub(crate) spans: HashMap<i64, Vec<(Range<i32>, usize)>>,
}

impl Past {
    /// The hours of a day that are asked for and list a relay: hour of the day, hour, index of the state.
    pub(crate) fn listed(&self, relay_id: i64, first: i32) -> impl Iterator<Item = (u32, i32, usize)> {
        let spans = self.spans.get(&relay_id).map_or(&[][..], Vec::as_slice);
        HOURS_OF_DAY.filter_map(move |hour_of_day| {
            let hour = first.saturating_add_unsigned(hour_of_day);
            let (_, state) = spans.get(spans.partition_point(|(hours, _)| hours.end <= hour)).filter(|(hours, _)| hours.start <= hour)?;
            (self.asked.contains(&hour) && !self.left_out.contains(&hour)).then_some((hour_of_day, hour, *state))
        })
    }

    /// The figures of a relay on the day that begins with an hour; `None` where nothing is known.
    pub(crate) fn relay_day(&self, relay_id: i64, first: i32, measured: &Measured) -> Option<RelayDay> {
        let (mut weight, mut fraction, mut positions, mut bandwidths) =
            (Mean::default(), Mean::default(), [Mean::default(); 3], [Mean::default(); 2]);
        for (hour_of_day, hour, state) in self.listed(relay_id, first) {
            let value = |quantity: usize| measured[quantity].get(hour_of_day).map(|value| value as f64);
            bandwidths[0].add(value(ADVERTISED));
            bandwidths[1].add(value(OBSERVED));
            let (Some(value), Some(network)) = (value(WEIGHT), self.network.get(&hour)) else { continue };
            weight.add(Some(value));
            fraction.add((network.weight() > 0.0).then(|| value / network.weight()));
            let selected = network.of_relay(WeightRole::of_flags(self.states[state].flags), value);
            positions.iter_mut().zip(selected).for_each(|(mean, probability)| mean.add(probability));
        }
        let is_known = weight.n > 0 || bandwidths.iter().any(|mean| mean.n > 0);
        is_known.then(|| RelayDay {
            start: ConsensusHour::new(first),
            n_weighed: weight.n,
            consensus_weight: weight.get(),
            consensus_weight_fraction: fraction.share(),
            guard_probability: positions[0].share(),
            middle_probability: positions[1].share(),
            exit_probability: positions[2].share(),
            advertised_bandwidth: bandwidths[0].get(),
            observed_bandwidth: bandwidths[1].get(),
        })
    }
}

/// A mean of the values that are known.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    n: u32,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.n += 1;
        }
    }

    fn get(self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / f64::from(self.n))
    }

    fn share(self) -> Option<Fraction> {
        self.get().and_then(Fraction::clamped)
    }
}
