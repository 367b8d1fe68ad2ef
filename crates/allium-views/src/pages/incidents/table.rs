//! The table of all incidents: page, JSON and CSV.

use std::sync::Arc;

use allium_detect::{Incident, Kind, ScopeKind, Severity};
use allium_model::Fraction;
use allium_service::{IncidentLog, View};
use allium_words::incidents as words;

use super::filter::NAMES;
use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::Html;
use crate::pages::incidents::markup;
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Cell, Choice, Column, Search, Style, Table, TextField, Values};

type Row = Arc<Incident>;

/// Its definition.
pub(crate) fn table<'a>(view: &'a View, log: &'a IncidentLog, params: &Params) -> Result<Table<'a, Row>, RequestError> {
    let as_of = log.watched.as_of.unwrap_or(view.as_of());
    Ok(Table {
        path: FixedPage::Incidents.path().to_owned(),
        api: Data::Fixed(FixedData::Incidents).address(),
        caption: "Incidents".to_owned(),
        noun: ("incident", "incidents"),
        columns: columns(view, as_of),
        choices: choices(as_of).into_iter().chain(texts(params)?).collect(),
        key: Box::new(|row| row.id.clone()),
        default_sort: "-detected_at",
        style: Style { search: Search::group(view, |row: &Row| relays_of(view, row)), ..Style::default() },
    })
}

/// Indices in the record of the relays that an incident concerns.
fn relays_of(view: &View, incident: &Incident) -> Vec<usize> {
    incident.relays.iter().filter_map(|fingerprint| view.relay_idx(fingerprint)).collect()
}

fn columns(view: &View, as_of: allium_model::ConsensusHour) -> Vec<Column<'_, Row>> {
    let share = |share: Option<f64>| Cell::share(share.and_then(Fraction::clamped), 2);
    vec![
        Column::text("summary", "What happened", move |row: &Row| summary(row, view)).unsorted().title_of_card(),
        Column::text("status", "Status", |row: &Row| Cell::Markup {
            html: markup::status_html(row.status),
            plain: row.status.name().to_owned(),
            rank: f64::from(row.status as u8),
        })
        .badge_of_card(),
        Column::number("severity", "Severity", |row: &Row| Cell::Markup {
            html: markup::severity_html(row.severity),
            plain: row.severity.name().to_owned(),
            rank: f64::from(row.severity as u8),
        })
        .method("severity-of-an-incident"),
        Column::number("detected_at", "Detected", |row: &Row| Cell::Instant(row.detected_at.start()))
            .about("time of detection")
            .method("incidents")
            .across_card(),
        Column::number("duration_hours", "Lasted, h", move |row: &Row| Cell::Number(f64::from(words::lasted_hours(row, as_of)), 0))
            .method("incidents")
            .about("duration in hours from its detection, so far if it goes on")
            .on_card(),
        Column::number("n_affected", "Relays", |row: &Row| Cell::count(row.n_affected))
            .method("incidents")
            .about("relays concerned")
            .on_card(),
        Column::number("weight_share", "Weight, %", move |row: &Row| share(row.weight_share))
            .about("share of path selection that its relays had")
            .method("network-impact")
            .on_card(),
        Column::text("kind", "Kind", |row: &Row| Cell::Words(row.kind.name().to_owned())),
        Column::text("scope_kind", "Scope", |row: &Row| Cell::Words(row.scope.kind.name().to_owned())),
        Column::text("scope_key", "Key of the scope", |row: &Row| Cell::name(&row.scope.key)).more(),
        Column::text("detail", "Detail", |row: &Row| row.detail.as_deref().map_or(Cell::Nothing, Cell::name)).more(),
        Column::text("likely_cause", "Likely cause", |row: &Row| {
            row.causes.first().map_or(Cell::Nothing, |c| Cell::Words(c.cause.clone()))
        })
        .method("causes")
        .more(),
        Column::number("cause_probability", "Probability, %", move |row: &Row| share(row.causes.first().map(|c| c.probability)))
            .about("probability of the cause")
            .method("causes")
            .more(),
        Column::number("started_at", "Last consensus before", |row: &Row| Cell::Instant(row.started_at.start())).method("incidents").more(),
        Column::number("resolved_at", "Over", |row: &Row| row.resolved_at.map_or(Cell::Nothing, |hour| Cell::Instant(hour.start())))
            .method("incidents")
            .more(),
        Column::number("n_at_risk", "Of relays", |row: &Row| Cell::count(row.n_at_risk))
            .method("incidents")
            .about("relays that could have been affected")
            .more(),
        Column::number("n_expected", "Expected", |row: &Row| Cell::Number(row.n_expected, 2))
            .method("incidents")
            .about("relays expected by chance")
            .more(),
        Column::text("id", "Id", |row: &Row| Cell::Words(row.id.clone())).more(),
    ]
}

fn summary(incident: &Incident, view: &View) -> Cell {
    let headline = words::headline(incident, view);
    let label = Html::safe(Foreign::long(&headline));
    Cell::Markup { html: Html::link(&href::incident(&incident.id), &label), plain: headline, rank: 0.0 }
}

fn choices<'a>(as_of: allium_model::ConsensusHour) -> Vec<Choice<'a, Row>> {
    let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let all = |label: &str| option("all", label);
    let kinds = Kind::ALL.map(|kind| option(kind.name(), words::kind_name(kind)));
    let scopes = ScopeKind::ALL.map(|kind| option(kind.name(), words::scope_kind_name(kind)));
    let severities = [Severity::Critical, Severity::Major, Severity::Moderate].map(|severity| {
        let label = if severity == Severity::Critical { "critical".to_owned() } else { format!("{} or more", severity.name()) };
        (severity.name().to_owned(), label)
    });
    let periods = [("7_days", "last 7 days"), ("30_days", "last 30 days"), ("1_year", "last year")];
    vec![
        Choice {
            name: "kind",
            label: "Kind",
            values: Values::OneOf(std::iter::once(all("every kind")).chain(kinds).collect()),
            fits: Some(Box::new(|row, value| row.kind.name() == value)),
        },
        Choice {
            name: "scope",
            label: "Scope",
            values: Values::OneOf(std::iter::once(all("every scope")).chain(scopes).collect()),
            fits: Some(Box::new(|row, value| row.scope.kind.name() == value)),
        },
        Choice {
            name: "severity",
            label: "Severity",
            values: Values::OneOf(std::iter::once(all("every severity")).chain(severities).collect()),
            fits: Some(Box::new(|row, value| {
                Severity::ALL.into_iter().find(|s| s.name() == value).is_none_or(|least| row.severity >= least)
            })),
        },
        Choice {
            name: "status",
            label: "Status",
            values: Values::OneOf(vec![
                all("every status"),
                option("open", "open"),
                option("closed", "not open"),
                option("active", "active"),
                option("recovering", "recovering"),
                option("resolved", "over"),
                option("permanent", "lasting"),
            ]),
            fits: Some(Box::new(|row, value| match value {
                "open" => row.status.is_open(),
                "closed" => !row.status.is_open(),
                status => row.status.name() == status,
            })),
        },
        Choice {
            name: "period",
            label: "Detected in the",
            values: Values::OneOf(
                std::iter::once(all("whole history")).chain(periods.map(|(value, label)| option(value, label))).collect(),
            ),
            fits: Some(Box::new(move |row, value| row.detected_at > as_of.plus(-24 * days(value)))),
        },
    ]
}

/// Parameters that the page has read itself: fields for time and relay, and whatever else is in the address.
fn texts<'a>(params: &Params) -> Result<Vec<Choice<'a, Row>>, RequestError> {
    let mut texts = Vec::new();
    for (name, label) in NAMES {
        if matches!(name, "since" | "relay") || params.one(name)?.is_some() {
            texts.push(Choice { name, label, values: Values::Text(TextField::default()), fits: None });
        }
    }
    Ok(texts)
}

fn days(period: &str) -> i32 {
    match period {
        "7_days" => 7,
        "30_days" => 30,
        _ => 365,
    }
}
