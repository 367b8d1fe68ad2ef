//! The scoreboard that `allium evaluate forecast` writes, as pages read it: fields that they do not show are passed over.

use serde::Deserialize;

use crate::error::ScoreboardError;

/// The longest scoreboard that is read, in bytes.
const LONGEST: usize = 32 << 20;

/// The scores of all models at all origins.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Scoreboard {
    pub(crate) horizon_days: u16,
    /// The first and the last consensus of the record that it ran on; older files do not say.
    #[serde(default)]
    pub(crate) data: Option<[String; 2]>,
    pub(crate) origins: Vec<OriginScores>,
    /// The file as it was read.
    #[serde(skip)]
    pub(crate) text: String,
}

/// The scores at one origin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct OriginScores {
    pub(crate) origin: String,
    pub(crate) n_relays: usize,
    pub(crate) n_rows_trained: usize,
    pub(crate) chosen: String,
    pub(crate) flood: bool,
    /// Whether the whole horizon lies within the record.
    #[serde(default = "yes")]
    pub(crate) complete: bool,
    pub(crate) scores: Vec<Scores>,
}

/// The scores of one model for some of the relays.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Scores {
    pub(crate) model: String,
    pub(crate) stratum: String,
    pub(crate) n: usize,
    pub(crate) crps: f64,
    pub(crate) skill: f64,
    pub(crate) mae: f64,
    pub(crate) within_5: f64,
    pub(crate) covered: [f64; 3],
    pub(crate) covered_shares: [f64; 3],
    pub(crate) below_90: Event,
    pub(crate) gone: Event,
    pub(crate) pit: Vec<f64>,
}

/// How good the probabilities of an event were.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Event {
    pub(crate) rate: f64,
    pub(crate) brier: Option<f64>,
    pub(crate) auc: Option<f64>,
    pub(crate) calibration_error: Option<f64>,
    pub(crate) reliability: Vec<ReliabilityBin>,
}

/// Forecasts of about the same probability.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct ReliabilityBin {
    pub(crate) forecast: f64,
    pub(crate) observed: f64,
    pub(crate) n: usize,
}

impl Scoreboard {
    /// Reads a scoreboard.
    ///
    /// # Errors
    /// If it is longer than 32 MiB, is none, or has no origin.
    pub fn from_json(text: &str) -> Result<Self, ScoreboardError> {
        if text.len() > LONGEST {
            return Err(ScoreboardError::TooLong(text.len()));
        }
        let read: Self = serde_json::from_str(text).map_err(|error| ScoreboardError::Unreadable(error.to_string()))?;
        if read.origins.iter().all(|origin| origin.scores.is_empty()) {
            return Err(ScoreboardError::Empty);
        }
        Ok(Self { text: text.to_owned(), ..read })
    }

    /// The models in the order of the file.
    pub(crate) fn models(&self) -> Vec<&str> {
        in_order(self.all().map(|(_, scores)| scores.model.as_str()))
    }

    /// The strata in the order of the file.
    pub(crate) fn strata(&self) -> Vec<&str> {
        in_order(self.all().map(|(_, scores)| scores.stratum.as_str()))
    }

    /// The scores of a model for a stratum at the origins outside floods whose horizon is complete, or at those inside floods.
    pub(crate) fn of(&self, model: &str, stratum: &str, flood: bool) -> Vec<&Scores> {
        let fits = |scores: &Scores| scores.model == model && scores.stratum == stratum;
        self.all()
            .filter(|(origin, scores)| origin.flood == flood && (flood || origin.complete) && fits(scores))
            .map(|(_, scores)| scores)
            .collect()
    }

    fn all(&self) -> impl Iterator<Item = (&OriginScores, &Scores)> {
        self.origins.iter().flat_map(|origin| origin.scores.iter().map(move |scores| (origin, scores)))
    }
}

const fn yes() -> bool {
    true
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    names.for_each(|name| {
        if !found.contains(&name) {
            found.push(name);
        }
    });
    found
}
