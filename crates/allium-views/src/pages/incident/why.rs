//! Hypotheses about an incident, and the effect that it had on the network.

use std::sync::Arc;

use allium_detect::explain::{CauseKind, Effect, Evidence, Hypothesis, Loss, Shift, evidence, hypotheses};
use allium_detect::{Incident, Kind, Scope};
use allium_model::{Fingerprint, Fraction};
use allium_service::{IncidentLog, View};
use allium_words::format;
use allium_words::incidents as words;

use crate::markup::Html;
use crate::pages::incidents::markup;

/// Hypotheses less probable than this are not shown.
const LEAST: f64 = 0.02;

/// A hypothesis as it is shown.
pub(super) struct HypothesisRow {
    pub(super) cause: &'static str,
    pub(super) probability: String,
    pub(super) evidence: Vec<String>,
}

/// A scope's share of consensus weight before and after.
pub(super) struct ShiftRow {
    pub(super) scope: Html,
    pub(super) kind: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) change: String,
}

/// Hypotheses about an incident, the most probable first; only outages are explained so.
pub(crate) fn explained(view: &View, log: &IncidentLog, incident: &Incident) -> Option<(Evidence, Vec<Hypothesis>)> {
    if !matches!(incident.kind, Kind::Outage | Kind::Flap) {
        return None;
    }
    let operator_of = |relay: &Fingerprint| view.operators.id_of(view.relay_idx(relay)?).map(ToString::to_string);
    let past = log.incidents().iter().map(Arc::as_ref);
    let as_of = log.watched.as_of.unwrap_or(view.as_of());
    let evidence = evidence(incident, &view.record, &operator_of, past, as_of);
    let ranked = hypotheses(&evidence);
    Some((evidence, ranked))
}

/// The rows of the table.
pub(super) fn rows(view: &View, log: &IncidentLog, incident: &Incident) -> Vec<HypothesisRow> {
    let ranked = explained(view, log, incident).map_or_else(Vec::new, |(_, ranked)| ranked);
    let row = |hypothesis: &Hypothesis| HypothesisRow {
        cause: hypothesis.kind.words(),
        probability: words::probability(hypothesis.probability),
        evidence: match hypothesis.evidence.is_empty() {
            true if hypothesis.kind == CauseKind::Other => vec!["what no other row explains".to_owned()],
            true => vec!["the kind of scope alone".to_owned()],
            false => hypothesis.evidence.clone(),
        },
    };
    ranked.iter().filter(|hypothesis| hypothesis.probability >= LEAST).map(row).collect()
}

/// Exits and guards, and what circuits lost.
pub(super) fn facts(incident: &Incident, effect: Option<&Effect>) -> Vec<(&'static str, Html)> {
    let percent = |share: f64| Fraction::clamped(share).map_or_else(String::new, |s| format!("{}\u{a0}%", format::percent(s, 2)));
    let role = |n: u32, share: f64| Html::words(format!("{} ({} of all)", format::count(n.into()), percent(share)));
    let roles = incident.roles;
    let path = |loss: &Loss| {
        let [guard, middle, exit] = loss.positions?.map(percent);
        Some(Html::words(format!("{}: guard {guard}, middle {middle}, exit {exit}", percent(loss.path_probability()?))))
    };
    let path = effect.and_then(|effect| path(&effect.loss)).unwrap_or_else(Html::unknown);
    vec![
        ("Exits among them", role(roles.n_exits, roles.exit_share)),
        ("Guards among them", role(roles.n_guards, roles.guard_share)),
        ("Circuits that would have used one", path),
    ]
}

/// Share of a scope's consensus weight that the relays of the incident had.
pub(super) fn share_of(effect: Option<&Effect>, scope: &Scope) -> Option<Fraction> {
    let (_, whole, lost) = effect?.loss.scopes.iter().find(|(of, ..)| of == scope)?;
    Fraction::of(*lost, *whole)
}

/// Effect on consensus weight, in a sentence.
pub(super) fn sentence(incident: &Incident, effect: Option<&Effect>) -> String {
    let Some(effect) = effect else {
        return "The store has no consensus weights of that time, so where weight went is not known.".to_owned();
    };
    let percent = |share: f64| Fraction::clamped(share).map_or_else(String::new, |s| format::percent(s, 2));
    let loss = &effect.loss;
    let had = format!(
        "In the consensus of {} the relays had {}\u{a0}% of consensus weight ({} of {} weighed).",
        format::hour(loss.hour),
        percent(loss.weight_share),
        format::count(loss.n_weighed as u64),
        format::count(incident.relays.len() as u64)
    );
    let then = match effect.after {
        None => "No later consensus with weights is stored yet.".to_owned(),
        Some(after) if effect.shifts.is_empty() => format!("In that of {} no share differs by 0.01 points or more.", format::hour(after)),
        Some(after) => format!("In that of {} these shares differ most; why they do is not measured.", format::hour(after)),
    };
    format!("{had} {then}")
}

/// Relays whose share rose most, then those whose share fell most.
pub(super) fn shifts(view: &View, effect: Option<&Effect>) -> Vec<ShiftRow> {
    let percent = |share: f64| Fraction::clamped(share).map_or_else(String::new, |s| format::percent(s, 2));
    let row = |shift: &Shift| ShiftRow {
        scope: markup::scope_link(&shift.scope, view),
        kind: words::scope_kind_name(shift.scope.kind),
        before: percent(shift.before),
        after: percent(shift.after),
        change: format::points(shift.after - shift.before),
    };
    effect.map_or_else(Vec::new, |effect| effect.shifts.iter().map(row).collect())
}
