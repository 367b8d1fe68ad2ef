//! `/forecasts/scoreboard`: which model forecasts best, at which origins, for which relays; and how honest the probabilities are.

use allium_charts::{Chart, Dot, Histogram, Kind, Scatter, Unit};
use allium_forecast::evaluate::IN_USE;
use allium_forecast::network::{Method, NetworkScore};
use allium_model::Timestamp;
use allium_service::{OriginScores, Scoreboard, Scores, Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use super::network::{figure_word, reach_word};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::params::{Params, query_string};
use crate::route::{Data, FixedData, FixedPage};
use allium_words::forecasts::model_word;

/// Address of the charts.
const CHARTS: &str = "/forecasts/scoreboard/charts";
/// The stratum that is shown unless asked otherwise.
const ALL_RELAYS: &str = "all";
/// The model that skill is measured against.
const REFERENCE: &str = "conditional";

#[derive(Template)]
#[template(path = "scoreboard.html")]
struct ScoreboardPage {
    page: Frame,
    sentence: String,
    under: String,
    board: Option<Board>,
    held_out: Vec<(String, String, String)>,
    held_out_note: String,
    network: Vec<NetworkLine>,
    /// True if there are forecasts whose scores could be known.
    is_known: bool,
}

framed!(ScoreboardPage);

/// Content of the scoreboard's file.
struct Board {
    strata: Vec<(String, String, bool)>,
    tables: Vec<ScoreTable>,
    /// Figures as HTML.
    figures: Vec<String>,
}

struct ScoreTable {
    id: &'static str,
    caption: String,
    first: &'static str,
    rows: Vec<ScoreRow>,
}

struct ScoreRow {
    name: String,
    is_ours: bool,
    cells: Vec<String>,
}

struct NetworkLine {
    figure: &'static str,
    reach: &'static str,
    method: &'static str,
    cells: Vec<String>,
    in_use: bool,
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    params.only(&["stratum"])?;
    let (outlook, file) = (snapshot.outlook(), snapshot.scoreboard());
    let board = file;
    let asked = stratum(board, params)?;
    let page = Frame::of(snapshot, view, now, FixedPage::Forecasts.path()).with_charts();
    let page = if board.is_some() { page.with_alternate(Alternate::of(&Data::Fixed(FixedData::Scoreboard))) } else { page };
    let forecasts = outlook.forecasts().ok();
    render(&ScoreboardPage {
        page,
        sentence: board.map_or_else(none_sentence, |board| sentence(board, &asked)),
        under: board.map_or_else(String::new, under),
        board: board.map(|board| Board {
            strata: strata(board, &asked),
            tables: tables(board, &asked),
            figures: [reliability(board, &asked), pit(board, &asked)].into_iter().flatten().map(|chart| shown(&chart, &asked)).collect(),
        }),
        held_out: forecasts.map_or_else(Vec::new, |forecasts| super::scores(&forecasts.model)),
        held_out_note: match outlook.forecasts() {
            Ok(forecasts) => format!(
                "Scores of the model that makes the forecasts shown here, trained on consensuses up to {}, on origins that were held out from its training.",
                format::hour(forecasts.model.trained_as_of)
            ),
            Err(reason) => format!("There is no forecast yet: {}.", inert(reason)),
        },
        is_known: forecasts.is_some(),
        network: forecasts.map_or_else(Vec::new, |forecasts| forecasts.network.scores.iter().map(network_line).collect()),
    })
}

/// The chart of that name.
pub(crate) fn chart(snapshot: &Snapshot, params: &Params, name: &str) -> Result<Chart, RequestError> {
    params.only(&["stratum"])?;
    let file = snapshot.scoreboard().ok_or(RequestError::NoSuchPage)?;
    let asked = stratum(Some(file), params)?;
    let found = match name {
        "reliability" => reliability(file, &asked),
        "pit" => pit(file, &asked),
        _ => None,
    };
    found.ok_or(RequestError::NoSuchPage)
}

fn stratum(board: Option<&Scoreboard>, params: &Params) -> Result<String, RequestError> {
    let Some(asked) = params.one("stratum")? else { return Ok(ALL_RELAYS.to_owned()) };
    let offered = board.map(Scoreboard::strata).unwrap_or_default();
    if offered.contains(&asked) { Ok(asked.to_owned()) } else { Err(RequestError::bad("stratum", asked, inert(&offered.join(", ")))) }
}

fn none_sentence() -> String {
    "No evaluation has been run here yet: allium evaluate forecast --out DIR writes one, and this page shows it from beside the store."
        .to_owned()
}

fn sentence(board: &Scoreboard, stratum: &str) -> String {
    let ours = board.of(IN_USE, stratum, false);
    let (Some(crps), Some(skill), Some(covered)) =
        (mean(&ours, |s| Some(s.crps)), mean(&ours, |s| Some(s.skill)), mean(&ours, |s| Some(s.covered[1])))
    else {
        return "The evaluation holds no origin outside floods of short-lived relays.".to_owned();
    };
    let way = if skill >= 0.0 { "better" } else { "worse" };
    format!(
        "Over {}, the model in use scored a CRPS of {}: {}\u{a0}% {way} than conditional quantiles; its 80\u{a0}% intervals held {}\u{a0}% of what came.",
        format::counted(ours.len(), "past origin"),
        format::number(crps, 4),
        format::number(skill.abs() * 100.0, 1),
        format::number(covered * 100.0, 1)
    )
}

fn under(board: &Scoreboard) -> String {
    let ends = board.origins.first().zip(board.origins.last());
    let origins = ends.map_or_else(String::new, |(first, last)| format!(" Origins {} to {}.", day(&first.origin), day(&last.origin)));
    let data = board
        .data
        .as_ref()
        .map_or_else(String::new, |[first, last]| format!(" Evaluated on the record of consensuses from {} to {}.", day(first), day(last)));
    format!(
        "Forecasts of {} days; every model learned at each origin only from what was known there.{origins}{data} Origins inside a flood of short-lived relays have a table of their own.",
        board.horizon_days
    )
}

/// An instant of the file as a day; as it is written where it cannot be read.
fn day(text: &str) -> String {
    text.parse().map_or_else(|_| inert(text), format::date)
}

fn strata(board: &Scoreboard, asked: &str) -> Vec<(String, String, bool)> {
    let link = |stratum: &str| {
        let query = if stratum == ALL_RELAYS { String::new() } else { query_string(&[("stratum", stratum.to_owned())]) };
        (format!("/forecasts/scoreboard{query}"), inert(stratum), stratum == asked)
    };
    board.strata().into_iter().map(link).collect()
}

fn tables(board: &Scoreboard, stratum: &str) -> Vec<ScoreTable> {
    let by_model = |flood: bool| -> Vec<ScoreRow> {
        let row = |model: &str| ScoreRow {
            name: inert(model_name(model)),
            is_ours: model == IN_USE,
            cells: cells(&board.of(model, stratum, flood)),
        };
        board.models().into_iter().filter(|model| !board.of(model, stratum, flood).is_empty()).map(row).collect()
    };
    let by_origin = |origin: &OriginScores| {
        let ours: Vec<&Scores> = origin.scores.iter().filter(|scores| scores.model == IN_USE && scores.stratum == stratum).collect();
        let flood = match (origin.flood, origin.complete) {
            (true, true) => ", in a flood",
            (true, false) => ", in a flood, horizon not complete",
            (false, false) => ", horizon not complete",
            (false, true) => "",
        };
        let about = format!(
            "{} ({} learned from {} rows{flood})",
            day(&origin.origin),
            inert(model_name(&origin.chosen)),
            format::count(origin.n_rows_trained as u64)
        );
        (!ours.is_empty()).then(|| ScoreRow { name: about, is_ours: false, cells: cells(&ours) })
    };
    let by_stratum = |stratum: &str| {
        let ours = board.of(IN_USE, stratum, false);
        (!ours.is_empty()).then(|| ScoreRow { name: inert(stratum), is_ours: false, cells: cells(&ours) })
    };
    let of = format!("relays: {}", inert(stratum));
    let tables = vec![
        ScoreTable {
            id: "models",
            caption: format!("All models, mean over origins outside floods; {of}"),
            first: "Model",
            rows: by_model(false),
        },
        ScoreTable {
            id: "flood",
            caption: format!("All models, mean over origins inside a flood; {of}"),
            first: "Model",
            rows: by_model(true),
        },
        ScoreTable {
            id: "origins",
            caption: format!("The model in use by origin; {of}"),
            first: "Origin",
            rows: board.origins.iter().filter_map(by_origin).collect(),
        },
        ScoreTable {
            id: "strata",
            caption: "The model in use by kind of relay, mean over origins outside floods".to_owned(),
            first: "Relays",
            rows: board.strata().into_iter().filter_map(by_stratum).collect(),
        },
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// A model of the scoreboard in words.
fn model_name(name: &str) -> &str {
    match name {
        IN_USE => "in use (allium)",
        REFERENCE => "conditional quantiles",
        "wfu" => "weighted fractional uptime",
        "persistence" => "persistence of 30 days",
        "constant" => "constant median",
        "shrinkage" => "empirical-Bayes shrinkage",
        "boosted" => "gradient boosting",
        "forest" => "random forest",
        "linear" => "linear regression",
        "ets" => "exponential smoothing (ETS)",
        "network" => "small neural network",
        other => model_word(other),
    }
}

/// The columns of a table of scores, with what they are in [`ScoreRow::cells`].
fn cells(scores: &[&Scores]) -> Vec<String> {
    let mean = |value: &dyn Fn(&Scores) -> Option<f64>, decimals| {
        mean(scores, value).map_or_else(|| "\u{2013}".to_owned(), |mean| format::number(mean, decimals))
    };
    let n: usize = scores.iter().map(|scores| scores.n).sum();
    vec![
        format::count(n as u64),
        mean(&|s| Some(s.crps), 4),
        mean(&|s| Some(s.skill * 100.0), 1),
        mean(&|s| Some(s.mae), 4),
        mean(&|s| Some(s.within_5), 3),
        mean(&|s| Some(s.covered[0]), 3),
        mean(&|s| Some(s.covered[1]), 3),
        mean(&|s| Some(s.covered[2]), 3),
        mean(&|s| Some(s.covered_shares[1]), 3),
        mean(&|s| s.below_90.brier, 4),
        mean(&|s| s.below_90.auc, 3),
        mean(&|s| s.below_90.calibration_error, 3),
        mean(&|s| s.gone.auc, 3),
    ]
}

fn mean(scores: &[&Scores], value: impl Fn(&Scores) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = scores.iter().filter_map(|scores| value(scores)).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn shown(chart: &Chart, stratum: &str) -> String {
    let query = if stratum == ALL_RELAYS { String::new() } else { query_string(&[("stratum", stratum.to_owned())]) };
    Figure::of(chart, CHARTS, &query).to_string()
}

/// Share of relays whose uptime stayed below 0.9, by the probability that was forecast.
fn reliability(board: &Scoreboard, stratum: &str) -> Option<Chart> {
    let mut bins = [(0.0, 0.0, 0usize); 10];
    let scores = board.of(IN_USE, stratum, false);
    for bin in scores.iter().flat_map(|scores| &scores.below_90.reliability) {
        let sum = &mut bins[((bin.forecast * 10.0) as usize).min(9)];
        let n = bin.n as f64;
        *sum = (sum.0 + bin.forecast * n, sum.1 + bin.observed * n, sum.2 + bin.n);
    }
    let dot = |(forecast, observed, n): (f64, f64, usize)| Dot {
        label: format::counted(n, "forecast"),
        href: None,
        x: forecast / n as f64,
        y: observed / n as f64,
    };
    let dots: Vec<Dot> = bins.into_iter().filter(|(_, _, n)| *n > 0).map(dot).collect();
    let worst = dots.iter().map(|dot| (dot.y - dot.x).abs()).fold(0.0, f64::max);
    let title = format!(
        "Reliability: where less than 90 % was forecast with a probability, it came about as often; the widest of {} gaps is {} points.",
        dots.len(),
        format::number(worst * 100.0, 1)
    );
    let note = "Model in use, origins outside floods, ten bins of equal width by probability. On the dashed diagonal forecasts are calibrated; the table tells how many forecasts each point stands for.";
    let kind = Scatter {
        of: "Forecasts".to_owned(),
        x_label: "Probability of less than 90 %".to_owned(),
        x_unit: Unit::Share,
        y_label: "Share that stayed below".to_owned(),
        y_unit: Unit::Share,
        dots,
        diagonal: true,
    };
    (!kind.dots.is_empty()).then(|| Chart::new("reliability", title, note, Kind::Scatter(kind)))
}

/// Positions of outcomes in their forecasts.
fn pit(board: &Scoreboard, stratum: &str) -> Option<Chart> {
    let scores = board.of(IN_USE, stratum, false);
    let n_bins = scores.first()?.pit.len();
    let share = |scores: &Scores, bin: usize| scores.pit.get(bin).copied().unwrap_or(0.0) * scores.n as f64;
    let counts: Vec<u64> = (0..n_bins).map(|bin| scores.iter().map(|scores| share(scores, bin)).sum::<f64>().round() as u64).collect();
    let total: u64 = counts.iter().sum();
    let edges = (0..=n_bins).map(|edge| edge as f64 / n_bins.max(1) as f64).collect();
    let level = Some(total as f64 / n_bins.max(1) as f64);
    let title =
        "PIT histogram: where outcomes fell in the ranks of their own forecasts; level with the dashed line if forecasts are calibrated.";
    let note = format!(
        "Model in use, origins outside floods, {} forecasts, {} in each class if level. Ranks of outcomes at a mass are spread evenly over it.",
        format::count(total),
        format::count(total / n_bins.max(1) as u64)
    );
    let kind = Histogram { unit: Unit::Share, of: "Forecasts".to_owned(), edges, counts, marks: Vec::new(), level };
    (total > 0).then(|| Chart::new("pit", title, note, Kind::Histogram(kind)))
}

/// Method by which the network was forecast, in words.
const fn method_word(method: Method) -> &'static str {
    match method {
        Method::DampedTrend => "level with damped trend",
        Method::Trend => "level with trend",
        Method::Level => "level stays",
        Method::Holt => "Holt's smoothing, damped",
        Method::LastMonth => "last month stays",
        Method::LastQuarter => "last quarter stays",
        Method::MonthAndQuarter => "mean of last month and last quarter",
    }
}

fn network_line(score: &NetworkScore) -> NetworkLine {
    let percent = |value: f64| format::number(value * 100.0, 2);
    NetworkLine {
        figure: figure_word(score.figure),
        reach: reach_word(score.horizon_days),
        method: method_word(score.method),
        cells: vec![
            format::count(score.n as u64),
            percent(score.mae),
            percent(score.bias),
            format::number(score.covered_80, 2),
            format::number(score.covered_90, 2),
            percent(score.width_80),
        ],
        in_use: score.in_use,
    }
}
