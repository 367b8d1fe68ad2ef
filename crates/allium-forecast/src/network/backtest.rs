//! Back-test of forecasts of the network, as of past days.

use serde::Serialize;

use super::Figure;
use super::daily::Daily;
use super::methods::{Course, Method};

/// The scores of one method for one figure and horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkScore {
    /// The figure that was forecast.
    pub figure: Figure,
    /// Days ahead.
    pub horizon_days: u16,
    /// By which method.
    pub method: Method,
    /// True if it is the one in use.
    pub in_use: bool,
    /// Forecasts that could be compared with the outcome; their windows overlap.
    pub n: usize,
    /// Mean absolute error of the median: as a share of what came for counts, as a difference of shares for uptime.
    pub mae: f64,
    /// The same with its sign: above 0 where forecasts were too high.
    pub bias: f64,
    /// Share of what came inside the 80 % interval.
    pub covered_80: f64,
    /// The same of the 90 % interval.
    pub covered_90: f64,
    /// Mean width of the 80 % interval, as a share of what came for counts.
    pub width_80: f64,
}

/// Scores all methods as of days `step_days` apart, as many as there are with a forecast and with what came.
///
/// A forecast sees nothing after its day, and neither does its interval.
pub fn backtest(daily: &Daily, step_days: usize) -> Vec<NetworkScore> {
    let mut scores = Vec::new();
    for figure in Figure::ALL {
        for method in Method::candidates(figure) {
            let course = Course::of(figure, *method, daily.values(figure));
            scores.extend(figure.horizons().iter().filter_map(|horizon| score(&course, figure, *method, *horizon, step_days)));
        }
    }
    scores.sort_by_key(|score| (score.figure, score.horizon_days));
    scores
}

fn score(course: &Course, figure: Figure, method: Method, horizon_days: u16, step_days: usize) -> Option<NetworkScore> {
    let last = course.len().checked_sub(1 + usize::from(horizon_days))?;
    let days = (0..=last).rev().step_by(step_days.max(1));
    let pair = |day: usize| Some((course.forecast(day, horizon_days)?, course.unscaled(course.truth(day, horizon_days)?)));
    let pairs: Vec<_> = days.filter_map(pair).collect();
    let mean_of = |value: &dyn Fn(&[f64; 5], f64) -> f64| {
        allium_stats::mean(&pairs.iter().map(|(forecast, truth)| value(&forecast.quantiles, *truth)).collect::<Vec<_>>())
    };
    let relative = |difference: f64, truth: f64| if figure.is_count() { difference / truth } else { difference };
    let inside = |low: usize, high: usize| mean_of(&|q, truth| f64::from(u8::from((q[low]..=q[high]).contains(&truth))));
    Some(NetworkScore {
        figure,
        horizon_days,
        method,
        in_use: method == Method::in_use(figure),
        n: pairs.len(),
        mae: mean_of(&|q, truth| relative((q[2] - truth).abs(), truth))?,
        bias: mean_of(&|q, truth| relative(q[2] - truth, truth))?,
        covered_80: inside(1, 3)?,
        covered_90: inside(0, 4)?,
        width_80: mean_of(&|q, truth| relative(q[3] - q[1], truth))?,
    })
}
