//! The scoreboard that `allium evaluate forecast` writes, as pages read it: fields that they do not show are passed over.

use allium_forecast::evaluate::Event;
use serde::Deserialize;

/// The longest scoreboard that is read, in bytes.
const LONGEST: usize = 32 << 20;

/// The scores of all models at all origins.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Scoreboard {
    /// Days that the forecasts reach.
    pub horizon_days: u16,
    /// The first and the last consensus of the record that it ran on; older files do not say.
    #[serde(default)]
    pub data: Option<[String; 2]>,
    /// The scores by origin, in the order of the file.
    pub origins: Vec<OriginScores>,
    /// The file as it was read.
    #[serde(skip)]
    pub text: String,
}

/// The scores at one origin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OriginScores {
    /// The consensus as of which the forecasts were made.
    pub origin: String,
    /// Relays with a forecast.
    pub n_relays: usize,
    /// Forecasts with their outcome that the models learned from.
    pub n_rows_trained: usize,
    /// The model that the forecaster chose.
    pub chosen: String,
    /// True at an origin inside a flood of relays.
    pub flood: bool,
    /// True where the whole horizon lies within the record.
    #[serde(default = "yes")]
    pub complete: bool,
    /// Scores by model and stratum.
    pub scores: Vec<Scores>,
}

/// The scores of one model for some of the relays.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Scores {
    /// Name of the model.
    pub model: String,
    /// Name of the kind of relays.
    pub stratum: String,
    /// Number of forecasts.
    pub n: usize,
    /// Mean CRPS, as a share of uptime.
    pub crps: f64,
    /// Skill over conditional quantiles: 1 is perfect, 0 no better.
    pub skill: f64,
    /// Mean absolute error of the median, as a share of uptime.
    pub mae: f64,
    /// Share of relays whose median is within 5 points of the outcome.
    pub within_5: f64,
    /// Share of outcomes inside the 50, 80 and 95 % intervals.
    pub covered: [f64; 3],
    /// The same with ties at the limits shared.
    pub covered_shares: [f64; 3],
    /// The event of an uptime below 90 %.
    pub below_90: Event,
    /// The event of an uptime of 0.
    pub gone: Event,
    /// Shares of outcomes by tenth of the forecast distribution.
    pub pit: Vec<f64>,
}

/// Why a scoreboard cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreboardError {
    /// It has too many bytes.
    #[error("{0} bytes are too many for a scoreboard")]
    TooLong(usize),
    /// The text is not a scoreboard.
    #[error("the text is not a scoreboard: {0}")]
    Unreadable(String),
    /// It has no scores.
    #[error("the scoreboard has no scores")]
    Empty,
}

impl Scoreboard {
    /// Reads a scoreboard.
    ///
    /// # Errors
    /// If it is longer than 32 MiB, is not a scoreboard, or has no scores.
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
    pub fn models(&self) -> Vec<&str> {
        in_order(self.all().map(|(_, scores)| scores.model.as_str()))
    }

    /// The strata in the order of the file.
    pub fn strata(&self) -> Vec<&str> {
        in_order(self.all().map(|(_, scores)| scores.stratum.as_str()))
    }

    /// The scores of a model for a stratum at the origins outside floods whose horizon is complete, or at those inside floods.
    pub fn of(&self, model: &str, stratum: &str, flood: bool) -> Vec<&Scores> {
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
