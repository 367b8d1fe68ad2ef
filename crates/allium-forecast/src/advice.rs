//! What an operator can do about a forecast, and when it disturbs least.

use allium_model::{ConsensusHour, Fraction};

use crate::forecast::{Forecast, Label};
use crate::past::{Past, RelayPast};

/// How many days back weekly patterns are looked at.
const PATTERN_DAYS: i32 = 56;
/// Hours of a slot, and slots of a week.
const SLOT_HOURS: i32 = 3;
const N_SLOTS: usize = 7 * 24 / 3;
/// By how much the median lies below the last 30 days where a relay counts as declining.
const DECLINE: f64 = 0.02;

/// Something to do about one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// How soon.
    pub urgency: Urgency,
    /// Why.
    pub reason: Reason,
    /// How much uptime there is to gain at most: what the mean falls short of a month without a gap.
    pub to_gain: Fraction,
}

/// How soon something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// At once.
    Urgent,
    /// At the next suitable time.
    Scheduled,
    /// Nothing yet: look again.
    Watch,
}

/// Why something is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// It is not Running.
    Down,
    /// It will more likely than not stay below 90 %.
    LikelyBelow90(Fraction),
    /// It may well fall below 90 %.
    MayFallBelow90(Fraction),
    /// Its median lies below its last 30 days by this much.
    Declining(Fraction),
    /// Its forecast is wide.
    Unsure,
}

impl Advice {
    /// What to do about a forecast; `None` where all is well.
    pub fn of(forecast: &Forecast) -> Option<Self> {
        let p = forecast.p_below_90;
        let decline = forecast.recent.map_or(0.0, |recent| recent.get() - forecast.quantiles[9].get());
        let (urgency, reason) = match forecast.label {
            _ if !forecast.running => (Urgency::Urgent, Reason::Down),
            Label::Critical => (Urgency::Urgent, Reason::LikelyBelow90(p)),
            Label::AtRisk => (Urgency::Scheduled, Reason::MayFallBelow90(p)),
            _ if decline >= DECLINE => (Urgency::Scheduled, Reason::Declining(Fraction::clamped(decline)?)),
            Label::Monitor => (Urgency::Watch, Reason::Unsure),
            Label::Improving | Label::Stable => return None,
        };
        Some(Self { urgency, reason, to_gain: Fraction::clamped(1.0 - forecast.mean.get())? })
    }

    /// The advice in a sentence, without figures.
    pub const fn sentence(&self) -> &'static str {
        match self.reason {
            Reason::Down => "The relay is not running: check that its host and its Tor process are up",
            Reason::LikelyBelow90(_) => "The relay is more likely than not to fall below 90 %: find out why it goes down",
            Reason::MayFallBelow90(_) => "The relay may well fall below 90 %: plan an inspection",
            Reason::Declining(_) => "The relay is likely to do worse than in the last 30 days: plan an inspection",
            Reason::Unsure => "The forecast is wide: look again in a week",
        }
    }
}

/// Three hours of the week, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// 0 for Monday.
    pub weekday: u8,
    /// The first of its hours.
    pub start_hour: u8,
}

impl Slot {
    fn number(hour: ConsensusHour) -> usize {
        // 1970-01-01 was a Thursday.
        let hour_of_week = (hour.get() + 3 * 24).rem_euclid(7 * 24);
        (hour_of_week / SLOT_HOURS) as usize
    }

    fn from_number(number: usize) -> Self {
        let per_day = N_SLOTS / 7;
        Self { weekday: (number / per_day) as u8, start_hour: (number % per_day * SLOT_HOURS as usize) as u8 }
    }
}

/// How many relays run in each slot of the week.
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    shares: [f64; N_SLOTS],
}

impl Week {
    /// The network's week over the 56 days before `as_of`: mean number of running relays in a slot over that of its day, so
    /// that growth does not count. `None` where a slot holds no known consensus.
    pub fn of(past: &Past, as_of: ConsensusHour) -> Option<Self> {
        let places = past.window(as_of, PATTERN_DAYS * 24);
        let mut changes = vec![0i64; places.len() + 1];
        for run in past.relays().iter().flat_map(RelayPast::runs) {
            let (start, end) = (run.start.clamp(places.start, places.end), run.end.clamp(places.start, places.end));
            changes[(start - places.start) as usize] += 1;
            changes[(end - places.start) as usize] -= 1;
        }
        let mut sums = [(0.0, 0.0); N_SLOTS];
        let mut running = 0;
        for (place, change) in places.zip(changes) {
            running += change;
            let sum = &mut sums[Slot::number(past.hours()[place as usize])];
            *sum = (sum.0 + running as f64, sum.1 + 1.0);
        }
        let all_known = sums.iter().all(|(_, n)| *n > 0.0);
        all_known.then(|| Self { shares: sums.map(|(sum, n)| sum / n) })
    }

    /// When a relay is missed least: in the slot with most other relays, of those in which it is usually down itself if there
    /// are such.
    pub fn best_slot(&self, past: &Past, relay: &RelayPast, as_of: ConsensusHour) -> Slot {
        let places = past.window(as_of, PATTERN_DAYS * 24);
        let mut downs = [0u32; N_SLOTS];
        let ended = relay.runs().iter().filter(|run| places.contains(&run.end));
        ended.for_each(|run| downs[Slot::number(past.hours()[run.end as usize])] += 1);
        let most = downs.iter().copied().max().filter(|most| *most >= 2).unwrap_or(0);
        let usual = (0..N_SLOTS).filter(|slot| downs[*slot] >= most);
        Slot::from_number(usual.max_by(|a, b| self.shares[*a].total_cmp(&self.shares[*b])).unwrap_or(0))
    }
}
