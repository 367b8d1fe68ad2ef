//! The whole network in the months ahead: a table of figures and horizons, a fan chart of each, the same for programs.

use std::sync::{Arc, OnceLock};

use allium_charts::{Band, Bar, Bars, Chart, Kind, Line, Time, Unit};
use allium_forecast::network::{Figure as Quantity, NetworkForecast, NetworkScore};
use allium_service::{Forecasts, NetworkOutlook, Outlook};
use allium_words::format;

use crate::error::RequestError;
use crate::figure::Figure;
use crate::markup::Html;
use crate::params::Params;
use crate::route::href;

/// Address of the charts.
pub(super) const CHARTS: &str = "/forecasts/charts";
/// Weeks of the past in a fan chart, and how far it looks ahead.
const PAST_WEEKS: usize = 52;
const WEEK_SECS: i64 = 7 * 86_400;

/// The section of `/forecasts`.
pub(super) struct NetworkSection {
    pub(super) sentence: String,
    pub(super) under: Html,
    pub(super) rows: Vec<NetworkRow>,
    /// Figures as HTML.
    pub(super) figures: Vec<String>,
}

/// A figure at a horizon.
pub(super) struct NetworkRow {
    pub(super) figure: &'static str,
    pub(super) reach: String,
    pub(super) recent: String,
    pub(super) median: String,
    pub(super) change: String,
    pub(super) interval: String,
    pub(super) error: String,
    pub(super) covered: String,
    pub(super) n: String,
}

impl NetworkSection {
    /// Forecasts of the network for the months ahead.
    pub(super) fn of(forecasts: &Forecasts) -> Self {
        let network = &forecasts.network;
        let kept = charts(forecasts);
        let figures = kept.iter();
        let shown = |chart: &Chart| Figure::of(chart, CHARTS, "").with_rows(0).to_string();
        Self {
            sentence: sentence(network),
            under: Html::joined(
                [
                    Html::words(
                        "Errors and coverage: this method as of past days of our own record, each held against what came; 80 % intervals should cover 0.80.",
                    ),
                    Html::link(&href::method("network-forecast"), &Html::words("Definition")),
                    Html::link("/api/v1/forecasts/network", &Html::words("JSON")),
                    Html::link("/api/v1/forecasts/network.csv", &Html::words("CSV")),
                    Html::link("/forecasts/scoreboard#network", &Html::words("Against simpler methods")),
                ],
                " ",
            ),
            rows: network.forecasts.iter().map(|forecast| row(network, forecast)).collect(),
            figures: figures.map(shown).collect(),
        }
    }
}

/// The figure in words.
pub(super) const fn figure_word(figure: Quantity) -> &'static str {
    match figure {
        Quantity::Uptime => "Uptime",
        Quantity::Relays => "Running relays",
        Quantity::Guards => "Guards",
        Quantity::Exits => "Exits",
        Quantity::Weight => "Consensus weight",
    }
}

/// Time that a forecast reaches ahead, in words.
pub(super) const fn reach_word(horizon_days: u16) -> &'static str {
    match horizon_days {
        30 => "30 days",
        91 => "3 months",
        182 => "6 months",
        365 => "12 months",
        _ => "other",
    }
}

/// A value of a figure as people read it.
pub(super) fn value_words(figure: Quantity, value: f64) -> String {
    match figure {
        Quantity::Uptime => format!("{}\u{a0}%", format::number(value * 100.0, 1)),
        _ => format::count(value.round().max(0.0) as u64),
    }
}

/// Value that a forecast is compared with: the mean of the last 30 days for uptime, the level for counts.
pub(crate) fn recent(network: &NetworkOutlook, forecast: &NetworkForecast) -> Option<f64> {
    match forecast.figure {
        Quantity::Uptime => network.daily.as_ref()?.recent(Quantity::Uptime, 30),
        _ => Some(forecast.level),
    }
}

fn change(network: &NetworkOutlook, forecast: &NetworkForecast) -> String {
    let Some(before) = recent(network, forecast) else { return format::NO_DATA.to_owned() };
    match forecast.figure {
        Quantity::Uptime => format!("{} points", format::points(forecast.median() - before)),
        _ => format!("{}\u{a0}%", format::points(forecast.median() / before - 1.0)),
    }
}

fn interval(forecast: &NetworkForecast) -> String {
    ends(forecast).join(" to ")
}

/// The ends of the interval, as people read them.
fn ends(forecast: &NetworkForecast) -> [String; 2] {
    let (low, high) = forecast.interval();
    [low, high].map(|end| value_words(forecast.figure, end))
}

fn error_words(score: &NetworkScore) -> String {
    match score.figure {
        Quantity::Uptime => format!("{} points", format::number(score.mae * 100.0, 2)),
        _ => format!("{}\u{a0}%", format::number(score.mae * 100.0, 1)),
    }
}

fn row(network: &NetworkOutlook, forecast: &NetworkForecast) -> NetworkRow {
    let none = || format::NO_DATA.to_owned();
    let score = network.score(forecast.figure, forecast.horizon_days);
    NetworkRow {
        figure: figure_word(forecast.figure),
        reach: reach_word(forecast.horizon_days).to_owned(),
        recent: recent(network, forecast).map_or_else(none, |value| value_words(forecast.figure, value)),
        median: value_words(forecast.figure, forecast.median()),
        change: change(network, forecast),
        interval: interval(forecast),
        error: score.map_or_else(none, error_words),
        covered: score.map_or_else(none, |score| format::number(score.covered_80, 2)),
        n: score.map_or_else(none, |score| format::count(score.n as u64)),
    }
}

fn sentence(network: &NetworkOutlook) -> String {
    let relays = network.find(Quantity::Relays, 91).map(|forecast| {
        let (low, high) = forecast.interval();
        format!(
            "in three months {} relays are expected to run ({}; eight chances in ten: {} to {})",
            value_words(Quantity::Relays, forecast.median()),
            change(network, forecast),
            value_words(Quantity::Relays, low),
            value_words(Quantity::Relays, high)
        )
    });
    let uptime = uptime_sentence(network);
    match (uptime, relays) {
        (Some(uptime), Some(relays)) => format!("{uptime}; {relays}."),
        (Some(uptime), None) => format!("{uptime}."),
        (None, Some(relays)) => format!("Of the network: {relays}."),
        (None, None) => {
            let n = network.daily.as_ref().map_or(0, |daily| daily.values(Quantity::Relays).iter().flatten().count());
            format!(
                "There is no forecast of the whole network: that takes about 150 days of our own record, which holds {}.",
                format::counted(n, "day")
            )
        }
    }
}

/// The uptime of the next 30 days in words, without a full stop.
pub(crate) fn uptime_sentence(network: &NetworkOutlook) -> Option<String> {
    let forecast = network.find(Quantity::Uptime, 30)?;
    let (low, high) = forecast.interval();
    Some(format!(
        "Over the next 30 days {} of known relays are expected to run at any time ({} against the last 30 days; eight chances in ten: {} to {})",
        value_words(Quantity::Uptime, forecast.median()),
        change(network, forecast),
        value_words(Quantity::Uptime, low),
        value_words(Quantity::Uptime, high)
    ))
}

/// Uptime of the month behind, the next one and the next three as bars; `None` without such a forecast.
pub(crate) fn uptime_bars(outlook: &Outlook) -> Option<Chart> {
    let forecasts = outlook.forecasts().ok()?;
    let network = &forecasts.network;
    let recent = network.daily.as_ref()?.recent(Quantity::Uptime, 30);
    let ahead = |label: &str, horizon_days: u16| {
        let forecast = network.find(Quantity::Uptime, horizon_days)?;
        Some(Bar { label: label.to_owned(), href: None, value: Some(forecast.median()), note: format!("80 %: {}", interval(forecast)) })
    };
    let held = |horizon_days: u16| {
        let score = network.score(Quantity::Uptime, horizon_days)?;
        Some(format!("{} of {}", format::count((score.covered_80 * score.n as f64).round() as u64), format::count(score.n as u64)))
    };
    let held = held(30).zip(held(91)).map_or_else(String::new, |(month, quarter)| {
        format!(" Such 80 % intervals held {month} times over 30 days, {quarter} times over 3 months.")
    });
    let next = ahead("Next 30 days", 30)?;
    let behind = Bar { label: "Last 30 days".to_owned(), href: None, value: recent, note: String::new() };
    let bars: Vec<Bar> = [Some(behind), Some(next), ahead("Next 3 months", 91)].into_iter().flatten().collect();
    let title = format!("{}.", uptime_sentence(network)?);
    let note = format!(
        "As of {}, from our own record of consensuses. Share of relays known for two weeks that run, mean over the time named.{held}",
        format::hour(forecasts.as_of)
    );
    let kind = Bars { unit: Unit::Share, of: "Time".to_owned(), what: "Uptime".to_owned(), bars, references: Vec::new(), most: Some(1.0) };
    Some(Chart::new("uptime-ahead", title, note, Kind::Bars(kind)))
}

/// The chart of that name: `network-relays` and so on.
pub(crate) fn chart(outlook: &Outlook, params: &Params, name: &str) -> Result<Chart, RequestError> {
    params.only(&[])?;
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    if name == "uptime-ahead" {
        return uptime_bars(outlook).ok_or(RequestError::NoSuchPage);
    }
    charts(forecasts).iter().find(|chart| chart.name == name).cloned().ok_or(RequestError::NoSuchPage)
}

/// The charts of the network's figures, kept beside the forecasts.
#[derive(Default)]
struct KeptCharts(OnceLock<Arc<[Chart]>>);

/// The figures of the network, each as a chart; made once.
fn charts(forecasts: &Forecasts) -> Arc<[Chart]> {
    let make = || Quantity::ALL.into_iter().filter_map(|figure| chart_of(forecasts, figure)).collect();
    Arc::clone(forecasts.kept::<KeptCharts>().0.get_or_init(make))
}

/// A year of the past by week, and the fan of what may come.
fn chart_of(forecasts: &Forecasts, figure: Quantity) -> Option<Chart> {
    let network = &forecasts.network;
    let daily = network.daily.as_ref()?;
    let last = *figure.horizons().last()?;
    let ahead = daily.forecasts(figure, (7..=last).step_by(7));
    if ahead.is_empty() {
        return None;
    }
    let values = daily.values(figure);
    let n_weeks = PAST_WEEKS.min(values.len() / 7);
    let mut past = daily.weekly(figure, n_weeks);
    let end_secs = (i64::from(daily.first_day()) + values.len() as i64) * 86_400;
    let first_secs = end_secs - n_weeks as i64 * WEEK_SECS;
    let edges = (0..=n_weeks + ahead.len()).map(|week| first_secs + week as i64 * WEEK_SECS).collect();
    let none = |n: usize| std::iter::repeat_n(None, n);
    let joint = past.last().copied().flatten();
    let ahead_of = |value: fn(&NetworkForecast) -> f64| -> Vec<Option<f64>> {
        // Fans begin at the last week of the past.
        none(n_weeks.saturating_sub(1)).chain([joint]).chain(ahead.iter().map(|forecast| Some(value(forecast)))).collect()
    };
    let median = ahead_of(NetworkForecast::median);
    let band = |label: &str, low: fn(&NetworkForecast) -> f64, high: fn(&NetworkForecast) -> f64| Band {
        label: label.to_owned(),
        low: ahead_of(low),
        high: ahead_of(high),
    };
    let bands =
        vec![band("80 % interval", |f| f.quantiles[1], |f| f.quantiles[3]), band("90 % interval", |f| f.quantiles[0], |f| f.quantiles[4])];
    past.extend(none(ahead.len()));
    let lines = vec![Line { label: "so far".to_owned(), values: past }, Line { label: "forecast".to_owned(), values: median }];
    let unit = if figure.is_count() { Unit::Count } else { Unit::Share };
    let reached = ahead.last()?;
    let title = format!(
        "{}: {} {}; eight chances in ten that it lies between {}.",
        figure_word(figure),
        value_words(figure, reached.median()),
        if figure.is_count() { "in a year" } else { "on average over the next 3 months" },
        ends(reached).join(" and "),
    );
    let what = match figure {
        Quantity::Uptime => "Share of relays known for two weeks that run; the forecast of a week is of the mean from today to its end.",
        _ => "Medians of weeks, and of what is to come at the end of each week.",
    };
    let note = format!(
        "As of {}, from our own record of consensuses. {what} Darker: 80 % interval; lighter: 90 %.",
        format::hour(forecasts.as_of)
    );
    Some(Chart::new(
        format!("network-{}", figure.name()),
        title,
        note,
        Kind::Time(Time { bands, from_zero: false, ..Time::new(unit, edges, lines) }),
    ))
}
