//! What is known of the weeks ahead: made beside the views, published whole, then only read.

use std::sync::Arc;

use allium_forecast::{Forecast, HeldOutScore, Model, Summary};
use allium_model::{ConsensusHour, Fingerprint};

/// Forecasts, or why there are none. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Outlook {
    /// There are none; the text says why, as the rest of a sentence that begins "there is no forecast:".
    Missing(String),
    /// The newest ones.
    Known(Arc<Forecasts>),
}

impl Default for Outlook {
    fn default() -> Self {
        Self::Missing("the first one is being worked out".to_owned())
    }
}

impl Outlook {
    /// The forecasts, or the reason why there are none.
    pub(crate) fn forecasts(&self) -> Result<&Forecasts, &str> {
        match self {
            Self::Missing(reason) => Err(reason),
            Self::Known(forecasts) => Ok(forecasts),
        }
    }
}

/// The forecasts of all relays as of one consensus.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecasts {
    /// The newest consensus that was looked at.
    pub as_of: ConsensusHour,
    /// How far they reach.
    pub horizon_days: u16,
    /// What made them.
    pub model: ModelFacts,
    /// All of them in a few figures.
    pub summary: Summary,
    relays: Vec<Forecast>,
}

impl Forecasts {
    /// Forecasts in any order, made by a model as of one consensus.
    pub fn new(as_of: ConsensusHour, horizon_days: u16, model: ModelFacts, mut relays: Vec<Forecast>) -> Self {
        relays.sort_by_key(|forecast| forecast.fingerprint);
        Self { as_of, horizon_days, model, summary: Summary::of(&relays), relays }
    }

    /// All of them, by fingerprint.
    pub fn relays(&self) -> &[Forecast] {
        &self.relays
    }

    /// The forecast of a relay.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&Forecast> {
        self.relays.binary_search_by_key(fingerprint, |forecast| forecast.fingerprint).ok().map(|place| &self.relays[place])
    }
}

/// What pages tell of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// Its name, such as `boosted`.
    pub name: String,
    /// The newest consensus that training looked at.
    pub trained_as_of: ConsensusHour,
    /// The earliest origin that it learned from.
    pub first_origin: Option<ConsensusHour>,
    /// Origins that it learned from.
    pub n_origins: usize,
    /// Forecasts with their outcome that it learned from.
    pub n_rows: usize,
    /// How the candidates scored on origins that were held out; empty where history is too short for that.
    pub scores: Vec<HeldOutScore>,
}

impl From<&Model> for ModelFacts {
    fn from(model: &Model) -> Self {
        let (n_origins, n_rows) = model.n_origins_and_rows();
        Self {
            name: model.kind().name().to_owned(),
            trained_as_of: model.trained_as_of(),
            first_origin: model.first_origin(),
            n_origins,
            n_rows,
            scores: model.scores().to_vec(),
        }
    }
}
