//! The charts of an incident: how many of its relays were as usual, hour by hour, and each relay's hours.

use allium_charts::{Chart, Event, Heat, HeatRow, Kind as ChartKind, Line, Time, Unit};
use allium_detect::{Incident, Kind};
use allium_model::{ConsensusHour, Known, RelayFlag, RelayRecord, span_at};
use allium_service::{IncidentLog, View};
use allium_words::format;
use allium_words::inert::inert;

use super::relays::lost_flag;
use crate::error::RequestError;
use crate::markup::short_fingerprint;
use crate::route::href;

/// Hours shown before and after.
const AROUND: i32 = 24;
/// Hours shown at most.
const LONGEST: i32 = 14 * 24;
/// Relays in the image at most; the others are alike.
const IMAGE_ROWS: usize = 300;
/// Rows of the table of the course that stand on the page.
const TABLE_ROWS: usize = 48;

/// The charts in their order; none for an incident without relays or without hours on record.
pub(super) fn all(view: &View, incident: &Incident, as_of: ConsensusHour) -> Vec<Chart> {
    let scene = Scene::of(view, incident, as_of);
    if scene.relays.is_empty() { Vec::new() } else { vec![scene.course(), scene.image()] }
}

/// The chart of that name.
pub(crate) fn chart(view: &View, log: &IncidentLog, id: &str, name: &str) -> Result<Chart, RequestError> {
    let incident = log.get(id).ok_or(RequestError::NoSuchPage)?;
    let scene = Scene::of(view, incident, log.watched.as_of.unwrap_or(view.as_of()));
    match name {
        "course" => Ok(scene.course()),
        "relays" => Ok(scene.image()),
        _ => Err(RequestError::NoSuchPage),
    }
}

/// Rows of a chart's table that stand on the page.
pub(super) fn table_rows(chart: &Chart) -> usize {
    if chart.name == "course" { TABLE_ROWS } else { 0 }
}

/// An incident's relays in the hours around it.
struct Scene<'a> {
    incident: &'a Incident,
    known: &'a Known,
    relays: Vec<&'a RelayRecord>,
    flag: RelayFlag,
    from: ConsensusHour,
    to: ConsensusHour,
}

impl<'a> Scene<'a> {
    fn of(view: &'a View, incident: &'a Incident, as_of: ConsensusHour) -> Self {
        let from = incident.started_at.plus(-AROUND);
        let end = allium_words::incidents::updated_at(incident).plus(AROUND);
        let end = if incident.status.is_open() { as_of } else { end.min(as_of) };
        let flag = lost_flag(incident).unwrap_or(RelayFlag::Running);
        Self {
            incident,
            known: view.record.known.of_flag(flag),
            relays: incident.relays.iter().filter_map(|fingerprint| view.find(fingerprint)).collect(),
            flag,
            from,
            to: end.next().max(incident.detected_at.next()).min(from.plus(LONGEST)),
        }
    }

    fn hours(&self) -> impl Iterator<Item = ConsensusHour> + '_ {
        (0..self.to.hours_since(self.from)).map(|hours| self.from.plus(hours))
    }

    fn edges(&self) -> Vec<i64> {
        (0..=self.to.hours_since(self.from)).map(|hours| self.from.plus(hours).start_secs()).collect()
    }

    fn had(&self, relay: &RelayRecord, hour: ConsensusHour) -> Option<bool> {
        let span = span_at(&relay.spans, hour);
        let flags = [self.flag, RelayFlag::Running];
        self.known.contains(hour).then(|| span.is_some_and(|span| flags.iter().all(|flag| span.state.flags.contains(*flag))))
    }

    fn what(&self) -> String {
        match self.flag {
            RelayFlag::Running => "run".to_owned(),
            flag => format!("have the flag {}", flag.name()),
        }
    }

    /// The same of one relay in the past.
    fn what_past(&self) -> String {
        match self.flag {
            RelayFlag::Running => "ran".to_owned(),
            flag => format!("had the flag {}", flag.name()),
        }
    }

    fn note(&self) -> String {
        let cut = if self.to.hours_since(self.from) >= LONGEST { ", the first 14 days" } else { "" };
        format!(
            "{}, {} to {}{cut}, from our own record of consensuses; hours without a consensus are hatched.",
            format::counted(self.relays.len(), "relay"),
            format::hour(self.from),
            format::hour(self.to)
        )
    }

    fn course(&self) -> Chart {
        let count = |hour| {
            let states: Option<Vec<bool>> = self.relays.iter().map(|relay| self.had(relay, hour)).collect();
            states.map(|states| states.iter().filter(|had| **had).count() as f64)
        };
        let values: Vec<Option<f64>> = self.hours().map(count).collect();
        let line = Line { label: "Relays".to_owned(), values };
        let mut time = Time::new(Unit::Count, self.edges(), vec![line]);
        let end = self.incident.resolved_at.unwrap_or(self.to).min(self.to);
        let label = if self.incident.kind == Kind::Surge { "surge" } else { "incident" };
        time.events = vec![Event {
            start_secs: self.incident.detected_at.start_secs(),
            end_secs: end.start_secs().max(self.incident.detected_at.next().start_secs()),
            label: label.to_owned(),
            href: None,
        }];
        let title = format!("How many of the relays concerned {}, hour by hour.", self.what());
        Chart::new("course", title, self.note(), ChartKind::Time(time))
    }

    fn image(&self) -> Chart {
        let row = |relay: &&RelayRecord| HeatRow {
            label: format!("{} {}", inert(relay.relay.display_name()), short_fingerprint(&relay.relay.fingerprint)),
            href: Some(href::relay(&relay.relay.fingerprint)),
            cells: self.hours().map(|hour| self.had(relay, hour).map(|had| if had { 1.0 } else { 0.0 })).collect(),
        };
        let mut relays = self.relays.clone();
        relays.sort_by_key(|relay| (relay.relay.asn, relay.relay.country, relay.relay.fingerprint));
        let rows: Vec<HeatRow> = relays.iter().take(IMAGE_ROWS).map(row).collect();
        let cut = if self.relays.len() > IMAGE_ROWS { format!(" The first {IMAGE_ROWS}.") } else { String::new() };
        let title = format!("Each relay's hours, dark where it {}, sorted by AS and country.{cut}", self.what_past());
        Chart::new(
            "relays",
            title,
            self.note(),
            ChartKind::Heat(Heat { of: "Relay".to_owned(), what: "Uptime".to_owned(), edges: self.edges(), rows }),
        )
    }
}
