//! The backtest: every model at every origin, trained on what was known there, scored on what came after.

use allium_model::ConsensusHour;
use serde::Serialize;

use crate::distribution::Distribution;
use crate::features::{Features, column};
use crate::model::Model;
use crate::models::{Kind, Predictor, mean};
use crate::past::Past;
use crate::scores::{ReliabilityBin, auc, brier, calibration_error, covered_share, crps, pit_histogram, reliability};
use crate::training::{Schedule, Training};

/// The name of the model in use among those of the scoreboard.
pub const IN_USE: &str = "allium";

/// The scores of all models at all origins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scoreboard {
    /// How far forecasts reach.
    pub horizon_days: u16,
    /// Origins that could be scored, earliest first.
    pub origins: Vec<OriginScores>,
}

/// The scores at one origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OriginScores {
    /// The origin, RFC 3339.
    pub origin: String,
    /// Relays that were forecast.
    pub n_relays: usize,
    /// Origins and rows that the models learned from.
    pub n_origins_trained: usize,
    /// Rows that they learned from.
    pub n_rows_trained: usize,
    /// Which model was chosen as the one in use.
    pub chosen: String,
    /// Whether a flood of short-lived relays was under way: more than a tenth of the relays were first listed in the 14 days
    /// before.
    pub flood: bool,
    /// Scores by model and stratum.
    pub scores: Vec<Scores>,
}

/// The scores of one model for some of the relays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Which model.
    pub model: String,
    /// Which relays.
    pub stratum: &'static str,
    /// How many.
    pub n: usize,
    /// Continuous ranked probability score.
    pub crps: f64,
    /// 1 - CRPS / CRPS of conditional quantiles.
    pub skill: f64,
    /// Mean absolute error of the median.
    pub mae: f64,
    /// Share of relays whose median is within 0.05 of the truth.
    pub within_5: f64,
    /// Share of truths in the closed 50, 80 and 95 % intervals.
    pub covered: [f64; 3],
    /// The same, where a truth at the mass at 0 or 1 counts by the share of the mass inside.
    pub covered_shares: [f64; 3],
    /// Mean width of the 80 % intervals.
    pub width_80: f64,
    /// For the event of less than 0.9.
    pub below_90: Event,
    /// For the event of never being Running again.
    pub gone: Event,
    /// Twenty bins of the probability integral transform.
    pub pit: Vec<f64>,
}

/// How good the probabilities of an event were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Share of events.
    pub rate: f64,
    /// Brier score.
    pub brier: Option<f64>,
    /// Area under the receiver operating characteristic.
    pub auc: Option<f64>,
    /// Expected calibration error.
    pub calibration_error: Option<f64>,
    /// Mean probability and share of events, in bins.
    pub reliability: Vec<ReliabilityBin>,
}

/// The strata of the tables.
pub const STRATA: [&str; 9] = ["all", "running", "survivors", "down", "age < 30 d", "age 30 d to 1 y", "age > 1 y", "guard", "exit"];

/// Scores all models at these origins; origins without a complete horizon are left out. `told` hears of each origin.
pub fn evaluate(past: &Past, origins: &[ConsensusHour], horizon_days: u16, told: &mut dyn FnMut(&OriginScores)) -> Scoreboard {
    let mut scoreboard = Scoreboard { horizon_days, origins: Vec::new() };
    for origin in origins {
        if let Some(scores) = at_origin(past, *origin, horizon_days) {
            told(&scores);
            scoreboard.origins.push(scores);
        }
    }
    scoreboard
}

/// One relay's forecast by one model.
struct Stated {
    distribution: Distribution,
    ceiling: f64,
}

impl Stated {
    fn quantile(&self, level: f64) -> f64 {
        self.distribution.quantile(level).min(self.ceiling)
    }

    fn is_covered(&self, truth: f64, central: f64) -> bool {
        (self.quantile((1.0 - central) / 2.0)..=self.quantile(f64::midpoint(1.0, central))).contains(&truth)
    }
}

fn at_origin(past: &Past, origin: ConsensusHour, horizon_days: u16) -> Option<OriginScores> {
    let horizon_end = origin.plus(24 * i32::from(horizon_days));
    if past.hours().last().is_none_or(|last| *last < horizon_end) {
        return None;
    }
    let features = Features::of(past, origin);
    let truths = past.targets(&features.relays, origin, 24 * i32::from(horizon_days))?;
    let training = Training::of(past, &Schedule::weekly(horizon_days).origins(past, origin), horizon_days);
    if training.is_empty() {
        return None;
    }
    let model = Model::train_on(past, &training, origin, horizon_days);
    let stated = all_stated(&model, &training, &features);
    let masks: Vec<Vec<bool>> = STRATA.iter().map(|stratum| mask(stratum, &features, &truths)).collect();
    let losses = |stated: &[Stated]| -> Vec<f64> {
        let loss = |(stated, truth): (&Stated, &f64)| crps(&stated.distribution.quantiles().map(|q| q.min(stated.ceiling)), *truth);
        stated.iter().zip(&truths).map(loss).collect()
    };
    let reference = losses(&stated.iter().find(|(name, _)| name == Kind::Conditional.name())?.1);
    let mut scores = Vec::new();
    for (name, stated) in &stated {
        let losses = losses(stated);
        for (stratum, mask) in STRATA.iter().zip(&masks) {
            scores.extend(score(name, stratum, mask, stated, &truths, (&losses, &reference)));
        }
    }
    Some(OriginScores {
        origin: origin.to_string(),
        n_relays: truths.len(),
        n_origins_trained: training.origins.len(),
        n_rows_trained: training.len(),
        chosen: model.kind().name().to_owned(),
        flood: (0..truths.len()).filter(|i| features.get(*i, "age_days").is_some_and(|age| age < 14.0)).count() * 10 > truths.len(),
        scores,
    })
}

/// The forecasts of all models, the one in use first.
fn all_stated(model: &Model, training: &Training, features: &Features) -> Vec<(String, Vec<Stated>)> {
    let exactly = |distribution: Distribution| Stated { distribution, ceiling: 1.0 };
    let rows = || (0..features.relays.len()).map(|i| features.row(i));
    let of = |predictor: &dyn Predictor| -> Vec<Distribution> { rows().map(|row| predictor.predict(row)).collect() };
    let in_use = rows().map(|row| {
        let distribution = model.distribution(row);
        Stated { distribution, ceiling: model.ceiling(&distribution) }
    });
    let mut all = vec![(IN_USE.to_owned(), in_use.collect())];
    let single = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Combination);
    let forecasts: Vec<(Kind, Vec<Distribution>)> = single
        .map(|kind| match (kind, model.trees()) {
            (Kind::Boosted, Some(trees)) => (kind, of(trees)),
            _ => (kind, of(kind.train(training).as_ref())),
        })
        .collect();
    let by_kind = |kind: Kind| forecasts.iter().find(|(k, _)| *k == kind).map(|(_, forecasts)| forecasts);
    let parts: Vec<_> = [Kind::Boosted, Kind::Forest, Kind::Conditional].into_iter().filter_map(by_kind).collect();
    let combined = (0..features.relays.len()).map(|i| mean(&parts.iter().map(|part| part[i]).collect::<Vec<_>>()));
    all.push((Kind::Combination.name().to_owned(), combined.map(exactly).collect()));
    all.extend(forecasts.into_iter().rev().map(|(kind, forecasts)| (kind.name().to_owned(), forecasts.into_iter().map(exactly).collect())));
    all
}

fn mask(stratum: &str, features: &Features, truths: &[f64]) -> Vec<bool> {
    let get = |i: usize, name: &str| column(name).map_or(f64::NAN, |column| f64::from(features.row(i)[column]));
    let is_in = |i: usize| match stratum {
        "running" => get(i, "running") == 1.0,
        "down" => get(i, "running") == 0.0,
        "survivors" => truths[i] > 0.0,
        "age < 30 d" => get(i, "age_days") < 30.0,
        "age 30 d to 1 y" => (30.0..=365.0).contains(&get(i, "age_days")),
        "age > 1 y" => get(i, "age_days") > 365.0,
        "guard" => get(i, "guard") == 1.0,
        "exit" => get(i, "exit") == 1.0,
        _ => true,
    };
    (0..truths.len()).map(is_in).collect()
}

fn score(
    model: &str,
    stratum: &'static str,
    mask: &[bool],
    stated: &[Stated],
    truths: &[f64],
    (losses, reference): (&[f64], &[f64]),
) -> Option<Scores> {
    let chosen: Vec<usize> = (0..truths.len()).filter(|i| mask[*i]).collect();
    let mean_of = |value: &dyn Fn(usize) -> f64| allium_stats::mean(&chosen.iter().map(|i| value(*i)).collect::<Vec<_>>());
    let share_of = |condition: &dyn Fn(usize) -> bool| mean_of(&|i| f64::from(u8::from(condition(i))));
    let error = |i: usize| (stated[i].quantile(0.5) - truths[i]).abs();
    let event = |p: &dyn Fn(&Distribution) -> f64, is_event: &dyn Fn(f64) -> bool| {
        event_scores(&chosen.iter().map(|i| (p(&stated[*i].distribution), is_event(truths[*i]))).collect::<Vec<_>>())
    };
    let crps = mean_of(&|i| losses[i])?;
    let reference = mean_of(&|i| reference[i])?;
    let centrals = [0.5, 0.8, 0.95];
    Some(Scores {
        model: model.to_owned(),
        stratum,
        n: chosen.len(),
        crps,
        skill: if reference > 0.0 { 1.0 - crps / reference } else { 0.0 },
        mae: mean_of(&error)?,
        within_5: share_of(&|i| error(i) <= 0.05)?,
        covered: centrals.map(|central| share_of(&|i| stated[i].is_covered(truths[i], central)).unwrap_or(0.0)),
        covered_shares: centrals.map(|central| mean_of(&|i| covered_share(&stated[i].distribution, truths[i], central)).unwrap_or(0.0)),
        width_80: mean_of(&|i| stated[i].quantile(0.9) - stated[i].quantile(0.1))?,
        below_90: event(&Distribution::p_below_90, &|truth| truth < 0.9),
        gone: event(&Distribution::p_zero, &|truth| truth <= 0.0),
        pit: pit_histogram(&chosen.iter().map(|i| (stated[*i].distribution, truths[*i])).collect::<Vec<_>>()).to_vec(),
    })
}

fn event_scores(forecasts: &[(f64, bool)]) -> Event {
    let reliability = reliability(forecasts);
    Event {
        rate: forecasts.iter().filter(|(_, event)| *event).count() as f64 / forecasts.len().max(1) as f64,
        brier: brier(forecasts),
        auc: auc(forecasts),
        calibration_error: calibration_error(&reliability),
        reliability,
    }
}
