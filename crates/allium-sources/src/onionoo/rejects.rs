//! The list of what could not be understood in one document.

use allium_model::{Fingerprint, Reject};

/// How many rejects of a document are listed; all are counted.
pub(super) const MAX_LISTED: usize = 1000;
/// How much of a reason is kept.
const MAX_REASON_CHARS: usize = 200;
/// How much of a name that the document made up is quoted.
const MAX_NAME_CHARS: usize = 40;

/// Collects rejects.
#[derive(Debug)]
pub(super) struct Rejects {
    pub(super) origin: String,
    pub(super) listed: Vec<Reject>,
    pub(super) n: usize,
}

impl Rejects {
    pub(super) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), listed: Vec::new(), n: 0 }
    }

    pub(super) fn add(&mut self, place: impl FnOnce() -> String, relay: Option<Fingerprint>, reason: &str) {
        self.n += 1;
        if self.listed.len() < MAX_LISTED {
            let reject = Reject { origin: self.origin.clone(), place: place(), relay, reason: one_line(reason, MAX_REASON_CHARS) };
            self.listed.push(reject);
        }
    }

    /// A whole entry that says nothing usable.
    pub(super) fn add_entry(&mut self, entry_idx: usize, relay: Option<Fingerprint>, reason: &str) {
        self.add(|| entry_place(entry_idx, relay), relay, reason);
    }

    /// The rejects of the fields of one entry.
    pub(super) fn add_fields(&mut self, entry_idx: usize, relay: Option<Fingerprint>, fields: FieldRejects) {
        self.n += fields.n - fields.listed.len();
        for (field, reason) in fields.listed {
            self.add(|| format!("{} field {field}", entry_place(entry_idx, relay)), relay, &reason);
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

fn entry_place(entry_idx: usize, relay: Option<Fingerprint>) -> String {
    match relay {
        Some(fingerprint) => format!("relays[{entry_idx}] {fingerprint}"),
        None => format!("relays[{entry_idx}]"),
    }
}

/// A name from a document, short and in visible characters, for use in a place.
pub(super) fn quote_name(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MAX_NAME_CHARS)];
    one_line(&String::from_utf8_lossy(start), MAX_NAME_CHARS)
}

/// A text of at most `max_chars` characters without control or invisible formatting characters.
pub(super) fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    for c in text.chars().take(max_chars) {
        // Quotes and backslashes are escaped by `escape_debug` too, but they are harmless and read better as they are.
        if matches!(c, '"' | '\'' | '\\') {
            line.push(c);
        } else {
            line.extend(c.escape_debug());
        }
    }
    if text.chars().nth(max_chars).is_some() {
        line.push('…');
    }
    line
}
