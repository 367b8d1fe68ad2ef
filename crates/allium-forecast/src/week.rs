//! Hours of the week in which the network, and a relay, can best do without: three at a time.

use allium_model::ConsensusHour;

use crate::past::{Past, RelayPast, Tally};

/// Weeks back in which weekly patterns are looked for.
pub(crate) const PATTERN_WEEKS: i32 = 8;
const WEEK_HOURS: i32 = 7 * 24;
/// Hours of a slot, and slots of a week.
const SLOT_HOURS: i32 = 3;
const N_SLOTS: usize = (WEEK_HOURS / SLOT_HOURS) as usize;
/// Outages that must begin in one slot of the week to make it a habit.
const HABIT: usize = 2;

/// Three hours of the week, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// 0 for Monday.
    pub weekday: u8,
    /// The first of its hours.
    pub start_hour: u8,
}

impl Slot {
    /// Its length.
    pub const HOURS: i32 = SLOT_HOURS;

    fn number(hour: ConsensusHour) -> usize {
        // 1970-01-01 was a Thursday.
        (hour.get() + 3 * 24).rem_euclid(WEEK_HOURS) as usize / SLOT_HOURS as usize
    }

    fn from_number(number: usize) -> Self {
        let per_day = N_SLOTS / 7;
        Self { weekday: (number / per_day) as u8, start_hour: (number % per_day * SLOT_HOURS as usize) as u8 }
    }

    /// The first time at which it begins that is no earlier than an hour.
    pub fn next_from(self, hour: ConsensusHour) -> ConsensusHour {
        let begins = i32::from(self.weekday) * 24 + i32::from(self.start_hour) - 3 * 24;
        hour.plus((begins - hour.get()).rem_euclid(WEEK_HOURS))
    }

    /// The weekday in words.
    pub const fn weekday_name(self) -> &'static str {
        match self.weekday {
            0 => "Monday",
            1 => "Tuesday",
            2 => "Wednesday",
            3 => "Thursday",
            4 => "Friday",
            5 => "Saturday",
            _ => "Sunday",
        }
    }
}

/// Running relays in each slot of the week, as a share of the week's mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    shares: [f64; N_SLOTS],
}

impl Week {
    /// The network's week over the eight weeks up to `as_of`: per slot the median over the weeks of the mean number of running
    /// relays, over that of its week. So neither growth nor one flood or outage counts. `None` where a slot was never known.
    pub fn of(past: &Past, as_of: ConsensusHour) -> Option<Self> {
        let mut ratios = vec![Vec::new(); N_SLOTS];
        let running = running(past, as_of);
        for week in 0..PATTERN_WEEKS {
            let indices = past.index(as_of.next().plus(-WEEK_HOURS * (week + 1)))..past.index(as_of.next().plus(-WEEK_HOURS * week));
            let counts: Vec<(usize, f64)> =
                indices.map(|index| (Slot::number(past.hours()[index as usize]), running[index as usize])).collect();
            let Some(mean) = allium_stats::mean(&counts.iter().map(|(_, n)| *n).collect::<Vec<_>>()).filter(|mean| *mean > 0.0) else {
                continue;
            };
            for (slot, ratios) in ratios.iter_mut().enumerate() {
                let of_slot: Vec<f64> = counts.iter().filter(|(s, _)| *s == slot).map(|(_, n)| n / mean).collect();
                ratios.extend(allium_stats::mean(&of_slot));
            }
        }
        let mut shares = [0.0; N_SLOTS];
        for (share, ratios) in shares.iter_mut().zip(&ratios) {
            *share = allium_stats::median(ratios)?;
        }
        Some(Self { shares })
    }

    /// The excess of relays that run in a slot over the average of the week, as a share.
    pub fn surplus(&self, slot: Slot) -> f64 {
        let number = usize::from(slot.weekday) * (N_SLOTS / 7) + usize::from(slot.start_hour) / SLOT_HOURS as usize;
        self.shares.get(number).map_or(0.0, |share| share - 1.0)
    }

    /// The slot in which a relay is missed least, and whether it goes down then anyway: of the slots in which most of its outages of
    /// the last eight weeks began, where that were two or more, else of all, the one in which most other relays run.
    pub fn best_slot(&self, past: &Past, relay: &RelayPast, as_of: ConsensusHour) -> (Slot, bool) {
        let indices = past.window(as_of, PATTERN_WEEKS * WEEK_HOURS);
        let mut downs = [0usize; N_SLOTS];
        let ended = relay.runs().iter().filter(|run| indices.contains(&run.end));
        ended.for_each(|run| downs[Slot::number(past.hours()[run.end as usize])] += 1);
        let most = downs.iter().copied().max().filter(|most| *most >= HABIT);
        let usual = (0..N_SLOTS).filter(|slot| most.is_none_or(|most| downs[*slot] == most));
        let best = usual.max_by(|a, b| self.shares[*a].total_cmp(&self.shares[*b])).unwrap_or(0);
        (Slot::from_number(best), most.is_some())
    }
}

/// Running relays at each known consensus up to an hour.
fn running(past: &Past, as_of: ConsensusHour) -> Vec<f64> {
    let mut tally = Tally::new(past.index_after(as_of) as usize);
    past.relays().iter().flat_map(RelayPast::runs).for_each(|run| tally.add(run.start, run.end));
    tally.counts()
}
