//! Incidents on the pages of whom they touched: those that are open first, then the latest.

use allium_detect::{Incident, Kind, Scope, ScopeKind};
use allium_model::{Fingerprint, OperatorId};
use allium_service::{IncidentLog, View};
use allium_words::format;
use allium_words::incidents as words;

use crate::foreign::Foreign;
use crate::markup::{Html, When};
use crate::pages::incidents::markup;
use crate::params::query_string;
use crate::route::{FeedForm, href};

/// Incidents that a page lists.
const SHOWN: usize = 5;

/// The incidents of somebody.
pub(crate) struct Mentions {
    /// Number of incidents, in a sentence.
    pub(crate) sentence: String,
    /// The list, and where all of them are.
    pub(crate) list: Html,
    /// The query part that selects them on `/incidents`.
    pub(crate) query: String,
}

impl Mentions {
    /// Those that hold a relay.
    pub(crate) fn of_relay(view: &View, log: Option<&IncidentLog>, relay: Fingerprint) -> Self {
        Self::of(view, log, None, &[relay], query_string(&[("relay", relay.to_string())]))
    }

    /// Incidents whose scope is a country or AS, or that hold a relay there.
    pub(crate) fn of_location(view: &View, log: Option<&IncidentLog>, kind: ScopeKind, key: &str) -> Self {
        let is_there = |relay: &allium_model::Relay| match kind {
            ScopeKind::As => relay.asn.is_some_and(|asn| asn.to_string() == key),
            _ => relay.country.is_some_and(|code| code.as_str() == key),
        };
        let relays = view.record.relays.iter().map(|record| &record.relay).filter(|relay| is_there(relay));
        let relays: Vec<Fingerprint> = relays.map(|relay| relay.fingerprint).collect();
        let scope = Scope { kind, key: key.to_owned() };
        Self::of(view, log, Some(&scope), &relays, query_string(&[(kind.name(), key.to_owned())]))
    }

    /// Those that are about an operator, or hold one of its relays.
    pub(crate) fn of_operator(view: &View, log: Option<&IncidentLog>, id: &OperatorId, members: &[u32]) -> Self {
        let relays = members.iter().filter_map(|i| view.record.relays.get(*i as usize)).map(|record| record.relay.fingerprint);
        let scope = Scope { kind: ScopeKind::Operator, key: id.to_string() };
        Self::of(view, log, Some(&scope), &relays.collect::<Vec<_>>(), query_string(&[("operator", id.to_string())]))
    }

    fn of(view: &View, log: Option<&IncidentLog>, scope: Option<&Scope>, relays: &[Fingerprint], query: String) -> Self {
        let Some(log) = log else {
            return Self { sentence: "Incidents are being worked out.".to_owned(), list: Html::words(""), query };
        };
        let mut indices: Vec<usize> = log.indices_touching(scope, relays).collect();
        indices.sort_unstable();
        indices.dedup();
        let mut found: Vec<&Incident> = indices.iter().filter_map(|idx| log.incidents().get(*idx)).map(AsRef::as_ref).collect();
        found.sort_by(|a, b| (b.status.is_open(), b.detected_at, &b.id).cmp(&(a.status.is_open(), a.detected_at, &a.id)));
        let n_open = found.iter().filter(|incident| incident.status.is_open()).count();
        Self { sentence: sentence(found.len(), n_open), list: list(view, &found, &query), query }
    }
}

fn sentence(n: usize, n_open: usize) -> String {
    match (n, n_open) {
        (0, _) => "Part of no incident on record.".to_owned(),
        (n, 0) => format!("Part of {}, none of them open.", format::counted(n, "incident")),
        (1, _) => "Part of 1 incident, which is open.".to_owned(),
        (n, n_open) => format!("Part of {}, {n_open} of them open.", format::counted(n, "incident")),
    }
}

fn list(view: &View, found: &[&Incident], query: &str) -> Html {
    if found.is_empty() {
        return Html::words("");
    }
    let items = found.iter().take(SHOWN).map(|incident| item(view, incident));
    let items = Html::joined(items, "");
    let all = Html::link(&format!("/incidents{query}#all"), &Html::words("All of them"));
    let feed = Html::link(&format!("{}{query}", FeedForm::Atom.path()), &Html::words("Atom feed"));
    let links = Html::element("p", &[("class", "small")], &Html::joined([all, feed], " "));
    Html::joined([Html::element("ul", &[("class", "events")], &items), links], "")
}

fn item(view: &View, incident: &Incident) -> Html {
    let headline = Html::safe(Foreign::long(&words::headline(incident, view)));
    let link = Html::link(&href::incident(&incident.id), &headline);
    let when = Html::joined([Html::words("detected"), Html::safe(When::from(incident.detected_at))], " ");
    let facts = Html::joined([markup::status_html(incident.status), markup::severity_html(incident.severity), when], " ");
    let parts = [Html::element("p", &[], &link), Html::element("p", &[("class", "small")], &facts)];
    Html::element("li", &[], &Html::joined(parts, ""))
}

/// The incident that an outage or dip of a relay was part of: the one nearest in its beginning among those that lasted meanwhile.
pub(crate) fn incident_of<'a>(log: &'a IncidentLog, relay: &Fingerprint, start_secs: i64, end_secs: i64) -> Option<&'a Incident> {
    let is_loss = |incident: &&Incident| matches!(incident.kind, Kind::Outage | Kind::Flap);
    let meanwhile = |incident: &&Incident| {
        let end = incident.resolved_at.map_or(i64::MAX, allium_model::ConsensusHour::start_secs);
        incident.started_at.start_secs() < end_secs && start_secs < end
    };
    let distance = |incident: &&Incident| (incident.detected_at.start_secs() - start_secs).abs();
    log.of_relay(relay).filter(is_loss).filter(meanwhile).min_by_key(distance)
}

/// The way to the incident that an outage or dip of a relay was part of.
pub(crate) fn of_outage(log: &IncidentLog, relay: &Fingerprint, start_secs: i64, end_secs: i64) -> Option<Html> {
    let incident = incident_of(log, relay, start_secs, end_secs)?;
    let words = format!("with {}", format::counted(incident.n_affected.saturating_sub(1), "other relay"));
    Some(Html::link(&href::incident(&incident.id), &Html::words(words)))
}
