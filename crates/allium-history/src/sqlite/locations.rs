//! Country and AS at hours whose consensus does not tell them.
//!
//! Question: where was a relay when a directory server or CollecTor listed it? Neither knows countries or autonomous systems;
//! details documents and packs do. Input: a relay's runs of equal state, the hours at which country and AS are told, and those
//! at which a consensus named another address than the relay was known to have. Rule: at any other hour they are as last told,
//! however long the relay was gone in between; where nothing was told before, or the address changed since, they are unknown.
//! The rule looks at the past only and at all of it, so the order in which hours become known makes no difference, with one
//! exception: addresses are compared as consensuses arrive, with what is known then.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use allium_model::{ConsensusHour, Relay, RelayState};
use rusqlite::{Connection, params};

use crate::error::Failure;
use crate::merge::Run;
use crate::relays::{RelayIds, hour, optional_hour, parsed_list, parsed_text};
use crate::spans::{SpanWriter, States, known_hour_numbers, newest_hour};

/// A state with what is known of its country and AS: the content of a row of `states`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Placed {
    pub(crate) state: RelayState,
    /// Unknown because the address is another one than that of which they were known.
    pub(crate) moved: bool,
}

impl Placed {
    /// This state, where the other one was.
    pub(crate) fn carried_from(&self, other: &Self) -> Self {
        let state = RelayState { country: other.state.country, asn: other.state.asn, ..self.state.clone() };
        Self { state, moved: other.moved }
    }

    fn is_where(&self, other: &Self) -> bool {
        (self.state.country, self.state.asn, self.moved) == (other.state.country, other.state.asn, other.moved)
    }
}

/// The known hours, and at which of them country and AS are told.
pub(crate) struct Told {
    known: Vec<i32>,
    told: Vec<i32>,
}

impl Told {
    pub(crate) fn load(conn: &Connection) -> Result<Self, Failure> {
        let mut statement = conn.prepare("SELECT hour FROM consensuses WHERE places ORDER BY hour")?;
        let told = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Self { known: known_hour_numbers(conn)?, told })
    }

    /// Whether nothing has to be carried over.
    fn is_everywhere(&self) -> bool {
        self.known.len() == self.told.len()
    }

    /// Whether runs start and end at known hours.
    pub(crate) fn are_known(&self, runs: &[Run]) -> bool {
        let is_known = |hour: i32| self.known.binary_search(&hour).is_ok();
        runs.iter().all(|run| is_known(run.start) && is_known(run.end - 1))
    }

    fn place(&self, hour: i32) -> usize {
        self.known.partition_point(|known| *known < hour)
    }

    /// A relay's runs as they should be. `content` gives a state by its number, `number` the number of a state.
    pub(crate) fn carry(
        &self,
        runs: &[Run],
        mut content: impl FnMut(i64) -> Result<Placed, Failure>,
        mut number: impl FnMut(&Placed) -> Result<i64, Failure>,
    ) -> Result<Vec<Run>, Failure> {
        let mut carried = Vec::with_capacity(runs.len());
        let nowhere = Placed { state: RelayState::default(), moved: false };
        let mut last = nowhere;
        for run in runs {
            let placed = content(run.state)?;
            let first_told = self.told.get(self.told.partition_point(|hour| *hour < run.start)).copied().filter(|hour| *hour < run.end);
            let told_from = if placed.moved { run.start } else { first_told.unwrap_or(run.end) };
            if run.start < told_from {
                let end = if told_from == run.end { run.end } else { self.known[self.place(told_from) - 1] + 1 };
                let state = if placed.is_where(&last) { run.state } else { number(&placed.carried_from(&last))? };
                self.push(&mut carried, Run { start: run.start, end, state });
            }
            if told_from < run.end {
                self.push(&mut carried, Run { start: told_from, ..*run });
                last = placed;
            }
        }
        Ok(carried)
    }

    fn push(&self, runs: &mut Vec<Run>, run: Run) {
        match runs.last_mut() {
            Some(before) if before.state == run.state && self.place(before.end) == self.place(run.start) => before.end = run.end,
            _ => runs.push(run),
        }
    }
}

/// Brings the spans of these relays in order after what is known of the past has changed.
pub(crate) fn settle(conn: &Connection, relay_ids: &BTreeSet<i64>) -> Result<(), Failure> {
    let told = Told::load(conn)?;
    if told.is_everywhere() {
        return Ok(());
    }
    let newest = newest_hour(conn)?;
    let (mut states, mut writer) = (States::load(conn)?, SpanWriter::new(conn, newest, newest)?);
    for relay_id in relay_ids {
        let runs = runs_of(conn, *relay_id, newest)?;
        let carried = carry(conn, &told, &mut states, &runs)?;
        writer.replace(*relay_id, &runs, &carried)?;
    }
    Ok(())
}

fn carry(conn: &Connection, told: &Told, states: &mut States, runs: &[Run]) -> Result<Vec<Run>, Failure> {
    let states = std::cell::RefCell::new(states);
    told.carry(runs, |id| states.borrow().content(id), |placed| states.borrow_mut().id(conn, placed))
}

/// As [`settle`], for every relay.
pub(crate) fn settle_all(conn: &Connection) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT DISTINCT relay_id FROM spans")?;
    let relay_ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    settle(conn, &relay_ids)
}

fn runs_of(conn: &Connection, relay_id: i64, newest: Option<i32>) -> Result<Vec<Run>, Failure> {
    let mut statement = conn.prepare_cached("SELECT start_hour, end_hour, state_id FROM spans WHERE relay_id = ? ORDER BY start_hour")?;
    let mut rows = statement.query([relay_id])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let end = optional_hour(row, 1)?.map(ConsensusHour::get).or(newest.map(|newest| newest + 1)).unwrap_or(i32::MAX);
        runs.push(Run { start: hour(row, 0)?.get(), end, state: row.get(2)? });
    }
    Ok(runs)
}

/// Takes over what a details document says of country and AS in an hour whose consensus another source brought.
///
/// Relays of the consensus that the document does not call running keep what was carried over to this hour.
pub(crate) fn fill_in(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, relays: &[&Relay]) -> Result<(), Failure> {
    let n_filled = conn.execute("UPDATE consensuses SET places = 1 WHERE hour = ? AND NOT places", [hour.get()])?;
    if n_filled == 0 {
        return Ok(());
    }
    let (told, newest) = (Told::load(conn)?, newest_hour(conn)?);
    let (mut states, mut writer) = (States::load(conn)?, SpanWriter::new(conn, newest, newest)?);
    let listed = listed_at(conn, hour, newest)?;
    for relay in relays.iter().filter(|relay| relay.running) {
        let relay_id = relay_ids.id(conn, &relay.fingerprint)?;
        let Some(state) = listed.get(&relay_id) else { continue };
        let before = states.content(*state)?;
        let placed = Placed { state: RelayState { country: relay.country, asn: relay.asn, ..before.state.clone() }, moved: false };
        if placed != before {
            let runs = runs_of(conn, relay_id, newest)?;
            let filled = told.with_state_at(&runs, hour.get(), states.id(conn, &placed)?);
            writer.replace(relay_id, &runs, &carry(conn, &told, &mut states, &filled)?)?;
        }
    }
    Ok(())
}

impl Told {
    /// Runs with another state at one known hour, which lies in one of them.
    fn with_state_at(&self, runs: &[Run], hour: i32, state: i64) -> Vec<Run> {
        let mut changed = Vec::with_capacity(runs.len() + 2);
        for run in runs {
            if !(run.start..run.end).contains(&hour) {
                self.push(&mut changed, *run);
                continue;
            }
            if run.start < hour {
                self.push(&mut changed, Run { end: self.known[self.place(hour) - 1] + 1, ..*run });
            }
            self.push(&mut changed, Run { start: hour, end: hour + 1, state });
            if let Some(after) = self.known.get(self.place(hour) + 1).filter(|after| **after < run.end) {
                self.push(&mut changed, Run { start: *after, ..*run });
            }
        }
        changed
    }
}

/// Relay and state of the spans that hold at a known hour.
fn listed_at(conn: &Connection, hour: ConsensusHour, newest: Option<i32>) -> Result<HashMap<i64, i64>, Failure> {
    let condition =
        if newest == Some(hour.get()) { "end_hour IS NULL AND start_hour <= ?" } else { "start_hour <= ?1 AND ifnull(end_hour > ?1, 1)" };
    let mut statement = conn.prepare(&format!("SELECT relay_id, state_id FROM spans WHERE {condition}"))?;
    let listed = statement.query_map([hour.get()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(listed)
}

/// Where relays were when they were last listed, for a consensus newer than all others.
pub(crate) struct LastPlaces<'a> {
    conn: &'a Connection,
    open: HashMap<i64, i64>,
    addresses: HashMap<i64, IpAddr>,
}

impl<'a> LastPlaces<'a> {
    /// Reads them; `hour` is that of the consensus.
    pub(crate) fn load(conn: &'a Connection, hour: ConsensusHour) -> Result<Self, Failure> {
        let mut statement = conn.prepare_cached("SELECT relay_id, state_id FROM spans INDEXED BY open_spans WHERE end_hour IS NULL")?;
        let open = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        drop(statement);
        Ok(Self { conn, open, addresses: addresses(conn, hour)? })
    }

    /// The state of a relay at this address, if that is known, in the place where it was.
    pub(crate) fn carry(&self, states: &States, relay_id: i64, state: &RelayState, address: Option<IpAddr>) -> Result<Placed, Failure> {
        let known = self.addresses.get(&relay_id);
        let has_moved = address.is_some_and(|address| known.is_some_and(|known| *known != address));
        let untold = Placed { state: RelayState { country: None, asn: None, ..state.clone() }, moved: has_moved };
        if has_moved {
            return Ok(untold);
        }
        let last = match self.open.get(&relay_id) {
            Some(state) => Some(*state),
            None => last_state(self.conn, relay_id)?,
        };
        last.map_or(Ok(untold.clone()), |last| Ok(untold.carried_from(&states.content(last)?)))
    }
}

fn last_state(conn: &Connection, relay_id: i64) -> Result<Option<i64>, Failure> {
    let mut statement = conn.prepare_cached("SELECT state_id FROM spans WHERE relay_id = ? ORDER BY start_hour DESC LIMIT 1")?;
    let mut rows = statement.query([relay_id])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// The primary addresses that details documents by an hour know, by the number of the relay.
pub(crate) fn addresses(conn: &Connection, until: ConsensusHour) -> Result<HashMap<i64, IpAddr>, Failure> {
    let mut statement = conn.prepare_cached(
        "SELECT d.relay_id, d.or_addresses_text IS NOT NULL, t.text
         FROM descriptions d JOIN texts t ON t.id = ifnull(d.or_addresses_text, d.bare_address_text)
         WHERE d.since_hour <= ? ORDER BY d.relay_id, d.since_hour",
    )?;
    let mut rows = statement.query(params![until.get()])?;
    let mut addresses = HashMap::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let address =
            if row.get(1)? { parsed_list::<SocketAddr>(text, 2)?.first().map(SocketAddr::ip) } else { parsed_text(Some(text), 2)? };
        address.and_then(|address| addresses.insert(row.get(0).ok()?, address));
    }
    Ok(addresses)
}
