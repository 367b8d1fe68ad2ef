//! Traffic of a relay as a function of time: consensus weight and bytes per second.
//!
//! Both wander around a level of the relay's own; noise belongs to relay and time, so that any hour can be asked for without
//! storing the past. A weight holds for a block of four hours, as measurements do.

use allium_model::ConsensusHour;

use crate::dice::noise;

/// Hours for which a weight holds.
pub(crate) const BLOCK_HOURS: i32 = 4;
const KNOT_HOURS: i32 = 72;
/// Hours for which new relays are not measured, and the weight that they get.
const UNMEASURED_HOURS: i32 = 72;
const UNMEASURED_WEIGHT: f64 = 20.0;

/// Capacity of a relay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    /// The keys of its noise.
    pub(crate) key: [u64; 2],
    pub(crate) birth: ConsensusHour,
    /// Consensus weight when grown up, about kilobytes per second.
    pub(crate) weight: f64,
    /// True if bandwidth authorities ever succeed in measuring it.
    pub(crate) measurable: bool,
    /// The most that it sustained, bytes per second.
    pub(crate) observed: f64,
    /// The share of that which it carries on average.
    pub(crate) utilisation: f64,
}

impl Capacity {
    /// True if enough bandwidth authorities know it.
    pub(crate) const fn measured(&self, hour: ConsensusHour) -> bool {
        self.measurable && hour.hours_since(self.birth) >= UNMEASURED_HOURS
    }

    /// The consensus weight in the block of this hour, with two significant digits as measurements have.
    pub(crate) fn weight(&self, hour: ConsensusHour) -> f64 {
        let block = ConsensusHour::new(hour.get().div_euclid(BLOCK_HOURS) * BLOCK_HOURS);
        if !self.measured(block) {
            return UNMEASURED_WEIGHT;
        }
        two_digits(self.weight * self.grown(block) * (0.15 * self.wander(0, block)).exp())
    }

    /// Bytes per second over the day that begins at this hour.
    pub(crate) fn bytes_per_second(&self, hour: ConsensusHour) -> f64 {
        self.observed * self.utilisation * self.grown(hour) * (0.25 * self.wander(1, hour)).exp()
    }

    /// The bandwidth that the relay saw itself sustain lately: bytes per second.
    pub(crate) fn observed_now(&self, hour: ConsensusHour) -> u64 {
        (self.observed * self.grown(hour).max(0.05) * (0.08 * self.wander(2, hour)).exp()).min(2_147_483_647.0) as u64
    }

    /// New relays are used little at first.
    fn grown(&self, hour: ConsensusHour) -> f64 {
        let days = f64::from(hour.hours_since(self.birth)) / 24.0;
        (days / 25.0).clamp(0.02, 1.0).powf(0.8)
    }

    fn wander(&self, what: u64, hour: ConsensusHour) -> f64 {
        let knot = hour.get().div_euclid(KNOT_HOURS);
        let along = f64::from(hour.get().rem_euclid(KNOT_HOURS)) / f64::from(KNOT_HOURS);
        let at = |knot: i32| noise(&[self.key[0], self.key[1], what, knot as u64]);
        at(knot) * (1.0 - along) + at(knot + 1) * along
    }
}

/// Rounded to two significant digits; at least 1.
fn two_digits(weight: f64) -> f64 {
    let mut unit = 1.0;
    while weight >= 100.0 * unit {
        unit *= 10.0;
    }
    ((weight / unit).round() * unit).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_two_digits() {
        for (weight, rounded) in [(0.2, 1.0), (14.4, 14.0), (99.6, 100.0), (614.0, 610.0), (78_499.0, 78_000.0)] {
            assert_eq!(two_digits(weight), rounded);
        }
    }
}
