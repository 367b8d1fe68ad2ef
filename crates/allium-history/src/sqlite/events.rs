//! Events of relays: restarts, overload, changes of address.
//!
//! Input: details documents, which have the newest restart and overload of a relay and its addresses, and consensuses newer than all
//! others, which have its primary address. Each event is one row, whatever its source and however often it is reported. An address is
//! an event where it differs from the one that the relay was last known to have; the first address of a relay is not.

use std::collections::HashMap;
use std::net::IpAddr;

use allium_model::{ConsensusHour, Fingerprint, Relay, Timestamp};
use rusqlite::{Connection, params};

use super::columns::{parsed, parsed_text};
use super::failure::Failure;
use super::locations::addresses;
use super::relay_ids::RelayIds;
use crate::consensus::Listed;
use crate::figures::{Event, EventKind};

const RESTART: &str = "restart";
const OVERLOAD: &str = "overload";
const ADDRESS: &str = "address";

/// Takes in the events in a details document; called before its descriptions are stored.
pub(super) fn of_details(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, relays: &[&Relay]) -> Result<(), Failure> {
    let mut writer = Writer::new(conn, hour)?;
    for relay in relays {
        let relay_id = relay_ids.id(conn, &relay.fingerprint)?;
        writer.write(relay_id, relay.last_restarted, RESTART, "")?;
        writer.write(relay_id, relay.overload_general_at, OVERLOAD, "")?;
        writer.address(relay_id, hour, relay.primary_ip())?;
    }
    Ok(())
}

/// Takes in the addresses in a consensus.
pub(super) fn of_consensus(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, listed: &[Listed]) -> Result<(), Failure> {
    let mut writer = Writer::new(conn, hour)?;
    for relay in listed {
        writer.address(relay_ids.id(conn, &relay.fingerprint)?, hour, relay.address)?;
    }
    Ok(())
}

struct Writer<'a> {
    insert: rusqlite::CachedStatement<'a>,
    /// As last known, by the number of the relay.
    addresses: HashMap<i64, IpAddr>,
}

impl<'a> Writer<'a> {
    fn new(conn: &'a Connection, hour: ConsensusHour) -> Result<Self, Failure> {
        let mut addresses = addresses(conn, hour)?;
        let mut statement = conn.prepare_cached("SELECT relay_id, detail FROM events WHERE kind = ? AND at <= ? ORDER BY relay_id, at")?;
        let mut rows = statement.query(params![ADDRESS, hour.start().to_string()])?;
        while let Some(row) = rows.next()? {
            let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            addresses.extend(parsed_text(Some(text), 1)?.map(|address: IpAddr| (row.get_unwrap::<_, i64>(0), address)));
        }
        Ok(Self {
            insert: conn.prepare_cached("INSERT OR IGNORE INTO events (relay_id, at, kind, detail) VALUES (?, ?, ?, ?)")?,
            addresses,
        })
    }

    fn write(&mut self, relay_id: i64, at: Option<Timestamp>, kind: &str, detail: &str) -> Result<(), Failure> {
        if let Some(at) = at {
            self.insert.execute(params![relay_id, at.to_string(), kind, detail])?;
        }
        Ok(())
    }

    fn address(&mut self, relay_id: i64, hour: ConsensusHour, address: Option<IpAddr>) -> Result<(), Failure> {
        let Some(address) = address else { return Ok(()) };
        match self.addresses.insert(relay_id, address) {
            Some(before) if before != address => self.write(relay_id, Some(hour.start()), ADDRESS, &address.to_string()),
            _ => Ok(()),
        }
    }
}

/// The events in `[from, to)`, by time and relay.
pub(super) fn load(conn: &Connection, relay: Option<&Fingerprint>, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Failure> {
    let mut statement = conn.prepare(
        "SELECT r.fingerprint, e.at, e.kind, e.detail FROM events e JOIN relays r ON r.id = e.relay_id
         WHERE r.fingerprint = ifnull(?, r.fingerprint)",
    )?;
    let mut rows = statement.query([relay.map(Fingerprint::as_bytes)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let at: Timestamp = parsed(row, 1)?.ok_or_else(|| Failure::Corrupt("an event without time".into()))?;
        if !(from..to).contains(&at) {
            continue;
        }
        let kind: String = row.get(2)?;
        let kind = match kind.as_str() {
            RESTART => EventKind::Restart,
            OVERLOAD => EventKind::Overload,
            ADDRESS => EventKind::Address(parsed(row, 3)?.ok_or_else(|| Failure::Corrupt("an event without address".into()))?),
            other => return Err(Failure::Corrupt(format!("an event of unknown kind {other:?}"))),
        };
        events.push(Event { fingerprint: Fingerprint::new(row.get(0)?), at, kind });
    }
    events.sort_by_key(|event| (event.at, event.fingerprint));
    Ok(events)
}

/// Forgets events before one time and after another, both as text; returns how many.
pub(super) fn forget_outside(conn: &Connection, first: &str, last: &str) -> Result<usize, Failure> {
    Ok(conn.execute("DELETE FROM events WHERE at < ? OR at > ?", [first, last])?)
}

/// Forgets events before an hour.
pub(super) fn prune(conn: &Connection, before: i32) -> Result<(), Failure> {
    // Times of equal form sort as text; those with fractions of a second differ only after it.
    conn.execute("DELETE FROM events WHERE at < ?", [ConsensusHour::new(before).start().to_string()])?;
    Ok(())
}
