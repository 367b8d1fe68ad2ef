//! Statements of consensuses on relays: nickname, addresses, whether measured, exit policy.
//!
//! Question: what does the newest consensus that lists a relay state of it? Input: the entries of consensuses from directory servers and
//! CollecTor. One row per relay is kept, and written only when something changes. A consensus that comes late, when a later one is
//! known to list the relay, changes nothing. What a consensus leaves out (the microdesc flavour has no exit policies) stays as stated before.

use std::collections::HashMap;

use allium_model::{ConsensusHour, Fingerprint};
use rusqlite::{CachedStatement, Connection, Row, params};

use super::columns::{hour, json_ports, list, optional_list, ports};
use super::failure::Failure;
use super::hours::newest_hour;
use super::relay_ids::RelayIds;
use crate::consensus::Statement;

const COLUMNS: &str = "relay_id, since_hour, nickname, or_addresses, measured, exit_policy_summary";

/// Takes statements in, each of the consensus of an hour; those spans must be stored already.
pub(super) fn write<'a>(
    conn: &Connection,
    relay_ids: &mut RelayIds,
    stated: impl Iterator<Item = (Fingerprint, ConsensusHour, &'a Statement)>,
) -> Result<(), Failure> {
    let (stored, mut writer) = (all(conn)?, Writer::new(conn)?);
    for (fingerprint, at, statement) in stated {
        let relay_id = relay_ids.id(conn, &fingerprint)?;
        match stored.get(&relay_id) {
            None if statement.is_empty() => {}
            None => writer.write(relay_id, at, statement)?,
            Some((_, before)) => {
                let next = statement.after(before);
                if next != *before && writer.is_newest(relay_id, at)? {
                    writer.write(relay_id, at, &next)?;
                }
            }
        }
    }
    Ok(())
}

struct Writer<'a> {
    replace: CachedStatement<'a>,
    last_listed: CachedStatement<'a>,
    newest: Option<i32>,
}

impl<'a> Writer<'a> {
    fn new(conn: &'a Connection) -> Result<Self, Failure> {
        Ok(Self {
            replace: conn.prepare_cached(&format!("INSERT OR REPLACE INTO statements ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"))?,
            last_listed: conn.prepare_cached("SELECT end_hour FROM spans WHERE relay_id = ? ORDER BY start_hour DESC LIMIT 1")?,
            newest: newest_hour(conn)?,
        })
    }

    /// True if no known consensus after `at` lists the relay.
    fn is_newest(&mut self, relay_id: i64, at: ConsensusHour) -> Result<bool, Failure> {
        if self.newest == Some(at.get()) {
            return Ok(true);
        }
        let mut rows = self.last_listed.query([relay_id])?;
        let Some(row) = rows.next()? else { return Ok(true) };
        let end = row.get::<_, Option<i32>>(0)?.or(self.newest.map(|newest| newest + 1));
        Ok(end.is_none_or(|end| end <= at.get() + 1))
    }

    fn write(&mut self, relay_id: i64, since: ConsensusHour, statement: &Statement) -> Result<(), Failure> {
        let Statement { nickname, or_addresses, measured, exit_policy_summary } = statement;
        self.replace.execute(params![
            relay_id,
            since.get(),
            nickname,
            optional_list(or_addresses),
            measured,
            exit_policy_summary.as_ref().map(json_ports)
        ])?;
        Ok(())
    }
}

/// The statement on each relay by its number, and the hour since which it holds.
pub(super) fn all(conn: &Connection) -> Result<HashMap<i64, (ConsensusHour, Statement)>, Failure> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM statements"))?;
    let mut rows = statement.query([])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        all.insert(row.get(0)?, (hour(row, 1)?, read(row)?));
    }
    Ok(all)
}

fn read(row: &Row<'_>) -> Result<Statement, Failure> {
    Ok(Statement { nickname: row.get(2)?, or_addresses: list(row, 3)?, measured: row.get(4)?, exit_policy_summary: ports(row, 5)? })
}
