//! Equal, adjacent intervals onto which a relay's history is added up.

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, Known};

/// Seconds in a day of UTC.
pub(crate) const DAY_SECS: i64 = 24 * HOUR_SECS;

/// `n` intervals of `step_secs` from `start_secs` on, with the indices of their edges among the known consensuses.
pub(crate) struct Grid {
    pub(crate) start_secs: i64,
    pub(crate) step_secs: i64,
    pub(crate) n: usize,
    indices: Vec<usize>,
}

impl Grid {
    /// The intervals on multiples of `step_secs` that cover `[from_secs, to_secs)`.
    pub(crate) fn covering(from_secs: i64, to_secs: i64, step_secs: i64, known: &Known) -> Self {
        let start_secs = from_secs.div_euclid(step_secs) * step_secs;
        let n = (to_secs - start_secs).max(0).div_euclid(step_secs) + i64::from((to_secs - start_secs).rem_euclid(step_secs) > 0);
        let edges = (0..=n).map(|i| start_secs + i * step_secs);
        let indices = if known.hours().is_empty() { Vec::new() } else { edges.map(|secs| known.index_of(hour_from(secs))).collect() };
        Self { start_secs, step_secs, n: n as usize, indices }
    }

    /// The start of interval `i`; `n` gives the end of the last.
    pub(crate) fn edge_secs(&self, i: usize) -> i64 {
        self.start_secs + i as i64 * self.step_secs
    }

    /// The end of the last interval.
    pub(crate) fn end_secs(&self) -> i64 {
        self.edge_secs(self.n)
    }

    /// The interval in which an instant lies; earlier ones lie in the first.
    pub(crate) fn index(&self, secs: i64) -> usize {
        ((secs - self.start_secs).max(0) / self.step_secs) as usize
    }

    /// The number of known consensuses before edge `i`. Must not be asked where no consensus is known.
    pub(crate) fn edge_index(&self, i: usize) -> usize {
        self.indices[i]
    }
}

/// The first hour that starts at or after an instant.
pub(crate) fn hour_from(secs: i64) -> ConsensusHour {
    ConsensusHour::new((secs.div_euclid(HOUR_SECS) + i64::from(secs.rem_euclid(HOUR_SECS) > 0)) as i32)
}

/// The hour in which an instant lies.
pub(crate) fn hour_at(secs: i64) -> ConsensusHour {
    ConsensusHour::new(secs.div_euclid(HOUR_SECS) as i32)
}

/// Known and up seconds per interval of a [`Grid`].
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) known: Vec<f64>,
    pub(crate) up: Vec<f64>,
}

impl Sums {
    /// Empties the sums for a grid of `n` intervals.
    pub(crate) fn reset(&mut self, n: usize) {
        for sums in [&mut self.known, &mut self.up] {
            sums.clear();
            sums.resize(n, 0.0);
        }
    }

    fn add(&mut self, i: usize, known_secs: f64, up: f64) {
        self.known[i] += known_secs;
        self.up[i] += known_secs * up;
    }

    /// Adds `[from_secs, to_secs)`, up for a share of it; what lies outside the grid is dropped.
    pub(crate) fn add_stretch(&mut self, grid: &Grid, from_secs: i64, to_secs: i64, up: f64) {
        let (from, to) = (from_secs.max(grid.start_secs), to_secs.min(grid.end_secs()));
        if from >= to {
            return;
        }
        let (first, last) = (grid.index(from), grid.index(to - 1));
        for i in first..=last {
            let overlap = to.min(grid.edge_secs(i + 1)) - from.max(grid.edge_secs(i));
            self.add(i, overlap as f64, up);
        }
    }
}
