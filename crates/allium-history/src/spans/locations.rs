//! Country and AS at hours whose consensus does not have them.
//!
//! Question: where was a relay when a directory server or CollecTor listed it? Neither knows countries or autonomous systems;
//! details documents and packs do. Input: a relay's runs of equal state, the hours at which locations are known, and those
//! at which a consensus named another address than the relay was known to have. Rule: at any other hour the location is the one last
//! known, however long the relay was gone in between; where none was known before, or the address changed since, it is unknown.
//! The rule looks at the past only and at all of it, so the order in which hours become known makes no difference, with one
//! exception: addresses are compared as consensuses arrive, with what is known then.

use allium_model::RelayState;

use super::merge::Run;

/// A state whose country and AS may be carried over from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LocatedState {
    pub(crate) state: RelayState,
    /// Country and AS are unknown because the relay moved to another address since they were known.
    pub(crate) moved: bool,
}

impl LocatedState {
    /// This state at the location of another one.
    pub(crate) fn carried_from(&self, other: &Self) -> Self {
        let state = RelayState { country: other.state.country, asn: other.state.asn, ..self.state.clone() };
        Self { state, moved: other.moved }
    }

    fn is_located_as(&self, other: &Self) -> bool {
        (self.state.country, self.state.asn, self.moved) == (other.state.country, other.state.asn, other.moved)
    }
}

/// The known hours, and those of them whose consensus has country and AS of its relays.
pub(crate) struct KnownLocations {
    known: Vec<i32>,
    located: Vec<i32>,
}

impl KnownLocations {
    /// From the known hours and those at which locations are known, both sorted.
    pub(crate) const fn new(known: Vec<i32>, located: Vec<i32>) -> Self {
        Self { known, located }
    }

    /// True if nothing has to be carried over.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.known.len() == self.located.len()
    }

    /// True if runs start and end at known hours.
    pub(crate) fn are_known(&self, runs: &[Run]) -> bool {
        let is_known = |hour: i32| self.known.binary_search(&hour).is_ok();
        runs.iter().all(|run| is_known(run.start) && is_known(run.end - 1))
    }

    fn index(&self, hour: i32) -> usize {
        self.known.partition_point(|known| *known < hour)
    }

    /// Carries locations over in the runs of a relay. `content` gives a state by its number, `number` the number of a state.
    pub(crate) fn carry<E>(
        &self,
        runs: &[Run],
        mut content: impl FnMut(i64) -> Result<LocatedState, E>,
        mut number: impl FnMut(&LocatedState) -> Result<i64, E>,
    ) -> Result<Vec<Run>, E> {
        let mut carried = Vec::with_capacity(runs.len());
        let mut last = LocatedState { state: RelayState::default(), moved: false };
        for run in runs {
            let state = content(run.state)?;
            let first_located =
                self.located.get(self.located.partition_point(|hour| *hour < run.start)).copied().filter(|hour| *hour < run.end);
            let located_from = if state.moved { run.start } else { first_located.unwrap_or(run.end) };
            if run.start < located_from {
                let end = if located_from == run.end { run.end } else { self.known[self.index(located_from) - 1] + 1 };
                let carried_state = if state.is_located_as(&last) { run.state } else { number(&state.carried_from(&last))? };
                self.push(&mut carried, Run { start: run.start, end, state: carried_state });
            }
            if located_from < run.end {
                self.push(&mut carried, Run { start: located_from, ..*run });
                last = state;
            }
        }
        Ok(carried)
    }

    /// Runs with another state at one known hour, which lies in one of them.
    pub(crate) fn with_state_at(&self, runs: &[Run], hour: i32, state: i64) -> Vec<Run> {
        let mut changed = Vec::with_capacity(runs.len() + 2);
        for run in runs {
            if !(run.start..run.end).contains(&hour) {
                self.push(&mut changed, *run);
                continue;
            }
            if run.start < hour {
                self.push(&mut changed, Run { end: self.known[self.index(hour) - 1] + 1, ..*run });
            }
            self.push(&mut changed, Run { start: hour, end: hour + 1, state });
            if let Some(after) = self.known.get(self.index(hour) + 1).filter(|after| **after < run.end) {
                self.push(&mut changed, Run { start: *after, ..*run });
            }
        }
        changed
    }

    fn push(&self, runs: &mut Vec<Run>, run: Run) {
        match runs.last_mut() {
            Some(before) if before.state == run.state && self.index(before.end) == self.index(run.start) => before.end = run.end,
            _ => runs.push(run),
        }
    }
}
