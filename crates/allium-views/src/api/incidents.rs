//! Incidents for programs: the list is that of the page, one incident has everything.

use allium_detect::explain::{Effect, Hypothesis, Shift};
use allium_detect::{Cause, Event, Incident, Kind, Part, Scope};
use allium_model::{ConsensusHour, IncidentNote, NoteAction};
use allium_service::{IncidentLog, View};
use allium_words::format::rfc3339;
use serde::Serialize;

use crate::error::RequestError;
use crate::form::{Form, to_json};
use crate::pages;
use crate::pages::incidents::List;
use crate::params::Params;

/// An incident: first what a replay of the history writes for each, the fields of the contract before all others; then what stands
/// beside it in a running service.
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
    network_share: f64,
    n_exits: u32,
    exit_share: f64,
    n_guards: u32,
    guard_share: f64,
    #[serde(flatten)]
    beside: Option<BesideJson<'a>>,
}

/// An incident with what may be behind it and what it took from the network.
#[derive(Debug, Clone, Serialize)]
struct DetailJson<'a> {
    #[serde(flatten)]
    incident: IncidentJson<'a>,
    /// `null` where the kind of incident is not explained so.
    hypotheses: Option<Vec<HypothesisJson>>,
    /// `null` where the store has no weights of that time.
    effect: Option<EffectJson<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct HypothesisJson {
    kind: &'static str,
    probability: f64,
    evidence: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct EffectJson<'a> {
    before: String,
    n_weighed: usize,
    weight_share: f64,
    guard_probability: Option<f64>,
    middle_probability: Option<f64>,
    exit_probability: Option<f64>,
    path_probability: Option<f64>,
    after: Option<String>,
    shifts: Vec<ShiftJson<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct ShiftJson<'a> {
    scope: ScopeJson<'a>,
    before: f64,
    after: f64,
}

impl<'a> DetailJson<'a> {
    fn of(view: &View, incident: &'a Incident, log: &'a IncidentLog) -> Self {
        let hypothesis = |hypothesis: Hypothesis| HypothesisJson {
            kind: hypothesis.kind.name(),
            probability: rounded(hypothesis.probability),
            evidence: hypothesis.evidence,
        };
        let explained = pages::incident::explained(view, log, incident);
        Self {
            incident: IncidentJson::of_log(incident, log),
            hypotheses: explained.map(|(_, ranked)| ranked.into_iter().map(hypothesis).collect()),
            effect: log.effect(&incident.id).map(effect),
        }
    }
}

fn effect(effect: &Effect) -> EffectJson<'_> {
    let loss = &effect.loss;
    let [guard, middle, exit] = loss.positions.map_or([None; 3], |positions| positions.map(|p| Some(rounded(p))));
    EffectJson {
        before: loss.hour.to_string(),
        n_weighed: loss.n_weighed,
        weight_share: rounded(loss.weight_share),
        guard_probability: guard,
        middle_probability: middle,
        exit_probability: exit,
        path_probability: loss.path_probability().map(rounded),
        after: effect.after.as_ref().map(ConsensusHour::to_string),
        shifts: effect.shifts.iter().map(shift).collect(),
    }
}

fn shift(shift: &Shift) -> ShiftJson<'_> {
    ShiftJson { scope: scope(&shift.scope), before: rounded(shift.before), after: rounded(shift.after) }
}

/// Notes about an incident, and the time of its last change.
#[derive(Debug, Clone, Serialize)]
struct BesideJson<'a> {
    updated_at: String,
    acknowledged_at: Option<String>,
    merged_into: Option<&'a str>,
    merged_from: Vec<&'a str>,
    notes: Vec<NoteJson<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct NoteJson<'a> {
    at: String,
    by: &'a str,
    action: &'static str,
    into: Option<&'a str>,
    text: &'a str,
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
    /// The incident as detected, without notes.
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
            timeline: incident.timeline.iter().map(|(hour, seen)| event(incident.kind, *hour, seen)).collect(),
            similar: &incident.similar,
            network_share: rounded(incident.network_share),
            n_exits: incident.roles.n_exits,
            exit_share: rounded(incident.roles.exit_share),
            n_guards: incident.roles.n_guards,
            guard_share: rounded(incident.roles.guard_share),
            beside: None,
        }
    }

    /// The same with what stands beside it in a log.
    pub(crate) fn of_log(incident: &'a Incident, log: &'a IncidentLog) -> Self {
        let beside = BesideJson {
            updated_at: rfc3339(log.updated(incident)),
            acknowledged_at: log.acknowledged(&incident.id).map(|note| rfc3339(note.at)),
            merged_into: log.merged_into(&incident.id).map(|into| into.id.as_str()),
            merged_from: log.merged_from(&incident.id).map(|from| from.id.as_str()).collect(),
            notes: log.notes_of(&incident.id).iter().map(note).collect(),
        };
        Self { beside: Some(beside), ..Self::of(incident) }
    }
}

/// `/api/v1/incidents`
pub(crate) fn incidents(view: &View, log: &IncidentLog, params: &Params, form: Form) -> Result<String, RequestError> {
    let list = List::of(view, log, params)?;
    list.table.data(log.watched.as_of.unwrap_or(view.as_of()), &list.rows, params, form)
}

/// `/api/v1/incidents.jsonl`: everything about each incident that fits, a line each, earliest first.
pub(crate) fn incidents_jsonl(view: &View, log: &IncidentLog, params: &Params) -> Result<String, RequestError> {
    let list = List::of(view, log, params)?;
    let found = list.table.found(&list.rows, params)?;
    let fits: std::collections::BTreeSet<&str> = found.iter().map(|incident| incident.id.as_str()).collect();
    let lines = list.rows.iter().filter(|incident| fits.contains(incident.id.as_str()));
    lines.map(|incident| to_json(&IncidentJson::of_log(incident, log))).collect()
}

/// `/api/v1/incidents/<id>`: everything as JSON, its relays as CSV.
pub(crate) fn incident(view: &View, log: &IncidentLog, id: &str, params: &Params, form: Form) -> Result<String, RequestError> {
    let incident = log.get(id).ok_or(RequestError::NoSuchPage)?;
    match form {
        Form::Json => {
            params.only(&[])?;
            to_json(&DetailJson::of(view, incident, log))
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

fn note(note: &IncidentNote) -> NoteJson<'_> {
    let into = match &note.action {
        NoteAction::Merge(into) => Some(into.as_str()),
        _ => None,
    };
    NoteJson { at: rfc3339(note.at), by: &note.by, action: note.action.name(), into, text: &note.text }
}

fn event(kind: Kind, hour: ConsensusHour, seen: &Event) -> EventJson {
    EventJson { at: hour.to_string(), event: allium_words::incidents::event(kind, seen) }
}

/// Four significant digits: the rest is noise.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}
