//! The rate at which a relay leaves; the expectation of every cohort is a sum of these.
//!
//! Per relay, hours seen running and departures are counted with weights that halve every 14 days. The hazard is departures per
//! hour, shrunk towards that of relays of the same age: `(departures + κ × hazard of its age) / (hours + κ)`, κ = 72 hours. The
//! hazard of an age is counted over all relays with the same half-life. Departures that belong to an incident are not counted. Losses
//! of a flag are counted alike.

use allium_model::RelayFlags;
use serde::{Deserialize, Serialize};

/// Half-life of counts, in hours.
const HALF_LIFE: f64 = 14.0 * 24.0;
/// Strength of the prior, in hours.
const KAPPA: f64 = 72.0;
/// Upper ends of age classes, in hours.
const AGES: [i32; 5] = [24, 72, 192, 720, 2160];
/// Number of age classes.
pub(crate) const N_AGES: usize = AGES.len() + 1;

/// The index of a case.
pub(crate) type CaseIdx = u32;

/// The past of a relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    /// Hour of the first list that had it; `i32::MIN` if none did.
    pub(crate) first_seen: i32,
    /// Hour of the last list that had it.
    pub(crate) last_seen: i32,
    /// Number of the last list that had it, counted from 1.
    list: u32,
    pub(crate) running: bool,
    pub(crate) flags: u32,
    /// Hour to which the counts are advanced.
    updated: i32,
    hours: f32,
    leaves: f32,
    flag_losses: f32,
    /// Departures per hour as of the last update.
    pub(crate) hazard: f32,
    /// Losses of a flag per hour as of the last update.
    pub(crate) flag_hazard: f32,
    /// Part of a surge: does not count as lost before this hour.
    pub(crate) newcomer_until: i32,
    /// The case that it was last claimed by; that may be over.
    pub(crate) case: Option<CaseIdx>,
    /// The case of a lost flag that it last belonged to.
    pub(crate) flag_case: Option<CaseIdx>,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            first_seen: i32::MIN,
            last_seen: i32::MIN,
            list: 0,
            running: false,
            flags: 0,
            updated: 0,
            hours: 0.0,
            leaves: 0.0,
            flag_losses: 0.0,
            hazard: 0.0,
            flag_hazard: 0.0,
            newcomer_until: i32::MIN,
            case: None,
            flag_case: None,
        }
    }
}

impl Track {
    pub(crate) fn is_known(&self) -> bool {
        self.first_seen != i32::MIN
    }

    /// True if the list of this number has it.
    pub(crate) fn is_in(&self, list: u32) -> bool {
        self.list == list
    }

    /// True if it is down and was running at this hour or later.
    pub(crate) fn is_down_since(&self, hour: i32) -> bool {
        !self.running && self.last_seen >= hour
    }

    /// True if it is part of a surge.
    pub(crate) fn is_newcomer(&self, hour: i32) -> bool {
        self.newcomer_until >= hour
    }

    /// True if its departure counts as a loss.
    pub(crate) fn is_mature(&self, hour: i32, mature_hours: i32) -> bool {
        hour.saturating_sub(self.first_seen) >= mature_hours && hour >= self.newcomer_until
    }

    /// Advances the counts to an hour up to which it was running or not.
    fn advance(&mut self, hour: i32) {
        let elapsed = f64::from(hour - self.updated);
        if elapsed <= 0.0 {
            return;
        }
        let kept = (-elapsed / HALF_LIFE).exp2();
        let gained = if self.running { (1.0 - kept) * HALF_LIFE / std::f64::consts::LN_2 } else { 0.0 };
        self.hours = (f64::from(self.hours) * kept + gained) as f32;
        self.leaves = (f64::from(self.leaves) * kept) as f32;
        self.flag_losses = (f64::from(self.flag_losses) * kept) as f32;
        self.updated = hour;
    }

    /// Its first appearance.
    pub(crate) fn appear(&mut self, hour: i32, first_seen: i32) {
        self.first_seen = first_seen;
        self.updated = hour;
    }

    /// Notes that a list has it.
    pub(crate) fn list(&mut self, number: u32, hour: i32, flags: RelayFlags) {
        self.list = number;
        self.running = true;
        self.last_seen = hour;
        self.flags = flags.bits();
    }

    /// Notes that the list of an hour lacks it.
    pub(crate) fn leave(&mut self, hour: i32) {
        self.advance(hour);
        self.running = false;
        self.leaves += 1.0;
    }

    /// Notes that it is down because of a case, if it is down. Its departure had a cause that others shared and does not count.
    pub(crate) fn claim(&mut self, case: CaseIdx) {
        if self.running {
            return;
        }
        if self.case.is_none() {
            self.leaves = (self.leaves - 1.0).max(0.0);
        }
        self.case = Some(case);
    }

    pub(crate) fn count_flag_loss(&mut self) {
        self.flag_losses += 1.0;
    }

    /// Computes the hazards again.
    pub(crate) fn refresh(&mut self, hour: i32, ages: &Ages) {
        self.advance(hour);
        let prior = ages.of(hour.saturating_sub(self.first_seen));
        let hours = f64::from(self.hours) + KAPPA;
        self.hazard = ((f64::from(self.leaves) + KAPPA * prior.hazard()) / hours) as f32;
        self.flag_hazard = ((f64::from(self.flag_losses) + KAPPA * prior.flag_hazard()) / hours) as f32;
    }
}

/// Relays at risk, departures and losses of flags in one list, by age class.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgeCounts {
    pub(crate) at_risk: [u32; N_AGES],
    pub(crate) leaves: [u32; N_AGES],
    pub(crate) flag_losses: [u32; N_AGES],
}

/// Counts over all relays of an age.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Age {
    hours: f64,
    leaves: f64,
    flag_losses: f64,
}

impl Age {
    fn hazard(&self) -> f64 {
        (self.leaves + 1.0) / (self.hours + 200.0)
    }

    fn flag_hazard(&self) -> f64 {
        (self.flag_losses + 0.1) / (self.hours + 200.0)
    }
}

/// The hazards of the age classes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Ages([Age; N_AGES]);

impl Ages {
    pub(crate) fn class(age_hours: i32) -> usize {
        AGES.iter().position(|end| age_hours < *end).unwrap_or(AGES.len())
    }

    fn of(&self, age_hours: i32) -> &Age {
        &self.0[Self::class(age_hours)]
    }

    /// Takes in the counts of a list that came so many hours after the one before.
    pub(crate) fn learn(&mut self, elapsed: f64, counts: &AgeCounts) {
        let kept = (-elapsed / HALF_LIFE).exp2();
        for (i, age) in self.0.iter_mut().enumerate() {
            age.hours = age.hours * kept + f64::from(counts.at_risk[i]) * elapsed;
            age.leaves = age.leaves * kept + f64::from(counts.leaves[i]);
            age.flag_losses = age.flag_losses * kept + f64::from(counts.flag_losses[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_never_leaves_has_a_lower_hazard_than_one_that_often_does() {
        let mut ages = Ages::default();
        ages.learn(1000.0, &AgeCounts { at_risk: [10; N_AGES], leaves: [100; N_AGES], ..AgeCounts::default() });
        let (mut steady, mut restless) = (Track::default(), Track::default());
        for track in [&mut steady, &mut restless] {
            track.appear(0, 0);
            track.running = true;
        }
        for hour in (24..2400).step_by(24) {
            restless.leave(hour);
            restless.running = true;
        }
        steady.refresh(2400, &ages);
        restless.refresh(2400, &ages);
        assert!(steady.hazard < 0.002 && restless.hazard > 0.02, "{} {}", steady.hazard, restless.hazard);
    }
}
