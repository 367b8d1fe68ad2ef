//! Trees for the whole distribution at once.
//!
//! The targets are the indicators "at most this limit" for each of the limits of a [`Distribution`], so the squared error of
//! the trees, weighted by the width between limits, is the continuous ranked probability score. The masses at 0 and at 1 are
//! lanes of their own.

use serde::{Deserialize, Serialize};

use super::Predictor;
use crate::distribution::{Distribution, LIMITS};
use crate::features::N_FEATURES;
use crate::training::Training;
use crate::trees::{Boosted, Ensemble, Examples, Growth, N_OUTPUTS};

/// The models that are averaged differ in the rows and features that their trees see.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// Trained trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trees {
    pub(crate) models: Vec<Boosted>,
}

/// The way in which the trees work together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreesKind {
    /// Gradient boosting.
    Boosted,
    /// A random forest.
    Forest,
}

impl TreesKind {
    fn growth(self) -> Growth {
        let boosted = Growth {
            ensemble: Ensemble::Boosted,
            n_trees: 100,
            max_leaves: 40,
            min_weight: 300.0,
            min_gain: 1e-6,
            rate: 0.09,
            l2: 50.0,
            row_share: 0.25,
            feature_share: 0.3,
            seed: 0,
        };
        match self {
            Self::Boosted => boosted,
            Self::Forest => Growth {
                ensemble: Ensemble::Forest,
                n_trees: 20,
                max_leaves: 128,
                min_weight: 40.0,
                rate: 1.0,
                l2: 1.0,
                row_share: 0.3,
                ..boosted
            },
        }
    }
}

impl Trees {
    /// Grows trees on these rows.
    pub fn train(training: &Training, kind: TreesKind) -> Self {
        let targets: Vec<[f32; N_OUTPUTS]> = training.targets.iter().map(|target| indicators(*target)).collect();
        let examples = Examples {
            values: &training.parts(),
            n_features: N_FEATURES,
            targets: &targets,
            weights: &training.weights,
            output_weights: widths(),
        };
        Self { models: Boosted::train(&examples, &kind.growth(), &SEEDS) }
    }

    /// True if rows of features fit: a model read from a file may be anything.
    pub(crate) fn is_sound(&self) -> bool {
        self.models.iter().all(|model| model.is_sound(N_FEATURES))
    }
}

impl Predictor for Trees {
    fn predict(&self, row: &[f32]) -> Distribution {
        let mut sum = [0.0; N_OUTPUTS];
        for model in &self.models {
            sum.iter_mut().zip(model.predict(row)).for_each(|(sum, p)| *sum += f64::from(p));
        }
        let n = self.models.len().max(1) as f64;
        Distribution::near(sum.map(|p| p / n))
    }
}

/// The limits that a target does not exceed.
pub(crate) fn indicators(target: f64) -> [f32; N_OUTPUTS] {
    LIMITS.map(|limit| if target <= limit { 1.0 } else { 0.0 })
}

/// The part of the way from 0 to 1 that each limit stands for, relative to the mean of all.
pub(crate) fn widths() -> [f32; N_OUTPUTS] {
    let neighbour = |k: usize| LIMITS.get(k).copied().unwrap_or(1.0);
    let width = |k: usize| ((neighbour(k + 1) - if k == 0 { 0.0 } else { neighbour(k - 1) }) / 2.0).max(0.0005);
    let mean = (0..N_OUTPUTS).map(width).sum::<f64>() / N_OUTPUTS as f64;
    std::array::from_fn(|k| (width(k) / mean) as f32)
}
