//! Merging histories known at different hours.
//!
//! Question: a relay's states are known at some hours (*old*), and a further list of states speaks for other hours
//! (*offered*); which spans hold for all hours together? Input: the hours of both, and each side's runs of equal state.
//! Where both speak for the same hour, the old side is kept. Output: runs in canonical form, so that the same states at
//! the same hours give the same runs whatever way they came in: a run starts and ends at known hours, and two
//! runs with the same state are separated by at least one known hour.

/// A stretch `[start, end)` of hours with one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: i32,
    pub(crate) end: i32,
    pub(crate) state: i64,
}

/// The hours known afterwards, each with the side that speaks for it.
pub(crate) struct Calendar {
    hours: Vec<i32>,
    offered: Vec<bool>,
    /// For each index, the index after the last of its neighbours that the same side speaks for.
    side_ends: Vec<usize>,
}

impl Calendar {
    /// The union of both lists, which are sorted and free of repetitions; offered hours that are known already are ignored.
    pub(crate) fn new(old: &[i32], offered: &[i32]) -> Self {
        let additional = offered.iter().filter(|hour| old.binary_search(hour).is_err());
        let mut hours: Vec<(i32, bool)> = old.iter().map(|hour| (*hour, false)).chain(additional.map(|hour| (*hour, true))).collect();
        hours.sort_unstable();
        let mut side_ends = vec![hours.len(); hours.len()];
        for index in (1..hours.len()).rev() {
            side_ends[index - 1] = if hours[index - 1].1 == hours[index].1 { side_ends[index] } else { index };
        }
        let (hours, offered) = hours.into_iter().unzip();
        Self { hours, offered, side_ends }
    }

    /// The newest hour of either side.
    pub(crate) fn last(&self) -> Option<i32> {
        self.hours.last().copied()
    }

    /// The offered hours that were not known before.
    pub(crate) fn additional(&self) -> impl Iterator<Item = i32> {
        self.hours.iter().zip(&self.offered).filter(|(_, offered)| **offered).map(|(hour, _)| *hour)
    }

    /// Merges the runs of one relay; each side's are sorted and disjoint.
    pub(crate) fn merge(&self, old: &[Run], offered: &[Run]) -> Vec<Run> {
        let (old, offered) = (self.by_index(old), self.by_index(offered));
        let (mut old, mut offered) = (Cursor::new(&old), Cursor::new(&offered));
        let mut merged = Merged::default();
        let mut at = 0;
        while let Some(next) = [old.next_change(at), offered.next_change(at)].into_iter().flatten().min() {
            self.add_stretch(&mut merged, at..next, old.state(at), offered.state(at));
            at = next;
        }
        merged.0.into_iter().map(|(start, end, state)| Run { start: self.hours[start], end: self.hours[end - 1] + 1, state }).collect()
    }

    /// Adds hours in which neither side changes its state.
    fn add_stretch(&self, merged: &mut Merged, stretch: std::ops::Range<usize>, old: Option<i64>, offered: Option<i64>) {
        if old == offered {
            return merged.add(stretch.start, stretch.end, old);
        }
        let mut at = stretch.start;
        while at < stretch.end {
            let end = self.side_ends[at].min(stretch.end);
            merged.add(at, end, if self.offered[at] { offered } else { old });
            at = end;
        }
    }

    /// Runs as indices of hours; those without a known hour vanish.
    fn by_index(&self, runs: &[Run]) -> Vec<(usize, usize, i64)> {
        let index = |hour: i32| self.hours.partition_point(|known| *known < hour);
        runs.iter().map(|run| (index(run.start), index(run.end), run.state)).filter(|(start, end, _)| start < end).collect()
    }
}

/// One side's runs, walked along in the order of time.
struct Cursor<'a> {
    runs: &'a [(usize, usize, i64)],
}

impl<'a> Cursor<'a> {
    fn new(runs: &'a [(usize, usize, i64)]) -> Self {
        Self { runs }
    }

    /// The next index after `at` at which a run starts or ends; forgets runs that ended.
    fn next_change(&mut self, at: usize) -> Option<usize> {
        while self.runs.first().is_some_and(|(_, end, _)| *end <= at) {
            self.runs = &self.runs[1..];
        }
        self.runs.first().map(|(start, end, _)| if *start > at { *start } else { *end })
    }

    /// The state at an index for which [`Cursor::next_change`] was asked.
    fn state(&self, at: usize) -> Option<i64> {
        self.runs.first().filter(|(start, _, _)| *start <= at).map(|(_, _, state)| *state)
    }
}

/// Runs in canonical form, growing at the end.
#[derive(Default)]
struct Merged(Vec<(usize, usize, i64)>);

impl Merged {
    fn add(&mut self, start: usize, end: usize, state: Option<i64>) {
        let Some(state) = state else { return };
        match self.0.last_mut() {
            Some(last) if last.1 == start && last.2 == state => last.1 = end,
            _ => self.0.push((start, end, state)),
        }
    }
}
