//! The forecast on a relay's page.

use allium_analysis::daily_strip;
use allium_charts::{Band, Chart, Kind, Line, Time, Unit};
use allium_forecast::Forecast;
use allium_model::{Fraction, RelayRecord, Timestamp};
use allium_service::{Forecasts, Outlook, View};
use allium_words::format;
use allium_words::inert::inert;

use super::advice::{in_words, window};
use super::markup::label_html;
use super::{href_with, percent, probability};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::markup::{Html, When};
use crate::params::Params;
use crate::route::{CalendarOf, FixedPage, Route, href};
use allium_words::forecasts::{chance, confidence_rule, confidence_word, model_word};

/// Beginnings of the axis of a fan, in percent: the highest that shows nearly all of the fan.
const AXIS_STARTS: [f64; 5] = [99.0, 95.0, 90.0, 50.0, 0.0];

/// Days before the forecast in the chart, and drivers that are shown.
const PAST_DAYS: usize = 90;
const DRIVERS: usize = 5;

/// The part of a relay's page about the weeks ahead.
pub(crate) struct Panel {
    pub(crate) sentence: Html,
    pub(crate) under: Html,
    pub(crate) fan: Option<Fan>,
    pub(crate) facts: Vec<(&'static str, Html)>,
    pub(crate) quantiles: Vec<(&'static str, Html)>,
    pub(crate) todo: Option<Html>,
    pub(crate) drivers: Vec<String>,
    /// A figure as HTML.
    pub(crate) chart: Option<String>,
}

/// The distribution as stretches of a bar.
pub(crate) struct Fan {
    pub(crate) words: String,
    pub(crate) start: String,
    /// Class and length in whole percent of the axis.
    pub(crate) stretches: Vec<(&'static str, u32)>,
}

impl Panel {
    /// The forecast for the weeks ahead of a relay.
    pub(crate) fn of(view: &View, outlook: &Outlook, record: &RelayRecord, now: Timestamp) -> Self {
        let fingerprint = &record.relay.fingerprint;
        let forecasts = match outlook.forecasts() {
            Ok(forecasts) => forecasts,
            Err(reason) => return Self::without(format!("There is no forecast: {}.", inert(reason))),
        };
        match forecasts.find(fingerprint) {
            Some(forecast) => Self::with(view, forecasts, (record, forecast), now),
            None => Self::without(
                "There is no forecast: our own record of consensuses has not listed this relay in the last 7 days.".to_owned(),
            ),
        }
    }

    fn without(sentence: String) -> Self {
        let under = Html::link(&href::method("forecast"), &Html::words("Definition"));
        Self {
            sentence: Html::words(sentence),
            under,
            fan: None,
            facts: Vec::new(),
            quantiles: Vec::new(),
            todo: None,
            drivers: Vec::new(),
            chart: None,
        }
    }

    fn with(view: &View, forecasts: &Forecasts, (record, forecast): (&RelayRecord, &Forecast), now: Timestamp) -> Self {
        let base = href::charts(href::relay(&record.relay.fingerprint));
        Self {
            sentence: sentence(forecasts, forecast),
            under: under(forecasts, now),
            fan: fan(forecast),
            facts: facts(forecast),
            quantiles: quantiles(forecast),
            todo: todo(forecasts, forecast),
            drivers: forecasts.drivers(&forecast.fingerprint).iter().take(DRIVERS).map(allium_forecast::Driver::sentence).collect(),
            chart: days_ahead(view, record, forecast).map(|chart| Figure::of(&chart, &base, "").quiet().with_rows(0).to_string()),
        }
    }
}

/// Advice for a relay, with the way to the calendar; `None` where nobody knows the relay's habits.
fn todo(forecasts: &Forecasts, forecast: &Forecast) -> Option<Html> {
    let habits = forecasts.habits(&forecast.fingerprint)?;
    let calendar = Html::link(&Route::Calendar(CalendarOf::Relay(forecast.fingerprint)).address(), &Html::words("Schedule maintenance"));
    let mut parts = match forecasts.advice(forecast) {
        Some(advice) => {
            vec![Html::element("strong", &[], &Html::words(format!("{}:", super::advice::heading(advice.urgency)))), in_words(advice)]
        }
        None => vec![Html::words("Nothing that the forecast calls for.")],
    };
    if forecasts.advice(forecast).is_none_or(|advice| advice.window.is_none()) && forecast.running {
        parts.extend(allium_forecast::advice::Window::of(habits, forecast.as_of).map(window));
    }
    parts.push(calendar);
    Some(Html::joined(parts, " "))
}

/// The chart of that name.
pub(crate) fn chart(view: &View, outlook: &Outlook, params: &Params, relay_idx: usize) -> Result<Chart, RequestError> {
    params.only(&[])?;
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    let record = view.record.relays.get(relay_idx).ok_or(RequestError::NoSuchPage)?;
    let forecast = forecasts.find(&record.relay.fingerprint).ok_or(RequestError::NoSuchPage)?;
    days_ahead(view, record, forecast).ok_or(RequestError::NoSuchPage)
}

/// Each of the last days, and where the mean of the days to come is likely to lie.
fn days_ahead(view: &View, record: &RelayRecord, forecast: &Forecast) -> Option<Chart> {
    let past = daily_strip(record, &view.record.known, forecast.as_of, PAST_DAYS);
    let first = past.cells.first()?.start_secs;
    let (n_past, n_ahead) = (past.cells.len(), usize::from(forecast.horizon_days));
    let edges = (0..=n_past + n_ahead).map(|day| first + day as i64 * 86_400).collect();
    let ahead = |level: f64| -> Option<Vec<Option<f64>>> {
        let value = forecast.quantile(level)?.get();
        Some(std::iter::repeat_n(None, n_past).chain(std::iter::repeat_n(Some(value), n_ahead)).collect())
    };
    let band = |label: &str, low: f64, high: f64| Some(Band { label: label.to_owned(), low: ahead(low)?, high: ahead(high)? });
    let so_far = past.cells.iter().map(|cell| cell.uptime.map(Fraction::get)).chain(std::iter::repeat_n(None, n_ahead)).collect();
    let lines = vec![Line { label: "each day".to_owned(), values: so_far }, Line { label: "mean, median".to_owned(), values: ahead(0.5)? }];
    let bands = vec![band("50 % interval", 0.25, 0.75)?, band("80 % interval", 0.1, 0.9)?, band("90 % interval", 0.05, 0.95)?];
    let (low, high) = (forecast.quantile(0.1)?, forecast.quantile(0.9)?);
    let title = format!(
        "Each of the last {PAST_DAYS} days, and the mean of the next {n_ahead}: eight chances in ten that it lies between {}\u{a0}% and {}\u{a0}%.",
        format::percent(low, 1),
        format::percent(high, 1)
    );
    let note = format!(
        "As of {}. Bands: 50, 80 and 90 % of the chance of the mean of all days to come, not of each of them.",
        format::hour(forecast.as_of)
    );
    Some(Chart::new("forecast", title, note, Kind::Time(Time { bands, from_zero: false, ..Time::new(Unit::Share, edges, lines) })))
}

fn sentence(forecasts: &Forecasts, forecast: &Forecast) -> Html {
    let days = forecasts.horizon_days;
    let figures = match (forecast.quantile(0.1), forecast.quantile(0.5), forecast.quantile(0.9)) {
        (Some(low), Some(median), Some(high)) => format!(
            "Over the next {days} days it is as likely to be up more than {}\u{a0}% of the time as less; with a chance of 80\u{a0}% the figure lies between {}\u{a0}% and {}\u{a0}%. Less than 90\u{a0}% is {} ({}\u{a0}%).",
            format::percent(median, 1),
            format::percent(low, 1),
            format::percent(high, 1),
            chance(forecast.p_below_90.get()),
            format::percent(forecast.p_below_90, 0),
        ),
        _ => format!("Over the next {days} days it is expected to be up {}\u{a0}% of the time.", format::percent(forecast.mean, 1)),
    };
    Html::joined([label_html(forecast.label), Html::words(figures)], " ")
}

fn under(forecasts: &Forecasts, now: Timestamp) -> Html {
    let words = format!(
        "({}), from {}; model: {}.",
        format::relative(forecasts.as_of.start(), now),
        forecasts.basis.words(),
        inert(model_word(&forecasts.model.name))
    );
    let parts = [
        Html::words("As of the consensus of"),
        Html::safe(When::from(forecasts.as_of)),
        Html::words(words),
        Html::link(&href::method("forecast"), &Html::words("Definition")),
        Html::link(FixedPage::Forecasts.path(), &Html::words("All forecasts")),
    ];
    Html::joined(parts, " ")
}

fn facts(forecast: &Forecast) -> Vec<(&'static str, Html)> {
    let confidence = format!("{}: {}", confidence_word(forecast.confidence), confidence_rule(forecast.confidence));
    vec![
        ("Uptime of the last 30 days, %", forecast.recent.map_or_else(Html::unknown, |share| percent(share, 2))),
        ("Expected uptime, %", percent(forecast.mean, 2)),
        ("Less than 90 % uptime", Html::words(probability(forecast.p_below_90))),
        ("Never Running again", Html::words(probability(forecast.p_gone))),
        (
            "Label",
            Html::joined(
                [Html::link(&href_with("label", forecast.label.name()), &label_html(forecast.label)), Html::words(forecast.label.rule())],
                " ",
            ),
        ),
        ("Confidence", Html::words(confidence)),
    ]
}

fn quantiles(forecast: &Forecast) -> Vec<(&'static str, Html)> {
    const SHOWN: [(&str, f64); 7] =
        [("5 %", 0.05), ("10 %", 0.1), ("25 %", 0.25), ("Median", 0.5), ("75 %", 0.75), ("90 %", 0.9), ("95 %", 0.95)];
    SHOWN.into_iter().filter_map(|(label, level)| Some((label, percent(forecast.quantile(level)?, 2)))).collect()
}

/// The 90, 80 and 50 % intervals around the median, on an axis that ends at 100 %.
fn fan(forecast: &Forecast) -> Option<Fan> {
    let ends: Vec<f64> = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
        .into_iter()
        .map(|level| forecast.quantile(level).map(|q| q.get() * 100.0))
        .collect::<Option<_>>()?;
    let start = AXIS_STARTS.into_iter().find(|start| *start <= ends[0]).unwrap_or(0.0);
    let position = |percent: f64| ((percent - start) / (100.0 - start) * 100.0).round().clamp(0.0, 100.0) as u32;
    let positions: Vec<u32> = ends.iter().map(|end| position(*end)).collect();
    const BANDS: [&str; 6] = ["f5", "f4", "f3", "f3", "f4", "f5"];
    let mut stretches = vec![("f0", positions[0])];
    for (i, class) in BANDS.into_iter().enumerate() {
        if i == 3 {
            stretches.push(("fm", 0));
        }
        stretches.push((class, positions[i + 1] - positions[i]));
    }
    stretches.push(("f0", 100 - positions[6]));
    let words = format!(
        "Median {:.1} %; half of the chance between {:.1} % and {:.1} %; 90 % of it between {:.1} % and {:.1} %",
        ends[3], ends[2], ends[4], ends[0], ends[6]
    );
    Some(Fan { words, start: format!("{start:.0}\u{a0}%"), stretches })
}
