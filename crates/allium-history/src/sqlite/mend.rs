//! Mending: what lies at times that cannot be is removed.
//!
//! An earlier program, or one on a machine with a wrong clock, may have taken in what lies ahead of now or before Tor began. Removed are
//! consensuses with their part of the spans, documents with their rejects, graphs, weights, events, visits and proofs of such times; of
//! attributes see [`super::mend_descriptions`]. States of workers go too where anything did, for they rest on it. Relays stay, with
//! whatever else is known of them.

use allium_model::{Bounds, ConsensusHour, TOR_BEGAN};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns::hour;
use super::events;
use super::failure::Failure;
use super::families::forget_unused_families;
use super::locations::settle_all;
use super::measures;
use super::mend_descriptions::mend_descriptions;
use super::prune::forget_consensuses;
use super::texts::forget_unused_texts;
use crate::report::Mended;

/// Number of consensuses that are named one by one.
const MAX_NAMED: usize = 20;
/// Origin of a document of which only graphs are left.
const UNKNOWN_ORIGIN: &str = "an earlier document";

/// The hours and the instants that can be.
pub(super) struct Possible {
    pub(super) first: i32,
    pub(super) last: i32,
    pub(super) first_text: String,
    pub(super) last_text: String,
}

/// Removes what lies outside the bounds; runs inside a transaction that the caller ends.
pub(super) fn mend(conn: &Connection, bounds: Bounds) -> Result<Mended, Failure> {
    let possible = Possible {
        first: TOR_BEGAN.get(),
        last: bounds.latest_hour().get(),
        first_text: TOR_BEGAN.start().to_string(),
        last_text: bounds.latest().to_string(),
    };
    let mut removed = Vec::new();
    mend_consensuses(conn, &possible, &mut removed)?;
    mend_documents(conn, &possible, &mut removed)?;
    mend_descriptions(conn, &possible, &mut removed)?;
    mend_figures(conn, &possible, &mut removed)?;
    mend_visits(conn, &possible, &mut removed)?;
    if !removed.is_empty() {
        conn.execute("DELETE FROM worker_states", [])?;
        forget_unused_texts(conn)?;
        forget_unused_families(conn)?;
    }
    Ok(Mended { removed })
}

/// Says how many of something were removed, if any.
pub(super) fn note(removed: &mut Vec<String>, n: usize, what: &str) {
    if n > 0 {
        removed.push(format!("{n} {what}"));
    }
}

fn mend_consensuses(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let Possible { first, last, .. } = *possible;
    let mut statement = conn.prepare("SELECT hour, source FROM consensuses WHERE hour < ? OR hour > ? ORDER BY hour")?;
    let mut rows = statement.query([first, last])?;
    let (mut n_before, mut n_ahead) = (0, 0);
    while let Some(row) = rows.next()? {
        let hour = hour(row, 0)?;
        if n_before + n_ahead < MAX_NAMED {
            removed.push(format!("consensus of {hour}, from {}", row.get::<_, String>(1)?));
        }
        *if hour.get() > last { &mut n_ahead } else { &mut n_before } += 1;
    }
    note(removed, (n_before + n_ahead).saturating_sub(MAX_NAMED), "further consensuses");
    let statements = "DELETE FROM statements WHERE since_hour < ? OR since_hour > ?";
    note(removed, conn.execute(statements, [first, last])?, "statements of consensuses");
    if n_ahead > 0 {
        forget_ahead(conn, last)?;
    }
    if n_before > 0 {
        forget_consensuses(conn, first)?;
    }
    let received = "UPDATE consensuses SET received_at = strftime('%Y-%m-%dT%H:%M:%SZ', hour * 3600, 'unixepoch')
         WHERE received_at < ? OR received_at > ?";
    note(removed, conn.execute(received, [&possible.first_text, &possible.last_text])?, "times of arrival of consensuses");
    Ok(())
}

/// Forgets consensuses after an hour; spans through the newest one that stays become open.
fn forget_ahead(conn: &Connection, last: i32) -> Result<(), Failure> {
    conn.execute("DELETE FROM consensuses WHERE hour > ?", [last])?;
    let newest: Option<i32> = conn.query_row("SELECT max(hour) FROM consensuses", [], |row| row.get(0))?;
    conn.execute("DELETE FROM spans WHERE start_hour > ?", [newest.unwrap_or(i32::MIN)])?;
    conn.execute("UPDATE spans SET end_hour = NULL WHERE end_hour > ?", params![newest])?;
    settle_all(conn)
}

/// Removes documents, and graphs from them. Where earlier graphs of the kind stay, they are those of a document of their hour.
fn mend_documents(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let Possible { first, last, .. } = *possible;
    let graphs = "DELETE FROM published_histories WHERE published_hour < ? OR published_hour > ?";
    note(removed, conn.execute(graphs, [first, last])?, "published histories");
    let mut statement =
        conn.prepare("SELECT kind, published_hour, origin FROM documents WHERE published_hour < ? OR published_hour > ?")?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        let (kind, published, origin): (String, _, String) = (row.get(0)?, hour(row, 1)?, row.get(2)?);
        removed.push(format!("{kind} document as of {published}, from {origin}"));
        conn.execute("DELETE FROM rejects WHERE kind = ?", [&kind])?;
        conn.execute("DELETE FROM documents WHERE kind = ?", [&kind])?;
        restore_document(conn, &kind)?;
    }
    let obtained = "UPDATE documents SET obtained_at = strftime('%Y-%m-%dT%H:%M:%SZ', published_hour * 3600, 'unixepoch')
         WHERE obtained_at < ? OR obtained_at > ?";
    note(removed, conn.execute(obtained, [&possible.first_text, &possible.last_text])?, "times of arrival of documents");
    Ok(())
}

/// Makes the newest graphs of a kind stand for a document of their hour.
pub(super) fn restore_document(conn: &Connection, kind: &str) -> Result<(), Failure> {
    let newest: Option<i32> = conn
        .query_row("SELECT max(published_hour) FROM published_histories WHERE kind = ?", [kind], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(newest) = newest else { return Ok(()) };
    conn.execute(
        "INSERT INTO documents (kind, origin, published_hour, obtained_at, size_bytes, n_relays, n_rejects)
         SELECT ?1, ?2, ?3, ?4, 0, count(*), 0 FROM published_histories WHERE kind = ?1 AND published_hour = ?3",
        params![kind, UNKNOWN_ORIGIN, newest, ConsensusHour::new(newest).start().to_string()],
    )?;
    Ok(())
}

fn mend_figures(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let n_before: usize =
        conn.query_row("SELECT count(*) FROM hour_weights WHERE hour < ?", [possible.first], |row| row.get::<_, u32>(0))? as usize;
    measures::prune(conn, possible.first)?;
    let n_ahead = measures::forget_after(conn, possible.last)?;
    note(removed, n_before + n_ahead, "hours of weights");
    note(removed, events::forget_outside(conn, &possible.first_text, &possible.last_text)?, "events");
    Ok(())
}

fn mend_visits(conn: &Connection, possible: &Possible, removed: &mut Vec<String>) -> Result<(), Failure> {
    let Possible { first, last, first_text, last_text } = possible;
    let newest = "UPDATE sources SET newest_hour = NULL WHERE newest_hour < ? OR newest_hour > ?";
    note(removed, conn.execute(newest, [first, last])?, "newest consensuses of sources");
    let answered = "UPDATE sources SET answered_at = NULL WHERE answered_at < ? OR answered_at > ?";
    conn.execute(answered, [first_text, last_text])?;
    let failures =
        "DELETE FROM source_failures WHERE at < ?1 OR at > ?2 OR name IN (SELECT name FROM sources WHERE asked_at < ?1 OR asked_at > ?2)";
    note(removed, conn.execute(failures, [first_text, last_text])?, "failures of sources");
    conn.execute(
        "DELETE FROM source_rejects WHERE name IN (SELECT name FROM sources WHERE asked_at < ? OR asked_at > ?)",
        [first_text, last_text],
    )?;
    note(removed, conn.execute("DELETE FROM sources WHERE asked_at < ? OR asked_at > ?", [first_text, last_text])?, "visits to sources");
    let proofs = "DELETE FROM proofs WHERE asked_at < ?1 OR asked_at > ?2 OR checked_at < ?1 OR checked_at > ?2";
    note(removed, conn.execute(proofs, [first_text, last_text])?, "checks of claims");
    Ok(())
}
