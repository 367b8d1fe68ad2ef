//! Daily figures of the network.

use allium_model::ConsensusHour;

use super::methods::{Course, Method};
use super::{Figure, NetworkForecast};
use crate::past::{CURRENT_HOURS, Past, PastSpan, RelayPast, Tally};

/// For how long a relay must be known to count for uptime.
const KNOWN_HOURS: i32 = 14 * 24;

/// Daily figures of the network: medians over the known consensuses of a day, UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Daily {
    first_day: i32,
    /// Per figure of [`Figure::ALL`] and day; `None` where no consensus of the day is known.
    values: [Vec<Option<f64>>; 5],
}

impl Daily {
    /// The days up to and including the one of `as_of`. `weights` are sums of consensus weight where they are known, in any order.
    pub fn of(past: &Past, as_of: ConsensusHour, weights: &[(ConsensusHour, f64)]) -> Self {
        let hours = &past.hours()[..past.index_after(as_of) as usize];
        let day = |hour: ConsensusHour| hour.get().div_euclid(24);
        let (first_day, n_days) = match (hours.first(), hours.last()) {
            (Some(first), Some(last)) => (day(*first), (day(*last) - day(*first) + 1) as usize),
            _ => (0, 0),
        };
        let daily = |values: &mut dyn Iterator<Item = (ConsensusHour, f64)>| {
            let mut by_day = vec![Vec::new(); n_days];
            for (hour, value) in values.filter(|(hour, _)| *hour <= as_of) {
                if let Some(of_day) = usize::try_from(day(hour) - first_day).ok().and_then(|index| by_day.get_mut(index)) {
                    of_day.push(value);
                }
            }
            by_day.iter().map(|values| allium_stats::median(values)).collect::<Vec<_>>()
        };
        let [relays, guards, exits, up, counted] = counts(past, hours.len());
        let at_places = |counts: &[f64]| hours.iter().copied().zip(counts.iter().copied()).collect::<Vec<_>>();
        let shares: Vec<(ConsensusHour, f64)> =
            hours.iter().zip(up.iter().zip(&counted)).filter(|(_, (_, n))| **n > 0.0).map(|(hour, (up, n))| (*hour, up / n)).collect();
        let values = [
            daily(&mut shares.into_iter()),
            daily(&mut at_places(&relays).into_iter()),
            daily(&mut at_places(&guards).into_iter()),
            daily(&mut at_places(&exits).into_iter()),
            daily(&mut weights.iter().copied()),
        ];
        Self { first_day, values }
    }

    /// The days since 1970-01-01 of the first value.
    pub fn first_day(&self) -> i32 {
        self.first_day
    }

    /// The values of a figure, a day each.
    pub fn values(&self, figure: Figure) -> &[Option<f64>] {
        figure_values(&self.values, figure)
    }

    /// The forecast of a figure by the method in use; `None` with too little history: about 150 days for counts, 14 days more for
    /// uptime, and more for horizons beyond 30 days of it.
    pub fn forecast(&self, figure: Figure, horizon_days: u16) -> Option<NetworkForecast> {
        let course = Course::of(figure, Method::in_use(figure), self.values(figure));
        course.forecast(course.len().checked_sub(1)?, horizon_days)
    }

    /// Forecasts of a figure for several horizons.
    pub fn forecasts(&self, figure: Figure, horizons_days: impl IntoIterator<Item = u16>) -> Vec<NetworkForecast> {
        let course = Course::of(figure, Method::in_use(figure), self.values(figure));
        let Some(end) = course.len().checked_sub(1) else { return Vec::new() };
        horizons_days.into_iter().filter_map(|horizon| course.forecast(end, horizon)).collect()
    }

    /// The medians of a figure over its last `n` weeks, the earliest first; `None` for weeks without a known day.
    pub fn weekly(&self, figure: Figure, n: usize) -> Vec<Option<f64>> {
        let values = self.values(figure);
        let weeks = values[values.len().saturating_sub(n * 7)..].rchunks(7);
        let mut medians: Vec<_> = weeks.map(|week| allium_stats::median(&week.iter().flatten().copied().collect::<Vec<_>>())).collect();
        medians.reverse();
        medians
    }

    /// The mean of a figure over the last `days` days that are known; `None` where fewer than half of them are.
    pub fn recent(&self, figure: Figure, days: usize) -> Option<f64> {
        let known: Vec<f64> = self.values(figure).iter().rev().take(days).flatten().copied().collect();
        allium_stats::mean(&known).filter(|_| known.len() * 2 >= days)
    }
}

fn figure_values(values: &[Vec<Option<f64>>; 5], figure: Figure) -> &[Option<f64>] {
    &values[figure as usize]
}

/// Per index: running relays, guards, exits; running and all current relays of those that count for uptime.
fn counts(past: &Past, n: usize) -> [Vec<f64>; 5] {
    let mut tallies = std::array::from_fn::<Tally, 5, _>(|_| Tally::new(n));
    let conditions: [fn(&PastSpan) -> bool; 3] = [|span| span.running, |span| span.running && span.guard, |span| span.running && span.exit];
    for relay in past.relays() {
        for span in &relay.spans {
            let counted = conditions.iter().enumerate().filter(|(_, holds)| holds(span));
            counted.for_each(|(count, _)| tallies[count].add(span.start, span.end));
        }
        let known_from = known_from(past, relay);
        relay.runs().iter().for_each(|run| tallies[3].add(run.start.max(known_from), run.end));
        current(past, relay).into_iter().for_each(|(start, end)| tallies[4].add(start.max(known_from), end));
    }
    tallies.map(|tally| tally.counts())
}

/// The first index at which a relay counts for uptime.
fn known_from(past: &Past, relay: &RelayPast) -> u32 {
    let first = relay.spans.first().and_then(|span| past.hours().get(span.start as usize));
    first.map_or(u32::MAX, |first| past.index(first.plus(KNOWN_HOURS)))
}

/// The stretches in which a relay counts as current: from its first listing to 7 days after its last one before a longer gap.
fn current(past: &Past, relay: &RelayPast) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for span in &relay.spans {
        let Some(last) = past.hours().get(span.end as usize - 1) else { continue };
        let end = past.index_after(last.plus(CURRENT_HOURS));
        match stretches.last_mut() {
            Some((_, before)) if *before >= span.start => *before = end.max(*before),
            _ => stretches.push((span.start, end)),
        }
    }
    stretches
}
