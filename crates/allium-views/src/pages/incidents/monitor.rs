//! `/monitor`: how does the network stand at this moment, against what, and how fresh is that.

use allium_detect::Capacity;
use allium_model::{Fraction, Period, SourceReport, Timestamp};
use allium_service::{IncidentLog, Snapshot, View};
use allium_words::format;
use askama::Template;

use super::{Impact, OPEN_SHOWN, OpenRow, Tile, is_short, open_row, standing};
use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::route::{Data, FixedData, FixedPage};

#[derive(Template)]
#[template(path = "monitor.html")]
struct Monitor {
    page: Frame,
    standing: Html,
    sentence: String,
    tiles: Vec<Tile>,
    metrics: Vec<Metric>,
    warnings: Vec<Html>,
    /// True if the detector has walked the history; before that, incidents and capacity are left out.
    is_watched: bool,
    open: Vec<OpenRow>,
    n_open: usize,
    sources: Vec<SourceRow>,
    next: String,
}

framed!(Monitor);

/// A figure against what it should be.
struct Metric {
    name: String,
    value: String,
    target: String,
    share: Percent,
    bar: String,
}

/// State of a source.
struct SourceRow {
    name: String,
    newest: Html,
    asked: When,
    asked_ago: String,
    answered: Html,
    state: Html,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, log: Option<&IncidentLog>) -> Result<PageHtml, RequestError> {
    let open = log.map(IncidentLog::open).unwrap_or_default();
    let impact = log.map(|_| Impact::of(view, &open));
    let capacity = log.map_or(&[][..], |log| &log.capacity);
    let sources = snapshot.sources();
    render(&Monitor {
        page: Frame::of(snapshot, view, now, FixedPage::Incidents.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Network)))
            .with_feeds("Incidents", ""),
        standing: log.map_or_else(Html::unknown, |log| standing(log, &open)),
        sentence: sentence(view, log.is_some(), open.len()),
        tiles: tiles(view, log.is_some(), open.len()),
        metrics: metrics(view, capacity, impact.as_ref()),
        warnings: warnings(capacity, sources, view, now),
        is_watched: log.is_some(),
        n_open: open.len(),
        open: log.map_or_else(Vec::new, |log| open.iter().take(OPEN_SHOWN).map(|incident| open_row(view, log, incident)).collect()),
        sources: sources.iter().map(|source| source_row(source, now)).collect(),
        next: format::hour(view.as_of().next()),
    })
}

fn day_uptime(view: &View) -> Option<Fraction> {
    view.report.network.uptime[Period::OneDay.index()].as_ref().map(|figures| figures.mean)
}

fn sentence(view: &View, is_watched: bool, n_open: usize) -> String {
    let network = &view.report.network;
    let incidents = match (is_watched, n_open) {
        (false, _) => "incidents are being worked out".to_owned(),
        (true, 0) => "no incident is open".to_owned(),
        (true, 1) => "1 incident is open".to_owned(),
        (true, n) => format!("{n} incidents are open"),
    };
    let off = network.n_relays.saturating_sub(network.n_running);
    format!("{} relays run, {} of the last 7 days do not; {incidents}.", format::count(network.n_running as u64), format::count(off as u64))
}

fn tiles(view: &View, is_watched: bool, n_open: usize) -> Vec<Tile> {
    let network = &view.report.network;
    let off = network.n_relays.saturating_sub(network.n_running);
    let uptime = day_uptime(view).map_or_else(|| format::NO_DATA.to_owned(), |share| format!("{}\u{a0}%", format::percent(share, 1)));
    let open = if is_watched { n_open.to_string() } else { format::NO_DATA.to_owned() };
    vec![
        Tile { name: "Online", value: format::count(network.n_running as u64), under: "relays in the newest consensus".to_owned() },
        Tile { name: "Offline", value: format::count(off as u64), under: "relays seen in the last 7 days that are not in it".to_owned() },
        Tile { name: "Network uptime", value: uptime, under: "mean of those relays over the last day".to_owned() },
        Tile { name: "Open incidents", value: open, under: "worked out from each consensus".to_owned() },
    ]
}

fn metrics(view: &View, capacity: &[Capacity], impact: Option<&Impact>) -> Vec<Metric> {
    let kept = impact.and_then(|impact| impact.weight).and_then(|lost| Fraction::clamped(1.0 - lost.get()));
    let percent =
        |share: Option<Fraction>| share.map_or_else(|| format::NO_DATA.to_owned(), |s| format!("{}\u{a0}%", format::percent(s, 1)));
    let of_share = |name: &str, share: Option<Fraction>| metric(name, percent(share), "100\u{a0}%".to_owned(), share);
    let role = |capacity: &Capacity| {
        let share = capacity.usual.and_then(|usual| Fraction::of(f64::from(capacity.n_running), f64::from(usual)));
        let usual = capacity.usual.map_or_else(|| format::NO_DATA.to_owned(), |usual| format::count(usual.into()));
        metric(&format!("Running {}", capacity.role), format::count(capacity.n_running.into()), format!("{usual} are usual"), share)
    };
    let mut metrics = vec![of_share("Uptime over the last day", day_uptime(view))];
    metrics.extend(capacity.iter().map(role));
    metrics.push(of_share("Path selection not lost in open outages", kept));
    metrics
}

fn metric(name: &str, value: String, target: String, share: Option<Fraction>) -> Metric {
    let bar = share.map_or_else(|| "un p100".to_owned(), |share| format!("p{}", (share.get() * 100.0).round().clamp(0.0, 100.0) as u32));
    Metric { name: name.to_owned(), value, target, share: Percent(share, 1), bar }
}

fn warnings(capacity: &[Capacity], sources: &[SourceReport], view: &View, now: Timestamp) -> Vec<Html> {
    let short = capacity.iter().filter(|capacity| is_short(capacity) == Some(true)).map(|capacity| {
        let below = capacity.short_below.map_or_else(String::new, |below| format::count(below.into()));
        Html::words(format!(
            "Short of {}: {} run, fewer than {below} are too few.",
            capacity.role,
            format::count(capacity.n_running.into())
        ))
    });
    short.chain(doubts(sources, view, now)).collect()
}

/// Faults of the data at present; never shown as an outage.
pub(super) fn doubts(sources: &[SourceReport], view: &View, now: Timestamp) -> Vec<Html> {
    let mut doubts = Vec::new();
    if view.is_stale(now) {
        let age = format::hours(f64::from(view.age_hours(now)));
        doubts.push(Html::words(format!("Stale: the newest consensus taken in is {age} old; a newer one should have arrived.")));
    }
    let week = view.as_of().plus(-24 * 7);
    let n_missing: i32 = view.gaps().into_iter().filter(|(_, end)| *end > week).map(|(start, end)| end.hours_since(start.max(week))).sum();
    if n_missing > 0 {
        let words = format!("Missing: {} of the consensuses of the last 7 days;", format::count(u64::from(n_missing.unsigned_abs())));
        doubts.push(Html::words(format!("{words} what happened in them is seen in the next one known.")));
    }
    for source in sources {
        if let Some(failure) = source.failure.as_deref() {
            let words = format!("Failing: {} could not be read when it was last asked; what is stored stays in use.", source.source);
            doubts.push(Html::joined([Html::words(words), Html::safe(Foreign::long(failure))], " "));
        }
    }
    let n_rejects = view.record.n_rejects(sources);
    if n_rejects > 0 {
        let words = Html::words(format!("Defective: {} in documents in use could not be understood.", format::counted(n_rejects, "value")));
        doubts.push(Html::joined([words, Html::link(FixedPage::DataQuality.path(), &Html::words("Which"))], " "));
    }
    doubts
}

fn source_row(source: &SourceReport, now: Timestamp) -> SourceRow {
    let (class, word) = match (&source.failure, source.answered_at) {
        (None, Some(_)) => ("up", "Answers"),
        (Some(_), _) => ("down", "Fails"),
        (None, None) => ("off", "Never answered"),
    };
    SourceRow {
        name: source.source.clone(),
        newest: source.newest.map_or_else(Html::unknown, |hour| Html::safe(When::from(hour))),
        asked: When(source.asked_at),
        asked_ago: format::relative(source.asked_at, now),
        answered: source.answered_at.map_or_else(Html::unknown, |at| Html::safe(When(at))),
        state: Html::tag("span", &format!("st {class}"), word),
    }
}
