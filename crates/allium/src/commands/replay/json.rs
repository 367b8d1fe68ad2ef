//! An incident as one line of JSON: the fields of the contract first, further ones after them.

use allium_detect::{Cause, Event, Incident, Part, Scope};
use allium_model::ConsensusHour;
use serde::Serialize;

/// The line.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    id: &'a str,
    kind: &'static str,
    scope: ScopeJson<'a>,
    started_at: String,
    detected_at: String,
    resolved_at: Option<String>,
    relays: Vec<String>,
    n_expected: f64,
    n_affected: usize,
    weight_share: Option<f64>,
    severity: &'static str,
    p_value: f64,
    causes: Vec<CauseJson<'a>>,
    detail: Option<&'a str>,
    status: &'static str,
    n_at_risk: usize,
    countries: Vec<PartJson<'a>>,
    autonomous_systems: Vec<PartJson<'a>>,
    timeline: Vec<EventJson>,
    similar: &'a [String],
}

#[derive(Serialize)]
struct ScopeJson<'a> {
    kind: &'static str,
    key: &'a str,
}

#[derive(Serialize)]
struct CauseJson<'a> {
    scope: ScopeJson<'a>,
    probability: f64,
    n_affected: usize,
    n_at_risk: usize,
    cause: &'a str,
    evidence: &'a str,
}

#[derive(Serialize)]
struct PartJson<'a> {
    key: &'a str,
    n_affected: u32,
    n_at_risk: u32,
}

#[derive(Serialize)]
struct EventJson {
    at: String,
    event: String,
}

impl<'a> Line<'a> {
    pub(super) fn of(incident: &'a Incident) -> Self {
        Self {
            id: &incident.id,
            kind: incident.kind.name(),
            scope: scope(&incident.scope),
            started_at: incident.started_at.to_string(),
            detected_at: incident.detected_at.to_string(),
            resolved_at: incident.resolved_at.as_ref().map(ConsensusHour::to_string),
            relays: incident.relays.iter().map(ToString::to_string).collect(),
            n_expected: rounded(incident.n_expected),
            n_affected: incident.n_affected,
            weight_share: incident.weight_share.map(rounded),
            severity: incident.severity.name(),
            p_value: rounded(incident.p_value),
            causes: incident.causes.iter().map(cause).collect(),
            detail: incident.detail.as_deref(),
            status: incident.status.name(),
            n_at_risk: incident.n_at_risk,
            countries: incident.countries.iter().map(part).collect(),
            autonomous_systems: incident.systems.iter().map(part).collect(),
            timeline: incident.timeline.iter().map(event).collect(),
            similar: &incident.similar,
        }
    }
}

fn scope(scope: &Scope) -> ScopeJson<'_> {
    ScopeJson { kind: scope.kind.name(), key: &scope.key }
}

fn cause(cause: &Cause) -> CauseJson<'_> {
    CauseJson {
        scope: scope(&cause.scope),
        probability: rounded(cause.probability),
        n_affected: cause.n_affected,
        n_at_risk: cause.n_at_risk,
        cause: &cause.cause,
        evidence: &cause.evidence,
    }
}

fn part(part: &Part) -> PartJson<'_> {
    PartJson { key: &part.scope.key, n_affected: part.n_affected, n_at_risk: part.n_at_risk }
}

fn event((hour, event): &(ConsensusHour, Event)) -> EventJson {
    EventJson { at: hour.to_string(), event: event.text() }
}

/// Four significant digits: the rest is noise.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}
