//! What packs know of relays beside when they were listed.
//!
//! A pack knows less than a details document and is put together later, so whatever details document lists a relay has the
//! word on it, in whichever order the two come. Of two packs the one that reaches further does.

use allium_model::{ConsensusHour, Relay};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Failure;
use crate::relays::{Families, forget_unused_families};

/// Takes descriptions over for recorded relays that no details document and no pack through `hour` or later describes; returns for how
/// many.
pub(crate) fn describe(conn: &Connection, hour: ConsensusHour, relays: &[Relay]) -> Result<usize, Failure> {
    let mut families = Families::load(conn)?;
    let mut find = conn.prepare(
        "SELECT id FROM relays WHERE fingerprint = ? AND details_hour IS NULL AND (described_hour IS NULL OR described_hour < ?)",
    )?;
    let mut update = conn.prepare(
        "UPDATE relays SET described_hour = ?, nickname = ?, bare_address = ?, country = ?, asn = ?, as_name = ?, contact = ?,
         effective_family_id = ? WHERE id = ?",
    )?;
    let mut n_described = 0;
    for relay in relays {
        let id: Option<i64> = find.query_row(params![relay.fingerprint.as_bytes(), hour.get()], |row| row.get(0)).optional()?;
        let Some(id) = id else { continue };
        update.execute(params![
            hour.get(),
            relay.nickname,
            relay.primary_ip().map(|address| address.to_string()),
            relay.country.map(|country| country.to_string()),
            relay.asn.map(|asn| asn.0),
            relay.as_name,
            relay.contact,
            families.id(conn, &relay.effective_family)?,
            id,
        ])?;
        n_described += 1;
    }
    forget_unused_families(conn)?;
    Ok(n_described)
}
