//! Effective families: each is stored once, however many relays share it.

use std::collections::HashMap;

use allium_model::Fingerprint;
use rusqlite::{Connection, Row};

use super::columns::{json_list, list};
use super::failure::Failure;

/// Drops families that nothing refers to.
pub(super) fn forget_unused_families(conn: &Connection) -> Result<(), Failure> {
    let references = ["relays", "descriptions", "pack_descriptions"]
        .map(|table| format!("SELECT effective_family_id FROM {table} WHERE effective_family_id IS NOT NULL"));
    conn.execute(&format!("DELETE FROM families WHERE id NOT IN ({})", references.join(" UNION ALL ")), [])?;
    Ok(())
}

/// The dictionary of effective families.
pub(super) struct Families {
    ids: HashMap<Vec<Fingerprint>, i64>,
}

impl Families {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        Ok(Self { ids: families(conn)?.into_iter().map(|(id, members)| (members, id)).collect() })
    }

    /// The number of a family, given to it where it has none; `None` of an empty one.
    pub(super) fn id(&mut self, conn: &Connection, members: &[Fingerprint]) -> Result<Option<i64>, Failure> {
        if members.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.ids.get(members) {
            return Ok(Some(*id));
        }
        conn.prepare_cached("INSERT INTO families (members) VALUES (?)")?.execute([json_list(members)])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(members.to_vec(), id);
        Ok(Some(id))
    }
}

/// The families by number.
pub(super) fn families(conn: &Connection) -> Result<HashMap<i64, Vec<Fingerprint>>, Failure> {
    let mut statement = conn.prepare("SELECT id, members FROM families")?;
    let mut rows = statement.query([])?;
    let mut families = HashMap::new();
    while let Some(row) = rows.next()? {
        families.insert(row.get(0)?, list(row, 1)?);
    }
    Ok(families)
}

/// The family that a column refers to; NULL is the empty one.
pub(super) fn family(row: &Row<'_>, i: usize, families: &HashMap<i64, Vec<Fingerprint>>) -> Result<Vec<Fingerprint>, Failure> {
    let Some(id) = row.get::<_, Option<i64>>(i)? else { return Ok(Vec::new()) };
    families.get(&id).cloned().ok_or_else(|| Failure::Corrupt(format!("family {id} is missing")))
}
