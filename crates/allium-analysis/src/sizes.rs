//! Sizes of the network and its parts, day by day: consensus weight, probabilities to be chosen, advertised bandwidth.
//!
//! Input: hourly sums of groups, as the store makes them from weights in consensuses and from details documents. Kept are means per
//! day of UTC over the hours that have a quantity, so that years of all countries and autonomous systems take tens of megabytes.
//! Days without data are missing, and so are quantities that a source does not have. Figures are kept as 32-bit numbers:
//! seven digits.

use std::collections::BTreeMap;

use allium_model::time::HOUR_SECS;
use allium_model::{Asn, ConsensusHour, CountryCode, RelayFlag};

use crate::grid::DAY_SECS;
use crate::over_time::Concentration;

const DAY_HOURS: i32 = 24;

/// A part of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SizeOf {
    /// All of it.
    Network,
    /// The relays with a flag.
    Flag(RelayFlag),
    /// Those of a country.
    Country(CountryCode),
    /// Those of an autonomous system.
    As(Asn),
}

/// A quantity that is measured of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeQuantity {
    /// Consensus weight.
    Weight,
    /// Share of the network's consensus weight, 0 to 1.
    WeightShare,
    /// Probability that a guard is one of its relays.
    Guard,
    /// Probability that a middle relay is one of them.
    Middle,
    /// Probability that an exit is one of them.
    Exit,
    /// Advertised bandwidth, bytes per second.
    Advertised,
    /// Observed bandwidth, bytes per second.
    Observed,
}

/// Quantities of a part at one hour, in the order of [`SizeQuantity`]; `None` where the hour does not have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeHour {
    /// The hour.
    pub hour: ConsensusHour,
    /// The quantities.
    pub values: [Option<f64>; SizeQuantity::N],
}

impl SizeQuantity {
    /// Their number.
    pub const N: usize = 7;
}

/// A day of a part: number of hours that have a quantity, and their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SizeDay {
    day: i32,
    n: [u8; SizeQuantity::N],
    means: [f32; SizeQuantity::N],
}

impl SizeDay {
    const fn empty(day: i32) -> Self {
        Self { day, n: [0; SizeQuantity::N], means: [0.0; SizeQuantity::N] }
    }

    fn get(&self, quantity: SizeQuantity) -> Option<f64> {
        let i = quantity as usize;
        (self.n[i] > 0).then(|| f64::from(self.means[i]))
    }
}

/// The sizes of parts over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sizes {
    parts: BTreeMap<SizeOf, Vec<SizeDay>>,
}

impl Sizes {
    /// Adds hours of a part, earliest first, later than all that were added of it; a day must be added in one.
    pub fn add(&mut self, of: SizeOf, hours: &[SizeHour]) {
        let day_of = |hour: &SizeHour| hour.hour.get().div_euclid(DAY_HOURS);
        let days = hours.chunk_by(|a, b| day_of(a) == day_of(b)).map(|hours| mean_day(day_of(&hours[0]), hours));
        self.parts.entry(of).or_default().extend(days);
    }

    /// Forgets everything from the day of an hour on, so that it can be added anew.
    pub fn forget_from(&mut self, hour: ConsensusHour) {
        let first = hour.get().div_euclid(DAY_HOURS);
        self.parts.values_mut().for_each(|days| days.truncate(days.partition_point(|day| day.day < first)));
        self.parts.retain(|_, days| !days.is_empty());
    }

    /// The number of hours whose weights are known.
    pub fn n_weighed_hours(&self) -> u64 {
        let days = self.parts.get(&SizeOf::Network).map_or(&[][..], Vec::as_slice);
        days.iter().map(|day| u64::from(day.n[SizeQuantity::Weight as usize])).sum()
    }

    /// The start of the first day with data, in seconds since 1970-01-01T00:00:00Z.
    pub fn first_secs(&self) -> Option<i64> {
        self.parts.get(&SizeOf::Network).and_then(|days| days.first()).map(|day| i64::from(day.day) * DAY_SECS)
    }

    /// A quantity of a part in each interval `[edge, next edge)`, in seconds since 1970-01-01T00:00:00Z: the mean over the days that
    /// start in it, each counted by its hours. Intervals shorter than a day have the value of the day in which they start.
    pub fn series(&self, of: SizeOf, quantity: SizeQuantity, edges: &[i64]) -> Vec<Option<f64>> {
        let days = self.parts.get(&of).map_or(&[][..], Vec::as_slice);
        edges.windows(2).map(|pair| mean_of(within(days, pair[0], pair[1]), quantity)).collect()
    }

    /// The concentration of consensus weight in countries, or in autonomous systems, in each interval, as in [`Sizes::series`].
    pub fn concentration(&self, kind: fn(&SizeOf) -> bool, edges: &[i64]) -> Vec<Option<Concentration>> {
        let parts: Vec<&[SizeDay]> = self.parts.iter().filter(|(of, _)| kind(of)).map(|(_, days)| days.as_slice()).collect();
        let shares = |pair: &[i64]| -> Vec<f64> {
            parts.iter().filter_map(|days| sum_of(within(days, pair[0], pair[1]), SizeQuantity::WeightShare)).collect()
        };
        edges.windows(2).map(|pair| Concentration::of(shares(pair))).collect()
    }
}

fn mean_day(day: i32, hours: &[SizeHour]) -> SizeDay {
    let mut mean = SizeDay::empty(day);
    for i in 0..SizeQuantity::N {
        let known: Vec<f64> = hours.iter().filter_map(|hour| hour.values[i]).filter(|value| value.is_finite()).collect();
        if !known.is_empty() {
            mean.n[i] = u8::try_from(known.len()).unwrap_or(u8::MAX);
            mean.means[i] = (known.iter().sum::<f64>() / known.len() as f64) as f32;
        }
    }
    mean
}

/// The days that start in `[from, to)`; of a shorter interval the day in which it starts.
fn within(days: &[SizeDay], from_secs: i64, to_secs: i64) -> &[SizeDay] {
    let is_short = to_secs - from_secs < DAY_SECS;
    let first = if is_short { from_secs.div_euclid(DAY_SECS) } else { (from_secs + DAY_SECS - HOUR_SECS).div_euclid(DAY_SECS) };
    let end = if is_short { first + 1 } else { (to_secs + DAY_SECS - HOUR_SECS).div_euclid(DAY_SECS) };
    let index = |day: i64| days.partition_point(|d| i64::from(d.day) < day);
    &days[index(first)..index(end).max(index(first))]
}

fn mean_of(days: &[SizeDay], quantity: SizeQuantity) -> Option<f64> {
    let n: f64 = days.iter().map(|day| f64::from(day.n[quantity as usize])).sum();
    sum_of(days, quantity).map(|sum| rounded(sum / n))
}

/// The sum over hours.
fn sum_of(days: &[SizeDay], quantity: SizeQuantity) -> Option<f64> {
    let known = days.iter().filter_map(|day| day.get(quantity).map(|mean| mean * f64::from(day.n[quantity as usize])));
    known.reduce(|sum, value| sum + value)
}

/// Seven digits: what a 32-bit number holds.
fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i32 = 20_000;

    fn hours(day: i32, shares: &[(i32, f64)]) -> Vec<SizeHour> {
        let mut values = [None; SizeQuantity::N];
        let hour = |(hour, share): &(i32, f64)| {
            values[SizeQuantity::WeightShare as usize] = Some(*share);
            values[SizeQuantity::Weight as usize] = Some(share * 1e8);
            SizeHour { hour: ConsensusHour::new(day * 24 + hour), values }
        };
        shares.iter().map(hour).collect()
    }

    fn edges(step_days: i64, n: i64) -> Vec<i64> {
        (0..=n).map(|i| (i64::from(DAY) + i * step_days) * DAY_SECS).collect()
    }

    fn of(code: &str) -> SizeOf {
        SizeOf::Country(code.parse().unwrap())
    }

    #[test]
    fn days_are_means_over_their_hours_and_missing_days_are_missing() {
        let mut sizes = Sizes::default();
        sizes.add(of("de"), &[hours(DAY, &[(0, 0.2), (1, 0.4)]), hours(DAY + 2, &[(5, 0.6)])].concat());
        let share = |edges: &[i64]| sizes.series(of("de"), SizeQuantity::WeightShare, edges);
        assert_eq!(share(&edges(1, 4)), [Some(0.3), None, Some(0.6), None]);
        assert_eq!(share(&edges(4, 1)), [Some(0.4)]);
        let noon = i64::from(DAY) * DAY_SECS + 43_200;
        assert_eq!(share(&[noon, noon + 3_600]), [Some(0.3)]);
        assert_eq!(sizes.series(of("de"), SizeQuantity::Advertised, &edges(1, 2)), [None, None]);
        assert_eq!(sizes.series(of("nl"), SizeQuantity::Weight, &edges(1, 1)), [None]);
    }

    #[test]
    fn a_day_can_be_forgotten_and_added_anew() {
        let mut sizes = Sizes::default();
        sizes.add(SizeOf::Network, &[hours(DAY, &[(0, 1.0), (1, 1.0)]), hours(DAY + 1, &[(0, 1.0)])].concat());
        assert_eq!(sizes.n_weighed_hours(), 3);
        sizes.forget_from(ConsensusHour::new((DAY + 1) * 24 + 7));
        assert_eq!(sizes.n_weighed_hours(), 2);
        sizes.add(SizeOf::Network, &hours(DAY + 1, &[(0, 1.0), (7, 1.0)]));
        assert_eq!((sizes.n_weighed_hours(), sizes.first_secs()), (4, Some(i64::from(DAY) * DAY_SECS)));
        sizes.forget_from(ConsensusHour::new(0));
        assert_eq!(sizes, Sizes::default());
    }

    #[test]
    fn concentration_is_over_shares_of_weight() {
        let mut sizes = Sizes::default();
        for (code, share) in [("de", 0.5), ("nl", 0.25), ("fr", 0.25)] {
            sizes.add(of(code), &hours(DAY, &[(0, share)]));
        }
        let found = sizes.concentration(|of| matches!(of, SizeOf::Country(_)), &edges(1, 2));
        assert_eq!(found[0], Some(Concentration { index: 0.375, top_10: 1.0 }));
        assert_eq!((found[0].unwrap().effective(), found[1]), (1.0 / 0.375, None));
    }
}
