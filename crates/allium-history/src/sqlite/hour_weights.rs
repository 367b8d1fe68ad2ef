//! The consensus weights of all relays at single hours.

use std::collections::HashMap;

use allium_model::{ConsensusHour, Fingerprint};
use rusqlite::{Connection, OptionalExtension as _};

use super::failure::Failure;
use super::measures::read_day;
use super::network_weights::network_weights;
use super::relay_ids::fingerprints;
use crate::blob::day::{WEIGHT, day_of};
use crate::figures::HourWeights;

/// Gives `take` the weights at the latest weighed hour of each of these ranges, with the index of the range.
pub(super) fn each(
    conn: &Connection,
    ranges: &[(ConsensusHour, ConsensusHour)],
    take: &mut dyn FnMut(usize, &HourWeights),
) -> Result<(), Failure> {
    let wanted = latest_hours(conn, ranges)?;
    let names = if wanted.is_empty() { HashMap::new() } else { fingerprints(conn)? };
    for same in wanted.chunk_by(|a, b| a.0 == b.0) {
        let Some(weights) = at(conn, same[0].0, &names)? else { continue };
        same.iter().for_each(|(_, index)| take(*index, &weights));
    }
    Ok(())
}

/// The latest weighed hour of each range that has one, with the index of the range, by hour.
fn latest_hours(conn: &Connection, ranges: &[(ConsensusHour, ConsensusHour)]) -> Result<Vec<(i32, usize)>, Failure> {
    let mut wanted: Vec<(i32, usize)> = Vec::new();
    let mut latest =
        conn.prepare("SELECT max(hour) FROM hour_weights WHERE hour BETWEEN ? AND ? AND hour NOT IN (SELECT hour FROM temp.left_out)")?;
    for (index, (from, to)) in ranges.iter().enumerate() {
        let hour: Option<Option<i32>> = latest.query_row([from.get(), to.get()], |row| row.get(0)).optional()?;
        wanted.extend(hour.flatten().map(|hour| (hour, index)));
    }
    wanted.sort_unstable();
    Ok(wanted)
}

fn at(conn: &Connection, hour: i32, names: &HashMap<i64, Fingerprint>) -> Result<Option<HourWeights>, Failure> {
    let start = ConsensusHour::new(hour);
    let Some(network) = network_weights(conn, start, start.next())?.remove(&hour) else { return Ok(None) };
    let (day, hour_of_day) = day_of(hour);
    let day = read_day(conn, day)?;
    let weights = day.0.iter().filter_map(|(id, measured)| Some((*names.get(id)?, measured[WEIGHT].get(hour_of_day)?)));
    let mut relays: Vec<(Fingerprint, u64)> = weights.collect();
    relays.sort_unstable();
    Ok(Some(HourWeights { hour: start, relays, network }))
}
