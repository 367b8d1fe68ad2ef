//! A store of the rows that can be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::rows::{Kind, Unread, each};
use super::settle::{Depth, settle};
use super::{Judged, Scratch, is_sound};
use crate::error::Error;
use crate::report::{Repaired, SalvagedTable};
use crate::sqlite::connection::SqliteStore;
use crate::sqlite::failure::Failure;
use crate::sqlite::sums::page::PageNumber;
use crate::sqlite::sums::{self, seal::name_hash};

/// A table of the format.
struct Table {
    name: String,
    kind: Kind,
    columns: Vec<String>,
    /// Index of the column that is the number of the row.
    id: Option<usize>,
}

/// Makes the store with the most that hangs together: first all rows, then without tables that rest on lost ones.
pub(super) fn salvage(judged: &Judged, scratch: &Scratch, report: &mut Repaired) -> Result<PathBuf, Error> {
    for depth in Depth::ALL {
        let path = scratch.file(depth.name());
        report.tables = attempt(judged, &path, depth)?;
        let is_nothing_read = report.tables.iter().all(|table| table.n_rows == 0 && table.n_unread_pages > 0);
        if is_nothing_read {
            break;
        }
        if is_sound(&path) {
            return Ok(path);
        }
    }
    Err(Error::Corrupt { store: scratch.store.clone(), what: "no part of it can be read".to_owned() })
}

fn attempt(judged: &Judged, path: &Path, depth: Depth) -> Result<Vec<SalvagedTable>, Error> {
    drop(SqliteStore::open(path)?);
    let made = fill(judged, path, depth);
    made.map_err(|failure| failure.at(&path.into()))
}

fn fill(judged: &Judged, path: &Path, depth: Depth) -> Result<Vec<SalvagedTable>, Failure> {
    let mut conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    crate::sqlite::connection::configure(&conn)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (tables, roots) = (tables(&transaction)?, roots(judged));
    let mut salvaged = Vec::new();
    for table in tables {
        let root = roots.get(&name_hash(&table.name)).copied().unwrap_or_default();
        let (n_rows, unread) = if depth.keeps(&table.name) { copy(&transaction, judged, &table, root)? } else { (0, Unread::default()) };
        salvaged.push(SalvagedTable { name: table.name, n_rows, n_unread_pages: unread.n_pages, n_cut_rows: unread.n_rows, n_kept: 0 });
    }
    settle(&transaction)?;
    for table in &mut salvaged {
        table.n_kept = transaction.query_row(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get::<_, u32>(0))? as usize;
    }
    sums::write(&transaction)?;
    transaction.commit()?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(salvaged)
}

fn copy(conn: &Connection, judged: &Judged, table: &Table, root: PageNumber) -> Result<(usize, Unread), Failure> {
    let (mut n_rows, mut failed) = (0, None);
    let mut take = |id: i64, mut row: Vec<Value>| {
        if let Some(value) = table.id.and_then(|at| row.get_mut(at)) {
            *value = Value::Integer(id);
        }
        match insert(conn, table, &row) {
            Ok(n) => n_rows += n,
            Err(error) => failed = Some(error),
        }
    };
    let unread = each(&judged.image, root, table.kind, &mut take);
    failed.map_or(Ok((n_rows, unread)), |error| Err(error.into()))
}

/// Rows from before a column was added have fewer; the column then has its default.
fn insert(conn: &Connection, table: &Table, row: &[Value]) -> rusqlite::Result<usize> {
    let n = row.len().min(table.columns.len());
    let places = vec!["?"; n].join(", ");
    let sql = format!("INSERT OR IGNORE INTO {} ({}) VALUES ({places})", table.name, table.columns[..n].join(", "));
    conn.prepare_cached(&sql)?.execute(params_from_iter(&row[..n]))
}

/// Tables of the format, without those of the sums.
fn tables(conn: &Connection) -> Result<Vec<Table>, Failure> {
    let mut names = conn.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'page_%'
         ORDER BY name",
    )?;
    let names: Vec<(String, bool)> = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let table = |(name, is_without_rowid): (String, bool)| {
        let mut columns = conn.prepare("SELECT name, pk > 0 AND upper(type) = 'INTEGER' FROM pragma_table_info(?) ORDER BY cid")?;
        let columns: Vec<(String, bool)> =
            columns.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let id = columns.iter().position(|(_, is_id)| *is_id).filter(|_| !is_without_rowid);
        let kind = if is_without_rowid { Kind::WithoutRowid } else { Kind::Table };
        Ok(Table { name, kind, columns: columns.into_iter().map(|(name, _)| name).collect(), id })
    };
    names.into_iter().map(table).collect()
}

/// First pages of tables: as the seal has them, else as the schema does.
fn roots(judged: &Judged) -> BTreeMap<u32, PageNumber> {
    if let Some(seal) = &judged.judgement.seal {
        return seal.roots.iter().copied().collect();
    }
    let mut roots = BTreeMap::new();
    each(&judged.image, 1, Kind::Table, &mut |_, row| {
        if let [_, Value::Text(name), _, Value::Integer(root), ..] = &row[..] {
            roots.extend(PageNumber::try_from(*root).map(|root| (name_hash(name), root)));
        }
    });
    roots
}
