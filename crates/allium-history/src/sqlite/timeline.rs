//! The timeline from rows of spans.

use allium_model::{ConsensusHour, Fingerprint, Known};
use rusqlite::Connection;

use super::columns::{hour, optional_hour};
use super::failure::Failure;
use super::hours::known;
use super::relay_states::states;
use crate::timeline::{IndexSpan, RelayTimeline, Timeline};

/// Reads the timeline from a store, through an hour where one is given. What comes later leaves no trace in it.
pub(super) fn load(conn: &Connection, until: Option<ConsensusHour>) -> Result<Timeline, Failure> {
    let known = known(conn, until.unwrap_or(ConsensusHour::new(i32::MAX)))?;
    let states = states(conn)?;
    let relays = load_spans(conn, &known, &states.keys().copied().collect::<Vec<_>>())?;
    Ok(Timeline::new(known, states.into_values().collect(), relays))
}

/// The spans of each relay; a state is its index in the list of numbers.
fn load_spans(conn: &Connection, known: &Known, state_ids: &[i64]) -> Result<Vec<RelayTimeline>, Failure> {
    let mut statement = conn.prepare(
        "SELECT r.id, r.fingerprint, s.start_hour, s.end_hour, s.state_id FROM spans s JOIN relays r ON r.id = s.relay_id
         ORDER BY s.relay_id, s.start_hour",
    )?;
    let mut rows = statement.query([])?;
    let mut relays: Vec<RelayTimeline> = Vec::new();
    let mut previous = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if previous.replace(id) != Some(id) {
            relays.push(RelayTimeline { fingerprint: Fingerprint::new(row.get(1)?), spans: Vec::new() });
        }
        let end = optional_hour(row, 3)?.map_or(known.hours().len(), |end| known.index_of(end));
        let start = known.index_of(hour(row, 2)?);
        let state = state_ids.binary_search(&row.get(4)?).map_err(|_| Failure::Corrupt("a span whose state is missing".into()))?;
        if let Some(relay) = relays.last_mut().filter(|_| start < end) {
            relay.spans.push(IndexSpan { start: start as u32, end: end as u32, state: state as u32 });
        }
    }
    Ok(relays)
}
