//! Incidents for programs: the list is that of the page, one incident has everything.

use allium_detect::{Cause, Event, Incident, Part, Scope};
use allium_model::ConsensusHour;
use serde::Serialize;

use super::{Form, to_json};
use crate::error::RequestError;
use crate::incidents::{IncidentLog, updated_at};
use crate::pages;
use crate::params::Params;
use crate::view::View;

/// An incident: first the fields that a replay of the history writes for each, in their order, then what is more.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentJson<'a> {
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
    updated_at: String,
}

#[derive(Debug, Clone, Serialize)]
struct ScopeJson<'a> {
    kind: &'static str,
    key: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct CauseJson<'a> {
    scope: ScopeJson<'a>,
    probability: f64,
    n_affected: usize,
    n_at_risk: usize,
    cause: &'a str,
    evidence: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct PartJson<'a> {
    key: &'a str,
    n_affected: u32,
    n_at_risk: u32,
}

#[derive(Debug, Clone, Serialize)]
struct EventJson {
    at: String,
    event: String,
}

impl<'a> IncidentJson<'a> {
    /// Everything known of an incident.
    pub fn of(incident: &'a Incident) -> Self {
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
            updated_at: updated_at(incident).to_string(),
        }
    }
}

/// `/api/v1/incidents`
pub(crate) fn incidents(view: &View, log: &IncidentLog, params: &Params, form: Form) -> Result<String, RequestError> {
    let table = pages::incidents::table::table(view, log);
    table.data(log.watched.as_of.unwrap_or(view.as_of()), log.incidents(), params, form)
}

/// `/api/v1/incidents/<id>`: everything as JSON, its relays as CSV.
pub(crate) fn incident(view: &View, log: &IncidentLog, id: &str, params: &Params, form: Form) -> Result<String, RequestError> {
    let incident = log.get(id).ok_or(RequestError::NoSuchPage)?;
    match form {
        Form::Json => {
            params.only(&[])?;
            to_json(&IncidentJson::of(incident))
        }
        Form::Csv => {
            let table = pages::incident::table(incident);
            table.data(view.as_of(), &pages::incident::rows(view, incident), params, form)
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
