//! Texts that describe relays: each is stored once, however many relays and hours it describes.

use std::collections::HashMap;

use rusqlite::{Connection, Row};

use super::failure::Failure;

/// The columns that refer to texts, by table.
const REFERRING: [(&str, &[&str]); 2] = [
    (
        "descriptions",
        &["nickname_text", "or_addresses_text", "bare_address_text", "country_name_text", "as_name_text", "contact_text", "platform_text"],
    ),
    ("pack_descriptions", &["nickname_text", "bare_address_text", "as_name_text", "contact_text"]),
];

/// The dictionary of texts, for writing.
pub(super) struct Texts {
    ids: HashMap<String, i64>,
}

impl Texts {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        let mut statement = conn.prepare("SELECT text, id FROM texts")?;
        let ids = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { ids })
    }

    /// The number of a text, given to it where it has none; `None` of no text.
    pub(super) fn id(&mut self, conn: &Connection, text: Option<&str>) -> Result<Option<i64>, Failure> {
        let Some(text) = text else { return Ok(None) };
        if let Some(id) = self.ids.get(text) {
            return Ok(Some(*id));
        }
        conn.prepare_cached("INSERT INTO texts (text) VALUES (?)")?.execute([text])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(text.to_owned(), id);
        Ok(Some(id))
    }
}

/// The texts by number, for reading.
pub(super) struct TextsById(HashMap<i64, String>);

impl TextsById {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        let mut statement = conn.prepare("SELECT id, text FROM texts")?;
        let texts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(Self(texts))
    }

    /// The text that a column refers to.
    pub(super) fn text(&self, row: &Row<'_>, i: usize) -> Result<Option<&str>, Failure> {
        let Some(id) = row.get::<_, Option<i64>>(i)? else { return Ok(None) };
        self.0.get(&id).map(|text| Some(text.as_str())).ok_or_else(|| Failure::Corrupt(format!("text {id} is missing")))
    }
}

/// Drops texts that nothing refers to.
pub(super) fn forget_unused_texts(conn: &Connection) -> Result<(), Failure> {
    let references = REFERRING
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |column| format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL")));
    let references = references.collect::<Vec<_>>().join(" UNION ALL ");
    conn.execute(&format!("DELETE FROM texts WHERE id NOT IN ({references})"), [])?;
    Ok(())
}
