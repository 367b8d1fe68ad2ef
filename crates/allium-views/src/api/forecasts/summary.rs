//! Forecasts of many relays in few figures, for programs.

use std::collections::BTreeMap;

use allium_forecast::advice::Urgency;
use allium_forecast::{Confidence, Label, Summary, Total};
use allium_model::Fraction;
use allium_service::{Forecasts, Outlook, View};
use serde::Serialize;

use crate::error::RequestError;
use crate::form::to_json;
use crate::pages::forecasts::{Asked, rows};
use crate::params::Params;

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
    labels: BTreeMap<&'static str, usize>,
    confidence: BTreeMap<&'static str, usize>,
    /// Relays with advice, by urgency.
    advice: BTreeMap<&'static str, usize>,
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
            recent_uptime: total.recent.map(Fraction::get),
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
            mean: summary.mean.map(Fraction::get),
            relay_q10: summary.interval.map(|(low, _)| low.get()),
            relay_q90: summary.interval.map(|(_, high)| high.get()),
            expected_below_90: summary.expected_below_90,
            n_likely_below_90: summary.n_likely_below_90,
            expected_gone: summary.expected_gone,
            labels: Label::ALL.map(Label::name).into_iter().zip(summary.by_label).collect(),
            confidence: Confidence::ALL.map(Confidence::name).into_iter().zip(summary.by_confidence).collect(),
            advice: Urgency::ALL.map(Urgency::name).into_iter().zip(advice).collect(),
            total: None,
        }
    }
}

/// `/api/v1/forecasts/summary`
pub(crate) fn summary(view: &View, outlook: &Outlook, params: &Params) -> Result<String, RequestError> {
    params.only(&["operator"])?;
    let forecasts = outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))?;
    let asked = Asked::of(view, forecasts, &rows(view, forecasts), params)?;
    to_json(&SummaryJson {
        total: asked.total.as_ref().map(|total| TotalJson::of(forecasts, total)),
        ..SummaryJson::of(forecasts, &asked.summary, asked.counts)
    })
}
