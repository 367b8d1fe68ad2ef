//! Advice on a forecast: an action that begins with a verb, why, what it can bring, and when.

use allium_model::{ConsensusHour, Fraction};

use crate::forecast::{Forecast, Label};
use crate::habits::Habits;
use crate::week::Slot;

/// The gap between the median and the last 30 days from which a relay counts as declining.
const DECLINE: f64 = 0.02;
/// Outages of the last 30 days from which on a relay goes down often.
const OFTEN: usize = 4;
/// Hours from which on an outage is long.
const LONG_HOURS: f64 = 24.0;
/// Days for which a relay is young.
const YOUNG_DAYS: i32 = 30;
/// Hours before a window that operators have at least.
const NOTICE_HOURS: i32 = 24;

/// Something to do about one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Its urgency.
    pub urgency: Urgency,
    /// The finding in the forecast.
    pub reason: Reason,
    /// The cause that the relay's past weeks point at.
    pub pattern: Pattern,
    /// Expected uptime as things are.
    pub expected: Fraction,
    /// The reach of the forecast.
    pub horizon_days: u16,
    /// The time at which the work disturbs least: from the first hour to the second; `None` where nothing is to be switched off.
    pub window: Option<Window>,
}

/// The time at which a relay is missed least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its slot in the week.
    pub slot: Slot,
    /// The next time that is at least a day ahead.
    pub start: ConsensusHour,
    /// True if the relay tends to go down then anyway.
    pub usual: bool,
}

impl Window {
    /// The next one for a relay, at least a day after `as_of`.
    pub fn of(habits: &Habits, as_of: ConsensusHour) -> Option<Self> {
        let (slot, usual) = habits.window?;
        Some(Self { slot, start: slot.next_from(as_of.plus(NOTICE_HOURS)), usual })
    }

    /// The hour at which it ends.
    pub const fn end(&self) -> ConsensusHour {
        self.start.plus(Slot::HOURS)
    }
}

/// The urgency of something to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// At once.
    Urgent,
    /// At the next suitable time.
    Scheduled,
    /// Nothing yet: look again.
    Watch,
}

impl Urgency {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Scheduled, Self::Watch];

    /// The word in tables, such as `scheduled`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Scheduled => "scheduled",
            Self::Watch => "watch",
        }
    }
}

/// Why something is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// It is not Running, for so many hours where that is known.
    Down(Option<i32>),
    /// It will more likely than not stay below 90 %.
    LikelyBelow90(Fraction),
    /// It may well fall below 90 %.
    MayFallBelow90(Fraction),
    /// Its median lies below its last 30 days by this much.
    Declining(Fraction),
    /// Its forecast is neither good nor bad enough.
    Unsure(Fraction),
}

/// The cause that past weeks point at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pattern {
    /// Outages begin at the same time of the day: from this hour on, for three hours, UTC.
    SameTime(u8),
    /// It goes down often: so many outages in the last 30 days, half of them shorter than so many hours.
    Often(usize, Option<f64>),
    /// An outage that ended in the last eight weeks was long: so many hours.
    Long(f64),
    /// It was listed for the first time so many hours ago.
    Young(i32),
    /// Nothing of the kind.
    None,
}

impl Pattern {
    fn of(habits: &Habits, as_of: ConsensusHour) -> Self {
        let age_hours = habits.first_listed.map(|first| as_of.next().hours_since(first));
        match habits {
            Habits { same_time: Some(hour), .. } => Self::SameTime(*hour),
            Habits { n_outages_30d, typical_outage_hours, .. } if *n_outages_30d >= OFTEN => {
                Self::Often(*n_outages_30d, *typical_outage_hours)
            }
            Habits { longest_outage_hours: Some(hours), .. } if *hours >= LONG_HOURS => Self::Long(*hours),
            _ => age_hours.filter(|hours| *hours < YOUNG_DAYS * 24).map_or(Self::None, Self::Young),
        }
    }
}

impl Advice {
    /// The advice on a forecast of a relay with these habits; `None` where all is well.
    pub fn of(forecast: &Forecast, habits: &Habits) -> Option<Self> {
        let p = forecast.p_below_90;
        let decline = forecast.recent.map_or(0.0, |recent| recent.get() - forecast.quantiles[9].get());
        let (urgency, reason) = match forecast.label {
            _ if !forecast.running => {
                (Urgency::Urgent, Reason::Down(habits.down_since.map(|since| forecast.as_of.next().hours_since(since))))
            }
            Label::Critical => (Urgency::Urgent, Reason::LikelyBelow90(p)),
            Label::AtRisk => (Urgency::Scheduled, Reason::MayFallBelow90(p)),
            _ if decline >= DECLINE => (Urgency::Scheduled, Reason::Declining(Fraction::clamped(decline)?)),
            Label::Monitor => (Urgency::Watch, Reason::Unsure(p)),
            Label::Improving | Label::Stable => return None,
        };
        let needs_window = urgency != Urgency::Watch && forecast.running;
        Some(Self {
            urgency,
            reason,
            pattern: Pattern::of(habits, forecast.as_of),
            expected: forecast.mean,
            horizon_days: forecast.horizon_days,
            window: if needs_window { Window::of(habits, forecast.as_of) } else { None },
        })
    }

    /// The action: a sentence that begins with a verb.
    pub fn action(&self) -> String {
        match (self.urgency, self.reason, self.pattern) {
            (_, Reason::Down(_), Pattern::SameTime(_) | Pattern::Often(..)) => {
                "Start it again and find out why it goes down so often".to_owned()
            }
            (_, Reason::Down(Some(hours)), _) if hours >= 7 * 24 => "Start it again, or retire it and say so".to_owned(),
            (_, Reason::Down(_), _) => "Start it again: check its host, its Tor process and its network".to_owned(),
            (Urgency::Watch, ..) => "Look at it again in a week".to_owned(),
            (_, _, Pattern::SameTime(hour)) => format!("Find what stops it between {hour:02}:00 and {:02}:00 UTC", (hour + 3) % 24),
            (_, _, Pattern::Often(..)) => "Find out why it goes down so often: memory, overload, restarts".to_owned(),
            (_, _, Pattern::Long(_)) => "Set up its host to start Tor by itself, and a watch that tells when it is down".to_owned(),
            (_, _, Pattern::Young(_)) => "Keep it running without a break until it has proved itself".to_owned(),
            (Urgency::Urgent, ..) => "Check its host and its network within two days".to_owned(),
            (Urgency::Scheduled, ..) => "Inspect its host at the next suitable time".to_owned(),
        }
    }

    /// Why: what shows in the forecast, and what past weeks point at.
    pub fn why(&self) -> String {
        let days = self.horizon_days;
        let reason = match self.reason {
            Reason::Down(Some(hours)) => format!("Not running for {}", span(f64::from(hours))),
            Reason::Down(None) => "Not running".to_owned(),
            Reason::LikelyBelow90(p) | Reason::MayFallBelow90(p) => {
                format!("The chance of less than 90 % uptime in the next {days} days is {} %", whole(p.get()))
            }
            Reason::Declining(by) => format!("Likely to be up {:.1} points less than in the last 30 days", by.get() * 100.0),
            Reason::Unsure(p) => format!("Neither sure to stay above 95 % nor likely to fall below 90 % (chance {} %)", whole(p.get())),
        };
        match self.pattern {
            Pattern::SameTime(hour) => {
                format!(
                    "{reason}; most of its outages of the last eight weeks began between {hour:02}:00 and {:02}:00 UTC.",
                    (hour + 3) % 24
                )
            }
            Pattern::Often(n, Some(hours)) => {
                format!("{reason}; {n} outages in the last 30 days, half of them {} or shorter.", span(hours))
            }
            Pattern::Often(n, None) => format!("{reason}; {n} outages in the last 30 days."),
            Pattern::Long(hours) => format!("{reason}; an outage that ended in the last eight weeks took {}.", span(hours)),
            Pattern::Young(hours) => {
                format!("{reason}; first listed {} ago, and many relays leave so young.", span(f64::from(hours)))
            }
            Pattern::None => format!("{reason}."),
        }
    }

    /// The most that it can bring.
    pub fn effect(&self) -> String {
        let to_gain = (1.0 - self.expected.get()) * 100.0;
        match self.urgency {
            Urgency::Watch => "None yet; in a week the forecast will have become surer.".to_owned(),
            _ => format!(
                "As things are it is expected to be up {:.1} % of the next {} days; without a further gap that would be up to {to_gain:.1} points more.",
                self.expected.get() * 100.0,
                self.horizon_days
            ),
        }
    }
}

/// Whole percent, rounded down as everywhere on pages.
fn whole(share: f64) -> String {
    match (share * 100.0 + 1e-9).floor() {
        percent if percent < 1.0 && share > 0.0 => "less than 1".to_owned(),
        percent => format!("{percent:.0}"),
    }
}

/// A length of time in hours, or in days from two days on.
fn span(hours: f64) -> String {
    if hours >= 48.0 { format!("{:.0} days", hours / 24.0) } else { format!("{hours:.0} h") }
}
