//! Kind of document of a file: by its name, else by the members of its first relays.

use std::path::Path;

use allium_model::{Bounds, DocumentKind};

use super::envelope::walk;
use super::histories::Member;
use super::json::{Broken, Cursor};
use super::rejects::Rejects;
use super::{Content, content};

/// Number of entries that are looked at: a document may begin with stubs.
const MAX_ENTRIES: usize = 200;

/// The kind that a file's name begins with, such as `details-2026-02-15.json.zst`, in either case.
pub fn kind_of_path(path: &Path) -> Option<DocumentKind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    DocumentKind::ALL.into_iter().find(|kind| name.starts_with(kind.name()))
}

/// The kind that the members of the first relays show; `None` for documents without relays and for anything else.
///
/// The document may be truncated after these relays.
pub fn sniff(bytes: &[u8]) -> Option<DocumentKind> {
    let mut found = None;
    let mut rejects = Rejects::new("");
    // The walk's own result does not matter: it stops as soon as an entry shows the kind.
    let _ = walk(bytes, Bounds::default(), &mut rejects, |cursor, visit| {
        found = kind_of_entry(cursor)?;
        if found.is_some() || visit.entry_idx >= MAX_ENTRIES { cursor.broken("recognised") } else { Ok(()) }
    });
    found
}

fn kind_of_entry(cursor: &mut Cursor<'_>) -> Result<Option<DocumentKind>, Broken> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip().map(|_| None);
    }
    cursor.expect(b'{', "expected an object")?;
    let mut found = None;
    let mut first = true;
    while let Some(key) = cursor.next_key(&mut first)? {
        let is_object = cursor.peek() == Some(b'{');
        cursor.skip()?;
        found = found.or(kind_of_member(key, is_object));
    }
    Ok(found)
}

fn kind_of_member(key: &[u8], is_object: bool) -> Option<DocumentKind> {
    match (key, is_object) {
        (b"f", false) => Some(DocumentKind::Summary),
        (b"nickname" | b"or_addresses" | b"last_seen" | b"first_seen" | b"running", false) => Some(DocumentKind::Details),
        (key, true) => DocumentKind::ALL.into_iter().find(|kind| has_graphs(*kind, key)),
        _ => None,
    }
}

fn has_graphs(kind: DocumentKind, key: &[u8]) -> bool {
    matches!(content(kind), Content::Graphs(member) if matches!(member(key), Member::Graphs(_)))
}
