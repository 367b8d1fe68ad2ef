//! Rejects of entries and of the fields in them.

use allium_model::Fingerprint;

pub(super) use crate::rejects::{MAX_LISTED, Rejects, one_line};

/// Number of characters that are quoted of a name that the document made up.
const MAX_NAME_CHARS: usize = 40;

impl Rejects {
    /// Rejects a whole entry that contains nothing usable.
    pub(super) fn add_entry(&mut self, entry_idx: usize, relay: Option<Fingerprint>, reason: &str) {
        self.add(|| entry_location(entry_idx, relay), relay, reason);
    }

    /// The rejects of the fields of one entry.
    pub(super) fn add_fields(&mut self, entry_idx: usize, relay: Option<Fingerprint>, fields: FieldRejects) {
        self.n += fields.n - fields.listed.len();
        for (field, reason) in fields.listed {
            self.add(|| format!("{} field {field}", entry_location(entry_idx, relay)), relay, &reason);
        }
    }
}

/// The rejects within one entry, whose fingerprint may come last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FieldRejects {
    listed: Vec<(String, String)>,
    n: usize,
}

impl FieldRejects {
    pub(super) fn add(&mut self, field: &str, reason: impl Into<String>) {
        self.n += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push((field.to_owned(), reason.into()));
        }
    }
}

fn entry_location(entry_idx: usize, relay: Option<Fingerprint>) -> String {
    match relay {
        Some(fingerprint) => format!("relays[{entry_idx}] {fingerprint}"),
        None => format!("relays[{entry_idx}]"),
    }
}

/// A name from a document, short and in visible characters, for use in a location.
pub(super) fn quote_name(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_NAME_CHARS)];
    one_line(&String::from_utf8_lossy(start), MAX_NAME_CHARS)
}
