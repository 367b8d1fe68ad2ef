//! Rows of proofs: one per relay, with the newest attempt and the verdict that holds since.

use std::collections::HashMap;

use allium_model::{AroiCheck, AroiDomain, AroiResult, Fingerprint, ProofMethod, ProofStanding, ProofVerdict};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::columns::parsed;
use super::failure::Failure;

const COLUMNS: &str =
    "r.fingerprint, p.domain, p.method, p.result, p.reason, p.checked_at, p.asked_at, p.n_failures, p.trouble, p.relay_id";

/// Stores standings, replacing earlier ones of the same relays; returns of how many relays. Relays that were never recorded are
/// passed over.
pub(super) fn record(conn: &Connection, standings: &[ProofStanding]) -> Result<usize, Failure> {
    let mut find = conn.prepare_cached("SELECT id FROM relays WHERE fingerprint = ?")?;
    let mut insert = conn.prepare_cached(
        "INSERT OR REPLACE INTO proofs (relay_id, domain, method, result, reason, checked_at, asked_at, n_failures, trouble)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut n_recorded = 0;
    for standing in standings {
        let Some(id) = find.query_row([standing.relay.as_bytes()], |row| row.get::<_, i64>(0)).optional()? else { continue };
        let verdict = standing.verdict.as_ref();
        n_recorded += insert.execute(params![
            id,
            standing.domain.as_str(),
            standing.method.name(),
            verdict.map(|verdict| verdict.result.name()),
            verdict.map_or("", |verdict| verdict.reason.as_str()),
            verdict.map(|verdict| verdict.found_at.to_string()),
            standing.asked_at.to_string(),
            standing.n_failures,
            standing.trouble,
        ])?;
    }
    Ok(n_recorded)
}

/// Every standing, by fingerprint.
pub(super) fn all(conn: &Connection) -> Result<Vec<ProofStanding>, Failure> {
    let mut standings = Vec::new();
    each(conn, |_, standing| standings.push(standing))?;
    Ok(standings)
}

/// The checks that hold for relays, by their number.
pub(super) fn checks(conn: &Connection) -> Result<HashMap<i64, AroiCheck>, Failure> {
    let mut checks = HashMap::new();
    each(conn, |relay_id, standing| checks.extend(standing.check().map(|check| (relay_id, check))))?;
    Ok(checks)
}

fn each(conn: &Connection, mut take: impl FnMut(i64, ProofStanding)) -> Result<(), Failure> {
    let mut statement =
        conn.prepare(&format!("SELECT {COLUMNS} FROM proofs p JOIN relays r ON r.id = p.relay_id ORDER BY r.fingerprint"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(9)?, standing(row)?);
    }
    Ok(())
}

fn standing(row: &Row<'_>) -> Result<ProofStanding, Failure> {
    let relay = Fingerprint::new(row.get(0)?);
    let damaged = |what: &str| Failure::Corrupt(format!("proof of relay {relay}: {what}"));
    let method: String = row.get(2)?;
    let result = row.get::<_, Option<String>>(3)?;
    let verdict = match (result, parsed(row, 5)?) {
        (None, None) => None,
        (Some(name), Some(found_at)) => {
            let result = AroiResult::from_name(&name).ok_or_else(|| damaged("unknown result"))?;
            Some(ProofVerdict { result, reason: row.get(4)?, found_at })
        }
        _ => return Err(damaged("a result without time, or a time without result")),
    };
    let standing = ProofStanding {
        relay,
        domain: parsed::<AroiDomain>(row, 1)?.ok_or_else(|| damaged("no domain"))?,
        method: ProofMethod::from_name(&method).ok_or_else(|| damaged("unknown method"))?,
        verdict,
        asked_at: parsed(row, 6)?.ok_or_else(|| damaged("no time of the last attempt"))?,
        n_failures: row.get(7)?,
        trouble: row.get(8)?,
    };
    match standing.contradiction() {
        Some(what) => Err(damaged(what)),
        None => Ok(standing),
    }
}
