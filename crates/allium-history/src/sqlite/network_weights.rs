//! Selection probabilities by hour, from the sums and bandwidth weights in `hour_weights`.

use std::collections::{BTreeMap, HashMap};

use allium_model::{BandwidthWeights, ConsensusHour, SelectionProbabilities};
use rusqlite::{Connection, Row};

use super::columns::hour;
use super::failure::Failure;

/// The probabilities at the weighed hours of `[from, to)`.
pub(super) fn network_weights(
    conn: &Connection,
    from: ConsensusHour,
    to: ConsensusHour,
) -> Result<HashMap<i32, SelectionProbabilities>, Failure> {
    let mut statement = conn.prepare(
        "SELECT hour, guard_weight, exit_weight, both_weight, middle_weight, bandwidth_weights FROM hour_weights
         WHERE hour >= ? AND hour < ? AND hour NOT IN (SELECT hour FROM temp.left_out)",
    )?;
    let mut rows = statement.query([from.get(), to.get()])?;
    let mut by_hour = HashMap::new();
    while let Some(row) = rows.next()? {
        let at = hour(row, 0)?.get();
        let weights = bandwidth_weights(row, 5, at)?;
        let by_role: [i64; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        let factors = weights.as_ref().map(Into::into);
        by_hour.insert(at, SelectionProbabilities::new(by_role.map(|sum| sum as f64), factors));
    }
    Ok(by_hour)
}

fn bandwidth_weights(row: &Row<'_>, i: usize, hour: i32) -> Result<Option<BandwidthWeights>, Failure> {
    let Some(json) = row.get::<_, Option<String>>(i)? else { return Ok(None) };
    let by_name: BTreeMap<String, i64> =
        serde_json::from_str(&json).map_err(|_| Failure::Corrupt(format!("bandwidth weights of hour {hour}")))?;
    Ok(Some(by_name.into()))
}
