//! Incidents per day over the last year: a cell per day, a row per month.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Known};
use allium_service::{IncidentLog, View};
use allium_words::format;
use allium_words::incidents as words;

use crate::markup::{Day, Html};
use crate::route::href;

/// Days shown, the last one included.
const DAYS: i32 = 365;

/// Classes of cells: from so many incidents on, what the legend says.
const CLASSES: [(usize, &str, &str); 6] =
    [(10, "u0", "10 or more"), (6, "u2", "6\u{2013}9"), (4, "u4", "4 or 5"), (2, "u6", "2 or 3"), (1, "u8", "1"), (0, "u10", "none")];

/// The calendar.
pub(super) struct CalendarRows {
    pub(super) months: Vec<MonthRow>,
    pub(super) days: Vec<DayRow>,
    pub(super) sentence: String,
}

/// A month.
pub(super) struct MonthRow {
    pub(super) label: String,
    pub(super) strip: Html,
    pub(super) n: String,
}

/// A day with incidents.
pub(super) struct DayRow {
    pub(super) day: Day,
    pub(super) n: usize,
    pub(super) links: Html,
}

/// Incidents detected on each day of UTC.
pub(super) fn of(view: &View, log: &IncidentLog) -> CalendarRows {
    let last = log.watched.as_of.unwrap_or(view.as_of());
    let last_day = last.get().div_euclid(24);
    let mut by_day: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (idx, incident) in log.incidents().iter().enumerate() {
        by_day.entry(incident.detected_at.get().div_euclid(24)).or_default().push(idx);
    }
    by_day.retain(|day, _| *day > last_day - DAYS && *day <= last_day);
    let first_reported = log.watched.from.map_or(i32::MAX, |from| from.get().div_euclid(24));
    let n_of = |day: i32| is_watched(&view.record.known, day, first_reported).then(|| by_day.get(&day).map_or(0, Vec::len));
    let days: Vec<(i32, Option<usize>)> = (last_day - DAYS + 1..=last_day).map(|day| (day, n_of(day))).collect();
    CalendarRows {
        months: days.chunk_by(|a, b| month_of(a.0) == month_of(b.0)).rev().map(month_row).collect(),
        sentence: sentence(&days),
        days: by_day.iter().rev().map(|(day, indices)| day_row(*day, indices, log)).collect(),
    }
}

/// True if any consensus of a day was watched.
fn is_watched(known: &Known, day: i32, first_reported: i32) -> bool {
    let [start, end] = [day, day + 1].map(|day| ConsensusHour::new(day * 24));
    day >= first_reported && known.count(start, end) > 0
}

fn month_row(days: &[(i32, Option<usize>)]) -> MonthRow {
    let (year, month) = days.first().map_or((0, 1), |(day, _)| month_of(*day));
    let skip = days.first().map_or(0, |(day, _)| ConsensusHour::new(day * 24).civil().day() - 1);
    let empty = "<i></i>".repeat(usize::from(skip.unsigned_abs()));
    let cells: String = days.iter().map(|(_, n)| format!("<i class={}></i>", class(*n))).collect();
    let n: usize = days.iter().filter_map(|(_, n)| *n).sum();
    let label = format::month(year, month);
    let words = format!("{label}: {}", format::counted(n, "incident"));
    MonthRow {
        label,
        strip: Html::piece(format!("<span class=\"s cal\" role=\"img\" aria-label=\"{words}.\">{empty}{cells}</span>")),
        n: n.to_string(),
    }
}

fn day_row(day: i32, indices: &[usize], log: &IncidentLog) -> DayRow {
    let links = indices.iter().map(|idx| &log.incidents()[*idx]).map(|incident| {
        let words = format!("{} of {}", words::kind_name(incident.kind), format::counted(incident.n_affected, "relay"));
        Html::link(&href::incident(&incident.id), &Html::words(words))
    });
    DayRow { day: Day(ConsensusHour::new(day * 24).start()), n: indices.len(), links: Html::joined(links, ", ") }
}

fn sentence(days: &[(i32, Option<usize>)]) -> String {
    let watched: Vec<usize> = days.iter().filter_map(|(_, n)| *n).collect();
    let with = watched.iter().filter(|n| **n > 0).count();
    let total: usize = watched.iter().sum();
    if watched.is_empty() {
        return "No day has been watched yet.".to_owned();
    }
    format!(
        "{} on {} of the last {} watched.",
        format::counted(total, "incident"),
        format::counted(with, "day"),
        format::counted(watched.len(), "day")
    )
}

fn class(n: Option<usize>) -> &'static str {
    n.map_or("un", |n| CLASSES.iter().find(|(from, ..)| n >= *from).map_or("u10", |(_, class, _)| class))
}

/// Meaning of the cells.
pub(super) fn legend() -> String {
    let entry = |class: &str, words: &str| format!("<li><i class={class}></i>{words}</li>");
    let entries: String = CLASSES.iter().rev().map(|(_, class, words)| entry(class, words)).collect();
    format!("<ul class=\"legend\" aria-label=\"Incidents detected on a day\">{entries}{}</ul>", entry("un", "not watched"))
}

fn month_of(day: i32) -> (i16, i8) {
    let civil = ConsensusHour::new(day * 24).civil();
    (civil.year(), civil.month())
}
