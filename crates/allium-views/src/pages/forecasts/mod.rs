//! `/forecasts`: how reliable will relays be in the weeks ahead, of the network or of one operator?

mod advice;
mod group;
mod network;
mod panel;
pub(crate) mod scoreboard;
mod table;
mod words;

pub(crate) use self::advice::{Foreseen, foreseen, window};
pub(crate) use self::group::{Together, panel as group_panel};
pub(crate) use self::network::{chart as network_chart, data as network_data, uptime_bars, uptime_sentence};
pub(crate) use self::panel::{ForecastJson, Panel, chart as relay_chart};

use allium_forecast::advice::Advice;
use allium_forecast::{Confidence, Forecast, Label, Summary, Total};
use allium_model::{OperatorId, RelayRecord, Timestamp};
use askama::Template;
use serde::Serialize;

use self::advice::{Recommended, counts, recommended};
use self::group::{actions_sentence, likeness_words, total, total_sentence};
use self::network::NetworkSection;
use self::words::{chance, label_html, label_word, model_word, sentence};
use crate::api::{Form, to_json};
use crate::error::RequestError;
use crate::format;
use crate::markup::{Html, Percent, When};
use crate::outlook::{Forecasts, ModelFacts, Outlook};
use crate::page::{Alternate, Page, render};
use crate::pages::operators::{operator_name, operator_path};
use crate::params::Params;
use crate::site::Site;
use crate::table::TableHtml;
use crate::text::{inert, url_encoded};
use crate::view::View;

/// A relay that the view knows, with its forecast.
pub(crate) struct Row<'a> {
    forecast: &'a Forecast,
    record: &'a RelayRecord,
    operator: Option<Operator<'a>>,
    advice: Option<&'a Advice>,
}

/// Who runs a relay.
#[derive(Clone, Copy)]
struct Operator<'a> {
    id: &'a OperatorId,
    place: usize,
}

#[derive(Template)]
#[template(path = "forecasts.html")]
struct ForecastsPage {
    page: Page,
    whom: Html,
    sentence: String,
    under: Html,
    tiles: Vec<(String, &'static str, String)>,
    /// Of an operator: how sure the total is.
    sure: Option<String>,
    /// Of all relays: the network in the months ahead.
    network: Option<NetworkSection>,
    actions: String,
    recommended: Vec<Recommended>,
    exports: Vec<(String, &'static str)>,
    labels: Vec<BarRow>,
    confidences: Vec<BarRow>,
    model: Vec<(&'static str, Html)>,
    scores: Vec<(String, String, String)>,
    table: TableHtml,
}

#[derive(Template)]
#[template(path = "forecasts_none.html")]
struct NoForecastsPage {
    page: Page,
    reason: String,
}

/// Recommendations of each urgency that the page shows: of an operator, and of all relays.
const SHOWN_OF_OPERATOR: usize = 20;
const SHOWN_OF_ALL: usize = 3;

struct BarRow {
    label: Html,
    rule: String,
    n: String,
    /// Share in whole percent: the class that gives the bar its length.
    percent: u32,
}

/// Renders the page.
pub(crate) fn html(site: &Site, view: &View, now: Timestamp, outlook: &Outlook, params: &Params) -> Result<String, RequestError> {
    let frame = Page::of(site, view, now, "/forecasts");
    let forecasts = match outlook.forecasts() {
        Ok(forecasts) => forecasts,
        Err(reason) => return render(&NoForecastsPage { page: frame, reason: inert(reason) }),
    };
    let rows = rows(view, forecasts);
    let operator = asked_operator(view, params)?;
    let asked = || rows.iter().filter(|row| operator.is_none_or(|asked| row.is_run_by(asked)));
    let of_operator = operator.map(|_| Summary::of(asked().map(|row| row.forecast)));
    let summary = of_operator.as_ref().unwrap_or(&forecasts.summary);
    let total = operator.and_then(|_| total(forecasts, asked().map(|row| row.forecast), Together::Operator));
    let base = operator.map_or_else(|| "/forecasts".to_owned(), |operator| href_with("operator", &operator.id.to_string()));
    let shown = if operator.is_some() { SHOWN_OF_OPERATOR } else { SHOWN_OF_ALL };
    let counts = counts(asked());
    let table = table::table(view, &rows, params)?;
    render(&ForecastsPage {
        page: frame.with_alternate(Alternate::at("/api/v1/forecasts")).with_charts(),
        whom: whom(view, operator),
        sentence: match &total {
            Some(total) => total_sentence(forecasts, total, "this operator's"),
            None => sentence(summary, forecasts.horizon_days, operator.is_some()),
        },
        under: under(forecasts, now),
        tiles: tiles(summary, total.as_ref(), counts),
        sure: total.as_ref().map(|total| likeness_words(forecasts, total, Together::Operator)),
        network: operator.is_none().then(|| NetworkSection::of(forecasts)),
        actions: actions_sentence(counts),
        recommended: recommended(asked(), shown, &base),
        exports: exports(operator),
        labels: labels(summary),
        confidences: confidences(summary),
        model: model(&forecasts.model),
        scores: scores(&forecasts.model),
        table: table.html(&rows, &table.state(params)?)?,
    })
}

/// `/api/v1/forecasts`
pub(crate) fn data(view: &View, outlook: &Outlook, params: &Params, form: Form) -> Result<String, RequestError> {
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    let rows = rows(view, forecasts);
    asked_operator(view, params)?;
    let table = table::table(view, &rows, params)?;
    table.data(forecasts.as_of, &rows, params, form)
}

/// `/api/v1/forecasts/summary`
pub(crate) fn summary_data(view: &View, outlook: &Outlook, params: &Params) -> Result<String, RequestError> {
    params.only(&["operator"])?;
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    let operator = asked_operator(view, params)?;
    let rows = rows(view, forecasts);
    let asked = || rows.iter().filter(|row| operator.is_none_or(|asked| row.is_run_by(asked)));
    let summary = match operator {
        Some(_) => Summary::of(asked().map(|row| row.forecast)),
        None => forecasts.summary.clone(),
    };
    let total = operator.and_then(|_| total(forecasts, asked().map(|row| row.forecast), Together::Operator));
    to_json(&SummaryJson {
        total: total.map(|total| TotalJson::of(forecasts, &total)),
        ..SummaryJson::of(forecasts, &summary, counts(asked()))
    })
}

#[derive(Serialize)]
struct SummaryJson<'a> {
    as_of: String,
    horizon_days: u16,
    basis: &'static str,
    model: ModelJson<'a>,
    n_relays: usize,
    n_running: usize,
    mean: Option<f64>,
    relay_q10: Option<f64>,
    relay_q90: Option<f64>,
    expected_below_90: f64,
    n_likely_below_90: usize,
    expected_gone: f64,
    labels: std::collections::BTreeMap<&'static str, usize>,
    confidence: std::collections::BTreeMap<&'static str, usize>,
    /// Relays with advice, by urgency.
    advice: std::collections::BTreeMap<&'static str, usize>,
    /// Of an operator: the mean uptime of its relays that run now.
    total: Option<TotalJson>,
}

#[derive(Serialize)]
struct TotalJson {
    n_relays: usize,
    mean: f64,
    q10: f64,
    q50: f64,
    q90: f64,
    q10_if_independent: f64,
    q90_if_independent: f64,
    recent_uptime: Option<f64>,
    rank_correlation: f64,
    n_pairs: usize,
}

impl TotalJson {
    fn of(forecasts: &Forecasts, total: &Total) -> Self {
        let likeness = forecasts.likeness.operator;
        Self {
            n_relays: total.n_relays,
            mean: total.mean.get(),
            q10: total.interval.0.get(),
            q50: total.median.get(),
            q90: total.interval.1.get(),
            q10_if_independent: total.interval_if_independent.0.get(),
            q90_if_independent: total.interval_if_independent.1.get(),
            recent_uptime: total.recent.map(allium_model::Fraction::get),
            rank_correlation: likeness.rho,
            n_pairs: likeness.n_pairs,
        }
    }
}

#[derive(Serialize)]
struct ModelJson<'a> {
    name: &'a str,
    trained_as_of: String,
    first_origin: Option<String>,
    n_origins: usize,
    n_rows: usize,
    held_out_scores: Vec<ScoreJson<'a>>,
}

#[derive(Serialize)]
struct ScoreJson<'a> {
    model: &'a str,
    crps: f64,
    n: usize,
}

impl<'a> SummaryJson<'a> {
    fn of(forecasts: &'a Forecasts, summary: &Summary, advice: [usize; 3]) -> Self {
        let model = &forecasts.model;
        Self {
            as_of: forecasts.as_of.to_string(),
            horizon_days: forecasts.horizon_days,
            basis: forecasts.basis.name(),
            model: ModelJson {
                name: &model.name,
                trained_as_of: model.trained_as_of.to_string(),
                first_origin: model.first_origin.map(|hour| hour.to_string()),
                n_origins: model.n_origins,
                n_rows: model.n_rows,
                held_out_scores: model.scores.iter().map(|score| ScoreJson { model: &score.model, crps: score.crps, n: score.n }).collect(),
            },
            n_relays: summary.n_relays,
            n_running: summary.n_running,
            mean: summary.mean.map(allium_model::Fraction::get),
            relay_q10: summary.interval.map(|(low, _)| low.get()),
            relay_q90: summary.interval.map(|(_, high)| high.get()),
            expected_below_90: summary.expected_below_90,
            n_likely_below_90: summary.n_likely_below_90,
            expected_gone: summary.expected_gone,
            labels: Label::ALL.map(Label::name).into_iter().zip(summary.by_label).collect(),
            confidence: Confidence::ALL.map(Confidence::name).into_iter().zip(summary.by_confidence).collect(),
            advice: allium_forecast::advice::Urgency::ALL.map(allium_forecast::advice::Urgency::name).into_iter().zip(advice).collect(),
            total: None,
        }
    }
}

impl Row<'_> {
    fn is_run_by(&self, asked: Operator<'_>) -> bool {
        self.operator.is_some_and(|operator| operator.place == asked.place)
    }
}

/// Forecasts of relays that the view knows, by fingerprint.
fn rows<'a>(view: &'a View, forecasts: &'a Forecasts) -> Vec<Row<'a>> {
    forecasts.with_advice().filter_map(|(forecast, advice)| row(view, forecast, advice)).collect()
}

/// A forecast with the relay that it is of; `None` where the view does not know that.
fn row_of<'a>(view: &'a View, forecasts: &'a Forecasts, forecast: &'a Forecast) -> Option<Row<'a>> {
    row(view, forecast, forecasts.advice(forecast))
}

fn row<'a>(view: &'a View, forecast: &'a Forecast, advice: Option<&'a Advice>) -> Option<Row<'a>> {
    let relay_idx = view.relay_idx(&forecast.fingerprint)?;
    let record = view.record.relays.get(relay_idx)?;
    Some(Row { forecast, record, operator: operator_of(view, relay_idx), advice })
}

fn operator_of(view: &View, relay_idx: usize) -> Option<Operator<'_>> {
    let operators = &view.operators.directory;
    let place = operators.of_relay.get(relay_idx).copied().flatten()? as usize;
    operators.operators.get(place).map(|operator| Operator { id: &operator.id, place })
}

/// The operator that the address names.
fn asked_operator<'a>(view: &'a View, params: &Params) -> Result<Option<Operator<'a>>, RequestError> {
    let Some(text) = params.one("operator")? else { return Ok(None) };
    let operators = &view.operators.directory;
    let place = text.parse().ok().and_then(|id| operators.position(&id)).ok_or_else(|| RequestError::no_such_group("operator", text))?;
    Ok(operators.operators.get(place).map(|operator| Operator { id: &operator.id, place }))
}

/// Whose relays these are, with the way to the others.
fn whom(view: &View, operator: Option<Operator<'_>>) -> Html {
    let Some(operator) = operator else { return Html::words("All relays seen in the last 7 days") };
    let name = inert(&operator_name(view, operator.place).chars().take(80).collect::<String>());
    let parts = [
        Html::words("Operator:"),
        Html::link(&operator_path(operator.id), &Html::words(name)),
        Html::link("/forecasts", &Html::words("Forecasts of all relays")),
    ];
    Html::joined(parts, " ")
}

fn under(forecasts: &Forecasts, now: Timestamp) -> Html {
    let age = format::relative(forecasts.as_of.start(), now);
    let words = format!(
        "({age}), from {}, for the {} days after it; model {}, trained on consensuses up to",
        forecasts.basis.words(),
        forecasts.horizon_days,
        inert(model_word(&forecasts.model.name))
    );
    let parts = [
        Html::words("As of the consensus of"),
        Html::safe(When::from(forecasts.as_of)),
        Html::words(words),
        Html::safe(When::from(forecasts.model.trained_as_of)),
        Html::words("."),
        Html::link("/methods#forecast", &Html::words("Definition")),
    ];
    Html::joined(parts, " ").tightened()
}

fn tiles(summary: &Summary, total: Option<&Total>, [urgent, scheduled, _]: [usize; 3]) -> Vec<(String, &'static str, String)> {
    let n = |labels: &[Label]| labels.iter().map(|label| summary.n_labelled(*label)).sum::<usize>();
    let count = |n: usize| format::count(n as u64);
    let expected = total.map_or(summary.mean, |total| Some(total.median));
    let about_expected = total.map_or_else(
        || "mean over relays that run now".to_owned(),
        |total| format!("80 % interval {} to {}\u{a0}%", format::percent(total.interval.0, 1), format::percent(total.interval.1, 1)),
    );
    vec![
        (
            format!("{} of {}", count(n(&[Label::Stable, Label::Improving])), count(summary.n_relays)),
            "stable or improving",
            format!("{} more to monitor", count(n(&[Label::Monitor]))),
        ),
        (count(n(&[Label::AtRisk, Label::Critical])), "at risk or critical", "at least one chance in four of less than 90 %".to_owned()),
        (
            expected.map_or_else(|| format::NO_DATA.to_owned(), |mean| format!("{}\u{a0}%", format::percent(mean, 1))),
            "predicted mean uptime",
            about_expected,
        ),
        (
            match summary.expected_below_90 {
                few if few < 10.0 => format::number(few, 1),
                many => format::count(many.round() as u64),
            },
            "expected to fall below 90 %",
            format!("of {} that run now", count(summary.n_running)),
        ),
        (count(urgent + scheduled), "actions required", format!("{} urgent, {} to schedule", count(urgent), count(scheduled))),
    ]
}

/// Forms in which the page can be taken away.
fn exports(operator: Option<Operator<'_>>) -> Vec<(String, &'static str)> {
    let query = operator.map_or_else(String::new, |operator| format!("?operator={}", url_encoded(&operator.id.to_string())));
    let mut exports = vec![
        (format!("/api/v1/forecasts.csv{query}"), "Forecasts as CSV"),
        (format!("/api/v1/forecasts{query}"), "JSON"),
        (format!("/api/v1/forecasts/summary{query}"), "Summary as JSON"),
    ];
    exports.extend(
        operator
            .map(|operator| (format!("{}/maintenance.ics", operator_path(operator.id)), "Schedule maintenance (calendar file or feed)")),
    );
    exports.push(("/forecasts/scoreboard".to_owned(), "Model details and scoreboard"));
    exports
}

fn bar(label: Html, rule: &str, n: usize, of: usize) -> BarRow {
    let percent = (n * 100).checked_div(of).unwrap_or(0) as u32;
    BarRow { label, rule: rule.to_owned(), n: format::count(n as u64), percent }
}

fn labels(summary: &Summary) -> Vec<BarRow> {
    let rows = Label::ALL.into_iter().zip(summary.by_label);
    rows.map(|(label, n)| bar(label_html(label), label.rule(), n, summary.n_relays)).collect()
}

fn confidences(summary: &Summary) -> Vec<BarRow> {
    let rows = Confidence::ALL.into_iter().zip(summary.by_confidence);
    rows.map(|(confidence, n)| {
        let name = Html::link(&format!("/forecasts?confidence={}", confidence.name()), &Html::words(words::confidence_word(confidence)));
        bar(name, words::confidence_rule(confidence), n, summary.n_relays)
    })
    .collect()
}

fn model(model: &ModelFacts) -> Vec<(&'static str, Html)> {
    let learned = match model.first_origin {
        Some(first) => Html::joined(
            [
                Html::words(format!("{} forecasts of the past with their outcome, made from", format::count(model.n_rows as u64))),
                Html::safe(When::from(first)),
                Html::words(format!("on, at {}", format::counted(model.n_origins, "origin"))),
            ],
            " ",
        ),
        None => Html::words("nothing yet: our own record is too short to learn from"),
    };
    vec![
        ("Model", Html::words(model_word(&model.name))),
        ("Trained on consensuses up to", Html::safe(When::from(model.trained_as_of))),
        ("Learned from", learned),
        ("Trained again", Html::words("once a day; a model that scores worse than the one in use is not taken")),
        ("How it works", Html::link("/methods#forecast-model", &Html::words("Models, training, scores"))),
    ]
}

/// Name, score, number of forecasts; the one in use is marked.
fn scores(model: &ModelFacts) -> Vec<(String, String, String)> {
    let row = |score: &allium_forecast::HeldOutScore| {
        let mark = if score.model == model.name { " (in use)" } else { "" };
        let name = format!("{}{mark}", inert(model_word(&score.model)));
        (name, format::number(score.crps, 4), format::count(score.n as u64))
    };
    model.scores.iter().map(row).collect()
}

/// The address of the page with one thing chosen.
fn href_with(name: &str, value: &str) -> String {
    format!("/forecasts?{name}={}", url_encoded(value))
}

/// A share as the text of a probability: words and number.
fn probability(share: allium_model::Fraction) -> String {
    format!("{}, {}\u{a0}%", chance(share.get()), format::percent(share, 0))
}

/// A share in percent for a page.
fn percent(share: allium_model::Fraction, decimals: usize) -> Html {
    Html::safe(Percent(Some(share), decimals))
}

/// The word of a label, for the form.
fn label_option(label: Label) -> (String, String) {
    (label.name().to_owned(), label_word(label).to_owned())
}
