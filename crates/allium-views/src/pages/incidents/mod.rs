//! `/incidents`: what is broken, how badly, and what was.

mod calendar;
pub(crate) mod table;
pub(crate) mod words;

use std::collections::BTreeSet;

use allium_detect::{Capacity, Incident, Kind, Severity};
use allium_model::{Fingerprint, Fraction, Timestamp};
use askama::Template;

use self::calendar::{DayRow, MonthRow};
use crate::error::RequestError;
use crate::format;
use crate::incidents::IncidentLog;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Page, render};
use crate::params::Params;
use crate::site::Site;
use crate::table::TableHtml;
use crate::view::View;

/// At how many open incidents the first list stops; the table has all of them.
const OPEN_SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "incidents.html")]
struct Incidents {
    page: Page,
    sentence: String,
    watched: String,
    tiles: Vec<Tile>,
    open: Vec<OpenRow>,
    n_open: usize,
    capacity: Vec<CapacityRow>,
    months: Vec<MonthRow>,
    legend: String,
    days: Vec<DayRow>,
    days_sentence: String,
    table: TableHtml,
}

#[derive(Template)]
#[template(path = "incidents_wait.html")]
struct Waiting {
    page: Page,
}

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
    lasted: String,
    facts: String,
    cause: Option<String>,
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
pub(crate) fn html(site: &Site, view: &View, now: Timestamp, log: Option<&IncidentLog>, params: &Params) -> Result<String, RequestError> {
    let page = Page::of(site, view, now, "/incidents");
    let Some(log) = log else { return render(&Waiting { page }) };
    let table = table::table(view, log);
    let rows = log.incidents();
    let table = table.html(rows, &table.strict_state(params)?)?;
    let open = log.open();
    let missing = missing(view, &open);
    let calendar = calendar::of(view, log);
    render(&Incidents {
        page: page.with_alternate(Alternate::at("/api/v1/incidents")),
        sentence: sentence(view, log, &open, missing.len()),
        watched: watched(log),
        tiles: tiles(view, &open, missing.len()),
        n_open: open.len(),
        open: open.iter().take(OPEN_SHOWN).map(|incident| open_row(view, log, incident)).collect(),
        capacity: log.capacity.iter().map(capacity_row).collect(),
        months: calendar.months,
        legend: calendar::legend(),
        days: calendar.days,
        days_sentence: calendar.sentence,
        table,
    })
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

fn tiles(view: &View, open: &[&Incident], n_missing: usize) -> Vec<Tile> {
    let n = |severity: Severity| open.iter().filter(|incident| incident.severity == severity).count();
    let by_severity: Vec<String> = [Severity::Critical, Severity::Major, Severity::Moderate, Severity::Minor]
        .into_iter()
        .map(|severity| format!("{} {}", n(severity), severity.name()))
        .collect();
    let n_running = view.report.network.n_running;
    let share = Fraction::of(n_missing as f64, (n_running + n_missing) as f64);
    let percent =
        |share: Option<Fraction>| share.map_or_else(|| format::NO_DATA.to_owned(), |s| format!("{}\u{a0}%", format::percent(s, 2)));
    let losses = || open.iter().filter(|incident| matches!(incident.kind, Kind::Outage | Kind::Flap));
    let weight: Option<f64> = losses().filter_map(|incident| incident.weight_share).reduce(|a, b| a + b);
    let weight = if losses().next().is_none() { Some(0.0) } else { weight };
    vec![
        Tile { name: "Open incidents", value: open.len().to_string(), under: by_severity.join(", ") },
        Tile {
            name: "Relays missing",
            value: format::count(n_missing as u64),
            under: format!("in open outages; {} relays run", format::count(n_running as u64)),
        },
        Tile { name: "Share of relays missing", value: percent(share), under: "of those that would run".to_owned() },
        Tile {
            name: "Network impact",
            value: percent(weight.and_then(Fraction::clamped)),
            under: "share of path selection that the relays of open outages had".to_owned(),
        },
    ]
}

fn open_row(view: &View, log: &IncidentLog, incident: &Incident) -> OpenRow {
    let as_of = log.watched.as_of.unwrap_or(incident.detected_at);
    let cause = incident.causes.first().map(|cause| {
        format!("Likely cause: {} ({}). {}.", cause.cause, words::probability(cause.probability), crate::text::inert(&cause.evidence))
    });
    OpenRow {
        href: format!("/incident/{}", incident.id),
        headline: words::headline(incident, view),
        status: words::status_html(incident.status),
        severity: words::severity_html(incident.severity),
        detected: incident.detected_at.into(),
        lasted: format::hours(f64::from(words::lasted_hours(incident, as_of))),
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
    let is_short = capacity.short_below.map(|below| capacity.n_running < below);
    CapacityRow {
        role: capacity.role,
        n: format::count(capacity.n_running.into()),
        usual: number(capacity.usual),
        share: Percent(share, 1),
        bar: share.map_or_else(|| "un p100".to_owned(), |share| format!("p{}", (share.get() * 100.0).round().clamp(0.0, 100.0) as u32)),
        short_below: number(capacity.short_below),
        state: match is_short {
            None => Html::unknown(),
            Some(true) => Html::tag("span", "st down", "Short"),
            Some(false) => Html::tag("span", "st up", "Enough"),
        },
    }
}
