//! The check of all invariants of the store.

use allium_model::{ConsensusHour, Fingerprint, Relay, Timestamp};
use rusqlite::Connection;

use super::check_spans::check_spans;
use super::columns::hour;
use super::describe::Descriptions;
use super::failure::Failure;
use super::families::families;
use super::load::{decode_column, documents, rejects};
use super::relays::{relay, select_relays};
use super::sums::{self, Scope};
use super::{events, measures, notes, proofs, sources, statements, worker_states};
use crate::blob::graphs::Decoder;
use crate::report::CheckReport;

/// Checks everything; the first problems are listed.
pub(super) fn check(conn: &Connection) -> Result<CheckReport, Failure> {
    let mut report = CheckReport::default();
    check_sums(conn, &mut report)?;
    check_pages(conn, &mut report)?;
    if report.is_sound() {
        let parts = [
            check_spans,
            check_published,
            check_relays,
            check_descriptions,
            check_statements,
            check_measures,
            check_proofs,
            check_documents,
            check_notes,
            check_states,
        ];
        for part in parts {
            part(conn, &mut report).or_else(|failure| failure.damage().map(|what| report.add(|| what)))?;
        }
    }
    Ok(report)
}

/// Every page is as it was written.
fn check_sums(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let damages = sums::damages(conn, Scope::All)?;
    sums::phrases(conn, &damages).into_iter().for_each(|phrase| report.add(|| phrase));
    Ok(())
}

/// Checks by SQLite itself: pages, indexes, constraints, foreign keys.
fn check_pages(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.add(|| format!("integrity_check: {line}"));
        }
    }
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        report.add(|| format!("a row of {table} refers to a row of {parent} that does not exist"));
    }
    Ok(())
}

fn check_notes(conn: &Connection, _report: &mut CheckReport) -> Result<(), Failure> {
    notes::check(conn)
}

fn check_states(conn: &Connection, _report: &mut CheckReport) -> Result<(), Failure> {
    worker_states::check(conn)
}

/// Every blob of graphs can be decoded and belongs to a document not newer than the one in use.
fn check_published(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let mut statement = conn.prepare(
        "SELECT r.fingerprint, p.kind, p.graphs, p.published_hour <= d.published_hour, p.published_hour
         FROM published_histories p JOIN relays r ON r.id = p.relay_id LEFT JOIN documents d ON d.kind = p.kind ORDER BY p.id",
    )?;
    let mut rows = statement.query([])?;
    let mut decoder = Decoder::new();
    while let Some(row) = rows.next()? {
        report.n_published += 1;
        hour(row, 4)?;
        let (relay, kind): (_, String) = (Fingerprint::new(row.get(0)?), row.get(1)?);
        if let Err(reason) = decode_column(&mut decoder, row, 2)? {
            report.add(|| format!("{kind} graphs of relay {relay}: {reason}"));
        }
        if row.get::<_, Option<bool>>(3)? != Some(true) {
            report.add(|| format!("{kind} graphs of relay {relay}: newer than the document in use"));
        }
    }
    Ok(())
}

/// Documents, sources and rejects can be read.
fn check_documents(conn: &Connection, _: &mut CheckReport) -> Result<(), Failure> {
    rejects(conn, &documents(conn)?)?;
    sources::all(conn).map(|_| ())
}

/// Every proof can be read and does not contradict itself.
fn check_proofs(conn: &Connection, _: &mut CheckReport) -> Result<(), Failure> {
    proofs::all(conn).map(|_| ())
}

/// The attributes of every relay can be read.
fn check_relays(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let families = families(conn)?;
    let mut statement = conn.prepare(&select_relays())?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        report.n_relays += 1;
        if let Err(failure) = relay(row, &families) {
            let what = failure.damage()?;
            let fingerprint = row.get("fingerprint").map(Fingerprint::new)?;
            report.add(|| format!("attributes of relay {fingerprint}: {what}"));
        }
    }
    Ok(())
}

/// Every statement can be read.
fn check_statements(conn: &Connection, _: &mut CheckReport) -> Result<(), Failure> {
    statements::all(conn).map(|_| ())
}

/// Weights, bandwidths and events can be read.
fn check_measures(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    for problem in measures::problems(conn)? {
        report.add(|| problem);
    }
    events::load(conn, None, Timestamp::MIN, Timestamp::MAX).map(|_| ())
}

/// Every description can be read, differs from the one before, and comes from a document that the relay's row knows of.
fn check_descriptions(conn: &Connection, report: &mut CheckReport) -> Result<(), Failure> {
    let descriptions = Descriptions::load(conn)?;
    let mut previous: Option<(i64, Relay)> = None;
    descriptions.of_details(conn, ConsensusHour::new(i32::MAX), |id, since, relay| {
        let described = Relay { last_seen: None, ..relay };
        if previous.replace((id, described.clone())).is_some_and(|before| before == (id, described)) {
            report.add(|| format!("description of relay {id} from {since}: it repeats the one before"));
        }
        Ok(())
    })?;
    descriptions.of_packs(conn, |_, _| Ok(()))?;
    let later = "SELECT count(*) FROM descriptions d JOIN relays r ON r.id = d.relay_id WHERE ifnull(r.details_hour, -1e9) < d.since_hour";
    let n_later: i64 = conn.query_row(later, [], |row| row.get(0))?;
    if n_later > 0 {
        report.add(|| format!("{n_later} descriptions are later than the newest details document that lists their relay"));
    }
    let undescribed = "SELECT count(*) FROM relays r WHERE r.details_hour IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM descriptions d WHERE d.relay_id = r.id)";
    let n_undescribed: i64 = conn.query_row(undescribed, [], |row| row.get(0))?;
    if n_undescribed > 0 {
        report.add(|| format!("{n_undescribed} relays of details documents have no description"));
    }
    Ok(())
}
