//! Statistics of the store.

use allium_model::ConsensusHour;
use rusqlite::Connection;

use super::columns::optional_hour;
use super::failure::Failure;
use super::load::documents;
use super::schema;
use crate::report::Stats;

/// Counts everything.
pub(super) fn stats(conn: &Connection) -> Result<Stats, Failure> {
    let number = |sql: &str| -> Result<u64, Failure> { Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned()) };
    let hour = |sql: &str| -> Result<Option<ConsensusHour>, Failure> { conn.query_row(sql, [], |row| Ok(optional_hour(row, 0)))? };
    Ok(Stats {
        format_version: schema::version(conn)?,
        size_bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        n_relays: number("SELECT count(*) FROM relays")?,
        n_consensuses: number("SELECT count(*) FROM consensuses")?,
        first: hour("SELECT min(hour) FROM consensuses")?,
        last: hour("SELECT max(hour) FROM consensuses")?,
        n_spans: number("SELECT count(*) FROM spans")?,
        n_states: number("SELECT count(*) FROM states")?,
        n_descriptions: number("SELECT (SELECT count(*) FROM descriptions) + (SELECT count(*) FROM pack_descriptions)")?,
        n_weighed: number("SELECT count(*) FROM hour_weights")?,
        measures_bytes: number("SELECT ifnull(sum(length(figures)), 0) FROM measures")?,
        n_events: number("SELECT count(*) FROM events")?,
        n_proofs: number("SELECT count(*) FROM proofs")?,
        n_published: number("SELECT count(*) FROM published_histories")?,
        published_bytes: number("SELECT ifnull(sum(length(graphs)), 0) FROM published_histories")?,
        n_rejects: number("SELECT (SELECT ifnull(sum(n_rejects), 0) FROM documents) + (SELECT ifnull(sum(n_rejects), 0) FROM sources)")?,
        documents: documents(conn)?,
    })
}
