//! The forecasts of the weeks ahead: made beside the view, published whole, then only read.

use std::sync::Arc;

use allium_analysis::followed_by;
use allium_forecast::advice::Advice;
use allium_forecast::features::Features;
pub use allium_forecast::network::NetworkOutlook;
use allium_forecast::{Driver, Forecast, Habits, HeldOutScore, Likeness, Model, Past, Summary, Usual, Week};
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord};

use crate::memo::Memo;

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
    ///
    /// # Errors
    /// The reason, as the rest of a sentence that begins "there is no forecast:".
    pub fn forecasts(&self) -> Result<&Forecasts, &str> {
        match self {
            Self::Missing(reason) => Err(reason),
            Self::Known(forecasts) => Ok(forecasts),
        }
    }
}

/// The forecasts of all relays as of one consensus, and what stands beside them.
#[derive(Debug, Clone)]
pub struct Forecasts {
    /// The newest consensus that was looked at.
    pub as_of: ConsensusHour,
    /// Days that the forecasts reach ahead.
    pub horizon_days: u16,
    /// The model that made the forecasts.
    pub model: ModelFacts,
    /// All of them in a few figures.
    pub summary: Summary,
    /// The data that the forecasts rest on.
    pub basis: Basis,
    /// The whole network in the months ahead.
    pub network: NetworkOutlook,
    /// Correlation between relays of one group.
    pub likeness: GroupLikeness,
    relays: Vec<Forecast>,
    habits: Vec<(Fingerprint, Habits)>,
    /// Advice for each of the relays, in the same order.
    advice: Vec<Option<Advice>>,
    memo: Memo,
    explainer: Option<Explainer>,
}

/// The data that forecasts rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// Our own record of consensuses.
    #[default]
    OwnRecord,
    /// The graphs that Onionoo publishes, as the record is too short.
    PublishedGraphs,
}

impl Basis {
    /// In words, as the rest of a sentence that begins "from".
    pub const fn words(self) -> &'static str {
        match self {
            Self::OwnRecord => "our own record of consensuses",
            Self::PublishedGraphs => "the uptime graphs that Onionoo publishes, as our own record is too short yet",
        }
    }

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnRecord => "own_record",
            Self::PublishedGraphs => "published_graphs",
        }
    }
}

/// Correlation of uptime between relays of one operator, autonomous system or country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupLikeness {
    /// Of one operator.
    pub operator: Likeness,
    /// Of one autonomous system.
    pub autonomous_system: Likeness,
    /// Of one country.
    pub country: Likeness,
}

impl Default for GroupLikeness {
    fn default() -> Self {
        Self { operator: Likeness::ASSUMED, autonomous_system: Likeness::ASSUMED, country: Likeness::ASSUMED }
    }
}

/// Model, features and usual values from which the drivers of a forecast are computed.
#[derive(Debug, Clone)]
struct Explainer {
    model: Arc<Model>,
    features: Features,
    fingerprints: Vec<Fingerprint>,
    usual: Usual,
}

impl Forecasts {
    /// Forecasts in any order, made by a model as of one consensus.
    pub fn new(as_of: ConsensusHour, horizon_days: u16, model: ModelFacts, mut relays: Vec<Forecast>) -> Self {
        relays.sort_by_key(|forecast| forecast.fingerprint);
        Self {
            as_of,
            horizon_days,
            model,
            summary: Summary::of(&relays),
            basis: Basis::default(),
            network: NetworkOutlook::default(),
            likeness: GroupLikeness::default(),
            relays,
            habits: Vec::new(),
            advice: Vec::new(),
            memo: Memo::default(),
            explainer: None,
        }
    }

    /// The same with what they rest on.
    pub fn resting_on(self, basis: Basis) -> Self {
        Self { basis, ..self }
    }

    /// The same with the whole network.
    pub fn with_network(self, network: NetworkOutlook) -> Self {
        Self { network, memo: Memo::default(), ..self }
    }

    /// The same with how far relays fare alike.
    pub fn with_likeness(self, likeness: GroupLikeness) -> Self {
        Self { likeness, ..self }
    }

    /// Adds the habits of each relay in the past weeks, and the advice that follows from them. First appearances are those of the
    /// record; keys that another one followed have no habits, because nothing can be done for them.
    pub fn with_habits(self, past: &Past, record: &NetworkRecord) -> Self {
        let week = Week::of(past, self.as_of);
        let followed_by = followed_by(record);
        let of = |forecast: &Forecast| {
            let relay_idx = past.relays().binary_search_by_key(&forecast.fingerprint, |relay| relay.fingerprint).ok()?;
            let recorded = record.find(&forecast.fingerprint);
            if recorded.is_some_and(|i| followed_by[i].is_some()) {
                return None;
            }
            let first_listed = recorded.and_then(|i| record.relays[i].relay.first_seen.date());
            let habits = Habits::of(past, &past.relays()[relay_idx], self.as_of, week.as_ref());
            Some((forecast.fingerprint, Habits { first_listed, ..habits }))
        };
        let habits: Vec<(Fingerprint, Habits)> = self.relays.iter().filter_map(of).collect();
        let with_habits = Self { habits, ..self };
        let advice = |forecast: &Forecast| Advice::of(forecast, with_habits.habits(&forecast.fingerprint)?);
        Self { advice: with_habits.relays.iter().map(advice).collect(), ..with_habits }
    }

    /// Adds the drivers of each forecast: keeps the model that made the forecasts, and the past that it looked at.
    pub fn with_explainer(self, model: Arc<Model>, past: &Past) -> Self {
        let features = Features::of(past, self.as_of);
        let fingerprints = features.relays.iter().map(|relay| past.relays()[*relay].fingerprint).collect();
        let usual = Usual::of(&features);
        Self { explainer: Some(Explainer { model, features, fingerprints, usual }), ..self }
    }

    /// The kept value of a type, which lives as long as the forecasts: pages keep charts there.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.memo.kept()
    }

    /// All of them, by fingerprint.
    pub fn relays(&self) -> &[Forecast] {
        &self.relays
    }

    /// The forecast of a relay.
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&Forecast> {
        self.relays.binary_search_by_key(fingerprint, |forecast| forecast.fingerprint).ok().map(|idx| &self.relays[idx])
    }

    /// Habits of a relay in the past weeks.
    pub fn habits(&self, fingerprint: &Fingerprint) -> Option<&Habits> {
        self.habits.binary_search_by_key(fingerprint, |(fingerprint, _)| *fingerprint).ok().map(|idx| &self.habits[idx].1)
    }

    /// Advice that follows from a forecast, where there is any.
    pub fn advice(&self, forecast: &Forecast) -> Option<&Advice> {
        let idx = self.relays.binary_search_by_key(&forecast.fingerprint, |forecast| forecast.fingerprint).ok()?;
        self.advice.get(idx)?.as_ref()
    }

    /// All of them with what to do about each.
    pub fn with_advice(&self) -> impl Iterator<Item = (&Forecast, Option<&Advice>)> {
        let advice = self.advice.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        self.relays.iter().zip(advice)
    }

    /// Drivers of a relay's forecast, the strongest first; empty where they are unknown.
    pub fn drivers(&self, fingerprint: &Fingerprint) -> Vec<Driver> {
        let Some(explainer) = &self.explainer else { return Vec::new() };
        let row = explainer.fingerprints.binary_search(fingerprint);
        row.map_or_else(|_| Vec::new(), |row| explainer.model.drivers(explainer.features.row(row), &explainer.usual))
    }
}

/// Facts about a model that pages show.
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
    /// Scores of the candidates on origins that were held out; empty where history is too short for that.
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
