//! Figures of the whole network.

use allium_analysis::{FlagFigures, PeriodFigures, StripCell};
use allium_service::View;
use serde::Serialize;

use super::relays::{RelaySummary, StripJson};
use super::{ByPeriod, by_period, share};

/// Figures of the whole network.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkJson {
    /// The newest consensus taken in.
    pub as_of: String,
    /// Relays seen in the last 7 days.
    pub n_relays: usize,
    /// Relays Running in the newest consensus.
    pub n_running: usize,
    /// Running relays by role.
    pub running_by_role: RolesJson,
    /// Sum over running relays; `None` where none is known.
    pub consensus_weight: Option<u64>,
    /// Sum over running relays; `None` where none is known.
    pub advertised_bandwidth_bytes_per_sec: Option<u64>,
    /// Distinct ones among running relays.
    pub n_autonomous_systems: usize,
    /// Distinct ones among running relays.
    pub n_countries: usize,
    /// Distribution over current relays by period.
    pub uptime: ByPeriod<Option<PeriodJson>>,
    /// The same by flag.
    pub by_flag: Vec<FlagJson>,
    /// Mean uptime per day.
    pub daily: Vec<StripJson>,
}

/// Running relays by role; a relay with Guard and Exit counts in both.
#[derive(Debug, Clone, Serialize)]
pub struct RolesJson {
    /// With flag Guard.
    pub guard: usize,
    /// With flag Exit and without BadExit.
    pub exit: usize,
    /// With neither.
    pub middle: usize,
}

/// Distribution of uptime over relays.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodJson {
    /// Relays with a figure.
    pub n_relays: usize,
    /// Mean over relays.
    pub mean: f64,
    /// Mean by consensus weight.
    pub weighted_mean: Option<f64>,
    /// Quantile at 5 %.
    pub q05: f64,
    /// Quantile at 25 %.
    pub q25: f64,
    /// Median.
    pub median: f64,
    /// Quantile at 75 %.
    pub q75: f64,
    /// Quantile at 95 %.
    pub q95: f64,
    /// Standard deviation over relays.
    pub std_dev: Option<f64>,
}

/// Uptime of the relays that hold a flag.
#[derive(Debug, Clone, Serialize)]
pub struct FlagJson {
    /// The flag.
    pub flag: &'static str,
    /// Current relays that hold it.
    pub n_relays: usize,
    /// Of these Running.
    pub n_running: usize,
    /// Their uptime.
    pub uptime: ByPeriod<Option<PeriodJson>>,
}

/// The report of `analyze`: the network and its current relays.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkReportJson<'a> {
    /// The newest consensus taken in.
    pub as_of: String,
    /// Figures of the network.
    pub network: NetworkJson,
    /// Relays seen in the last 7 days, in the order of their fingerprints.
    pub relays: Vec<RelaySummary<'a>>,
}

/// Everything that `analyze --format json` prints.
pub fn network_report_json(view: &View) -> NetworkReportJson<'_> {
    let pairs = view.record.relays.iter().zip(&view.report.relays).filter(|(_, report)| report.current);
    NetworkReportJson {
        as_of: view.as_of().to_string(),
        network: NetworkJson::of(view),
        relays: pairs.map(|(record, report)| RelaySummary::of(record, report)).collect(),
    }
}

impl NetworkJson {
    /// The figures of a view.
    pub fn of(view: &View) -> Self {
        let network = &view.report.network;
        Self {
            as_of: view.as_of().to_string(),
            n_relays: network.n_relays,
            n_running: network.n_running,
            running_by_role: RolesJson {
                guard: network.running_by_role.guard,
                exit: network.running_by_role.exit,
                middle: network.running_by_role.middle,
            },
            consensus_weight: network.consensus_weight,
            advertised_bandwidth_bytes_per_sec: network.advertised_bandwidth,
            n_autonomous_systems: network.n_autonomous_systems,
            n_countries: network.n_countries,
            uptime: periods(&network.uptime),
            by_flag: network.by_flag.iter().map(flag).collect(),
            daily: network.daily.cells.iter().map(|cell: &StripCell| StripJson::of(cell)).collect(),
        }
    }
}

fn flag(figures: &FlagFigures) -> FlagJson {
    FlagJson { flag: figures.flag.name(), n_relays: figures.n_relays, n_running: figures.n_running, uptime: periods(&figures.uptime) }
}

fn periods(figures: &[Option<PeriodFigures>; 7]) -> ByPeriod<Option<PeriodJson>> {
    by_period(|period| figures[period.index()].as_ref().map(period_json))
}

fn period_json(figures: &PeriodFigures) -> PeriodJson {
    let [q05, q25, median, q75, q95] = figures.quantiles.map(share);
    PeriodJson {
        n_relays: figures.n_relays,
        mean: share(figures.mean),
        weighted_mean: figures.weighted_mean.map(share),
        q05,
        q25,
        median,
        q75,
        q95,
        std_dev: figures.std_dev,
    }
}
