//! Sums brought up to date, as the last step of a transaction.
//!
//! First the table gets its rows, which may need pages. From then on every change is of bytes in their place, and no page moves.

use std::ops::Range;

use rusqlite::{Connection, params};

use super::own::{Own, own_pages};
use super::page::{PageNumber, count, each, is_in_file, read, sum};
use super::parity::{FIRST_ROW, Parities};
use super::seal::{MAX_ROOTS, SEAL_BYTES, Seal, name_hash, page_sum, parts};
use super::{layout, parity};
use crate::sqlite::failure::Failure;

/// Makes the sums and parities of all pages as they are in this transaction.
pub(in crate::sqlite) fn write(conn: &Connection) -> Result<(), Failure> {
    if !is_in_file(conn) {
        return Ok(());
    }
    make_room(conn)?;
    let (own, n_pages) = (Own::of(conn)?, count(conn)?);
    let (all, mut sums, mut parities) = (own.all(), Vec::with_capacity(n_pages as usize), Parities::new(n_pages));
    each(conn, |number, page| {
        sums.push(sum(number, page));
        parities.add(number, page, &all);
    })?;
    let mut update = conn.prepare_cached("UPDATE page_sums SET sums = ?1 WHERE id = ?2 AND sums <> ?1")?;
    for (id, row) in (0..).zip(layout::rows(&sums, &all)).chain(parities.rows()) {
        update.execute(params![row, id])?;
    }
    write_seal(conn, &own, n_pages)
}

/// Gives the table a row for every 500 pages, its own included, as many for parity as there are blocks, and the seal its row.
fn make_room(conn: &Connection) -> Result<(), Failure> {
    conn.execute("INSERT INTO page_seal VALUES (1, zeroblob(?)) ON CONFLICT DO NOTHING", [SEAL_BYTES as u32])?;
    let (mut n_pages, mut n_before) = (count(conn)?, 0);
    while n_pages > n_before {
        make_rows(conn, 0..layout::n_rows(n_pages), 0..FIRST_ROW)?;
        make_rows(conn, FIRST_ROW..FIRST_ROW + parity::n_rows(n_pages), FIRST_ROW..u32::MAX)?;
        (n_pages, n_before) = (count(conn)?, n_pages);
    }
    Ok(())
}

/// Makes these the rows that there are of `kind`; those that are there already stay as they are.
fn make_rows(conn: &Connection, needed: Range<u32>, kind: Range<u32>) -> Result<(), Failure> {
    conn.prepare_cached("DELETE FROM page_sums WHERE id >= ? AND id < ?")?.execute([needed.end, kind.end])?;
    let in_kind = "SELECT count(*) FROM page_sums WHERE id >= ? AND id < ?";
    let present: u32 = conn.prepare_cached(in_kind)?.query_row([kind.start, kind.end], |row| row.get(0))?;
    let mut insert = conn.prepare_cached("INSERT INTO page_sums VALUES (?, zeroblob(?))")?;
    (needed.start + present..needed.end).try_for_each(|id| insert.execute(params![id, layout::ROW_BYTES as u32]).map(drop))?;
    Ok(())
}

fn write_seal(conn: &Connection, own: &Own, n_pages: PageNumber) -> Result<(), Failure> {
    let sums: Vec<u64> = own_pages(conn, own.sums_root)?.iter().map(|(number, page)| sum(*number, page)).collect();
    let mut content = Seal::new(n_pages, own.sums_root, roots(conn)?, &sums).content();
    let before = sealed_page(conn, own.seal)?;
    let body = content.len() - 8;
    if parts(&before).is_some_and(|(present, _)| *present == content[..body]) && Seal::on_page(own.seal, &before).is_some() {
        return Ok(());
    }
    let update = "UPDATE page_seal SET content = ? WHERE id = 1";
    conn.prepare_cached(update)?.execute([&content])?;
    let page = sealed_page(conn, own.seal)?;
    content[body..].copy_from_slice(&page_sum(own.seal, &page).to_le_bytes());
    conn.prepare_cached(update)?.execute([&content])?;
    let is_sealed = Seal::on_page(own.seal, &sealed_page(conn, own.seal)?).is_some();
    if is_sealed { Ok(()) } else { Err(Failure::Corrupt("the page of the seal is not its own".to_owned())) }
}

fn sealed_page(conn: &Connection, number: PageNumber) -> Result<Vec<u8>, Failure> {
    read(conn, number)?.ok_or_else(|| Failure::Corrupt("the page of the seal is missing".to_owned()))
}

/// First pages of tables and indexes, for whoever has to do without the schema.
fn roots(conn: &Connection) -> Result<Vec<(u32, PageNumber)>, Failure> {
    let mut statement = conn.prepare_cached("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rootpage LIMIT ?")?;
    let roots = statement.query_map([MAX_ROOTS as u32], |row| Ok((name_hash(row.get_ref(0)?.as_str()?), row.get(1)?)))?;
    Ok(roots.collect::<rusqlite::Result<_>>()?)
}
