//! Lifetimes of relays, and the times when they are away.
//!
//! Lifetimes follow the cumulative hazard `0.215 t^0.345 + t / 1460` (t in days): many relays leave within a day, few of those
//! that stayed a year leave soon. Fitted to the relays that first appeared in 23 months of hourly lists. Outages are a
//! Poisson process per relay whose rate is log-normal over relays; their lengths are a mixture of log-normals.

use allium_model::ConsensusHour;

use crate::dice::Dice;

const OLDEST_DAYS: f64 = 14.0 * 365.0;

/// The cumulative hazard of leaving for good at this age in days.
fn hazard(days: f64) -> f64 {
    0.215 * days.powf(0.345) + days / 1460.0
}

/// The age in days at which the cumulative hazard reaches this level, by bisection.
fn age_at_hazard(level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40_000.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if hazard(middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Days that a relay of this age still has; with a `vigour` of 2 it lives twice as long as others.
pub(crate) fn remaining_days(dice: &mut Dice, age_days: f64, vigour: f64) -> f64 {
    age_at_hazard(hazard(age_days / vigour) + dice.exponential()) * vigour - age_days
}

/// The ages of a population in balance: as many arrive as leave.
pub(crate) struct Ages {
    days: Vec<f64>,
    running_totals: Vec<f64>,
}

impl Ages {
    pub(crate) fn new() -> Self {
        let days: Vec<f64> = (0..=600).map(|i| 0.01 * (OLDEST_DAYS / 0.01).powf(f64::from(i) / 600.0)).collect();
        let mut sum = 0.0;
        let mut before = 0.0;
        let running_totals = days
            .iter()
            .map(|age| {
                sum += (-hazard(*age)).exp() * (age - before);
                before = *age;
                sum
            })
            .collect();
        Self { days, running_totals }
    }

    /// The age in days of some relay.
    pub(crate) fn draw(&self, dice: &mut Dice) -> f64 {
        let index = dice.weighted(&self.running_totals);
        let younger = index.checked_sub(1).map_or(0.0, |i| self.days[i]);
        younger + dice.unit() * (self.days[index] - younger)
    }

    /// The mean lifetime in days: a population of n needs n ÷ mean arrivals per day.
    pub(crate) fn mean_lifetime_days(&self) -> f64 {
        self.running_totals.last().copied().unwrap_or(1.0)
    }
}

/// Kind of relay by its presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On a server: away for maintenance now and then.
    Server,
    /// On a home line: away more often, mostly in the evening and at weekends.
    Home,
    /// Switched off at night.
    PartTime,
    /// Away for an hour or so again and again.
    Flapper,
}

/// Habits of a relay: its comings and goings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) kind: Kind,
    outages_per_hour: f64,
    restarts_per_hour: f64,
    /// Length of its outages, relative to those of others.
    slowness: f64,
    utc_offset: i8,
    wakes_at: u8,
    awake_hours: u8,
}

/// The next event in the life of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It disappears from the consensus.
    GoDown,
    /// It is back; its process is new or not.
    ComeBack {
        /// True if the outage was one of the relay, false if of its line.
        restarted: bool,
    },
    /// Its process restarts between two consensuses.
    Restart,
    /// It is gone for good.
    Leave,
    /// Nothing that shows.
    Nothing,
}

const HOURS_PER_YEAR: f64 = 8766.0;

impl Habits {
    /// The habits of some relay.
    pub(crate) fn draw(dice: &mut Dice, home: bool, utc_offset: i8) -> Self {
        let kind = match (home, dice.unit()) {
            (true, u) if u < 0.15 => Kind::PartTime,
            (true, u) if u < 0.21 => Kind::Flapper,
            (true, _) => Kind::Home,
            (false, u) if u < 0.02 => Kind::Flapper,
            (false, _) => Kind::Server,
        };
        let per_year = match kind {
            Kind::Server => dice.log_normal(1.7, 1.7),
            Kind::Home => dice.log_normal(8.0, 1.6),
            Kind::PartTime => 6.0,
            Kind::Flapper => dice.log_normal(260.0, 0.7),
        };
        Self {
            kind,
            outages_per_hour: per_year.min(1500.0) / HOURS_PER_YEAR,
            restarts_per_hour: dice.log_normal(9.0, 1.4).min(700.0) / HOURS_PER_YEAR,
            slowness: dice.log_normal(1.0, 1.2),
            utc_offset,
            wakes_at: 6 + dice.below(5) as u8,
            awake_hours: 9 + dice.below(11) as u8,
        }
    }

    /// The habits of a directory authority: hardly ever away.
    pub(crate) const fn steady() -> Self {
        Self {
            kind: Kind::Server,
            outages_per_hour: 0.5 / HOURS_PER_YEAR,
            restarts_per_hour: 8.0 / HOURS_PER_YEAR,
            slowness: 0.5,
            utc_offset: 0,
            wakes_at: 0,
            awake_hours: 24,
        }
    }

    /// Factor by which such relays live longer than others.
    pub(crate) const fn vigour(&self) -> f64 {
        match self.kind {
            Kind::Server => 1.3,
            Kind::Home => 1.0,
            Kind::PartTime | Kind::Flapper => 0.7,
        }
    }

    /// The share of time that it is there.
    pub(crate) fn availability(&self) -> f64 {
        let usual = 1.0 / (1.0 + self.outages_per_hour * self.mean_outage_hours());
        if self.kind == Kind::PartTime { usual * f64::from(self.awake_hours) / 24.0 } else { usual }
    }

    /// The mean time between outages in hours.
    pub(crate) fn mean_run_hours(&self) -> f64 {
        if self.kind == Kind::PartTime { f64::from(self.awake_hours) } else { (1.0 / self.outages_per_hour).min(8000.0) }
    }

    fn mean_outage_hours(&self) -> f64 {
        match self.kind {
            Kind::Flapper => 2.0,
            _ => 20.0 * self.slowness,
        }
    }

    /// The next event of a relay that is up or down at this hour, and its time; later than `at`.
    pub(crate) fn next(&self, dice: &mut Dice, up: bool, at: ConsensusHour) -> (ConsensusHour, Step) {
        match (self.kind, up) {
            (Kind::PartTime, up) => self.next_switch(dice, up, at),
            (_, true) => self.next_trouble(dice, at),
            (_, false) => {
                let restarted = dice.chance(0.7);
                (later(at, self.outage_hours(dice)), Step::ComeBack { restarted })
            }
        }
    }

    fn next_trouble(&self, dice: &mut Dice, at: ConsensusHour) -> (ConsensusHour, Step) {
        // Thinning (Lewis and Shedler 1979): candidates come at the peak rate, and off-peak ones are dropped.
        let peak = if self.kind == Kind::Home { 1.6 } else { 1.0 };
        let outages = self.outages_per_hour * peak;
        let rate = outages + self.restarts_per_hour;
        let when = later(at, dice.exponential() / rate);
        if dice.chance(self.restarts_per_hour / rate) {
            return (when, if dice.chance(0.04) { Step::GoDown } else { Step::Restart });
        }
        let accepted = self.kind != Kind::Home || dice.chance(self.rhythm(when) / peak);
        (when, if accepted { Step::GoDown } else { Step::Nothing })
    }

    /// Rate of trouble at home by local hour and day of the week; 1 on average.
    fn rhythm(&self, hour: ConsensusHour) -> f64 {
        let local = hour.get() + i32::from(self.utc_offset);
        let evening = if matches!(local.rem_euclid(24), 18..=23) { 1.3 } else { 0.9 };
        // 1970-01-01 was a Thursday: days 2 and 3 of these weeks are Saturday and Sunday.
        let weekend = if matches!(local.div_euclid(24).rem_euclid(7), 2 | 3) { 1.2 } else { 0.92 };
        evening * weekend
    }

    fn outage_hours(&self, dice: &mut Dice) -> f64 {
        match (self.kind, dice.unit()) {
            (Kind::Flapper, _) => dice.log_normal(1.2, 0.7),
            (_, u) if u < 0.84 => dice.log_normal(1.4, 0.8) * self.slowness,
            (_, u) if u < 0.965 => dice.log_normal(26.0, 1.1) * self.slowness,
            _ => dice.log_normal(150.0, 1.1),
        }
    }

    fn next_switch(&self, dice: &mut Dice, up: bool, at: ConsensusHour) -> (ConsensusHour, Step) {
        let switches_at = i32::from(self.wakes_at) + if up { i32::from(self.awake_hours) } else { 0 };
        let local = at.get() + i32::from(self.utc_offset);
        let wait = (switches_at - local).rem_euclid(24).max(1) as f64 + dice.normal();
        // A long night now and then: away for a few days.
        let extra = if !up && dice.chance(0.03) { 24.0 * (1.0 + dice.below(6) as f64) } else { 0.0 };
        (later(at, wait + extra), if up { Step::GoDown } else { Step::ComeBack { restarted: true } })
    }
}

/// At least one hour later; far futures are all the same.
fn later(at: ConsensusHour, hours: f64) -> ConsensusHour {
    at.plus(hours.clamp(1.0, 1e6).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_those_of_the_real_network() {
        let mut dice = Dice::keyed(&[11]);
        let lives: Vec<f64> = (0..20_000).map(|_| remaining_days(&mut dice, 0.0, 1.0)).collect();
        for (days, real) in [(1.0, 0.80), (7.0, 0.62), (30.0, 0.475), (90.0, 0.325), (365.0, 0.157)] {
            let share = lives.iter().filter(|life| **life > days).count() as f64 / lives.len() as f64;
            assert!((share - real).abs() < 0.04, "{share:.3} of relays live longer than {days} days");
        }
    }

    #[test]
    fn ages_are_in_balance() {
        let ages = Ages::new();
        assert!((ages.mean_lifetime_days() - 196.0).abs() < 5.0, "{}", ages.mean_lifetime_days());
        let mut dice = Dice::keyed(&[12]);
        let mut drawn: Vec<f64> = (0..20_000).map(|_| ages.draw(&mut dice)).collect();
        drawn.sort_by(f64::total_cmp);
        assert!((drawn[10_000] / 334.0 - 1.0).abs() < 0.1, "{}", drawn[10_000]);
    }
}
