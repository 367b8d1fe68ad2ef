//! The hours whose consensus is known.

use std::collections::BTreeSet;

use allium_model::{ConsensusHour, Known};
use rusqlite::Connection;

use super::columns::hour;
use super::failure::Failure;
use crate::consensus::ConsensusSource;
use crate::spans::locations::KnownLocations;

/// The newest hour whose consensus is known.
pub(super) fn newest_hour(conn: &Connection) -> Result<Option<i32>, Failure> {
    Ok(conn.query_row("SELECT max(hour) FROM consensuses", [], |row| row.get(0))?)
}

/// The hours whose consensus is known, earliest first.
pub(super) fn known_hours(conn: &Connection) -> Result<Vec<ConsensusHour>, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
    let mut hours = Vec::new();
    while let Some(row) = rows.next()? {
        hours.push(hour(row, 0)?);
    }
    Ok(hours)
}

/// The hours that this connection leaves out of its answers.
pub(super) fn left_out(conn: &Connection) -> Result<BTreeSet<i32>, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM temp.left_out")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The known hours up to and including `until` that are not left out; those of which only a list of running relays is known are marked.
pub(super) fn known(conn: &Connection, until: ConsensusHour) -> Result<Known, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM consensuses WHERE source = ?")?;
    let mut rows = statement.query([ConsensusSource::Presence.name()])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(hour(row, 0)?);
    }
    let left_out = left_out(conn)?;
    let hours = known_hours(conn)?.into_iter().filter(|hour| *hour <= until && !left_out.contains(&hour.get())).collect();
    Ok(Known::with_listed(hours, &Known::new(listed)))
}

/// The hours whose consensus is known, as bare numbers.
pub(super) fn known_hour_numbers(conn: &Connection) -> Result<Vec<i32>, Failure> {
    Ok(known_hours(conn)?.into_iter().map(ConsensusHour::get).collect())
}

/// The known hours, and those of them that have locations.
pub(super) fn known_locations(conn: &Connection) -> Result<KnownLocations, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM consensuses WHERE places ORDER BY hour")?;
    let located = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(KnownLocations::new(known_hour_numbers(conn)?, located))
}
