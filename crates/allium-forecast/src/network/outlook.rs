//! The network's figures with their forecasts, and the scores of such forecasts in the past.

use super::backtest::{NetworkScore, backtest};
use super::daily::Daily;
use super::{Figure, NetworkForecast};

/// Days between two days of the back-test.
const STEP_DAYS: usize = 7;

/// The whole network in the months ahead.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkOutlook {
    /// Its figures day by day; `None` where our own record is no ground for them.
    pub daily: Option<Daily>,
    /// The figures at their horizons; those that cannot be forecast are missing.
    pub forecasts: Vec<NetworkForecast>,
    /// The scores of such forecasts as of past days.
    pub scores: Vec<NetworkScore>,
}

impl NetworkOutlook {
    /// Forecasts from daily figures, and a back-test in steps of a week.
    pub fn of(daily: Daily) -> Self {
        let forecasts = Figure::ALL.into_iter().flat_map(|figure| daily.forecasts(figure, figure.horizons().iter().copied())).collect();
        let scores = backtest(&daily, STEP_DAYS);
        Self { daily: Some(daily), forecasts, scores }
    }

    /// The forecast of a figure at one of its horizons.
    pub fn find(&self, figure: Figure, horizon_days: u16) -> Option<&NetworkForecast> {
        self.forecasts.iter().find(|forecast| forecast.figure == figure && forecast.horizon_days == horizon_days)
    }

    /// The score of the method in use there.
    pub fn score(&self, figure: Figure, horizon_days: u16) -> Option<&NetworkScore> {
        self.scores.iter().find(|score| score.in_use && score.figure == figure && score.horizon_days == horizon_days)
    }
}
