//! The exact history: consensuses in, spans out, whatever order they come in.
//!
//! Spans are kept in the canonical form of [`crate::merge`], except that a span through the newest consensus has no end.
//! So a relay that is unchanged in a consensus newer than all others costs no write. Any other consensus touches only the
//! spans around its hour.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use allium_model::{ConsensusHour, Fingerprint, Known, RelayFlag, RelayFlags, RelayState, StateSpan};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Error, Failure};
use crate::merge::{Calendar, Run};
use crate::places::{LastPlaces, Placed, settle};
use crate::relays::{RelayIds, hour, optional_hour, parsed};
use crate::{AppliedSpans, ConsensusInfo, ConsensusSource, Listed};

/// Totals of one consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) n_listed: i64,
    pub(crate) n_running: i64,
    pub(crate) n_guard: i64,
    pub(crate) n_exit: i64,
}

impl Totals {
    /// Counts `n` relays with these flags; guards and exits count where Running.
    pub(crate) fn add(&mut self, flags: RelayFlags, n: i64) {
        let running = flags.contains(RelayFlag::Running);
        self.n_listed += n;
        self.n_running += if running { n } else { 0 };
        self.n_guard += if running && flags.contains(RelayFlag::Guard) { n } else { 0 };
        self.n_exit += if running && flags.contains(RelayFlag::Exit) { n } else { 0 };
    }

    /// Adds the difference from one consensus to the next.
    pub(crate) fn accumulate(&mut self, change: Self) {
        self.n_listed += change.n_listed;
        self.n_running += change.n_running;
        self.n_guard += change.n_guard;
        self.n_exit += change.n_exit;
    }
}

/// The dictionary of states, for writing.
pub(crate) struct States {
    ids: HashMap<Placed, i64>,
    contents: HashMap<i64, Placed>,
}

impl States {
    pub(crate) fn load(conn: &Connection) -> Result<Self, Failure> {
        let contents = placed_states(conn)?;
        Ok(Self { ids: contents.iter().map(|(id, placed)| (placed.clone(), *id)).collect(), contents: contents.into_iter().collect() })
    }

    /// The state with a number.
    pub(crate) fn content(&self, id: i64) -> Result<Placed, Failure> {
        self.contents.get(&id).cloned().ok_or_else(|| Failure::Corrupt(format!("state {id} is missing")))
    }

    /// The number of a state, if it has one.
    pub(crate) fn find(&self, placed: &Placed) -> Option<i64> {
        self.ids.get(placed).copied()
    }

    /// The number of a state, given to it where it has none.
    pub(crate) fn id(&mut self, conn: &Connection, placed: &Placed) -> Result<i64, Failure> {
        if let Some(id) = self.find(placed) {
            return Ok(id);
        }
        let state = &placed.state;
        conn.prepare_cached("INSERT INTO states (flags, country, asn, version, moved) VALUES (?, ?, ?, ?, ?)")?.execute(params![
            state.flags.bits(),
            state.country.map(|country| country.to_string()),
            state.asn.map(|asn| asn.0),
            state.version.as_deref(),
            placed.moved,
        ])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(placed.clone(), id);
        self.contents.insert(id, placed.clone());
        Ok(id)
    }
}

/// Every state by its number.
pub(crate) fn states(conn: &Connection) -> Result<BTreeMap<i64, RelayState>, Failure> {
    Ok(placed_states(conn)?.into_iter().map(|(id, placed)| (id, placed.state)).collect())
}

fn placed_states(conn: &Connection) -> Result<BTreeMap<i64, Placed>, Failure> {
    let mut statement = conn.prepare("SELECT id, flags, country, asn, version, moved FROM states")?;
    let mut rows = statement.query([])?;
    let mut states = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let state = RelayState {
            flags: RelayFlags::from_bits(row.get(1)?),
            country: parsed(row, 2)?,
            asn: row.get::<_, Option<u32>>(3)?.map(allium_model::Asn),
            version: row.get::<_, Option<String>>(4)?.map(Into::into),
        };
        states.insert(row.get(0)?, Placed { state, moved: row.get(5)? });
    }
    Ok(states)
}

/// The newest hour whose consensus is known.
pub(crate) fn newest_hour(conn: &Connection) -> Result<Option<i32>, Failure> {
    Ok(conn.query_row("SELECT max(hour) FROM consensuses", [], |row| row.get(0))?)
}

/// The hours whose consensus is known, earliest first.
pub(crate) fn known_hours(conn: &Connection) -> Result<Vec<ConsensusHour>, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM consensuses ORDER BY hour")?;
    let mut rows = statement.query([])?;
    let mut hours = Vec::new();
    while let Some(row) = rows.next()? {
        hours.push(hour(row, 0)?);
    }
    Ok(hours)
}

/// The known hours up to and including `until`, and of which of them only a list of running relays is known.
pub(crate) fn known(conn: &Connection, until: ConsensusHour) -> Result<Known, Failure> {
    let mut statement = conn.prepare("SELECT hour FROM consensuses WHERE source = ?")?;
    let mut rows = statement.query([ConsensusSource::Presence.name()])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push(hour(row, 0)?);
    }
    let hours = known_hours(conn)?.into_iter().filter(|hour| *hour <= until).collect();
    Ok(Known::with_listed(hours, &Known::new(listed)))
}

/// The hours whose consensus is known, as bare numbers.
pub(crate) fn known_hour_numbers(conn: &Connection) -> Result<Vec<i32>, Failure> {
    Ok(known_hours(conn)?.into_iter().map(ConsensusHour::get).collect())
}

/// Whether an hour that `stored` brought is known well enough to turn `offered` away: of a list of running relays any other
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

/// Takes one consensus in; `false` if that hour is known well enough already, and then nothing is done.
pub(crate) fn append_consensus(
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
    let last_places = if is_newest && !info.source.tells_places() { Some(LastPlaces::load(conn, info.hour)?) } else { None };
    let offered = offered_states(conn, relay_ids, listed, info.source, last_places.as_ref())?;
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
pub(crate) fn append_spans(
    conn: &Connection,
    consensuses: &[ConsensusInfo],
    spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
) -> Result<AppliedSpans, Failure> {
    let offered_hours: BTreeMap<i32, &ConsensusInfo> = consensuses.iter().rev().map(|info| (info.hour.get(), info)).collect();
    let calendar = Calendar::new(&hours_kept(conn, &offered_hours)?, &offered_hours.keys().copied().collect::<Vec<_>>());
    let additional: Vec<i32> = calendar.additional().collect();
    let (mut relay_ids, mut states) = (RelayIds::load(conn)?, States::load(conn)?);
    let (mut runs, mut changes) = (BTreeMap::<i64, Vec<Run>>::new(), vec![Totals::default(); additional.len() + 1]);
    for (fingerprint, StateSpan { start, end, state }) in spans {
        let place = |hour: ConsensusHour| additional.partition_point(|known| *known < hour.get());
        if place(start) < place(end) {
            changes[place(start)].add(state.flags, 1);
            changes[place(end)].add(state.flags, -1);
            // Whether the places of a pack or of none: settled below where they are not told.
            let run = Run { start: start.get(), end: end.get(), state: states.id(conn, &Placed { state, moved: false })? };
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

/// Adds a run in its place among those of its relay; `None` if it overlaps one of them.
fn push_run(runs: &mut Vec<Run>, run: Run) -> Option<()> {
    let place = runs.partition_point(|other| other.start < run.start);
    let is_free = place.checked_sub(1).is_none_or(|before| runs[before].end <= run.start)
        && runs.get(place).is_none_or(|after| after.start >= run.end);
    is_free.then(|| runs.insert(place, run))
}

/// Notes that the consensus of an hour is known.
pub(crate) fn record_consensus(conn: &Connection, info: &ConsensusInfo, totals: Totals) -> Result<(), Failure> {
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
        info.source.tells_places(),
    ])?;
    Ok(())
}

/// Relay and state as numbers, and the flags for counting; of a relay listed twice the later entry.
fn offered_states(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    listed: &[Listed],
    source: ConsensusSource,
    last_places: Option<&LastPlaces<'_>>,
) -> Result<BTreeMap<i64, (i64, RelayFlags)>, Failure> {
    let mut states = States::load(conn)?;
    let mut offered = BTreeMap::new();
    for Listed { fingerprint, state, address, .. } in listed {
        let relay_id = relay_ids.id(conn, fingerprint)?;
        let placed = match last_places {
            Some(places) => places.carry(&states, relay_id, state, *address)?,
            None if source.tells_places() => Placed { state: state.clone(), moved: false },
            None => Placed { state: RelayState { country: None, asn: None, ..state.clone() }, moved: false },
        };
        offered.insert(relay_id, (states.id(conn, &placed)?, state.flags));
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

/// Relay, start and state of the spans through the newest consensus.
fn open_spans(conn: &Connection) -> Result<Vec<(i64, i32, i64)>, Failure> {
    let mut statement =
        conn.prepare_cached("SELECT relay_id, start_hour, state_id FROM spans INDEXED BY open_spans WHERE end_hour IS NULL")?;
    let spans = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    Ok(spans)
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

/// The spans that reach to the known hour before `first` or start no later than the known hour after `last`.
fn touched_spans(conn: &Connection, first: i32, last: i32, newest: Option<i32>) -> Result<BTreeMap<i64, Vec<Run>>, Failure> {
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
pub(crate) struct SpanWriter<'a> {
    delete: rusqlite::CachedStatement<'a>,
    insert: rusqlite::CachedStatement<'a>,
    old_open_end: Option<i32>,
    new_open_end: Option<i32>,
}

impl<'a> SpanWriter<'a> {
    pub(crate) fn new(conn: &'a Connection, old_newest: Option<i32>, new_newest: Option<i32>) -> Result<Self, Failure> {
        Ok(Self {
            delete: conn.prepare_cached("DELETE FROM spans WHERE relay_id = ? AND start_hour = ?")?,
            insert: conn.prepare_cached("INSERT INTO spans (relay_id, start_hour, end_hour, state_id) VALUES (?, ?, ?, ?)")?,
            old_open_end: old_newest.map(|hour| hour + 1),
            new_open_end: new_newest.map(|hour| hour + 1),
        })
    }

    pub(crate) fn replace(&mut self, relay_id: i64, old: &[Run], new: &[Run]) -> Result<(), Failure> {
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

/// The consensus that a details document stands for.
pub(crate) fn details_consensus(hour: ConsensusHour, received_at: allium_model::Timestamp) -> ConsensusInfo {
    ConsensusInfo { hour, source: ConsensusSource::Details, verified: false, received_at }
}
