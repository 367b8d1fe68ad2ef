//! Habits of a relay: how it failed over the last weeks, on which advice stands.

use allium_model::ConsensusHour;

use crate::past::{Past, RelayPast};
use crate::week::{PATTERN_WEEKS, Slot, Week};

/// Parts of the day in which outages may gather.
const PART_HOURS: i32 = 3;
/// Fewest outages that begin in one part of the day, and their least share, to make it a habit.
const SAME_PART: usize = 3;
const SAME_PART_SHARE: f64 = 0.6;

/// The failures of a relay over the last weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// The first known consensus since which it does not run; `None` while it does.
    pub down_since: Option<ConsensusHour>,
    /// Outages that began in the last 30 days.
    pub n_outages_30d: usize,
    /// Median length of the outages of the last eight weeks that are over, in hours.
    pub typical_outage_hours: Option<f64>,
    /// The longest of them.
    pub longest_outage_hours: Option<f64>,
    /// The first of three hours of the day, UTC, in which at least three of them and three in five began.
    pub same_time: Option<u8>,
    /// The first consensus that listed it; `None` where the record does not show that it was new then.
    pub first_listed: Option<ConsensusHour>,
    /// The slot in which it is missed least, and whether it tends to go down then anyway; `None` without a week of the network.
    pub window: Option<(Slot, bool)>,
}

impl Habits {
    /// The habits of a relay as of an hour; nothing later is looked at.
    pub fn of(past: &Past, relay: &RelayPast, as_of: ConsensusHour, week: Option<&Week>) -> Self {
        let end = past.index_after(as_of);
        let hours = past.hours();
        let runs = relay.runs_before(end);
        let since = |days: i32| past.window(as_of, days * 24).start;
        let began = |days: i32| runs.iter().filter(move |run| run.end < end && run.end >= since(days));
        let recent = since(PATTERN_WEEKS * 7);
        let ended = runs.windows(2).filter(|pair| pair[1].start >= recent);
        let lengths: Vec<f64> =
            ended.map(|pair| f64::from(hours[pair[1].start as usize].hours_since(hours[pair[0].end as usize]))).collect();
        let mut parts = [0usize; (24 / PART_HOURS) as usize];
        let mut n_begun = 0;
        for run in began(PATTERN_WEEKS * 7) {
            parts[(hours[run.end as usize].get().rem_euclid(24) / PART_HOURS) as usize] += 1;
            n_begun += 1;
        }
        let fullest = (0..parts.len()).max_by_key(|part| (parts[*part], std::cmp::Reverse(*part)));
        let is_habit = |part: &usize| parts[*part] >= SAME_PART && parts[*part] as f64 >= SAME_PART_SHARE * n_begun as f64;
        let down_since = runs.last().filter(|run| run.end < end).map(|run| hours[run.end as usize]);
        Self {
            down_since,
            n_outages_30d: began(30).count(),
            typical_outage_hours: allium_stats::median(&lengths),
            longest_outage_hours: lengths.iter().copied().max_by(f64::total_cmp),
            same_time: fullest.filter(is_habit).map(|part| part as u8 * PART_HOURS as u8),
            first_listed: relay.debut(hours).and_then(|first| hours.get(first as usize).copied()),
            window: week.map(|week| week.best_slot(past, relay, as_of)),
        }
    }
}
