//! The model in use: trained on what was known at one time, checked against the baselines on held-out origins, kept in a file.
//!
//! Training works in two steps. First the candidates learn from origins that were complete before the held-out ones, and are
//! scored there: the best of them, or the best baseline if none beats it, is chosen, and the ends of the intervals set.
//! Then the chosen one learns from all origins, the held-out ones included.

use allium_model::ConsensusHour;
use serde::{Deserialize, Serialize};

use crate::distribution::{Distribution, rounded};
use crate::error::Error;
use crate::features::{Features, NAMES};
use crate::forecast::{Forecast, Outlook};
use crate::models::{Column, Conditional, Predictor, Renewal, Trees, TreesKind};
use crate::past::Past;
use crate::scores::crps;
use crate::stated::{Ends, Stated};
use crate::training::{Rows, Schedule, Training};

/// Version of the file.
const FORMAT: u32 = 3;
/// Held-out origins for the check of candidates, and the days between them.
const N_HELD_OUT: usize = 4;
const HELD_OUT_STEP_DAYS: i32 = 14;
/// Fewest origins that are learned from.
const MIN_ORIGINS: usize = 4;

/// A model that can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    format: u32,
    features: Vec<String>,
    horizon_days: u16,
    trained_as_of_hours: i32,
    first_origin_hours: Option<i32>,
    n_origins: usize,
    n_rows: usize,
    kind: Chosen,
    scores: Vec<HeldOutScore>,
    /// The intervals that leave out a month without any gap.
    ends: Ends,
    trees: Option<Trees>,
    conditional: Option<Conditional>,
    renewal: Renewal,
    /// Departure hazards to be added, where the history left out relays that are gone.
    departures: Option<Renewal>,
}

/// The model in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// Gradient boosting.
    Boosted,
    /// Conditional quantiles: they scored best on the held-out origins.
    Conditional,
    /// The renewal process: it scored best, or history is too short to learn from.
    Renewal,
}

impl Chosen {
    /// The name in tables, such as `boosted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boosted => "boosted",
            Self::Conditional => "conditional",
            Self::Renewal => "renewal",
        }
    }
}

/// The score of a candidate on the held-out origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOutScore {
    /// The candidate.
    pub model: String,
    /// Mean continuous ranked probability score; less is better.
    pub crps: f64,
    /// Forecasts.
    pub n: usize,
}

impl Model {
    /// Trains on what is known up to and including `as_of`; whatever `past` holds beyond is not looked at.
    pub fn train(past: &Past, as_of: ConsensusHour, horizon_days: u16) -> Self {
        let mut rows = Rows::new(past, horizon_days);
        let training = rows.of(&Schedule::usual(past, as_of, horizon_days).origins(past, as_of));
        Self::train_on(&mut rows, &training, past, as_of, horizon_days)
    }

    /// As [`Model::train`] on these rows, whose targets are complete as of `as_of`.
    pub(crate) fn train_on(rows: &mut Rows<'_>, training: &Training, past: &Past, as_of: ConsensusHour, horizon_days: u16) -> Self {
        let mut model = Self::without_training(as_of, horizon_days);
        model.departures = past.is_of_survivors().then(Renewal::of_record);
        model.renewal = Renewal::train(training);
        if training.origins.len() < MIN_ORIGINS {
            return model;
        }
        model.kind = model.check(rows, past, as_of).unwrap_or(Chosen::Boosted);
        model.n_origins = training.origins.len();
        model.n_rows = training.len();
        model.first_origin_hours = training.origins.iter().map(|origin| origin.get()).min();
        match model.kind {
            Chosen::Boosted => model.trees = Some(Trees::train(training, TreesKind::Boosted)),
            Chosen::Conditional => model.conditional = Some(Conditional::train(training)),
            Chosen::Renewal => {}
        }
        model
    }

    fn without_training(as_of: ConsensusHour, horizon_days: u16) -> Self {
        Self {
            format: FORMAT,
            features: NAMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
            horizon_days,
            trained_as_of_hours: as_of.get(),
            first_origin_hours: None,
            n_origins: 0,
            n_rows: 0,
            kind: Chosen::Renewal,
            scores: Vec::new(),
            ends: Ends::open(),
            trees: None,
            conditional: None,
            renewal: Renewal::train(&Training::default()),
            departures: None,
        }
    }

    /// Scores the candidates on held-out origins, gives the best, of equals the simplest, and sets the ends of its intervals; `None` where
    /// history is too short to hold anything out.
    fn check(&mut self, rows: &mut Rows<'_>, past: &Past, as_of: ConsensusHour) -> Option<Chosen> {
        let schedule = Schedule::usual(past, as_of, self.horizon_days);
        let held_out = Schedule { step_days: HELD_OUT_STEP_DAYS, max_origins: N_HELD_OUT, ..schedule }.origins(past, as_of);
        let origins = schedule.origins(past, *held_out.last()?);
        if origins.len() < MIN_ORIGINS {
            return None;
        }
        let (training, held_out) = (rows.of(&origins), rows.of(&held_out));
        let (trees, conditional) = (Trees::train(&training, TreesKind::Boosted), Conditional::train(&training));
        let renewal = Renewal::train(&training);
        let of = |predictor: &dyn Predictor| -> Vec<Distribution> { held_out.rows().map(|row| predictor.predict(row)).collect() };
        let candidates = [(Chosen::Boosted, of(&trees)), (Chosen::Conditional, of(&conditional)), (Chosen::Renewal, of(&renewal))];
        let score = |(name, forecasts): &(Chosen, Vec<Distribution>)| {
            let losses: Vec<f64> = forecasts.iter().zip(&held_out.targets).map(|(forecast, y)| crps(&forecast.quantiles(), *y)).collect();
            HeldOutScore { model: name.name().to_owned(), crps: rounded(allium_stats::mean(&losses).unwrap_or(1.0)), n: losses.len() }
        };
        self.scores = candidates.iter().map(score).collect();
        // The simplest comes last, and of equals the first is taken.
        let ((best, forecasts), _) = candidates.iter().zip(&self.scores).rev().min_by(|a, b| a.1.crps.total_cmp(&b.1.crps))?;
        let ages_days: Vec<f64> = held_out.rows().map(|row| Column::new("age_days").of(row)).collect();
        self.ends = Ends::of(forecasts, &held_out.targets, &ages_days);
        Some(*best)
    }

    /// The forecasts of all relays seen in the 7 days before `as_of`, by fingerprint.
    pub fn forecast(&self, past: &Past, as_of: ConsensusHour) -> Vec<Forecast> {
        let features = Features::of(past, as_of);
        let one = |(i, relay): (usize, &usize)| {
            Forecast::of(&Outlook {
                fingerprint: past.relays()[*relay].fingerprint,
                as_of,
                horizon_days: self.horizon_days,
                stated: self.stated(features.row(i)),
                recent: features.get(i, "up_30d"),
                running: features.get(i, "running") == Some(1.0),
            })
        };
        features.relays.iter().enumerate().map(one).collect()
    }

    /// The distribution for one row of features.
    pub fn distribution(&self, row: &[f32]) -> Distribution {
        let distribution = match (self.kind, &self.trees, &self.conditional) {
            (Chosen::Boosted, Some(trees), _) => trees.predict(row),
            (Chosen::Conditional, _, Some(conditional)) => conditional.predict(row),
            _ => self.renewal.predict(row),
        };
        self.departures.as_ref().map_or(distribution, |departures| distribution.or_zero(departures.p_gone(row)))
    }

    /// The distribution for one row and the ends of its intervals.
    pub(crate) fn stated(&self, row: &[f32]) -> Stated {
        self.ends.limited(self.distribution(row), Column::new("age_days").of(row))
    }

    /// The trees, if they are in use.
    pub(crate) fn trees(&self) -> Option<&Trees> {
        self.trees.as_ref()
    }

    /// The model in use.
    pub fn kind(&self) -> Chosen {
        self.kind
    }

    /// Days that its forecasts reach ahead.
    pub fn horizon_days(&self) -> u16 {
        self.horizon_days
    }

    /// The newest consensus that training looked at.
    pub fn trained_as_of(&self) -> ConsensusHour {
        ConsensusHour::new(self.trained_as_of_hours)
    }

    /// The earliest origin that it learned from.
    pub fn first_origin(&self) -> Option<ConsensusHour> {
        self.first_origin_hours.map(ConsensusHour::new)
    }

    /// Origins and rows that it learned from.
    pub fn n_origins_and_rows(&self) -> (usize, usize) {
        (self.n_origins, self.n_rows)
    }

    /// The scores of the candidates on the held-out origins; empty where history is too short.
    pub fn scores(&self) -> &[HeldOutScore] {
        &self.scores
    }

    /// The score of the model in use on the held-out origins.
    pub fn score(&self) -> Option<&HeldOutScore> {
        self.scores.iter().find(|score| score.model == self.kind.name())
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Unreadable(error.to_string()))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it is not a model, [`Error::Incompatible`] if it is of another version or of other features.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let model: Self = serde_json::from_str(text).map_err(|error| Error::Unreadable(error.to_string()))?;
        let same_features = model.features.iter().map(String::as_str).eq(NAMES.iter().map(|(name, _)| *name));
        let is_sound = model.trees.as_ref().is_none_or(Trees::is_sound);
        if model.format != FORMAT || !same_features || !is_sound {
            return Err(Error::Incompatible);
        }
        Ok(model)
    }
}
