//! States of relays: each is stored once, however many spans are in it.

use std::collections::{BTreeMap, HashMap};

use allium_model::{RelayFlags, RelayState};
use rusqlite::{Connection, params};

use super::columns::parsed;
use super::failure::Failure;
use crate::spans::locations::LocatedState;

/// The dictionary of states, for writing.
pub(super) struct RelayStates {
    ids: HashMap<LocatedState, i64>,
    contents: HashMap<i64, LocatedState>,
}

impl RelayStates {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        let contents = located_states(conn)?;
        Ok(Self { ids: contents.iter().map(|(id, state)| (state.clone(), *id)).collect(), contents: contents.into_iter().collect() })
    }

    /// The state with a number.
    pub(super) fn content(&self, id: i64) -> Result<LocatedState, Failure> {
        self.contents.get(&id).cloned().ok_or_else(|| Failure::Corrupt(format!("state {id} is missing")))
    }

    /// The number of a state, if it has one.
    pub(super) fn find(&self, state: &LocatedState) -> Option<i64> {
        self.ids.get(state).copied()
    }

    /// The number of a state, given to it where it has none.
    pub(super) fn id(&mut self, conn: &Connection, state: &LocatedState) -> Result<i64, Failure> {
        if let Some(id) = self.find(state) {
            return Ok(id);
        }
        let LocatedState { state: content, moved } = state;
        conn.prepare_cached("INSERT INTO states (flags, country, asn, version, moved) VALUES (?, ?, ?, ?, ?)")?.execute(params![
            content.flags.bits(),
            content.country.map(|country| country.to_string()),
            content.asn.map(|asn| asn.0),
            content.version.as_deref(),
            moved,
        ])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(state.clone(), id);
        self.contents.insert(id, state.clone());
        Ok(id)
    }
}

/// Every state by its number.
pub(super) fn states(conn: &Connection) -> Result<BTreeMap<i64, RelayState>, Failure> {
    Ok(located_states(conn)?.into_iter().map(|(id, located)| (id, located.state)).collect())
}

fn located_states(conn: &Connection) -> Result<BTreeMap<i64, LocatedState>, Failure> {
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
        states.insert(row.get(0)?, LocatedState { state, moved: row.get(5)? });
    }
    Ok(states)
}
