//! The charts of lists and pages of groups.

use std::collections::BTreeMap;

use allium_analysis::groups::{Group, GroupUptime, Region};
use allium_charts::{Bar, Bars, Chart, CountryValue, Kind as ChartKind, Line, Reference, Time, Unit, WorldMap};
use allium_model::{Fraction, Period, Timestamp};
use allium_service::View;
use allium_words::format;
use allium_words::inert::inert;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::rows::country;
use super::{GroupRow, period_of, row_of, rows};
use crate::error::RequestError;
use crate::params::Params;
use crate::route::GroupKind;

/// Relays that a country or an autonomous system needs to be ranked.
pub(super) const RANKED_RELAYS: usize = 20;

/// Bars of a ranking.
pub(super) const RANKED: usize = 10;

/// Lower bounds of the classes of the map above the lowest.
const CLASSES: [f64; 6] = [0.8, 0.85, 0.9, 0.95, 0.97, 0.99];

/// The chart of that name of a list.
pub(crate) fn list_chart(view: &View, kind: GroupKind, params: &Params, name: &str) -> Result<Chart, RequestError> {
    let period = period_of(params)?;
    match (kind, name) {
        (GroupKind::Country, "map") => Ok(map(view, period)),
        (GroupKind::Country | GroupKind::As, "ranking") => Ok(ranking(view, kind, period)),
        (GroupKind::FirstSeen, "years") => Ok(years(view)),
        (kind, "largest") if kind != GroupKind::FirstSeen => Ok(largest(view, kind)),
        _ => Err(RequestError::NoSuchPage),
    }
}

/// The chart of that name of a group's page.
pub(crate) fn group_chart(view: &View, kind: GroupKind, key: &str, name: &str) -> Result<Chart, RequestError> {
    let row = row_of(view, kind, key).ok_or(RequestError::NoSuchPage)?;
    if name == "months" { Ok(months(view, &row)) } else { Err(RequestError::NoSuchPage) }
}

/// A stranger's text as a label: inert and of a length that fits.
pub(super) fn short(text: &str) -> String {
    inert(&text.chars().take(60).collect::<String>())
}

/// As of when, from where.
fn note(view: &View, what: &str) -> String {
    format!("{what} As of the consensus of {}, from {}.", format::hour(view.as_of()), view.origin_words())
}

/// Countries by uptime on a map of the world.
pub(super) fn map(view: &View, period: Period) -> Chart {
    let country = |group: &Group<allium_model::CountryCode>| {
        let row = country(group);
        CountryValue {
            country: group.key,
            name: short(&row.label),
            href: Some(row.href(GroupKind::Country)),
            value: group.figures.uptime[period.index()].map(|uptime| uptime.mean.get()),
            n_relays: group.figures.n_relays as u64,
        }
    };
    let countries = view.groups.countries.iter().map(country).collect();
    let title = format!("Mean uptime of relays over {} by country; countries without relays are hatched.", period.label());
    let note = note(view, "Each relay counts once; a country with few relays is known badly, see the intervals below.");
    let kind = WorldMap { unit: Unit::Share, what: "Uptime".to_owned(), breaks: CLASSES.to_vec(), countries };
    Chart::new("map", title, note, ChartKind::Map(kind))
}

/// Groups of a kind with enough relays, the best first.
pub(super) fn ranked(view: &View, kind: GroupKind, period: Period) -> Vec<(GroupRow<'_>, GroupUptime)> {
    let mut ranked: Vec<_> = rows(view, kind)
        .into_iter()
        .filter_map(|row| row.figures.uptime[period.index()].map(|uptime| (row, uptime)))
        .filter(|(_, uptime)| uptime.n_relays >= RANKED_RELAYS)
        .collect();
    // Equals stay in the order of their keys.
    ranked.sort_by(|a, b| b.1.mean.get().total_cmp(&a.1.mean.get()));
    ranked
}

/// The groups with the highest uptime as bars.
pub(super) fn ranking(view: &View, kind: GroupKind, period: Period) -> Chart {
    let ranked = ranked(view, kind, period);
    let bar = |(row, uptime): &(GroupRow<'_>, GroupUptime)| Bar {
        label: short(&row.words()),
        href: Some(row.href(kind)),
        value: Some(uptime.mean.get()),
        note: format!(
            "{}{}",
            format::counted(uptime.n_relays, "relay"),
            uptime.interval.map_or_else(String::new, |(low, high)| format!(", {} %", format::percent_span(low, high)))
        ),
    };
    let network = view.groups.network.uptime[period.index()];
    let bars = Bars {
        unit: Unit::Share,
        of: kind.label().to_owned(),
        what: "Uptime".to_owned(),
        bars: ranked.iter().take(RANKED).map(bar).collect(),
        references: network.into_iter().map(|uptime| Reference { label: "Network".to_owned(), value: uptime.mean.get() }).collect(),
        most: Some(1.0),
    };
    let title = format!(
        "The {} of {} {} with {RANKED_RELAYS} relays or more whose relays were up most over {}.",
        RANKED.min(ranked.len()),
        ranked.len(),
        kind.noun().1,
        period.label()
    );
    Chart::new("ranking", title, note(view, "Mean over relays with its 95 % interval."), ChartKind::Bars(bars))
}

/// The groups with most weight as bars; continents, not their parts.
pub(super) fn largest(view: &View, kind: GroupKind) -> Chart {
    let mut rows = rows(view, kind);
    rows.retain(|row| kind != GroupKind::Region || row.region.is_none());
    // Equals stay in the order of their keys.
    rows.sort_by_key(|row| std::cmp::Reverse(row.figures.consensus_weight));
    let bar = |row: &GroupRow<'_>| Bar {
        label: short(&row.words()),
        href: Some(row.href(kind)),
        value: row.figures.weight_share.map(Fraction::get),
        note: format::counted(row.figures.n_running, "running relay"),
    };
    let bars = Bars {
        unit: Unit::Share,
        of: kind.noun().0.to_owned(),
        what: "Share of weight".to_owned(),
        bars: rows.iter().take(RANKED).map(bar).collect(),
        references: Vec::new(),
        most: None,
    };
    let title = format!("The {} with most consensus weight.", kind.noun().1);
    Chart::new("largest", title, note(view, "Running relays."), ChartKind::Bars(bars))
}

/// Relays by the year in which they appeared first, earliest first.
pub(super) fn years(view: &View) -> Chart {
    let mut by_year: BTreeMap<i16, (usize, u64)> = BTreeMap::new();
    for group in &view.groups.first_seen {
        let (n, weight) = by_year.entry(group.key.year()).or_default();
        *n += group.figures.n_running;
        *weight += group.figures.consensus_weight.unwrap_or(0);
    }
    let total: u64 = by_year.values().map(|(_, weight)| weight).sum();
    let bar = |(year, (n, weight)): (&i16, &(usize, u64))| Bar {
        label: year.to_string(),
        href: None,
        value: Some(*n as f64),
        note: Fraction::of(*weight as f64, total as f64).map_or_else(String::new, |s| format!("{} % of the weight", format::percent(s, 1))),
    };
    let bars = Bars {
        unit: Unit::Count,
        of: "Year".to_owned(),
        what: "Running relays".to_owned(),
        bars: by_year.iter().map(bar).collect(),
        references: Vec::new(),
        most: None,
    };
    Chart::new("years", "Running relays by the year in which they were seen first.", note(view, "Years of UTC."), ChartKind::Bars(bars))
}

/// A group's uptime by month against the network's.
pub(super) fn months(view: &View, row: &GroupRow<'_>) -> Chart {
    months_of(view, &row.members, short(&row.label))
}

/// The uptime by month of relays, given by their countries in the record, against the network's.
pub(crate) fn months_chart(view: &View, relays: &[u32], label: &str) -> Chart {
    months_of(view, &view.groups.member_indices(relays), label.to_owned())
}

fn months_of(view: &View, members: &[u32], label: String) -> Chart {
    let own = view.groups.months(members, &view.report);
    let network = view.network_months();
    let value = |months: &[allium_analysis::groups::GroupMonth], year: i16, month: i8| {
        months.iter().find(|m| (m.year, m.month) == (year, month)).map(|m| m.mean.get())
    };
    let line = |label: String, months: &[allium_analysis::groups::GroupMonth]| Line {
        label,
        values: network.iter().map(|m| value(months, m.year, m.month)).collect(),
    };
    let end = view.as_of().next().start_secs();
    let edges = network.iter().map(|month| month_start(month.year, month.month)).chain(network.last().map(|_| end)).collect();
    let lines = vec![line(label, &own), line("Network".to_owned(), network)];
    let title = "Mean uptime of relays by calendar month, beside the network's.".to_owned();
    let note = note(view, "Relays of which half of a month is known; those of today, also in the past.");
    Chart::new("months", title, note, ChartKind::Time(Time { from_zero: false, ..Time::new(Unit::Share, edges, lines) }))
}

fn month_start(year: i16, month: i8) -> i64 {
    let first = Date::new(year, month, 1).map(|date| date.to_datetime(jiff::civil::Time::midnight()));
    first.ok().and_then(|civil| Offset::UTC.to_timestamp(civil).ok()).map_or(0, Timestamp::as_second)
}

/// Continents first, each followed by its parts.
pub(super) fn regions_in_order(view: &View) -> Vec<&Group<Region>> {
    let mut groups: Vec<&Group<Region>> = view.groups.regions.iter().collect();
    groups.sort_by_key(|group| (group.key.within().unwrap_or(group.key).name(), group.key.is_subregion(), group.key.name()));
    groups
}
