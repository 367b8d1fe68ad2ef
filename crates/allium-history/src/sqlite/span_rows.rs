//! Rows of `spans`.
//!
//! Spans are kept in the canonical form of [`crate::spans::merge`], except that a span through the newest consensus has no end.

use std::collections::{BTreeMap, HashMap};

use allium_model::{ConsensusHour, Fingerprint};
use rusqlite::{CachedStatement, Connection, params};

use super::columns::{hour, optional_hour};
use super::failure::Failure;
use crate::spans::merge::Run;

/// Relay, start and state of the spans through the newest consensus.
pub(super) fn open_spans(conn: &Connection) -> Result<Vec<(i64, i32, i64)>, Failure> {
    let mut statement =
        conn.prepare_cached("SELECT relay_id, start_hour, state_id FROM spans INDEXED BY open_spans WHERE end_hour IS NULL")?;
    let spans = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    Ok(spans)
}

/// The spans of a relay, earliest first.
pub(super) fn runs_of(conn: &Connection, relay_id: i64, newest: Option<i32>) -> Result<Vec<Run>, Failure> {
    let mut statement = conn.prepare_cached("SELECT start_hour, end_hour, state_id FROM spans WHERE relay_id = ? ORDER BY start_hour")?;
    let mut rows = statement.query([relay_id])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let end = optional_hour(row, 1)?.map(ConsensusHour::get).or(newest.map(|newest| newest + 1)).unwrap_or(i32::MAX);
        runs.push(Run { start: hour(row, 0)?.get(), end, state: row.get(2)? });
    }
    Ok(runs)
}

/// Relay and state of the spans that hold at a known hour.
pub(super) fn listed_at(conn: &Connection, hour: ConsensusHour, newest: Option<i32>) -> Result<HashMap<i64, i64>, Failure> {
    let condition =
        if newest == Some(hour.get()) { "end_hour IS NULL AND start_hour <= ?" } else { "start_hour <= ?1 AND ifnull(end_hour > ?1, 1)" };
    let mut statement = conn.prepare(&format!("SELECT relay_id, state_id FROM spans WHERE {condition}"))?;
    let listed = statement.query_map([hour.get()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(listed)
}

/// The state of a relay when it was last listed.
pub(super) fn last_state(conn: &Connection, relay_id: i64) -> Result<Option<i64>, Failure> {
    let mut statement = conn.prepare_cached("SELECT state_id FROM spans WHERE relay_id = ? ORDER BY start_hour DESC LIMIT 1")?;
    let mut rows = statement.query([relay_id])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// The spans that reach to the known hour before `first` or start no later than the known hour after `last`.
pub(super) fn touched_spans(conn: &Connection, first: i32, last: i32, newest: Option<i32>) -> Result<BTreeMap<i64, Vec<Run>>, Failure> {
    let before: Option<i32> = conn.query_row("SELECT max(hour) FROM consensuses WHERE hour < ?", [first], |row| row.get(0))?;
    let after: Option<i32> = conn.query_row("SELECT min(hour) FROM consensuses WHERE hour > ?", [last], |row| row.get(0))?;
    let mut statement = conn.prepare_cached(
        "SELECT relay_id, start_hour, end_hour, state_id FROM spans WHERE (end_hour IS NULL OR end_hour > ?) AND start_hour <= ?
         ORDER BY relay_id, start_hour",
    )?;
    let mut rows = statement.query(params![before.unwrap_or(i32::MIN), after.unwrap_or(i32::MAX)])?;
    let mut touched: BTreeMap<i64, Vec<Run>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let end = optional_hour(row, 2)?.map(ConsensusHour::get).or(newest.map(|newest| newest + 1)).unwrap_or(i32::MAX);
        touched.entry(row.get(0)?).or_default().push(Run { start: hour(row, 1)?.get(), end, state: row.get(3)? });
    }
    Ok(touched)
}

/// Writes the difference between a relay's spans before and after.
pub(super) struct SpanWriter<'a> {
    delete: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    old_open_end: Option<i32>,
    new_open_end: Option<i32>,
}

impl<'a> SpanWriter<'a> {
    pub(super) fn new(conn: &'a Connection, old_newest: Option<i32>, new_newest: Option<i32>) -> Result<Self, Failure> {
        Ok(Self {
            delete: conn.prepare_cached("DELETE FROM spans WHERE relay_id = ? AND start_hour = ?")?,
            insert: conn.prepare_cached("INSERT INTO spans (relay_id, start_hour, end_hour, state_id) VALUES (?, ?, ?, ?)")?,
            old_open_end: old_newest.map(|hour| hour + 1),
            new_open_end: new_newest.map(|hour| hour + 1),
        })
    }

    pub(super) fn replace(&mut self, relay_id: i64, old: &[Run], new: &[Run]) -> Result<(), Failure> {
        let row = |run: &Run, open_end: Option<i32>| (run.start, Some(run.end).filter(|end| Some(*end) != open_end), run.state);
        let old: Vec<_> = old.iter().map(|run| row(run, self.old_open_end)).collect();
        let new: Vec<_> = new.iter().map(|run| row(run, self.new_open_end)).collect();
        for (start, _, _) in old.iter().filter(|row| new.binary_search_by_key(&row.0, |new| new.0).map_or(true, |i| new[i] != **row)) {
            self.delete.execute(params![relay_id, start])?;
        }
        for (start, end, state_id) in
            new.iter().filter(|row| old.binary_search_by_key(&row.0, |old| old.0).map_or(true, |i| old[i] != **row))
        {
            self.insert.execute(params![relay_id, start, end, state_id])?;
        }
        Ok(())
    }
}

/// The relays that known consensuses in `[since, until)` list, by fingerprint.
pub(super) fn listed_between(conn: &Connection, since: i32, until: i32) -> Result<Vec<Fingerprint>, Failure> {
    let mut statement = conn.prepare(
        "SELECT fingerprint FROM relays WHERE id IN (SELECT relay_id FROM spans WHERE start_hour < ?2
         AND ifnull(end_hour, (SELECT max(hour) + 1 FROM consensuses)) > ?1) ORDER BY fingerprint",
    )?;
    let listed = statement.query_map([since, until], |row| row.get(0).map(Fingerprint::new))?.collect::<Result<_, _>>()?;
    Ok(listed)
}
