//! How often a relay leaves: what the expectation of every cohort is summed from.
//!
//! Per relay, hours seen running and departures are counted with weights that halve every 14 days. The hazard is departures per
//! hour, shrunk towards that of relays of the same age: `(departures + κ × hazard of its age) / (hours + κ)`, κ = 72 hours. The
//! hazard of an age is counted over all relays with the same half-life. Departures that belong to an incident are not counted. Losses of a flag are counted alike.

use serde::{Deserialize, Serialize};

/// Half-life of counts, in hours.
const HALF_LIFE: f64 = 14.0 * 24.0;
/// Strength of the prior, in hours.
const KAPPA: f64 = 72.0;
/// Upper ends of age classes, in hours.
const AGES: [i32; 5] = [24, 72, 192, 720, 2160];
/// Number of age classes.
pub(crate) const N_AGES: usize = AGES.len() + 1;

/// What is remembered of a relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    /// The list that first had it; `i32::MIN` if none did.
    pub(crate) first_seen: i32,
    /// The last list that had it.
    pub(crate) last_seen: i32,
    /// The number of the step that last listed it.
    pub(crate) step: u32,
    pub(crate) running: bool,
    pub(crate) flags: u32,
    /// When the counts were last brought up to date.
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
    /// The open case that it belongs to, plus 1.
    pub(crate) case: u32,
    /// The open case of a lost flag that it belongs to, plus 1.
    pub(crate) flag_case: u32,
}

impl Default for Track {
    fn default() -> Self {
        Self {
            first_seen: i32::MIN,
            last_seen: i32::MIN,
            step: 0,
            running: false,
            flags: 0,
            updated: 0,
            hours: 0.0,
            leaves: 0.0,
            flag_losses: 0.0,
            hazard: 0.0,
            flag_hazard: 0.0,
            newcomer_until: i32::MIN,
            case: 0,
            flag_case: 0,
        }
    }
}

impl Track {
    pub(crate) fn is_known(&self) -> bool {
        self.first_seen != i32::MIN
    }

    /// Whether its departure counts as a loss.
    pub(crate) fn is_mature(&self, hour: i32, mature_hours: i32) -> bool {
        hour.saturating_sub(self.first_seen) >= mature_hours && hour >= self.newcomer_until
    }

    /// Brings the counts up to date; it was running or not since they were.
    pub(crate) fn advance(&mut self, hour: i32) {
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

    pub(crate) fn count_leave(&mut self) {
        self.leaves += 1.0;
    }

    /// Takes the last departure back: it had a cause that others shared, and says nothing of the relay's own habits.
    pub(crate) fn excuse_leave(&mut self) {
        self.leaves = (self.leaves - 1.0).max(0.0);
    }

    pub(crate) fn count_flag_loss(&mut self) {
        self.flag_losses += 1.0;
    }

    /// Works the hazards out again.
    pub(crate) fn refresh(&mut self, hour: i32, ages: &Ages) {
        self.advance(hour);
        let prior = ages.of(hour.saturating_sub(self.first_seen));
        let hours = f64::from(self.hours) + KAPPA;
        self.hazard = ((f64::from(self.leaves) + KAPPA * prior.hazard()) / hours) as f32;
        self.flag_hazard = ((f64::from(self.flag_losses) + KAPPA * prior.flag_hazard()) / hours) as f32;
    }
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

    /// Takes in what a list shows: per class, relays at risk, departures and losses of flags, in so many hours.
    pub(crate) fn learn(&mut self, elapsed: f64, n_at_risk: &[u32; N_AGES], leaves: &[u32; N_AGES], flag_losses: &[u32; N_AGES]) {
        let kept = (-elapsed / HALF_LIFE).exp2();
        for (i, age) in self.0.iter_mut().enumerate() {
            age.hours = age.hours * kept + f64::from(n_at_risk[i]) * elapsed;
            age.leaves = age.leaves * kept + f64::from(leaves[i]);
            age.flag_losses = age.flag_losses * kept + f64::from(flag_losses[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_never_leaves_has_a_lower_hazard_than_one_that_often_does() {
        let mut ages = Ages::default();
        ages.learn(1000.0, &[10; N_AGES], &[100; N_AGES], &[0; N_AGES]);
        let (mut steady, mut restless) = (Track::default(), Track::default());
        for track in [&mut steady, &mut restless] {
            track.appear(0, 0);
            track.running = true;
        }
        for hour in (24..2400).step_by(24) {
            restless.advance(hour);
            restless.count_leave();
        }
        steady.refresh(2400, &ages);
        restless.refresh(2400, &ages);
        assert!(steady.hazard < 0.002 && restless.hazard > 0.02, "{} {}", steady.hazard, restless.hazard);
    }
}
