//! Attributes of relays that a document of an impossible time stated, or that are impossible times themselves.
//!
//! A relay whose newest details document is removed has the attributes of its last description before; what descriptions do not hold is
//! unknown until the next document. A first or last appearance, restart, overload or change of address at an impossible time is unknown.

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Relay};
use rusqlite::Connection;

use super::describe::{Descriptions, forget_repeated};
use super::failure::Failure;
use super::mend::{Possible, note};
use super::relays::{RelayWriter, forget_attributes};

/// Removes descriptions and attributes outside the bounds.
pub(super) fn mend_descriptions(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let outside = [possible.first, possible.last];
    note(removed, conn.execute("DELETE FROM descriptions WHERE since_hour < ? OR since_hour > ?", outside)?, "descriptions of relays");
    let packs = "UPDATE pack_descriptions SET through_hour = ifnull((SELECT max(hour) FROM consensuses WHERE source = 'presence'), ?1)
         WHERE through_hour < ?1 OR through_hour > ?2";
    note(removed, conn.execute(packs, outside)?, "times of descriptions by packs");
    mend_times(conn, possible, removed)?;
    restore_attributes(conn, possible, removed)
}

fn mend_times(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let mut n_times = 0;
    let hours = ["first_seen_hour", "last_seen_hour"].map(|column| ("descriptions", column));
    let of_relays = ["first_seen_hour", "last_seen_hour", "last_changed_address_hour"].map(|column| ("relays", column));
    for (table, column) in hours.into_iter().chain(of_relays) {
        let forget = format!("UPDATE {table} SET {column} = NULL WHERE {column} < ? OR {column} > ?");
        n_times += conn.execute(&forget, [possible.first, possible.last])?;
    }
    for column in ["last_restarted", "overload_general_at"] {
        let forget = format!("UPDATE relays SET {column} = NULL WHERE {column} < ? OR {column} > ?");
        n_times += conn.execute(&forget, [&possible.first_text, &possible.last_text])?;
    }
    note(removed, n_times, "times of relays");
    forget_repeated(conn)
}

fn restore_attributes(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT id FROM relays WHERE details_hour < ? OR details_hour > ?")?;
    let ids: Vec<i64> = statement.query_map([possible.first, possible.last], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(());
    }
    let mut last: BTreeMap<i64, (ConsensusHour, Relay)> = BTreeMap::new();
    Descriptions::load(conn)?.of_details(conn, ConsensusHour::new(possible.last), |id, since, relay| {
        last.insert(id, (since, relay));
        Ok(())
    })?;
    let mut writer = RelayWriter::new(conn)?;
    for id in &ids {
        forget_attributes(conn, *id)?;
        if let Some((since, relay)) = last.get(id) {
            writer.write(conn, *id, *since, relay)?;
        }
    }
    note(removed, ids.len(), "relays' attributes");
    Ok(())
}
