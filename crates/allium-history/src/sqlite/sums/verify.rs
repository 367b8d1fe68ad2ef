//! Comparison of pages with their sums, before content is believed.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::own::{Own, own_pages, root};
use super::page::{PageNumber, count, each, is_in_file, is_plausible_header, read, sum};
use super::parity::FIRST_ROW;
use super::seal::Seal;
use super::{layout, phrases};
use crate::sqlite::failure::Failure;

/// Pages to compare.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) enum Scope {
    /// Every page of the file.
    All,
    /// Page 1 and the pages of these tables and their indexes: for short questions that strangers may ask often.
    Tables(&'static [&'static str]),
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sqlite) enum Damage {
    /// A page with another sum.
    Page(PageNumber),
    /// The sums themselves, so that nothing can be said of other pages.
    Sums(String),
}

/// Refuses a store with damage in these pages.
pub(in crate::sqlite) fn require(conn: &Connection, scope: Scope) -> Result<(), Failure> {
    let damages = damages(conn, scope)?;
    let Some(first) = phrases(conn, &damages[..damages.len().min(1)]).pop() else { return Ok(()) };
    let more = damages.len() - 1;
    Err(Failure::Corrupt(if more == 0 { first } else { format!("{first}, and {more} more") }))
}

/// Compares pages with their sums, as of this transaction.
pub(in crate::sqlite) fn damages(conn: &Connection, scope: Scope) -> Result<Vec<Damage>, Failure> {
    if !is_in_file(conn) {
        return Ok(Vec::new());
    }
    let own = match trusted(conn) {
        Ok(own) => own,
        Err(failure) => return Ok(vec![Damage::Sums(failure.damage()?)]),
    };
    match scope {
        Scope::All => damaged_of_all(conn, &own.all()),
        Scope::Tables(tables) => damaged_of(conn, &pages_of(conn, tables)?),
    }
}

/// The pages of the sums, once these are found to be as they were written.
fn trusted(conn: &Connection) -> Result<Own, Failure> {
    let corrupt = |what: &str| Failure::Corrupt(what.to_owned());
    let seal_page = root(conn, "page_seal")?;
    let page = read(conn, seal_page)?.unwrap_or_default();
    let seal = Seal::on_page(seal_page, &page).ok_or_else(|| Failure::Corrupt(format!("page {seal_page} (table page_seal)")))?;
    if seal.sums_root != root(conn, "page_sums")? {
        return Err(corrupt("the schema, which has the sums of pages elsewhere"));
    }
    let n_pages = count(conn)?;
    if seal.n_pages != n_pages {
        return Err(Failure::Corrupt(format!("the size of the file: {n_pages} pages, {} were written", seal.n_pages)));
    }
    let pages = own_pages(conn, seal.sums_root)?;
    let found: Vec<u64> = pages.iter().map(|(number, page)| sum(*number, page)).collect();
    match seal.wrong(&found).first() {
        Some(i) => {
            Err(Failure::Corrupt(pages.get(*i).map_or("table page_sums".to_owned(), |(page, _)| format!("page {page} (table page_sums)"))))
        }
        None => Ok(Own { seal: seal_page, sums_root: seal.sums_root, sums: pages.into_iter().map(|(number, _)| number).collect() }),
    }
}

fn damaged_of_all(conn: &Connection, own: &BTreeSet<PageNumber>) -> Result<Vec<Damage>, Failure> {
    let (mut found, mut is_plausible) = (Vec::new(), false);
    each(conn, |number, page| {
        found.push(sum(number, page));
        is_plausible |= number == 1 && is_plausible_header(page);
    })?;
    let mut statement = conn.prepare_cached("SELECT sums FROM page_sums WHERE id < ? ORDER BY id")?;
    let mut rows = statement.query([FIRST_ROW])?;
    let (mut damages, mut number) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        for written in layout::sums(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?) {
            number += 1;
            let is_damaged = found.get(number - 1).is_some_and(|found| *found != written) && !own.contains(&(number as PageNumber));
            if is_damaged || (number == 1 && !is_plausible) {
                damages.push(Damage::Page(number as PageNumber));
            }
        }
    }
    Ok(damages)
}

fn damaged_of(conn: &Connection, numbers: &BTreeSet<PageNumber>) -> Result<Vec<Damage>, Failure> {
    let mut damages = Vec::new();
    for number in numbers {
        let row: Option<Vec<u8>> = conn
            .prepare_cached("SELECT sums FROM page_sums WHERE id = ?")?
            .query_row([(number - 1) / layout::PAGES_PER_ROW as u32], |row| row.get(0))
            .optional()?;
        let written = row.and_then(|row| layout::sums(&row).nth((*number as usize - 1) % layout::PAGES_PER_ROW));
        let page = read(conn, *number)?.unwrap_or_default();
        if written != Some(sum(*number, &page)) || (*number == 1 && !is_plausible_header(&page)) {
            damages.push(Damage::Page(*number));
        }
    }
    Ok(damages)
}

/// Page 1, the pages of the schema, and those of tables and their indexes. Trees are named one by one, so that no other is walked.
fn pages_of(conn: &Connection, tables: &[&str]) -> Result<BTreeSet<PageNumber>, Failure> {
    let mut trees = vec!["sqlite_schema".to_owned()];
    let mut names = conn.prepare_cached("SELECT name FROM sqlite_schema WHERE tbl_name = ? AND rootpage > 0")?;
    for table in tables {
        trees.extend(names.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?);
    }
    let mut statement = conn.prepare_cached("SELECT pageno FROM dbstat WHERE name = ?")?;
    let mut pages = BTreeSet::from([1]);
    for tree in trees {
        pages.extend(statement.query_map([tree], |row| row.get(0))?.collect::<rusqlite::Result<Vec<PageNumber>>>()?);
    }
    Ok(pages)
}
