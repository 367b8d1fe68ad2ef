//! The network in months: relays, guards, exits and uptime, with intervals.
//!
//! The forecast of a count is its level (the median of the last 7 days) times the changes that were seen over the same time
//! before: the quantiles of log(x(t + h) / x(t)) over past days t, half pulled towards no change (a damped trend; Gardner,
//! McKenzie 1985, for why) and widened by √(1 + h / history), because windows of h days overlap. Uptime changes are differences,
//! not ratios. Limits: a change that history does not hold (a law, an attack) is not foreseen; with less than twice the horizon
//! of history there is no forecast.

use allium_model::ConsensusHour;

use crate::past::{Past, PastSpan};

/// The levels of the quantiles of network forecasts.
pub const NETWORK_LEVELS: [f64; 5] = [0.05, 0.1, 0.5, 0.9, 0.95];
/// How many days the level is the median of.
const LEVEL_DAYS: usize = 7;
/// How much of the median change is expected to go on.
const DAMPING: f64 = 0.5;

/// What is forecast of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Running relays.
    Relays,
    /// Running relays with the Guard flag.
    Guards,
    /// Running relays with the Exit flag.
    Exits,
    /// Running relays among those seen in the 7 days before.
    Uptime,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Relays, Self::Guards, Self::Exits, Self::Uptime];

    /// The name in tables, such as `relays`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relays => "relays",
            Self::Guards => "guards",
            Self::Exits => "exits",
            Self::Uptime => "uptime",
        }
    }
}

/// The forecast of one figure for one day.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkForecast {
    /// What is forecast.
    pub figure: Figure,
    /// How many days after the origin.
    pub horizon_days: u16,
    /// Its level at the origin.
    pub level: f64,
    /// Quantiles at [`NETWORK_LEVELS`].
    pub quantiles: [f64; 5],
    /// On how many past changes it rests.
    pub n_changes: usize,
}

/// Daily figures of the network: means over the known consensuses of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Daily {
    first_day: i32,
    /// Per figure of [`Figure::ALL`] and day; `None` where no consensus of the day is known.
    values: [Vec<Option<f64>>; 4],
}

impl Daily {
    /// The days up to and including the one of `as_of`.
    pub fn of(past: &Past, as_of: ConsensusHour) -> Self {
        let n = past.place_after(as_of) as usize;
        let mut changes = [vec![0i64; n + 1], vec![0i64; n + 1], vec![0i64; n + 1], vec![0i64; n + 1]];
        let mut add = |figure: usize, start: u32, end: u32| {
            changes[figure][(start as usize).min(n)] += 1;
            changes[figure][(end as usize).min(n)] -= 1;
        };
        let conditions: [fn(&PastSpan) -> bool; 3] =
            [|span| span.running, |span| span.running && span.guard, |span| span.running && span.exit];
        for relay in past.relays() {
            for span in &relay.spans {
                conditions.iter().enumerate().filter(|(_, holds)| holds(span)).for_each(|(figure, _)| add(figure, span.start, span.end));
            }
            current(past, relay.spans.as_slice()).into_iter().for_each(|(start, end)| add(3, start, end));
        }
        let day = |place: usize| past.hours()[place].get().div_euclid(24);
        let first_day = if n > 0 { day(0) } else { 0 };
        let n_days = if n > 0 { (day(n - 1) - first_day + 1) as usize } else { 0 };
        let mut sums = [vec![(0.0, 0.0); n_days], vec![(0.0, 0.0); n_days], vec![(0.0, 0.0); n_days], vec![(0.0, 0.0); n_days]];
        let mut counts = [0i64; 4];
        for place in 0..n {
            counts.iter_mut().zip(&changes).for_each(|(count, changes)| *count += changes[place]);
            let [relays, guards, exits, current] = counts.map(|count| count as f64);
            let uptime = if current > 0.0 { relays / current } else { 0.0 };
            for (sums, value) in sums.iter_mut().zip([relays, guards, exits, uptime]) {
                let sum: &mut (f64, f64) = &mut sums[(day(place) - first_day) as usize];
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
        Self { first_day, values: sums.map(|sums| sums.into_iter().map(|(sum, n)| (n > 0.0).then(|| sum / n)).collect()) }
    }

    /// The days since 1970-01-01 of the first value.
    pub fn first_day(&self) -> i32 {
        self.first_day
    }

    /// The values of a figure, a day each.
    pub fn values(&self, figure: Figure) -> &[Option<f64>] {
        &self.values[figure as usize]
    }

    /// The forecast of a figure; `None` with less than twice the horizon of history.
    pub fn forecast(&self, figure: Figure, horizon_days: u16) -> Option<NetworkForecast> {
        forecast(figure, self.values(figure), horizon_days)
    }

    /// Forecasts as of earlier days, `step_days` apart, each beside what came: the forecast sees nothing after its day.
    pub fn backtest(&self, figure: Figure, horizon_days: u16, step_days: usize) -> Vec<(NetworkForecast, f64)> {
        let values = self.values(figure);
        let horizon = usize::from(horizon_days);
        let ends = (1..values.len().saturating_sub(horizon)).rev().step_by(step_days.max(1));
        let one = |end: usize| Some((forecast(figure, &values[..end], horizon_days)?, level(&values[..end + horizon])?));
        ends.filter_map(one).collect()
    }
}

/// Where a relay counts as current: from its first listing to 7 days after its last one before a longer gap.
fn current(past: &Past, spans: &[PastSpan]) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for span in spans {
        let Some(last) = past.hours().get(span.end as usize - 1) else { continue };
        let end = past.place_after(last.plus(crate::past::CURRENT_HOURS));
        match stretches.last_mut() {
            Some((_, before)) if *before >= span.start => *before = end.max(*before),
            _ => stretches.push((span.start, end)),
        }
    }
    stretches
}

/// The median of the last days for which a value is known.
fn level(values: &[Option<f64>]) -> Option<f64> {
    let recent: Vec<f64> = values.iter().rev().take(LEVEL_DAYS).flatten().copied().collect();
    allium_stats::median(&recent)
}

fn forecast(figure: Figure, values: &[Option<f64>], horizon_days: u16) -> Option<NetworkForecast> {
    let horizon = usize::from(horizon_days);
    if horizon == 0 || values.len() < 2 * horizon + LEVEL_DAYS {
        return None;
    }
    let is_count = figure != Figure::Uptime;
    let scaled = |x: f64| if is_count { x.max(0.5).ln() } else { x };
    let levels: Vec<Option<f64>> = (LEVEL_DAYS..=values.len()).map(|end| level(&values[..end]).map(scaled)).collect();
    let changes: Vec<f64> = levels.iter().zip(&levels[horizon..]).filter_map(|(from, to)| Some((*to)? - (*from)?)).collect();
    let now = (*levels.last()?)?;
    let quantiles = allium_stats::quantiles(&changes, NETWORK_LEVELS)?;
    let median = quantiles[2];
    let wider = (1.0 + horizon as f64 / values.len() as f64).sqrt();
    let stated = quantiles.map(|quantile| {
        let value = now + DAMPING * median + (quantile - median) * wider;
        if is_count { value.exp() } else { value.clamp(0.0, 1.0) }
    });
    Some(NetworkForecast {
        figure,
        horizon_days,
        level: if is_count { now.exp() } else { now },
        quantiles: stated,
        n_changes: changes.len(),
    })
}
