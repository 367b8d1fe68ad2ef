//! `/incidents`: what is broken, how badly, and what was.

mod calendar;
mod filter;
pub(crate) mod marks;
pub(crate) mod markup;
mod mentions;
pub(crate) mod monitor;
pub(crate) mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use allium_detect::{Capacity, Incident, Kind, Severity};
use allium_model::{Fingerprint, Fraction, Timestamp};
use allium_service::{IncidentLog, Snapshot, View};
use allium_words::format;
use allium_words::incidents as words;
use askama::Template;

use self::calendar::{DayRow, MonthRow};
pub(crate) use self::mentions::{Mentions, incident_of, of_outage};
use crate::error::RequestError;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Table, TableHtml};

/// The incidents that an address asks for, before what their table chooses.
pub(crate) struct List<'a> {
    /// Their table.
    pub(crate) table: Table<'a, Arc<Incident>>,
    /// By detection and id.
    pub(crate) rows: Vec<Arc<Incident>>,
}

impl<'a> List<'a> {
    /// Reads the query part of an address.
    pub(crate) fn of(view: &'a View, log: &'a IncidentLog, params: &Params) -> Result<Self, RequestError> {
        let rows = filter::Filter::of(view, params)?.select(log);
        Ok(Self { table: table::table(view, log, params)?, rows })
    }
}

/// At how many open incidents the first list stops; the table has all of them.
const OPEN_SHOWN: usize = 10;

/// Entries of timelines that the page shows.
const LATEST_SHOWN: usize = 12;

#[derive(Template)]
#[template(path = "incidents.html")]
struct Incidents {
    page: Frame,
    standing: Html,
    sentence: String,
    watched: String,
    tiles: Vec<Tile>,
    open: Vec<OpenRow>,
    n_open: usize,
    capacity: Vec<CapacityRow>,
    weight: WeightRow,
    doubts: Vec<Html>,
    latest: Vec<LatestRow>,
    months: Vec<MonthRow>,
    legend: String,
    days: Vec<DayRow>,
    days_sentence: String,
    table: TableHtml,
    /// Query that selects its rows, for feeds and lines.
    query: String,
}

framed!(Incidents);

#[derive(Template)]
#[template(path = "incidents_wait.html")]
struct Waiting {
    page: Frame,
}

framed!(Waiting);

struct Tile {
    name: &'static str,
    value: String,
    under: String,
}

/// An open incident as a few lines.
struct OpenRow {
    href: String,
    headline: String,
    status: Html,
    severity: Html,
    detected: When,
    /// Time from its detection to the newest consensus.
    ago: String,
    facts: String,
    cause: Option<String>,
}

struct WeightRow {
    lost: String,
    state: Html,
}

/// An entry of some incident's timeline.
struct LatestRow {
    when: When,
    href: String,
    headline: String,
    words: Html,
}

struct CapacityRow {
    role: &'static str,
    n: String,
    usual: String,
    share: Percent,
    bar: String,
    short_below: String,
    state: Html,
}

/// Renders the page; without a log it says that one is being made.
pub(crate) fn html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    log: Option<&IncidentLog>,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    let page = Frame::of(snapshot, view, now, FixedPage::Incidents.path());
    let Some(log) = log else { return render(&Waiting { page }) };
    let list = List::of(view, log, params)?;
    let table = list.table.html(&list.rows, &list.table.strict_state(params)?)?;
    let open = log.open();
    let impact = Impact::of(view, &open);
    let query = list.table.moved("", params)?;
    let calendar = calendar::of(view, log);
    render(&Incidents {
        page: page.with_alternate(Alternate::of(&Data::Fixed(FixedData::Incidents))).with_feeds("Incidents", &query),
        standing: standing(log, &open),
        sentence: sentence(view, log, &open, impact.n_missing),
        watched: watched(log),
        tiles: tiles(view, log, &open, &impact),
        n_open: open.len(),
        open: open.iter().take(OPEN_SHOWN).map(|incident| open_row(view, log, incident)).collect(),
        capacity: log.capacity.iter().map(capacity_row).collect(),
        weight: weight_row(&impact),
        doubts: monitor::doubts(snapshot.sources(), view, now),
        latest: latest(view, log),
        months: calendar.months,
        legend: calendar::legend(),
        days: calendar.days,
        days_sentence: calendar.sentence,
        table,
        query,
    })
}

/// State of the network for other pages: a word and a sentence about open incidents.
pub(crate) fn banner(view: &View, log: &IncidentLog) -> (Html, String) {
    let open = log.open();
    (standing(log, &open), sentence(view, log, &open, missing(view, &open).len()))
}

/// The relays of open outages that do not run as of the view.
fn missing(view: &View, open: &[&Incident]) -> BTreeSet<Fingerprint> {
    let is_loss = |incident: &&&Incident| matches!(incident.kind, Kind::Outage | Kind::Flap);
    let relays = open.iter().filter(is_loss).flat_map(|incident| &incident.relays);
    relays.filter(|fingerprint| view.find(fingerprint).is_none_or(|record| !record.relay.running)).copied().collect()
}

fn sentence(view: &View, log: &IncidentLog, open: &[&Incident], n_missing: usize) -> String {
    if log.watched.from.is_none() {
        let (seen, needed) = (log.watched.n_lists, log.watched.n_learning);
        return format!("Still learning what is normal: {seen} of {needed} consensuses seen; incidents are reported from then on.");
    }
    let Some(worst) = open.first() else {
        return match log.incidents().last() {
            None => "Nothing is broken: no incident has been detected.".to_owned(),
            Some(last) => {
                format!("Nothing is broken: no incident is open. The last one was detected on {}.", format::hour(last.detected_at))
            }
        };
    };
    let open_words = if open.len() == 1 { "1 incident is open".to_owned() } else { format!("{} incidents are open", open.len()) };
    let missing = match n_missing {
        0 => "no relay of theirs is missing".to_owned(),
        n => format!("{} missing", if n == 1 { "1 relay is".to_owned() } else { format!("{} relays are", format::count(n as u64)) }),
    };
    let which = if open.len() == 1 { "It is" } else { "The most severe is" };
    format!("{open_words}; {missing}. {which} {}: {}.", worst.severity.name(), words::headline(worst, view))
}

fn watched(log: &IncidentLog) -> String {
    let n = format::count(u64::from(log.watched.n_lists));
    match log.watched.from {
        Some(from) => format!("{n} consensuses watched; incidents are reported since {}.", format::hour(from)),
        None => format!("{n} consensuses watched."),
    }
}

fn tiles(view: &View, log: &IncidentLog, open: &[&Incident], impact: &Impact) -> Vec<Tile> {
    let n = |severity: Severity| open.iter().filter(|incident| incident.severity == severity).count();
    let [critical, major, moderate, minor] = [Severity::Critical, Severity::Major, Severity::Moderate, Severity::Minor].map(n);
    let n_short = log.capacity.iter().filter(|capacity| is_short(capacity) == Some(true)).count();
    let n_running = view.report.network.n_running;
    let share = Fraction::of(impact.n_missing as f64, (n_running + impact.n_missing) as f64);
    let percent =
        |share: Option<Fraction>| share.map_or_else(|| format::NO_DATA.to_owned(), |s| format!("{}\u{a0}%", format::percent(s, 2)));
    vec![
        Tile {
            name: "Critical and major",
            value: (critical + major).to_string(),
            under: format!("open incidents: {critical} critical, {major} major"),
        },
        Tile {
            name: "Warnings",
            value: (moderate + minor + n_short).to_string(),
            under: format!("{moderate} moderate, {minor} minor incidents open; {n_short} capacities short"),
        },
        Tile {
            name: "Relays missing",
            value: format::count(impact.n_missing as u64),
            under: format!("in open outages, {} of those that would run", percent(share)),
        },
        Tile {
            name: "Network impact",
            value: percent(impact.weight),
            under: "of path selection, which the relays of open outages had".to_owned(),
        },
    ]
}

/// Selection probability that open outages take from the network.
struct Impact {
    n_missing: usize,
    /// Their share of path selection; `None` where no weight is known.
    weight: Option<Fraction>,
}

impl Impact {
    fn of(view: &View, open: &[&Incident]) -> Self {
        let losses = || open.iter().filter(|incident| matches!(incident.kind, Kind::Outage | Kind::Flap));
        let weight = losses().filter_map(|incident| incident.weight_share).reduce(|a, b| a + b);
        let weight = if losses().next().is_none() { Some(0.0) } else { weight };
        Self { n_missing: missing(view, open).len(), weight: weight.and_then(Fraction::clamped) }
    }
}

/// State of the network: by the worst open incident, as a word.
fn standing(log: &IncidentLog, open: &[&Incident]) -> Html {
    let worst = open.iter().map(|incident| incident.severity).max();
    let is_any_short = log.capacity.iter().any(|capacity| is_short(capacity) == Some(true));
    let (class, word) = match worst {
        _ if log.watched.from.is_none() => ("off", "Learning"),
        Some(Severity::Critical) => ("down", "Critical"),
        Some(Severity::Major) => ("down", "Major trouble"),
        Some(Severity::Moderate) => ("half", "Moderate trouble"),
        _ if is_any_short => ("half", "Capacity short"),
        Some(Severity::Minor) => ("half", "Minor trouble"),
        None => ("up", "Normal"),
    };
    Html::tag("span", &format!("st {class}"), word)
}

/// The latest events and notes, over all incidents.
fn latest(view: &View, log: &IncidentLog) -> Vec<LatestRow> {
    let mut rows: Vec<(Timestamp, &Incident, Html)> = Vec::new();
    for incident in log.incidents() {
        rows.extend(
            incident
                .timeline
                .iter()
                .map(|(hour, event)| (hour.start(), incident.as_ref(), Html::words(words::event(incident.kind, event)))),
        );
        rows.extend(log.notes_of(&incident.id).iter().map(|note| (note.at, incident.as_ref(), markup::note(note))));
    }
    rows.sort_by(|a, b| (b.0, &a.1.id).cmp(&(a.0, &b.1.id)));
    let row = |(at, incident, words): (Timestamp, &Incident, Html)| LatestRow {
        when: When(at),
        href: href::incident(&incident.id),
        headline: words::headline(incident, view),
        words,
    };
    rows.into_iter().take(LATEST_SHOWN).map(row).collect()
}

fn open_row(view: &View, log: &IncidentLog, incident: &Incident) -> OpenRow {
    let as_of = log.watched.as_of.unwrap_or(incident.detected_at);
    let cause = incident.causes.first().map(|cause| {
        format!(
            "Likely cause: {} ({}). {}.",
            cause.cause,
            words::probability(cause.probability),
            allium_words::inert::inert(&cause.evidence)
        )
    });
    OpenRow {
        href: href::incident(&incident.id),
        headline: words::headline(incident, view),
        status: markup::status_html(incident.status),
        severity: markup::severity_html(incident.severity),
        detected: incident.detected_at.into(),
        ago: match words::lasted_hours(incident, as_of) {
            0 => "in the newest consensus".to_owned(),
            hours => format!("{} ago", format::hours(f64::from(hours))),
        },
        facts: facts(incident),
        cause,
    }
}

/// "112 of 240 relays; 1.20 % of path selection".
fn facts(incident: &Incident) -> String {
    let weight = incident.weight_share.and_then(Fraction::clamped);
    let weight = weight.map_or_else(String::new, |share| format!("; {}\u{a0}% of path selection", format::percent(share, 2)));
    match incident.kind {
        Kind::Surge => format!("{}{weight}", format::counted(incident.n_affected, "relay")),
        _ => format!("{} of {}{weight}", format::count(incident.n_affected as u64), format::counted(incident.n_at_risk, "relay")),
    }
}

fn capacity_row(capacity: &Capacity) -> CapacityRow {
    let number = |n: Option<u32>| n.map_or_else(|| format::NO_DATA.to_owned(), |n| format::count(n.into()));
    let share = capacity.usual.and_then(|usual| Fraction::of(f64::from(capacity.n_running), f64::from(usual)));
    CapacityRow {
        role: capacity.role,
        n: format::count(capacity.n_running.into()),
        usual: number(capacity.usual),
        share: Percent(share, 1),
        bar: share.map_or_else(|| "un p100".to_owned(), |share| format!("p{}", (share.get() * 100.0).round().clamp(0.0, 100.0) as u32)),
        short_below: number(capacity.short_below),
        state: match is_short(capacity) {
            None => Html::unknown(),
            Some(true) => Html::tag("span", "st down", "Short"),
            Some(false) => Html::tag("span", "st up", "Enough"),
        },
    }
}

fn is_short(capacity: &Capacity) -> Option<bool> {
    capacity.short_below.map(|below| capacity.n_running < below)
}

/// Path selection that open outages took, against the thresholds of severity.
fn weight_row(impact: &Impact) -> WeightRow {
    let (class, word) = match impact.weight.map(Fraction::get) {
        None => return WeightRow { lost: format::NO_DATA.to_owned(), state: Html::unknown() },
        Some(lost) if lost >= 0.05 => ("down", "Critical"),
        Some(lost) if lost >= 0.02 => ("half", "Warning"),
        Some(_) => ("up", "Enough"),
    };
    let lost = impact.weight.map_or_else(String::new, |lost| format!("{}\u{a0}%", format::percent(lost, 2)));
    WeightRow { lost, state: Html::tag("span", &format!("st {class}"), word) }
}
