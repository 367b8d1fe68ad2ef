//! Votes of the directory authorities on a relay: flags and weights.
//!
//! Stability is measured as in dir-spec and Tor's `rephist.c`: weighted mean time between failures, weighted fractional uptime
//! and weighted time known, each multiplied by 0.95 every 12 hours. Thresholds are medians over running relays with
//! the fixed alternatives of dir-spec, section "Assigning flags in a vote". There is one opinion here, not nine.

use allium_model::{ConsensusHour, PositionFactors, RelayFlag, RelayFlags, SelectionProbabilities, WeightRole};

/// Hours between two rounds of forgetting.
pub(crate) const DECAY_EVERY_HOURS: i32 = 12;
const DECAY: f32 = 0.95;
/// The weighted time known of a relay known for ever: 12 h ÷ (1 − 0.95).
const SATURATED_HOURS: f32 = 240.0;

/// Record of a relay's behaviour, with the past fading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record {
    up_hours: f32,
    known_hours: f32,
    run_hours: f32,
    runs: f32,
}

impl Record {
    /// The record of a relay that behaved like this for long enough.
    pub(crate) fn seasoned(age_hours: f64, availability: f64, mean_run_hours: f64) -> Self {
        let known = SATURATED_HOURS * (1.0 - (-age_hours / f64::from(SATURATED_HOURS)).exp()) as f32;
        let runs = (f64::from(known) / mean_run_hours) as f32;
        Self { up_hours: known * availability as f32, known_hours: known, run_hours: runs * mean_run_hours as f32, runs }
    }

    /// One more hour.
    pub(crate) const fn add_hour(&mut self, up: bool) {
        self.known_hours += 1.0;
        if up {
            self.up_hours += 1.0;
        }
    }

    /// A run that ended.
    pub(crate) const fn add_run(&mut self, hours: i32) {
        self.run_hours += hours as f32;
        self.runs += 1.0;
    }

    /// Lets the past fade.
    pub(crate) const fn decay(&mut self) {
        self.up_hours *= DECAY;
        self.known_hours *= DECAY;
        self.run_hours *= DECAY;
        self.runs *= DECAY;
    }

    /// Weighted mean time between failures in hours, given the hours of the run under way.
    pub(crate) fn mtbf_hours(&self, run_hours: i32) -> f32 {
        (self.run_hours + run_hours as f32) / (self.runs + 1.0)
    }

    /// Weighted fractional uptime.
    pub(crate) fn fractional_uptime(&self) -> f32 {
        if self.known_hours > 0.0 { self.up_hours / self.known_hours } else { 0.0 }
    }

    /// Weighted time known in hours.
    pub(crate) const fn known_hours(&self) -> f32 {
        self.known_hours
    }
}

/// Traits that a relay keeps for as long as it lives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nature {
    pub(crate) authority: bool,
    pub(crate) exit_policy: bool,
    pub(crate) bad_exit: bool,
    pub(crate) middle_only: bool,
    pub(crate) directory: bool,
}

/// Thresholds of the flags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    stable_mtbf_hours: f32,
    guard_uptime: f32,
    guard_known_hours: f32,
    guard_weight: f32,
    fast_weight: f32,
}

/// One running relay, with the figures that thresholds need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ballot {
    pub(crate) mtbf_hours: f32,
    pub(crate) fractional_uptime: f32,
    pub(crate) known_hours: f32,
    pub(crate) weight: f32,
}

impl Thresholds {
    /// Thresholds among these running relays.
    pub(crate) fn among(ballots: &[Ballot]) -> Self {
        let quantile = |of: fn(&Ballot) -> f32, level: f64| -> f32 {
            let mut values: Vec<f32> = ballots.iter().map(of).collect();
            if values.is_empty() {
                return 0.0;
            }
            let index = ((values.len() - 1) as f64 * level) as usize;
            *values.select_nth_unstable_by(index, f32::total_cmp).1
        };
        Self {
            stable_mtbf_hours: quantile(|b| b.mtbf_hours, 0.5).min(5.0 * 24.0),
            guard_uptime: quantile(|b| b.fractional_uptime, 0.5).min(0.98),
            guard_known_hours: quantile(|b| b.known_hours, 0.125).min(8.0 * 24.0),
            guard_weight: quantile(|b| b.weight, 0.75).min(2000.0),
            fast_weight: quantile(|b| b.weight, 0.125).min(100.0),
        }
    }

    /// The flags of a running relay.
    pub(crate) fn flags(&self, nature: Nature, ballot: &Ballot, process_hours: i32) -> RelayFlags {
        let stable = ballot.mtbf_hours >= self.stable_mtbf_hours;
        let fast = ballot.weight >= self.fast_weight;
        let mut flags = RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Valid]);
        let mut set = |flag, given: bool| {
            if given {
                flags.insert(flag);
            }
        };
        set(RelayFlag::Authority, nature.authority);
        set(RelayFlag::Stable, stable);
        set(RelayFlag::Fast, fast);
        set(RelayFlag::MiddleOnly, nature.middle_only);
        set(RelayFlag::BadExit, nature.middle_only || nature.bad_exit);
        if nature.middle_only {
            return flags;
        }
        set(RelayFlag::Exit, nature.exit_policy);
        set(RelayFlag::V2Dir, nature.directory);
        set(RelayFlag::HSDir, nature.directory && stable && fast && process_hours >= 96);
        let familiar = ballot.known_hours >= self.guard_known_hours && ballot.fractional_uptime >= self.guard_uptime;
        set(RelayFlag::Guard, familiar && stable && fast && nature.directory && ballot.weight >= self.guard_weight && !nature.authority);
        flags
    }
}

/// The `bandwidth-weights` line of a consensus: ten-thousandths. Directory requests use every relay as it is.
pub(crate) fn bandwidth_weights_line(factors: &PositionFactors) -> String {
    let of = |share: f64| (share * 10_000.0).round() as i64;
    let [wgg, _, wgd, _] = factors.guard.map(of);
    let [wmg, wme, wmd, wmm] = factors.middle.map(of);
    let [_, wee, wed, _] = factors.exit.map(of);
    let (wgm, wem, weg) = (wgg, wee, wed);
    format!(
        "bandwidth-weights Wbd={wmd} Wbe={wme} Wbg={wmg} Wbm=10000 Wdb=10000 Web=10000 Wed={wed} Wee={wee} Weg={weg} Wem={wem} \
         Wgb=10000 Wgd={wgd} Wgg={wgg} Wgm={wgm} Wmb=10000 Wmd={wmd} Wme={wme} Wmg={wmg} Wmm={wmm}\n"
    )
}

/// Sums over the running relays of one consensus.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) hour: Option<ConsensusHour>,
    /// Consensus weight by [`WeightRole`].
    by_role: [f64; 4],
    pub(crate) n_running: u32,
}

impl Totals {
    pub(crate) fn add(&mut self, flags: RelayFlags, weight: f64) {
        self.by_role[WeightRole::of_flags(flags) as usize] += weight;
        self.n_running += 1;
    }

    pub(crate) fn weight(&self) -> f64 {
        self.by_role.iter().sum()
    }

    /// Case 3 of dir-spec (exits scarce: they do nothing else) or case 1 (nothing scarce), with shares kept within 0..=1.
    pub(crate) fn position_factors(&self) -> PositionFactors {
        let [g, e, d, m] = self.by_role;
        let share = |part: f64, whole: f64| if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
        if 3.0 * (e + d) < self.weight() {
            let wgg = if g < m { 1.0 } else { share(g + m, 2.0 * g) };
            return PositionFactors { guard: [wgg, 0.0, 0.0, 0.0], middle: [1.0 - wgg, 0.0, 0.0, 1.0], exit: [0.0, 1.0, 1.0, 0.0] };
        }
        let wee = share(e + g + m, 3.0 * e);
        let wmg = share(2.0 * g - e - m, 3.0 * g);
        let third = 1.0 / 3.0;
        PositionFactors { guard: [1.0 - wmg, 0.0, third, 0.0], middle: [wmg, 1.0 - wee, third, 1.0], exit: [0.0, wee, third, 0.0] }
    }

    /// The probabilities of one relay.
    pub(crate) fn probabilities(&self, flags: RelayFlags, weight: f64) -> Probabilities {
        let network = SelectionProbabilities::new(self.by_role, Some(self.position_factors()));
        let [guard, middle, exit] = network.of_relay(WeightRole::of_flags(flags), weight).map(Option::unwrap_or_default);
        let fraction = if network.weight() > 0.0 { weight / network.weight() } else { 0.0 };
        Probabilities { fraction, guard, middle, exit }
    }
}

/// Share of consensus weight, and selection probabilities for the three positions of a circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Probabilities {
    pub(crate) fraction: f64,
    pub(crate) guard: f64,
    pub(crate) middle: f64,
    pub(crate) exit: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_to_one_for_each_position() {
        let flags = [vec![RelayFlag::Guard], vec![RelayFlag::Exit], vec![RelayFlag::Guard, RelayFlag::Exit], vec![]];
        for sums in [[50.0, 5.0, 10.0, 30.0], [20.0, 5.0, 10.0, 50.0], [40.0, 30.0, 30.0, 20.0]] {
            let totals = Totals { by_role: sums, ..Totals::default() };
            let of_role = |(flags, sum): (&Vec<RelayFlag>, f64)| totals.probabilities(flags.iter().copied().collect(), sum);
            let all: Vec<Probabilities> = flags.iter().zip(sums).map(of_role).collect();
            for of in
                [|p: &Probabilities| p.fraction, |p: &Probabilities| p.guard, |p: &Probabilities| p.middle, |p: &Probabilities| p.exit]
            {
                assert!((all.iter().map(of).sum::<f64>() - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_steady_relay_is_familiar_after_about_two_weeks() {
        let mut record = Record::default();
        let mut hours = 0;
        while record.known_hours() < 192.0 {
            record.add_hour(true);
            hours += 1;
            if hours % DECAY_EVERY_HOURS == 0 {
                record.decay();
            }
        }
        assert!((14 * 24..17 * 24).contains(&hours), "{hours}");
        assert!((record.fractional_uptime() - 1.0).abs() < 1e-5);
    }
}
