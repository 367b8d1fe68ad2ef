//! Conditional empirical quantiles: what relays of like uptime and age did afterwards.

use serde::{Deserialize, Serialize};

use super::{Column, Predictor};
use crate::distribution::Distribution;
use crate::training::Training;

/// Upper ends of the classes of uptime over 30 days.
const UPTIMES: [f64; 10] = [0.001, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
/// Upper ends of the classes of age, days.
const AGES_DAYS: [f64; 6] = [1.0, 7.0, 30.0, 90.0, 180.0, 365.0];
/// Fewest rows of a class that count.
const CLASS_MIN: usize = 30;

/// Distributions by class of recent uptime and age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conditional {
    all: Distribution,
    classes: Vec<Option<Distribution>>,
}

impl Conditional {
    /// The distributions of these rows, each counting alike; classes of fewer than 30 rows have that of all.
    pub fn train(training: &Training) -> Self {
        let mut samples = vec![Vec::new(); (UPTIMES.len() + 1) * (AGES_DAYS.len() + 1)];
        training.rows().zip(&training.targets).for_each(|(row, target)| samples[class(row)].push(*target));
        let classes = samples.iter().map(|sample| Distribution::of_sample(sample).filter(|_| sample.len() >= CLASS_MIN)).collect();
        Self { classes, ..Self::of_everything(training) }
    }

    /// One distribution for all.
    pub fn of_everything(training: &Training) -> Self {
        let all = Distribution::of_sample(&training.targets).unwrap_or(Distribution::near([0.0; 15]));
        Self { all, classes: Vec::new() }
    }
}

impl Predictor for Conditional {
    fn predict(&self, row: &[f32]) -> Distribution {
        self.classes.get(class(row)).copied().flatten().unwrap_or(self.all)
    }
}

fn class(row: &[f32]) -> usize {
    let class = |limits: &[f64], value: f64| limits.iter().filter(|limit| value >= **limit).count();
    class(&UPTIMES, Column::new("up_30d").of(row)) * (AGES_DAYS.len() + 1) + class(&AGES_DAYS, Column::new("age_days").of(row))
}
