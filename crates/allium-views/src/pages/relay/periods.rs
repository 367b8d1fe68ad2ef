//! Uptime per period on a relay's page: a row of figures and a strip of cells for each.

use allium_analysis::{RelayReport, Strip, UptimeFigure, UptimeSource};
use allium_model::Period;
use allium_words::format;

use super::Choice;
use crate::markup::{Percent, When};
use crate::strips::{Labels, Run, StripHtml, runs};

/// Most cells of a strip that stays on one line on a narrow screen.
const SHORT_STRIP: usize = 60;

/// The figures of a period; without one, the reason.
pub(super) struct PeriodRow {
    pub(super) label: &'static str,
    pub(super) figure: Option<FigureCells>,
    pub(super) why_none: &'static str,
}

/// Cells of a figure.
pub(super) struct FigureCells {
    pub(super) uptime: Percent,
    pub(super) coverage: Percent,
    pub(super) from: When,
    pub(super) to: When,
    pub(super) source: String,
    pub(super) as_published: String,
}

/// The strip of a period, and its table.
pub(super) struct PeriodStrip<'a> {
    pub(super) label: &'static str,
    pub(super) note: String,
    pub(super) html: Option<StripHtml<'a>>,
    pub(super) runs: Vec<Run>,
}

/// A row for each period.
pub(super) fn rows(report: &RelayReport) -> Vec<PeriodRow> {
    Period::ALL.into_iter().map(|period| row(period, report.uptime[period.index()].as_ref())).collect()
}

/// The strip of the chosen period.
pub(super) fn chosen_strip(strip: &Strip, choice: Choice) -> StripHtml<'_> {
    let (what, labels) = choice.strip_words();
    strip_html(strip, what, labels)
}

fn strip_html(strip: &Strip, what: String, labels: Labels) -> StripHtml<'_> {
    let layout = if strip.cells.len() > SHORT_STRIP { "long" } else { "line" };
    StripHtml { cells: &strip.cells, what, layout, labels, skip: 0 }
}

fn row(period: Period, figure: Option<&UptimeFigure>) -> PeriodRow {
    let cells = |figure: &UptimeFigure| FigureCells {
        uptime: Percent(Some(figure.uptime), 2),
        coverage: Percent(Some(figure.coverage), 1),
        from: When(format::at_secs(figure.from_secs)),
        to: When(format::at_secs(figure.to_secs)),
        source: source_words(figure.source),
        as_published: figure.as_published.map_or_else(|| "\u{2013}".to_owned(), |share| format::percent(share, 2)),
    };
    let why_none = match period {
        Period::OneDay | Period::SevenDays | Period::ThirtyDays => "not measured in this period",
        _ => "no source has a history this long, as for a younger relay",
    };
    PeriodRow { label: period.label(), figure: figure.map(cells), why_none }
}

/// Source of a figure: "exact: 720 consensuses" or "published: 180 intervals of 4 h".
fn source_words(source: UptimeSource) -> String {
    match source {
        UptimeSource::Exact { n_consensuses } => {
            format!("exact: {}", format::counted_as(n_consensuses as usize, "consensus", "consensuses"))
        }
        UptimeSource::Published { interval_secs, n_intervals } => {
            format!(
                "published: {} of {}",
                format::counted(n_intervals as usize, "interval"),
                format::hours(f64::from(interval_secs) / 3600.0)
            )
        }
    }
}

/// The strip of a period with its table.
pub(super) fn strip<'a>(period: Period, strip: &'a Strip, report: &RelayReport) -> PeriodStrip<'a> {
    let labels = match period {
        Period::OneDay => Labels::FourHours,
        Period::SevenDays => Labels::Days,
        Period::ThirtyDays | Period::OneMonth => Labels::Weeks,
        Period::SixMonths | Period::OneYear => Labels::Months,
        Period::FiveYears => Labels::Years,
    };
    let is_known = strip.cells.iter().any(|cell| cell.uptime.is_some());
    PeriodStrip {
        label: period.label(),
        note: strip_note(strip, report.uptime[period.index()].as_ref()),
        html: is_known.then(|| strip_html(strip, format!("Uptime over {}", period.label()), labels)),
        runs: runs(strip),
    }
}

fn strip_note(strip: &Strip, figure: Option<&UptimeFigure>) -> String {
    let step = strip.cells.first().map_or(0, |cell| cell.end_secs - cell.start_secs);
    match figure {
        Some(figure) => format!("{}\u{a0}%, one cell per {}", format::percent(figure.uptime, 2), format::hours(step as f64 / 3600.0)),
        None => String::new(),
    }
}
