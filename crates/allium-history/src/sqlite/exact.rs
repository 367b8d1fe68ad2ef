//! The exact history with its totals and relays, in one reading.

use allium_model::ConsensusHour;
use rusqlite::{Connection, Row};

use super::columns::{hour, parsed};
use super::failure::Failure;
use super::{load, timeline};
use crate::consensus::{ConsensusInfo, ConsensusSource, ExactHistory, KnownConsensus};

/// Reads it from a store.
pub(super) fn load(conn: &Connection) -> Result<ExactHistory, Failure> {
    Ok(ExactHistory { consensuses: consensuses(conn, None)?, timeline: timeline::load(conn, None)?, relays: load::relays(conn)? })
}

/// Reads it as it was known at an hour.
pub(super) fn load_as_of(conn: &Connection, until: ConsensusHour) -> Result<ExactHistory, Failure> {
    Ok(ExactHistory {
        consensuses: consensuses(conn, Some(until))?,
        timeline: timeline::load(conn, Some(until))?,
        relays: load::relays_as_of(conn, until)?,
    })
}

/// The known consensuses, earliest first.
pub(super) fn consensuses(conn: &Connection, until: Option<ConsensusHour>) -> Result<Vec<KnownConsensus>, Failure> {
    let mut statement = conn.prepare(
        "SELECT hour, source, verified, received_at, n_listed, n_running, n_guard, n_exit FROM consensuses
         WHERE hour <= ? AND hour NOT IN (SELECT hour FROM temp.left_out) ORDER BY hour",
    )?;
    let mut rows = statement.query([until.map_or(i32::MAX, ConsensusHour::get)])?;
    let mut consensuses = Vec::new();
    while let Some(row) = rows.next()? {
        consensuses.push(consensus(row)?);
    }
    Ok(consensuses)
}

fn consensus(row: &Row<'_>) -> Result<KnownConsensus, Failure> {
    let hour = hour(row, 0)?;
    let source: String = row.get(1)?;
    let info = ConsensusInfo {
        hour,
        source: ConsensusSource::from_name(&source)
            .ok_or_else(|| Failure::Corrupt(format!("consensus of {hour} from unknown source {source:?}")))?,
        verified: row.get(2)?,
        received_at: parsed(row, 3)?.ok_or_else(|| Failure::Corrupt(format!("consensus of {hour} without the time of its receipt")))?,
    };
    let number = |i| row.get::<_, i64>(i).map(i64::cast_unsigned);
    Ok(KnownConsensus { info, n_listed: number(4)?, n_running: number(5)?, n_guard: number(6)?, n_exit: number(7)? })
}
