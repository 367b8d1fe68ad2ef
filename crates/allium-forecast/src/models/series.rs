//! Exponential smoothing of a relay's own days.
//!
//! The uptime of each of the last 90 days is a series; the form of the model (level, trend, damped trend) is chosen per relay by
//! information criterion (Hyndman et al. 2008, "Forecasting with Exponential Smoothing"), and the mean of its forecast over the
//! horizon is the relay's number. What followed such numbers at the newest complete origin gives the distribution. Relays whose
//! days are all alike, or fewer than 15, need no model: their number is the mean of their days.

use augurs_core::prelude::{Fit, Predict};
use augurs_ets::AutoETS;

use allium_model::ConsensusHour;

use super::Task;
use super::point::Classes;
use crate::distribution::Distribution;
use crate::past::{Past, RelayPast};
use crate::training::Training;

/// Days that are looked at.
const N_DAYS: i32 = 90;
/// Fewest days of a series that a model is fitted to.
const LEAST_DAYS: usize = 15;
/// The reach of the forecast.
const HORIZON_DAYS: usize = 30;

/// The forecasts of the task's relays.
pub fn of_series(task: &Task<'_>) -> Vec<Distribution> {
    let newest = task.training.origins.first().map(|origin| (*origin, task.past.current(*origin)));
    let classes = match newest {
        Some((origin, relays)) => Classes::of(numbers(task.past, &relays, origin).into_iter().zip(of_newest(task.training, relays.len()))),
        None => Classes::of(std::iter::empty()),
    };
    numbers(task.past, &task.features.relays, task.origin).into_iter().map(|number| classes.after(number)).collect()
}

/// The targets of the newest origin: the first rows.
fn of_newest(training: &Training, n: usize) -> Vec<f64> {
    training.targets.iter().copied().take(n).collect()
}

/// The expected uptime of these relays over the horizon, computed side by side.
fn numbers(past: &Past, relays: &[usize], origin: ConsensusHour) -> Vec<f64> {
    let days: Vec<_> = (0..N_DAYS).rev().map(|day| past.window(origin.plus(-24 * day), 24)).collect();
    let number = |relay: &usize| number(&series(&past.relays()[*relay], &days));
    let (first, second) = relays.split_at(relays.len().div_ceil(2));
    std::thread::scope(|scope| {
        let second = scope.spawn(move || second.iter().map(number).collect::<Vec<f64>>());
        let mut all: Vec<f64> = first.iter().map(number).collect();
        all.extend(second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        all
    })
}

/// Uptime per day since the relay was first listed; days without a known consensus are left out.
fn series(relay: &RelayPast, days: &[std::ops::Range<u32>]) -> Vec<f64> {
    let first = relay.first_listed().unwrap_or(u32::MAX);
    let known = days.iter().filter(|day| !day.is_empty() && day.end > first);
    known.map(|day| f64::from(relay.up_in(day)) / f64::from(day.end - day.start.max(first))).collect()
}

fn number(days: &[f64]) -> f64 {
    let mean = allium_stats::mean(days).unwrap_or(0.0);
    let are_alike = days.windows(2).all(|pair| pair[0] == pair[1]);
    if are_alike || days.len() < LEAST_DAYS {
        return mean;
    }
    let fitted = AutoETS::non_seasonal().fit(days);
    let forecast = fitted.ok().and_then(|fitted| fitted.predict(HORIZON_DAYS, None).ok());
    let shares = forecast.map(|forecast| forecast.point.iter().map(|share| share.clamp(0.0, 1.0)).collect::<Vec<f64>>());
    shares.and_then(|shares| allium_stats::mean(&shares)).filter(|mean| mean.is_finite()).unwrap_or(mean)
}
