//! `/incident/<id>`: what happened to whom, since when, why probably, and how it went on.

mod charts;
mod relays;
mod why;

use allium_detect::explain::Effect;
use allium_detect::{Cause, Event, Incident, Kind, Part};
use allium_model::{ConsensusHour, Fraction, Timestamp};
use allium_service::{IncidentLog, LONGEST_TEXT, Snapshot, View};
use allium_words::format;
use allium_words::incidents as words;
use allium_words::inert::inert;
use askama::Template;

pub(crate) use self::charts::chart;
pub(crate) use self::relays::{RelayRow, rows, table};
pub(crate) use self::why::explained;
use self::why::{HypothesisRow, ShiftRow};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::incidents::markup;
use crate::route::{Data, FixedPage, NoteBy, Route, Service, href};
use crate::table::TableHtml;

/// Relays on the page; the CSV has all of them.
const RELAYS_SHOWN: usize = 100;
/// Countries and autonomous systems on the page.
const PARTS_SHOWN: usize = 12;

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    page: Frame,
    headline: String,
    status: Html,
    answer: String,
    basis: String,
    facts: Vec<(&'static str, Html)>,
    hypotheses: Vec<HypothesisRow>,
    causes: Vec<CauseRow>,
    weight: String,
    shifts: Vec<ShiftRow>,
    parts: Vec<Parts>,
    timeline: Vec<(When, Html)>,
    notes: NoteForm,
    charts: Vec<String>,
    relays: TableHtml,
    similar: Vec<SimilarRow>,
}

framed!(IncidentPage);

/// The form for holders of tokens.
struct NoteForm {
    action: String,
    longest: usize,
    acknowledged: Option<String>,
    merged_into: Option<(String, String)>,
    merged_from: Vec<(String, String)>,
}

struct CauseRow {
    scope: Html,
    cause: String,
    probability: String,
    evidence: String,
}

/// Spread of an incident over countries or autonomous systems.
struct Parts {
    id: &'static str,
    title: &'static str,
    column: &'static str,
    sentence: String,
    rows: Vec<PartRow>,
    more: usize,
}

struct PartRow {
    scope: Html,
    n_affected: String,
    n_at_risk: String,
    share: Percent,
    weight: Percent,
    bar: String,
}

struct SimilarRow {
    href: String,
    headline: String,
    detected: When,
    lasted: String,
}

/// Renders the page.
pub(crate) fn html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    log: &IncidentLog,
    incident: &Incident,
) -> Result<PageHtml, RequestError> {
    let rows = rows(view, incident);
    let api = Data::Incident(incident.id.clone()).address();
    let all = (rows.len() > RELAYS_SHOWN).then(|| (format!("{api}.csv"), "All as CSV".to_owned()));
    let as_of = log.watched.as_of.unwrap_or(view.as_of());
    let base = href::charts(href::incident(&incident.id));
    let drawn = charts::all(view, incident, as_of);
    let effect = log.effect(&incident.id);
    render(&IncidentPage {
        page: Frame::of(snapshot, view, now, FixedPage::Incidents.path())
            .with_alternate(Alternate::of(&Data::Incident(incident.id.clone())))
            .with_feeds("Incidents", "")
            .with_charts(),
        headline: words::headline(incident, view),
        status: markup::status_html(incident.status),
        answer: answer(view, incident, as_of, &rows),
        basis: basis(incident),
        facts: facts(view, incident, as_of, effect),
        hypotheses: why::rows(view, log, incident),
        weight: why::sentence(incident, effect),
        shifts: why::shifts(view, effect),
        causes: incident.causes.iter().map(|cause| cause_row(view, cause)).collect(),
        parts: [
            parts(view, ["countries", "Countries", "Country"], &incident.countries, effect),
            parts(view, ["systems", "Autonomous systems", "AS"], &incident.systems, effect),
        ]
        .into_iter()
        .flatten()
        .collect(),
        timeline: timeline(log, incident),
        notes: note_form(view, log, incident),
        charts: drawn.iter().map(|chart| Figure::of(chart, &base, "").with_rows(charts::table_rows(chart)).to_string()).collect(),
        relays: table(incident).plain(&rows, RELAYS_SHOWN, all),
        similar: incident.similar.iter().filter_map(|id| log.get(id)).map(|other| similar_row(view, other, as_of)).collect(),
    })
}

/// Course and status of an incident, in two sentences.
fn answer(view: &View, incident: &Incident, as_of: ConsensusHour, rows: &[RelayRow]) -> String {
    let n_normal = rows.iter().filter(|row| row.is_normal(incident.kind)).count();
    let normal = match incident.kind {
        Kind::Outage | Kind::Flap => "run",
        Kind::Surge => "are gone",
        Kind::FlagLoss => "have it",
        Kind::Capacity | Kind::DataQuality => "are there",
    };
    let now = if rows.is_empty() {
        String::new()
    } else {
        format!(" {} of {} {normal} as of now.", format::count(n_normal as u64), format::count(rows.len() as u64))
    };
    format!("{}{now}", words::course(incident, view, as_of))
}

fn basis(incident: &Incident) -> String {
    match incident.kind {
        Kind::Capacity => "Found because the number of running relays with the role stayed below 85 % of its usual value.".to_owned(),
        _ => format!(
            "By chance alone {} relays were to be expected; at least {} are seen with a probability of {}.",
            format::number(incident.n_expected, 1),
            format::count(incident.n_affected as u64),
            small_probability(incident.p_value)
        ),
    }
}

/// A probability that may be tiny: `0.012`, `10^-9`.
fn small_probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("10^\u{2212}{}", (-p.log10()).floor()) }
}

fn facts(view: &View, incident: &Incident, as_of: ConsensusHour, effect: Option<&Effect>) -> Vec<(&'static str, Html)> {
    let words_of = |text: String| Html::words(text);
    let when = |hour: ConsensusHour| Html::safe(When::from(hour));
    let n = |n: usize| Html::words(format::count(n as u64));
    let weight = incident.weight_share.and_then(Fraction::clamped);
    let kind = match incident.detail.as_deref() {
        Some(detail) => format!("{}: {}", words::kind_name(incident.kind), inert(detail)),
        None => words::kind_name(incident.kind).to_owned(),
    };
    let uncertain = incident.detected_at.hours_since(incident.started_at);
    let lasted =
        format!("{} (to within {})", format::hours(f64::from(words::lasted_hours(incident, as_of))), format::hours(f64::from(uncertain)));
    let mut facts = vec![
        ("Kind", words_of(kind)),
        (
            "Scope",
            Html::joined(
                [words_of(format!("{}:", words::scope_kind_name(incident.scope.kind))), markup::scope_link(&incident.scope, view)],
                " ",
            ),
        ),
        (
            "Severity",
            Html::joined(
                [markup::severity_html(incident.severity), Html::link(&href::method("severity-of-an-incident"), &Html::words("rule"))],
                " ",
            ),
        ),
        ("Status", markup::status_html(incident.status)),
        ("Last consensus before", when(incident.started_at)),
        ("Detected in the consensus of", when(incident.detected_at)),
        ("Over in the consensus of", incident.resolved_at.map_or_else(|| Html::words("\u{2013}"), when)),
        ("Lasted", words_of(lasted)),
        ("Relays concerned", n(incident.n_affected)),
        ("Of relays that could have been", n(incident.n_at_risk)),
        ("Share of path selection", weight.map_or_else(Html::unknown, |share| words_of(format!("{}\u{a0}%", format::percent(share, 2))))),
        ("Id", words_of(incident.id.clone())),
    ];
    let before_id = facts.len() - 1;
    facts.splice(before_id..before_id, why::facts(incident, effect));
    facts
}

fn cause_row(view: &View, cause: &Cause) -> CauseRow {
    CauseRow {
        scope: markup::scope_link(&cause.scope, view),
        cause: cause.cause.clone(),
        probability: words::probability(cause.probability),
        evidence: inert(&cause.evidence),
    }
}

fn parts(view: &View, [id, title, column]: [&'static str; 3], parts: &[Part], effect: Option<&Effect>) -> Option<Parts> {
    let first = parts.first()?;
    let total: u32 = parts.iter().map(|part| part.n_affected).sum();
    let name = words::scope_name(&first.scope, view);
    let sentence = match parts.len() {
        1 if total == 1 => format!("The relay is in {name}."),
        1 => format!("All {} are in {name}.", format::counted(total as usize, "relay")),
        n => format!(
            "{} in {n} of them; most, {}, in {name}.",
            format::counted(total as usize, "relay"),
            format::count(first.n_affected.into())
        ),
    };
    let row = |part: &Part| {
        let share = Fraction::of(f64::from(part.n_affected), f64::from(part.n_at_risk.max(part.n_affected)));
        PartRow {
            scope: markup::scope_link(&part.scope, view),
            n_affected: format::count(part.n_affected.into()),
            n_at_risk: format::count(part.n_at_risk.into()),
            share: Percent(share, 0),
            weight: Percent(why::share_of(effect, &part.scope), 0),
            bar: format!("p{}", share.map_or(0, |share| (share.get() * 100.0).round() as u32)),
        }
    };
    let rows = parts.iter().take(PARTS_SHOWN).map(row).collect();
    Some(Parts { id, title, column, sentence, rows, more: parts.len().saturating_sub(PARTS_SHOWN) })
}

/// Events and notes of an incident, by time.
fn timeline(log: &IncidentLog, incident: &Incident) -> Vec<(When, Html)> {
    let before = (incident.started_at.start(), Html::words("The last consensus before."));
    let is_slow = incident.started_at < incident.detected_at;
    let seen = |(hour, event): &(ConsensusHour, Event)| (hour.start(), Html::words(words::event(incident.kind, event)));
    let said = log.notes_of(&incident.id).iter().map(|note| (note.at, markup::note(note)));
    let mut all: Vec<_> = is_slow.then_some(before).into_iter().chain(incident.timeline.iter().map(seen)).chain(said).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(at, words)| (When(at), words)).collect()
}

fn note_form(view: &View, log: &IncidentLog, incident: &Incident) -> NoteForm {
    let link = |other: &Incident| (href::incident(&other.id), words::headline(other, view));
    let acknowledged = |note: &allium_model::IncidentNote| format!("{} by {}", format::instant(note.at), inert(&note.by));
    NoteForm {
        action: Route::Service(Service::Note { incident: incident.id.clone(), by: NoteBy::Form }).address(),
        longest: LONGEST_TEXT,
        acknowledged: log.acknowledged(&incident.id).map(acknowledged),
        merged_into: log.merged_into(&incident.id).map(link),
        merged_from: log.merged_from(&incident.id).map(link).collect(),
    }
}

fn similar_row(view: &View, other: &Incident, as_of: ConsensusHour) -> SimilarRow {
    SimilarRow {
        href: href::incident(&other.id),
        headline: words::headline(other, view),
        detected: other.detected_at.into(),
        lasted: format::hours(f64::from(words::lasted_hours(other, as_of))),
    }
}
