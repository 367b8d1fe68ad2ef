//! Uptime strips: one cell per interval, coloured by the stylesheet alone, each with a sentence and a table that say
//! the same.
//!
//! A cell is `<i class=u0>` (down throughout) to `<i class=u10>` (up throughout) or `<i class=un>` (nobody measured).
//! The classes between are finer towards 100 %, where relays spend their time.

use std::fmt::{self, Write};

use allium_analysis::{Strip, StripCell};
use allium_charts::uptime_class;
use allium_model::Fraction;
use allium_words::format;
use askama::filters::HtmlSafe;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::markup::{Percent, When};

/// The classes with what they stand for, for the legend.
const LEGEND: [(&str, &str); 12] = [
    ("u0", "0 %, down"),
    ("u1", "under 20"),
    ("u2", "20\u{2013}40"),
    ("u3", "40\u{2013}60"),
    ("u4", "60\u{2013}75"),
    ("u5", "75\u{2013}85"),
    ("u6", "85\u{2013}90"),
    ("u7", "90\u{2013}95"),
    ("u8", "95\u{2013}98"),
    ("u9", "98 to under 100"),
    ("u10", "100 %, up"),
    ("un", "not measured"),
];

/// Positions at which a strip carries labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labels {
    /// Nowhere.
    None,
    /// Every four hours.
    FourHours,
    /// At each day.
    Days,
    /// At each Monday.
    Weeks,
    /// At each month.
    Months,
    /// At each year.
    Years,
}

impl Labels {
    /// The label of a cell that starts at `start`, after one that started at `before`.
    fn at(self, start: i64, before: i64) -> Option<String> {
        let [now, last] = [start, before].map(|secs| Offset::UTC.to_datetime(format::at_secs(secs)));
        let day = |date: Date| format!("{} {}", date.day(), format::month_name(date.month()));
        match self {
            Self::None => None,
            Self::FourHours => (now.hour() / 4 != last.hour() / 4 || now.date() != last.date()).then(|| format!("{:02}:00", now.hour())),
            Self::Days => (now.date() != last.date()).then(|| day(now.date())),
            Self::Weeks => (week(now.date()) != week(last.date())).then(|| day(now.date())),
            Self::Months if now.month() == 1 && last.month() != 1 => Some(now.year().to_string()),
            Self::Months => (now.month() != last.month()).then(|| format::month_name(now.month()).to_owned()),
            Self::Years => (now.year() != last.year()).then(|| now.year().to_string()),
        }
    }
}

/// The ISO week that a date lies in.
fn week(date: Date) -> (i16, i8) {
    let week = date.iso_week_date();
    (week.year(), week.week())
}

/// A strip as HTML.
#[derive(Debug, Clone)]
pub(crate) struct StripHtml<'a> {
    pub(crate) cells: &'a [StripCell],
    /// Subject of the strip, such as "uptime per day over 30 days"; the sentence goes on with the counts.
    pub(crate) what: String,
    /// Further class of the element: how it is laid out.
    pub(crate) layout: &'static str,
    pub(crate) labels: Labels,
    /// Empty cells before the first one.
    pub(crate) skip: usize,
}

impl HtmlSafe for StripHtml<'_> {}

impl fmt::Display for StripHtml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"s {}\" role=\"img\" aria-label=\"{}: {}.\">", self.layout, self.what, in_words(self.cells))?;
        (0..self.skip).try_for_each(|_| f.write_str("<i></i>"))?;
        let mut before = self.cells.first().map_or(0, |cell| cell.start_secs);
        // A label of the last cells grows to the left: to the right there is no room on narrow screens.
        let last = self.cells.len() - self.cells.len() / 8;
        for (idx, cell) in self.cells.iter().enumerate() {
            let class = uptime_class(cell.uptime);
            match self.labels.at(cell.start_secs, before) {
                Some(label) if idx >= last => write!(f, "<i class=\"{class} m e\"><b>{label}</b></i>")?,
                Some(label) => write!(f, "<i class=\"{class} m\"><b>{label}</b></i>")?,
                None => write!(f, "<i class={class}></i>")?,
            }
            before = cell.start_secs;
        }
        f.write_str("</span>")
    }
}

/// The legend of all strips: classes with words.
pub(crate) fn legend() -> String {
    let entries: String = LEGEND.iter().map(|(class, words)| format!("<li><i class={class}></i>{words}</li>")).collect();
    format!("<ul class=\"legend\" aria-label=\"Uptime of an interval, in percent\">{entries}</ul>")
}

/// Numbers of intervals that are up, partly up, down, unknown.
pub(crate) fn in_words(cells: &[StripCell]) -> String {
    let n = |class_fits: fn(&str) -> bool| cells.iter().filter(|cell| class_fits(uptime_class(cell.uptime))).count();
    let (up, down, unknown) = (n(|c| c == "u10"), n(|c| c == "u0"), n(|c| c == "un"));
    let partly = cells.len() - up - down - unknown;
    let mut words = format!("{} of {} intervals up throughout", up, cells.len());
    for (count, state) in [(partly, "partly up"), (down, "down"), (unknown, "not measured")] {
        if count > 0 {
            let _ = write!(words, ", {count} {state}");
        }
    }
    words
}

/// Adjacent intervals with the same uptime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) start_secs: i64,
    pub(crate) end_secs: i64,
    pub(crate) n_intervals: usize,
    pub(crate) uptime: Option<Fraction>,
}

impl Run {
    pub(crate) fn start(&self) -> When {
        When(format::at_secs(self.start_secs))
    }

    pub(crate) fn end(&self) -> When {
        When(format::at_secs(self.end_secs))
    }

    pub(crate) fn percent(&self) -> Percent {
        Percent(self.uptime, 2)
    }
}

/// The strip as a table, newest first, equal neighbours joined: nothing is lost.
pub(crate) fn runs(strip: &Strip) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for cell in &strip.cells {
        match runs.last_mut() {
            Some(run) if run.uptime == cell.uptime && run.end_secs == cell.start_secs => {
                run.end_secs = cell.end_secs;
                run.n_intervals += 1;
            }
            _ => runs.push(Run { start_secs: cell.start_secs, end_secs: cell.end_secs, n_intervals: 1, uptime: cell.uptime }),
        }
    }
    runs.reverse();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_at_the_end_grow_to_the_left() {
        let cell = |day: i64| StripCell { start_secs: day * 86_400, end_secs: (day + 1) * 86_400, uptime: Fraction::new(1.0) };
        let cells: Vec<StripCell> = (0..30).map(|day| cell(20_486 + day)).collect();
        let what = String::new();
        let html = StripHtml { cells: &cells, what, layout: "line", labels: Labels::Weeks, skip: 0 }.to_string();
        let labels: Vec<&str> = html.split("<i class=\"u10 ").skip(1).filter_map(|rest| rest.split("</b>").next()).collect();
        assert_eq!(labels, ["m\"><b>9 Feb", "m\"><b>16 Feb", "m\"><b>23 Feb", "m e\"><b>2 Mar"]);
    }

    #[test]
    fn tables_join_equal_neighbours_only() {
        let cell = |hour: i64, uptime: Option<f64>| StripCell {
            start_secs: hour * 3600,
            end_secs: (hour + 1) * 3600,
            uptime: uptime.and_then(Fraction::new),
        };
        let strip = Strip { cells: vec![cell(0, Some(1.0)), cell(1, Some(1.0)), cell(2, None), cell(3, Some(0.0))] };
        let lengths: Vec<_> = runs(&strip).iter().map(|run| (run.n_intervals, run.uptime.map(Fraction::get))).collect();
        assert_eq!(lengths, [(1, Some(0.0)), (1, None), (2, Some(1.0))]);
        assert_eq!(in_words(&strip.cells), "2 of 4 intervals up throughout, 1 down, 1 not measured");
    }
}
