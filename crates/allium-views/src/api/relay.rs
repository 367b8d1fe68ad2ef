//! Figures of a relay: what a list has of it, and everything.

use allium_analysis::{AroiState, MonthUptime, OutageSummary, RelayReport, Since, Spread, StripCell, Trend, UptimeSource, strip};
use allium_model::{AroiContact, ConsensusHour, PortSummary, Relay, RelayRecord, StateSpan};
use allium_service::View;
use allium_words::format::rfc3339;
use serde::Serialize;

use super::forecasts::ForecastJson;
use super::{ByPeriod, by_period, secs, share};

/// What a list has of a relay.
#[derive(Debug, Clone, Serialize)]
pub struct RelaySummary<'a> {
    /// Who it is: 40 upper-case hexadecimal digits.
    pub fingerprint: String,
    /// What it calls itself.
    pub nickname: Option<&'a str>,
    /// Whether the newest consensus lists it as Running.
    pub running: bool,
    /// Whether it was seen in the last 7 days.
    pub current: bool,
    /// Since when it is in its present state.
    pub since: Option<SinceJson>,
    /// Uptime by period.
    pub uptime: ByPeriod<Option<f64>>,
    /// The same as the source published it, where it did.
    pub uptime_as_published: ByPeriod<Option<f64>>,
    /// What each figure rests on.
    pub uptime_source: ByPeriod<Option<SourceJson>>,
    /// Flags of its last consensus.
    pub flags: Vec<&'a str>,
    /// Share of the network's consensus weight.
    pub consensus_weight_fraction: Option<f64>,
    /// Consensus weight.
    pub consensus_weight: Option<u64>,
    /// Probability to be chosen as guard.
    pub guard_probability: Option<f64>,
    /// Probability to be chosen as middle relay.
    pub middle_probability: Option<f64>,
    /// Probability to be chosen as exit.
    pub exit_probability: Option<f64>,
    /// The least of rate, burst and observed bandwidth.
    pub advertised_bandwidth_bytes_per_sec: Option<u64>,
    /// Country of the primary address.
    pub country: Option<String>,
    /// Its name.
    pub country_name: Option<&'a str>,
    /// Autonomous system of the primary address.
    #[serde(rename = "as")]
    pub asn: Option<String>,
    /// Its name.
    pub as_name: Option<&'a str>,
    /// Addresses and ports, the primary one first.
    pub or_addresses: Vec<String>,
    /// Version of Tor.
    pub version: Option<&'a str>,
    /// What the authorities say of it.
    pub version_status: Option<&'a str>,
    /// Software and operating system.
    pub platform: Option<&'a str>,
    /// How to reach its operator.
    pub contact: Option<&'a str>,
    /// The domain that the contact claims, and what the claim is worth; `None` where it claims nothing.
    pub aroi: Option<AroiJson>,
    /// First consensus that lists it.
    pub first_seen: Option<String>,
    /// Newest consensus that lists it.
    pub last_seen: Option<String>,
    /// When its process started.
    pub last_restarted: Option<String>,
}

/// A claim of a domain.
#[derive(Debug, Clone, Serialize)]
pub struct AroiJson {
    /// What it is worth: validated, unauthorised, misconfigured, unchecked, incomplete.
    pub state: &'static str,
    /// The domain.
    pub domain: Option<String>,
    /// How the domain can be asked.
    pub method: Option<&'static str>,
    /// Why it is worth no more.
    pub reason: Option<String>,
    /// When the domain was asked.
    pub checked_at: Option<String>,
}

impl AroiJson {
    fn of(relay: &Relay) -> Option<Self> {
        let state = Some(AroiState::of(relay)).filter(|state| *state != AroiState::NotConfigured)?;
        let contact = AroiContact::of(relay.contact.as_deref()?);
        let check = relay.claim_check();
        let problems = if let AroiContact::Incomplete { problems, .. } = &contact { Some(problems.join(", ")) } else { None };
        Some(Self {
            state: state.name(),
            domain: contact.domain().map(ToString::to_string),
            method: contact.claim().map(|claim| claim.method.name()),
            reason: check.map(|check| check.reason.clone()).filter(|reason| !reason.is_empty()).or(problems),
            checked_at: check.map(|check| rfc3339(check.checked_at)),
        })
    }
}

/// Since when a relay is in its present state.
#[derive(Debug, Clone, Serialize)]
pub struct SinceJson {
    /// Running or down.
    pub running: bool,
    /// The state before was last seen here.
    pub after: Option<String>,
    /// The present one was first seen here.
    pub since: String,
}

/// What an uptime rests on.
#[derive(Debug, Clone, Serialize)]
pub struct SourceJson {
    /// `exact` or `published`.
    pub kind: &'static str,
    /// Length of an interval.
    pub interval_secs: u32,
    /// Intervals with a value.
    pub n_intervals: u32,
    /// Start of what is covered.
    pub from: String,
    /// End of it, exclusive.
    pub to: String,
    /// Hours measured.
    pub known_hours: f64,
    /// Share of the period that was measured.
    pub coverage: f64,
}

/// Everything of a relay.
#[derive(Debug, Clone, Serialize)]
pub struct RelayDetail<'a> {
    /// The newest consensus taken in.
    pub as_of: String,
    /// What a list has of it.
    #[serde(flatten)]
    pub summary: RelaySummary<'a>,
    /// Attributes that a list leaves out.
    #[serde(flatten)]
    pub attributes: Attributes<'a>,
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

/// Attributes of a relay that a list leaves out.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are those of allium_model::Relay, which documents them")]
pub struct Attributes<'a> {
    pub exit_addresses: Vec<String>,
    pub dir_address: Option<String>,
    pub unreachable_or_addresses: Vec<String>,
    pub last_changed_address_or_port: Option<String>,
    pub hibernating: bool,
    pub measured: Option<bool>,
    pub verified_host_names: &'a [String],
    pub unverified_host_names: &'a [String],
    pub bandwidth_rate_bytes_per_sec: Option<u64>,
    pub bandwidth_burst_bytes_per_sec: Option<u64>,
    pub observed_bandwidth_bytes_per_sec: Option<u64>,
    pub overload_general_at: Option<String>,
    pub exit_policy: &'a [String],
    pub exit_policy_summary: Option<PortsJson<'a>>,
    pub exit_policy_v6_summary: Option<PortsJson<'a>>,
    pub recommended_version: Option<bool>,
    pub effective_family: Vec<String>,
    pub alleged_family: &'a [String],
    pub indirect_family: Vec<String>,
}

/// Ports of an exit policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortsJson<'a> {
    /// Exactly these.
    Accept(&'a [String]),
    /// All but these.
    Reject(&'a [String]),
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
    /// Whether it still lasts.
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

impl<'a> RelaySummary<'a> {
    /// The summary of a relay.
    pub fn of(record: &'a RelayRecord, report: &RelayReport) -> Self {
        let relay = &record.relay;
        let figure = |period: allium_model::Period| report.uptime[period.index()].as_ref();
        Self {
            fingerprint: relay.fingerprint.to_string(),
            nickname: relay.nickname.as_deref(),
            running: relay.running,
            current: report.current,
            since: report.since.map(since),
            uptime: by_period(|period| figure(period).map(|f| share(f.uptime))),
            uptime_as_published: by_period(|period| figure(period).and_then(|f| f.as_published).map(share)),
            uptime_source: by_period(|period| figure(period).map(source)),
            flags: flags(relay),
            consensus_weight_fraction: relay.consensus_weight_fraction.map(share),
            consensus_weight: relay.consensus_weight,
            guard_probability: relay.guard_probability.map(share),
            middle_probability: relay.middle_probability.map(share),
            exit_probability: relay.exit_probability.map(share),
            advertised_bandwidth_bytes_per_sec: relay.advertised_bandwidth,
            country: relay.country.map(|country| country.to_string()),
            country_name: relay.country_name.as_deref(),
            asn: relay.asn.map(|asn| asn.to_string()),
            as_name: relay.as_name.as_deref(),
            or_addresses: texts(&relay.or_addresses),
            version: relay.version.as_deref(),
            version_status: relay.version_status.as_deref(),
            platform: relay.platform.as_deref(),
            contact: relay.contact.as_deref(),
            aroi: AroiJson::of(relay),
            first_seen: relay.first_seen.map(hour),
            last_seen: relay.last_seen.map(hour),
            last_restarted: relay.last_restarted.map(rfc3339),
        }
    }
}

impl<'a> RelayDetail<'a> {
    /// Everything of a relay of a view, without a forecast.
    pub fn of(view: &'a View, record: &'a RelayRecord, report: &RelayReport) -> Self {
        let cells = |period| strip(record, &view.record.known, view.as_of(), period).cells;
        Self {
            as_of: view.as_of().to_string(),
            summary: RelaySummary::of(record, report),
            attributes: Attributes::of(&record.relay),
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

impl<'a> Attributes<'a> {
    fn of(relay: &'a Relay) -> Self {
        Self {
            exit_addresses: texts(&relay.exit_addresses),
            dir_address: relay.dir_address.map(|address| address.to_string()),
            unreachable_or_addresses: texts(&relay.unreachable_or_addresses),
            last_changed_address_or_port: relay.last_changed_address_or_port.map(hour),
            hibernating: relay.hibernating,
            measured: relay.measured,
            verified_host_names: &relay.verified_host_names,
            unverified_host_names: &relay.unverified_host_names,
            bandwidth_rate_bytes_per_sec: relay.bandwidth_rate,
            bandwidth_burst_bytes_per_sec: relay.bandwidth_burst,
            observed_bandwidth_bytes_per_sec: relay.observed_bandwidth,
            overload_general_at: relay.overload_general_at.map(rfc3339),
            exit_policy: &relay.exit_policy,
            exit_policy_summary: relay.exit_policy_summary.as_ref().map(ports),
            exit_policy_v6_summary: relay.exit_policy_v6_summary.as_ref().map(ports),
            recommended_version: relay.recommended_version,
            effective_family: texts(&relay.effective_family),
            alleged_family: &relay.alleged_family,
            indirect_family: texts(&relay.indirect_family),
        }
    }
}

impl StripJson {
    /// The interval that a cell stands for.
    pub fn of(cell: &StripCell) -> Self {
        Self { start: secs(cell.start_secs), end: secs(cell.end_secs), uptime: cell.uptime.map(share) }
    }
}

fn flags(relay: &Relay) -> Vec<&str> {
    let named = relay.flags.iter().map(|flag| -> &str { flag.name() });
    named.chain(relay.other_flags.iter().map(String::as_str)).collect()
}

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn hour(hour: ConsensusHour) -> String {
    hour.to_string()
}

fn since(since: Since) -> SinceJson {
    SinceJson { running: since.running, after: since.after.map(hour), since: hour(since.since) }
}

fn source(figure: &allium_analysis::UptimeFigure) -> SourceJson {
    let (kind, interval_secs, n_intervals) = match figure.source {
        UptimeSource::Exact { n_consensuses } => ("exact", 3600, n_consensuses),
        UptimeSource::Published { interval_secs, n_intervals } => ("published", interval_secs, n_intervals),
    };
    let coverage = share(figure.coverage);
    SourceJson {
        kind,
        interval_secs,
        n_intervals,
        from: secs(figure.from_secs),
        to: secs(figure.to_secs),
        known_hours: figure.known_hours,
        coverage,
    }
}

fn ports(summary: &PortSummary) -> PortsJson<'_> {
    match summary {
        PortSummary::Accept(ports) => PortsJson::Accept(ports),
        PortSummary::Reject(ports) => PortsJson::Reject(ports),
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
