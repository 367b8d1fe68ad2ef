//! Compact copies of a store, and a store replaced by one.
//!
//! SQLite's own way to compact a file in place would leave every page with the sum of what it held before, until a second transaction.
//! So a copy gets its sums beside, and then takes the place of all pages in one transaction.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::connection::{SqliteStore, configure};
use super::failure::Failure;
use super::sums;
use crate::error::Error;

/// Writes a compact copy of the store to a file that does not exist.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), Failure> {
    from.execute("VACUUM INTO ?", [to.to_string_lossy()])?;
    let mut conn = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&conn)?;
    // A journal that a killed program left would be taken for one of the next copy.
    conn.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
    write_sums(&mut conn)
}

/// Gives back the space that nothing uses. `beside` is the name of a file for the copy, which is gone afterwards.
pub(super) fn compact(conn: &mut Connection, beside: &Path) -> Result<(), Failure> {
    let Some(path) = conn.path().filter(|path| !path.is_empty()).map(ToOwned::to_owned) else {
        return Ok(conn.execute_batch("VACUUM")?);
    };
    let others = Others::watch(Path::new(&path))?;
    let replaced = copy(conn, beside).and_then(|()| replace(conn, beside, &others));
    // The outcome at hand is the one that matters; a copy that stays is replaced by the next.
    let _ = std::fs::remove_file(beside);
    replaced?;
    // Its row says "busy", which is no failure, where somebody still reads what the log has replaced.
    Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn write_sums(conn: &mut Connection) -> Result<(), Failure> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    sums::write(&transaction)?;
    Ok(transaction.commit()?)
}

/// Puts the copy in the place of the store, unless somebody wrote since it was made.
fn replace(conn: &mut Connection, copy: &Path, others: &Others) -> Result<(), Failure> {
    let from = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let backup = Backup::new(&from, conn)?;
    // No page yet, but the lock of a writer.
    let locked = backup.step(0)?;
    if matches!(locked, StepResult::Busy | StepResult::Locked) || others.have_written()? {
        return Err(Error::Locked { store: others.path.as_path().into() }.into());
    }
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(Error::Locked { store: others.path.as_path().into() }.into()),
    }
}

/// A look at changes of a file by anybody else.
struct Others {
    path: std::path::PathBuf,
    conn: Connection,
    state: i64,
}

impl Others {
    fn watch(path: &Path) -> Result<Self, Failure> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let state = state(&conn)?;
        Ok(Self { path: path.to_owned(), conn, state })
    }

    fn have_written(&self) -> Result<bool, Failure> {
        Ok(state(&self.conn)? != self.state)
    }
}

fn state(conn: &Connection) -> Result<i64, Failure> {
    Ok(conn.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

impl SqliteStore {
    /// [`compact`] of this store.
    pub(super) fn compacted(&mut self) -> Result<(), Failure> {
        let beside = self.url().with_suffix(".compact");
        let _ = std::fs::remove_file(&beside);
        self.with_connection(|conn| compact(conn, &beside))
    }
}
