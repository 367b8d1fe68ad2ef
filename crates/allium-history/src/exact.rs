//! The exact history with its totals and relays, in one reading.

use rusqlite::{Connection, Row};

use crate::error::Failure;
use crate::history::{ConsensusInfo, ConsensusSource, ExactHistory, KnownConsensus};
use crate::relays::{hour, parsed};
use crate::{load, timeline};

/// Reads it from a store.
pub(crate) fn load(conn: &Connection) -> Result<ExactHistory, Failure> {
    Ok(ExactHistory { consensuses: consensuses(conn)?, timeline: timeline::load(conn)?, relays: load::relays(conn)? })
}

/// The known consensuses, earliest first.
fn consensuses(conn: &Connection) -> Result<Vec<KnownConsensus>, Failure> {
    let mut statement =
        conn.prepare("SELECT hour, source, verified, received_at, n_listed, n_running, n_guard, n_exit FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
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
