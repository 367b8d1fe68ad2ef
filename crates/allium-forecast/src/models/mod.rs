//! The models: all of them learn from the same rows and give a distribution per relay.

mod boosted;
mod conditional;
mod perceptron;
mod point;
mod renewal;
mod series;

use allium_model::ConsensusHour;

use crate::distribution::Distribution;
use crate::features::Features;
use crate::past::Past;
use crate::training::Training;

pub use boosted::{Trees, TreesKind};
pub use conditional::Conditional;
pub use perceptron::Perceptron;
pub use point::{Column, Linear, Point};
pub use renewal::Renewal;
pub use series::of_series;

/// Something that forecasts from a row of features.
pub trait Predictor: Send + Sync {
    /// The distribution for one row.
    fn predict(&self, row: &[f32]) -> Distribution;
}

/// The models of the scoreboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The uptime of the last 30 days, again.
    Persistence,
    /// Weighted fractional uptime as the directory authorities keep it; also simple exponential smoothing, ETS(A,N,N).
    Wfu,
    /// The outcomes of all relays, whatever the relay.
    Constant,
    /// The outcomes of relays of like uptime and age.
    Conditional,
    /// Two states with exponential stays and a departure hazard by age.
    Renewal,
    /// Uptime of the last 30 days pulled towards that of the relay's age class.
    Shrinkage,
    /// Exponential smoothing of the relay's own days, the form chosen by information criterion.
    Ets,
    /// Linear regression on all features.
    Linear,
    /// A small neural network.
    Network,
    /// A random forest.
    Forest,
    /// Gradient boosting.
    Boosted,
    /// The mean of boosting, forest and conditional quantiles.
    Combination,
}

impl Kind {
    /// All of them: baselines first.
    pub const ALL: [Self; 12] = [
        Self::Persistence,
        Self::Wfu,
        Self::Constant,
        Self::Conditional,
        Self::Renewal,
        Self::Shrinkage,
        Self::Ets,
        Self::Linear,
        Self::Network,
        Self::Forest,
        Self::Boosted,
        Self::Combination,
    ];

    /// The name in tables, such as `boosted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Persistence => "persistence",
            Self::Wfu => "wfu",
            Self::Constant => "constant",
            Self::Conditional => "conditional",
            Self::Renewal => "renewal",
            Self::Shrinkage => "shrinkage",
            Self::Ets => "ets",
            Self::Linear => "linear",
            Self::Network => "network",
            Self::Forest => "forest",
            Self::Boosted => "boosted",
            Self::Combination => "combination",
        }
    }

    /// True if it is a baseline: a rule that a model has to beat.
    pub const fn is_baseline(self) -> bool {
        matches!(self, Self::Persistence | Self::Wfu | Self::Constant | Self::Conditional | Self::Renewal | Self::Shrinkage)
    }

    /// The model of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Learns from the rows of the task and forecasts its relays.
    pub fn forecast(self, task: &Task<'_>) -> Vec<Distribution> {
        let training = task.training;
        match self {
            Self::Persistence => task.of(&Point::exactly(Column::new("up_30d"))),
            Self::Wfu => task.of(&Point::exactly(Column::new("up_wfu"))),
            Self::Constant => task.of(&Conditional::of_everything(training)),
            Self::Conditional => task.of(&Conditional::train(training)),
            Self::Renewal => task.of(&Renewal::train(training)),
            Self::Shrinkage => task.of(&Point::train_shrinkage(training)),
            Self::Ets => of_series(task),
            Self::Linear => task.of(&Point::train_linear(training)),
            Self::Network => task.of(&Perceptron::train(training, 1)),
            Self::Forest => task.of(&Trees::train(training, TreesKind::Forest)),
            Self::Boosted => match task.trees {
                Some(trees) => task.of(trees),
                None => task.of(&Trees::train(training, TreesKind::Boosted)),
            },
            Self::Combination => {
                let parts = [Self::Boosted, Self::Forest, Self::Conditional].map(|kind| kind.forecast(task));
                (0..task.features.relays.len()).map(|i| mean(&parts.each_ref().map(|part| part[i]))).collect()
            }
        }
    }
}

/// The rows to forecast, and those that may be learned from.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The history; nothing after the origin may be looked at.
    pub past: &'a Past,
    /// The origin.
    pub origin: ConsensusHour,
    /// The relays and their rows as of the origin.
    pub features: &'a Features,
    /// Rows whose targets were complete at the origin.
    pub training: &'a Training,
    /// Boosted trees that have learned from these rows already.
    pub trees: Option<&'a Trees>,
}

impl Task<'_> {
    fn of(&self, predictor: &dyn Predictor) -> Vec<Distribution> {
        (0..self.features.relays.len()).map(|i| predictor.predict(self.features.row(i))).collect()
    }
}

/// The mixture in equal parts.
pub(crate) fn mean(parts: &[Distribution]) -> Distribution {
    let n = parts.len().max(1) as f64;
    Distribution::near(std::array::from_fn(|k| parts.iter().map(|part| part.at_most()[k]).sum::<f64>() / n))
}
