//! The models: all of them learn from the same rows and give a distribution per row.

mod boosted;
mod conditional;
mod point;
mod renewal;

use crate::distribution::Distribution;
use crate::training::Training;

pub use boosted::{Trees, TreesKind};
pub use conditional::Conditional;
pub use point::{Column, Linear, Point};
pub use renewal::Renewal;

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
    /// What all relays did, whatever the relay.
    Constant,
    /// What relays of like uptime and age did.
    Conditional,
    /// Two states with exponential stays and a departure hazard by age.
    Renewal,
    /// Uptime of the last 30 days pulled towards that of the relay's age class.
    Shrinkage,
    /// Linear regression on all features.
    Linear,
    /// A random forest.
    Forest,
    /// Gradient boosting.
    Boosted,
    /// The mean of boosting, forest and conditional quantiles.
    Combination,
}

impl Kind {
    /// All of them: baselines first.
    pub const ALL: [Self; 10] = [
        Self::Persistence,
        Self::Wfu,
        Self::Constant,
        Self::Conditional,
        Self::Renewal,
        Self::Shrinkage,
        Self::Linear,
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
            Self::Linear => "linear",
            Self::Forest => "forest",
            Self::Boosted => "boosted",
            Self::Combination => "combination",
        }
    }

    /// Whether it is a baseline: a rule that a model has to beat.
    pub const fn is_baseline(self) -> bool {
        matches!(self, Self::Persistence | Self::Wfu | Self::Constant | Self::Conditional | Self::Renewal | Self::Shrinkage)
    }

    /// Learns from these rows.
    pub fn train(self, training: &Training) -> Box<dyn Predictor> {
        match self {
            Self::Persistence => Box::new(Point::exactly(Column::new("up_30d"))),
            Self::Wfu => Box::new(Point::exactly(Column::new("up_wfu"))),
            Self::Constant => Box::new(Conditional::of_everything(training)),
            Self::Conditional => Box::new(Conditional::train(training)),
            Self::Renewal => Box::new(Renewal::train(training)),
            Self::Shrinkage => Box::new(Point::train_shrinkage(training)),
            Self::Linear => Box::new(Point::train_linear(training)),
            Self::Forest => Box::new(Trees::train(training, TreesKind::Forest)),
            Self::Boosted => Box::new(Trees::train(training, TreesKind::Boosted)),
            Self::Combination => {
                Box::new(Mean(vec![Self::Boosted.train(training), Self::Forest.train(training), Self::Conditional.train(training)]))
            }
        }
    }
}

/// The mean of several forecasts.
struct Mean(Vec<Box<dyn Predictor>>);

impl Predictor for Mean {
    fn predict(&self, row: &[f32]) -> Distribution {
        let parts: Vec<Distribution> = self.0.iter().map(|model| model.predict(row)).collect();
        mean(&parts)
    }
}

/// The mixture in equal parts.
pub(crate) fn mean(parts: &[Distribution]) -> Distribution {
    let n = parts.len().max(1) as f64;
    Distribution::near(std::array::from_fn(|k| parts.iter().map(|part| part.at_most()[k]).sum::<f64>() / n))
}
