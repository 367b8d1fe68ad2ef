//! Incidents as marks on charts over time, each with a link to its page.

use crate::route::href;
use allium_charts::{Chart, Event, Kind};
use allium_detect::Incident;
use allium_model::ConsensusHour;
use allium_service::{IncidentLog, View};
use allium_words::incidents::{headline, updated_at};

/// Marks at most; the largest incidents have one.
const MOST: usize = 6;

/// The chart with those of these incidents marked that lie in its time; charts of other kinds stay as they are.
pub(crate) fn marked<'a>(mut chart: Chart, view: &View, log: &IncidentLog, incidents: impl Iterator<Item = &'a Incident>) -> Chart {
    let Kind::Time(time) = &mut chart.kind else { return chart };
    let Some((first, last)) = time.edges.first().copied().zip(time.edges.last().copied()) else { return chart };
    let as_of = log.watched.as_of;
    let span = |incident: &Incident| {
        let end = incident.resolved_at.or(as_of.filter(|_| incident.status.is_open())).unwrap_or_else(|| updated_at(incident));
        (incident.detected_at.start_secs(), end.max(incident.detected_at).next().start_secs())
    };
    let is_shown = |incident: &&Incident| {
        let (start, end) = span(incident);
        start < last && end > first
    };
    let mut shown: Vec<&Incident> = incidents.filter(is_shown).collect();
    shown.sort_by_key(|incident| (std::cmp::Reverse((incident.severity, incident.n_affected)), incident.id.clone()));
    let event = |incident: &&Incident| {
        let (start, end) = span(incident);
        Event {
            start_secs: start.max(first),
            end_secs: end.min(last),
            label: headline(incident, view),
            href: Some(href::incident(&incident.id)),
        }
    };
    let marks: Vec<Event> = shown.iter().take(MOST).map(event).collect();
    time.events.extend(marks);
    time.events.sort_by_key(|event| event.start_secs);
    chart
}

/// The chart with the most severe incidents of the whole network marked.
pub(crate) fn marked_by_all(chart: Chart, view: &View, log: Option<&IncidentLog>) -> Chart {
    let Some(log) = log else { return chart };
    let since: ConsensusHour = view.as_of().plus(-24 * 365 * 5);
    let is_large = |incident: &&Incident| incident.severity >= allium_detect::Severity::Moderate && incident.detected_at > since;
    marked(chart, view, log, log.incidents().iter().map(AsRef::as_ref).filter(is_large))
}
