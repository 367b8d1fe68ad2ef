//! The backtest: every model at every origin, trained on what was known there, scored on what came after.
//!
//! Origins are scored one by one ([`Evaluation::at`]) and can be kept and put together later ([`Scoreboard::new`]): the rows that
//! models learn from are shared between origins.

mod summary;

use allium_model::ConsensusHour;
use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;
use crate::features::{Features, column};
use crate::model::Model;
use crate::models::{Kind, Task};
use crate::past::Past;
use crate::scores::{ReliabilityBin, auc, brier, calibration_error, covered_share, crps, pit_histogram, reliability};
use crate::stated::{CENTRALS, Stated};
use crate::training::{Rows, Schedule};

/// The name of the model in use among those of the scoreboard.
pub const IN_USE: &str = "allium";
/// Version of the scoreboard's file; fields are added, never changed.
pub const FORMAT: u32 = 1;
/// Share of relays first listed in the 14 days before an origin above which it lies in a flood.
const FLOOD_SHARE: f64 = 0.1;

/// The scores of models at origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scoreboard {
    /// [`FORMAT`].
    #[serde(default)]
    pub format: u32,
    /// The reach of forecasts.
    pub horizon_days: u16,
    /// The first and the last consensus of the history, RFC 3339.
    #[serde(default)]
    pub data: [String; 2],
    /// Origins that could be scored, earliest first.
    pub origins: Vec<OriginScores>,
    /// Scores by model and stratum over the origins that are complete and in no flood: means over origins, in coverage,
    /// reliability and PIT over relays.
    #[serde(default)]
    pub mean: Vec<Scores>,
}

/// The scores at one origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginScores {
    /// The origin, RFC 3339.
    pub origin: String,
    /// Relays that were forecast.
    pub n_relays: usize,
    /// Origins and rows that the models learned from.
    pub n_origins_trained: usize,
    /// Rows that they learned from.
    pub n_rows_trained: usize,
    /// The model that was chosen as the one in use.
    pub chosen: String,
    /// True if a flood of short-lived relays was under way: more than a tenth of the relays were first listed in the 14 days
    /// before.
    pub flood: bool,
    /// Days of the horizon that lie within the history.
    #[serde(default)]
    pub known_days: u16,
    /// True if these are all of them; at least half are.
    #[serde(default)]
    pub complete: bool,
    /// Scores by model and stratum.
    pub scores: Vec<Scores>,
}

/// The scores of one model for some of the relays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The model.
    pub model: String,
    /// The relays.
    pub stratum: String,
    /// Their number.
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

/// The quality of the probabilities of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// A backtest of models on one history.
pub struct Evaluation<'a> {
    past: &'a Past,
    horizon_days: u16,
    kinds: Vec<Kind>,
    rows: Rows<'a>,
}

impl<'a> Evaluation<'a> {
    /// A backtest of the model in use and of these; conditional quantiles, which others are compared with, are always scored.
    pub fn new(past: &'a Past, horizon_days: u16, kinds: &[Kind]) -> Self {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind == Kind::Conditional || kinds.contains(kind)).collect();
        Self { past, horizon_days, kinds, rows: Rows::new(past, horizon_days) }
    }

    /// The scores at an origin; `None` without anything to learn from, and where less than half of the horizon is known.
    pub fn at(&mut self, origin: ConsensusHour) -> Option<OriginScores> {
        let known_days = self.known_days(origin);
        if known_days * 2 < self.horizon_days {
            return None;
        }
        let features = Features::of(self.past, origin);
        let truths = self.past.targets(&features.relays, origin, 24 * i32::from(self.horizon_days))?;
        let training = self.rows.of(&Schedule::usual(self.past, origin, self.horizon_days).origins(self.past, origin));
        if training.is_empty() || truths.is_empty() {
            return None;
        }
        let model = Model::train_on(&mut self.rows, &training, self.past, origin, self.horizon_days);
        let task = Task { past: self.past, origin, features: &features, training: &training, trees: model.trees() };
        let stated = self.all_stated(&model, &task);
        let n_young = (0..truths.len()).filter(|i| features.get(*i, "age_days").is_some_and(|age| age < 14.0)).count();
        Some(OriginScores {
            origin: origin.to_string(),
            n_relays: truths.len(),
            n_origins_trained: training.origins.len(),
            n_rows_trained: training.len(),
            chosen: model.kind().name().to_owned(),
            flood: n_young as f64 > FLOOD_SHARE * truths.len() as f64,
            known_days,
            complete: known_days == self.horizon_days,
            scores: all_scores(&stated, &features, &truths),
        })
    }

    /// Whole days from an origin to the newest consensus, the horizon at most.
    fn known_days(&self, origin: ConsensusHour) -> u16 {
        let hours = self.past.hours().last().map_or(0, |last| last.hours_since(origin));
        (hours / 24).clamp(0, i32::from(self.horizon_days)) as u16
    }

    /// The forecasts of all models, the one in use first and baselines last.
    fn all_stated(&self, model: &Model, task: &Task<'_>) -> Vec<(String, Vec<Stated>)> {
        let in_use = (0..task.features.relays.len()).map(|i| model.stated(task.features.row(i)));
        let mut all = vec![(IN_USE.to_owned(), in_use.collect())];
        let forecasts =
            self.kinds.iter().rev().map(|kind| (kind.name().to_owned(), kind.forecast(task).into_iter().map(Stated::exactly).collect()));
        all.extend(forecasts);
        all
    }
}

/// The scores of all models for all strata.
fn all_scores(stated: &[(String, Vec<Stated>)], features: &Features, truths: &[f64]) -> Vec<Scores> {
    let masks: Vec<Vec<bool>> = STRATA.iter().map(|stratum| mask(stratum, features, truths)).collect();
    let losses =
        |stated: &[Stated]| -> Vec<f64> { stated.iter().zip(truths).map(|(stated, truth)| crps(&stated.quantiles(), *truth)).collect() };
    let reference = stated.iter().find(|(name, _)| name == Kind::Conditional.name()).map_or(Vec::new(), |(_, stated)| losses(stated));
    let mut scores = Vec::new();
    for (name, stated) in stated {
        let losses = losses(stated);
        let of_stratum = |(stratum, mask): (&&str, &Vec<bool>)| score(name, stratum, mask, stated, truths, (&losses, &reference));
        scores.extend(STRATA.iter().zip(&masks).filter_map(of_stratum));
    }
    scores
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
    stratum: &str,
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
    Some(Scores {
        model: model.to_owned(),
        stratum: stratum.to_owned(),
        n: chosen.len(),
        crps,
        skill: if reference > 0.0 { 1.0 - crps / reference } else { 0.0 },
        mae: mean_of(&error)?,
        within_5: share_of(&|i| error(i) <= 0.05)?,
        covered: CENTRALS.map(|central| share_of(&|i| stated[i].is_covered(truths[i], central)).unwrap_or(0.0)),
        covered_shares: CENTRALS.map(|central| mean_of(&|i| covered_share(&stated[i].distribution, truths[i], central)).unwrap_or(0.0)),
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
