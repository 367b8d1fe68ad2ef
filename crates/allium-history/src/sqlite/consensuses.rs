//! Consensuses in, spans out, whatever order they come in.
//!
//! A relay that is unchanged in a consensus newer than all others costs no write. Any other consensus touches only the spans around
//! its hour.

use std::collections::{BTreeMap, BTreeSet};

use allium_model::{ConsensusHour, Fingerprint, RelayFlags, RelayState, StateSpan, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns::hour;
use super::failure::Failure;
use super::hours::newest_hour;
use super::locations::{LastLocations, settle};
use super::relay_ids::RelayIds;
use super::relay_states::RelayStates;
use super::span_rows::{SpanWriter, open_spans, touched_spans};
use crate::consensus::{AppliedSpans, ConsensusInfo, ConsensusSource, Listed};
use crate::error::Error;
use crate::spans::locations::LocatedState;
use crate::spans::merge::{Calendar, Run};
use crate::spans::totals::Totals;

/// Takes one consensus in; `false` if that hour is known well enough already, and then nothing is done.
pub(super) fn append_consensus(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    info: &ConsensusInfo,
    listed: &[Listed],
) -> Result<bool, Failure> {
    let hour = info.hour.get();
    let newest = newest_hour(conn)?;
    let stored: Option<String> =
        conn.prepare_cached("SELECT source FROM consensuses WHERE hour = ?")?.query_row([hour], |row| row.get(0)).optional()?;
    if stored.is_some_and(|stored| is_kept(&stored, info.source)) {
        return Ok(false);
    }
    let is_newest = newest.is_none_or(|newest| newest < hour);
    let last_locations = if is_newest && !info.source.has_locations() { Some(LastLocations::load(conn, info.hour)?) } else { None };
    let offered = offered_states(conn, relay_ids, listed, info.source, last_locations.as_ref())?;
    let mut totals = Totals::default();
    offered.values().for_each(|(_, flags)| totals.add(*flags, 1));
    let offered: BTreeMap<i64, i64> = offered.into_iter().map(|(relay_id, (state_id, _))| (relay_id, state_id)).collect();
    if is_newest {
        extend_open_spans(conn, newest, hour, offered)?;
        record_consensus(conn, info, totals)?;
    } else {
        let runs = offered.into_iter().map(|(relay_id, state)| (relay_id, vec![Run { start: hour, end: hour + 1, state }])).collect();
        let touched = merge_runs(conn, &Calendar::new(&hours_kept(conn, &BTreeMap::from([(hour, info)]))?, &[hour]), runs)?;
        record_consensus(conn, info, totals)?;
        settle(conn, &touched)?;
    }
    Ok(true)
}

/// Takes many consensuses in at once, given as spans over their hours; hours that are known well enough already are left as they are.
pub(super) fn append_spans(
    conn: &Connection,
    consensuses: &[ConsensusInfo],
    spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
) -> Result<AppliedSpans, Failure> {
    let offered_hours: BTreeMap<i32, &ConsensusInfo> = consensuses.iter().rev().map(|info| (info.hour.get(), info)).collect();
    let calendar = Calendar::new(&hours_kept(conn, &offered_hours)?, &offered_hours.keys().copied().collect::<Vec<_>>());
    let additional: Vec<i32> = calendar.additional().collect();
    let (mut relay_ids, mut states) = (RelayIds::load(conn)?, RelayStates::load(conn)?);
    let (mut runs, mut changes) = (BTreeMap::<i64, Vec<Run>>::new(), vec![Totals::default(); additional.len() + 1]);
    for (fingerprint, StateSpan { start, end, state }) in spans {
        let index = |hour: ConsensusHour| additional.partition_point(|known| *known < hour.get());
        if index(start) < index(end) {
            changes[index(start)].add(state.flags, 1);
            changes[index(end)].add(state.flags, -1);
            // The source may have no locations; `settle` carries them over below.
            let run = Run { start: start.get(), end: end.get(), state: states.id(conn, &LocatedState { state, moved: false })? };
            push_run(runs.entry(relay_ids.id(conn, &fingerprint)?).or_default(), run)
                .ok_or(Error::Overlap { relay: fingerprint, at: start })?;
        }
    }
    let touched = merge_runs(conn, &calendar, runs)?;
    let mut totals = Totals::default();
    for (hour, change) in additional.iter().zip(changes) {
        totals.accumulate(change);
        record_consensus(conn, offered_hours[hour], totals)?;
    }
    settle(conn, &touched)?;
    Ok(AppliedSpans {
        n_consensuses: additional.len(),
        n_already_known: offered_hours.len() - additional.len(),
        n_new_relays: relay_ids.n_created(),
    })
}

/// Adds a run in order among those of its relay; `None` if it overlaps one of them.
fn push_run(runs: &mut Vec<Run>, run: Run) -> Option<()> {
    let index = runs.partition_point(|other| other.start < run.start);
    let is_free = index.checked_sub(1).is_none_or(|before| runs[before].end <= run.start)
        && runs.get(index).is_none_or(|after| after.start >= run.end);
    is_free.then(|| runs.insert(index, run))
}

/// True if an hour known from source `stored` stays as it is when `offered` has it too: of a list of running relays any other
/// source knows more.
fn is_kept(stored: &str, offered: ConsensusSource) -> bool {
    stored != ConsensusSource::Presence.name() || offered == ConsensusSource::Presence
}

/// The hours that `offered` may not change, earliest first.
fn hours_kept(conn: &Connection, offered: &BTreeMap<i32, &ConsensusInfo>) -> Result<Vec<i32>, Failure> {
    let mut statement = conn.prepare("SELECT hour, source FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let (hour, source) = (hour(row, 0)?.get(), row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
        if offered.get(&hour).is_none_or(|info| is_kept(source, info.source)) {
            kept.push(hour);
        }
    }
    Ok(kept)
}

/// Records that the consensus of an hour is known.
fn record_consensus(conn: &Connection, info: &ConsensusInfo, totals: Totals) -> Result<(), Failure> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO consensuses (hour, source, verified, received_at, n_listed, n_running, n_guard, n_exit, places)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        info.hour.get(),
        info.source.name(),
        info.verified,
        info.received_at.to_string(),
        totals.n_listed,
        totals.n_running,
        totals.n_guard,
        totals.n_exit,
        info.source.has_locations(),
    ])?;
    Ok(())
}

/// Relay and state as numbers, and the flags for counting; of a relay listed twice the later entry.
fn offered_states(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    listed: &[Listed],
    source: ConsensusSource,
    last_locations: Option<&LastLocations<'_>>,
) -> Result<BTreeMap<i64, (i64, RelayFlags)>, Failure> {
    let mut states = RelayStates::load(conn)?;
    let mut offered = BTreeMap::new();
    for Listed { fingerprint, state, address, .. } in listed {
        let relay_id = relay_ids.id(conn, fingerprint)?;
        let located = match last_locations {
            Some(locations) => locations.carry(&states, relay_id, state, *address)?,
            None if source.has_locations() => LocatedState { state: state.clone(), moved: false },
            None => LocatedState { state: RelayState { country: None, asn: None, ..state.clone() }, moved: false },
        };
        offered.insert(relay_id, (states.id(conn, &located)?, state.flags));
    }
    Ok(offered)
}

/// A consensus newer than all others: closes the open spans that do not go on and opens those that begin.
fn extend_open_spans(conn: &Connection, newest: Option<i32>, hour: i32, mut beginning: BTreeMap<i64, i64>) -> Result<(), Failure> {
    let mut ending = Vec::new();
    for (relay_id, start, state_id) in open_spans(conn)? {
        if beginning.get(&relay_id) == Some(&state_id) {
            beginning.remove(&relay_id);
        } else {
            ending.push((relay_id, start));
        }
    }
    let mut close = conn.prepare_cached("UPDATE spans SET end_hour = ? WHERE relay_id = ? AND start_hour = ?")?;
    for (relay_id, start) in ending {
        close.execute(params![newest.map(|newest| newest + 1), relay_id, start])?;
    }
    let mut open = conn.prepare_cached("INSERT INTO spans (relay_id, start_hour, end_hour, state_id) VALUES (?, ?, NULL, ?)")?;
    for (relay_id, state_id) in beginning {
        open.execute(params![relay_id, hour, state_id])?;
    }
    Ok(())
}

/// Merges runs at additional hours into the stored spans and writes what changes; returns the relays that it looked at.
///
/// Only spans that touch the stretch from the known hour before the first additional one to the known hour after the last
/// one can change, so only these are read.
fn merge_runs(conn: &Connection, calendar: &Calendar, mut offered: BTreeMap<i64, Vec<Run>>) -> Result<BTreeSet<i64>, Failure> {
    let (Some(first), Some(last)) = (calendar.additional().next(), calendar.additional().last()) else { return Ok(BTreeSet::new()) };
    let old_newest = newest_hour(conn)?;
    let mut stored = touched_spans(conn, first, last, old_newest)?;
    let mut writer = SpanWriter::new(conn, old_newest, calendar.last())?;
    let touched: BTreeSet<i64> = stored.keys().chain(offered.keys()).copied().collect();
    for relay_id in &touched {
        let old = stored.remove(relay_id).unwrap_or_default();
        let additional = offered.remove(relay_id).unwrap_or_default();
        writer.replace(*relay_id, &old, &calendar.merge(&old, &additional))?;
    }
    Ok(touched)
}

/// The consensus that a details document stands for.
pub(super) fn details_consensus(hour: ConsensusHour, received_at: Timestamp) -> ConsensusInfo {
    ConsensusInfo { hour, source: ConsensusSource::Details, verified: false, received_at }
}
