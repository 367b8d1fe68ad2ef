//! Rows of a table from the pages that are sound (file format, "B-tree Pages"). What lies behind a damaged page is left out and counted.

use std::collections::BTreeSet;

use rusqlite::types::Value;

use super::image::{Image, PAGE_BYTES};
use super::record::{columns, varint};
use crate::sqlite::sums::page::{PageNumber, be_u32};

/// Layout of the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By number, in leaves.
    Table,
    /// By key, in all pages: `WITHOUT ROWID`.
    WithoutRowid,
}

/// The part of a table that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unread {
    /// Pages that are damaged or missing, with the rows on and below them.
    pub(super) n_pages: usize,
    /// Rows of which a part lies on such pages.
    pub(super) n_rows: usize,
}

/// Hands number and columns of each row to `take`.
pub(super) fn each(image: &Image, root: PageNumber, kind: Kind, take: &mut dyn FnMut(i64, Vec<Value>)) -> Unread {
    let (mut unread, mut waiting, mut seen) = (Unread::default(), vec![root], BTreeSet::new());
    while let Some(number) = waiting.pop() {
        let read = if seen.insert(number) { image.sound(number).and_then(|page| read_page(image, &page, kind, take)) } else { None };
        match read {
            Some((children, n_cut)) => {
                waiting.extend(children.into_iter().rev());
                unread.n_rows += n_cut;
            }
            None => unread.n_pages += 1,
        }
    }
    unread
}

/// Children of a page, and the number of its rows that are cut.
fn read_page(image: &Image, page: &[u8], kind: Kind, take: &mut dyn FnMut(i64, Vec<Value>)) -> Option<(Vec<PageNumber>, usize)> {
    let header = if page.starts_with(b"SQLite format 3\0") { 100 } else { 0 };
    let (is_interior, has_rows) = match (page[header], kind) {
        (5, Kind::Table) => (true, false),
        (13, Kind::Table) => (false, true),
        (2, Kind::WithoutRowid) => (true, true),
        (10, Kind::WithoutRowid) => (false, true),
        _ => return None,
    };
    let n_cells = usize::from(u16::from_be_bytes([page[header + 3], page[header + 4]]));
    let first = header + if is_interior { 12 } else { 8 };
    let (mut children, mut n_cut) = (Vec::new(), 0);
    for at in page.get(first..first + 2 * n_cells)?.chunks_exact(2) {
        let mut cell = page.get(usize::from(u16::from_be_bytes([at[0], at[1]]))..)?;
        if is_interior {
            children.push(be_u32(cell));
            cell = cell.get(4..)?;
        }
        match has_rows.then(|| row(image, cell, kind)) {
            Some(Some((id, columns))) => take(id, columns),
            Some(None) => n_cut += 1,
            None => {}
        }
    }
    if is_interior {
        children.push(be_u32(&page[header + 8..]));
    }
    Some((children, n_cut))
}

fn row(image: &Image, cell: &[u8], kind: Kind) -> Option<(i64, Vec<Value>)> {
    let (n_bytes, rest) = varint(cell)?;
    let (id, rest) = if kind == Kind::Table { varint(rest)? } else { (0, rest) };
    Some((id.cast_signed(), columns(&payload(image, usize::try_from(n_bytes).ok()?, rest, kind)?)?))
}

/// The bytes of a row, of which what does not fit lies on a chain of other pages.
fn payload(image: &Image, n_bytes: usize, cell: &[u8], kind: Kind) -> Option<Vec<u8>> {
    if n_bytes > image.n_pages as usize * PAGE_BYTES {
        return None;
    }
    let n_local = local(n_bytes, kind);
    let mut bytes = cell.get(..n_local)?.to_vec();
    let mut next = if n_local < n_bytes { be_u32(cell.get(n_local..n_local + 4)?) } else { 0 };
    while bytes.len() < n_bytes {
        let page = image.sound(next)?;
        next = be_u32(&page);
        bytes.extend_from_slice(&page[4..PAGE_BYTES.min(4 + n_bytes - bytes.len())]);
    }
    Some(bytes)
}

/// Bytes of a row that lie in its page.
fn local(n_bytes: usize, kind: Kind) -> usize {
    let usable = PAGE_BYTES;
    let most = if kind == Kind::Table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + n_bytes.saturating_sub(least) % (usable - 4);
    match n_bytes {
        _ if n_bytes <= most => n_bytes,
        _ if fitting <= most => fitting,
        _ => least,
    }
}
