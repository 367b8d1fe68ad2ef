//! Rows of states of workers.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::connection::SqliteStore;
use super::failure::Failure;
use crate::blob::worker_state::{MAX_RAW_LEN, decode, encode};
use crate::error::Error;
use crate::store::State;

impl State for SqliteStore {
    fn save_state(&mut self, name: &str, state: &[u8]) -> Result<(), Error> {
        if state.len() > MAX_RAW_LEN {
            return Err(Error::StateTooLarge { name: name.to_owned(), n_bytes: state.len() });
        }
        let blob = encode(state);
        self.write(|conn| {
            conn.execute("INSERT OR REPLACE INTO worker_states (name, content) VALUES (?, ?)", params![name, blob])?;
            Ok(())
        })
    }

    fn load_state(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.read(|conn| {
            let mut statement = conn.prepare("SELECT content FROM worker_states WHERE name = ?")?;
            let blob: Option<Vec<u8>> = statement.query_row([name], |row| row.get(0)).optional()?;
            blob.map(|blob| decoded(name, &blob)).transpose()
        })
    }
}

/// Checks that every state can be read.
pub(super) fn check(conn: &Connection) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT name, content FROM worker_states")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        decoded(&name, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
    }
    Ok(())
}

fn decoded(name: &str, blob: &[u8]) -> Result<Vec<u8>, Failure> {
    decode(blob).map_err(|reason| Failure::Corrupt(format!("state of worker {name}: {reason}")))
}
