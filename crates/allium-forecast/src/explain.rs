//! Drivers of a forecast, by ablation: the change of the mean when a group of features is made usual.
//!
//! Usual is the median over all relays of the same origin. Effects of groups overlap where features say the same, so they do
//! not add up to the distance from the mean of all.

use crate::features::{Features, Group, N_FEATURES, NAMES};
use crate::forecast::Driver;
use crate::model::Model;

/// Effects smaller than this are left out.
const LEAST_EFFECT: f64 = 0.002;

/// The usual row of one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Usual(Vec<f32>);

impl Usual {
    /// The median of each feature over the relays for which it is known.
    pub fn of(features: &Features) -> Self {
        let median = |column: usize| {
            let known: Vec<f64> =
                features.values.iter().skip(column).step_by(N_FEATURES).map(|value| f64::from(*value)).filter(|v| !v.is_nan()).collect();
            allium_stats::median(&known).map_or(f32::NAN, |median| median as f32)
        };
        Self((0..N_FEATURES).map(median).collect())
    }
}

impl Model {
    /// The drivers of the forecast of one relay, the strongest first.
    pub fn drivers(&self, row: &[f32], usual: &Usual) -> Vec<Driver> {
        let mean = self.distribution(row).mean();
        let effect = |group: Group| {
            let values = row.iter().zip(&usual.0).zip(&NAMES);
            let changed: Vec<f32> = values.map(|((own, usual), (_, of))| if *of == group { *usual } else { *own }).collect();
            Driver { group, effect: mean - self.distribution(&changed).mean() }
        };
        let mut drivers: Vec<Driver> = Group::ALL.into_iter().map(effect).filter(|driver| driver.effect.abs() >= LEAST_EFFECT).collect();
        drivers.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        drivers
    }
}
