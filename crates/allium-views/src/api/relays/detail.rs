//! Everything of a relay.

use allium_analysis::{MonthUptime, OutageSummary, RelayReport, Spread, StripCell, Trend, strip};
use allium_model::{RelayRecord, StateSpan};
use allium_service::View;
use serde::Serialize;

use super::attributes::Attributes;
use super::summary::{RelaySummary, hour};
use crate::api::forecasts::ForecastJson;
use crate::api::{ByPeriod, by_period, secs, share};

/// Everything of a relay.
#[derive(Debug, Clone, Serialize)]
pub struct RelayDetail<'a> {
    /// The newest consensus taken in.
    pub as_of: String,
    /// The relay as lists have it.
    #[serde(flatten)]
    pub summary: RelaySummary<'a>,
    /// Attributes that a list leaves out.
    #[serde(flatten)]
    pub attributes: Attributes<'a>,
    /// The key that it went on under when it changed its key.
    pub followed_by: Option<String>,
    /// Share of known consensuses with each flag, by period.
    pub flag_uptime: Vec<FlagUptimeJson>,
    /// Outages of the last year.
    pub outages: Option<OutagesJson>,
    /// Trend of daily uptime over six months.
    pub trend: Option<TrendJson>,
    /// Spread of daily uptime over six months.
    pub spread: Option<SpreadJson>,
    /// Uptime per calendar month.
    pub months: Vec<MonthJson>,
    /// Uptime over equal intervals, by period.
    pub strips: ByPeriod<Vec<StripJson>>,
    /// States that our own record has seen.
    pub states: Vec<StateJson>,
    /// Its uptime in the weeks ahead, where there is a forecast.
    pub forecast: Option<ForecastJson>,
}

/// Share of known consensuses with a flag.
#[derive(Debug, Clone, Serialize)]
pub struct FlagUptimeJson {
    /// The flag.
    pub flag: &'static str,
    /// Its share by period.
    pub share: ByPeriod<Option<f64>>,
}

/// Outages.
#[derive(Debug, Clone, Serialize)]
pub struct OutagesJson {
    /// Start of the stretch looked at.
    pub from: String,
    /// End of it, exclusive.
    pub to: String,
    /// Hours down in all.
    pub down_hours: f64,
    /// The outages, earliest first.
    pub outages: Vec<OutageJson>,
}

/// An outage.
#[derive(Debug, Clone, Serialize)]
pub struct OutageJson {
    /// Start of its first interval.
    pub start: String,
    /// End of its last one, exclusive.
    pub end: String,
    /// Hours down in between.
    pub down_hours: f64,
    /// Start and end are known to within this.
    pub interval_secs: u32,
    /// True while it lasts.
    pub ongoing: bool,
}

/// Trend of daily uptime, as shares per 30 days.
#[derive(Debug, Clone, Serialize)]
pub struct TrendJson {
    /// Slope.
    pub per_30_days: f64,
    /// Lower bound of the 95 % confidence interval.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Days it rests on.
    pub n_days: usize,
}

/// Spread of daily uptime, as shares.
#[derive(Debug, Clone, Serialize)]
pub struct SpreadJson {
    /// Standard deviation.
    pub std_dev: f64,
    /// Median absolute deviation.
    pub mad: f64,
    /// The worst day.
    pub worst: f64,
    /// Days it rests on.
    pub n_days: usize,
}

/// Uptime in a calendar month.
#[derive(Debug, Clone, Serialize)]
pub struct MonthJson {
    /// Such as `2026-02`.
    pub month: String,
    /// Uptime in it.
    pub uptime: f64,
    /// Share of its hours that are known.
    pub known: f64,
}

/// An interval of a strip.
#[derive(Debug, Clone, Serialize)]
pub struct StripJson {
    /// Its start.
    pub start: String,
    /// Its end, exclusive.
    pub end: String,
    /// Uptime in it; `null` where nobody measured.
    pub uptime: Option<f64>,
}

/// A stretch in one state.
#[derive(Debug, Clone, Serialize)]
pub struct StateJson {
    /// First consensus.
    pub start: String,
    /// The hour after the last one.
    pub end: String,
    /// Flags.
    pub flags: Vec<&'static str>,
    /// Country.
    pub country: Option<String>,
    /// Autonomous system.
    #[serde(rename = "as")]
    pub asn: Option<String>,
    /// Version of Tor.
    pub version: Option<String>,
}

impl<'a> RelayDetail<'a> {
    /// Everything of a relay of a view, without a forecast.
    pub fn of(view: &'a View, record: &'a RelayRecord, report: &RelayReport) -> Self {
        let cells = |period| strip(record, &view.record.known, view.as_of(), period).cells;
        Self {
            as_of: view.as_of().to_string(),
            summary: RelaySummary::of(record, report),
            attributes: Attributes::of(&record.relay),
            followed_by: report.followed_by.and_then(|i| view.record.relays.get(i as usize)).map(|next| next.relay.fingerprint.to_string()),
            flag_uptime: report.flag_uptime.iter().map(flag_uptime).collect(),
            outages: report.outages.as_ref().map(outages),
            trend: report.trend.map(trend),
            spread: report.spread.map(spread),
            months: report.months.iter().map(month).collect(),
            strips: by_period(|period| cells(period).iter().map(StripJson::of).collect()),
            states: record.spans.iter().map(state).collect(),
            forecast: None,
        }
    }
}

impl StripJson {
    /// The interval that a cell stands for.
    pub fn of(cell: &StripCell) -> Self {
        Self { start: secs(cell.start_secs), end: secs(cell.end_secs), uptime: cell.uptime.map(share) }
    }
}

fn flag_uptime(flag: &allium_analysis::FlagUptime) -> FlagUptimeJson {
    FlagUptimeJson { flag: flag.flag.name(), share: by_period(|period| flag.share[period.index()].map(share)) }
}

fn outages(summary: &OutageSummary) -> OutagesJson {
    let outage = |o: &allium_analysis::Outage| OutageJson {
        start: secs(o.start_secs),
        end: secs(o.end_secs),
        down_hours: o.down_hours,
        interval_secs: o.interval_secs,
        ongoing: o.ongoing,
    };
    OutagesJson {
        from: secs(summary.from_secs),
        to: secs(summary.to_secs),
        down_hours: summary.down_hours(),
        outages: summary.outages.iter().map(outage).collect(),
    }
}

fn trend(trend: Trend) -> TrendJson {
    TrendJson { per_30_days: trend.per_30_days, low: trend.low, high: trend.high, n_days: trend.n_days }
}

fn spread(spread: Spread) -> SpreadJson {
    SpreadJson { std_dev: spread.std_dev, mad: spread.mad, worst: share(spread.worst), n_days: spread.n_days }
}

fn month(month: &MonthUptime) -> MonthJson {
    MonthJson { month: format!("{:04}-{:02}", month.year, month.month), uptime: share(month.uptime), known: share(month.known) }
}

fn state(span: &StateSpan) -> StateJson {
    StateJson {
        start: hour(span.start),
        end: hour(span.end),
        flags: span.state.flags.iter().map(allium_model::RelayFlag::name).collect(),
        country: span.state.country.map(|country| country.to_string()),
        asn: span.state.asn.map(|asn| asn.to_string()),
        version: span.state.version.as_deref().map(str::to_owned),
    }
}
