//! Votes of the directory authorities on a relay: flags and weights.
//!
//! Stability is measured as in dir-spec and Tor's `rephist.c`: weighted mean time between failures, weighted fractional uptime
//! and weighted time known, each multiplied by 0.95 every 12 hours. Thresholds are medians over running relays with
//! the fixed alternatives of dir-spec, section "Assigning flags in a vote". There is one opinion here, not nine.

use allium_model::{ConsensusHour, RelayFlag, RelayFlags};

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

/// Factors from consensus weight to selection probability by position: `bandwidth-weights` of dir-spec, as shares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct PositionWeights {
    guard: [f64; 4],
    middle: [f64; 4],
    exit: [f64; 4],
}

impl PositionWeights {
    /// The line of a consensus: ten-thousandths. Directory requests use every relay as it is.
    pub(crate) fn line(&self) -> String {
        let of = |share: f64| (share * 10_000.0).round() as i64;
        let [_, wgg, _, wgd] = self.guard.map(of);
        let [wmm, wmg, wme, wmd] = self.middle.map(of);
        let [_, _, wee, wed] = self.exit.map(of);
        let (wgm, wem, weg) = (wgg, wee, wed);
        format!(
            "bandwidth-weights Wbd={wmd} Wbe={wme} Wbg={wmg} Wbm=10000 Wdb=10000 Web=10000 Wed={wed} Wee={wee} Weg={weg} Wem={wem} \
             Wgb=10000 Wgd={wgd} Wgg={wgg} Wgm={wgm} Wmb=10000 Wmd={wmd} Wme={wme} Wmg={wmg} Wmm={wmm}\n"
        )
    }
}

/// Sums over the running relays of one consensus.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) hour: Option<ConsensusHour>,
    /// Consensus weight by role: middle, guard, exit, guard and exit.
    by_role: [f64; 4],
    pub(crate) n_running: u32,
}

/// Roles in the order of [`Totals`]: Guard counts 1, Exit without BadExit 2.
const fn role(flags: RelayFlags) -> usize {
    let exit = flags.contains(RelayFlag::Exit) && !flags.contains(RelayFlag::BadExit);
    flags.contains(RelayFlag::Guard) as usize + 2 * exit as usize
}

impl Totals {
    pub(crate) fn add(&mut self, flags: RelayFlags, weight: f64) {
        self.by_role[role(flags)] += weight;
        self.n_running += 1;
    }

    pub(crate) fn weight(&self) -> f64 {
        self.by_role.iter().sum()
    }

    /// Case 3 of dir-spec (exits scarce: they do nothing else) or case 1 (nothing scarce), with shares kept within 0..=1.
    pub(crate) fn position_weights(&self) -> PositionWeights {
        let [m, g, e, d] = self.by_role;
        let share = |part: f64, whole: f64| if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
        if 3.0 * (e + d) < self.weight() {
            let wgg = if g < m { 1.0 } else { share(g + m, 2.0 * g) };
            return PositionWeights { guard: [0.0, wgg, 0.0, 0.0], middle: [1.0, 1.0 - wgg, 0.0, 0.0], exit: [0.0, 0.0, 1.0, 1.0] };
        }
        let wee = share(e + g + m, 3.0 * e);
        let wmg = share(2.0 * g - e - m, 3.0 * g);
        let third = 1.0 / 3.0;
        PositionWeights { guard: [0.0, 1.0 - wmg, 0.0, third], middle: [1.0, wmg, 1.0 - wee, third], exit: [0.0, 0.0, wee, third] }
    }

    /// The probabilities of one relay.
    pub(crate) fn chances(&self, flags: RelayFlags, weight: f64) -> Chances {
        let weights = self.position_weights();
        let share = |position: &[f64; 4]| {
            let total: f64 = position.iter().zip(self.by_role).map(|(w, sum)| w * sum).sum();
            if total > 0.0 { position[role(flags)] * weight / total } else { 0.0 }
        };
        let fraction = if self.weight() > 0.0 { weight / self.weight() } else { 0.0 };
        Chances { fraction, guard: share(&weights.guard), middle: share(&weights.middle), exit: share(&weights.exit) }
    }
}

/// Share of consensus weight, and chances for the three positions of a circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chances {
    pub(crate) fraction: f64,
    pub(crate) guard: f64,
    pub(crate) middle: f64,
    pub(crate) exit: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_add_up_to_one_for_each_position() {
        for sums in [[30.0, 50.0, 5.0, 10.0], [50.0, 20.0, 5.0, 10.0], [20.0, 40.0, 30.0, 30.0]] {
            let totals = Totals { by_role: sums, ..Totals::default() };
            let flags = |role: usize| {
                let mut flags = RelayFlags::EMPTY;
                if role & 1 > 0 {
                    flags.insert(RelayFlag::Guard);
                }
                if role & 2 > 0 {
                    flags.insert(RelayFlag::Exit);
                }
                flags
            };
            let all: Vec<Chances> = (0..4).map(|role| totals.chances(flags(role), sums[role])).collect();
            for of in [|c: &Chances| c.fraction, |c: &Chances| c.guard, |c: &Chances| c.middle, |c: &Chances| c.exit] {
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
