//! Rows for the questions about sizes: spans, hourly numbers and sums become the pure types of [`crate::figures`].

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use allium_model::{ConsensusHour, Fingerprint, RelayState};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use super::hours::{left_out, newest_hour};
use super::measures::each_day;
use super::network_weights::network_weights;
use super::relay_states::states;
use crate::figures::groups::Groups;
use crate::figures::past::Past;
use crate::figures::{GroupHour, GroupKey, Grouping, RelayDay};

/// The past of one relay or all at the hours `[from, to)`.
fn load(conn: &Connection, from: ConsensusHour, to: ConsensusHour, relay_id: Option<i64>) -> Result<Past, Failure> {
    let open_end = newest_hour(conn)?.map_or(i32::MIN, |newest| newest + 1);
    let (ids, states): (Vec<i64>, Vec<RelayState>) = states(conn)?.into_iter().unzip();
    let mut statement = conn.prepare(
        "SELECT relay_id, start_hour, end_hour, state_id FROM spans
         WHERE start_hour < ?2 AND ifnull(end_hour > ?1, 1) AND relay_id = ifnull(?3, relay_id) ORDER BY relay_id, start_hour",
    )?;
    let mut rows = statement.query(params![from.get(), to.get(), relay_id])?;
    let mut spans: HashMap<i64, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let end = row.get::<_, Option<i32>>(2)?.unwrap_or(open_end);
        let state = ids.binary_search(&row.get(3)?).map_err(|_| Failure::Corrupt("a span whose state is missing".into()))?;
        spans.entry(row.get(0)?).or_default().push((row.get(1)?..end, state));
    }
    Ok(Past { asked: from.get()..to.get(), left_out: left_out(conn)?, network: network_weights(conn, from, to)?, states, spans })
}

/// The days of one relay in `[from, to)`; days of which nothing is known are missing.
pub(super) fn relay_days(conn: &Connection, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Failure> {
    let mut find = conn.prepare("SELECT id FROM relays WHERE fingerprint = ?")?;
    let Some(relay_id) = find.query_row([relay.as_bytes()], |row| row.get(0)).optional()? else { return Ok(Vec::new()) };
    let past = load(conn, from, to, Some(relay_id))?;
    let mut days = Vec::new();
    each_day(conn, from, to, |first, day| {
        days.extend(day.0.get(&relay_id).and_then(|measured| past.relay_day(relay_id, first, measured)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(days)
}

/// Gives the days of every relay in `[from, to)` to `take` by day and fingerprint, until it has enough.
pub(super) fn each_relay_day(
    conn: &Connection,
    from: ConsensusHour,
    to: ConsensusHour,
    take: &mut dyn FnMut(&Fingerprint, &RelayDay) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut relays = conn.prepare("SELECT fingerprint, id FROM relays ORDER BY fingerprint")?;
    let relays: Vec<(Fingerprint, i64)> =
        relays.query_map([], |row| Ok((Fingerprint::new(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    let past = load(conn, from, to, None)?;
    each_day(conn, from, to, |first, day| {
        for (fingerprint, relay_id) in &relays {
            let known = day.0.get(relay_id).and_then(|measured| past.relay_day(*relay_id, first, measured));
            if known.is_some_and(|known| take(fingerprint, &known).is_break()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The hours of each group in `[from, to)`; hours of which nothing is known are missing.
pub(super) fn group_hours(
    conn: &Connection,
    by: Grouping,
    from: ConsensusHour,
    to: ConsensusHour,
) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Failure> {
    let mut groups: BTreeMap<GroupKey, Vec<GroupHour>> = BTreeMap::new();
    each_group_hour(conn, by, from, to, &mut |key, hour| {
        groups.entry(*key).or_default().push(hour.clone());
        ControlFlow::Continue(())
    })?;
    Ok(groups)
}

/// Gives them to `take` by hour and group, until it has enough.
pub(super) fn each_group_hour(
    conn: &Connection,
    by: Grouping,
    from: ConsensusHour,
    to: ConsensusHour,
    take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let past = load(conn, from, to, None)?;
    let groups = Groups::new(by, &past.states);
    each_day(conn, from, to, |first, day| {
        let taken = groups.hours(&past, first, day).try_for_each(|(key, hour)| take(key, &hour));
        Ok(taken)
    })
}
