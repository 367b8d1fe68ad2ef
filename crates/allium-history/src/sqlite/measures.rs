//! Consensus weights and bandwidths, in and out.
//!
//! Input: the weights in consensuses and details documents, the bandwidths in details documents. Kept are these numbers for each
//! relay and hour, one compact blob per day ([`crate::blob::day`]), and for each hour the sums from which selection probabilities follow
//! ([`super::network_weights`]). Answers are made from both when they are asked for ([`super::sizes`]), so the order in which things
//! become known does not matter.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allium_model::{BandwidthWeights, ConsensusHour, Fingerprint, Relay, RelayFlags, WeightRole};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::failure::Failure;
use super::network_weights::network_weights;
use super::relay_ids::RelayIds;
use crate::blob::day::{ADVERTISED, DAY_HOURS, Day, OBSERVED, WEIGHT, day_of};
use crate::consensus::{ConsensusSource, ConsensusWeights};

/// The day that is written to; stored when another one is.
struct Editor<'a> {
    conn: &'a Connection,
    open: Option<(i32, Day)>,
}

impl<'a> Editor<'a> {
    fn new(conn: &'a Connection) -> Self {
        Self { conn, open: None }
    }

    fn day(&mut self, day: i32) -> Result<&mut Day, Failure> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            self.store()?;
            self.open = Some((day, read_day(self.conn, day)?));
        }
        Ok(&mut self.open.as_mut().expect("just opened").1)
    }

    fn store(&mut self) -> Result<(), Failure> {
        if let Some((day, content)) = self.open.take() {
            let mut insert = self.conn.prepare_cached("INSERT OR REPLACE INTO measures (day, figures) VALUES (?, ?)")?;
            insert.execute(params![day, content.encode()])?;
        }
        Ok(())
    }
}

pub(super) fn read_day(conn: &Connection, day: i32) -> Result<Day, Failure> {
    let mut statement = conn.prepare_cached("SELECT figures FROM measures WHERE day = ?")?;
    let blob: Option<Vec<u8>> = statement.query_row([day], |row| row.get(0)).optional()?;
    blob.map_or_else(|| Ok(Day::default()), |blob| decoded(&blob, day))
}

fn decoded(blob: &[u8], day: i32) -> Result<Day, Failure> {
    Day::decode(blob).map_err(|reason| Failure::Corrupt(format!("figures of day {day}: {reason}")))
}

/// Takes in the weights of consensuses whose weights are not known, or only from details documents; returns of how many.
pub(super) fn add_weights(conn: &Connection, relay_ids: &mut RelayIds, consensuses: &[ConsensusWeights]) -> Result<usize, Failure> {
    let mut editor = Editor::new(conn);
    let mut n_added = 0;
    for ConsensusWeights { hour, source, listed, bandwidth_weights } in consensuses {
        let stored: Option<String> =
            conn.prepare_cached("SELECT source FROM hour_weights WHERE hour = ?")?.query_row([hour.get()], |row| row.get(0)).optional()?;
        let (details, is_details) = (ConsensusSource::Details.name(), *source == ConsensusSource::Details);
        if listed.is_empty() || stored.as_deref().is_some_and(|stored| stored != details || is_details) {
            continue;
        }
        let (day, hour_of_day) = day_of(hour.get());
        let day = editor.day(day)?;
        if stored.is_some() {
            day.clear(WEIGHT, hour_of_day);
        }
        // Of a relay listed twice the later entry counts.
        let listed: BTreeMap<Fingerprint, (RelayFlags, u64)> =
            listed.iter().map(|(fingerprint, flags, weight)| (*fingerprint, (*flags, *weight))).collect();
        let mut sums = [0u128; 4];
        for (fingerprint, (flags, weight)) in listed {
            day.set(relay_ids.id(conn, &fingerprint)?, WEIGHT, hour_of_day, Some(weight));
            sums[WeightRole::of_flags(flags) as usize] += u128::from(weight);
        }
        store_sums(conn, *hour, *source, &sums, bandwidth_weights)?;
        n_added += 1;
    }
    editor.store()?;
    Ok(n_added)
}

fn store_sums(
    conn: &Connection,
    hour: ConsensusHour,
    source: ConsensusSource,
    sums: &[u128; 4],
    bandwidth_weights: &BandwidthWeights,
) -> Result<(), Failure> {
    let [guard, exit, both, middle] = sums.map(|sum| i64::try_from(sum).unwrap_or(i64::MAX));
    let weights = (!bandwidth_weights.is_empty()).then(|| serde_json::json!(bandwidth_weights.by_name()).to_string());
    conn.prepare_cached(
        "INSERT OR REPLACE INTO hour_weights (hour, source, guard_weight, exit_weight, both_weight, middle_weight, bandwidth_weights)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![hour.get(), source.name(), guard, exit, both, middle, weights])?;
    Ok(())
}

/// Takes in the bandwidths in a details document.
pub(super) fn add_bandwidths(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, relays: &[&Relay]) -> Result<(), Failure> {
    let measured: Vec<_> = relays
        .iter()
        .filter(|relay| relay.running && (relay.advertised_bandwidth.is_some() || relay.observed_bandwidth.is_some()))
        .collect();
    if measured.is_empty() {
        return Ok(());
    }
    let (mut editor, (day, hour_of_day)) = (Editor::new(conn), day_of(hour.get()));
    let day = editor.day(day)?;
    for relay in measured {
        let relay_id = relay_ids.id(conn, &relay.fingerprint)?;
        day.set(relay_id, ADVERTISED, hour_of_day, relay.advertised_bandwidth);
        day.set(relay_id, OBSERVED, hour_of_day, relay.observed_bandwidth);
    }
    editor.store()
}

/// Calls `take` with each day that touches the hours `[from, to)` and its first hour, until it has enough.
pub(super) fn each_day(
    conn: &Connection,
    from: ConsensusHour,
    to: ConsensusHour,
    mut take: impl FnMut(i32, &Day) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT day, figures FROM measures WHERE day >= ? AND day <= ? ORDER BY day")?;
    let last = to.get().saturating_sub(1);
    let mut rows = statement.query([day_of(from.get()).0, day_of(last).0])?;
    while let Some(row) = rows.next()? {
        let day: i32 = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if take(day.saturating_mul(DAY_HOURS), &decoded(blob, day)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Forgets weights and bandwidths before an hour.
pub(super) fn prune(conn: &Connection, before: i32) -> Result<(), Failure> {
    let (day, hour_of_day) = day_of(before);
    conn.execute("DELETE FROM hour_weights WHERE hour < ?", [before])?;
    conn.execute("DELETE FROM measures WHERE day < ?", [day])?;
    keep_of_day(conn, day, |hour| hour >= hour_of_day)
}

/// Forgets weights and bandwidths after an hour; returns the number of hours whose weights are gone.
pub(super) fn forget_after(conn: &Connection, last: i32) -> Result<usize, Failure> {
    let (day, hour_of_day) = day_of(last);
    let n_hours = conn.execute("DELETE FROM hour_weights WHERE hour > ?", [last])?;
    conn.execute("DELETE FROM measures WHERE day > ?", [day])?;
    keep_of_day(conn, day, |hour| hour <= hour_of_day)?;
    Ok(n_hours)
}

/// Forgets the hours of a day that are not kept.
fn keep_of_day(conn: &Connection, day: i32, is_kept: impl Fn(u32) -> bool) -> Result<(), Failure> {
    let mut kept = read_day(conn, day)?;
    if kept.0.is_empty() {
        return Ok(());
    }
    kept.keep(is_kept);
    Editor { conn, open: Some((day, kept)) }.store()
}

/// Forgets days of which weights and their sums are not of the same hours, or whose relays are not all known.
pub(super) fn forget_incoherent(conn: &Connection) -> Result<(), Failure> {
    let mut days = conn.prepare("SELECT day FROM measures UNION SELECT hour / 24 FROM hour_weights")?;
    let days: Vec<i32> = days.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for day in days {
        if !is_coherent(conn, day)? {
            conn.execute("DELETE FROM measures WHERE day = ?", [day])?;
            conn.execute("DELETE FROM hour_weights WHERE hour / 24 = ?", [day])?;
        }
    }
    Ok(())
}

fn is_coherent(conn: &Connection, day: i32) -> Result<bool, Failure> {
    let Ok(content) = read_day(conn, day) else { return Ok(false) };
    let mut known = conn.prepare_cached("SELECT count(*) FROM relays WHERE id = ?")?;
    for id in content.0.keys() {
        if known.query_row([id], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(false);
        }
    }
    let mut hours = conn.prepare_cached("SELECT hour % 24 FROM hour_weights WHERE hour / 24 = ?")?;
    let hours: Vec<u32> = hours.query_map([day], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let summed = hours.iter().fold(0, |mask, hour| mask | 1 << hour);
    Ok(content.0.values().fold(0, |mask, measured| mask | measured[WEIGHT].mask) == summed)
}

/// Every blob decodes, names relays that exist, and has weights at exactly the hours that are in `hour_weights`; returns the problems.
pub(super) fn problems(conn: &Connection) -> Result<Vec<String>, Failure> {
    let relay_ids: std::collections::HashSet<i64> =
        conn.prepare("SELECT id FROM relays")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut expected: std::collections::BTreeSet<i32> =
        conn.prepare("SELECT hour FROM hour_weights")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut problems = Vec::new();
    let (first, last) = (ConsensusHour::new(-90_000_000), ConsensusHour::new(90_000_000));
    network_weights(conn, first, last)?;
    each_day(conn, first, last, |first, day| {
        if let Some(unknown) = day.0.keys().find(|id| !relay_ids.contains(id)) {
            problems.push(format!("figures of the day from hour {first}: relay {unknown} does not exist"));
        }
        let mask = day.0.values().fold(0, |mask, measured| mask | measured[WEIGHT].mask);
        for hour in (0..24).filter(|hour| mask & (1 << hour) != 0).map(|hour| first + hour) {
            if !expected.remove(&hour) {
                problems.push(format!("figures of hour {hour}: weights without their sums"));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    problems.extend(expected.iter().map(|hour| format!("figures of hour {hour}: sums without weights")));
    Ok(problems)
}
