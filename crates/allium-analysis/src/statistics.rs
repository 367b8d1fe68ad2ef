//! The distribution of uptime over the network: percentiles by period and role, far-out relays, and how periods go together.
//!
//! Over current relays with a figure for the period. Relays at 0 are in it; relays without data are not.

use allium_model::{Fraction, NetworkRecord, Period, RelayFlag};
use allium_stats::{mean, pearson, quantiles_of_sorted, spearman, std_dev};

use crate::report::NetworkReport;

/// The levels that are reported.
pub const LEVELS: [f64; 7] = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];

/// Interquartile ranges below the lower quartile from which a relay is far out: Tukey (1977).
pub const FAR_OUT: f64 = 3.0;

/// The periods whose correlation is reported.
pub const CORRELATED: [Period; 5] = [Period::SevenDays, Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears];

/// The relays that a distribution is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// All of them.
    All,
    /// With flag Guard.
    Guard,
    /// With flag Exit and without BadExit.
    Exit,
    /// With neither Guard nor Exit.
    Middle,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::All, Self::Guard, Self::Exit, Self::Middle];

    /// The name in JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Guard => "guard",
            Self::Exit => "exit",
            Self::Middle => "middle",
        }
    }

    fn has(self, relay: &allium_model::Relay) -> bool {
        let (guard, exit) = (relay.has(RelayFlag::Guard), relay.has(RelayFlag::Exit));
        match self {
            Self::All => true,
            Self::Guard => guard,
            Self::Exit => exit && !relay.has(RelayFlag::BadExit),
            Self::Middle => !guard && !exit,
        }
    }
}

/// The distribution of uptime over the relays of a role in a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The relays.
    pub role: Role,
    /// The period.
    pub period: Period,
    /// Relays with a figure.
    pub n_relays: usize,
    /// Mean over relays, each counted once.
    pub mean: Fraction,
    /// Standard deviation (n − 1); `None` for a single relay.
    pub std_dev: Option<f64>,
    /// Quantiles (R type 7) at [`LEVELS`].
    pub quantiles: [Fraction; 7],
    /// Below this a relay is far out: the lower quartile less three interquartile ranges. Negative where none can be.
    pub far_out_below: f64,
    /// Relays below that.
    pub n_far_out: usize,
    /// Relays that were never up in the period.
    pub n_zero: usize,
    /// Relays that were always up in the period.
    pub n_full: usize,
}

/// The correlation of the uptime of relays in two periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// The shorter period.
    pub short: Period,
    /// The longer one.
    pub long: Period,
    /// Relays with a figure for both.
    pub n_relays: usize,
    /// Spearman's rank correlation; `None` where either side is constant.
    pub spearman: Option<f64>,
    /// Pearson's correlation, likewise.
    pub pearson: Option<f64>,
}

/// Everything on the statistics page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkStatistics {
    /// By role, then by period; combinations without a relay are missing.
    pub distributions: Vec<Distribution>,
    /// Each pair of [`CORRELATED`] with 10 relays and more.
    pub correlations: Vec<Correlation>,
}

/// Relays that a correlation needs.
const MIN_CORRELATED: usize = 10;

impl NetworkStatistics {
    /// Computes the statistics of a record; record and report must belong together.
    pub fn compute(record: &NetworkRecord, report: &NetworkReport) -> Self {
        let combinations = Role::ALL.into_iter().flat_map(|role| Period::ALL.map(|period| (role, period)));
        let pairs = CORRELATED.iter().enumerate().flat_map(|(i, short)| CORRELATED[i + 1..].iter().map(|long| (*short, *long)));
        Self {
            distributions: combinations.filter_map(|(role, period)| distribution(record, report, role, period)).collect(),
            correlations: pairs.filter_map(|(short, long)| correlation(report, short, long)).collect(),
        }
    }

    /// The distribution of a role in a period.
    pub fn distribution(&self, role: Role, period: Period) -> Option<&Distribution> {
        self.distributions.iter().find(|found| found.role == role && found.period == period)
    }
}

fn distribution(record: &NetworkRecord, report: &NetworkReport, role: Role, period: Period) -> Option<Distribution> {
    let pairs = record.relays.iter().zip(&report.relays);
    let members = pairs.filter(|(relay, report)| report.current && role.has(&relay.relay));
    let mut sorted: Vec<f64> = members.filter_map(|(_, report)| report.uptime_in(period)).map(Fraction::get).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let [q05, q25, q50, q75, q90, q95, q99] = quantiles_of_sorted(&sorted, LEVELS)?.map(Fraction::clamped);
    let quantiles = [q05?, q25?, q50?, q75?, q90?, q95?, q99?];
    let far_out_below = quantiles[1].get() - FAR_OUT * (quantiles[3].get() - quantiles[1].get());
    Some(Distribution {
        role,
        period,
        n_relays: sorted.len(),
        mean: mean(&sorted).and_then(Fraction::clamped)?,
        std_dev: std_dev(&sorted),
        quantiles,
        far_out_below,
        n_far_out: sorted.partition_point(|value| *value < far_out_below),
        n_zero: sorted.partition_point(|value| *value <= 0.0),
        n_full: sorted.len() - sorted.partition_point(|value| *value < 1.0 - 1e-9),
    })
}

fn correlation(report: &NetworkReport, short: Period, long: Period) -> Option<Correlation> {
    let pair = |relay: &crate::RelayReport| Some((relay.uptime_in(short)?.get(), relay.uptime_in(long)?.get()));
    let (x, y): (Vec<f64>, Vec<f64>) = report.relays.iter().filter(|relay| relay.current).filter_map(pair).unzip();
    (x.len() >= MIN_CORRELATED).then(|| Correlation {
        short,
        long,
        n_relays: x.len(),
        spearman: spearman(&x, &y),
        pearson: pearson(&x, &y),
    })
}
