//! The relays of an incident with their state as of the view.

use allium_detect::{Incident, Kind};
use allium_model::{Fingerprint, RelayFlag, RelayRecord};
use allium_service::View;

use crate::markup::{Html, short_fingerprint};
use crate::route::{Data, href};
use crate::table::{Cell, Column, Style, Table};

/// A relay of an incident.
pub(crate) struct RelayRow {
    fingerprint: Fingerprint,
    nickname: String,
    state: Now,
    has_flag: Option<bool>,
    country: Option<String>,
    autonomous_system: Option<String>,
}

/// State of a relay as of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Up,
    Down,
    /// Not seen for seven days.
    Gone,
}

impl RelayRow {
    /// True if the relay is as if nothing had happened.
    pub(crate) fn is_normal(&self, kind: Kind) -> bool {
        match kind {
            Kind::Surge => self.state != Now::Up,
            Kind::FlagLoss => self.has_flag == Some(true),
            Kind::Outage | Kind::Flap | Kind::Capacity | Kind::DataQuality => self.state == Now::Up,
        }
    }
}

/// The relays, those that are still concerned first.
pub(crate) fn rows(view: &View, incident: &Incident) -> Vec<RelayRow> {
    let flag = lost_flag(incident);
    let mut rows: Vec<RelayRow> = incident.relays.iter().map(|fingerprint| row(view, *fingerprint, flag)).collect();
    rows.sort_by_key(|row| (row.is_normal(incident.kind), row.fingerprint));
    rows
}

/// The flag that was lost.
pub(super) fn lost_flag(incident: &Incident) -> Option<RelayFlag> {
    let name = incident.detail.as_deref().filter(|_| incident.kind == Kind::FlagLoss)?;
    RelayFlag::ALL.into_iter().find(|flag| flag.name() == name)
}

fn row(view: &View, fingerprint: Fingerprint, flag: Option<RelayFlag>) -> RelayRow {
    let record = view.find(&fingerprint);
    let relay = record.map(|record| &record.relay);
    RelayRow {
        fingerprint,
        nickname: relay.map_or_else(|| short_fingerprint(&fingerprint), |relay| relay.display_name().to_owned()),
        state: state(view, record),
        has_flag: flag.map(|flag| relay.is_some_and(|relay| relay.running && relay.has(flag))),
        country: relay.and_then(|relay| relay.country).map(|country| country.as_str().to_uppercase()),
        autonomous_system: relay.and_then(|relay| relay.asn).map(|asn| asn.to_string()),
    }
}

fn state(view: &View, record: Option<&RelayRecord>) -> Now {
    match record {
        Some(record) if record.relay.running => Now::Up,
        Some(record) if record.is_current(view.as_of()) => Now::Down,
        _ => Now::Gone,
    }
}

/// Its columns.
pub(crate) fn table(incident: &Incident) -> Table<'static, RelayRow> {
    let mut columns = vec![
        Column::text("nickname", "Relay", |row: &RelayRow| Cell::link(&row.nickname, href::relay(&row.fingerprint))).title_of_card(),
        Column::text("state", "State now", |row: &RelayRow| state_cell(row.state)).badge_of_card(),
        Column::text("fingerprint", "Fingerprint", |row: &RelayRow| Cell::Words(row.fingerprint.to_string())).across_card(),
        Column::text("country", "Country", |row: &RelayRow| row.country.clone().map_or(Cell::Missing, Cell::Words)).on_card(),
        Column::text("as", "AS", |row: &RelayRow| row.autonomous_system.clone().map_or(Cell::Missing, Cell::Words)).on_card(),
    ];
    if let Some(flag) = lost_flag(incident) {
        let has_flag = |row: &RelayRow| row.has_flag.map_or(Cell::Missing, |has| Cell::Words(if has { "yes" } else { "no" }.to_owned()));
        columns.push(Column::text("has_flag", format!("Has {} now", flag.name()), has_flag).on_card());
    }
    Table {
        path: href::incident(&incident.id),
        api: Data::Incident(incident.id.clone()).address(),
        caption: "Relays concerned".to_owned(),
        noun: ("relay", "relays"),
        columns,
        choices: Vec::new(),
        key: Box::new(|row| row.fingerprint.to_string()),
        default_sort: "fingerprint",
        style: Style::default(),
    }
}

fn state_cell(state: Now) -> Cell {
    let (class, word, rank) = match state {
        Now::Up => ("st up", "Up", 0.0),
        Now::Down => ("st down", "Down", 1.0),
        Now::Gone => ("st off", "Gone", 2.0),
    };
    Cell::Markup { html: Html::tag("span", class, word), plain: word.to_lowercase(), rank }
}
