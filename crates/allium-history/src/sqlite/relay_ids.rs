//! Numbers of relays, by which all other tables refer to them.

use std::collections::HashMap;

use allium_model::Fingerprint;
use rusqlite::Connection;

use super::failure::Failure;

/// Fingerprints by number.
pub(super) fn fingerprints(conn: &Connection) -> Result<HashMap<i64, Fingerprint>, Failure> {
    let mut statement = conn.prepare("SELECT id, fingerprint FROM relays")?;
    Ok(statement.query_map([], |row| Ok((row.get(0)?, Fingerprint::new(row.get(1)?))))?.collect::<Result<_, _>>()?)
}

/// Numbers by fingerprint, given to relays as they are met.
pub(super) struct RelayIds {
    ids: HashMap<Fingerprint, i64>,
    n_created: usize,
}

impl RelayIds {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        let mut statement = conn.prepare("SELECT id, fingerprint FROM relays")?;
        let ids = statement.query_map([], |row| Ok((Fingerprint::new(row.get(1)?), row.get(0)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { ids, n_created: 0 })
    }

    /// The number of a relay, which is recorded where it is not yet.
    pub(super) fn id(&mut self, conn: &Connection, fingerprint: &Fingerprint) -> Result<i64, Failure> {
        if let Some(id) = self.ids.get(fingerprint) {
            return Ok(*id);
        }
        conn.prepare_cached("INSERT INTO relays (fingerprint) VALUES (?)")?.execute([fingerprint.as_bytes()])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(*fingerprint, id);
        self.n_created += 1;
        Ok(id)
    }

    /// The number of relays that were recorded for the first time.
    pub(super) fn n_created(&self) -> usize {
        self.n_created
    }
}
