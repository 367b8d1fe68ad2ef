//! Features, the input of models: a row of numbers per relay, as of one consensus.
//!
//! The same code makes the rows for training and for prediction. Everything is cut at the origin: no row depends on a
//! consensus after it. What is not known is NaN, which the trees treat as a value of its own.

mod cohort;
mod names;
mod own;

use allium_model::ConsensusHour;

use crate::past::Past;
pub use names::{Group, N_FEATURES, NAMES, column, group_of};

/// A row of features per relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The relays, by their number in [`Past::relays`].
    pub relays: Vec<usize>,
    /// Their rows, one after the other, each of [`N_FEATURES`] numbers.
    pub values: Vec<f32>,
    /// The weight of each relay where models learn: 1, and less where far more relays than usual were first listed on the
    /// same day, or several on the same day in the same autonomous system. Nine hundred relays of one flood are one event and
    /// not nine hundred, and neither are the forty of one operator forty.
    pub weights: Vec<f32>,
}

impl Features {
    /// The rows of all relays seen in the 7 days before `as_of`.
    pub fn of(past: &Past, as_of: ConsensusHour) -> Self {
        let relays = past.current(as_of);
        let clock = own::Clock::at(past, as_of);
        let cohorts = cohort::Cohorts::at(past, &clock);
        let mut values = Vec::with_capacity(relays.len() * N_FEATURES);
        for relay in &relays {
            let start = values.len();
            own::push(&mut values, &past.relays()[*relay], &clock);
            cohorts.push(&mut values, *relay);
            debug_assert_eq!(values.len() - start, N_FEATURES, "as many features as names");
        }
        let weights = relays.iter().map(|relay| cohorts.weight(*relay)).collect();
        Self { relays, values, weights }
    }

    /// A feature of the `i`th relay.
    pub fn get(&self, i: usize, name: &str) -> Option<f64> {
        let value = f64::from(self.row(i)[column(name)?]);
        (!value.is_nan()).then_some(value)
    }

    /// The row of the `i`th relay.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * N_FEATURES..(i + 1) * N_FEATURES]
    }
}
