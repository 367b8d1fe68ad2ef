//! The check of spans: their form, their locations, and the totals that they add up to.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, RelayFlags};
use rusqlite::Connection;

use super::columns::{hour, optional_hour};
use super::failure::Failure;
use super::hours::{known_hour_numbers, known_locations};
use super::relay_states::{RelayStates, states};
use crate::report::CheckReport;
use crate::spans::locations::KnownLocations;
use crate::spans::merge::Run;
use crate::spans::totals::Totals;

/// A span as stored, with its end filled in.
#[derive(Clone, Copy, PartialEq)]
struct Row {
    relay_id: i64,
    start: i32,
    end: i32,
    state_id: i64,
}

/// Spans are sorted, disjoint, as long as they can be, start and end at known consensuses, and add up to the totals.
pub(super) fn check_spans(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let hours = known_hour_numbers(conn)?;
    let flags: BTreeMap<i64, RelayFlags> = states(conn)?.into_iter().map(|(id, state)| (id, state.flags)).collect();
    let mut changes = vec![Totals::default(); hours.len() + 1];
    let mut statement = conn.prepare("SELECT relay_id, start_hour, end_hour, state_id FROM spans ORDER BY relay_id, start_hour")?;
    let mut rows = statement.query([])?;
    let mut previous: Option<Row> = None;
    let mut locations = LocationCheck::new(conn)?;
    while let Some(row) = rows.next()? {
        report.n_spans += 1;
        let open_end = hours.last().map_or(i32::MIN, |last| last.saturating_add(1));
        let stored_end = optional_hour(row, 2)?.map(ConsensusHour::get);
        let span = Row { relay_id: row.get(0)?, start: hour(row, 1)?.get(), end: stored_end.unwrap_or(open_end), state_id: row.get(3)? };
        let before = previous.filter(|before| before.relay_id == span.relay_id);
        for problem in span_problems(&hours, before, span, stored_end) {
            report.add(|| format!("span of relay {} from hour {}: {problem}", span.relay_id, span.start));
        }
        let index = |hour: i32| hours.partition_point(|known| *known < hour);
        let flags = flags.get(&span.state_id).copied().unwrap_or_default();
        changes[index(span.start)].add(flags, 1);
        changes[index(span.end)].add(flags, -1);
        locations.add(span, report)?;
        previous = Some(span);
    }
    locations.finish(report)?;
    check_totals(conn, &changes, report)
}

/// Compares country and AS with those last known.
struct LocationCheck {
    known: KnownLocations,
    states: RelayStates,
    relay_id: i64,
    runs: Vec<Run>,
}

impl LocationCheck {
    fn new(conn: &Connection) -> Result<Self, Failure> {
        Ok(Self { known: known_locations(conn)?, states: RelayStates::load(conn)?, relay_id: 0, runs: Vec::new() })
    }

    fn add(&mut self, span: Row, report: &mut CheckReport) -> Result<(), Failure> {
        if span.relay_id != self.relay_id {
            self.finish(report)?;
            self.relay_id = span.relay_id;
        }
        self.runs.push(Run { start: span.start, end: span.end, state: span.state_id });
        Ok(())
    }

    /// Compares the runs of one relay and forgets them. Other problems of runs are found elsewhere.
    fn finish(&mut self, report: &mut CheckReport) -> Result<(), Failure> {
        let (runs, states) = (std::mem::take(&mut self.runs), &self.states);
        let is_in_order = runs.iter().all(|run| run.start < run.end) && runs.windows(2).all(|pair| pair[0].end <= pair[1].start);
        if !is_in_order || !self.known.are_known(&runs) {
            return Ok(());
        }
        let carried = self.known.carry(&runs, |id| states.content(id), |state| Ok::<_, Failure>(states.find(state).unwrap_or(-1)))?;
        if carried != runs {
            report.add(|| format!("spans of relay {}: country or AS is not as last known", self.relay_id));
        }
        Ok(())
    }
}

fn span_problems(hours: &[i32], before: Option<Row>, span: Row, stored_end: Option<i32>) -> Vec<&'static str> {
    let index = |hour: i32| hours.partition_point(|known| *known < hour);
    let is_known = |hour: i32| hours.binary_search(&hour).is_ok();
    let open_end = hours.last().map(|last| last.saturating_add(1));
    let checks = [
        (span.start >= span.end, "it ends before it starts"),
        (!is_known(span.start), "it starts at an hour whose consensus is not known"),
        (!is_known(span.end.saturating_sub(1)), "it ends at an hour whose consensus is not known"),
        (stored_end.is_some() && stored_end >= open_end, "it reaches the newest consensus and is not open"),
        (before.is_some_and(|before| before.end > span.start), "it overlaps the one before"),
        (
            before.is_some_and(|before| before.state_id == span.state_id && index(before.end) == index(span.start)),
            "it continues the one before in the same state",
        ),
    ];
    checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, problem)| problem).collect()
}

fn check_totals(conn: &Connection, changes: &[Totals], report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT hour, n_listed, n_running, n_guard, n_exit FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
    let mut counted = Totals::default();
    for change in changes {
        let Some(row) = rows.next()? else { break };
        counted.accumulate(*change);
        let stored = Totals { n_listed: row.get(1)?, n_running: row.get(2)?, n_guard: row.get(3)?, n_exit: row.get(4)? };
        report.n_consensuses += 1;
        if stored != counted {
            let hour = hour(row, 0)?;
            report.add(|| format!("consensus {hour}: stored totals {stored:?}, counted from spans {counted:?}"));
        }
    }
    Ok(())
}
