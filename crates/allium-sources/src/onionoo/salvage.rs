//! An entry without its unreadable fields.
//!
//! Entries are read strictly, and nearly all are good. Where that fails each member is tried alone, and the entry is
//! put together again from those that can be read. Of a member given twice the first readable one counts.

use std::collections::HashSet;

use super::json::{Broken, Cursor};
use super::rejects::{FieldRejects, quote_name};

/// The members of an entry that can be read alone, put together again as JSON text.
///
/// `try_read` reads an entry strictly. What it refuses is left out and reported.
///
/// # Errors
/// The entry is no object.
pub(super) fn readable_members<F>(entry: &[u8], try_read: F, rejects: &mut FieldRejects) -> Result<String, Broken>
where
    F: Fn(&str) -> Result<(), serde_json::Error>,
{
    let mut keys: HashSet<&[u8]> = HashSet::new();
    let mut members: Vec<String> = Vec::new();
    let mut cursor = Cursor::new(entry);
    cursor.expect(b'{', "expected an object")?;
    let mut first = true;
    while let Some(key) = cursor.next_key(&mut first)? {
        let value = cursor.skip()?;
        if keys.contains(key) {
            rejects.add(&quote_name(key), "given twice; the first counts");
            continue;
        }
        let member = as_text(key, value, rejects);
        match try_read(&format!("{{{member}}}")) {
            Ok(()) => {
                keys.insert(key);
                members.push(member);
            }
            Err(error) => rejects.add(&quote_name(key), reason(&error)),
        }
    }
    Ok(format!("{{{}}}", members.join(",")))
}

fn as_text(key: &[u8], value: &[u8], rejects: &mut FieldRejects) -> String {
    String::from_utf8([b"\"", key, b"\":", value].concat()).unwrap_or_else(|error| {
        rejects.add(&quote_name(key), "bytes that are not UTF-8, replaced by U+FFFD");
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })
}

/// Description of the defect, without the line and column, which would be those of a single member.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
