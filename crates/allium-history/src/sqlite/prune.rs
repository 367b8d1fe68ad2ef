//! Pruning: rows before an hour are deleted, spans across it are cut.

use rusqlite::{Connection, params};

use super::failure::Failure;
use super::families::forget_unused_families;
use super::locations::settle_all;
use super::texts::forget_unused_texts;
use super::{describe, events, measures};
use crate::report::Pruned;

/// Forgets all before hour `before`; runs inside a transaction that the caller ends.
pub(super) fn prune(conn: &Connection, before: i32) -> Result<Pruned, Failure> {
    let (n_consensuses, n_spans) = forget_consensuses(conn, before)?;
    let n_relays = forget_relays(conn, before)?;
    describe::prune(conn, before)?;
    measures::prune(conn, before)?;
    events::prune(conn, before)?;
    forget_unused_texts(conn)?;
    forget_unused_families(conn)?;
    Ok(Pruned { n_consensuses, n_spans, n_relays })
}

/// Forgets consensuses before hour `before`, and cuts spans; returns the numbers of consensuses and of spans that ended before.
pub(super) fn forget_consensuses(conn: &Connection, before: i32) -> Result<(usize, usize), Failure> {
    let first_kept: Option<i32> = conn.query_row("SELECT min(hour) FROM consensuses WHERE hour >= ?", [before], |row| row.get(0))?;
    let first_kept = first_kept.unwrap_or(i32::MAX);
    let n_spans = conn.execute("DELETE FROM spans WHERE end_hour <= ?1 OR ?1 = 2147483647", [first_kept])?;
    conn.execute("UPDATE spans SET start_hour = ?1 WHERE start_hour < ?1", [first_kept])?;
    let n_consensuses = conn.execute("DELETE FROM consensuses WHERE hour < ?", [before])?;
    conn.execute("UPDATE consensuses SET places = 1 WHERE hour = ?", [first_kept])?;
    settle_all(conn)?;
    Ok((n_consensuses, n_spans))
}

/// Forgets relays without spans that no kept document saw.
fn forget_relays(conn: &Connection, before: i32) -> Result<usize, Failure> {
    let gone = "SELECT id FROM relays r WHERE ifnull(last_seen_hour, ?1 - 1) < ?1
         AND NOT EXISTS (SELECT 1 FROM spans s WHERE s.relay_id = r.id)
         AND NOT EXISTS (SELECT 1 FROM published_histories p WHERE p.relay_id = r.id AND p.published_hour >= ?1)";
    conn.execute(&format!("CREATE TEMP TABLE gone AS {gone}"), params![before])?;
    for table in ["published_histories", "descriptions", "pack_descriptions", "statements", "events", "proofs"] {
        conn.execute(&format!("DELETE FROM {table} WHERE relay_id IN (SELECT id FROM temp.gone)"), [])?;
    }
    let n_relays = conn.execute("DELETE FROM relays WHERE id IN (SELECT id FROM temp.gone)", [])?;
    conn.execute("DROP TABLE temp.gone", [])?;
    Ok(n_relays)
}
