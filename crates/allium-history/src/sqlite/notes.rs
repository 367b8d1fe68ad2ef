//! Rows of tokens and notes.

use allium_model::{IncidentNote, NoteAction, Timestamp};
use rusqlite::{Connection, Row, params};

use super::columns::parsed;
use super::connection::SqliteStore;
use super::failure::Failure;
use crate::error::Error;
use crate::notes::{NewNote, Token};
use crate::store::Notes;

/// Tables that are read whenever somebody submits a note, whoever it is.
const TABLES: &[&str] = &["tokens", "incident_notes"];

impl Notes for SqliteStore {
    fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.read_tables(TABLES, tokens)
    }

    fn add_token(&mut self, name: &str, hash: &[u8; 32], at: Timestamp) -> Result<bool, Error> {
        self.write_durably(|conn| {
            let insert = "INSERT INTO tokens (name, hash, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING";
            Ok(conn.execute(insert, params![name, hash, at.to_string()])? > 0)
        })
    }

    fn revoke_token(&mut self, name: &str, at: Timestamp) -> Result<bool, Error> {
        self.write_durably(|conn| {
            let update = "UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL";
            Ok(conn.execute(update, params![at.to_string(), name])? > 0)
        })
    }

    fn incident_notes(&self) -> Result<Vec<IncidentNote>, Error> {
        self.read_tables(TABLES, notes)
    }

    fn add_incident_note(&mut self, note: &NewNote) -> Result<i64, Error> {
        let NewNote { incident, at, token_id, action, text } = note;
        let into = match action {
            NoteAction::Merge(into) => Some(into),
            NoteAction::Acknowledge | NoteAction::Annotate | NoteAction::Separate => None,
        };
        self.write_durably(|conn| {
            conn.execute(
                "INSERT INTO incident_notes (incident, at, token_id, action, text, into_incident) VALUES (?, ?, ?, ?, ?, ?)",
                params![incident, at.to_string(), token_id, action.name(), text, into],
            )?;
            Ok(conn.last_insert_rowid())
        })
    }
}

fn tokens(conn: &Connection) -> Result<Vec<Token>, Failure> {
    let mut statement = conn.prepare("SELECT id, name, hash, created_at, revoked_at FROM tokens ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let created_at = parsed(row, 3)?.ok_or_else(|| Failure::Corrupt(format!("token {name} without the time it was made")))?;
        tokens.push(Token { id: row.get(0)?, hash: row.get(2)?, created_at, revoked_at: parsed(row, 4)?, name });
    }
    Ok(tokens)
}

fn notes(conn: &Connection) -> Result<Vec<IncidentNote>, Failure> {
    let mut statement = conn.prepare(
        "SELECT n.id, n.incident, n.at, t.name, n.action, n.into_incident, n.text
         FROM incident_notes n JOIN tokens t ON t.id = n.token_id ORDER BY n.id",
    )?;
    let mut rows = statement.query([])?;
    let mut notes = Vec::new();
    while let Some(row) = rows.next()? {
        notes.push(note(row)?);
    }
    Ok(notes)
}

fn note(row: &Row<'_>) -> Result<IncidentNote, Failure> {
    let id: i64 = row.get(0)?;
    let (name, into): (String, Option<String>) = (row.get(4)?, row.get(5)?);
    let wrong = |what: &str| Failure::Corrupt(format!("note {id} on an incident: {what}"));
    Ok(IncidentNote {
        id,
        incident: row.get(1)?,
        at: parsed(row, 2)?.ok_or_else(|| wrong("no time"))?,
        by: row.get(3)?,
        action: NoteAction::of(&name, into.as_deref()).ok_or_else(|| wrong("unknown action"))?,
        text: row.get(6)?,
    })
}

/// Checks that every token and note can be read.
pub(super) fn check(conn: &Connection) -> Result<(), Failure> {
    tokens(conn)?;
    notes(conn).map(drop)
}
