//! Training rows: features at past origins, with the outcome that came after.
//!
//! Origins lie on a fixed grid, so that trainings of different times share their rows: [`Rows`] computes each origin once.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_model::ConsensusHour;

use crate::features::{Features, N_FEATURES};
use crate::past::Past;

/// Rows of features at several origins, with the uptime that followed.
#[derive(Debug, Clone, Default)]
pub struct Training {
    /// The origins, the latest first.
    pub origins: Vec<ConsensusHour>,
    /// Rows of [`N_FEATURES`] numbers, one after the other, a part for each origin: trainings share what is the largest in them.
    values: Vec<Arc<Vec<f32>>>,
    /// The share of known consensuses in the horizon in which the relay was Running, per row.
    pub targets: Vec<f64>,
    /// The weight of each row: less than 1 in a flood, see [`Features::weights`].
    pub weights: Vec<f32>,
}

/// The origins that are learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Days between two origins.
    pub step_days: i32,
    /// Most origins.
    pub max_origins: usize,
    /// Days of history that an origin needs before it.
    pub min_past_days: i32,
    /// The reach of targets.
    pub horizon_days: u16,
}

impl Schedule {
    /// The usual one: every two weeks over the last year, and weekly where less than ten months are known.
    ///
    /// Targets of neighbouring origins overlap: with twice as many, forecasts of held-out origins were no better.
    pub fn usual(past: &Past, as_of: ConsensusHour, horizon_days: u16) -> Self {
        let known_hours = past.hours().first().map_or(0, |first| as_of.hours_since(*first));
        let step_days = if known_hours > 300 * 24 { 14 } else { 7 };
        Self { step_days, max_origins: 26, min_past_days: 30, horizon_days }
    }

    /// The origins whose targets are complete as of `as_of`, the latest first: hours whose number is a multiple of the step.
    pub fn origins(&self, past: &Past, as_of: ConsensusHour) -> Vec<ConsensusHour> {
        let latest = as_of.plus(-24 * i32::from(self.horizon_days));
        let latest = latest.plus(-latest.get().rem_euclid(24 * self.step_days));
        let Some(first) = past.hours().first() else { return Vec::new() };
        let earliest = first.plus(24 * self.min_past_days);
        let origins = (0..self.max_origins as i32).map(|i| latest.plus(-24 * self.step_days * i));
        origins.take_while(|origin| *origin >= earliest).collect()
    }
}

/// Rows of one history by origin, each computed once.
pub(crate) struct Rows<'a> {
    past: &'a Past,
    horizon_days: u16,
    known: BTreeMap<ConsensusHour, Arc<Training>>,
}

impl<'a> Rows<'a> {
    /// No rows yet, of this history, with targets that reach so far.
    pub(crate) fn new(past: &'a Past, horizon_days: u16) -> Self {
        Self { past, horizon_days, known: BTreeMap::new() }
    }

    /// The rows of these origins, in their order; origins whose horizon holds no known consensus are left out.
    ///
    /// Origins that are asked for the first time are worked on side by side.
    pub(crate) fn of(&mut self, origins: &[ConsensusHour]) -> Training {
        let missing: Vec<ConsensusHour> = origins.iter().copied().filter(|origin| !self.known.contains_key(origin)).collect();
        let (past, horizon_days) = (self.past, self.horizon_days);
        let (first, second) = missing.split_at(missing.len().div_ceil(2));
        let made = |origins: &[ConsensusHour]| -> Vec<Training> {
            origins.iter().map(|origin| Training::at(past, *origin, horizon_days)).collect()
        };
        let parts = std::thread::scope(|scope| {
            let second = scope.spawn(|| made(second));
            [made(first), second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))]
        });
        self.known.extend(missing.into_iter().zip(parts.into_iter().flatten().map(Arc::new)));
        let mut all = Training::default();
        origins.iter().filter_map(|origin| self.known.get(origin)).for_each(|part| all.append(part));
        all
    }
}

impl Training {
    /// The rows of one origin.
    pub fn at(past: &Past, origin: ConsensusHour, horizon_days: u16) -> Self {
        let features = Features::of(past, origin);
        match past.targets(&features.relays, origin, 24 * i32::from(horizon_days)) {
            Some(targets) => Self { origins: vec![origin], values: vec![Arc::new(features.values)], targets, weights: features.weights },
            None => Self::default(),
        }
    }

    fn append(&mut self, other: &Self) {
        self.origins.extend(&other.origins);
        self.values.extend(other.values.iter().cloned());
        self.targets.extend(&other.targets);
        self.weights.extend(&other.weights);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// True if there is nothing to learn from.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.iter().flat_map(|part| part.chunks_exact(N_FEATURES))
    }

    /// The rows in parts of many.
    pub(crate) fn parts(&self) -> Vec<&[f32]> {
        self.values.iter().map(|part| part.as_slice()).collect()
    }

    /// The values of a feature.
    pub(crate) fn column(&self, feature: usize) -> impl Iterator<Item = f32> {
        self.values.iter().flat_map(move |part| part.iter().skip(feature).step_by(N_FEATURES).copied())
    }
}
