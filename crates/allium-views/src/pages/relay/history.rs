//! The parts of a relay's page that show its past: calendar, outages, trend, states.

use allium_analysis::{Dip, Outage, RelayReport, Strip, StripCell};
use allium_model::{ConsensusHour, Fingerprint, Period, RelayFlag, RelayRecord, RelayState, StateSpan};
use allium_service::{IncidentLog, View};
use allium_words::format;
use jiff::tz::Offset;

use crate::foreign::Foreign;
use crate::markup::{Day, FlagLetters, Html, Percent, State, When};
use crate::pages::incidents::of_outage;
use crate::strips::{Labels, StripHtml};

/// At how many outages and states the page stops; the API has all of them.
const SHOWN: usize = 100;

/// A month of the calendar.
pub(crate) struct MonthRow<'a> {
    pub(crate) label: String,
    pub(crate) strip: StripHtml<'a>,
    pub(crate) uptime: Percent,
}

/// An outage.
pub(crate) struct OutageRow {
    pub(crate) start: When,
    pub(crate) end: Html,
    pub(crate) down: String,
    pub(crate) within: String,
    /// The incident that it was part of.
    pub(crate) incident: Html,
}

/// Days with significantly less uptime than usual.
pub(crate) struct DipRow {
    pub(crate) start: Day,
    pub(crate) last: Day,
    pub(crate) depth: String,
    /// The incident that it was part of.
    pub(crate) incident: Html,
}

/// A stretch in one state.
pub(crate) struct StateRow {
    pub(crate) from: When,
    pub(crate) to: Html,
    pub(crate) state: State,
    pub(crate) flags: Html,
    pub(crate) country: Html,
    pub(crate) asn: Html,
    pub(crate) version: Html,
}

/// The days by month, earliest first, each month with its own figure.
pub(crate) fn calendar<'a>(days: &'a Strip, report: &RelayReport) -> Vec<MonthRow<'a>> {
    let month_of = |cell: &StripCell| {
        let civil = Offset::UTC.to_datetime(format::at_secs(cell.start_secs));
        (civil.year(), civil.month(), civil.day())
    };
    let same_month = |a: &StripCell, b: &StripCell| month_of(a).1 == month_of(b).1;
    let row = |cells: &'a [StripCell]| {
        let (year, month, day) = month_of(&cells[0]);
        let label = format::month(year, month);
        let uptime = report.months.iter().find(|m| (m.year, m.month) == (year, month)).map(|m| m.uptime);
        let what = format!("Uptime per day in {label}");
        let skip = usize::try_from(day - 1).unwrap_or(0);
        MonthRow { label, strip: StripHtml { cells, what, layout: "cal", labels: Labels::None, skip }, uptime: Percent(uptime, 2) }
    };
    if days.cells.iter().all(|cell| cell.uptime.is_none()) {
        return Vec::new();
    }
    days.cells.chunk_by(same_month).map(row).collect()
}

/// First facts about a relay, as terms with values: average, state, best and worst month, trend, spread, unusual hours.
pub(crate) fn brief(view: &View, record: &RelayRecord, report: &RelayReport, dips: &[Dip]) -> Vec<(&'static str, Html)> {
    let average = [Period::OneYear, Period::SixMonths, Period::OneMonth]
        .into_iter()
        .find_map(|period| report.uptime_in(period).map(|share| format!("{}\u{a0}% over {}", format::percent(share, 2), period.label())));
    let mut rows = vec![
        ("Average", average.map_or_else(Html::unknown, Html::words)),
        (
            "Status",
            Html::joined([Html::safe(State(record.relay.running)), Html::words(format!("as of {}", format::hour(view.as_of())))], " "),
        ),
    ];
    let shown = ["Best month", "Worst month", "Trend over six months", "Standard deviation of daily uptime"];
    let figures = stability(report);
    rows.extend(
        shown.iter().filter_map(|term| figures.iter().find(|(t, _)| t == term)).map(|(term, value)| (*term, Html::words(value.clone()))),
    );
    let n_outages = report.outages.as_ref().map_or(0, |summary| summary.outages.len());
    let unusual = format!("{} in a year, {} in six months", format::counted(n_outages, "outage"), format::counted(dips.len(), "dip"));
    rows.push(("Unusual", Html::link("#outages", &Html::words(unusual))));
    rows
}

/// The best and the worst month in a sentence.
pub(crate) fn year_sentence(report: &RelayReport) -> String {
    let words = |month: &allium_analysis::MonthUptime| {
        format!("{} ({}\u{a0}%)", format::month(month.year, month.month), format::percent(month.uptime, 2))
    };
    match (report.best_month(), report.worst_month()) {
        (Some(best), Some(worst)) if best.uptime == worst.uptime => {
            format!("Every month measured was alike, at {}\u{a0}%.", format::percent(best.uptime, 2))
        }
        (Some(best), Some(worst)) => format!("The best month was {}, the worst {}.", words(best), words(worst)),
        _ => "No month is measured for at least half of its hours.".to_owned(),
    }
}

/// Number of outages, and the longest of them.
pub(crate) fn outages_sentence(report: &RelayReport) -> String {
    let Some(summary) = &report.outages else { return "No data on outages.".to_owned() };
    let [from, to] = [summary.from_secs, summary.to_secs].map(|secs| format::date(format::at_secs(secs)));
    let Some(longest) = summary.longest() else { return format!("None between {from} and {to}.") };
    format!(
        "{} between {from} and {to}, {} down in all; the longest, {}, began on {}{}.",
        format::counted(summary.outages.len(), "outage"),
        format::hours(summary.down_hours()),
        format::hours(longest.down_hours),
        format::date(format::at_secs(longest.start_secs)),
        if longest.ongoing { " and still lasts" } else { "" }
    )
}

/// The outages, newest first.
pub(crate) fn outages(report: &RelayReport, log: Option<&IncidentLog>, relay: &Fingerprint) -> Vec<OutageRow> {
    let incident = |outage: &Outage| log.and_then(|log| of_outage(log, relay, outage.start_secs, outage.end_secs));
    let row = |outage: &Outage| OutageRow {
        start: When(format::at_secs(outage.start_secs)),
        end: if outage.ongoing { Html::words("still down") } else { Html::safe(When(format::at_secs(outage.end_secs))) },
        down: format::hours(outage.down_hours),
        within: format::hours(f64::from(outage.interval_secs) / 3600.0),
        incident: incident(outage).unwrap_or_else(|| Html::words("none")),
    };
    report.outages.iter().flat_map(|summary| summary.outages.iter().rev()).take(SHOWN).map(row).collect()
}

/// The dips, newest first.
pub(crate) fn dips(dips: &[Dip], log: Option<&IncidentLog>, relay: &Fingerprint) -> Vec<DipRow> {
    let incident = |dip: &Dip| log.and_then(|log| of_outage(log, relay, dip.start_secs, dip.end_secs));
    let row = |dip: &Dip| DipRow {
        incident: incident(dip).unwrap_or_else(|| Html::words("none")),
        start: Day(format::at_secs(dip.start_secs)),
        last: Day(format::at_secs(dip.end_secs - 1)),
        depth: format::points(dip.depth),
    };
    dips.iter().rev().take(SHOWN).map(row).collect()
}

/// Trend and spread as terms with values.
pub(crate) fn stability(report: &RelayReport) -> Vec<(&'static str, String)> {
    let trend = report.trend.as_ref().map_or_else(
        || format::NO_DATA.to_owned(),
        |t| {
            let verdict = match (t.is_significant(), t.per_30_days > 0.0) {
                (false, _) => "no clear trend",
                (true, true) => "rising",
                (true, false) => "falling",
            };
            let [slope, low, high] = [t.per_30_days, t.low, t.high].map(format::points);
            format!("{verdict}: {slope} percentage points per 30 days (95 % confidence interval {low} to {high}; {} days)", t.n_days)
        },
    );
    let spread = report.spread.as_ref();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| format::NO_DATA.to_owned());
    let month = |m: &allium_analysis::MonthUptime| format!("{}: {}\u{a0}%", format::month(m.year, m.month), format::percent(m.uptime, 2));
    vec![
        ("Trend over six months", trend),
        (
            "Standard deviation of daily uptime",
            or_none(spread.map(|s| format!("{} percentage points ({} days)", format::width(s.std_dev), s.n_days))),
        ),
        ("Median absolute deviation", or_none(spread.map(|s| format!("{} percentage points", format::width(s.mad))))),
        ("Worst day", or_none(spread.map(|s| format!("{}\u{a0}%", format::percent(s.worst, 2))))),
        ("Best month", or_none(report.best_month().map(month))),
        ("Worst month", or_none(report.worst_month().map(month))),
    ]
}

/// The states that our own record has seen, newest first; stretches between spans are down.
pub(crate) fn states(record: &RelayRecord, as_of: ConsensusHour) -> Vec<StateRow> {
    let end = as_of.next();
    let mut rows = Vec::new();
    let mut later = end;
    for span in record.spans.iter().rev() {
        if span.end < later {
            rows.push(absent_row(span.end, later, end));
        }
        rows.push(span_row(span, end));
        later = span.start;
        if rows.len() >= SHOWN {
            break;
        }
    }
    rows
}

/// The summary of the list of states.
pub(crate) fn states_title(record: &RelayRecord, rows: &[StateRow]) -> String {
    match rows.len() {
        n if n >= SHOWN && record.spans.len() > n => format!("The newest {n} states"),
        n => format::counted(n, "state"),
    }
}

fn until(hour: ConsensusHour, end: ConsensusHour) -> Html {
    if hour >= end { Html::words("now") } else { Html::safe(When::from(hour)) }
}

fn absent_row(from: ConsensusHour, to: ConsensusHour, end: ConsensusHour) -> StateRow {
    let none = || Html::words("\u{2013}");
    StateRow {
        from: from.into(),
        to: until(to, end),
        state: State(false),
        flags: Html::words("not listed"),
        country: none(),
        asn: none(),
        version: none(),
    }
}

fn span_row(span: &StateSpan, end: ConsensusHour) -> StateRow {
    let state: &RelayState = &span.state;
    let flags = state.flags.iter().filter(|flag| *flag != RelayFlag::Running).map(|flag| Html::safe(FlagLetters(flag)));
    StateRow {
        from: span.start.into(),
        to: until(span.end, end),
        state: State(state.flags.contains(RelayFlag::Running)),
        flags: Html::joined(flags, " "),
        country: state.country.map_or_else(Html::unknown, |c| Html::words(c.to_string().to_uppercase())),
        asn: state.asn.map_or_else(Html::unknown, Html::words),
        version: state.version.as_deref().map_or_else(Html::unknown, |v| Html::safe(Foreign::short(v))),
    }
}
