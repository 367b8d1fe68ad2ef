//! Rows that rest on lost ones are forgotten, so that nothing in the store says more than is known.

use std::collections::BTreeMap;

use allium_model::RelayFlags;
use rusqlite::{Connection, params};

use crate::spans::merge::{Calendar, Run};
use crate::spans::totals::Totals;
use crate::sqlite::failure::Failure;
use crate::sqlite::families::forget_unused_families;
use crate::sqlite::hours::{known_hour_numbers, newest_hour};
use crate::sqlite::locations::settle_all;
use crate::sqlite::measures;
use crate::sqlite::mend::restore_document;
use crate::sqlite::relay_states::states;
use crate::sqlite::span_rows::runs_of;
use crate::sqlite::texts::forget_unused_texts;

/// Part of the rows that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// All.
    Everything,
    /// Without weights, bandwidths, and states of workers.
    WithoutFigures,
    /// Only what consensuses listed, with notes, tokens and sources.
    History,
    /// Only notes, tokens and sources.
    Notes,
}

impl Depth {
    pub(super) const ALL: [Self; 4] = [Self::Everything, Self::WithoutFigures, Self::History, Self::Notes];
    const NOTES: [&'static str; 3] = ["tokens", "incident_notes", "sources"];
    const HISTORY: [&'static str; 4] = ["consensuses", "relays", "spans", "states"];
    const FIGURES: [&'static str; 3] = ["measures", "hour_weights", "worker_states"];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::WithoutFigures => "without-figures",
            Self::History => "history",
            Self::Notes => "notes",
        }
    }

    pub(super) fn keeps(self, table: &str) -> bool {
        let is_note = Self::NOTES.contains(&table);
        match self {
            Self::Everything => true,
            Self::WithoutFigures => !Self::FIGURES.contains(&table),
            Self::History => is_note || Self::HISTORY.contains(&table),
            Self::Notes => is_note,
        }
    }
}

/// Columns of relays that stay when its attributes are forgotten.
const OF_RELAYS: &[&str] = &["id", "fingerprint", "first_seen_hour", "last_seen_hour"];

/// Forgets what rests on lost rows; runs inside a transaction that the caller ends.
pub(super) fn settle(conn: &Connection) -> Result<(), Failure> {
    name_lost_tokens(conn)?;
    forget_descriptions(conn)?;
    forget_orphans(conn)?;
    settle_documents(conn)?;
    settle_hours(conn)?;
    measures::forget_incoherent(conn)?;
    forget_unused_texts(conn)?;
    forget_unused_families(conn)
}

/// A note outlives the token of who wrote it: a token of that number is made, with which nobody can write.
fn name_lost_tokens(conn: &Connection) -> Result<(), Failure> {
    conn.execute(
        "INSERT INTO tokens (id, name, hash, created_at, revoked_at)
         SELECT token_id, 'lost token ' || token_id, zeroblob(24) || CAST(printf('%08x', token_id) AS BLOB), min(at), max(at)
         FROM incident_notes WHERE token_id NOT IN (SELECT id FROM tokens) GROUP BY token_id",
        [],
    )?;
    Ok(())
}

/// Descriptions of which a text or a family is lost, and the attributes of relays that are not described by then.
fn forget_descriptions(conn: &Connection) -> Result<(), Failure> {
    for table in ["descriptions", "pack_descriptions"] {
        for column in referring(conn, table)? {
            let to = if column == "effective_family_id" { "families" } else { "texts" };
            conn.execute(&format!("DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {to})"), [])?;
        }
    }
    let undescribed =
        "SELECT id FROM relays r WHERE (details_hour IS NOT NULL AND NOT EXISTS (SELECT 1 FROM descriptions d WHERE d.relay_id = r.id))
         OR (effective_family_id IS NOT NULL AND effective_family_id NOT IN (SELECT id FROM families))";
    conn.execute(&format!("CREATE TEMP TABLE undescribed AS {undescribed}"), [])?;
    let columns = columns(conn, "relays")?.into_iter().filter(|column| !OF_RELAYS.contains(&column.as_str()));
    let nulls: Vec<String> = columns.map(|column| format!("{column} = NULL")).collect();
    conn.execute(&format!("UPDATE relays SET {} WHERE id IN (SELECT id FROM temp.undescribed)", nulls.join(", ")), [])?;
    conn.execute("DELETE FROM descriptions WHERE relay_id IN (SELECT id FROM temp.undescribed)", [])?;
    conn.execute("DROP TABLE temp.undescribed", [])?;
    Ok(())
}

fn referring(conn: &Connection, table: &str) -> Result<Vec<String>, Failure> {
    Ok(columns(conn, table)?.into_iter().filter(|column| column.ends_with("_text") || column == "effective_family_id").collect())
}

fn columns(conn: &Connection, table: &str) -> Result<Vec<String>, Failure> {
    let mut columns = conn.prepare("SELECT name FROM pragma_table_info(?)")?;
    Ok(columns.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Rows of which the row that they refer to is lost, and those that refer to such rows in turn.
fn forget_orphans(conn: &Connection) -> Result<(), Failure> {
    let mut keys = conn.prepare(
        "SELECT t.name, k.\"from\", k.\"table\", k.\"to\" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) k
         WHERE t.schema = 'main' AND t.name <> 'documents'",
    )?;
    let keys: Vec<[String; 4]> =
        keys.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?.collect::<rusqlite::Result<_>>()?;
    loop {
        let mut n_removed = 0;
        for [table, from, parent, to] in &keys {
            n_removed += conn.execute(&format!("DELETE FROM {table} WHERE {from} NOT IN (SELECT {to} FROM {parent})"), [])?;
        }
        if n_removed == 0 {
            return Ok(());
        }
    }
}

/// Graphs belong to a document; where its row is lost, the newest graphs stand for it.
fn settle_documents(conn: &Connection) -> Result<(), Failure> {
    let mut kinds = conn.prepare("SELECT DISTINCT kind FROM published_histories WHERE kind NOT IN (SELECT kind FROM documents)")?;
    let kinds: Vec<String> = kinds.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    kinds.iter().try_for_each(|kind| restore_document(conn, kind))
}

/// Hours whose list is no longer complete become unknown, for a relay that is missing from one would count as down.
fn settle_hours(conn: &Connection) -> Result<(), Failure> {
    let newest = newest_hour(conn)?;
    let mut relays = conn.prepare("SELECT DISTINCT relay_id FROM spans ORDER BY relay_id")?;
    let relays: Vec<i64> = relays.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let runs = relays.iter().map(|relay| Ok((*relay, runs_of(conn, *relay, newest)?))).collect::<Result<Vec<_>, Failure>>()?;
    let n_before = known_hour_numbers(conn)?.len();
    forget_incomplete(conn, &runs)?;
    let hours = known_hour_numbers(conn)?;
    let is_complete = hours.len() == n_before && !has_cut_spans(&hours, &runs);
    if !is_complete {
        rewrite(conn, &hours, &runs)?;
        conn.execute("UPDATE consensuses SET places = 1 WHERE hour = (SELECT min(hour) FROM consensuses)", [])?;
        settle_all(conn)?;
    }
    Ok(())
}

/// True if a span begins or ends at an hour that is not known, or goes on in the next.
fn has_cut_spans(hours: &[i32], runs: &[(i64, Vec<Run>)]) -> bool {
    let calendar = Calendar::new(hours, &[]);
    runs.iter().any(|(_, runs)| calendar.merge(runs, &[]) != *runs)
}

fn forget_incomplete(conn: &Connection, runs: &[(i64, Vec<Run>)]) -> Result<(), Failure> {
    let flags: BTreeMap<i64, RelayFlags> = states(conn)?.into_iter().map(|(id, state)| (id, state.flags)).collect();
    let hours = known_hour_numbers(conn)?;
    let index = |hour: i32| hours.partition_point(|known| *known < hour);
    let mut changes = vec![Totals::default(); hours.len() + 1];
    for run in runs.iter().flat_map(|(_, runs)| runs) {
        let flags = flags.get(&run.state).copied().unwrap_or_default();
        changes[index(run.start)].add(flags, 1);
        changes[index(run.end)].add(flags, -1);
    }
    let mut counted = Totals::default();
    for (hour, change) in hours.iter().zip(changes) {
        counted.accumulate(change);
        let Totals { n_listed, n_running, n_guard, n_exit } = counted;
        conn.prepare_cached("DELETE FROM consensuses WHERE hour = ? AND (n_listed, n_running, n_guard, n_exit) IS NOT (?, ?, ?, ?)")?
            .execute(params![hour, n_listed, n_running, n_guard, n_exit])?;
    }
    Ok(())
}

/// Writes the spans in their form for these hours.
fn rewrite(conn: &Connection, hours: &[i32], runs: &[(i64, Vec<Run>)]) -> Result<(), Failure> {
    conn.execute("DELETE FROM spans", [])?;
    let calendar = Calendar::new(hours, &[]);
    let open_end = calendar.last().map(|last| last + 1);
    let mut insert = conn.prepare("INSERT INTO spans (relay_id, start_hour, end_hour, state_id) VALUES (?, ?, ?, ?)")?;
    for (relay, runs) in runs {
        for run in calendar.merge(runs, &[]) {
            let end = Some(run.end).filter(|_| Some(run.end) != open_end);
            insert.execute(params![relay, run.start, end, run.state])?;
        }
    }
    Ok(())
}
