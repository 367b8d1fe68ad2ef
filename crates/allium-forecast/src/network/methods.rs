//! Methods that continue a figure: the one in use and simpler ones to compare it with.

use serde::Serialize;

use super::{Figure, NETWORK_LEVELS, NetworkForecast};

/// Days that the level is the median of.
const LEVEL_DAYS: usize = 7;
/// Weeks whose levels give the slope, and fewest of them.
const TREND_WEEKS: usize = 26;
const LEAST_WEEKS: usize = 8;
/// The part of a slope that is left after a day.
const DAMPING: f64 = 0.99;
/// The part of the slope that is left after a day in Holt's method, and the weights among which it chooses.
const HOLT_DAMPING: f64 = 0.993;
const HOLT_WEIGHTS: [(f64, f64); 6] = [(0.3, 0.05), (0.3, 0.2), (0.6, 0.05), (0.6, 0.2), (0.9, 0.05), (0.9, 0.2)];
/// Days of history before a forecast counts among the errors of the past.
const WARM_UP_DAYS: usize = 90;
/// Fewest errors that an interval rests on.
const LEAST_ERRORS: usize = 30;
/// The horizon whose errors stand for those of longer ones, and how errors grow with the horizon.
const ERROR_DAYS: u16 = 30;
const GROWTH: f64 = 0.6;
/// Least half width of an interval, on the scale of the figure.
const LEAST_WIDTH: f64 = 1e-4;

/// A way to go on with a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The level with a damped Theil–Sen trend.
    DampedTrend,
    /// The level with an undamped Theil–Sen trend.
    Trend,
    /// The level stays.
    Level,
    /// Exponential smoothing with a damped additive trend, its weights chosen anew each day: ETS(A,Ad,N) on weekly levels.
    Holt,
    /// The mean of the last 30 days stays.
    LastMonth,
    /// The mean of the last 91 days stays.
    LastQuarter,
    /// Half of each of the last two.
    MonthAndQuarter,
}

impl Method {
    /// The one in use: the best of [`Method::candidates`] on the record of the public network.
    pub const fn in_use(figure: Figure) -> Self {
        match figure {
            Figure::Uptime => Self::MonthAndQuarter,
            _ => Self::DampedTrend,
        }
    }

    /// The methods that the back-test compares.
    pub const fn candidates(figure: Figure) -> &'static [Self] {
        match figure {
            Figure::Uptime => &[Self::MonthAndQuarter, Self::LastMonth, Self::LastQuarter, Self::Level, Self::DampedTrend],
            _ => &[Self::DampedTrend, Self::Trend, Self::Level, Self::Holt, Self::LastMonth],
        }
    }

    /// The name in tables, such as `damped_trend`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DampedTrend => "damped_trend",
            Self::Trend => "trend",
            Self::Level => "level",
            Self::Holt => "holt",
            Self::LastMonth => "last_month",
            Self::LastQuarter => "last_quarter",
            Self::MonthAndQuarter => "month_and_quarter",
        }
    }
}

/// The state of a method after a day: its level, and how that goes on.
#[derive(Debug, Clone, Copy)]
struct Stand {
    level: f64,
    slope: f64,
    damping: f64,
}

impl Stand {
    fn after(&self, days: u16) -> f64 {
        let days = f64::from(days);
        let sum = if self.damping < 1.0 { self.damping * (1.0 - self.damping.powf(days)) / (1.0 - self.damping) } else { days };
        self.level + self.slope * sum
    }
}

/// A figure over its days, and where a method stood after each: nothing of a stand rests on later days.
pub(super) struct Course {
    figure: Figure,
    /// Logarithms of counts; shares as they are.
    values: Vec<Option<f64>>,
    levels: Vec<Option<f64>>,
    stands: Vec<Option<Stand>>,
}

impl Course {
    pub(super) fn of(figure: Figure, method: Method, values: &[Option<f64>]) -> Self {
        let scaled = |value: f64| if figure.is_count() { value.max(0.5).ln() } else { value };
        let values: Vec<Option<f64>> = values.iter().map(|value| value.map(scaled)).collect();
        let levels: Vec<Option<f64>> = (1..=values.len()).map(|end| median_of(&values[end.saturating_sub(LEVEL_DAYS)..end])).collect();
        let stands = (0..values.len()).map(|day| stand(method, &values[..=day], &levels[..=day])).collect();
        Self { figure, values, levels, stands }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The outcome: the level at the end of the horizon; for uptime the mean over it, where at least half of its days are known.
    pub(super) fn truth(&self, day: usize, horizon_days: u16) -> Option<f64> {
        let end = day + usize::from(horizon_days);
        if self.figure.is_count() {
            return self.levels.get(end).copied().flatten();
        }
        let known: Vec<f64> = self.values.get(day + 1..=end)?.iter().flatten().copied().collect();
        allium_stats::mean(&known).filter(|_| known.len() * 2 >= usize::from(horizon_days))
    }

    /// The forecast as of a day; nothing later is looked at.
    pub(super) fn forecast(&self, day: usize, horizon_days: u16) -> Option<NetworkForecast> {
        let stand = self.stands[day]?;
        let mut errors = self.errors(day, self.error_days(horizon_days));
        if errors.len() < LEAST_ERRORS || horizon_days == 0 {
            return None;
        }
        errors.sort_by(f64::total_cmp);
        let growth = (f64::from(horizon_days) / f64::from(self.error_days(horizon_days))).powf(GROWTH);
        let centre = stand.after(horizon_days);
        let quantile = |level: f64| {
            let central = (2.0 * level - 1.0).abs();
            let rank = (central * (errors.len() + 1) as f64).ceil() as usize;
            let width = if rank == 0 { 0.0 } else { errors[rank.min(errors.len()) - 1].max(LEAST_WIDTH) * growth };
            self.unscaled(centre + width * (level - 0.5).signum())
        };
        Some(NetworkForecast {
            figure: self.figure,
            horizon_days,
            level: self.unscaled(stand.level),
            quantiles: NETWORK_LEVELS.map(quantile),
            n_errors: errors.len(),
        })
    }

    /// The value that a scaled one stands for.
    pub(super) fn unscaled(&self, scaled: f64) -> f64 {
        // Counts come back from their logarithm without its noise.
        if self.figure.is_count() { (scaled.exp() * 1e6).round() / 1e6 } else { scaled.clamp(0.0, 1.0) }
    }

    /// Shares keep the errors of their own horizon; counts have those of 30 days, of which there are more.
    fn error_days(&self, horizon_days: u16) -> u16 {
        if self.figure.is_count() { horizon_days.min(ERROR_DAYS) } else { horizon_days }
    }

    /// Absolute errors of forecasts whose horizon was over at a day.
    fn errors(&self, day: usize, horizon_days: u16) -> Vec<f64> {
        let first = self.values.iter().position(Option::is_some).unwrap_or(0);
        let origins = first + WARM_UP_DAYS..(day + 1).saturating_sub(usize::from(horizon_days));
        let error = |origin: usize| Some((self.truth(origin, horizon_days)? - self.stands[origin]?.after(horizon_days)).abs());
        origins.filter_map(error).collect()
    }
}

fn median_of(values: &[Option<f64>]) -> Option<f64> {
    allium_stats::median(&values.iter().flatten().copied().collect::<Vec<_>>())
}

fn mean_of(values: &[Option<f64>], days: usize) -> Option<f64> {
    allium_stats::mean(&values.iter().rev().take(days).flatten().copied().collect::<Vec<_>>())
}

/// The state of a method after these days.
fn stand(method: Method, values: &[Option<f64>], levels: &[Option<f64>]) -> Option<Stand> {
    let level = levels.last().copied().flatten()?;
    let still = |level: f64| Stand { level, slope: 0.0, damping: 1.0 };
    match method {
        Method::Level => Some(still(level)),
        Method::DampedTrend => Some(Stand { level, slope: slope(levels), damping: DAMPING }),
        Method::Trend => Some(Stand { level, slope: slope(levels), damping: 1.0 }),
        Method::Holt => holt(levels),
        Method::LastMonth => mean_of(values, 30).map(still),
        Method::LastQuarter => mean_of(values, 91).map(still),
        Method::MonthAndQuarter => Some(still(f64::midpoint(mean_of(values, 30)?, mean_of(values, 91)?))),
    }
}

/// Levels a week apart, the earliest first, with their day.
fn weekly(levels: &[Option<f64>]) -> (Vec<f64>, Vec<f64>) {
    let days = (0..levels.len()).rev().step_by(7);
    let mut known: Vec<(f64, f64)> = days.filter_map(|day| Some((day as f64, levels[day]?))).collect();
    known.reverse();
    known.into_iter().unzip()
}

/// Change per day over the last weeks; none where too few are known.
fn slope(levels: &[Option<f64>]) -> f64 {
    let (days, levels) = weekly(&levels[levels.len().saturating_sub(TREND_WEEKS * 7 + 1)..]);
    if days.len() < LEAST_WEEKS {
        return 0.0;
    }
    allium_stats::theil_sen(&days, &levels).map_or(0.0, |trend| trend.slope)
}

/// Holt's damped trend with those of [`HOLT_WEIGHTS`] whose forecasts a week ahead were best.
fn holt(levels: &[Option<f64>]) -> Option<Stand> {
    let (_, levels) = weekly(levels);
    let damping = HOLT_DAMPING.powi(7);
    let smoothed = |(alpha, beta): (f64, f64)| {
        let (mut level, mut slope, mut squares) = (*levels.first()?, 0.0, 0.0);
        for value in &levels[1..] {
            let expected = level + damping * slope;
            let error = value - expected;
            level = expected + alpha * error;
            slope = damping * slope + alpha * beta * error;
            squares += error * error;
        }
        Some((squares, Stand { level, slope: slope / 7.0, damping: HOLT_DAMPING }))
    };
    HOLT_WEIGHTS.into_iter().filter_map(smoothed).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, stand)| stand)
}
