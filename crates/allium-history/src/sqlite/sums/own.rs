//! Pages of the sums themselves, which have no sums among those of the other pages.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::page::{PageNumber, read};
use super::tree::{self, Pages};
use crate::sqlite::failure::Failure;

/// Pages of the sums themselves.
pub(super) struct Own {
    pub(super) seal: PageNumber,
    pub(super) sums_root: PageNumber,
    /// Pages of `page_sums`, in their order.
    pub(super) sums: Vec<PageNumber>,
}

impl Own {
    /// Finds them in this transaction.
    pub(super) fn of(conn: &Connection) -> Result<Self, Failure> {
        let (seal, sums_root) = (root(conn, "page_seal")?, root(conn, "page_sums")?);
        let pages = own_pages(conn, sums_root)?;
        Ok(Self { seal, sums_root, sums: pages.into_iter().map(|(number, _)| number).collect() })
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<PageNumber> {
        self.sums.iter().copied().chain([self.seal]).collect()
    }
}

/// Pages of `page_sums` with their bytes.
pub(super) fn own_pages(conn: &Connection, sums_root: PageNumber) -> Result<Pages, Failure> {
    let pages = tree::pages(sums_root, &mut |number| read(conn, number))?;
    pages.ok_or_else(|| Failure::Corrupt("the table of sums of pages cannot be read".to_owned()))
}

/// First page of a table.
pub(super) fn root(conn: &Connection, table: &str) -> Result<PageNumber, Failure> {
    Ok(conn.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table], |row| row.get(0))?)
}
