//! One page of the file: its bytes, and its sum.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _};
use twox_hash::XxHash64;

use crate::sqlite::failure::Failure;

/// Number of a page, counted from 1.
pub(in crate::sqlite) type PageNumber = u32;

/// Parts of page 1 that SQLite changes after the sums are made, or when nothing else changes: the kind of log, the counter of changes
/// (twice), the version of the library that wrote last.
const BY_THEMSELVES: [std::ops::Range<usize>; 3] = [18..20, 24..28, 92..100];
/// Versions of SQLite that can have written a store, as it numbers them.
const LIBRARIES: std::ops::Range<u32> = 3_007_000..4_000_000;

/// The sum of a page.
pub(in crate::sqlite) fn sum(number: PageNumber, bytes: &[u8]) -> u64 {
    XxHash64::oneshot(number.into(), &masked(number, bytes))
}

/// The page without what has no sum.
pub(in crate::sqlite) fn masked(number: PageNumber, bytes: &[u8]) -> Cow<'_, [u8]> {
    if number > 1 || bytes.len() < BY_THEMSELVES[2].end {
        return Cow::Borrowed(bytes);
    }
    let mut masked = bytes.to_vec();
    BY_THEMSELVES.into_iter().for_each(|range| masked[range].fill(0));
    Cow::Owned(masked)
}

/// Fills in what [`masked`] leaves out of page 1, for a file without a log.
pub(in crate::sqlite) fn unmask(page: &mut [u8]) {
    page[18..20].fill(1);
    page[96..100].copy_from_slice(&rusqlite::version_number().to_be_bytes());
}

/// True if the parts of page 1 without a sum are as SQLite writes them.
pub(in crate::sqlite) fn is_plausible_header(bytes: &[u8]) -> bool {
    let library = bytes.get(96..100).map_or(0, be_u32);
    let is_known_log = matches!(bytes.get(18..20), Some([1, 1] | [2, 2]));
    is_known_log && bytes.get(24..28) == bytes.get(92..96) && LIBRARIES.contains(&library)
}

/// A number of 4 bytes, as SQLite writes them.
pub(in crate::sqlite) fn be_u32(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// True if the pages lie in a file. What is only in memory nobody changes behind SQLite's back, and it has no sums.
pub(in crate::sqlite) fn is_in_file(conn: &Connection) -> bool {
    conn.path().is_some_and(|path| !path.is_empty())
}

/// Number of pages as of this transaction.
pub(in crate::sqlite) fn count(conn: &Connection) -> Result<PageNumber, Failure> {
    Ok(conn.query_row("PRAGMA page_count", [], |row| row.get(0))?)
}

/// Bytes of a page as this transaction sees it; `None` beyond the end.
pub(in crate::sqlite) fn read(conn: &Connection, number: PageNumber) -> Result<Option<Vec<u8>>, Failure> {
    let mut statement = conn.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?")?;
    Ok(statement.query_row([number], |row| row.get(0)).optional()?)
}

/// Hands every page to `take`, in order.
pub(in crate::sqlite) fn each(conn: &Connection, mut take: impl FnMut(PageNumber, &[u8])) -> Result<(), Failure> {
    let mut statement = conn.prepare_cached("SELECT pgno, data FROM sqlite_dbpage")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(0)?, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
    }
    Ok(())
}
