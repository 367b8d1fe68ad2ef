//! Rows of sources: the last visit, the newest consensus and the failures of each.

use allium_model::{
    Bounds, CLOCK_TOLERANCE_SECS, ConsensusHour, Fingerprint, ProofStanding, Reject, SourceFailure, SourceReport, Timestamp,
};
use rusqlite::{Connection, params};

use super::columns::{optional_hour, parsed};
use super::connection::SqliteStore;
use super::failure::Failure;
use super::proofs;
use crate::error::Error;
use crate::report::SourceVisit;
use crate::store::Sources;

/// The most rejects of a source that are kept.
const MAX_REJECTS: usize = 1000;

impl Sources for SqliteStore {
    fn record_visit(&mut self, visit: &SourceVisit) -> Result<(), Error> {
        self.write(|conn| record(conn, visit))
    }

    fn sources(&self) -> Result<Vec<SourceReport>, Error> {
        self.read(all)
    }

    fn record_proofs(&mut self, standings: &[ProofStanding]) -> Result<usize, Error> {
        self.write(|conn| proofs::record(conn, standings))
    }

    fn proofs(&self) -> Result<Vec<ProofStanding>, Error> {
        self.read(proofs::all)
    }
}

fn record(conn: &Connection, visit: &SourceVisit) -> Result<(), Failure> {
    let SourceVisit { source, at, newest, failure, rejects } = visit;
    let first_kept = Timestamp::from_second(at.as_second() - SourceReport::FAILURE_DAYS * 86_400).unwrap_or(Timestamp::MIN).to_string();
    // What lies after the time of the visit was believed of a source whose clock was wrong.
    let latest_hour = Bounds::at(*at, CLOCK_TOLERANCE_SECS).latest_hour().get();
    let at = at.to_string();
    let answered_at = failure.is_none().then_some(&at);
    conn.execute(
        "INSERT INTO sources (name, asked_at, answered_at, newest_hour, failure) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET asked_at = ?2, answered_at = ifnull(?3, answered_at),
         newest_hour = CASE WHEN ?4 > ifnull(newest_hour, ?4 - 1) OR newest_hour > ?6 THEN ?4 ELSE newest_hour END, failure = ?5",
        params![source, at, answered_at, newest.map(ConsensusHour::get), failure, latest_hour],
    )?;
    conn.execute("DELETE FROM source_failures WHERE name = ? AND at < ?", [source, &first_kept])?;
    if let Some(reason) = failure {
        conn.execute("INSERT OR REPLACE INTO source_failures (name, at, reason) VALUES (?, ?, ?)", [source, &at, reason])?;
    }
    if let Some((n_rejects, rejects)) = rejects {
        conn.execute("UPDATE sources SET n_rejects = ? WHERE name = ?", params![(*n_rejects as u64).cast_signed(), source])?;
        conn.execute("DELETE FROM source_rejects WHERE name = ?", [source])?;
        let mut insert = conn.prepare("INSERT INTO source_rejects (name, origin, place, relay, reason) VALUES (?, ?, ?, ?, ?)")?;
        for reject in rejects.iter().take(MAX_REJECTS) {
            let relay = reject.relay.as_ref().map(Fingerprint::as_bytes);
            insert.execute(params![source, reject.origin, reject.location, relay, reject.reason])?;
        }
    }
    Ok(())
}

/// Every source that was ever visited, by name.
pub(super) fn all(conn: &Connection) -> Result<Vec<SourceReport>, Failure> {
    let mut statement = conn.prepare("SELECT name, asked_at, answered_at, newest_hour, failure, n_rejects FROM sources ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut reports = Vec::new();
    while let Some(row) = rows.next()? {
        let source: String = row.get(0)?;
        reports.push(SourceReport {
            asked_at: parsed(row, 1)?.ok_or_else(|| Failure::Corrupt(format!("source {source} without the time of its visit")))?,
            answered_at: parsed(row, 2)?,
            newest: optional_hour(row, 3)?,
            failure: row.get(4)?,
            failures: failures(conn, &source)?,
            n_rejects: row.get::<_, i64>(5)?.cast_unsigned() as usize,
            rejects: rejects(conn, &source)?,
            source,
        });
    }
    Ok(reports)
}

fn failures(conn: &Connection, source: &str) -> Result<Vec<SourceFailure>, Failure> {
    let mut statement = conn.prepare_cached("SELECT at, reason FROM source_failures WHERE name = ? ORDER BY at")?;
    let mut rows = statement.query([source])?;
    let mut failures = Vec::new();
    while let Some(row) = rows.next()? {
        let at = parsed(row, 0)?.ok_or_else(|| Failure::Corrupt(format!("failure of source {source} without a time")))?;
        failures.push(SourceFailure { at, reason: row.get(1)? });
    }
    Ok(failures)
}

fn rejects(conn: &Connection, source: &str) -> Result<Vec<Reject>, Failure> {
    let mut statement = conn.prepare_cached("SELECT origin, place, relay, reason FROM source_rejects WHERE name = ? ORDER BY id")?;
    let mut rows = statement.query([source])?;
    let mut rejects = Vec::new();
    while let Some(row) = rows.next()? {
        let relay = row.get::<_, Option<[u8; 20]>>(2)?.map(Fingerprint::new);
        rejects.push(Reject { origin: row.get(0)?, location: row.get(1)?, relay, reason: row.get(3)? });
    }
    Ok(rejects)
}
