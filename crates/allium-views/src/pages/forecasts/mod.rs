//! `/forecasts`: how reliable will relays be in the weeks ahead, of the network or of one operator?

mod advice;
mod group;
mod markup;
mod network;
mod panel;
pub(crate) mod scoreboard;
mod table;

pub(crate) use self::advice::{RelayAdvice, relay_advice, window};
pub(crate) use self::group::{Together, panel as group_panel};
pub(crate) use self::network::{chart as network_chart, recent, uptime_bars, uptime_sentence};
pub(crate) use self::panel::{Panel, chart as relay_chart};

use std::borrow::Cow;

use allium_forecast::advice::Advice;
use allium_forecast::{Confidence, Forecast, Label, Summary, Total};
use allium_model::{OperatorId, RelayRecord, Timestamp};
use allium_service::{Forecasts, ModelFacts, Outlook, Snapshot, View};
use allium_words::format;
use allium_words::inert::{inert, url_encoded};
use askama::Template;

use self::advice::{Recommended, counts, recommended};
use self::group::{actions_sentence, likeness_words, total, total_sentence};
use self::markup::label_html;
use self::network::NetworkSection;
use crate::error::RequestError;
use crate::form::Form;
use crate::markup::{Html, Percent, When};
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::TableHtml;
use allium_words::forecasts::{chance, label_word, model_word, sentence};

/// A relay that the view knows, with its forecast.
pub(crate) struct Row<'a> {
    forecast: &'a Forecast,
    record: &'a RelayRecord,
    operator: Option<Operator<'a>>,
    advice: Option<&'a Advice>,
}

/// The operator of a relay.
#[derive(Clone, Copy)]
struct Operator<'a> {
    id: &'a OperatorId,
    idx: usize,
}

#[derive(Template)]
#[template(path = "forecasts.html")]
struct ForecastsPage {
    page: Frame,
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

framed!(ForecastsPage);

#[derive(Template)]
#[template(path = "forecasts_none.html")]
struct NoForecastsPage {
    page: Frame,
    reason: String,
}

framed!(NoForecastsPage);

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
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, outlook: &Outlook, params: &Params) -> Result<PageHtml, RequestError> {
    let frame = Frame::of(snapshot, view, now, FixedPage::Forecasts.path());
    let forecasts = match outlook.forecasts() {
        Ok(forecasts) => forecasts,
        Err(reason) => return render(&NoForecastsPage { page: frame, reason: inert(reason) }),
    };
    let rows = rows(view, forecasts);
    let asked = Asked::of(view, forecasts, &rows, params)?;
    let Asked { operator, ref summary, ref total, counts } = asked;
    let base = operator.map_or_else(|| FixedPage::Forecasts.path().to_owned(), |operator| href_with("operator", &operator.id.to_string()));
    let shown = if operator.is_some() { SHOWN_OF_OPERATOR } else { SHOWN_OF_ALL };
    let table = table::table(view, &rows, params)?;
    render(&ForecastsPage {
        page: frame.with_alternate(Alternate::of(&Data::Fixed(FixedData::Forecasts))).with_charts(),
        whom: whom(view, operator),
        sentence: match total {
            Some(total) => total_sentence(forecasts, total, "this operator's"),
            None => sentence(summary, forecasts.horizon_days, operator.is_some()),
        },
        under: under(forecasts, now),
        tiles: tiles(summary, total.as_ref(), counts),
        sure: total.as_ref().map(|total| likeness_words(forecasts, total, Together::Operator)),
        network: operator.is_none().then(|| NetworkSection::of(forecasts)),
        actions: actions_sentence(counts),
        recommended: recommended(asked.among(&rows), shown, &base),
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

/// The relays that an address asks for, those of an operator or all, summed up.
pub(crate) struct Asked<'a> {
    operator: Option<Operator<'a>>,
    /// Their forecasts in few figures.
    pub(crate) summary: Cow<'a, Summary>,
    /// Of an operator: the mean uptime of its relays that run.
    pub(crate) total: Option<Total>,
    /// Numbers of them that have advice of each urgency, in the order of [`Urgency::ALL`](allium_forecast::advice::Urgency::ALL).
    pub(crate) counts: [usize; 3],
}

impl<'a> Asked<'a> {
    /// Sums up those of the rows that are asked for.
    pub(crate) fn of(view: &'a View, forecasts: &'a Forecasts, rows: &[Row<'_>], params: &Params) -> Result<Self, RequestError> {
        let all = Self { operator: None, summary: Cow::Borrowed(&forecasts.summary), total: None, counts: counts(rows.iter()) };
        let Some(operator) = asked_operator(view, params)? else { return Ok(all) };
        let asked = Self { operator: Some(operator), ..all };
        let of_operator = || asked.among(rows).map(|row| row.forecast);
        Ok(Self {
            summary: Cow::Owned(Summary::of(of_operator())),
            total: total(forecasts, of_operator(), Together::Operator),
            counts: counts(asked.among(rows)),
            operator: asked.operator,
        })
    }

    /// Those of the rows that are asked for.
    fn among<'r, 'b>(&self, rows: &'r [Row<'b>]) -> impl Iterator<Item = &'r Row<'b>> + use<'r, 'b, 'a> {
        let operator = self.operator;
        rows.iter().filter(move |row| operator.is_none_or(|asked| row.is_run_by(asked)))
    }
}

impl Row<'_> {
    fn is_run_by(&self, asked: Operator<'_>) -> bool {
        self.operator.is_some_and(|operator| operator.idx == asked.idx)
    }
}

/// Forecasts of relays that the view knows, by fingerprint.
pub(crate) fn rows<'a>(view: &'a View, forecasts: &'a Forecasts) -> Vec<Row<'a>> {
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
    let idx = operators.of_relay.get(relay_idx).copied().flatten()? as usize;
    operators.operators.get(idx).map(|operator| Operator { id: &operator.id, idx })
}

/// The operator that the address names.
fn asked_operator<'a>(view: &'a View, params: &Params) -> Result<Option<Operator<'a>>, RequestError> {
    let Some(text) = params.one("operator")? else { return Ok(None) };
    let operators = &view.operators.directory;
    let idx = text.parse().ok().and_then(|id| operators.position(&id)).ok_or_else(|| RequestError::no_such_group("operator", text))?;
    Ok(operators.operators.get(idx).map(|operator| Operator { id: &operator.id, idx }))
}

/// The operator whose relays these are, with the way to the others.
fn whom(view: &View, operator: Option<Operator<'_>>) -> Html {
    let Some(operator) = operator else { return Html::words("All relays seen in the last 7 days") };
    let name = inert(&view.operator_name(operator.idx).chars().take(80).collect::<String>());
    let parts = [
        Html::words("Operator:"),
        Html::link(&href::operator(operator.id), &Html::words(name)),
        Html::link(FixedPage::Forecasts.path(), &Html::words("Forecasts of all relays")),
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
        Html::link(&href::method("forecast"), &Html::words("Definition")),
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
            .map(|operator| (format!("{}/maintenance.ics", href::operator(operator.id)), "Schedule maintenance (calendar file or feed)")),
    );
    exports.push((FixedPage::Scoreboard.path().to_owned(), "Model details and scoreboard"));
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
        let name = Html::link(
            &format!("/forecasts?confidence={}", confidence.name()),
            &Html::words(allium_words::forecasts::confidence_word(confidence)),
        );
        bar(name, allium_words::forecasts::confidence_rule(confidence), n, summary.n_relays)
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
        ("How it works", Html::link(&href::method("forecast-model"), &Html::words("Models, training, scores"))),
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
