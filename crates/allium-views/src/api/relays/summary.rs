//! Figures of a relay in a list.

use allium_analysis::{AroiState, RelayReport, Since, UptimeSource};
use allium_model::{AroiContact, ConsensusHour, Relay, RelayRecord};
use allium_words::format::rfc3339;
use serde::Serialize;

use crate::api::{ByPeriod, by_period, secs, share};

/// A relay in a list.
#[derive(Debug, Clone, Serialize)]
pub struct RelaySummary<'a> {
    /// Its identity: 40 upper-case hexadecimal digits.
    pub fingerprint: String,
    /// Its nickname.
    pub nickname: Option<&'a str>,
    /// True if the newest consensus lists it as Running.
    pub running: bool,
    /// True if it was seen in the last 7 days.
    pub current: bool,
    /// Since when it is in its present state.
    pub since: Option<SinceJson>,
    /// Uptime by period.
    pub uptime: ByPeriod<Option<f64>>,
    /// The same as the source published it, where it did.
    pub uptime_as_published: ByPeriod<Option<f64>>,
    /// Data that each figure rests on.
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
    /// Standing of the version with the authorities.
    pub version_status: Option<&'a str>,
    /// Software and operating system.
    pub platform: Option<&'a str>,
    /// Contact of its operator.
    pub contact: Option<&'a str>,
    /// The domain that the contact claims, and what the claim is worth; `None` where it claims nothing.
    pub aroi: Option<AroiJson>,
    /// First consensus that lists it; `None` where that is not known.
    pub first_seen: Option<String>,
    /// Consensus by which it had appeared, where the first one is not known.
    pub first_seen_bound: Option<String>,
    /// The source of its first appearance: document, record, or bound; `None` where nothing is known of it.
    pub first_seen_source: Option<&'static str>,
    /// Newest consensus that lists it.
    pub last_seen: Option<String>,
    /// Start of its process.
    pub last_restarted: Option<String>,
}

/// A claim of a domain.
#[derive(Debug, Clone, Serialize)]
pub struct AroiJson {
    /// Standing of the claim: validated, unauthorised, misconfigured, unchecked, incomplete.
    pub state: &'static str,
    /// The domain.
    pub domain: Option<String>,
    /// Method by which the domain can be asked.
    pub method: Option<&'static str>,
    /// Why it is worth no more.
    pub reason: Option<String>,
    /// Time at which the domain was asked.
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

/// Data that an uptime rests on.
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
            first_seen: relay.first_seen.date().map(hour),
            first_seen_bound: relay.first_seen.bound().map(hour),
            first_seen_source: relay.first_seen.source(),
            last_seen: relay.last_seen.map(hour),
            last_restarted: relay.last_restarted.map(rfc3339),
        }
    }
}

pub(super) fn flags(relay: &Relay) -> Vec<&str> {
    let named = relay.flags.iter().map(|flag| -> &str { flag.name() });
    named.chain(relay.other_flags.iter().map(String::as_str)).collect()
}

pub(super) fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

pub(super) fn hour(hour: ConsensusHour) -> String {
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
