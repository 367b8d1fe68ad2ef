//! The format of the file: its mark, and the migrations from each version to the next.

use rusqlite::{Connection, TransactionBehavior};

use super::failure::Failure;
use super::locations::settle_all;
use super::sums;
use crate::error::Error;
use crate::url::StoreUrl;

/// "Alli" in ASCII, in the header of every store.
pub(super) const APPLICATION_ID: i64 = 0x416C_6C69;

/// The script that makes version `i + 1` out of version `i`; version 0 is an empty file.
const MIGRATIONS: [&str; 12] = [
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
    include_str!("schema/v6.sql"),
    include_str!("schema/v7.sql"),
    include_str!("schema/v8.sql"),
    include_str!("schema/v9.sql"),
    include_str!("schema/v10.sql"),
    include_str!("schema/v11.sql"),
    include_str!("schema/v12.sql"),
];

/// The version from which on spans carry country and AS over.
const LOCATIONS_CARRIED: usize = 4;

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of a store's format; 0 for an empty file.
pub(super) fn version(conn: &Connection) -> Result<i64, Failure> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Refuses files that are no store or come from a newer program; for a reader also empty files and those of an older program.
pub(super) fn verify(conn: &Connection, store: &StoreUrl, is_writer: bool) -> Result<(), Failure> {
    let store = store.clone();
    let application_id: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let n_objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = version(conn)?;
    let is_empty = application_id == 0 && n_objects == 0 && found == 0;
    if is_empty && is_writer {
        return Ok(());
    }
    if application_id != APPLICATION_ID || found < 1 {
        return Err(Error::NotAStore { store }.into());
    }
    if found > VERSION {
        return Err(Error::FutureVersion { store, found, supported: VERSION }.into());
    }
    if found < VERSION && !is_writer {
        return Err(Error::PastVersion { store, found, supported: VERSION }.into());
    }
    Ok(())
}

/// Brings a store to the present version, one transaction for all steps.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), Failure> {
    if version(conn)? == VERSION {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
    for script in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(script)?;
    }
    if from < LOCATIONS_CARRIED {
        settle_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    sums::write(&transaction)?;
    Ok(transaction.commit()?)
}
