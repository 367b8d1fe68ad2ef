//! Names of damaged pages: the table that they belong to.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::page::PageNumber;
use super::verify::Damage;

/// One phrase for each damage, with the table as far as it can be known.
pub(in crate::sqlite) fn phrases(conn: &Connection, damages: &[Damage]) -> Vec<String> {
    let is_needed = damages.iter().any(|damage| matches!(damage, Damage::Page(_)));
    let tables = if is_needed { tables(conn) } else { BTreeMap::new() };
    let phrase = |damage: &Damage| match damage {
        Damage::Page(1) => "page 1 (header and schema) is not as it was written".to_owned(),
        Damage::Page(number) => match tables.get(number) {
            Some(table) => format!("page {number} ({table}) is not as it was written"),
            None => format!("page {number} (of no table that can be read) is not as it was written"),
        },
        Damage::Sums(what) => format!("{what} is not as it was written, so that no other page can be compared"),
    };
    damages.iter().map(phrase).collect()
}

/// Tables and indexes by page. Of one that is damaged in the middle the pages behind are missing.
fn tables(conn: &Connection) -> BTreeMap<PageNumber, String> {
    let mut tables = BTreeMap::new();
    // A damage that hinders this is one of those to be named: what can be read is enough.
    let _ = collect(conn, &mut tables);
    tables
}

fn collect(conn: &Connection, tables: &mut BTreeMap<PageNumber, String>) -> rusqlite::Result<()> {
    let mut trees =
        conn.prepare("SELECT name, type, tbl_name FROM sqlite_schema WHERE rootpage > 0 UNION SELECT 'sqlite_schema', 'table', ''")?;
    let trees: Vec<(String, String, String)> =
        trees.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut pages = conn.prepare("SELECT pageno FROM dbstat WHERE name = ?")?;
    for (name, kind, table) in trees {
        let phrase = if kind == "index" { format!("index of table {table}") } else { format!("table {name}") };
        for page in pages.query_map([&name], |row| row.get(0))?.map_while(Result::ok) {
            tables.insert(page, phrase.clone());
        }
    }
    Ok(())
}
