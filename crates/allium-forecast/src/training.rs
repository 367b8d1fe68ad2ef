//! What models learn from: features at past origins, with what came after.

use allium_model::ConsensusHour;

use crate::features::{Features, N_FEATURES};
use crate::past::Past;

/// Rows of features at several origins, with the uptime that followed.
#[derive(Debug, Clone, Default)]
pub struct Training {
    /// The origins, the latest first.
    pub origins: Vec<ConsensusHour>,
    /// Rows of [`N_FEATURES`] numbers, one after the other.
    pub values: Vec<f32>,
    /// The share of known consensuses in the horizon in which the relay was Running, per row.
    pub targets: Vec<f64>,
}

/// Which origins are learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Days between two origins.
    pub step_days: i32,
    /// Most origins.
    pub max_origins: usize,
    /// Days of history that an origin needs before it.
    pub min_past_days: i32,
    /// How far targets reach.
    pub horizon_days: u16,
}

impl Schedule {
    /// The usual one: weekly over the last nine months.
    pub fn weekly(horizon_days: u16) -> Self {
        Self { step_days: 7, max_origins: 40, min_past_days: 30, horizon_days }
    }

    /// The origins whose targets are complete as of `as_of`, the latest first.
    pub fn origins(&self, past: &Past, as_of: ConsensusHour) -> Vec<ConsensusHour> {
        let latest = as_of.plus(-24 * i32::from(self.horizon_days));
        let Some(first) = past.hours().first() else { return Vec::new() };
        let earliest = first.plus(24 * self.min_past_days);
        let origins = (0..self.max_origins as i32).map(|i| latest.plus(-24 * self.step_days * i));
        origins.take_while(|origin| *origin >= earliest).collect()
    }
}

impl Training {
    /// The rows of these origins; origins whose horizon holds no known consensus are left out.
    ///
    /// Origins are worked on side by side; the rows come in the order of the origins.
    pub fn of(past: &Past, origins: &[ConsensusHour], horizon_days: u16) -> Self {
        let half = origins.len().div_ceil(2);
        let parts: Vec<Vec<Self>> = std::thread::scope(|scope| {
            let part = |origins: &[ConsensusHour]| origins.iter().map(|origin| Self::at(past, *origin, horizon_days)).collect();
            let second = scope.spawn(move || part(&origins[half..]));
            vec![part(&origins[..half]), second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))]
        });
        let mut all = Self::default();
        for part in parts.into_iter().flatten() {
            all.origins.extend(part.origins);
            all.values.extend(part.values);
            all.targets.extend(part.targets);
        }
        all
    }

    /// The rows of one origin.
    pub fn at(past: &Past, origin: ConsensusHour, horizon_days: u16) -> Self {
        let features = Features::of(past, origin);
        match past.targets(&features.relays, origin, 24 * i32::from(horizon_days)) {
            Some(targets) => Self { origins: vec![origin], values: features.values, targets },
            None => Self::default(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is nothing to learn from.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(N_FEATURES)
    }
}
