//! Country and AS of relays, carried over as [`crate::spans::locations`] states.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use allium_model::{ConsensusHour, Relay, RelayState};
use rusqlite::{Connection, params};

use super::columns::{parsed_list, parsed_text};
use super::failure::Failure;
use super::hours::{known_locations, newest_hour};
use super::relay_ids::RelayIds;
use super::relay_states::RelayStates;
use super::span_rows::{SpanWriter, last_state, listed_at, runs_of};
use crate::spans::locations::{KnownLocations, LocatedState};
use crate::spans::merge::Run;

/// Carries locations over in the spans of these relays, after what is known of the past has changed.
pub(super) fn settle(conn: &Connection, relay_ids: &BTreeSet<i64>) -> Result<(), Failure> {
    let known = known_locations(conn)?;
    if known.is_everywhere() {
        return Ok(());
    }
    let newest = newest_hour(conn)?;
    let (mut states, mut writer) = (RelayStates::load(conn)?, SpanWriter::new(conn, newest, newest)?);
    for relay_id in relay_ids {
        let runs = runs_of(conn, *relay_id, newest)?;
        let carried = carry(conn, &known, &mut states, &runs)?;
        writer.replace(*relay_id, &runs, &carried)?;
    }
    Ok(())
}

fn carry(conn: &Connection, known: &KnownLocations, states: &mut RelayStates, runs: &[Run]) -> Result<Vec<Run>, Failure> {
    let states = std::cell::RefCell::new(states);
    known.carry(runs, |id| states.borrow().content(id), |state| states.borrow_mut().id(conn, state))
}

/// As [`settle`], for every relay.
pub(super) fn settle_all(conn: &Connection) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT DISTINCT relay_id FROM spans")?;
    let relay_ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    settle(conn, &relay_ids)
}

/// Takes country and AS over from a details document of an hour whose consensus has none.
///
/// Relays of the consensus that the document does not call running keep what was carried over to this hour.
pub(super) fn fill_in(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, relays: &[&Relay]) -> Result<(), Failure> {
    let n_filled = conn.execute("UPDATE consensuses SET places = 1 WHERE hour = ? AND NOT places", [hour.get()])?;
    if n_filled == 0 {
        return Ok(());
    }
    let (known, newest) = (known_locations(conn)?, newest_hour(conn)?);
    let (mut states, mut writer) = (RelayStates::load(conn)?, SpanWriter::new(conn, newest, newest)?);
    let listed = listed_at(conn, hour, newest)?;
    for relay in relays.iter().filter(|relay| relay.running) {
        let relay_id = relay_ids.id(conn, &relay.fingerprint)?;
        let Some(state) = listed.get(&relay_id) else { continue };
        let before = states.content(*state)?;
        let located = LocatedState { state: RelayState { country: relay.country, asn: relay.asn, ..before.state.clone() }, moved: false };
        if located != before {
            let runs = runs_of(conn, relay_id, newest)?;
            let filled = known.with_state_at(&runs, hour.get(), states.id(conn, &located)?);
            writer.replace(relay_id, &runs, &carry(conn, &known, &mut states, &filled)?)?;
        }
    }
    Ok(())
}

/// The locations of relays when they were last listed, for a consensus newer than all others.
pub(super) struct LastLocations<'a> {
    conn: &'a Connection,
    open: HashMap<i64, i64>,
    addresses: HashMap<i64, IpAddr>,
}

impl<'a> LastLocations<'a> {
    /// Reads them; `hour` is that of the consensus.
    pub(super) fn load(conn: &'a Connection, hour: ConsensusHour) -> Result<Self, Failure> {
        let mut statement = conn.prepare_cached("SELECT relay_id, state_id FROM spans INDEXED BY open_spans WHERE end_hour IS NULL")?;
        let open = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        drop(statement);
        Ok(Self { conn, open, addresses: addresses(conn, hour)? })
    }

    /// The state of a relay at the location where it was, unless it has moved to another address.
    pub(super) fn carry(
        &self,
        states: &RelayStates,
        relay_id: i64,
        state: &RelayState,
        address: Option<IpAddr>,
    ) -> Result<LocatedState, Failure> {
        let known = self.addresses.get(&relay_id);
        let has_moved = address.is_some_and(|address| known.is_some_and(|known| *known != address));
        let unlocated = LocatedState { state: RelayState { country: None, asn: None, ..state.clone() }, moved: has_moved };
        if has_moved {
            return Ok(unlocated);
        }
        let last = match self.open.get(&relay_id) {
            Some(state) => Some(*state),
            None => last_state(self.conn, relay_id)?,
        };
        last.map_or(Ok(unlocated.clone()), |last| Ok(unlocated.carried_from(&states.content(last)?)))
    }
}

/// The primary addresses in details documents by an hour, by the number of the relay.
pub(super) fn addresses(conn: &Connection, until: ConsensusHour) -> Result<HashMap<i64, IpAddr>, Failure> {
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
