//! The network in months: relays, guards, exits, weight and uptime, with intervals.
//!
//! A count is followed on the logarithm of its robust level: the median over the consensuses of each day, then the median over 7
//! days, which a flood of relays that lasts hours or two days does not move. The level goes on with the Theil–Sen slope of the
//! last 26 weeks, damped by 1 % a day (Gardner, McKenzie 1985). Uptime is the share of relays known for two weeks that run, and
//! its forecast is a mean over the time to come: see [`Figure::Uptime`].
//!
//! Intervals are what the same method got wrong before (split conformal prediction; Vovk et al. 2005): the quantiles of its
//! absolute errors as of every past day with enough history, widened for counts with horizons beyond 30 days by (h / 30)^0.6.
//! [`backtest`] scores this and simpler methods as of past days. Limits: what history does not hold (a law, an attack) is not
//! foreseen; errors of overlapping windows resemble each other, so the intervals of long horizons rest on little.

mod backtest;
mod daily;
mod methods;
mod outlook;

pub use backtest::{NetworkScore, backtest};
pub use daily::Daily;
pub use methods::Method;
pub use outlook::NetworkOutlook;

use serde::Serialize;

/// The levels of the quantiles of network forecasts.
pub const NETWORK_LEVELS: [f64; 5] = [0.05, 0.1, 0.5, 0.9, 0.95];

/// A figure of the network that is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The share of relays that run, of those seen in the 7 days before and listed for the first time at least 14 days before.
    ///
    /// The forecast for a horizon is of the mean over all of its days. Relays that came a few days ago do not count, so a flood
    /// of short-lived ones does not look like a collapse.
    Uptime,
    /// Running relays, on the day at the end of the horizon.
    Relays,
    /// Running relays with the Guard flag.
    Guards,
    /// Running relays with the Exit flag.
    Exits,
    /// The sum of consensus weights.
    Weight,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Uptime, Self::Relays, Self::Guards, Self::Exits, Self::Weight];

    /// The name in tables, such as `relays`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uptime => "uptime",
            Self::Relays => "relays",
            Self::Guards => "guards",
            Self::Exits => "exits",
            Self::Weight => "weight",
        }
    }

    /// The days ahead for which it is forecast: 30 days and 3 months for uptime, 3, 6 and 12 months for counts.
    pub const fn horizons(self) -> &'static [u16] {
        match self {
            Self::Uptime => &[30, 91],
            _ => &[91, 182, 365],
        }
    }

    /// True if changes of it are ratios, not differences.
    pub const fn is_count(self) -> bool {
        !matches!(self, Self::Uptime)
    }
}

/// The forecast of one figure for one horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkForecast {
    /// The figure that is forecast.
    pub figure: Figure,
    /// Days after the origin that it reaches.
    pub horizon_days: u16,
    /// Its level at the origin.
    pub level: f64,
    /// Quantiles at [`NETWORK_LEVELS`].
    pub quantiles: [f64; 5],
    /// Number of errors of the past that its interval rests on.
    pub n_errors: usize,
}

impl NetworkForecast {
    /// The median.
    pub const fn median(&self) -> f64 {
        self.quantiles[2]
    }

    /// The 80 % interval.
    pub const fn interval(&self) -> (f64, f64) {
        (self.quantiles[1], self.quantiles[3])
    }
}
